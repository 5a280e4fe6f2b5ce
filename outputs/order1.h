/* Made by ntkfeyn 0.1.0 */
/* Request: K@0, Theta@0, V@1, D@1, F@1, A@1, B@1, P@1, Q@1, R@1, S@1, T@1, U@1, K@1, Theta@1 */
/* K@0: 1 diagram, 2 product terms, recursion hash 9baa29d79df886a9 */
/* Theta@0: 1 diagram, 2 product terms, recursion hash 7aa5f5dd8172cf2a */
/* V@1: 2 diagrams, 3 product terms, recursion hash 80b0fe0e2094e98c */
/* D@1: 3 diagrams, 4 product terms, recursion hash c7fb31315d7323a5 */
/* F@1: 2 diagrams, 2 product terms, recursion hash 1dfac0a73f80ad68 */
/* A@1: 5 diagrams, 6 product terms, recursion hash ce0311c1180c45ca */
/* B@1: 2 diagrams, 2 product terms, recursion hash b93694a7c40a72b3 */
/* P@1: 3 diagrams, 3 product terms, recursion hash 8223fe74c8da22e3 */
/* Q@1: 5 diagrams, 5 product terms, recursion hash 0e5b36b49c2d60a4 */
/* R@1: 7 diagrams, 7 product terms, recursion hash 3b34a78da812dab5 */
/* S@1: 5 diagrams, 5 product terms, recursion hash 33799c715f02fb32 */
/* T@1: 13 diagrams, 13 product terms, recursion hash ae1945682a1b928e */
/* U@1: 2 diagrams, 2 product terms, recursion hash c72f976976251c99 */
/* K@1: 2 diagrams, 2 product terms, recursion hash 871889472c2b6fc0 */
/* Theta@1: 5 diagrams, 5 product terms, recursion hash 77b4c1ea746b22d1 */
#ifndef ORDER1_H
#define ORDER1_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Tensors, in order of dependence. A tensor with m slots over n samples is an array of n^m doubles,
 * indices in the order of its name, the last one fastest. */
enum {
    /* K_12 */
    ORDER1_K_0,
    /* Θ_12 */
    ORDER1_Theta_0,
    /* V_1234 */
    ORDER1_V_1,
    /* D_1234 */
    ORDER1_D_1,
    /* F_1324 */
    ORDER1_F_1,
    /* A_1234 */
    ORDER1_A_1,
    /* B_1324 */
    ORDER1_B_1,
    /* P_0123 */
    ORDER1_P_1,
    /* Q_0123 */
    ORDER1_Q_1,
    /* R_0123 */
    ORDER1_R_1,
    /* S_1234 */
    ORDER1_S_1,
    /* T_1324 */
    ORDER1_T_1,
    /* U_1423 */
    ORDER1_U_1,
    /* K^{1}_12 */
    ORDER1_K_1,
    /* Θ^{1}_12 */
    ORDER1_Theta_1,
    ORDER1_TENSORS
};

/* What every function that can fail returns; results are complete where that is OK. */
enum {
    ORDER1_OK = 0,
    /* a null pointer, a size below 1, a negative coupling, a Gram matrix that is not symmetric */
    ORDER1_BAD_ARGUMENT,
    /* workspace or results too small */
    ORDER1_BAD_SIZE,
    /* nan or inf in the inputs, or the tensors overflow */
    ORDER1_NOT_FINITE,
    /* the activation lacks a derivative that is needed */
    ORDER1_NO_DERIVATIVE,
    /* more samples, layers or nodes than can be handled */
    ORDER1_TOO_LARGE,
    /* a name that no activation has */
    ORDER1_UNKNOWN_ACTIVATION,
    /* neither one activation nor one a hidden layer */
    ORDER1_WRONG_COUNT,
    /* no two rules agree within the tolerance on the nodes that are allowed */
    ORDER1_NOT_CONVERGED
};

/* An activation. `table` writes s, s', .., s^(top) at z to out[0 .. top] and returns 0, or an error
 * code from above, which ends the solution. It gets `user` back, and is called from several threads
 * at once where this is compiled with OpenMP. */
typedef struct {
    int (*table)(double z, int top, double *out, void *user);
    void *user;
} order1_activation;

/* One request; all memory belongs to the caller. */
typedef struct {
    int samples; /* n */
    int depth; /* number of layers L */
    const double *gram; /* n * n: x.x' / n_0 */
    const int *widths; /* L - 1 hidden widths */
    const double *C_W, *lambda_W, *C_b, *lambda_b; /* L each */
    /* L - 1: activations[l - 1] follows layer l, on the way to layer l + 1 */
    const order1_activation *activations;
    int nodes; /* of the quadrature on each axis */
    const double *x, *w; /* nodes and weights for the unit normal */
} order1_network;

/* Doubles of workspace and of results that solve needs; 0 if the request is bad or too large. */
size_t order1_workspace(
    const order1_network *network);
size_t order1_results(
    const order1_network *network);

/* Where a tensor at a layer (from 1) begins in the results. */
size_t order1_offset(
    const order1_network *network, int tensor, int layer);

/* All tensors at layers 1 .. depth on the nodes given, whatever they are good for. Returns an error
 * code. */
int order1_solve(
    const order1_network *network,
    double *workspace, size_t workspace_size,
    double *results, size_t results_size);

/* All tensors to a tolerance, from 1e-12 to 1, relative to the largest component of each. Rules of
 * more and more nodes, at most network->nodes, are tried until two agree: each has 1.5 times the
 * nodes of the one before, reaches farther, and shares with it neither nodes nor their symmetry;
 * network->x and w are not read. Writes the error of each tensor to errors[(layer - 1) * TENSORS +
 * tensor], depth * TENSORS doubles, and returns an error code. */
int order1_converge(
    const order1_network *network, double tolerance,
    double *workspace, size_t workspace_size,
    double *results, size_t results_size, double *errors);

/* Doubles of workspace that converge needs, and the most nodes worth asking for; 0 if too large. */
size_t order1_converge_workspace(
    const order1_network *network);
int order1_most_nodes(int samples);

/* A trapezoidal rule on [-cut, cut], all nodes moved by `shift` times their distance; x and w hold
 * `nodes` doubles. */
int order1_trapezoid(
    int nodes, double cut, double shift, double *x, double *w);

/* Names, numbers of slots and error messages. */
const char *order1_name(int tensor);
int order1_slots(int tensor);
const char *order1_message(int code);

/* Fills activations[0 .. count - 1] by name, count = L - 1: one name for all, "gelu", or one for
 * each, "gelu:tanh:linear". Known are gelu, silu, tanh, sigmoid, erf, softplus, sin, cos, linear
 * and relu, which has one derivative only. Returns an error code. */
int order1_activations_named(
    const char *names, int count,
    order1_activation *activations);

#ifdef __cplusplus
}
#endif

#endif
