/* Permuted axes, tables of positions and distances against their formulas; see trial.h. */
#include "core/network/types.h"
#include "trial.h"

enum { ROUNDS = 60 };

static void naive_permute(const trial *q, double *const *x, double *y)
{
    const int64_t in[3] = {q->in->samples, q->in->length, q->in->channels};
    const int64_t out[3] = {q->layer.out.samples, q->layer.out.length, q->layer.out.channels};
    const int shift = 3 - q->in->rank;
    for (int64_t s = 0; s < out[0]; s++) for (int64_t l = 0; l < out[1]; l++) for (int64_t c = 0; c < out[2]; c++) {
        const int64_t at[3] = {s, l, c};
        int64_t from[3] = {0, 0, 0};
        for (int i = shift; i < 3; i++) from[(int)ng_number(&q->settings, "dims", i - shift, 0) - 1 + shift] = at[i];
        y[(s * out[1] + l) * out[2] + c] = x[0][(from[0] * in[1] + from[1]) * in[2] + from[2]];
    }
}

static void test_permute(void)
{
    for (int round = 0; round < 2 * ROUNDS; round++) {
        const ng_shape in = any();
        double dims[3] = {1, 2, 3};
        for (int i = in.rank - 1; i > 0; i--) {
            const int64_t j = draw(i + 1);
            const double moved = dims[i];
            dims[i] = dims[j], dims[j] = moved;
        }
        trial q;
        start_trial(&q, &ng_permute, 1, &in);
        q.naive = naive_permute;
        set_numbers(&q, "dims", in.rank, dims[0], dims[1], dims[2]);
        run_trial(&q);
        end_trial(&q);
    }
}

static void naive_positions(const trial *q, double *const *x, double *y)
{
    for (int64_t i = 0; i < ng_size(*q->in); i++) y[i] = x[0][i] + (double)q->weights[0].data[i];
}

static void naive_distance(const trial *q, double *const *x, double *y)
{
    double dot = 0, a = 0, b = 0, apart = 0;
    for (int64_t c = 0; c < q->in->channels; c++) {
        dot += x[0][c] * x[1][c], a += x[0][c] * x[0][c], b += x[1][c] * x[1][c];
        apart += (x[0][c] - x[1][c]) * (x[0][c] - x[1][c]);
    }
    y[0] = q->layer.type == &ng_cosine_similarity ? dot / sqrt(a * b) : sqrt(fmax(apart, 1e-7));
}

static void test_others(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        const ng_shape in = rows(), one = vector(), two[2] = {one, one};
        trial q;
        start_trial(&q, &ng_position_table, 1, &in);
        q.naive = naive_positions;
        add_weight(&q, 2, in.length, in.channels, 0, -1, 1);
        run_trial(&q);
        end_trial(&q);
        start_trial(&q, round % 2 ? &ng_cosine_similarity : &ng_euclidean_distance, 2, two);
        q.naive = naive_distance;
        run_trial(&q);
        end_trial(&q);
    }
    const ng_shape two[2] = {{1, 1, 1, 2}, {1, 1, 1, 2}};    /* the same point twice: the floor, and no gradient */
    trial q;
    start_trial(&q, &ng_euclidean_distance, 2, two);
    float y[1], dx[2][2];
    const float point[2] = {3, -1};
    run_given(&q, (const float *[]){point, point}, y, (float *[]){dx[0], dx[1]});
    CHECK(near((double)y[0], sqrt(1e-7), 1e-9) && dx[0][0] == 0 && dx[1][1] == 0);
    end_trial(&q);
}

static void test_refusals(void)
{
    const ng_shape v = {1, 1, 1, 5}, other = {1, 1, 1, 6}, m = {2, 1, 8, 5};
    refuses(&ng_permute, 1, m, m, "dims", NULL, 1, NG_BAD_MODEL);
    refuses(&ng_permute, 1, v, v, "dims", NULL, 2, NG_BAD_MODEL);
    refuses(&ng_position_table, 1, m, m, NULL, NULL, 0, NG_BAD_MODEL);
    refuses(&ng_euclidean_distance, 1, v, v, NULL, NULL, 0, NG_BAD_MODEL);
    refuses(&ng_cosine_similarity, 2, v, other, NULL, NULL, 0, NG_BAD_MODEL);
    refuses(&ng_euclidean_distance, 2, m, m, NULL, NULL, 0, NG_BAD_MODEL);
}

int main(void)
{
    test_permute();
    test_others();
    test_refusals();
    return finish();
}
