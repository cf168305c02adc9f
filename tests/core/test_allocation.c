/* Memory ends at each allocation in turn: every way into the core says so, or does without it; the sanitizer sees what leaks. */
#include "works.h"

/* To the bit, or to float32 rounding. */
static bool same(const job *a, const job *b)
{
    return a->hash == b->hash || (b->sum != 0 && fabs(a->sum - b->sum) < 1e-5 * (1 + fabs(b->sum)));
}

static void fail_each(const work *w)
{
    const int64_t plenty = INT64_MAX / 2;
    ng_error error;
    job expected = {0}, done = {0};
    ng_failing_allocation = plenty;
    CHECK(run_work(w, 2, &expected, &error) == NG_OK);
    const int64_t allocations = plenty - ng_failing_allocation;
    int64_t done_without = 0;
    for (int64_t at = 1; at <= allocations; at++) {
        ng_failing_allocation = at;
        const ng_status status = run_work(w, 2, &done, &error);
        CHECK(ng_failing_allocation == 0);
        ng_failing_allocation = 0;
        done_without += status == NG_OK;
        const bool clean = status == NG_OK ? same(&done, &expected) : status == NG_OUT_OF_MEMORY && error.status == status && strlen(error.message) > 5;
        if (!clean) printf("%s, allocation %lld of %lld: status %d, %s\n", w->name, (long long)at, (long long)allocations, status, error.message);
        CHECK(clean);
    }
    CHECK(allocations > done_without);
    printf("%-24s %6lld allocations, %lld of them can fail without harm\n", w->name, (long long)allocations, (long long)done_without);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    prepare_works();
    for (int k = 0; k < WORKS; k++) fail_each(&works[k]);
    end_works();
    return finish();
}
