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
/* 701 multiplications a component of every tensor (1270 without partial sums) */
#include "order1.h"

#include <math.h>
#include <string.h>

typedef order1_network request;
typedef order1_activation activation;
enum {
    OK = ORDER1_OK,
    BAD_ARGUMENT = ORDER1_BAD_ARGUMENT,
    BAD_SIZE = ORDER1_BAD_SIZE,
    NOT_FINITE = ORDER1_NOT_FINITE,
    NO_DERIVATIVE = ORDER1_NO_DERIVATIVE,
    TOO_LARGE = ORDER1_TOO_LARGE,
    UNKNOWN_ACTIVATION = ORDER1_UNKNOWN_ACTIVATION,
    WRONG_COUNT = ORDER1_WRONG_COUNT,
    NOT_CONVERGED = ORDER1_NOT_CONVERGED
};
enum {
    T_K_0,
    T_Theta_0,
    T_V_1,
    T_D_1,
    T_F_1,
    T_A_1,
    T_B_1,
    T_P_1,
    T_Q_1,
    T_R_1,
    T_S_1,
    T_T_1,
    T_U_1,
    T_K_1,
    T_Theta_1,
    TENSORS
};

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define SLOTS 4 /* of the largest expectation */
#define LABELS 4 /* placed by the largest table */
#define TOP 5 /* highest derivative of the activation */
#define MOST 4 /* different samples in one expectation */
#define MAX_SAMPLES 64
#define MAX_DEPTH 10000
#define MAX_NODES 4096
#define MAX_DOUBLES ((size_t)2147483647)
#define MAX_POINTS 2e8 /* of one grid, where nodes are chosen here */
#define ROUNDING 1e-12 /* relative to the largest component of a tensor */
#define NOTHING 1e-13 /* what is left where terms cancel, relative to powers of the kernels */

/* Every expectation <prod of s^(m)>, by its derivative orders m; each mean is computed once. */
enum {
    E_0_0,
    E_0_2,
    E_0_4,
    E_1_1,
    E_1_3,
    E_1_5,
    E_2_2,
    E_2_4,
    E_3_3,
    E_0_0_0_0,
    E_0_0_1_1,
    E_0_1_1_2,
    E_1_1_1_1,
    E_1_1_1_3,
    E_1_1_2_2,
    KEYS
};
static const int KEY_SLOTS[KEYS] = {
    2,
    2,
    2,
    2,
    2,
    2,
    2,
    2,
    2,
    4,
    4,
    4,
    4,
    4,
    4,
};
static const int KEY_ORDERS[KEYS][SLOTS] = {
    {0, 0},
    {0, 2},
    {0, 4},
    {1, 1},
    {1, 3},
    {1, 5},
    {2, 2},
    {2, 4},
    {3, 3},
    {0, 0, 0, 0},
    {0, 0, 1, 1},
    {0, 1, 1, 2},
    {1, 1, 1, 1},
    {1, 1, 1, 3},
    {1, 1, 2, 2},
};

/* A placement of derivatives: how often it occurs, the expectation after it, the slot that stands
 * at each of its positions, the slots that the derivatives land on. */
typedef struct {
    double count;
    int key;
    unsigned char slot[SLOTS];
    unsigned char label[LABELS];
} placement;

static const placement D0_0_by_2[] = {
    {1.0, E_0_2, {1, 0}, {0, 0}},
    {2.0, E_1_1, {0, 1}, {0, 1}},
    {1.0, E_0_2, {0, 1}, {1, 1}},
};
static const placement D0_0_by_4[] = {
    {1.0, E_0_4, {1, 0}, {0, 0, 0, 0}},
    {4.0, E_1_3, {1, 0}, {0, 0, 0, 1}},
    {2.0, E_2_2, {0, 1}, {0, 0, 1, 1}},
    {4.0, E_2_2, {0, 1}, {0, 1, 0, 1}},
    {4.0, E_1_3, {0, 1}, {0, 1, 1, 1}},
    {1.0, E_0_4, {0, 1}, {1, 1, 1, 1}},
};
static const placement D0_1_by_1[] = {
    {1.0, E_1_1, {0, 1}, {0}},
    {1.0, E_0_2, {0, 1}, {1}},
};
static const placement D1_0_by_1[] = {
    {1.0, E_0_2, {1, 0}, {0}},
    {1.0, E_1_1, {0, 1}, {1}},
};
static const placement D1_1_by_11[] = {
    {1.0, E_1_3, {1, 0}, {0, 0}},
    {1.0, E_2_2, {0, 1}, {0, 1}},
    {1.0, E_2_2, {0, 1}, {1, 0}},
    {1.0, E_1_3, {0, 1}, {1, 1}},
};
static const placement D1_1_by_2[] = {
    {1.0, E_1_3, {1, 0}, {0, 0}},
    {2.0, E_2_2, {0, 1}, {0, 1}},
    {1.0, E_1_3, {0, 1}, {1, 1}},
};
static const placement D1_1_by_4[] = {
    {1.0, E_1_5, {1, 0}, {0, 0, 0, 0}},
    {4.0, E_2_4, {1, 0}, {0, 0, 0, 1}},
    {2.0, E_3_3, {0, 1}, {0, 0, 1, 1}},
    {4.0, E_3_3, {0, 1}, {0, 1, 0, 1}},
    {4.0, E_2_4, {0, 1}, {0, 1, 1, 1}},
    {1.0, E_1_5, {0, 1}, {1, 1, 1, 1}},
};
static const placement D2_1_by_1[] = {
    {1.0, E_1_3, {1, 0}, {0}},
    {1.0, E_2_2, {0, 1}, {1}},
};

/* An expectation over a set of samples: its key, its part at the last sample, the sample of each
 * slot. */
typedef struct {
    int key, inner;
    unsigned char at[SLOTS];
} content;

static const content OVER_1[] = {
    {E_0_0, 0, {0, 0}},
    {E_0_2, 1, {0, 0}},
    {E_0_4, 2, {0, 0}},
    {E_1_1, 3, {0, 0}},
    {E_1_3, 4, {0, 0}},
    {E_1_5, 5, {0, 0}},
    {E_2_2, 6, {0, 0}},
    {E_2_4, 7, {0, 0}},
    {E_3_3, 8, {0, 0}},
    {E_0_0_0_0, 9, {0, 0, 0, 0}},
    {E_0_0_1_1, 10, {0, 0, 0, 0}},
    {E_0_1_1_2, 11, {0, 0, 0, 0}},
    {E_1_1_1_1, 12, {0, 0, 0, 0}},
    {E_1_1_1_3, 13, {0, 0, 0, 0}},
    {E_1_1_2_2, 14, {0, 0, 0, 0}},
};
static const content OVER_2[] = {
    {E_0_0, 15, {0, 1}},
    {E_0_2, 16, {0, 1}},
    {E_0_2, 15, {1, 0}},
    {E_0_4, 17, {0, 1}},
    {E_0_4, 15, {1, 0}},
    {E_1_1, 18, {0, 1}},
    {E_1_3, 19, {0, 1}},
    {E_1_3, 18, {1, 0}},
    {E_1_5, 20, {0, 1}},
    {E_1_5, 18, {1, 0}},
    {E_2_2, 16, {0, 1}},
    {E_2_4, 17, {0, 1}},
    {E_2_4, 16, {1, 0}},
    {E_3_3, 19, {0, 1}},
    {E_0_0_0_0, 15, {0, 0, 0, 1}},
    {E_0_0_0_0, 0, {0, 0, 1, 1}},
    {E_0_0_0_0, 21, {0, 1, 1, 1}},
    {E_0_0_1_1, 18, {0, 0, 0, 1}},
    {E_0_0_1_1, 3, {0, 0, 1, 1}},
    {E_0_0_1_1, 15, {0, 1, 0, 0}},
    {E_0_0_1_1, 22, {0, 1, 0, 1}},
    {E_0_0_1_1, 23, {0, 1, 1, 1}},
    {E_0_0_1_1, 0, {1, 1, 0, 0}},
    {E_0_0_1_1, 24, {1, 1, 0, 1}},
    {E_0_1_1_2, 16, {0, 0, 0, 1}},
    {E_0_1_1_2, 18, {0, 0, 1, 0}},
    {E_0_1_1_2, 25, {0, 0, 1, 1}},
    {E_0_1_1_2, 3, {0, 1, 1, 0}},
    {E_0_1_1_2, 26, {0, 1, 1, 1}},
    {E_0_1_1_2, 15, {1, 0, 0, 0}},
    {E_0_1_1_2, 1, {1, 0, 0, 1}},
    {E_0_1_1_2, 22, {1, 0, 1, 0}},
    {E_0_1_1_2, 27, {1, 0, 1, 1}},
    {E_0_1_1_2, 23, {1, 1, 1, 0}},
    {E_1_1_1_1, 18, {0, 0, 0, 1}},
    {E_1_1_1_1, 3, {0, 0, 1, 1}},
    {E_1_1_1_1, 28, {0, 1, 1, 1}},
    {E_1_1_1_3, 19, {0, 0, 0, 1}},
    {E_1_1_1_3, 18, {0, 0, 1, 0}},
    {E_1_1_1_3, 4, {0, 0, 1, 1}},
    {E_1_1_1_3, 3, {0, 1, 1, 0}},
    {E_1_1_1_3, 29, {0, 1, 1, 1}},
    {E_1_1_1_3, 28, {1, 1, 1, 0}},
    {E_1_1_2_2, 16, {0, 0, 0, 1}},
    {E_1_1_2_2, 6, {0, 0, 1, 1}},
    {E_1_1_2_2, 18, {0, 1, 0, 0}},
    {E_1_1_2_2, 25, {0, 1, 0, 1}},
    {E_1_1_2_2, 30, {0, 1, 1, 1}},
    {E_1_1_2_2, 3, {1, 1, 0, 0}},
    {E_1_1_2_2, 26, {1, 1, 0, 1}},
};
static const content OVER_3[] = {
    {E_0_0_0_0, 15, {0, 0, 1, 2}},
    {E_0_0_0_0, 15, {0, 1, 1, 2}},
    {E_0_0_0_0, 0, {0, 1, 2, 2}},
    {E_0_0_1_1, 18, {0, 0, 1, 2}},
    {E_0_0_1_1, 18, {0, 1, 0, 2}},
    {E_0_0_1_1, 18, {0, 1, 1, 2}},
    {E_0_0_1_1, 3, {0, 1, 2, 2}},
    {E_0_0_1_1, 15, {0, 2, 0, 1}},
    {E_0_0_1_1, 15, {0, 2, 1, 1}},
    {E_0_0_1_1, 22, {0, 2, 1, 2}},
    {E_0_0_1_1, 18, {1, 1, 0, 2}},
    {E_0_0_1_1, 15, {1, 2, 0, 0}},
    {E_0_0_1_1, 15, {1, 2, 0, 1}},
    {E_0_0_1_1, 22, {1, 2, 0, 2}},
    {E_0_0_1_1, 0, {2, 2, 0, 1}},
    {E_0_1_1_2, 16, {0, 0, 1, 2}},
    {E_0_1_1_2, 18, {0, 0, 2, 1}},
    {E_0_1_1_2, 16, {0, 1, 1, 2}},
    {E_0_1_1_2, 18, {0, 1, 2, 0}},
    {E_0_1_1_2, 18, {0, 1, 2, 1}},
    {E_0_1_1_2, 25, {0, 1, 2, 2}},
    {E_0_1_1_2, 3, {0, 2, 2, 1}},
    {E_0_1_1_2, 16, {1, 0, 0, 2}},
    {E_0_1_1_2, 16, {1, 0, 1, 2}},
    {E_0_1_1_2, 18, {1, 0, 2, 0}},
    {E_0_1_1_2, 18, {1, 0, 2, 1}},
    {E_0_1_1_2, 25, {1, 0, 2, 2}},
    {E_0_1_1_2, 18, {1, 1, 2, 0}},
    {E_0_1_1_2, 3, {1, 2, 2, 0}},
    {E_0_1_1_2, 15, {2, 0, 0, 1}},
    {E_0_1_1_2, 15, {2, 0, 1, 0}},
    {E_0_1_1_2, 15, {2, 0, 1, 1}},
    {E_0_1_1_2, 1, {2, 0, 1, 2}},
    {E_0_1_1_2, 22, {2, 0, 2, 1}},
    {E_0_1_1_2, 15, {2, 1, 1, 0}},
    {E_0_1_1_2, 22, {2, 1, 2, 0}},
    {E_1_1_1_1, 18, {0, 0, 1, 2}},
    {E_1_1_1_1, 18, {0, 1, 1, 2}},
    {E_1_1_1_1, 3, {0, 1, 2, 2}},
    {E_1_1_1_3, 19, {0, 0, 1, 2}},
    {E_1_1_1_3, 18, {0, 0, 2, 1}},
    {E_1_1_1_3, 19, {0, 1, 1, 2}},
    {E_1_1_1_3, 18, {0, 1, 2, 0}},
    {E_1_1_1_3, 18, {0, 1, 2, 1}},
    {E_1_1_1_3, 4, {0, 1, 2, 2}},
    {E_1_1_1_3, 3, {0, 2, 2, 1}},
    {E_1_1_1_3, 18, {1, 1, 2, 0}},
    {E_1_1_1_3, 3, {1, 2, 2, 0}},
    {E_1_1_2_2, 16, {0, 0, 1, 2}},
    {E_1_1_2_2, 16, {0, 1, 0, 2}},
    {E_1_1_2_2, 16, {0, 1, 1, 2}},
    {E_1_1_2_2, 6, {0, 1, 2, 2}},
    {E_1_1_2_2, 18, {0, 2, 0, 1}},
    {E_1_1_2_2, 18, {0, 2, 1, 1}},
    {E_1_1_2_2, 25, {0, 2, 1, 2}},
    {E_1_1_2_2, 16, {1, 1, 0, 2}},
    {E_1_1_2_2, 18, {1, 2, 0, 0}},
    {E_1_1_2_2, 18, {1, 2, 0, 1}},
    {E_1_1_2_2, 25, {1, 2, 0, 2}},
    {E_1_1_2_2, 3, {2, 2, 0, 1}},
};
static const content OVER_4[] = {
    {E_0_0_0_0, 15, {0, 1, 2, 3}},
    {E_0_0_1_1, 18, {0, 1, 2, 3}},
    {E_0_0_1_1, 18, {0, 2, 1, 3}},
    {E_0_0_1_1, 15, {0, 3, 1, 2}},
    {E_0_0_1_1, 18, {1, 2, 0, 3}},
    {E_0_0_1_1, 15, {1, 3, 0, 2}},
    {E_0_0_1_1, 15, {2, 3, 0, 1}},
    {E_0_1_1_2, 16, {0, 1, 2, 3}},
    {E_0_1_1_2, 18, {0, 1, 3, 2}},
    {E_0_1_1_2, 18, {0, 2, 3, 1}},
    {E_0_1_1_2, 16, {1, 0, 2, 3}},
    {E_0_1_1_2, 18, {1, 0, 3, 2}},
    {E_0_1_1_2, 18, {1, 2, 3, 0}},
    {E_0_1_1_2, 16, {2, 0, 1, 3}},
    {E_0_1_1_2, 18, {2, 0, 3, 1}},
    {E_0_1_1_2, 18, {2, 1, 3, 0}},
    {E_0_1_1_2, 15, {3, 0, 1, 2}},
    {E_0_1_1_2, 15, {3, 0, 2, 1}},
    {E_0_1_1_2, 15, {3, 1, 2, 0}},
    {E_1_1_1_1, 18, {0, 1, 2, 3}},
    {E_1_1_1_3, 19, {0, 1, 2, 3}},
    {E_1_1_1_3, 18, {0, 1, 3, 2}},
    {E_1_1_1_3, 18, {0, 2, 3, 1}},
    {E_1_1_1_3, 18, {1, 2, 3, 0}},
    {E_1_1_2_2, 16, {0, 1, 2, 3}},
    {E_1_1_2_2, 16, {0, 2, 1, 3}},
    {E_1_1_2_2, 18, {0, 3, 1, 2}},
    {E_1_1_2_2, 16, {1, 2, 0, 3}},
    {E_1_1_2_2, 18, {1, 3, 0, 2}},
    {E_1_1_2_2, 18, {2, 3, 0, 1}},
};
static const content *const OVER[MOST] = {
    OVER_1,
    OVER_2,
    OVER_3,
    OVER_4,
};
static const size_t OVER_ROWS[MOST] = {
    15,
    50,
    60,
    30,
};
static const int OVER_TOP[MOST] = {
    5,
    5,
    3,
    3,
};

/* Products of derivatives at one sample. */
#define INNERS 31
typedef struct {
    int count;
    unsigned char order[SLOTS];
} product;
static const product INNER[INNERS] = {
    {2, {0, 0}},
    {2, {0, 2}},
    {2, {0, 4}},
    {2, {1, 1}},
    {2, {1, 3}},
    {2, {1, 5}},
    {2, {2, 2}},
    {2, {2, 4}},
    {2, {3, 3}},
    {4, {0, 0, 0, 0}},
    {4, {0, 0, 1, 1}},
    {4, {0, 1, 1, 2}},
    {4, {1, 1, 1, 1}},
    {4, {1, 1, 1, 3}},
    {4, {1, 1, 2, 2}},
    {1, {0}},
    {1, {2}},
    {1, {4}},
    {1, {1}},
    {1, {3}},
    {1, {5}},
    {3, {0, 0, 0}},
    {2, {0, 1}},
    {3, {0, 1, 1}},
    {3, {0, 0, 1}},
    {2, {1, 2}},
    {3, {1, 1, 2}},
    {3, {0, 1, 2}},
    {3, {1, 1, 1}},
    {3, {1, 1, 3}},
    {3, {1, 2, 2}},
};
static const int INNER_OF_1[] = {
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
    12,
    13,
    14,
    -1,
};
static const int INNER_OF_2[] = {
    0,
    1,
    3,
    4,
    6,
    15,
    16,
    17,
    18,
    19,
    20,
    21,
    22,
    23,
    24,
    25,
    26,
    27,
    28,
    29,
    30,
    -1,
};
static const int INNER_OF_3[] = {
    0,
    1,
    3,
    4,
    6,
    15,
    16,
    18,
    19,
    22,
    25,
    -1,
};
static const int INNER_OF_4[] = {
    15,
    16,
    18,
    19,
    -1,
};
static const int *const INNER_OF[MOST] = {
    INNER_OF_1,
    INNER_OF_2,
    INNER_OF_3,
    INNER_OF_4,
};

/* What a step sees: activation, tensors and expectations of layer l, couplings of layer l+1. */
typedef struct {
    int n;
    activation s;
    const double *tensor[TENSORS];
    double *expectation[KEYS];
    double C_W, lambda_W, C_b, lambda_b, width_ratio;
} layer;

static size_t at2(int n, int i0, int i1)
{
    size_t place = (size_t)i0;
    place = place * (size_t)n + (size_t)i1;
    return place;
}

static size_t at4(int n, int i0, int i1, int i2, int i3)
{
    size_t place = (size_t)i0;
    place = place * (size_t)n + (size_t)i1;
    place = place * (size_t)n + (size_t)i2;
    place = place * (size_t)n + (size_t)i3;
    return place;
}

/* The place of an expectation at these samples, sorted where derivative orders are equal. */
static size_t place_of(int n, int key, int *sample)
{
    size_t place = 0;
    for (int i = 0; i < KEY_SLOTS[key]; ++i) {
        for (int j = i; j > 0 && KEY_ORDERS[key][j] == KEY_ORDERS[key][j - 1]; --j) {
            if (sample[j - 1] <= sample[j]) {
                break;
            }
            const int swapped = sample[j];
            sample[j] = sample[j - 1];
            sample[j - 1] = swapped;
        }
    }
    for (int i = 0; i < KEY_SLOTS[key]; ++i) {
        place = place * (size_t)n + (size_t)sample[i];
    }
    return place;
}

/* An expectation at the samples of its factors, the factors in the order of KEY_ORDERS. */
static double mean(const layer *c, int key, const int *samples)
{
    int sample[SLOTS];
    memcpy(sample, samples, (size_t)KEY_SLOTS[key] * sizeof *sample);
    return c->expectation[key][place_of(c->n, key, sample)];
}

/* The expectation after a placement of derivatives on factors at these samples. */
static double placed_mean(const layer *c, const placement *row, const int *samples)
{
    int sample[SLOTS];
    for (int i = 0; i < KEY_SLOTS[row->key]; ++i) {
        sample[i] = samples[row->slot[i]];
    }
    return c->expectation[row->key][place_of(c->n, row->key, sample)];
}

/* The product terms of one recursion, one function each. */
typedef double (*term_function)(const layer *, const int *);

static double sum_of(const term_function *terms, size_t count, const layer *c, const int *a)
{
    double total = 0.0;
    for (size_t i = 0; i < count; ++i) {
        total += terms[i](c, a);
    }
    return total;
}

/* K_12 at layer l+1; rho = width_ratio.
 * Legs z1 z2, channel 12.
 *
 * C_b
 * + C_W ⟨σ_1 σ_2⟩
 */
/* constant of the biases */
static double K_0_term_1(const layer *c, const int *a)
{
    (void)a;
    return c->C_b;
}

/* K:0:1 */
static double K_0_term_2(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    return c->C_W * mean(c, E_0_0, (const int[]){a1, a2});
}

static const term_function TERMS_K_0[] = {
    K_0_term_1,
    K_0_term_2,
};

static double step_K(const layer *c, const int *a)
{
    return sum_of(TERMS_K_0, ROWS(TERMS_K_0), c, a);
}

/* Θ_12 at layer l+1; rho = width_ratio.
 * Legs NTK12, channel 12.
 *
 * λ_b
 * + ⟨Ω_12⟩
 */
/* constant of the biases */
static double Theta_0_term_1(const layer *c, const int *a)
{
    (void)a;
    return c->lambda_b;
}

/* Theta:0:1 */
static double Theta_0_term_2(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    return c->lambda_W * mean(c, E_0_0, (const int[]){a1, a2});
}

/* Theta:0:1 */
static double Theta_0_term_3(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const double *Theta_0 = c->tensor[T_Theta_0];
    double term = c->C_W * mean(c, E_1_1, (const int[]){a1, a2});
    term *= Theta_0[at2(c->n, a1, a2)];
    return term;
}

static const term_function TERMS_Theta_0[] = {
    Theta_0_term_1,
    Theta_0_term_2,
    Theta_0_term_3,
};

static double step_Theta(const layer *c, const int *a)
{
    return sum_of(TERMS_Theta_0, ROWS(TERMS_Theta_0), c, a);
}

/* V_1234 at layer l+1; rho = width_ratio.
 * Legs z1 z2 z3 z4, channel 12.34.
 *
 * C_W^2 ⟨σ_1 σ_2 σ_3 σ_4⟩
 * - C_W^2 ⟨σ_1 σ_2⟩ ⟨σ_3 σ_4⟩
 * + 1/4 ρ C_W^2 Σ_{b1,b2∈{1,2}} Σ_{b3,b4∈{3,4}} V_{b1 b2 b3 b4} ⟨∂_b1∂_b2(σ_1 σ_2)⟩
 *   ⟨∂_b3∂_b4(σ_3 σ_4)⟩
 */
/* V:1:1 */
static double V_1_term_1(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    return c->C_W * c->C_W * mean(c, E_0_0_0_0, (const int[]){a1, a2, a3, a4});
}

/* V:1:1 */
static double V_1_term_2(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    double term = -1.0 * c->C_W * c->C_W * mean(c, E_0_0, (const int[]){a1, a2});
    term *= mean(c, E_0_0, (const int[]){a3, a4});
    return term;
}

/* V:1:2 */
static double V_1_term_3(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    const double *V_1 = c->tensor[T_V_1];
    double scale = c->C_W * c->C_W * c->width_ratio / 4.0;
    double sum1 = 0.0;
    const int s1[] = {a1, a2};
    for (size_t p1 = 0; p1 < ROWS(D0_0_by_2); ++p1) {
        const placement *r1 = &D0_0_by_2[p1];
        const int b1 = s1[r1->label[0]];
        const int b2 = s1[r1->label[1]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        double sum2 = 0.0;
        const int s2[] = {a3, a4};
        for (size_t p2 = 0; p2 < ROWS(D0_0_by_2); ++p2) {
            const placement *r2 = &D0_0_by_2[p2];
            const int b3 = s2[r2->label[0]];
            const int b4 = s2[r2->label[1]];
            const double mean2 = r2->count * placed_mean(c, r2, s2);
            sum2 += mean2 * V_1[at4(c->n, b1, b2, b3, b4)];
        }
        sum1 += mean1 * sum2;
    }
    return scale * sum1;
}

static const term_function TERMS_V_1[] = {
    V_1_term_1,
    V_1_term_2,
    V_1_term_3,
};

static double step_V(const layer *c, const int *a)
{
    return sum_of(TERMS_V_1, ROWS(TERMS_V_1), c, a);
}

/* D_1234 at layer l+1; rho = width_ratio.
 * Legs z1 z2 NTK34, channel 12.34.
 *
 * C_W ⟨σ_1 σ_2 Ω_34⟩
 * - C_W ⟨σ_1 σ_2⟩ ⟨Ω_34⟩
 * + 1/4 ρ C_W Σ_{b1,b2∈{1,2}} Σ_{b3,b4∈{3,4}} V_{b1 b2 b3 b4} ⟨∂_b1∂_b2(σ_1 σ_2)⟩
 *   ⟨∂_b3∂_b4(Ω_34)⟩
 * + 1/2 ρ C_W^2 Σ_{b1,b2∈{1,2}} D_{b1 b2 3 4} ⟨∂_b1∂_b2(σ_1 σ_2)⟩ ⟨σ'_3 σ'_4⟩
 */
/* D:1:1 */
static double D_1_term_1(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    return c->C_W * c->lambda_W * mean(c, E_0_0_0_0, (const int[]){a1, a2, a3, a4});
}

/* D:1:1 */
static double D_1_term_2(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    double term = c->C_W * c->C_W * mean(c, E_0_0_1_1, (const int[]){a1, a2, a3, a4});
    term *= Theta_0[at2(c->n, a3, a4)];
    return term;
}

/* D:1:1 */
static double D_1_term_3(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    double term = -1.0 * c->C_W * c->lambda_W * mean(c, E_0_0, (const int[]){a1, a2});
    term *= mean(c, E_0_0, (const int[]){a3, a4});
    return term;
}

/* D:1:1 */
static double D_1_term_4(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    double term = -1.0 * c->C_W * c->C_W * mean(c, E_0_0, (const int[]){a1, a2});
    term *= mean(c, E_1_1, (const int[]){a3, a4}) * Theta_0[at2(c->n, a3, a4)];
    return term;
}

/* D:1:2 */
static double D_1_term_5(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    const double *V_1 = c->tensor[T_V_1];
    double scale = c->C_W * c->lambda_W * c->width_ratio / 4.0;
    double sum1 = 0.0;
    const int s1[] = {a1, a2};
    for (size_t p1 = 0; p1 < ROWS(D0_0_by_2); ++p1) {
        const placement *r1 = &D0_0_by_2[p1];
        const int b1 = s1[r1->label[0]];
        const int b2 = s1[r1->label[1]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        double sum2 = 0.0;
        const int s2[] = {a3, a4};
        for (size_t p2 = 0; p2 < ROWS(D0_0_by_2); ++p2) {
            const placement *r2 = &D0_0_by_2[p2];
            const int b3 = s2[r2->label[0]];
            const int b4 = s2[r2->label[1]];
            const double mean2 = r2->count * placed_mean(c, r2, s2);
            sum2 += mean2 * V_1[at4(c->n, b1, b2, b3, b4)];
        }
        sum1 += mean1 * sum2;
    }
    return scale * sum1;
}

/* D:1:2 */
static double D_1_term_6(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    const double *V_1 = c->tensor[T_V_1];
    double scale = c->C_W * c->C_W * c->width_ratio / 4.0 * Theta_0[at2(c->n, a3, a4)];
    double sum1 = 0.0;
    const int s1[] = {a1, a2};
    for (size_t p1 = 0; p1 < ROWS(D0_0_by_2); ++p1) {
        const placement *r1 = &D0_0_by_2[p1];
        const int b1 = s1[r1->label[0]];
        const int b2 = s1[r1->label[1]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        double sum2 = 0.0;
        const int s2[] = {a3, a4};
        for (size_t p2 = 0; p2 < ROWS(D1_1_by_2); ++p2) {
            const placement *r2 = &D1_1_by_2[p2];
            const int b3 = s2[r2->label[0]];
            const int b4 = s2[r2->label[1]];
            const double mean2 = r2->count * placed_mean(c, r2, s2);
            sum2 += mean2 * V_1[at4(c->n, b1, b2, b3, b4)];
        }
        sum1 += mean1 * sum2;
    }
    return scale * sum1;
}

/* D:1:3 */
static double D_1_term_7(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    const double *D_1 = c->tensor[T_D_1];
    double scale = c->C_W * c->C_W * c->width_ratio / 2.0;
    scale *= mean(c, E_1_1, (const int[]){a3, a4});
    double sum1 = 0.0;
    const int s1[] = {a1, a2};
    for (size_t p1 = 0; p1 < ROWS(D0_0_by_2); ++p1) {
        const placement *r1 = &D0_0_by_2[p1];
        const int b1 = s1[r1->label[0]];
        const int b2 = s1[r1->label[1]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        sum1 += mean1 * D_1[at4(c->n, b1, b2, a3, a4)];
    }
    return scale * sum1;
}

static const term_function TERMS_D_1[] = {
    D_1_term_1,
    D_1_term_2,
    D_1_term_3,
    D_1_term_4,
    D_1_term_5,
    D_1_term_6,
    D_1_term_7,
};

static double step_D(const layer *c, const int *a)
{
    return sum_of(TERMS_D_1, ROWS(TERMS_D_1), c, a);
}

/* F_1324 at layer l+1; rho = width_ratio.
 * Legs z1 z2 NTK34, channel 13.24.
 *
 * C_W^2 Θ_34 ⟨σ_1 σ_2 σ'_3 σ'_4⟩
 * + ρ C_W^2 Σ_{b1∈{1,3}} Σ_{b2∈{2,4}} F_{b1 3 b2 4} ⟨∂_b1(σ_1 σ'_3)⟩ ⟨∂_b2(σ_2 σ'_4)⟩
 */
/* F:1:1 */
static double F_1_term_1(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a3 = a[1];
    const int a2 = a[2];
    const int a4 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    double term = c->C_W * c->C_W * mean(c, E_0_0_1_1, (const int[]){a1, a2, a3, a4});
    term *= Theta_0[at2(c->n, a3, a4)];
    return term;
}

/* F:1:2 */
static double F_1_term_2(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a3 = a[1];
    const int a2 = a[2];
    const int a4 = a[3];
    const double *F_1 = c->tensor[T_F_1];
    double scale = c->C_W * c->C_W * c->width_ratio;
    double sum1 = 0.0;
    const int s1[] = {a1, a3};
    for (size_t p1 = 0; p1 < ROWS(D0_1_by_1); ++p1) {
        const placement *r1 = &D0_1_by_1[p1];
        const int b1 = s1[r1->label[0]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        double sum2 = 0.0;
        const int s2[] = {a2, a4};
        for (size_t p2 = 0; p2 < ROWS(D0_1_by_1); ++p2) {
            const placement *r2 = &D0_1_by_1[p2];
            const int b2 = s2[r2->label[0]];
            const double mean2 = r2->count * placed_mean(c, r2, s2);
            sum2 += mean2 * F_1[at4(c->n, b1, a3, b2, a4)];
        }
        sum1 += mean1 * sum2;
    }
    return scale * sum1;
}

static const term_function TERMS_F_1[] = {
    F_1_term_1,
    F_1_term_2,
};

static double step_F(const layer *c, const int *a)
{
    return sum_of(TERMS_F_1, ROWS(TERMS_F_1), c, a);
}

/* A_1234 at layer l+1; rho = width_ratio.
 * Legs NTK12 NTK34, channel 12.34.
 *
 * ⟨Ω_12 Ω_34⟩
 * - ⟨Ω_12⟩ ⟨Ω_34⟩
 * + 1/4 ρ Σ_{b1,b2∈{1,2}} Σ_{b3,b4∈{3,4}} V_{b1 b2 b3 b4} ⟨∂_b1∂_b2(Ω_12)⟩ ⟨∂_b3∂_b4(Ω_34)⟩
 * + 1/2 ρ C_W Σ_{b1,b2∈{3,4}} D_{b1 b2 1 2} ⟨σ'_1 σ'_2⟩ ⟨∂_b1∂_b2(Ω_34)⟩
 * + 1/2 ρ C_W Σ_{b1,b2∈{1,2}} D_{b1 b2 3 4} ⟨∂_b1∂_b2(Ω_12)⟩ ⟨σ'_3 σ'_4⟩
 * + ρ C_W^2 A_1234 ⟨σ'_1 σ'_2⟩ ⟨σ'_3 σ'_4⟩
 */
/* A:1:1 */
static double A_1_term_1(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    double term = c->lambda_W * c->lambda_W;
    term *= mean(c, E_0_0_0_0, (const int[]){a1, a2, a3, a4});
    return term;
}

/* A:1:1 */
static double A_1_term_2(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    double term = c->C_W * c->lambda_W;
    term *= mean(c, E_0_0_1_1, (const int[]){a1, a2, a3, a4});
    term *= Theta_0[at2(c->n, a3, a4)];
    return term;
}

/* A:1:1 */
static double A_1_term_3(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    double term = c->C_W * c->lambda_W;
    term *= mean(c, E_0_0_1_1, (const int[]){a3, a4, a1, a2});
    term *= Theta_0[at2(c->n, a1, a2)];
    return term;
}

/* A:1:1 */
static double A_1_term_4(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    double term = c->C_W * c->C_W * mean(c, E_1_1_1_1, (const int[]){a1, a2, a3, a4});
    term *= Theta_0[at2(c->n, a1, a2)] * Theta_0[at2(c->n, a3, a4)];
    return term;
}

/* A:1:1 */
static double A_1_term_5(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    double term = -1.0 * c->lambda_W * c->lambda_W;
    term *= mean(c, E_0_0, (const int[]){a1, a2});
    term *= mean(c, E_0_0, (const int[]){a3, a4});
    return term;
}

/* A:1:1 */
static double A_1_term_6(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    double term = -1.0 * c->C_W * c->lambda_W * mean(c, E_0_0, (const int[]){a1, a2});
    term *= mean(c, E_1_1, (const int[]){a3, a4}) * Theta_0[at2(c->n, a3, a4)];
    return term;
}

/* A:1:1 */
static double A_1_term_7(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    double term = -1.0 * c->C_W * c->lambda_W * mean(c, E_1_1, (const int[]){a1, a2});
    term *= mean(c, E_0_0, (const int[]){a3, a4}) * Theta_0[at2(c->n, a1, a2)];
    return term;
}

/* A:1:1 */
static double A_1_term_8(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    double term = -1.0 * c->C_W * c->C_W * mean(c, E_1_1, (const int[]){a1, a2});
    term *= mean(c, E_1_1, (const int[]){a3, a4}) * Theta_0[at2(c->n, a1, a2)];
    term *= Theta_0[at2(c->n, a3, a4)];
    return term;
}

/* A:1:2 */
static double A_1_term_9(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    const double *V_1 = c->tensor[T_V_1];
    double scale = c->lambda_W * c->lambda_W * c->width_ratio / 4.0;
    double sum1 = 0.0;
    const int s1[] = {a1, a2};
    for (size_t p1 = 0; p1 < ROWS(D0_0_by_2); ++p1) {
        const placement *r1 = &D0_0_by_2[p1];
        const int b1 = s1[r1->label[0]];
        const int b2 = s1[r1->label[1]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        double sum2 = 0.0;
        const int s2[] = {a3, a4};
        for (size_t p2 = 0; p2 < ROWS(D0_0_by_2); ++p2) {
            const placement *r2 = &D0_0_by_2[p2];
            const int b3 = s2[r2->label[0]];
            const int b4 = s2[r2->label[1]];
            const double mean2 = r2->count * placed_mean(c, r2, s2);
            sum2 += mean2 * V_1[at4(c->n, b1, b2, b3, b4)];
        }
        sum1 += mean1 * sum2;
    }
    return scale * sum1;
}

/* A:1:2 */
static double A_1_term_10(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    const double *V_1 = c->tensor[T_V_1];
    double scale = c->C_W * c->lambda_W * c->width_ratio / 4.0;
    scale *= Theta_0[at2(c->n, a3, a4)];
    double sum1 = 0.0;
    const int s1[] = {a1, a2};
    for (size_t p1 = 0; p1 < ROWS(D0_0_by_2); ++p1) {
        const placement *r1 = &D0_0_by_2[p1];
        const int b1 = s1[r1->label[0]];
        const int b2 = s1[r1->label[1]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        double sum2 = 0.0;
        const int s2[] = {a3, a4};
        for (size_t p2 = 0; p2 < ROWS(D1_1_by_2); ++p2) {
            const placement *r2 = &D1_1_by_2[p2];
            const int b3 = s2[r2->label[0]];
            const int b4 = s2[r2->label[1]];
            const double mean2 = r2->count * placed_mean(c, r2, s2);
            sum2 += mean2 * V_1[at4(c->n, b1, b2, b3, b4)];
        }
        sum1 += mean1 * sum2;
    }
    return scale * sum1;
}

/* A:1:2 */
static double A_1_term_11(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    const double *V_1 = c->tensor[T_V_1];
    double scale = c->C_W * c->lambda_W * c->width_ratio / 4.0;
    scale *= Theta_0[at2(c->n, a1, a2)];
    double sum1 = 0.0;
    const int s1[] = {a1, a2};
    for (size_t p1 = 0; p1 < ROWS(D1_1_by_2); ++p1) {
        const placement *r1 = &D1_1_by_2[p1];
        const int b1 = s1[r1->label[0]];
        const int b2 = s1[r1->label[1]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        double sum2 = 0.0;
        const int s2[] = {a3, a4};
        for (size_t p2 = 0; p2 < ROWS(D0_0_by_2); ++p2) {
            const placement *r2 = &D0_0_by_2[p2];
            const int b3 = s2[r2->label[0]];
            const int b4 = s2[r2->label[1]];
            const double mean2 = r2->count * placed_mean(c, r2, s2);
            sum2 += mean2 * V_1[at4(c->n, b1, b2, b3, b4)];
        }
        sum1 += mean1 * sum2;
    }
    return scale * sum1;
}

/* A:1:2 */
static double A_1_term_12(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    const double *V_1 = c->tensor[T_V_1];
    double scale = c->C_W * c->C_W * c->width_ratio / 4.0 * Theta_0[at2(c->n, a1, a2)];
    scale *= Theta_0[at2(c->n, a3, a4)];
    double sum1 = 0.0;
    const int s1[] = {a1, a2};
    for (size_t p1 = 0; p1 < ROWS(D1_1_by_2); ++p1) {
        const placement *r1 = &D1_1_by_2[p1];
        const int b1 = s1[r1->label[0]];
        const int b2 = s1[r1->label[1]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        double sum2 = 0.0;
        const int s2[] = {a3, a4};
        for (size_t p2 = 0; p2 < ROWS(D1_1_by_2); ++p2) {
            const placement *r2 = &D1_1_by_2[p2];
            const int b3 = s2[r2->label[0]];
            const int b4 = s2[r2->label[1]];
            const double mean2 = r2->count * placed_mean(c, r2, s2);
            sum2 += mean2 * V_1[at4(c->n, b1, b2, b3, b4)];
        }
        sum1 += mean1 * sum2;
    }
    return scale * sum1;
}

/* A:1:3 */
static double A_1_term_13(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    const double *D_1 = c->tensor[T_D_1];
    double scale = c->C_W * c->lambda_W * c->width_ratio / 2.0;
    scale *= mean(c, E_1_1, (const int[]){a1, a2});
    double sum1 = 0.0;
    const int s1[] = {a3, a4};
    for (size_t p1 = 0; p1 < ROWS(D0_0_by_2); ++p1) {
        const placement *r1 = &D0_0_by_2[p1];
        const int b1 = s1[r1->label[0]];
        const int b2 = s1[r1->label[1]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        sum1 += mean1 * D_1[at4(c->n, b1, b2, a1, a2)];
    }
    return scale * sum1;
}

/* A:1:3 */
static double A_1_term_14(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    const double *D_1 = c->tensor[T_D_1];
    double scale = c->C_W * c->C_W * c->width_ratio / 2.0;
    scale *= mean(c, E_1_1, (const int[]){a1, a2}) * Theta_0[at2(c->n, a3, a4)];
    double sum1 = 0.0;
    const int s1[] = {a3, a4};
    for (size_t p1 = 0; p1 < ROWS(D1_1_by_2); ++p1) {
        const placement *r1 = &D1_1_by_2[p1];
        const int b1 = s1[r1->label[0]];
        const int b2 = s1[r1->label[1]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        sum1 += mean1 * D_1[at4(c->n, b1, b2, a1, a2)];
    }
    return scale * sum1;
}

/* A:1:4 */
static double A_1_term_15(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    const double *D_1 = c->tensor[T_D_1];
    double scale = c->C_W * c->lambda_W * c->width_ratio / 2.0;
    scale *= mean(c, E_1_1, (const int[]){a3, a4});
    double sum1 = 0.0;
    const int s1[] = {a1, a2};
    for (size_t p1 = 0; p1 < ROWS(D0_0_by_2); ++p1) {
        const placement *r1 = &D0_0_by_2[p1];
        const int b1 = s1[r1->label[0]];
        const int b2 = s1[r1->label[1]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        sum1 += mean1 * D_1[at4(c->n, b1, b2, a3, a4)];
    }
    return scale * sum1;
}

/* A:1:4 */
static double A_1_term_16(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    const double *D_1 = c->tensor[T_D_1];
    double scale = c->C_W * c->C_W * c->width_ratio / 2.0;
    scale *= mean(c, E_1_1, (const int[]){a3, a4}) * Theta_0[at2(c->n, a1, a2)];
    double sum1 = 0.0;
    const int s1[] = {a1, a2};
    for (size_t p1 = 0; p1 < ROWS(D1_1_by_2); ++p1) {
        const placement *r1 = &D1_1_by_2[p1];
        const int b1 = s1[r1->label[0]];
        const int b2 = s1[r1->label[1]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        sum1 += mean1 * D_1[at4(c->n, b1, b2, a3, a4)];
    }
    return scale * sum1;
}

/* A:1:5 */
static double A_1_term_17(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    const double *A_1 = c->tensor[T_A_1];
    double term = c->C_W * c->C_W * c->width_ratio;
    term *= mean(c, E_1_1, (const int[]){a1, a2});
    term *= mean(c, E_1_1, (const int[]){a3, a4}) * A_1[at4(c->n, a1, a2, a3, a4)];
    return term;
}

static const term_function TERMS_A_1[] = {
    A_1_term_1,
    A_1_term_2,
    A_1_term_3,
    A_1_term_4,
    A_1_term_5,
    A_1_term_6,
    A_1_term_7,
    A_1_term_8,
    A_1_term_9,
    A_1_term_10,
    A_1_term_11,
    A_1_term_12,
    A_1_term_13,
    A_1_term_14,
    A_1_term_15,
    A_1_term_16,
    A_1_term_17,
};

static double step_A(const layer *c, const int *a)
{
    return sum_of(TERMS_A_1, ROWS(TERMS_A_1), c, a);
}

/* B_1324 at layer l+1; rho = width_ratio.
 * Legs NTK12 NTK34, channel 13.24.
 *
 * C_W^2 Θ_12 Θ_34 ⟨σ'_1 σ'_2 σ'_3 σ'_4⟩
 * + ρ C_W^2 B_1324 ⟨σ'_1 σ'_3⟩ ⟨σ'_2 σ'_4⟩
 */
/* B:1:1 */
static double B_1_term_1(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a3 = a[1];
    const int a2 = a[2];
    const int a4 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    double term = c->C_W * c->C_W * mean(c, E_1_1_1_1, (const int[]){a1, a2, a3, a4});
    term *= Theta_0[at2(c->n, a1, a2)] * Theta_0[at2(c->n, a3, a4)];
    return term;
}

/* B:1:2 */
static double B_1_term_2(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a3 = a[1];
    const int a2 = a[2];
    const int a4 = a[3];
    const double *B_1 = c->tensor[T_B_1];
    double term = c->C_W * c->C_W * c->width_ratio;
    term *= mean(c, E_1_1, (const int[]){a1, a3});
    term *= mean(c, E_1_1, (const int[]){a2, a4}) * B_1[at4(c->n, a1, a3, a2, a4)];
    return term;
}

static const term_function TERMS_B_1[] = {
    B_1_term_1,
    B_1_term_2,
};

static double step_B(const layer *c, const int *a)
{
    return sum_of(TERMS_B_1, ROWS(TERMS_B_1), c, a);
}

/* P_0123 at layer l+1; rho = width_ratio.
 * Legs dNTK012 z3, channel 03.12.
 *
 * C_W^2 Θ_01 Θ_02 ⟨σ''_0 σ'_1 σ'_2 σ_3⟩
 * + ρ C_W^2 B_0012 ⟨σ''_0 σ_3⟩ ⟨σ'_1 σ'_2⟩
 * + ρ C_W^2 Σ_{b1∈{0,3}} P_{0 1 2 b1} ⟨∂_b1(σ'_0 σ_3)⟩ ⟨σ'_1 σ'_2⟩
 */
/* P:1:1 */
static double P_1_term_1(const layer *c, const int *a)
{
    const int a0 = a[0];
    const int a1 = a[1];
    const int a2 = a[2];
    const int a3 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    double term = c->C_W * c->C_W * mean(c, E_0_1_1_2, (const int[]){a3, a1, a2, a0});
    term *= Theta_0[at2(c->n, a0, a1)] * Theta_0[at2(c->n, a0, a2)];
    return term;
}

/* P:1:2 */
static double P_1_term_2(const layer *c, const int *a)
{
    const int a0 = a[0];
    const int a1 = a[1];
    const int a2 = a[2];
    const int a3 = a[3];
    const double *B_1 = c->tensor[T_B_1];
    double term = c->C_W * c->C_W * c->width_ratio;
    term *= mean(c, E_0_2, (const int[]){a3, a0});
    term *= mean(c, E_1_1, (const int[]){a1, a2}) * B_1[at4(c->n, a0, a0, a1, a2)];
    return term;
}

/* P:1:3 */
static double P_1_term_3(const layer *c, const int *a)
{
    const int a0 = a[0];
    const int a1 = a[1];
    const int a2 = a[2];
    const int a3 = a[3];
    const double *P_1 = c->tensor[T_P_1];
    double scale = c->C_W * c->C_W * c->width_ratio;
    scale *= mean(c, E_1_1, (const int[]){a1, a2});
    double sum1 = 0.0;
    const int s1[] = {a0, a3};
    for (size_t p1 = 0; p1 < ROWS(D1_0_by_1); ++p1) {
        const placement *r1 = &D1_0_by_1[p1];
        const int b1 = s1[r1->label[0]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        sum1 += mean1 * P_1[at4(c->n, a0, a1, a2, b1)];
    }
    return scale * sum1;
}

static const term_function TERMS_P_1[] = {
    P_1_term_1,
    P_1_term_2,
    P_1_term_3,
};

static double step_P(const layer *c, const int *a)
{
    return sum_of(TERMS_P_1, ROWS(TERMS_P_1), c, a);
}

/* Q_0123 at layer l+1; rho = width_ratio.
 * Legs dNTK012 z3, channel 01.23.
 *
 * C_W^2 Θ_01 Θ_02 ⟨σ''_0 σ'_1 σ'_2 σ_3⟩
 * + C_W λ_W Θ_02 ⟨σ'_0 σ_1 σ'_2 σ_3⟩
 * + ρ C_W^2 Σ_{b1∈{0,1}} Σ_{b2∈{2,3}} F_{b1 0 b2 2} Θ_01 ⟨∂_b1(σ''_0 σ'_1)⟩ ⟨∂_b2(σ'_2 σ_3)⟩
 * + ρ C_W λ_W Σ_{b1∈{0,1}} Σ_{b2∈{2,3}} F_{b1 0 b2 2} ⟨∂_b1(σ'_0 σ_1)⟩ ⟨∂_b2(σ'_2 σ_3)⟩
 * + ρ C_W^2 Σ_{b1∈{2,3}} Q_{0 1 2 b1} ⟨σ'_0 σ'_1⟩ ⟨∂_b1(σ'_2 σ_3)⟩
 */
/* Q:1:1 */
static double Q_1_term_1(const layer *c, const int *a)
{
    const int a0 = a[0];
    const int a1 = a[1];
    const int a2 = a[2];
    const int a3 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    double term = c->C_W * c->C_W * mean(c, E_0_1_1_2, (const int[]){a3, a1, a2, a0});
    term *= Theta_0[at2(c->n, a0, a1)] * Theta_0[at2(c->n, a0, a2)];
    return term;
}

/* Q:1:2 */
static double Q_1_term_2(const layer *c, const int *a)
{
    const int a0 = a[0];
    const int a1 = a[1];
    const int a2 = a[2];
    const int a3 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    double term = c->C_W * c->lambda_W;
    term *= mean(c, E_0_0_1_1, (const int[]){a1, a3, a0, a2});
    term *= Theta_0[at2(c->n, a0, a2)];
    return term;
}

/* Q:1:3 */
static double Q_1_term_3(const layer *c, const int *a)
{
    const int a0 = a[0];
    const int a1 = a[1];
    const int a2 = a[2];
    const int a3 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    const double *F_1 = c->tensor[T_F_1];
    double scale = c->C_W * c->C_W * c->width_ratio * Theta_0[at2(c->n, a0, a1)];
    double sum1 = 0.0;
    const int s1[] = {a0, a1};
    for (size_t p1 = 0; p1 < ROWS(D2_1_by_1); ++p1) {
        const placement *r1 = &D2_1_by_1[p1];
        const int b1 = s1[r1->label[0]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        double sum2 = 0.0;
        const int s2[] = {a2, a3};
        for (size_t p2 = 0; p2 < ROWS(D1_0_by_1); ++p2) {
            const placement *r2 = &D1_0_by_1[p2];
            const int b2 = s2[r2->label[0]];
            const double mean2 = r2->count * placed_mean(c, r2, s2);
            sum2 += mean2 * F_1[at4(c->n, b1, a0, b2, a2)];
        }
        sum1 += mean1 * sum2;
    }
    return scale * sum1;
}

/* Q:1:4 */
static double Q_1_term_4(const layer *c, const int *a)
{
    const int a0 = a[0];
    const int a1 = a[1];
    const int a2 = a[2];
    const int a3 = a[3];
    const double *F_1 = c->tensor[T_F_1];
    double scale = c->C_W * c->lambda_W * c->width_ratio;
    double sum1 = 0.0;
    const int s1[] = {a0, a1};
    for (size_t p1 = 0; p1 < ROWS(D1_0_by_1); ++p1) {
        const placement *r1 = &D1_0_by_1[p1];
        const int b1 = s1[r1->label[0]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        double sum2 = 0.0;
        const int s2[] = {a2, a3};
        for (size_t p2 = 0; p2 < ROWS(D1_0_by_1); ++p2) {
            const placement *r2 = &D1_0_by_1[p2];
            const int b2 = s2[r2->label[0]];
            const double mean2 = r2->count * placed_mean(c, r2, s2);
            sum2 += mean2 * F_1[at4(c->n, b1, a0, b2, a2)];
        }
        sum1 += mean1 * sum2;
    }
    return scale * sum1;
}

/* Q:1:5 */
static double Q_1_term_5(const layer *c, const int *a)
{
    const int a0 = a[0];
    const int a1 = a[1];
    const int a2 = a[2];
    const int a3 = a[3];
    const double *Q_1 = c->tensor[T_Q_1];
    double scale = c->C_W * c->C_W * c->width_ratio;
    scale *= mean(c, E_1_1, (const int[]){a0, a1});
    double sum1 = 0.0;
    const int s1[] = {a2, a3};
    for (size_t p1 = 0; p1 < ROWS(D1_0_by_1); ++p1) {
        const placement *r1 = &D1_0_by_1[p1];
        const int b1 = s1[r1->label[0]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        sum1 += mean1 * Q_1[at4(c->n, a0, a1, a2, b1)];
    }
    return scale * sum1;
}

static const term_function TERMS_Q_1[] = {
    Q_1_term_1,
    Q_1_term_2,
    Q_1_term_3,
    Q_1_term_4,
    Q_1_term_5,
};

static double step_Q(const layer *c, const int *a)
{
    return sum_of(TERMS_Q_1, ROWS(TERMS_Q_1), c, a);
}

/* R_0123 at layer l+1; rho = width_ratio.
 * Legs ddNTK1(0,1,2,3), channel 01.23.
 *
 * C_W^2 Θ_01 Θ_02 Θ_03 ⟨σ'''_0 σ'_1 σ'_2 σ'_3⟩
 * + C_W λ_W Θ_02 Θ_03 ⟨σ''_0 σ_1 σ'_2 σ'_3⟩
 * + ρ C_W^2 B_0023 Θ_01 ⟨σ'''_0 σ'_1⟩ ⟨σ'_2 σ'_3⟩
 * + ρ C_W^2 Σ_{b1∈{0,1}} P_{0 2 3 b1} Θ_01 ⟨∂_b1(σ''_0 σ'_1)⟩ ⟨σ'_2 σ'_3⟩
 * + ρ C_W λ_W B_0023 ⟨σ''_0 σ_1⟩ ⟨σ'_2 σ'_3⟩
 * + ρ C_W λ_W Σ_{b1∈{0,1}} P_{0 2 3 b1} ⟨∂_b1(σ'_0 σ_1)⟩ ⟨σ'_2 σ'_3⟩
 * + ρ C_W^2 R_0123 ⟨σ'_0 σ'_1⟩ ⟨σ'_2 σ'_3⟩
 */
/* R:1:1 */
static double R_1_term_1(const layer *c, const int *a)
{
    const int a0 = a[0];
    const int a1 = a[1];
    const int a2 = a[2];
    const int a3 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    double term = c->C_W * c->C_W * mean(c, E_1_1_1_3, (const int[]){a1, a2, a3, a0});
    term *= Theta_0[at2(c->n, a0, a1)] * Theta_0[at2(c->n, a0, a2)];
    term *= Theta_0[at2(c->n, a0, a3)];
    return term;
}

/* R:1:2 */
static double R_1_term_2(const layer *c, const int *a)
{
    const int a0 = a[0];
    const int a1 = a[1];
    const int a2 = a[2];
    const int a3 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    double term = c->C_W * c->lambda_W;
    term *= mean(c, E_0_1_1_2, (const int[]){a1, a2, a3, a0});
    term *= Theta_0[at2(c->n, a0, a2)] * Theta_0[at2(c->n, a0, a3)];
    return term;
}

/* R:1:3 */
static double R_1_term_3(const layer *c, const int *a)
{
    const int a0 = a[0];
    const int a1 = a[1];
    const int a2 = a[2];
    const int a3 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    const double *B_1 = c->tensor[T_B_1];
    double term = c->C_W * c->C_W * c->width_ratio;
    term *= mean(c, E_1_3, (const int[]){a1, a0});
    term *= mean(c, E_1_1, (const int[]){a2, a3}) * B_1[at4(c->n, a0, a0, a2, a3)];
    term *= Theta_0[at2(c->n, a0, a1)];
    return term;
}

/* R:1:4 */
static double R_1_term_4(const layer *c, const int *a)
{
    const int a0 = a[0];
    const int a1 = a[1];
    const int a2 = a[2];
    const int a3 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    const double *P_1 = c->tensor[T_P_1];
    double scale = c->C_W * c->C_W * c->width_ratio;
    scale *= mean(c, E_1_1, (const int[]){a2, a3}) * Theta_0[at2(c->n, a0, a1)];
    double sum1 = 0.0;
    const int s1[] = {a0, a1};
    for (size_t p1 = 0; p1 < ROWS(D2_1_by_1); ++p1) {
        const placement *r1 = &D2_1_by_1[p1];
        const int b1 = s1[r1->label[0]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        sum1 += mean1 * P_1[at4(c->n, a0, a2, a3, b1)];
    }
    return scale * sum1;
}

/* R:1:5 */
static double R_1_term_5(const layer *c, const int *a)
{
    const int a0 = a[0];
    const int a1 = a[1];
    const int a2 = a[2];
    const int a3 = a[3];
    const double *B_1 = c->tensor[T_B_1];
    double term = c->C_W * c->lambda_W * c->width_ratio;
    term *= mean(c, E_0_2, (const int[]){a1, a0});
    term *= mean(c, E_1_1, (const int[]){a2, a3}) * B_1[at4(c->n, a0, a0, a2, a3)];
    return term;
}

/* R:1:6 */
static double R_1_term_6(const layer *c, const int *a)
{
    const int a0 = a[0];
    const int a1 = a[1];
    const int a2 = a[2];
    const int a3 = a[3];
    const double *P_1 = c->tensor[T_P_1];
    double scale = c->C_W * c->lambda_W * c->width_ratio;
    scale *= mean(c, E_1_1, (const int[]){a2, a3});
    double sum1 = 0.0;
    const int s1[] = {a0, a1};
    for (size_t p1 = 0; p1 < ROWS(D1_0_by_1); ++p1) {
        const placement *r1 = &D1_0_by_1[p1];
        const int b1 = s1[r1->label[0]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        sum1 += mean1 * P_1[at4(c->n, a0, a2, a3, b1)];
    }
    return scale * sum1;
}

/* R:1:7 */
static double R_1_term_7(const layer *c, const int *a)
{
    const int a0 = a[0];
    const int a1 = a[1];
    const int a2 = a[2];
    const int a3 = a[3];
    const double *R_1 = c->tensor[T_R_1];
    double term = c->C_W * c->C_W * c->width_ratio;
    term *= mean(c, E_1_1, (const int[]){a0, a1});
    term *= mean(c, E_1_1, (const int[]){a2, a3}) * R_1[at4(c->n, a0, a1, a2, a3)];
    return term;
}

static const term_function TERMS_R_1[] = {
    R_1_term_1,
    R_1_term_2,
    R_1_term_3,
    R_1_term_4,
    R_1_term_5,
    R_1_term_6,
    R_1_term_7,
};

static double step_R(const layer *c, const int *a)
{
    return sum_of(TERMS_R_1, ROWS(TERMS_R_1), c, a);
}

/* S_1234 at layer l+1; rho = width_ratio.
 * Legs ddNTK2(1,2,3,4), channel 12.34.
 *
 * C_W^2 Θ_12 Θ_13 Θ_24 ⟨σ''_1 σ''_2 σ'_3 σ'_4⟩
 * + C_W λ_W Θ_13 Θ_24 ⟨σ'_1 σ'_2 σ'_3 σ'_4⟩
 * + ρ C_W^2 B_1234 Θ_12 ⟨σ''_1 σ''_2⟩ ⟨σ'_3 σ'_4⟩
 * + ρ C_W λ_W B_1234 ⟨σ'_1 σ'_2⟩ ⟨σ'_3 σ'_4⟩
 * + ρ C_W^2 S_1234 ⟨σ'_1 σ'_2⟩ ⟨σ'_3 σ'_4⟩
 */
/* S:1:1 */
static double S_1_term_1(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    double term = c->C_W * c->C_W * mean(c, E_1_1_2_2, (const int[]){a3, a4, a1, a2});
    term *= Theta_0[at2(c->n, a1, a2)] * Theta_0[at2(c->n, a1, a3)];
    term *= Theta_0[at2(c->n, a2, a4)];
    return term;
}

/* S:1:2 */
static double S_1_term_2(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    double term = c->C_W * c->lambda_W;
    term *= mean(c, E_1_1_1_1, (const int[]){a1, a2, a3, a4});
    term *= Theta_0[at2(c->n, a1, a3)] * Theta_0[at2(c->n, a2, a4)];
    return term;
}

/* S:1:3 */
static double S_1_term_3(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    const double *B_1 = c->tensor[T_B_1];
    double term = c->C_W * c->C_W * c->width_ratio;
    term *= mean(c, E_2_2, (const int[]){a1, a2});
    term *= mean(c, E_1_1, (const int[]){a3, a4}) * B_1[at4(c->n, a1, a2, a3, a4)];
    term *= Theta_0[at2(c->n, a1, a2)];
    return term;
}

/* S:1:4 */
static double S_1_term_4(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    const double *B_1 = c->tensor[T_B_1];
    double term = c->C_W * c->lambda_W * c->width_ratio;
    term *= mean(c, E_1_1, (const int[]){a1, a2});
    term *= mean(c, E_1_1, (const int[]){a3, a4}) * B_1[at4(c->n, a1, a2, a3, a4)];
    return term;
}

/* S:1:5 */
static double S_1_term_5(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const int a3 = a[2];
    const int a4 = a[3];
    const double *S_1 = c->tensor[T_S_1];
    double term = c->C_W * c->C_W * c->width_ratio;
    term *= mean(c, E_1_1, (const int[]){a1, a2});
    term *= mean(c, E_1_1, (const int[]){a3, a4}) * S_1[at4(c->n, a1, a2, a3, a4)];
    return term;
}

static const term_function TERMS_S_1[] = {
    S_1_term_1,
    S_1_term_2,
    S_1_term_3,
    S_1_term_4,
    S_1_term_5,
};

static double step_S(const layer *c, const int *a)
{
    return sum_of(TERMS_S_1, ROWS(TERMS_S_1), c, a);
}

/* T_1324 at layer l+1; rho = width_ratio.
 * Legs ddNTK2(1,2,3,4), channel 13.24.
 *
 * λ_W^2 Θ_12 ⟨σ'_1 σ'_2 σ_3 σ_4⟩
 * + C_W λ_W Θ_12 Θ_13 ⟨σ''_1 σ'_2 σ'_3 σ_4⟩
 * + C_W^2 Θ_12 Θ_13 Θ_24 ⟨σ''_1 σ''_2 σ'_3 σ'_4⟩
 * + C_W λ_W Θ_12 Θ_24 ⟨σ'_1 σ''_2 σ_3 σ'_4⟩
 * + ρ C_W^2 Σ_{b1∈{1,3}} Σ_{b2∈{2,4}} F_{b1 1 b2 2} Θ_13 Θ_24 ⟨∂_b1(σ''_1 σ'_3)⟩
 *   ⟨∂_b2(σ''_2 σ'_4)⟩
 * + ρ C_W λ_W Σ_{b1∈{1,3}} Σ_{b2∈{2,4}} F_{b1 1 b2 2} Θ_13 ⟨∂_b1(σ''_1 σ'_3)⟩ ⟨∂_b2(σ'_2 σ_4)⟩
 * + ρ C_W^2 Σ_{b1∈{1,3}} Q_{2 4 1 b1} Θ_13 ⟨∂_b1(σ''_1 σ'_3)⟩ ⟨σ'_2 σ'_4⟩
 * + ρ C_W λ_W Σ_{b1∈{1,3}} Σ_{b2∈{2,4}} F_{b1 1 b2 2} Θ_24 ⟨∂_b1(σ'_1 σ_3)⟩ ⟨∂_b2(σ''_2 σ'_4)⟩
 * + ρ C_W^2 Σ_{b1∈{2,4}} Q_{1 3 2 b1} Θ_24 ⟨σ'_1 σ'_3⟩ ⟨∂_b1(σ''_2 σ'_4)⟩
 * + ρ λ_W^2 Σ_{b1∈{1,3}} Σ_{b2∈{2,4}} F_{b1 1 b2 2} ⟨∂_b1(σ'_1 σ_3)⟩ ⟨∂_b2(σ'_2 σ_4)⟩
 * + ρ C_W λ_W Σ_{b1∈{2,4}} Q_{1 3 2 b1} ⟨σ'_1 σ'_3⟩ ⟨∂_b1(σ'_2 σ_4)⟩
 * + ρ C_W λ_W Σ_{b1∈{1,3}} Q_{2 4 1 b1} ⟨∂_b1(σ'_1 σ_3)⟩ ⟨σ'_2 σ'_4⟩
 * + ρ C_W^2 T_1324 ⟨σ'_1 σ'_3⟩ ⟨σ'_2 σ'_4⟩
 */
/* T:1:1 */
static double T_1_term_1(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a3 = a[1];
    const int a2 = a[2];
    const int a4 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    double term = c->lambda_W * c->lambda_W;
    term *= mean(c, E_0_0_1_1, (const int[]){a3, a4, a1, a2});
    term *= Theta_0[at2(c->n, a1, a2)];
    return term;
}

/* T:1:2 */
static double T_1_term_2(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a3 = a[1];
    const int a2 = a[2];
    const int a4 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    double term = c->C_W * c->lambda_W;
    term *= mean(c, E_0_1_1_2, (const int[]){a4, a2, a3, a1});
    term *= Theta_0[at2(c->n, a1, a2)] * Theta_0[at2(c->n, a1, a3)];
    return term;
}

/* T:1:3 */
static double T_1_term_3(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a3 = a[1];
    const int a2 = a[2];
    const int a4 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    double term = c->C_W * c->C_W * mean(c, E_1_1_2_2, (const int[]){a3, a4, a1, a2});
    term *= Theta_0[at2(c->n, a1, a2)] * Theta_0[at2(c->n, a1, a3)];
    term *= Theta_0[at2(c->n, a2, a4)];
    return term;
}

/* T:1:4 */
static double T_1_term_4(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a3 = a[1];
    const int a2 = a[2];
    const int a4 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    double term = c->C_W * c->lambda_W;
    term *= mean(c, E_0_1_1_2, (const int[]){a3, a1, a4, a2});
    term *= Theta_0[at2(c->n, a1, a2)] * Theta_0[at2(c->n, a2, a4)];
    return term;
}

/* T:1:5 */
static double T_1_term_5(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a3 = a[1];
    const int a2 = a[2];
    const int a4 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    const double *F_1 = c->tensor[T_F_1];
    double scale = c->C_W * c->C_W * c->width_ratio * Theta_0[at2(c->n, a1, a3)];
    scale *= Theta_0[at2(c->n, a2, a4)];
    double sum1 = 0.0;
    const int s1[] = {a1, a3};
    for (size_t p1 = 0; p1 < ROWS(D2_1_by_1); ++p1) {
        const placement *r1 = &D2_1_by_1[p1];
        const int b1 = s1[r1->label[0]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        double sum2 = 0.0;
        const int s2[] = {a2, a4};
        for (size_t p2 = 0; p2 < ROWS(D2_1_by_1); ++p2) {
            const placement *r2 = &D2_1_by_1[p2];
            const int b2 = s2[r2->label[0]];
            const double mean2 = r2->count * placed_mean(c, r2, s2);
            sum2 += mean2 * F_1[at4(c->n, b1, a1, b2, a2)];
        }
        sum1 += mean1 * sum2;
    }
    return scale * sum1;
}

/* T:1:6 */
static double T_1_term_6(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a3 = a[1];
    const int a2 = a[2];
    const int a4 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    const double *F_1 = c->tensor[T_F_1];
    double scale = c->C_W * c->lambda_W * c->width_ratio * Theta_0[at2(c->n, a1, a3)];
    double sum1 = 0.0;
    const int s1[] = {a1, a3};
    for (size_t p1 = 0; p1 < ROWS(D2_1_by_1); ++p1) {
        const placement *r1 = &D2_1_by_1[p1];
        const int b1 = s1[r1->label[0]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        double sum2 = 0.0;
        const int s2[] = {a2, a4};
        for (size_t p2 = 0; p2 < ROWS(D1_0_by_1); ++p2) {
            const placement *r2 = &D1_0_by_1[p2];
            const int b2 = s2[r2->label[0]];
            const double mean2 = r2->count * placed_mean(c, r2, s2);
            sum2 += mean2 * F_1[at4(c->n, b1, a1, b2, a2)];
        }
        sum1 += mean1 * sum2;
    }
    return scale * sum1;
}

/* T:1:7 */
static double T_1_term_7(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a3 = a[1];
    const int a2 = a[2];
    const int a4 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    const double *Q_1 = c->tensor[T_Q_1];
    double scale = c->C_W * c->C_W * c->width_ratio;
    scale *= mean(c, E_1_1, (const int[]){a2, a4}) * Theta_0[at2(c->n, a1, a3)];
    double sum1 = 0.0;
    const int s1[] = {a1, a3};
    for (size_t p1 = 0; p1 < ROWS(D2_1_by_1); ++p1) {
        const placement *r1 = &D2_1_by_1[p1];
        const int b1 = s1[r1->label[0]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        sum1 += mean1 * Q_1[at4(c->n, a2, a4, a1, b1)];
    }
    return scale * sum1;
}

/* T:1:8 */
static double T_1_term_8(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a3 = a[1];
    const int a2 = a[2];
    const int a4 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    const double *F_1 = c->tensor[T_F_1];
    double scale = c->C_W * c->lambda_W * c->width_ratio * Theta_0[at2(c->n, a2, a4)];
    double sum1 = 0.0;
    const int s1[] = {a1, a3};
    for (size_t p1 = 0; p1 < ROWS(D1_0_by_1); ++p1) {
        const placement *r1 = &D1_0_by_1[p1];
        const int b1 = s1[r1->label[0]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        double sum2 = 0.0;
        const int s2[] = {a2, a4};
        for (size_t p2 = 0; p2 < ROWS(D2_1_by_1); ++p2) {
            const placement *r2 = &D2_1_by_1[p2];
            const int b2 = s2[r2->label[0]];
            const double mean2 = r2->count * placed_mean(c, r2, s2);
            sum2 += mean2 * F_1[at4(c->n, b1, a1, b2, a2)];
        }
        sum1 += mean1 * sum2;
    }
    return scale * sum1;
}

/* T:1:9 */
static double T_1_term_9(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a3 = a[1];
    const int a2 = a[2];
    const int a4 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    const double *Q_1 = c->tensor[T_Q_1];
    double scale = c->C_W * c->C_W * c->width_ratio;
    scale *= mean(c, E_1_1, (const int[]){a1, a3}) * Theta_0[at2(c->n, a2, a4)];
    double sum1 = 0.0;
    const int s1[] = {a2, a4};
    for (size_t p1 = 0; p1 < ROWS(D2_1_by_1); ++p1) {
        const placement *r1 = &D2_1_by_1[p1];
        const int b1 = s1[r1->label[0]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        sum1 += mean1 * Q_1[at4(c->n, a1, a3, a2, b1)];
    }
    return scale * sum1;
}

/* T:1:10 */
static double T_1_term_10(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a3 = a[1];
    const int a2 = a[2];
    const int a4 = a[3];
    const double *F_1 = c->tensor[T_F_1];
    double scale = c->lambda_W * c->lambda_W * c->width_ratio;
    double sum1 = 0.0;
    const int s1[] = {a1, a3};
    for (size_t p1 = 0; p1 < ROWS(D1_0_by_1); ++p1) {
        const placement *r1 = &D1_0_by_1[p1];
        const int b1 = s1[r1->label[0]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        double sum2 = 0.0;
        const int s2[] = {a2, a4};
        for (size_t p2 = 0; p2 < ROWS(D1_0_by_1); ++p2) {
            const placement *r2 = &D1_0_by_1[p2];
            const int b2 = s2[r2->label[0]];
            const double mean2 = r2->count * placed_mean(c, r2, s2);
            sum2 += mean2 * F_1[at4(c->n, b1, a1, b2, a2)];
        }
        sum1 += mean1 * sum2;
    }
    return scale * sum1;
}

/* T:1:11 */
static double T_1_term_11(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a3 = a[1];
    const int a2 = a[2];
    const int a4 = a[3];
    const double *Q_1 = c->tensor[T_Q_1];
    double scale = c->C_W * c->lambda_W * c->width_ratio;
    scale *= mean(c, E_1_1, (const int[]){a1, a3});
    double sum1 = 0.0;
    const int s1[] = {a2, a4};
    for (size_t p1 = 0; p1 < ROWS(D1_0_by_1); ++p1) {
        const placement *r1 = &D1_0_by_1[p1];
        const int b1 = s1[r1->label[0]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        sum1 += mean1 * Q_1[at4(c->n, a1, a3, a2, b1)];
    }
    return scale * sum1;
}

/* T:1:12 */
static double T_1_term_12(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a3 = a[1];
    const int a2 = a[2];
    const int a4 = a[3];
    const double *Q_1 = c->tensor[T_Q_1];
    double scale = c->C_W * c->lambda_W * c->width_ratio;
    scale *= mean(c, E_1_1, (const int[]){a2, a4});
    double sum1 = 0.0;
    const int s1[] = {a1, a3};
    for (size_t p1 = 0; p1 < ROWS(D1_0_by_1); ++p1) {
        const placement *r1 = &D1_0_by_1[p1];
        const int b1 = s1[r1->label[0]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        sum1 += mean1 * Q_1[at4(c->n, a2, a4, a1, b1)];
    }
    return scale * sum1;
}

/* T:1:13 */
static double T_1_term_13(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a3 = a[1];
    const int a2 = a[2];
    const int a4 = a[3];
    const double *T_1 = c->tensor[T_T_1];
    double term = c->C_W * c->C_W * c->width_ratio;
    term *= mean(c, E_1_1, (const int[]){a1, a3});
    term *= mean(c, E_1_1, (const int[]){a2, a4}) * T_1[at4(c->n, a1, a3, a2, a4)];
    return term;
}

static const term_function TERMS_T_1[] = {
    T_1_term_1,
    T_1_term_2,
    T_1_term_3,
    T_1_term_4,
    T_1_term_5,
    T_1_term_6,
    T_1_term_7,
    T_1_term_8,
    T_1_term_9,
    T_1_term_10,
    T_1_term_11,
    T_1_term_12,
    T_1_term_13,
};

static double step_T(const layer *c, const int *a)
{
    return sum_of(TERMS_T_1, ROWS(TERMS_T_1), c, a);
}

/* U_1423 at layer l+1; rho = width_ratio.
 * Legs ddNTK2(1,2,3,4), channel 14.23.
 *
 * C_W^2 Θ_12 Θ_13 Θ_24 ⟨σ''_1 σ''_2 σ'_3 σ'_4⟩
 * + ρ C_W^2 U_1423 ⟨σ'_1 σ'_4⟩ ⟨σ'_2 σ'_3⟩
 */
/* U:1:1 */
static double U_1_term_1(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a4 = a[1];
    const int a2 = a[2];
    const int a3 = a[3];
    const double *Theta_0 = c->tensor[T_Theta_0];
    double term = c->C_W * c->C_W * mean(c, E_1_1_2_2, (const int[]){a3, a4, a1, a2});
    term *= Theta_0[at2(c->n, a1, a2)] * Theta_0[at2(c->n, a1, a3)];
    term *= Theta_0[at2(c->n, a2, a4)];
    return term;
}

/* U:1:2 */
static double U_1_term_2(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a4 = a[1];
    const int a2 = a[2];
    const int a3 = a[3];
    const double *U_1 = c->tensor[T_U_1];
    double term = c->C_W * c->C_W * c->width_ratio;
    term *= mean(c, E_1_1, (const int[]){a1, a4});
    term *= mean(c, E_1_1, (const int[]){a2, a3}) * U_1[at4(c->n, a1, a4, a2, a3)];
    return term;
}

static const term_function TERMS_U_1[] = {
    U_1_term_1,
    U_1_term_2,
};

static double step_U(const layer *c, const int *a)
{
    return sum_of(TERMS_U_1, ROWS(TERMS_U_1), c, a);
}

/* K^{1}_12 at layer l+1; rho = width_ratio.
 * Legs z1 z2, channel 12.
 *
 * 1/2 ρ C_W Σ_{b1,b2∈{1,2}} K^{1}_{b1 b2} ⟨∂_b1∂_b2(σ_1 σ_2)⟩
 * + 1/8 ρ C_W Σ_{b1,b2,b3,b4∈{1,2}} V_{b1 b2 b3 b4} ⟨∂_b1∂_b2∂_b3∂_b4(σ_1 σ_2)⟩
 */
/* K:1:1 */
static double K_1_term_1(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const double *K_1 = c->tensor[T_K_1];
    double scale = c->C_W * c->width_ratio / 2.0;
    double sum1 = 0.0;
    const int s1[] = {a1, a2};
    for (size_t p1 = 0; p1 < ROWS(D0_0_by_2); ++p1) {
        const placement *r1 = &D0_0_by_2[p1];
        const int b1 = s1[r1->label[0]];
        const int b2 = s1[r1->label[1]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        sum1 += mean1 * K_1[at2(c->n, b1, b2)];
    }
    return scale * sum1;
}

/* K:1:2 */
static double K_1_term_2(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const double *V_1 = c->tensor[T_V_1];
    double scale = c->C_W * c->width_ratio / 8.0;
    double sum1 = 0.0;
    const int s1[] = {a1, a2};
    for (size_t p1 = 0; p1 < ROWS(D0_0_by_4); ++p1) {
        const placement *r1 = &D0_0_by_4[p1];
        const int b1 = s1[r1->label[0]];
        const int b2 = s1[r1->label[1]];
        const int b3 = s1[r1->label[2]];
        const int b4 = s1[r1->label[3]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        sum1 += mean1 * V_1[at4(c->n, b1, b2, b3, b4)];
    }
    return scale * sum1;
}

static const term_function TERMS_K_1[] = {
    K_1_term_1,
    K_1_term_2,
};

static double step_K_1(const layer *c, const int *a)
{
    return sum_of(TERMS_K_1, ROWS(TERMS_K_1), c, a);
}

/* Θ^{1}_12 at layer l+1; rho = width_ratio.
 * Legs NTK12, channel 12.
 *
 * 1/2 ρ Σ_{b1,b2∈{1,2}} K^{1}_{b1 b2} ⟨∂_b1∂_b2(Ω_12)⟩
 * + ρ C_W Θ^{1}_12 ⟨σ'_1 σ'_2⟩
 * + 1/8 ρ Σ_{b1,b2,b3,b4∈{1,2}} V_{b1 b2 b3 b4} ⟨∂_b1∂_b2∂_b3∂_b4(Ω_12)⟩
 * + 1/2 ρ C_W Σ_{b1,b2∈{1,2}} D_{b1 b2 1 2} ⟨∂_b1∂_b2(σ'_1 σ'_2)⟩
 * + ρ C_W Σ_{b1,b2∈{1,2}} F_{b1 1 b2 2} ⟨∂_b1∂_b2(σ'_1 σ'_2)⟩
 */
/* Theta:1:1 */
static double Theta_1_term_1(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const double *K_1 = c->tensor[T_K_1];
    double scale = c->lambda_W * c->width_ratio / 2.0;
    double sum1 = 0.0;
    const int s1[] = {a1, a2};
    for (size_t p1 = 0; p1 < ROWS(D0_0_by_2); ++p1) {
        const placement *r1 = &D0_0_by_2[p1];
        const int b1 = s1[r1->label[0]];
        const int b2 = s1[r1->label[1]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        sum1 += mean1 * K_1[at2(c->n, b1, b2)];
    }
    return scale * sum1;
}

/* Theta:1:1 */
static double Theta_1_term_2(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const double *Theta_0 = c->tensor[T_Theta_0];
    const double *K_1 = c->tensor[T_K_1];
    double scale = c->C_W * c->width_ratio / 2.0 * Theta_0[at2(c->n, a1, a2)];
    double sum1 = 0.0;
    const int s1[] = {a1, a2};
    for (size_t p1 = 0; p1 < ROWS(D1_1_by_2); ++p1) {
        const placement *r1 = &D1_1_by_2[p1];
        const int b1 = s1[r1->label[0]];
        const int b2 = s1[r1->label[1]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        sum1 += mean1 * K_1[at2(c->n, b1, b2)];
    }
    return scale * sum1;
}

/* Theta:1:2 */
static double Theta_1_term_3(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const double *Theta_1 = c->tensor[T_Theta_1];
    double term = c->C_W * c->width_ratio * mean(c, E_1_1, (const int[]){a1, a2});
    term *= Theta_1[at2(c->n, a1, a2)];
    return term;
}

/* Theta:1:3 */
static double Theta_1_term_4(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const double *V_1 = c->tensor[T_V_1];
    double scale = c->lambda_W * c->width_ratio / 8.0;
    double sum1 = 0.0;
    const int s1[] = {a1, a2};
    for (size_t p1 = 0; p1 < ROWS(D0_0_by_4); ++p1) {
        const placement *r1 = &D0_0_by_4[p1];
        const int b1 = s1[r1->label[0]];
        const int b2 = s1[r1->label[1]];
        const int b3 = s1[r1->label[2]];
        const int b4 = s1[r1->label[3]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        sum1 += mean1 * V_1[at4(c->n, b1, b2, b3, b4)];
    }
    return scale * sum1;
}

/* Theta:1:3 */
static double Theta_1_term_5(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const double *Theta_0 = c->tensor[T_Theta_0];
    const double *V_1 = c->tensor[T_V_1];
    double scale = c->C_W * c->width_ratio / 8.0 * Theta_0[at2(c->n, a1, a2)];
    double sum1 = 0.0;
    const int s1[] = {a1, a2};
    for (size_t p1 = 0; p1 < ROWS(D1_1_by_4); ++p1) {
        const placement *r1 = &D1_1_by_4[p1];
        const int b1 = s1[r1->label[0]];
        const int b2 = s1[r1->label[1]];
        const int b3 = s1[r1->label[2]];
        const int b4 = s1[r1->label[3]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        sum1 += mean1 * V_1[at4(c->n, b1, b2, b3, b4)];
    }
    return scale * sum1;
}

/* Theta:1:4 */
static double Theta_1_term_6(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const double *D_1 = c->tensor[T_D_1];
    double scale = c->C_W * c->width_ratio / 2.0;
    double sum1 = 0.0;
    const int s1[] = {a1, a2};
    for (size_t p1 = 0; p1 < ROWS(D1_1_by_2); ++p1) {
        const placement *r1 = &D1_1_by_2[p1];
        const int b1 = s1[r1->label[0]];
        const int b2 = s1[r1->label[1]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        sum1 += mean1 * D_1[at4(c->n, b1, b2, a1, a2)];
    }
    return scale * sum1;
}

/* Theta:1:5 */
static double Theta_1_term_7(const layer *c, const int *a)
{
    const int a1 = a[0];
    const int a2 = a[1];
    const double *F_1 = c->tensor[T_F_1];
    double scale = c->C_W * c->width_ratio;
    double sum1 = 0.0;
    const int s1[] = {a1, a2};
    for (size_t p1 = 0; p1 < ROWS(D1_1_by_11); ++p1) {
        const placement *r1 = &D1_1_by_11[p1];
        const int b1 = s1[r1->label[0]];
        const int b2 = s1[r1->label[1]];
        const double mean1 = r1->count * placed_mean(c, r1, s1);
        sum1 += mean1 * F_1[at4(c->n, b1, a1, b2, a2)];
    }
    return scale * sum1;
}

static const term_function TERMS_Theta_1[] = {
    Theta_1_term_1,
    Theta_1_term_2,
    Theta_1_term_3,
    Theta_1_term_4,
    Theta_1_term_5,
    Theta_1_term_6,
    Theta_1_term_7,
};

static double step_Theta_1(const layer *c, const int *a)
{
    return sum_of(TERMS_Theta_1, ROWS(TERMS_Theta_1), c, a);
}

/* Symmetries: T[a_0, a_1, ..] = T[a_g(0), a_g(1), ..]. */
static const unsigned char SYMMETRIES_K_0[][2] = {
    {0, 1},
    {1, 0},
};
static const unsigned char SYMMETRIES_Theta_0[][2] = {
    {0, 1},
    {1, 0},
};
static const unsigned char SYMMETRIES_V_1[][4] = {
    {0, 1, 2, 3},
    {0, 1, 3, 2},
    {1, 0, 2, 3},
    {1, 0, 3, 2},
    {2, 3, 0, 1},
    {2, 3, 1, 0},
    {3, 2, 0, 1},
    {3, 2, 1, 0},
};
static const unsigned char SYMMETRIES_D_1[][4] = {
    {0, 1, 2, 3},
    {0, 1, 3, 2},
    {1, 0, 2, 3},
    {1, 0, 3, 2},
};
static const unsigned char SYMMETRIES_F_1[][4] = {
    {0, 1, 2, 3},
    {2, 3, 0, 1},
};
static const unsigned char SYMMETRIES_A_1[][4] = {
    {0, 1, 2, 3},
    {0, 1, 3, 2},
    {1, 0, 2, 3},
    {1, 0, 3, 2},
    {2, 3, 0, 1},
    {2, 3, 1, 0},
    {3, 2, 0, 1},
    {3, 2, 1, 0},
};
static const unsigned char SYMMETRIES_B_1[][4] = {
    {0, 1, 2, 3},
    {2, 3, 0, 1},
    {1, 0, 3, 2},
    {3, 2, 1, 0},
};
static const unsigned char SYMMETRIES_P_1[][4] = {
    {0, 1, 2, 3},
    {0, 2, 1, 3},
};
static const unsigned char SYMMETRIES_Q_1[][4] = {
    {0, 1, 2, 3},
};
static const unsigned char SYMMETRIES_R_1[][4] = {
    {0, 1, 2, 3},
    {0, 1, 3, 2},
};
static const unsigned char SYMMETRIES_S_1[][4] = {
    {0, 1, 2, 3},
    {1, 0, 3, 2},
};
static const unsigned char SYMMETRIES_T_1[][4] = {
    {0, 1, 2, 3},
    {2, 3, 0, 1},
};
static const unsigned char SYMMETRIES_U_1[][4] = {
    {0, 1, 2, 3},
    {2, 3, 0, 1},
};
static const unsigned char SYMMETRIES_K_1[][2] = {
    {0, 1},
    {1, 0},
};
static const unsigned char SYMMETRIES_Theta_1[][2] = {
    {0, 1},
    {1, 0},
};

typedef struct {
    const char *name;
    int slots;
    double (*step)(const layer *, const int *);
    const unsigned char *symmetries;
    size_t symmetry_count;
} tensor_info;
#define MOST_TENSOR_SLOTS 4

static const tensor_info TENSOR[TENSORS] = {
    {
        "K@0",
        2,
        step_K,
        SYMMETRIES_K_0[0],
        ROWS(SYMMETRIES_K_0),
    },
    {
        "Theta@0",
        2,
        step_Theta,
        SYMMETRIES_Theta_0[0],
        ROWS(SYMMETRIES_Theta_0),
    },
    {
        "V@1",
        4,
        step_V,
        SYMMETRIES_V_1[0],
        ROWS(SYMMETRIES_V_1),
    },
    {
        "D@1",
        4,
        step_D,
        SYMMETRIES_D_1[0],
        ROWS(SYMMETRIES_D_1),
    },
    {
        "F@1",
        4,
        step_F,
        SYMMETRIES_F_1[0],
        ROWS(SYMMETRIES_F_1),
    },
    {
        "A@1",
        4,
        step_A,
        SYMMETRIES_A_1[0],
        ROWS(SYMMETRIES_A_1),
    },
    {
        "B@1",
        4,
        step_B,
        SYMMETRIES_B_1[0],
        ROWS(SYMMETRIES_B_1),
    },
    {
        "P@1",
        4,
        step_P,
        SYMMETRIES_P_1[0],
        ROWS(SYMMETRIES_P_1),
    },
    {
        "Q@1",
        4,
        step_Q,
        SYMMETRIES_Q_1[0],
        ROWS(SYMMETRIES_Q_1),
    },
    {
        "R@1",
        4,
        step_R,
        SYMMETRIES_R_1[0],
        ROWS(SYMMETRIES_R_1),
    },
    {
        "S@1",
        4,
        step_S,
        SYMMETRIES_S_1[0],
        ROWS(SYMMETRIES_S_1),
    },
    {
        "T@1",
        4,
        step_T,
        SYMMETRIES_T_1[0],
        ROWS(SYMMETRIES_T_1),
    },
    {
        "U@1",
        4,
        step_U,
        SYMMETRIES_U_1[0],
        ROWS(SYMMETRIES_U_1),
    },
    {
        "K@1",
        2,
        step_K_1,
        SYMMETRIES_K_1[0],
        ROWS(SYMMETRIES_K_1),
    },
    {
        "Theta@1",
        2,
        step_Theta_1,
        SYMMETRIES_Theta_1[0],
        ROWS(SYMMETRIES_Theta_1),
    },
};

/* --- activations ------------------------------------------------------------------------------ */

static void normal(double z, int top, double *out)
{
    const double density = exp(-0.5 * z * z) / sqrt(2.0 * acos(-1.0));
    double before = 0.0, hermite = 1.0; /* He_(k-1), He_k */
    out[0] = 0.5 * erfc(-z / sqrt(2.0));
    for (int k = 0; k < top; ++k) {
        out[k + 1] = (k % 2 ? -hermite : hermite) * density;
        const double next = z * hermite - k * before;
        before = hermite;
        hermite = next;
    }
}

static void hyperbolic(double z, int top, double *out)
{
    const double t = tanh(z), c = cosh(fabs(z) < 350.0 ? z : 350.0), u = 1.0 / (c * c);
    double row[TOP + 4] = {0.0, 1.0}; /* s^(m) = sum of row[k] u^k, times t for even m */
    out[0] = t;
    for (int m = 1; m <= top; ++m) {
        double value = 0.0, next[TOP + 4] = {0.0};
        const int size = m / 2 + 2;
        for (int k = size - 1; k >= 0; --k) {
            value = value * u + row[k];
        }
        out[m] = m % 2 ? value : value * t;
        for (int k = 0; k < size; ++k) {
            next[k] -= 2.0 * k * row[k];
            if (m % 2 == 0) {
                next[k + 1] += (2.0 * k + 1.0) * row[k];
            }
        }
        memcpy(row, next, sizeof row);
    }
}

static void logistic(double z, int top, double *out)
{
    double scale = 0.5;
    hyperbolic(0.5 * z, top, out);
    out[0] = 0.5 * (1.0 + out[0]);
    for (int m = 1; m <= top; ++m) {
        scale *= 0.5;
        out[m] *= scale;
    }
}

/* (z g)^(m) = z g^(m) + m g^(m-1), in place. */
static void times_z(double z, int top, double *out)
{
    for (int m = top; m > 0; --m) {
        out[m] = z * out[m] + m * out[m - 1];
    }
    out[0] *= z;
}

static int gelu_table(double z, int top, double *out, void *user)
{
    (void)user;
    normal(z, top, out);
    times_z(z, top, out);
    return OK;
}

static int silu_table(double z, int top, double *out, void *user)
{
    (void)user;
    logistic(z, top, out);
    times_z(z, top, out);
    return OK;
}

static int tanh_table(double z, int top, double *out, void *user)
{
    (void)user;
    hyperbolic(z, top, out);
    return OK;
}

static int sigmoid_table(double z, int top, double *out, void *user)
{
    (void)user;
    logistic(z, top, out);
    return OK;
}

static int erf_table(double z, int top, double *out, void *user)
{
    double scale = 2.0;
    (void)user;
    normal(sqrt(2.0) * z, top, out);
    out[0] = erf(z);
    for (int m = 1; m <= top; ++m) {
        scale *= sqrt(2.0);
        out[m] *= scale;
    }
    return OK;
}

static int softplus_table(double z, int top, double *out, void *user)
{
    (void)user;
    if (top > 0) {
        logistic(z, top - 1, out + 1);
    }
    out[0] = (z > 0.0 ? z : 0.0) + log1p(exp(-fabs(z)));
    return OK;
}

static int sin_table(double z, int top, double *out, void *user)
{
    const double cycle[4] = {sin(z), cos(z), -sin(z), -cos(z)};
    (void)user;
    for (int m = 0; m <= top; ++m) {
        out[m] = cycle[m % 4];
    }
    return OK;
}

static int cos_table(double z, int top, double *out, void *user)
{
    const double cycle[4] = {cos(z), -sin(z), -cos(z), sin(z)};
    (void)user;
    for (int m = 0; m <= top; ++m) {
        out[m] = cycle[m % 4];
    }
    return OK;
}

static int linear_table(double z, int top, double *out, void *user)
{
    (void)user;
    for (int m = 0; m <= top; ++m) {
        out[m] = m == 0 ? z : (m == 1 ? 1.0 : 0.0);
    }
    return OK;
}

static int relu_table(double z, int top, double *out, void *user)
{
    (void)user;
    if (top > 1) {
        return NO_DERIVATIVE;
    }
    out[0] = z > 0.0 ? z : 0.0;
    if (top == 1) {
        out[1] = z > 0.0 ? 1.0 : 0.0;
    }
    return OK;
}

/* The activation that the first `length` letters of a text name; its table is NULL if unknown. */
static activation named(const char *text, size_t length)
{
    static const struct {
        const char *name;
        activation one;
    } known[] = {
        {"gelu", {gelu_table, NULL}},
        {"silu", {silu_table, NULL}},
        {"tanh", {tanh_table, NULL}},
        {"sigmoid", {sigmoid_table, NULL}},
        {"erf", {erf_table, NULL}},
        {"softplus", {softplus_table, NULL}},
        {"sin", {sin_table, NULL}},
        {"cos", {cos_table, NULL}},
        {"linear", {linear_table, NULL}},
        {"relu", {relu_table, NULL}},
    };
    const activation none = {NULL, NULL};
    for (size_t i = 0; i < ROWS(known); ++i) {
        if (strlen(known[i].name) == length && memcmp(text, known[i].name, length) == 0) {
            return known[i].one;
        }
    }
    return none;
}

int order1_activations_named(const char *names, int count,
    order1_activation *activations)
{
    activation one = {NULL, NULL};
    size_t given = 0;
    int more = 1;
    if (names == NULL || count < 0 || (count > 0 && activations == NULL)) {
        return BAD_ARGUMENT;
    }
    while (more) {
        const size_t length = strcspn(names, ":");
        one = named(names, length);
        if (one.table == NULL) {
            return UNKNOWN_ACTIVATION;
        }
        if (given < (size_t)count) {
            activations[given] = one;
        }
        ++given;
        more = names[length] == ':';
        names += length + 1;
    }
    for (int i = 1; given == 1 && i < count; ++i) {
        activations[i] = one;
    }
    return given == 1 || given == (size_t)count ? OK : WRONG_COUNT;
}

/* --- Gaussian expectations -------------------------------------------------------------------- */

int order1_trapezoid(int nodes, double cut, double shift,
    double *x, double *w)
{
    double sum = 0.0;
    if (nodes < 2 || nodes > MAX_NODES || !(cut > 0.0) || !isfinite(cut)
        || !isfinite(shift) || x == NULL || w == NULL) {
        return BAD_ARGUMENT;
    }
    for (int i = 0; i < nodes; ++i) {
        x[i] = -cut + 2.0 * cut * (i + shift) / (nodes - 1);
        w[i] = exp(-0.5 * x[i] * x[i]);
        sum += w[i];
    }
    for (int i = 0; i < nodes; ++i) {
        w[i] /= sum;
    }
    return OK;
}

/* Rows of L with K = L L^T; an axis without variance is a zero column, so K may be singular. */
static void cholesky(int size, double kernel[MOST][MOST], double rows[MOST][MOST])
{
    memset(rows, 0, sizeof(double[MOST][MOST]));
    for (int j = 0; j < size; ++j) {
        double left = kernel[j][j];
        for (int k = 0; k < j; ++k) {
            left -= rows[j][k] * rows[j][k];
        }
        if (!(left > 1e-14 * kernel[j][j])) {
            continue;
        }
        for (int i = j; i < size; ++i) {
            double rest = kernel[i][j];
            for (int k = 0; k < j; ++k) {
                rest -= rows[i][k] * rows[j][k];
            }
            rows[i][j] = rest / sqrt(left);
        }
    }
}

/* Adds the means of one point of all axes but the last to sums[0 .. OVER_ROWS - 1]. */
static int add_point(const request *net, activation s, int size, double rows[MOST][MOST],
    const int *index, double *sums)
{
    double table[MOST][TOP + 1], means[INNERS], derivative[TOP + 1], weight = 1.0, start = 0.0;
    const int top = OVER_TOP[size - 1];
    const double stride = rows[size - 1][size - 1];
    for (int i = 0; i < size - 1; ++i) {
        double z = 0.0;
        for (int k = 0; k <= i; ++k) {
            z += rows[i][k] * net->x[index[k]];
        }
        const int code = s.table(z, top, table[i], s.user);
        if (code != OK) {
            return code;
        }
        weight *= net->w[index[i]];
        start += rows[size - 1][i] * net->x[index[i]];
    }
    for (const int *q = INNER_OF[size - 1]; *q >= 0; ++q) {
        means[*q] = 0.0;
    }
    for (int i = 0; i < net->nodes; ++i) {
        const int code = s.table(start + stride * net->x[i], top, derivative, s.user);
        if (code != OK) {
            return code;
        }
        for (const int *q = INNER_OF[size - 1]; *q >= 0; ++q) {
            double value = net->w[i];
            for (int k = 0; k < INNER[*q].count; ++k) {
                value *= derivative[INNER[*q].order[k]];
            }
            means[*q] += value;
        }
    }
    for (size_t r = 0; r < OVER_ROWS[size - 1]; ++r) {
        const content *one = &OVER[size - 1][r];
        double value = weight * means[one->inner];
        for (int k = 0; k < KEY_SLOTS[one->key]; ++k) {
            if (one->at[k] < size - 1) {
                value *= table[one->at[k]][KEY_ORDERS[one->key][k]];
            }
        }
        sums[r] += value;
    }
    return OK;
}

/* All points whose first index is `first`. */
static int add_slice(const request *net, activation s, int size, double rows[MOST][MOST],
    int first, double *sums)
{
    int index[MOST] = {0}, code = OK;
    memset(sums, 0, OVER_ROWS[size - 1] * sizeof *sums);
    index[0] = first;
    while (code == OK) {
        int axis = size - 2;
        code = add_point(net, s, size, rows, index, sums);
        while (axis > 0 && ++index[axis] == net->nodes) {
            index[axis--] = 0;
        }
        if (axis <= 0) {
            break;
        }
    }
    return code;
}

/* Every expectation that meets all samples of one set; `sums` holds nodes * most rows doubles. */
static int over_set(const request *net, layer *c, int size, const int *set, double *sums)
{
    double kernel[MOST][MOST], rows[MOST][MOST];
    const int slices = size > 1 ? net->nodes : 1;
    const size_t count = OVER_ROWS[size - 1];
    int worst = OK;
    for (int i = 0; i < size; ++i) {
        for (int j = 0; j < size; ++j) {
            kernel[i][j] = c->tensor[T_K_0][at2(c->n, set[i], set[j])];
        }
    }
    cholesky(size, kernel, rows);
#ifdef _OPENMP
#pragma omp parallel for schedule(dynamic) reduction(max : worst)
#endif
    for (int first = 0; first < slices; ++first) {
        const int code = add_slice(net, c->s, size, rows, first, sums + (size_t)first * count);
        worst = code > worst ? code : worst;
    }
    for (size_t r = 0; r < count && worst == OK; ++r) {
        const content *one = &OVER[size - 1][r];
        int sample[SLOTS];
        double value = 0.0;
        for (int first = 0; first < slices; ++first) {
            value += sums[(size_t)first * count + r];
        }
        for (int k = 0; k < KEY_SLOTS[one->key]; ++k) {
            sample[k] = set[one->at[k]];
        }
        c->expectation[one->key][place_of(c->n, one->key, sample)] = value;
    }
    return worst;
}

static int all_expectations(const request *net, layer *c, double *sums)
{
    for (int size = 1; size <= MOST && size <= c->n; ++size) {
        int set[MOST], axis = 0;
        for (int k = 0; k < size; ++k) {
            set[k] = k;
        }
        while (axis >= 0 && OVER_ROWS[size - 1] > 0) {
            const int code = over_set(net, c, size, set, sums);
            if (code != OK) {
                return code;
            }
            for (axis = size - 1; axis >= 0 && set[axis] == c->n - size + axis; --axis) {
            }
            if (axis >= 0) {
                ++set[axis];
                for (int k = axis + 1; k < size; ++k) {
                    set[k] = set[k - 1] + 1;
                }
            }
        }
    }
    return OK;
}

/* --- all layers ------------------------------------------------------------------------------- */

/* n^slots, or 0 beyond what is allowed. */
static size_t power(int n, int slots)
{
    size_t value = 1;
    for (int k = 0; k < slots; ++k) {
        value *= (size_t)n;
        if (value > MAX_DOUBLES) {
            return 0;
        }
    }
    return value;
}

static int finite_all(const double *values, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        if (!isfinite(values[i])) {
            return 0;
        }
    }
    return 1;
}

static int check_sizes(const request *net)
{
    if (net == NULL || net->samples < 1 || net->depth < 1 || net->nodes < 1) {
        return BAD_ARGUMENT;
    }
    if (net->samples > MAX_SAMPLES || net->depth > MAX_DEPTH || net->nodes > MAX_NODES) {
        return TOO_LARGE;
    }
    for (int key = 0; key < KEYS; ++key) {
        if (power(net->samples, KEY_SLOTS[key]) == 0
            || (net->samples > MOST && KEY_SLOTS[key] > MOST)) {
            return TOO_LARGE; /* more different samples in one expectation than grids have axes */
        }
    }
    return OK;
}

static int check(const request *net)
{
    const int code = check_sizes(net);
    if (code != OK) {
        return code;
    }
    if (net->gram == NULL || net->C_W == NULL || net->lambda_W == NULL || net->C_b == NULL
        || net->lambda_b == NULL || net->x == NULL || net->w == NULL
        || (net->depth > 1 && (net->widths == NULL || net->activations == NULL))) {
        return BAD_ARGUMENT;
    }
    const size_t n = (size_t)net->samples, depth = (size_t)net->depth, nodes = (size_t)net->nodes;
    if (!finite_all(net->gram, n * n) || !finite_all(net->C_W, depth)
        || !finite_all(net->lambda_W, depth) || !finite_all(net->C_b, depth)
        || !finite_all(net->lambda_b, depth) || !finite_all(net->x, nodes)
        || !finite_all(net->w, nodes)) {
        return NOT_FINITE;
    }
    for (int l = 0; l < net->depth; ++l) {
        if (net->C_W[l] < 0.0 || net->lambda_W[l] < 0.0 || net->C_b[l] < 0.0
            || net->lambda_b[l] < 0.0) {
            return BAD_ARGUMENT;
        }
    }
    for (int l = 0; l + 1 < net->depth; ++l) {
        if (net->widths[l] < 1 || net->activations[l].table == NULL) {
            return BAD_ARGUMENT;
        }
    }
    for (size_t i = 0; i < n; ++i) {
        for (size_t j = 0; j < n; ++j) {
            if (net->gram[i * n + i] < 0.0 || net->gram[i * n + j] != net->gram[j * n + i]) {
                return BAD_ARGUMENT;
            }
        }
    }
    return OK;
}

static size_t layer_doubles(int samples)
{
    size_t total = 0;
    for (int t = 0; t < TENSORS; ++t) {
        const size_t one = power(samples, TENSOR[t].slots);
        if (one == 0) {
            return 0;
        }
        total += one;
    }
    return total;
}

size_t order1_results(const request *net)
{
    if (check_sizes(net) != OK) {
        return 0;
    }
    const size_t one = layer_doubles(net->samples);
    return one > MAX_DOUBLES / (size_t)net->depth ? 0 : one * (size_t)net->depth;
}

size_t order1_workspace(const request *net)
{
    size_t total = 0, rows = 0;
    if (check_sizes(net) != OK) {
        return 0;
    }
    for (int key = 0; key < KEYS; ++key) {
        total += power(net->samples, KEY_SLOTS[key]);
    }
    for (int size = 0; size < MOST; ++size) {
        rows = OVER_ROWS[size] > rows ? OVER_ROWS[size] : rows;
    }
    return total + rows * (size_t)net->nodes;
}

static size_t offset(const request *net, int tensor, int at_layer)
{
    size_t place = 0;
    if (check_sizes(net) != OK || tensor < 0 || tensor >= TENSORS || at_layer < 1) {
        return 0;
    }
    for (int t = 0; t < tensor; ++t) {
        place += power(net->samples, TENSOR[t].slots);
    }
    return place + layer_doubles(net->samples) * (size_t)(at_layer - 1);
}

size_t order1_offset(const request *net, int tensor,
    int at_layer)
{
    return offset(net, tensor, at_layer);
}

/* The place of the least index tuple that the symmetries of a tensor give. */
static size_t least_image(int n, const tensor_info *info, const int *a)
{
    size_t least = (size_t)-1;
    for (size_t g = 0; g < info->symmetry_count; ++g) {
        size_t place = 0;
        const unsigned char *image = info->symmetries + g * (size_t)info->slots;
        for (int k = 0; k < info->slots; ++k) {
            place = place * (size_t)n + (size_t)a[image[k]];
        }
        least = place < least ? place : least;
    }
    return least;
}

static void decode(int n, int slots, size_t place, int *a)
{
    for (int k = slots - 1; k >= 0; --k) {
        a[k] = (int)(place % (size_t)n);
        place /= (size_t)n;
    }
}

/* One tensor at all components: each orbit of its symmetries once, then copied. */
static void step_all(const layer *c, const tensor_info *info, double *out)
{
    const long size = (long)power(c->n, info->slots);
#ifdef _OPENMP
#pragma omp parallel for schedule(dynamic, 16)
#endif
    for (long i = 0; i < size; ++i) {
        int a[MOST_TENSOR_SLOTS];
        decode(c->n, info->slots, (size_t)i, a);
        if (least_image(c->n, info, a) == (size_t)i) {
            out[i] = info->step(c, a);
        }
    }
    for (long i = 0; i < size; ++i) {
        int a[MOST_TENSOR_SLOTS];
        decode(c->n, info->slots, (size_t)i, a);
        out[i] = out[least_image(c->n, info, a)];
    }
}

static void first_layer(const request *net, double *results)
{
    const int n = net->samples;
    memset(results, 0, layer_doubles(n) * sizeof *results);
    double *K = results + offset(net, T_K_0, 1);
    double *Theta = results + offset(net, T_Theta_0, 1);
    for (int i = 0; i < n * n; ++i) {
        K[i] = net->C_b[0] + net->C_W[0] * net->gram[i];
        Theta[i] = net->lambda_b[0] + net->lambda_W[0] * net->gram[i];
    }
}

int order1_solve(const request *net, double *workspace,
    size_t workspace_size, double *results, size_t results_size)
{
    layer c;
    size_t place = 0;
    const int code = check(net);
    if (code != OK) {
        return code;
    }
    if (workspace == NULL || results == NULL) {
        return BAD_ARGUMENT;
    }
    const size_t needed = order1_workspace(net);
    const size_t wanted = order1_results(net);
    if (needed == 0 || wanted == 0) {
        return TOO_LARGE;
    }
    if (workspace_size < needed || results_size < wanted) {
        return BAD_SIZE;
    }
    c.n = net->samples;
    for (int key = 0; key < KEYS; ++key) {
        c.expectation[key] = workspace + place;
        place += power(c.n, KEY_SLOTS[key]);
    }
    memset(workspace, 0, place * sizeof *workspace);
    first_layer(net, results);
    for (int l = 1; l < net->depth; ++l) {
        for (int t = 0; t < TENSORS; ++t) {
            c.tensor[t] = results + offset(net, t, l);
        }
        c.s = net->activations[l - 1];
        c.C_W = net->C_W[l];
        c.lambda_W = net->lambda_W[l];
        c.C_b = net->C_b[l];
        c.lambda_b = net->lambda_b[l];
        c.width_ratio = l > 1 ? (double)net->widths[l - 1] / net->widths[l - 2] : 1.0;
        const int found = all_expectations(net, &c, workspace + place);
        if (found != OK) {
            return found;
        }
        for (int t = 0; t < TENSORS; ++t) {
            step_all(&c, &TENSOR[t], results + offset(net, t, l + 1));
        }
        if (!finite_all(results + offset(net, 0, l + 1), layer_doubles(c.n))) {
            return NOT_FINITE;
        }
    }
    return OK;
}

const char *order1_name(int tensor)
{
    return tensor >= 0 && tensor < TENSORS ? TENSOR[tensor].name : NULL;
}

int order1_slots(int tensor)
{
    return tensor >= 0 && tensor < TENSORS ? TENSOR[tensor].slots : 0;
}

const char *order1_message(int code)
{
    static const char *const text[] = {
        "done",
        "a null pointer, a size below 1, a negative coupling, or an asymmetric Gram matrix",
        "the workspace or the results are too small",
        "the inputs are not finite or the tensors overflow",
        "the activation lacks a derivative that these recursions need",
        "more samples, layers or nodes than can be handled",
        "no such activation; allowed are gelu, silu, tanh, sigmoid, erf, softplus, sin, cos,"
        " linear, relu",
        "one activation and one width are needed, or one a hidden layer (layers - 1 of them), and"
        " of each coupling one, or one a layer",
        "no convergence: the last two rules still differ; try a smaller C_W, C_b or depth,"
        " a larger tolerance, or fewer inputs",
    };
    return code >= 0 && (size_t)code < ROWS(text) ? text[code] : "unknown code";
}

/* --- rules for a tolerance -------------------------------------------------------------------- */

/* A grid of this many nodes on each axis, for the expectation over most samples. */
static int affordable(int nodes, int samples)
{
    double points = 1.0;
    for (int size = 1; size <= MOST && size <= samples; ++size) {
        points *= nodes;
        if (OVER_ROWS[size - 1] > 0 && points > MAX_POINTS) {
            return 0;
        }
    }
    return nodes <= MAX_NODES;
}

/* The next number of nodes, odd, so that a rule that is not moved has one at 0. */
static int refined(int nodes)
{
    return 2 * ((3 * nodes + 3) / 4) + 1;
}

static int first_nodes(const request *net)
{
    double most = 0.0;
    for (int i = 0; i < net->samples * net->samples; ++i) {
        const double value = fabs(net->C_b[0] + net->C_W[0] * net->gram[i]);
        most = value > most ? value : most;
    }
    return 2 * (int)ceil(10.0 + 4.0 * sqrt(most < 2500.0 ? most : 2500.0)) + 1;
}

int order1_most_nodes(int samples)
{
    int most = 0;
    for (int nodes = 2; samples > 0 && nodes <= MAX_NODES && affordable(nodes, samples); ++nodes) {
        most = nodes;
    }
    return most;
}

size_t order1_converge_workspace(const request *net)
{
    const size_t work = order1_workspace(net);
    const size_t results = order1_results(net);
    return work == 0 || results == 0 ? 0 : work + results + 2 * (size_t)net->nodes;
}

/* The largest modulus; what one tensor at one layer consists of begins at `values`. */
static double largest(const double *values, size_t count)
{
    double most = 0.0;
    for (size_t i = 0; i < count; ++i) {
        most = fabs(values[i]) > most ? fabs(values[i]) : most;
    }
    return most;
}

/* Errors of the finer of two solutions; the largest difference relative to what is allowed. */
static double compare(const request *net, double tolerance, const double *fine,
    const double *coarse, double *errors)
{
    double worst = 0.0;
    for (int l = 1; l <= net->depth; ++l) {
        const size_t square = (size_t)net->samples * (size_t)net->samples;
        double unit = 0.0;
        for (size_t i = 0; i < square; ++i) {
            const double kernel = fabs(fine[offset(net, T_K_0, l) + i] - net->C_b[l - 1]);
            unit = kernel > unit ? kernel : unit;
        }
        const double tangent = largest(fine + offset(net, T_Theta_0, l), square);
        unit = tangent > unit ? tangent : unit;
        unit = unit < 1e40 ? unit : 1e40;
        for (int t = 0; t < TENSORS; ++t) {
            const size_t place = offset(net, t, l), count = power(net->samples, TENSOR[t].slots);
            const double size = largest(fine + place, count);
            const int cancels = size > 0.0 && t != T_K_0 && t != T_Theta_0;
            const double nothing = cancels ? NOTHING * pow(unit, 0.5 * TENSOR[t].slots) : 0.0;
            double off = 0.0, allowed = tolerance * size > nothing ? tolerance * size : nothing;
            for (size_t i = place; i < place + count; ++i) {
                off = fabs(fine[i] - coarse[i]) > off ? fabs(fine[i] - coarse[i]) : off;
            }
            allowed = allowed > 1e-300 ? allowed : 1e-300;
            worst = off / allowed > worst ? off / allowed : worst;
            errors[(size_t)(l - 1) * TENSORS + (size_t)t] = off + ROUNDING * size + nothing;
        }
    }
    return worst;
}

int order1_converge(const request *net, double tolerance,
    double *workspace, size_t workspace_size, double *results, size_t results_size, double *errors)
{
    const size_t needed = order1_converge_workspace(net);
    const size_t held = order1_results(net);
    const int code = check_sizes(net);
    if (code != OK) {
        return code;
    }
    if (needed == 0) {
        return TOO_LARGE;
    }
    if (workspace == NULL || results == NULL || errors == NULL
        || !(tolerance >= 1e-12 && tolerance < 1.0)) {
        return BAD_ARGUMENT;
    }
    if (workspace_size < needed || results_size < held) {
        return BAD_SIZE;
    }
    request one = *net;
    double *coarse = workspace, *x = coarse + held, *w = x + net->nodes, *rest = w + net->nodes;
    memset(x, 0, 2 * (size_t)net->nodes * sizeof *x);
    one.x = x;
    one.w = w;
    const int found = check(&one);
    if (found != OK) {
        return found;
    }
    one.nodes = first_nodes(net);
    for (int rounds = 0; one.nodes <= net->nodes && affordable(one.nodes, net->samples); ++rounds) {
        const double cut = 8.0 + 0.7 * rounds;
        int failed = order1_trapezoid(
            one.nodes, cut < 12.0 ? cut : 12.0, rounds % 2 ? 0.382 : 0.0, x, w);
        if (failed == OK) {
            failed = order1_solve(
                &one, rest, workspace_size - (size_t)(rest - workspace), results, results_size);
        }
        if (failed != OK) {
            return failed;
        }
        if (rounds > 0 && compare(net, tolerance, results, coarse, errors) <= 1.0) {
            return OK;
        }
        memcpy(coarse, results, held * sizeof *coarse);
        one.nodes = refined(one.nodes);
    }
    return NOT_CONVERGED;
}
