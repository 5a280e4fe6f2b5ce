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
/* Reads "samples dimension" and then that many vectors from standard input; prints the
 * tensors asked for, or all, with their errors at every layer. */
#include "order1.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef order1_network request;

static const char *const TARGETS[] = {
    "K@0",
    "Theta@0",
    "V@1",
    "D@1",
    "F@1",
    "A@1",
    "B@1",
    "P@1",
    "Q@1",
    "R@1",
    "S@1",
    "T@1",
    "U@1",
    "K@1",
    "Theta@1",
};

static const char USAGE[] = "usage: order1"
                            " ACTIVATION DEPTH WIDTH C_W C_b lambda_W lambda_b [ACCURACY [all]]"
                            " < vectors\n"
                            "  ACTIVATION: gelu, or one a hidden layer as gelu:tanh:linear\n"
                            "  ACCURACY: the tolerance, relative to each tensor (default 1e-8);\n"
                            "    from 2 up: so many nodes on each axis, no errors are known then\n"
                            "  all: print what the targets need as well\n"
                            "  vectors: samples, dimension, then one vector a line\n";

static int number(const char *text, double *value)
{
    char *end;
    *value = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*value);
}

static double *read_gram(int *samples)
{
    int dimension;
    if (scanf("%d %d", samples, &dimension) != 2 || *samples < 1 || *samples > 64 || dimension < 1
        || dimension > 1000000) {
        return NULL;
    }
    const size_t n = (size_t)*samples, d = (size_t)dimension;
    double *x = malloc(n * d * sizeof *x), *gram = calloc(n * n, sizeof *gram);
    int good = x != NULL && gram != NULL;
    for (size_t i = 0; good && i < n * d; ++i) {
        good = scanf("%lf", &x[i]) == 1;
    }
    for (size_t i = 0; good && i < n; ++i) {
        for (size_t j = 0; j < n; ++j) {
            for (size_t k = 0; k < d; ++k) {
                gram[i * n + j] += x[i * d + k] * x[j * d + k] / dimension;
            }
        }
    }
    free(x);
    if (!good) {
        free(gram);
        gram = NULL;
    }
    return gram;
}

static int is_target(int tensor)
{
    for (size_t i = 0; i < sizeof TARGETS / sizeof *TARGETS; ++i) {
        if (strcmp(TARGETS[i], order1_name(tensor)) == 0) {
            return 1;
        }
    }
    return 0;
}

static void print_tensors(
    const request *net, const double *results, const double *errors, int every)
{
    for (int l = 1; l <= net->depth; ++l) {
        for (int t = 0; t < ORDER1_TENSORS; ++t) {
            if (!every && !is_target(t)) {
                continue;
            }
            const double *value =
                results + order1_offset(net, t, l);
            size_t count = 1;
            for (int k = 0; k < order1_slots(t); ++k) {
                count *= (size_t)net->samples;
            }
            for (size_t i = 0; i < count; ++i) {
                size_t stride = count;
                printf("layer-%d %s ", l, order1_name(t));
                for (int k = 0; k < order1_slots(t); ++k) {
                    stride /= (size_t)net->samples;
                    printf("%s%zu", k ? "-" : "", i / stride % (size_t)net->samples + 1);
                }
                printf(" %.17g\n", value[i]);
            }
            if (errors != NULL) {
                printf("layer-%d %s error %.2g\n", l, order1_name(t),
                    errors[(l - 1) * ORDER1_TENSORS + t]);
            }
        }
    }
}

/* On net->nodes nodes, or with no more of them than it takes for a tolerance above 0. */
static int solved(request *net, double tolerance, double *x, double *w, double *results,
    size_t size, double *errors)
{
    const size_t work = tolerance > 0.0 ? order1_converge_workspace(net)
                                        : order1_workspace(net);
    double *workspace = work > 0 ? malloc(work * sizeof *workspace) : NULL;
    int code = ORDER1_TOO_LARGE;
    if (workspace != NULL && tolerance > 0.0) {
        code = order1_converge(
            net, tolerance, workspace, work, results, size, errors);
    } else if (workspace != NULL) {
        code = order1_trapezoid(net->nodes, 7.5, 0.0, x, w);
        if (code == ORDER1_OK) {
            code = order1_solve(net, workspace, work, results, size);
        }
    }
    free(workspace);
    return code;
}

static int solve(request *net, const double *coupling, const char *activations, int width,
    double tolerance, int every)
{
    const size_t layers = (size_t)net->depth, nodes = (size_t)net->nodes;
    const size_t size = order1_results(net);
    double *results = malloc((size ? size : 1) * sizeof *results);
    double *values = malloc((4 * layers + 2 * nodes) * sizeof *values);
    double *errors = malloc(layers * ORDER1_TENSORS * sizeof *errors);
    int *widths = malloc(layers * sizeof *widths);
    order1_activation *s = malloc(layers * sizeof *s);
    int code = ORDER1_TOO_LARGE;
    if (results != NULL && values != NULL && errors != NULL && widths != NULL && s != NULL
        && size > 0) {
        double *x = values + 4 * layers, *w = x + nodes;
        for (size_t l = 0; l < layers; ++l) {
            for (size_t k = 0; k < 4; ++k) {
                values[k * layers + l] = coupling[k];
            }
            widths[l] = width;
        }
        net->C_W = values;
        net->C_b = values + layers;
        net->lambda_W = values + 2 * layers;
        net->lambda_b = values + 3 * layers;
        net->widths = widths;
        net->activations = s;
        net->x = x;
        net->w = w;
        code = order1_activations_named(activations, net->depth - 1, s);
        if (code == ORDER1_OK) {
            code = solved(net, tolerance, x, w, results, size, errors);
        }
        if (code == ORDER1_OK) {
            print_tensors(net, results, tolerance > 0.0 ? errors : NULL, every);
        }
    }
    free(s);
    free(widths);
    free(errors);
    free(values);
    free(results);
    return code;
}

/* ACTIVATION DEPTH WIDTH C_W C_b lambda_W lambda_b [ACCURACY [all]] */
int main(int count, char **arguments)
{
    double value[7] = {0.0};
    request net = {0};
    const int every = count == 10 && strcmp(arguments[9], "all") == 0;
    int good = count == 8 || count == 9 || every;
    value[6] = 1e-8;
    for (int i = 2; good && i < count && i < 9; ++i) {
        good = number(arguments[i], &value[i - 2]);
    }
    if (!good || value[0] < 1 || value[0] > 10000 || value[1] < 1 || value[1] > 1e9
        || value[6] < 1e-12 || (value[6] >= 1.0 && value[6] < 2.0) || value[6] > 256) {
        fputs(USAGE, stderr);
        return 2;
    }
    double *gram = read_gram(&net.samples);
    int code = ORDER1_BAD_ARGUMENT;
    if (gram != NULL) {
        net.gram = gram;
        net.depth = (int)value[0];
        net.nodes = value[6] < 1.0 ? order1_most_nodes(net.samples) : (int)value[6];
        code = solve(&net, &value[2], arguments[1], (int)value[1],
            value[6] < 1.0 ? value[6] : 0.0, every);
    }
    free(gram);
    if (code != ORDER1_OK) {
        fprintf(stderr, "Error: %s\n", order1_message(code));
        fputs(USAGE, stderr);
        return 2;
    }
    return 0;
}
