# Made by ntkfeyn 0.1.0
# make -f order1.mk [OPENMP=-fopenmp]
CC = cc
CFLAGS = -std=c99 -O2 -Wall -Wextra -Wpedantic -Werror
OPENMP =
NAME = order1

$(NAME): $(NAME).c $(NAME)_main.c $(NAME).h
	$(CC) $(CFLAGS) $(OPENMP) -o $@ $(NAME).c $(NAME)_main.c -lm
