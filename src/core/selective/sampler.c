#include <float.h>
#include <math.h>
#include <string.h>
#include "core/base/philox.h"
#include "core/selective/sampler.h"
#include "core/selective/scan.h"
#ifdef _OPENMP
#include <omp.h>
#endif

enum { REFRESH = 64, GROUP = 12, MOST_CHAINS = 48 };
static const double turn = 6.283185307179586;
static const float unbounded = 1e30f;

/* ---- what all chains share ---- */

static const float *single(const ng_sampler *sampler, ng_arena *arena, float fill, float **to, ng_error *error)
{
    float *numbers = ng_alloc(arena, sampler->padded, sizeof *numbers, error);
    for (int64_t l = 0; numbers && l < sampler->padded; l++) numbers[l] = fill;
    return *to = numbers;
}

static float bounded(double x) { return (float)fmin(fmax(x, -(double)unbounded), (double)unbounded); }

static ng_status set_bounds(ng_sampler *sampler, ng_arena *arena, ng_error *error)
{
    const ng_event *event = sampler->event;
    const int j = event->j;
    const double *norm2 = event->design->norm2;
    float *numbers;
    sampler->levels = event->box ? 1 : j;
    sampler->limit = ng_alloc(arena, j, sizeof *sampler->limit, error);
    sampler->inner = ng_alloc(arena, j, sizeof *sampler->inner, error);
    if (!sampler->limit || !sampler->inner) return error->status;
    for (int level = 0; level < sampler->levels; level++) {
        const int s = j - level;
        if (!(sampler->limit[level] = single(sampler, arena, unbounded, &numbers, error))) return error->status;
        for (int64_t l = 0; l < event->design->m; l++)
            if (ng_event_compares(event, l, s)) numbers[l] = bounded(1 / (event->path->step[s - 1].weight[l] * sqrt(norm2[l])));
        if (level == 0) continue;
        if (!(sampler->inner[level] = single(sampler, arena, 0, &numbers, error))) return error->status;
        for (int64_t l = 0; l < event->design->m; l++) numbers[l] = (float)(event->inner[l * (j - 1) + s - 1] / sqrt(norm2[l]));
    }
    if (!event->box) return NG_OK;
    if (!(sampler->low = single(sampler, arena, -unbounded, &numbers, error))) return error->status;
    for (int64_t l = 0; l < event->design->m; l++) numbers[l] = bounded(event->low[l] / sqrt(norm2[l]));
    if (!(sampler->high = single(sampler, arena, unbounded, &numbers, error))) return error->status;
    for (int64_t l = 0; l < event->design->m; l++) numbers[l] = bounded(event->high[l] / sqrt(norm2[l]));
    return NG_OK;
}

ng_status ng_pack_candidates(const ng_design *design, const ng_run *run, ng_packed *rows, ng_error *error)
{
    const int64_t n = design->n, m = design->m;
    double *room = ng_alloc(run->arena, n * run->threads, sizeof *room, error);
    if (!room || ng_pack_nothing(n, m, run->arena, rows, error)) return error->status;
#pragma omp parallel for schedule(static) num_threads(run->threads)
    for (int64_t l = 0; l < m; l++) {
#ifdef _OPENMP
        double *row = room + n * omp_get_thread_num();
#else
        double *row = room;
#endif
        float *to = rows->panels + l / NG_PANEL * n * NG_PANEL + l % NG_PANEL;
        ng_residual_row(&design->features, l, design->basis, design->covariates, row);
        for (int64_t i = 0; i < n; i++) to[i * NG_PANEL] = (float)(row[i] / sqrt(design->norm2[l]));
    }
    return NG_OK;
}

ng_status ng_sampler_new(const ng_event *event, bool known, uint64_t key, const ng_run *run, ng_sampler *sampler, ng_error *error)
{
    *sampler = (ng_sampler){.event = event, .known = known, .key = key,
                            .padded = (event->design->m + NG_SCAN_BLOCK - 1) / NG_SCAN_BLOCK * NG_SCAN_BLOCK};
    if (ng_pack_candidates(event->design, run, &sampler->rows, error)) return error->status;
    return set_bounds(sampler, run->arena, error);
}

/* ---- one chain ---- */

typedef struct chain {
    uint32_t id;
    uint64_t step, angles;
    double *z, *c, *g, *turning;                 /* state; direction: g is followed by its j - 1 coordinates along c */
    float *u, *v;
    int64_t hot;                                 /* the block that last held a violation */
    double trials, frozen;
} chain;

/* A batch belongs to one thread. */
typedef struct batch {
    chain *chains;
    int64_t count;
    float *direction;                            /* count x n */
    double *members, *there, *c;                 /* products of the cells' members; a state and its c */
} batch;

static double norm2_of(const double *z, const double *c, int64_t n, int64_t coordinates)
{
    return ng_inner_product(z, z, n) + ng_inner_product(c, c, coordinates);
}

/* Coordinates that move: those of c only in the global test. */
static int64_t moving(const ng_event *event) { return event->global ? event->j - 1 : 0; }

static void draw_direction(const ng_sampler *sampler, chain *chain)
{
    const ng_event *event = sampler->event;
    const int64_t n = event->design->n, more = moving(event), count = ng_basis_count(event->design, event->j);
    const int64_t plain = sampler->residual_freedom ? n - 1 : n, draws = plain + sampler->residual_freedom;
    const ng_random_stream stream = {sampler->key, chain->id, 4 * (uint32_t)(event->j - 1)};
    double *g = chain->g, *along = chain->g + n;
    const uint64_t block = chain->step * (uint64_t)((draws + 1) / 2);
    ng_normals(stream, block, plain, g);
    if (sampler->residual_freedom) {                                  /* the length of what is neither candidates nor the state's rest */
        double square = 0, pair[2];
        for (int64_t i = 0; i < sampler->residual_freedom - 1; i += 2) {
            ng_normals(stream, block + (uint64_t)(plain + 1 + i) / 2, 2, pair);
            square += pair[0] * pair[0] + (i + 1 < sampler->residual_freedom - 1 ? pair[1] * pair[1] : 0);
        }
        g[n - 1] = sqrt(square);
    }
    for (int64_t h = 0; h < more; h++) along[h] = ng_inner_product(event->path->basis + (event->design->covariates + h) * n, g, n);
    ng_project(event->path->basis, count, n, g);
    if (sampler->known) return;
    const double size2 = norm2_of(chain->z, chain->c, n, more);
    const double overlap = (ng_inner_product(chain->z, g, n) + ng_inner_product(chain->c, along, more)) / size2;
    for (int64_t i = 0; i < n; i++) g[i] -= overlap * chain->z[i];
    for (int64_t h = 0; h < more; h++) along[h] -= overlap * chain->c[h];
    const double scale = sqrt(size2 / norm2_of(g, along, n, more));
    for (int64_t i = 0; i < n; i++) g[i] *= scale;
    for (int64_t h = 0; h < more; h++) along[h] *= scale;
}

/* How far single precision may be off, in units of the candidates' norm: n + 8 roundings of a product, of REFRESH steps that add
 * like the sides of a right angle. */
static float margin_of(const ng_sampler *sampler, const chain *chain)
{
    const ng_event *event = sampler->event;
    const int64_t n = event->design->n;
    double reach = sqrt(ng_inner_product(chain->z, chain->z, n) + ng_inner_product(chain->g, chain->g, n));
    for (int h = 0; h + 1 < event->j && !event->box; h++) reach += fabs(chain->c[h]) + (event->global ? fabs(chain->g[n + h]) : 0);
    return (float)(sqrt(REFRESH) * (double)(n + 8) * 0x1p-24 * reach);
}

/* Whether the state at this angle is in the event. */
static bool allowed(const ng_sampler *sampler, chain *chain, batch *batch, double angle, float margin)
{
    const ng_event *event = sampler->event;
    const ng_design *design = event->design;
    const int64_t n = design->n, blocks = sampler->padded / NG_SCAN_BLOCK, members = event->first[event->j];
    const int j = event->j;
    const double cosine = cos(angle), sine = sin(angle);
    double tau[j];
    float single_tau[j], single_c[j];
    for (int h = 0; h + 1 < j; h++) batch->c[h] = event->global ? chain->c[h] * cosine + chain->g[n + h] * sine : chain->c[h];
    for (int s = event->box ? j : 1; s <= j; s++) {
        tau[s - 1] = 0;
        for (int64_t i = event->first[s - 1]; i < event->first[s]; i++) {
            const int64_t l = event->member[i];
            const double u = batch->members[i] * cosine + batch->members[members + i] * sine;
            tau[s - 1] = fmax(tau[s - 1], event->path->step[s - 1].weight[l] * fabs(ng_event_product(event, l, s, u, batch->c)));
        }
        single_tau[j - s] = (float)tau[s - 1];
        single_c[j - s] = s < j ? (float)batch->c[s - 1] : 0;
    }
    const ng_scan scan = {.u = chain->u, .v = chain->v, .levels = sampler->levels, .limit = sampler->limit, .inner = sampler->inner,
                          .low = sampler->low, .high = sampler->high, .cosine = (float)cosine, .sine = (float)sine, .margin = margin,
                          .tau = single_tau, .c = single_c};
    bool ready = false;
    for (int64_t next = -1; next < blocks; next++) {                 /* the hot block first, then all */
        const int64_t at = next < 0 ? ng_scan_blocks(&scan, chain->hot, chain->hot + 1) : ng_scan_blocks(&scan, next, blocks);
        if (next >= 0) next = at;
        else if (at > chain->hot) continue;
        if (at == blocks) break;
        for (int64_t i = 0; i < n && !ready; i++) batch->there[i] = chain->z[i] * cosine + chain->g[i] * sine;
        ready = true;
        for (int64_t l = at * NG_SCAN_BLOCK; l < design->m && l < (at + 1) * NG_SCAN_BLOCK; l++)
            if (!ng_event_allows(event, l, ng_feature_dot(&design->features, l, batch->there), batch->c, tau, false)) {
                chain->hot = at;
                return false;
            }
    }
    return true;
}

static void slice(const ng_sampler *sampler, chain *chain, batch *batch)
{
    const ng_event *event = sampler->event;
    const int64_t n = event->design->n, members = event->first[event->j];
    const float margin = margin_of(sampler, chain);
    const ng_random_stream stream = {sampler->key, chain->id, 4 * (uint32_t)(event->j - 1) + 1};
    for (int64_t i = event->box ? event->first[event->j - 1] : 0; i < members; i++) {
        batch->members[i] = ng_feature_dot(&event->design->features, event->member[i], chain->z);
        batch->members[members + i] = ng_feature_dot(&event->design->features, event->member[i], chain->g);
    }
    double pair[2];
    ng_uniform_pair(stream, chain->angles++, pair);
    double angle = turn * pair[0], low = angle - turn, high = angle;
    bool spare = true;
    for (;;) {
        chain->trials++;
        if (allowed(sampler, chain, batch, angle, margin)) break;
        if (angle < 0) low = angle;
        else high = angle;
        if (high - low < 1e-13) {
            chain->frozen++;
            return;
        }
        if (!spare) ng_uniform_pair(stream, chain->angles++, pair);
        angle = low + (high - low) * pair[spare];
        spare = !spare;
    }
    const double cosine = cos(angle), sine = sin(angle);
    for (int64_t i = 0; i < n; i++) chain->z[i] = chain->z[i] * cosine + chain->g[i] * sine;
    for (int64_t h = 0; h < moving(event); h++) chain->c[h] = chain->c[h] * cosine + chain->g[n + h] * sine;
    if (sampler->residual_freedom) {
        chain->z[n - 2] = hypot(chain->z[n - 2], chain->z[n - 1]);
        chain->z[n - 1] = 0;
    }
    ng_turn(chain->u, chain->v, sampler->padded, (float)cosine, (float)sine);
}

/* ---- a batch in lock step ---- */

static ng_status new_batch(const ng_sampler *sampler, int64_t count, ng_arena *arena, batch *batch, ng_error *error)
{
    const ng_event *event = sampler->event;
    const int64_t n = event->design->n, j = event->j, state = n + j, padded = sampler->padded;
    *batch = (struct batch){.chains = ng_alloc(arena, count, sizeof *batch->chains, error),
                            .direction = ng_alloc(arena, count * n, sizeof *batch->direction, error),
                            .members = ng_alloc(arena, 2 * event->first[j], sizeof *batch->members, error),
                            .there = ng_alloc(arena, state, sizeof *batch->there, error)};
    double *states = ng_alloc(arena, 2 * count * state, sizeof *states, error);
    float *scores = ng_alloc(arena, 2 * count * padded, sizeof *scores, error);
    if (!batch->chains || !batch->direction || !batch->members || !batch->there || !states || !scores) return error->status;
    batch->c = batch->there + n;
    for (int64_t b = 0; b < count; b++)
        batch->chains[b] = (chain){.z = states + 2 * b * state, .c = states + 2 * b * state + n, .g = states + (2 * b + 1) * state,
                                   .u = scores + b * padded, .v = scores + (count + b) * padded};
    return NG_OK;
}

/* Scores of all states, or of all directions: u or v of every chain. */
static void all_scores(const ng_sampler *sampler, batch *batch, bool directions)
{
    const int64_t n = sampler->event->design->n;
    for (int64_t b = 0; b < batch->count; b++)
        for (int64_t i = 0; i < n; i++)
            batch->direction[b * n + i] = (float)(directions ? batch->chains[b].g[i] : batch->chains[b].z[i]);
    ng_multiply(batch->direction, batch->count, n, &sampler->rows, 0, n, NULL, false,
                directions ? batch->chains[0].v : batch->chains[0].u, sampler->padded);
}

static void start_batch(const ng_sampler *sampler, batch *batch, int64_t first, int64_t count, const double *z, const double *c)
{
    const ng_event *event = sampler->event;
    batch->count = count;
    for (int64_t b = 0; b < count; b++) {
        chain *chain = &batch->chains[b];
        chain->id = (uint32_t)(first + b);
        chain->step = chain->angles = 0;
        chain->hot = 0;
        chain->trials = chain->frozen = 0;
        memcpy(chain->z, z, (size_t)event->design->n * sizeof *z);
        memcpy(chain->c, c, (size_t)(event->j - 1) * sizeof *c);
    }
    all_scores(sampler, batch, false);
}

/* Rounding takes the states out of their space and off their norm, a little. */
static void refresh(const ng_sampler *sampler, batch *batch)
{
    const ng_event *event = sampler->event;
    const int64_t n = event->design->n, more = moving(event);
    const double size2 = norm2_of(event->z, event->c, n, more);
    for (int64_t b = 0; b < batch->count; b++) {
        chain *chain = &batch->chains[b];
        ng_project(event->path->basis, ng_basis_count(event->design, event->j), n, chain->z);
        if (sampler->known) continue;
        const double scale = sqrt(size2 / norm2_of(chain->z, chain->c, n, more));
        for (int64_t i = 0; i < n; i++) chain->z[i] *= scale;
        for (int64_t h = 0; h < more; h++) chain->c[h] *= scale;
    }
    all_scores(sampler, batch, false);
}

static void advance(const ng_sampler *sampler, batch *batch, int64_t steps)
{
    for (int64_t step = 0; step < steps; step++) {
        if (batch->chains[0].step && batch->chains[0].step % REFRESH == 0) refresh(sampler, batch);
        for (int64_t b = 0; b < batch->count; b++) draw_direction(sampler, &batch->chains[b]);
        all_scores(sampler, batch, true);
        for (int64_t b = 0; b < batch->count; b++) {
            slice(sampler, &batch->chains[b], batch);
            batch->chains[b].step++;
        }
    }
}

static void add_effort(const batch *batch, ng_effort *effort)
{
    for (int64_t b = 0; b < batch->count; b++) {
        effort->steps += (double)batch->chains[b].step;
        effort->trials += batch->chains[b].trials;
        effort->frozen += batch->chains[b].frozen;
    }
}

/* ---- tests ---- */

/* Chains of a batch: as many as share one pass over the candidates, unless that takes long between two polls. */
static int64_t batch_size(const ng_sampler *sampler, int64_t L, int64_t total, int threads)
{
    const double work = (double)L * (double)sampler->event->design->m * (double)sampler->event->design->n;
    int64_t size = work > 0 && 3e10 / work < MOST_CHAINS ? (int64_t)(3e10 / work) : MOST_CHAINS;
    const int64_t share = (total + threads - 1) / threads;
    if (size > share) size = share;
    size = (size + GROUP - 1) / GROUP * GROUP;
    return size < total ? size : total;
}

ng_status ng_seism_chains(const ng_sampler *sampler, int L, int64_t first, int64_t last, int64_t stop_after, const ng_run *run,
                          double *statistics, int64_t *drawn, ng_effort *effort, ng_error *error)
{
    const ng_event *event = sampler->event;
    const int64_t total = last - first + 1, size = stop_after ? GROUP : batch_size(sampler, L, total, run->threads);
    batch hub, *batches = ng_alloc(run->arena, run->threads, sizeof *batches, error);
    if (!batches || new_batch(sampler, 1, run->arena, &hub, error)) return error->status;
    for (int t = 0; t < run->threads; t++)
        if (new_batch(sampler, size, run->arena, &batches[t], error)) return error->status;
    start_batch(sampler, &hub, 0, 1, event->z, event->c);
    advance(sampler, &hub, L);
    add_effort(&hub, effort);
    int64_t exceed = 0;
    for (*drawn = 0; *drawn < total;) {
        const int64_t begin = *drawn, rest = (total - begin + size - 1) / size, here = rest < run->threads ? rest : run->threads;
#pragma omp parallel for schedule(static) num_threads(run->threads)
        for (int64_t t = 0; t < here; t++) {
            const int64_t from = begin + t * size, count = total - from < size ? total - from : size;
            batch *batch = &batches[t];
            start_batch(sampler, batch, first + from, count, hub.chains[0].z, hub.chains[0].c);
            advance(sampler, batch, L);
            for (int64_t b = 0; b < count; b++) statistics[from + b] = ng_event_statistic(event, batch->chains[b].z);
        }
        for (int64_t t = 0; t < here; t++) {
            add_effort(&batches[t], effort);
            *drawn += batches[t].count;
        }
        for (int64_t b = begin; stop_after && b < *drawn; b++)
            if (statistics[b] >= event->observed * (1 - 1e-12) && ++exceed == stop_after) {
                *drawn = b + 1;
                return NG_OK;
            }
        if (ng_poll(run, (double)*drawn / (double)total, error)) return error->status;
    }
    return NG_OK;
}

ng_status ng_seism_trace(const ng_sampler *sampler, int64_t first, int64_t last, int64_t burn, int64_t steps, const ng_run *run,
                         double *trace, ng_effort *effort, ng_error *error)
{
    const int64_t count = last - first + 1;
    batch batch;
    if (new_batch(sampler, count, run->arena, &batch, error)) return error->status;
    start_batch(sampler, &batch, first, count, sampler->event->z, sampler->event->c);
    for (int64_t step = -burn; step < steps; step++) {
        advance(sampler, &batch, 1);
        for (int64_t b = 0; step >= 0 && b < count; b++) trace[b * steps + step] = ng_event_statistic(sampler->event, batch.chains[b].z);
        if (step % 16 == 0 && ng_poll(run, (double)(step + burn) / (double)(steps + burn), error)) return error->status;
    }
    add_effort(&batch, effort);
    return NG_OK;
}

ng_status ng_seism_ends(const ng_sampler *sampler, int L, int64_t count, const ng_run *run, double *z, double *c, ng_error *error)
{
    const int64_t n = sampler->event->design->n, more = sampler->event->j - 1;
    batch batch;
    if (new_batch(sampler, count, run->arena, &batch, error)) return error->status;
    start_batch(sampler, &batch, 1, count, sampler->event->z, sampler->event->c);
    advance(sampler, &batch, L);
    for (int64_t b = 0; b < count; b++) {
        memcpy(z + b * n, batch.chains[b].z, (size_t)n * sizeof *z);
        memcpy(c + b * more, batch.chains[b].c, (size_t)more * sizeof *c);
    }
    return NG_OK;
}
