/* Masks, and what surrounds masked layers, against their formulas; see trial.h. A row counts where its mask is above 0. */
#include "core/network/types.h"
#include "trial.h"

enum { ROUNDS = 60 };

static void naive_masking(const trial *q, double *const *x, double *y)
{
    const int64_t C = q->in->channels;
    for (int64_t t = 0; t < ng_rows(*q->in); t++) {
        bool counts = false;
        for (int64_t c = 0; c < C; c++) counts = counts || x[0][t * C + c] != number(q, "mask_value", 0);
        for (int64_t c = 0; c < C; c++)
            if (q->layer.type == &ng_masking) y[t * C + c] = counts ? x[0][t * C + c] : 0;
            else y[t] = counts;
    }
}

static void naive_any(const trial *q, double *const *x, double *y)
{
    for (int64_t s = 0; s < q->in->samples; s++) {
        y[s] = 0;
        for (int64_t t = 0; t < q->in->length; t++) y[s] = fmax(y[s], x[0][s * q->in->length + t] > 0);
    }
}

static void test_masking(void)
{
    for (int round = 0; round < 3 * ROUNDS; round++) {
        ng_shape in = round % 2 ? rows() : set();
        if (round % 3) in.channels = 1 + draw(2);
        trial q;
        start_trial(&q, round % 4 < 2 ? &ng_masking : &ng_mask, 1, &in);
        q.naive = naive_masking;
        q.levels = round % 3 ? 3 : 0;
        if (draw(2)) set_number(&q, "mask_value", (double)draw(2));
        run_trial(&q);
        CHECK(q.layer.out.channels == (q.layer.type == &ng_mask ? 1 : in.channels));
        end_trial(&q);
        const ng_shape masks = {3, in.samples, in.length, 1};
        start_trial(&q, &ng_any_mask, 1, &masks);
        q.naive = naive_any, q.levels = 3;
        run_trial(&q);
        end_trial(&q);
    }
}

static void naive_sum(const trial *q, double *const *x, double *y)
{
    const int64_t C = q->in->channels;
    double rows = 0;
    for (int64_t c = 0; c < C; c++) y[c] = 0;
    for (int64_t t = 0; t < q->in->length; t++) {
        if (q->layer.inputs > 1 && x[1][t] <= 0) continue;
        for (int64_t c = 0; c < C; c++) y[c] += x[0][t * C + c];
        rows++;
    }
    for (int64_t c = 0; q->layer.inputs > 1 && c < C; c++) y[c] /= rows;
}

static bool some_count(const trial *q, int input)
{
    for (int64_t n = 0; n < q->samples; n++) {
        bool some = false;
        for (int64_t t = 0; t < q->in[input].length; t++) some = some || q->x[input][n * q->in[input].length + t] > 0;
        if (!some) return false;
    }
    return true;
}

static void test_sums(void)
{
    for (int round = 0; round < 2 * ROUNDS; round++) {
        const ng_shape in = {2, 1, 12 + draw(20), 1 + draw(15)}, both[2] = {in, {2, 1, in.length, 1}};
        trial q;
        start_trial(&q, round % 2 ? &ng_global_sum1d : &ng_masked_average1d, round % 2 ? 1 : 2, both);
        q.naive = naive_sum;
        if (draw(2)) set_number(&q, "keepdims", 1);
        q.layer.type->shape(&q.layer, q.arena, &(ng_error){0});
        const uint64_t state = draw_state;
        draw_inputs(&q);                                                 /* a look ahead: nothing masked would be 0 / 0 */
        draw_state = state;
        if (round % 2 || some_count(&q, 1)) run_trial(&q);
        end_trial(&q);
    }
}

static void naive_compact(const trial *q, double *const *x, double *y)
{
    const int64_t L = q->in->length, C = q->in->channels;
    const bool backwards = number(q, "go_backwards", 0) != 0, restore = number(q, "restore_order", 0) != 0;
    const bool zero = number(q, "zero_masked", 0) != 0, last = q->layer.out.rank == 1;
    memset(y, 0, (size_t)ng_size(q->layer.out) * sizeof *y);
    for (int64_t s = 0, seen = 0; s < L; s++) {
        const bool counts = x[1][backwards ? L - 1 - s : s] > 0;
        const double *from = NULL;
        double *to = y + (restore ? L - 1 - s : s) * C;
        seen += counts;
        if (q->layer.type == &ng_compact) {
            if (counts) from = x[0] + (backwards ? L - 1 - s : s) * C, to = y + (seen - 1) * C;
        } else {
            if (last) to = y;
            if (seen > 0 && (last || counts || !zero)) from = x[0] + (seen - 1) * C;
        }
        if (from) memcpy(to, from, (size_t)C * sizeof *to);
    }
}

static void test_compact(void)
{
    for (int round = 0; round < 4 * ROUNDS; round++) {
        const ng_shape in = rows(), both[2] = {in, {2, 1, in.length, 1}};
        trial q;
        start_trial(&q, round % 2 ? &ng_compact : &ng_spread, 2, both);
        q.naive = naive_compact;
        set_number(&q, "go_backwards", (double)draw(2));
        if (round % 2 == 0) {
            set_number(&q, "restore_order", (double)draw(2)), set_number(&q, "zero_masked", (double)draw(2));
            set_word(&q, "returns", draw(3) ? "sequence" : "last");
        }
        run_trial(&q);
        end_trial(&q);
    }
}

static void test_refusals(void)
{
    const ng_shape v = {1, 1, 1, 5}, m = {2, 1, 8, 5}, longer = {2, 1, 9, 1};
    refuses(&ng_any_mask, 1, v, v, NULL, NULL, 0, NG_BAD_MODEL);
    refuses(&ng_compact, 2, m, longer, NULL, NULL, 0, NG_BAD_MODEL);
    refuses(&ng_spread, 1, m, m, NULL, NULL, 0, NG_BAD_MODEL);
    refuses(&ng_masked_average1d, 2, m, longer, NULL, NULL, 0, NG_BAD_MODEL);
    refuses(&ng_global_sum1d, 1, v, v, NULL, NULL, 0, NG_BAD_MODEL);
}

int main(void)
{
    test_masking();
    test_sums();
    test_compact();
    test_refusals();
    return finish();
}
