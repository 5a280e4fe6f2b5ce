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
enum { NO_NUMBER = -1 }; /* an argument that is no number, or out of range: the usage says it all */

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

static const char USAGE[] = "usage: order1_main"
                            " ACTIVATION DEPTH WIDTH C_W C_b lambda_W lambda_b [ACCURACY [all]]"
                            " < vectors\n"
                            "  ACTIVATION: gelu, or one a hidden layer as gelu:tanh:linear\n"
                            "  WIDTH: 64, or one a hidden layer as 32:64:32\n"
                            "  C_W C_b lambda_W lambda_b: a number each, or one a layer as 1:2:2\n"
                            "  ACCURACY: the tolerance, relative to each tensor (default 1e-8);\n"
                            "    from 2 up: so many nodes on each axis, no errors are known then\n"
                            "  all: print what the targets need as well\n"
                            "  vectors: samples, dimension, then one vector a line\n";

/* Reads the numbers between colons to out[0 .. count - 1]; one alone goes to each of them. Returns
 * how many there are, or 0 if the text is anything else. */
static int numbers(const char *text, int count, double *out)
{
    int given = 0, more = 1;
    while (more) {
        char *end;
        const double value = strtod(text, &end);
        more = *end == ':';
        if (end == text || (!more && *end != '\0') || !isfinite(value)) {
            return 0;
        }
        if (given < count) {
            out[given] = value;
        }
        ++given;
        text = end + 1;
    }
    for (int i = 1; given == 1 && i < count; ++i) {
        out[i] = out[0];
    }
    return given;
}

static int number(const char *text, double *value)
{
    return numbers(text, 1, value) == 1;
}

static int whole(double value, double most)
{
    return value >= 1.0 && value <= most && floor(value) == value;
}

/* WIDTH C_W C_b lambda_W lambda_b, each one number or one a layer, to `widths` and to `values`,
 * which hold one and five doubles a layer. Returns an error code. */
static int read_layers(request *net, char **arguments, double *values, int *widths)
{
    const int depth = net->depth;
    for (int k = 0; k < 5; ++k) {
        const int given = numbers(arguments[k], depth, values + k * depth);
        if (given == 0) {
            return NO_NUMBER;
        }
        if (given != 1 && given != (k == 0 ? depth - 1 : depth)) {
            return ORDER1_WRONG_COUNT;
        }
    }
    for (int l = 0; l < depth - 1 || l == 0; ++l) {
        if (!whole(values[l], 1e9)) {
            return NO_NUMBER;
        }
        widths[l] = (int)values[l];
    }
    net->widths = widths;
    net->C_W = values + depth;
    net->C_b = values + 2 * depth;
    net->lambda_W = values + 3 * depth;
    net->lambda_b = values + 4 * depth;
    return ORDER1_OK;
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

static int solve(request *net, const char *activations, double tolerance, int every)
{
    const size_t layers = (size_t)net->depth, nodes = (size_t)net->nodes;
    const size_t size = order1_results(net);
    double *results = malloc((size ? size : 1) * sizeof *results);
    double *rule = malloc(2 * nodes * sizeof *rule);
    double *errors = malloc(layers * ORDER1_TENSORS * sizeof *errors);
    order1_activation *s = malloc(layers * sizeof *s);
    int code = ORDER1_TOO_LARGE;
    if (results != NULL && rule != NULL && errors != NULL && s != NULL && size > 0) {
        double *x = rule, *w = rule + nodes;
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
    free(errors);
    free(rule);
    free(results);
    return code;
}

/* ACTIVATION DEPTH WIDTH C_W C_b lambda_W lambda_b [ACCURACY [all]] */
int main(int count, char **arguments)
{
    double depth = 0.0, accuracy = 1e-8;
    request net = {0};
    const int every = count == 10 && strcmp(arguments[9], "all") == 0;
    if ((count != 8 && count != 9 && !every) || !number(arguments[2], &depth)
        || !whole(depth, 10000.0) || (count > 8 && !number(arguments[8], &accuracy))
        || accuracy < 1e-12 || (accuracy >= 1.0 && !whole(accuracy - 1.0, 255.0))) {
        fputs(USAGE, stderr);
        return 2;
    }
    net.depth = (int)depth;
    double *values = malloc(5 * (size_t)net.depth * sizeof *values), *gram = NULL;
    int *widths = malloc((size_t)net.depth * sizeof *widths);
    int code = ORDER1_TOO_LARGE;
    if (values != NULL && widths != NULL) {
        code = read_layers(&net, arguments + 3, values, widths);
    }
    if (code == ORDER1_OK) {
        gram = read_gram(&net.samples);
        code = ORDER1_BAD_ARGUMENT;
    }
    if (gram != NULL) {
        net.gram = gram;
        net.nodes = accuracy < 1.0 ? order1_most_nodes(net.samples) : (int)accuracy;
        code = solve(&net, arguments[1], accuracy < 1.0 ? accuracy : 0.0, every);
    }
    free(gram);
    free(widths);
    free(values);
    if (code != ORDER1_OK) {
        if (code != NO_NUMBER) {
            fprintf(stderr, "Error: %s\n", order1_message(code));
        }
        fputs(USAGE, stderr);
        return 2;
    }
    return 0;
}
