/* Made by ntkfeyn 0.1.0 */
/* Reads "samples dimension" and then that many vectors from standard input; prints every tensor. */
#include "order1.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef order1_network request;

static const char USAGE[] = "usage: order1"
                            " ACTIVATION DEPTH WIDTH C_W C_b lambda_W lambda_b [NODES] < vectors\n"
                            "  vectors: samples, dimension, then one vector a line\n";

static double *fill(double value, int count)
{
    double *values = malloc((size_t)count * sizeof *values);
    for (int i = 0; values != NULL && i < count; ++i) {
        values[i] = value;
    }
    return values;
}

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

static void print_tensors(const request *net, const double *results)
{
    for (int l = 1; l <= net->depth; ++l) {
        for (int t = 0; t < ORDER1_TENSORS; ++t) {
            const double *value =
                results + order1_offset(net, t, l);
            size_t count = 1;
            for (int k = 0; k < order1_slots(t); ++k) {
                count *= (size_t)net->samples;
            }
            for (size_t i = 0; i < count; ++i) {
                size_t place = count / (size_t)net->samples, rest = i;
                printf("layer-%d %s ", l, order1_name(t));
                for (; place > 0; place /= (size_t)net->samples) {
                    const int first = place == count / (size_t)net->samples;
                    printf("%s%d", first ? "" : "-", (int)(rest / place) + 1);
                    rest %= place;
                    if (net->samples == 1) {
                        for (int k = 1; k < order1_slots(t); ++k) {
                            printf("-1");
                        }
                        break;
                    }
                }
                printf(" %.17g\n", value[i]);
            }
        }
    }
}

static int run(request *net, int width, double *x, double *w)
{
    int *widths = malloc((size_t)net->depth * sizeof *widths);
    const size_t work = order1_workspace(net);
    const size_t size = order1_results(net);
    double *workspace = malloc((work ? work : 1) * sizeof *workspace);
    double *results = malloc((size ? size : 1) * sizeof *results);
    int code = ORDER1_TOO_LARGE;
    if (widths != NULL && workspace != NULL && results != NULL && work > 0 && size > 0) {
        for (int l = 0; l < net->depth; ++l) {
            widths[l] = width;
        }
        net->widths = widths;
        net->x = x;
        net->w = w;
        code = order1_solve(net, workspace, work, results, size);
    }
    if (code == ORDER1_OK) {
        print_tensors(net, results);
    }
    free(results);
    free(workspace);
    free(widths);
    return code;
}

int main(int count, char **arguments)
{
    double value[7], *coupling[4], x[256], w[256];
    request net = {0};
    int good = count == 8 || count == 9;
    for (int i = 2; good && i < count; ++i) {
        good = number(arguments[i], &value[i - 2]);
    }
    const int nodes = good && count == 9 ? (int)fmin(fmax(value[6], 0.0), 1e6) : 32;
    if (!good || value[0] < 1 || value[0] > 10000 || value[1] < 1 || value[1] > 1e9 || nodes < 2
        || nodes > 256) {
        fputs(USAGE, stderr);
        return 2;
    }
    net.depth = (int)value[0];
    net.nodes = nodes;
    net.activation = order1_activation_named(arguments[1]);
    net.gram = read_gram(&net.samples);
    for (int k = 0; k < 4; ++k) {
        coupling[k] = fill(value[2 + k], net.depth);
    }
    net.C_W = coupling[0];
    net.C_b = coupling[1];
    net.lambda_W = coupling[2];
    net.lambda_b = coupling[3];
    int code = order1_trapezoid(nodes, 7.5, x, w);
    if (code == ORDER1_OK) {
        code = ORDER1_BAD_ARGUMENT;
        if (net.gram != NULL && net.activation != NULL) {
            code = run(&net, (int)value[1], x, w);
        }
    }
    for (int k = 0; k < 4; ++k) {
        free(coupling[k]);
    }
    free((void *)net.gram);
    if (code != ORDER1_OK) {
        fprintf(stderr, "Error: %s\n", order1_message(code));
        fputs(USAGE, stderr);
        return 2;
    }
    return 0;
}
