"""Critical points of an activation and how tensors grow with depth there (THEORY section 8)."""
