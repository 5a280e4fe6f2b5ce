# Made by ntkfeyn 0.1.0
# Request: K@0, Theta@0, V@1, D@1, F@1, A@1, B@1, P@1, Q@1, R@1, S@1, T@1, U@1, K@1, Theta@1
# K@0: 1 diagram, 2 product terms, recursion hash 9baa29d79df886a9
# Theta@0: 1 diagram, 2 product terms, recursion hash 7aa5f5dd8172cf2a
# V@1: 2 diagrams, 3 product terms, recursion hash 80b0fe0e2094e98c
# D@1: 3 diagrams, 4 product terms, recursion hash c7fb31315d7323a5
# F@1: 2 diagrams, 2 product terms, recursion hash 1dfac0a73f80ad68
# A@1: 5 diagrams, 6 product terms, recursion hash ce0311c1180c45ca
# B@1: 2 diagrams, 2 product terms, recursion hash b93694a7c40a72b3
# P@1: 3 diagrams, 3 product terms, recursion hash 8223fe74c8da22e3
# Q@1: 5 diagrams, 5 product terms, recursion hash 0e5b36b49c2d60a4
# R@1: 7 diagrams, 7 product terms, recursion hash 3b34a78da812dab5
# S@1: 5 diagrams, 5 product terms, recursion hash 33799c715f02fb32
# T@1: 13 diagrams, 13 product terms, recursion hash ae1945682a1b928e
# U@1: 2 diagrams, 2 product terms, recursion hash c72f976976251c99
# K@1: 2 diagrams, 2 product terms, recursion hash 871889472c2b6fc0
# Theta@1: 5 diagrams, 5 product terms, recursion hash 77b4c1ea746b22d1
# make -f order1.mk [OPENMP=-fopenmp] builds order1_main: LaTeX has a directory order1
CC = cc
CFLAGS = -std=c99 -O2 -Wall -Wextra -Wpedantic -Werror
OPENMP =
NAME = order1

$(NAME)_main: $(NAME).c $(NAME)_main.c $(NAME).h
	$(CC) $(CFLAGS) $(OPENMP) -o $@ $(NAME).c $(NAME)_main.c -lm
