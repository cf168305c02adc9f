/* inst/benchmarks/seism.c: what seism() is measured against: the same step of the slice sampler in plain loops of double precision, distances
 * of k-mers window by window, and the sampler of kernelPSI (Slim, Chatelain, Azencott and Vert 2019) from its published algorithm: hit and run
 * on the cube of normal probabilities, with one dense quadratic form per inequality. Called by .C(). */
#include <R.h>
#include <Rmath.h>
#include <math.h>
#include <stdlib.h>

/* Steps on the sphere. rows: m x n, unit rows; x: n; `selected`: the row that must stay the largest. */
void plain_slice(const double *rows, const int *m_rows, const int *n_columns, double *x, const int *selected, const int *steps)
{
    const int m = *m_rows, n = *n_columns;
    double *u = malloc(sizeof *u * m), *v = malloc(sizeof *v * m), *g = malloc(sizeof *g * n), radius = 0;
    GetRNGstate();
    for (int i = 0; i < n; i++) radius += x[i] * x[i];
    for (int step = 0; step < *steps; step++) {
        double mean = 0, overlap = 0, norm = 0;
        for (int i = 0; i < n; i++) mean += (g[i] = norm_rand()) / n;
        for (int i = 0; i < n; i++) overlap += (g[i] -= mean) * x[i] / radius;
        for (int i = 0; i < n; i++) g[i] -= overlap * x[i];
        for (int i = 0; i < n; i++) norm += g[i] * g[i];
        for (int i = 0; i < n; i++) g[i] *= sqrt(radius / norm);
        for (int l = 0; l < m; l++) {
            double sum = 0, here = 0;
            for (int i = 0; i < n; i++) sum += rows[(long)l * n + i] * g[i];
            if (step % 64 == 0) for (int i = 0; i < n; i++) here += rows[(long)l * n + i] * x[i];
            v[l] = sum;
            if (step % 64 == 0) u[l] = here;
        }
        double t = 2 * M_PI * unif_rand(), low = t - 2 * M_PI, high = t;
        for (;;) {
            const double c = cos(t), s = sin(t), bound = fabs(u[*selected] * c + v[*selected] * s);
            int inside = 1;
            for (int l = 0; l < m && inside; l++) inside = fabs(u[l] * c + v[l] * s) <= bound * (1 + 1e-12);
            if (inside || high - low < 1e-13) break;
            if (t < 0) low = t;
            else high = t;
            t = low + (high - low) * unif_rand();
        }
        for (int i = 0; i < n; i++) x[i] = x[i] * cos(t) + g[i] * sin(t);
        for (int l = 0; l < m; l++) u[l] = u[l] * cos(t) + v[l] * sin(t);
    }
    PutRNGstate();
    free(u);
    free(v);
    free(g);
}

/* The smallest Hamming distance of each of `count` k-mers to the windows. */
void plain_distance(const int *windows, const int *window_count, const int *kmers, const int *count, const int *letters, int *distance)
{
    for (int l = 0; l < *count; l++) {
        distance[l] = *letters + 1;
        for (int w = 0; w < *window_count; w++) {
            int differ = 0;
            for (int i = 0; i < *letters; i++) differ += (windows[w] >> 2 * i & 3) != (kmers[l] >> 2 * i & 3);
            if (differ < distance[l]) distance[l] = differ;
        }
    }
}

/* Replicates on the cube; forms: m - 1 symmetric n x n matrices, each of which must give y' Q y >= 0. */
void dense_cube(const double *forms, const int *form_count, const int *n_columns, double *y, const int *draws)
{
    const int n = *n_columns;
    double *theta = malloc(sizeof *theta * n), *there = malloc(sizeof *there * n), *v = malloc(sizeof *v * n);
    GetRNGstate();
    for (int draw = 0; draw < *draws; draw++) {
        double norm = 0, low = -INFINITY, high = INFINITY;
        for (int i = 0; i < n; i++) norm += (theta[i] = norm_rand()) * theta[i];
        for (int i = 0; i < n; i++) {
            theta[i] /= sqrt(norm);
            v[i] = pnorm(y[i], 0, 1, 1, 0);
            const double down = -v[i] / theta[i], up = (1 - v[i]) / theta[i];
            low = fmax(low, fmin(down, up));
            high = fmin(high, fmax(down, up));
        }
        for (int inside = 0; !inside;) {
            const double t = low + (high - low) * unif_rand();
            for (int i = 0; i < n; i++) there[i] = qnorm(fmin(fmax(v[i] + t * theta[i], 1e-15), 1 - 1e-15), 0, 1, 1, 0);
            inside = 1;
            for (int f = 0; f < *form_count && inside; f++) {
                const double *form = forms + (long)f * n * n;
                double value = 0;
                for (int i = 0; i < n; i++) {
                    double row = 0;
                    for (int k = 0; k < n; k++) row += form[(long)i * n + k] * there[k];
                    value += there[i] * row;
                }
                inside = value >= 0;
            }
        }
        for (int i = 0; i < n; i++) y[i] = there[i];
    }
    PutRNGstate();
    free(theta);
    free(there);
    free(v);
}
