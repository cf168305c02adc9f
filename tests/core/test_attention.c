/* Attention against its formula in double, with and without masks; see trial.h. */
#include "core/network/types.h"
#include "trial.h"

static void naive(const trial *q, double *const *x, double *y)
{
    const int64_t H = (int64_t)number(q, "heads", 1), M = q->in[0].length, N = q->in[1].length;
    const int64_t D = q->in[0].channels / H, E = q->in[2].channels / H;
    double *p = malloc((size_t)N * sizeof *p);
    for (int64_t h = 0; h < H; h++) for (int64_t m = 0; m < M; m++) {
        double largest = -INFINITY, sum = 0;
        for (int64_t n = 0; n < N; n++) {
            p[n] = 0;
            for (int64_t d = 0; d < D; d++) p[n] += x[0][(m * H + h) * D + d] * x[1][(n * H + h) * D + d] / sqrt((double)D);
            if (q->layer.inputs > 3 && x[4][n] <= 0) p[n] = -INFINITY;           /* some key counts, and all queries */
            largest = fmax(largest, p[n]);
        }
        for (int64_t n = 0; n < N; n++) sum += p[n] = exp(p[n] - largest);
        for (int64_t e = 0; e < E; e++) {
            double *to = y + (m * H + h) * E + e;
            *to = 0;
            for (int64_t n = 0; n < N; n++) *to += p[n] / sum * x[2][(n * H + h) * E + e];
        }
    }
    free(p);
}

int main(void)
{
    for (int round = 0; round < 60; round++) {
        const int64_t H = 1 + draw(3), D = 1 + draw(6), E = 1 + draw(6), M = 1 + draw(round % 6 ? 10 : 120), N = 1 + draw(round % 5 ? 10 : 60);
        const ng_shape in[3] = {{2, 1, M, H * D}, {2, 1, N, H * D}, {2, 1, N, H * E}};
        trial q;
        start_trial(&q, &ng_attention, 3, in);
        q.naive = naive;
        set_number(&q, "heads", (double)H);
        run_trial(&q);
        end_trial(&q);
    }
    /* Masked keys take no part; where everything is masked all keys count alike, and values still get their share. */
    const ng_shape in[5] = {{2, 1, 3, 2}, {2, 1, 4, 2}, {2, 1, 4, 1}, {2, 1, 3, 1}, {2, 1, 4, 1}};
    const float a[6] = {1, 2, -1, 0.5f, 0.25f, 1}, b[8] = {0.5f, -1, 2, 1, 0, 1, 1, 1}, v[4] = {1, 2, 4, 8}, own[3] = {1, 0, 1}, keys[4] = {1, 0, 1, 0};
    float y[3], dx[5][8];
    trial q;
    start_trial(&q, &ng_attention, 5, in);
    run_given(&q, (const float *[]){a, b, v, own, keys}, y, (float *[]){dx[0], dx[1], dx[2], dx[3], dx[4]});
    double weight = 1 / (1 + exp((1 * 0 + 2 * 1 - 1 * 0.5 - 2 * -1) / sqrt(2)));
    CHECK(near((double)y[0], weight * 1 + (1 - weight) * 4, 1e-6) && y[1] == 3.75f);
    CHECK(near((double)dx[2][1], 0.5, 1e-6) && near((double)dx[1][2], 0.875 / sqrt(2), 1e-6) && dx[3][0] == 0 && dx[4][2] == 0);
    end_trial(&q);
    const ng_shape m = {2, 1, 8, 5}, other = {2, 1, 8, 6};
    refuses(&ng_attention, 2, m, m, NULL, NULL, 0, NG_BAD_MODEL);
    const ng_shape unlike[3] = {m, other, m};
    start_trial(&q, &ng_attention, 3, unlike);
    refuse(&q, NG_BAD_MODEL);
    return finish();
}
