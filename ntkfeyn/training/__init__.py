"""Training at order 1/n (THEORY section 12): what the tensors say of the mean prediction and kernel.

Enters: a network, training and test inputs, targets, times or steps. Leaves: ``Trained``, order by order and source by
source, and beside it the means over trained networks where they are asked for.
"""
