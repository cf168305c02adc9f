/* core/motifs/pass_kernel.h: pass.h for one type of numbers and one instruction set. pass.c includes it once for each, with
 *     KERNEL          its name
 *     TARGET          the attribute that allows the instructions
 *     REAL, LANES     the type, and how many of them a vector has
 *     EXP(x)          e^x for x <= 0
 * Loops over positions run over whole vectors: rows of positions are padded with zeros to a multiple of 64. */
#define NAME_(kernel, part) kernel##_##part
#define NAME__(kernel, part) NAME_(kernel, part)
#define NAME(part) NAME__(KERNEL, part)
#define VECTOR NAME(vector)
#define ROW NAME(row)
typedef REAL VECTOR __attribute__((vector_size(LANES * sizeof(REAL))));
typedef REAL ROW __attribute__((vector_size(NG_ROW * sizeof(REAL))));
#define LOAD(type, from) ({ type loaded; memcpy(&loaded, from, sizeof loaded); loaded; })
#define STORE(to, value) do { __typeof__(value) stored = (value); memcpy(to, &stored, sizeof stored); } while (0)

#include "core/motifs/pass_arithmetic.h"

/* ---- what a layer keeps from forward to backward ---- */

typedef struct NAME(layer) {
    REAL *s, *q, *e, *r, *seen, *read, *token, *u, *hat, *o, *m, *write_hat, *scales;
    REAL *attention, *slope;                     /* (H, tokens) each, one after the other */
} NAME(layer);

static int64_t NAME(kept_numbers)(const ng_pass *p)
{
    const ng_motif_network *net = p->net;
    const int64_t e = net->dim, s = net->stream, h = net->heads;
    return 2 * s + e + h * e + h * p->inputs + h * net->filters + h * p->inputs + h * e + e + 2 * e + net->hidden + 2;
}

INLINE NAME(layer) NAME(layer_of)(const ng_pass *p, const ng_pass_chunk *chunk, int64_t n)
{
    const ng_motif_network *net = p->net;
    const int64_t e = net->dim, h = net->heads;
    NAME(layer) l;
    REAL *next = (REAL *)chunk->kept + n * NAME(kept_numbers)(p);
    l.s = next, next += net->stream;
    l.write_hat = next, next += net->stream;
    l.q = next, next += e;
    l.e = next, next += h * e;
    l.r = next, next += h * p->inputs;
    l.seen = next, next += h * net->filters;
    l.read = next, next += h * p->inputs;
    l.token = next, next += h * e;
    l.u = next, next += e;
    l.hat = next, next += e;
    l.o = next, next += e;
    l.m = next, next += net->hidden;
    l.scales = next;
    if (n == 0) l.q = p->first_query, l.e = p->first_key, l.r = p->first_reading;
    l.attention = (REAL *)chunk->attention + n * 2 * h * p->padded;
    l.slope = l.attention + h * p->padded;
    return l;
}

/* ---- attention ---- */

/* Rows of A_h: where scores read the token. NULL: the identity. */
INLINE const REAL *NAME(key_rows)(const ng_pass *p, const REAL *weights, int64_t head)
{
    const int64_t e = p->net->dim, d = e / p->net->heads;
    if (p->net->score == NG_SCORE_IDENTITY) return NULL;
    return weights + (p->net->score == NG_SCORE_VALUE ? p->at.value : p->at.key) + head * d * e;
}

/* From the stream to q, e_h and r_h of all heads. */
INLINE TARGET void NAME(query)(const ng_pass *p, const REAL *weights, const REAL *s, REAL *q, REAL *e, REAL *r)
{
    const ng_motif_network *net = p->net;
    const int64_t dim = net->dim, d = dim / net->heads;
    const REAL *all = p->weights, root = (REAL)(1 / sqrt((double)d));
    NAME(affine)(weights + p->at.query, weights + p->at.query_bias, dim, net->stream, s, q);
    for (int64_t h = 0; h < net->heads; h++) {
        const REAL *a = NAME(key_rows)(p, weights, h);
        REAL *own = e + h * dim;
        if (a) NAME(transposed)(a, d, dim, q + h * d, own);
        else {
            memset(own, 0, (size_t)dim * sizeof *own);
            memcpy(own + h * d, q + h * d, (size_t)d * sizeof *own);
        }
        for (int64_t i = 0; i < dim; i++) own[i] *= root;
        NAME(transposed)(all + p->at.token, dim, p->inputs, own, r + h * p->inputs);
    }
}

INLINE TARGET void NAME(softmax)(REAL *x, int64_t count, int64_t padded)
{
    REAL most = x[0], lane[LANES] = {0};
    for (int64_t t = 1; t < count; t++) most = x[t] > most ? x[t] : most;
    SIMD for (int64_t t = 0; t < padded; t++) x[t] = EXP(x[t] - most);
    for (int64_t t = count; t < padded; t++) x[t] = 0;
    for (int64_t t = 0; t < padded; t += LANES)
        SIMD for (int k = 0; k < LANES; k++) lane[k] += x[t + k];
    REAL sum = 0;
    for (int k = 0; k < LANES; k++) sum += lane[k];
    const REAL factor = 1 / sum;
    SIMD for (int64_t t = 0; t < padded; t++) x[t] *= factor;
}

/* ---- one sequence forward and backward ---- */

INLINE TARGET REAL NAME(forward)(const ng_pass *p, const ng_pass_chunk *chunk, REAL *final_hat, REAL *final, REAL *final_scale)
{
    const ng_motif_network *net = p->net;
    const int64_t filters = net->filters, positions = net->positions, dim = net->dim, stream = net->stream, heads = net->heads, d = dim / heads;
    const int64_t k = p->inputs;
    const REAL *all = p->weights, *a = chunk->a, *pe = p->position, *rho = p->rho, *shift = p->shift;
    REAL factor[32], *raw = chunk->scratch, *s = raw + (stream > dim ? stream : dim);
    memcpy(s, p->start, (size_t)stream * sizeof *s);
    for (int64_t n = 0; n < net->layers; n++) {
        const REAL *weights = all + p->at.layer + n * p->at.layer_size;
        const NAME(layer) l = NAME(layer_of)(p, chunk, n);
        memcpy(l.s, s, (size_t)stream * sizeof *s);
        if (n > 0) NAME(query)(p, weights, s, l.q, l.e, l.r);
        for (int64_t h = 0; h < heads; h++) {
            const REAL *r = l.r + h * k;
            REAL *alpha = l.attention + h * p->padded, *read = l.read + h * k, *seen = l.seen + h * filters, *token = l.token + h * dim;
            for (int64_t f = 0; f < filters; f++) factor[f] = r[f] * rho[f];
            if (n == 0) NAME(combine)(alpha, (const REAL *)p->first_scores + h * p->padded, factor, a, filters, p->padded);
            else {
                NAME(combine)(alpha, NULL, r + filters, pe, positions, p->padded);
                NAME(combine)(alpha, alpha, factor, a, filters, p->padded);
            }
            NAME(softmax)(alpha, p->tokens, p->padded);
            NAME(dots)(seen, a, filters, alpha, p->padded);
            for (int64_t f = 0; f < filters; f++) read[f] = shift[f] + rho[f] * seen[f];
            NAME(dots)(read + filters, pe, positions, alpha, p->padded);
            NAME(affine)(all + p->at.token, all + p->at.token_bias, dim, k, read, token);
            NAME(affine)(weights + p->at.value + h * d * dim, weights + p->at.value_bias + h * d, d, dim, token, l.u + h * d);
        }
        NAME(affine)(weights + p->at.output, weights + p->at.output_bias, dim, dim, l.u, raw);
        l.scales[0] = NAME(normalize)(raw, weights + p->at.read_gain, weights + p->at.read_offset, dim, l.hat, l.o);
        NAME(affine)(weights + p->at.hidden, weights + p->at.hidden_bias, net->hidden, dim, l.o, l.m);
        for (int64_t i = 0; i < net->hidden; i++) l.m[i] = l.m[i] > 0 ? l.m[i] : 0;
        NAME(affine)(weights + p->at.written, weights + p->at.written_bias, stream, net->hidden, l.m, raw);
        l.scales[1] = NAME(normalize)(raw, weights + p->at.write_gain, weights + p->at.write_offset, stream, l.write_hat, raw);
        for (int64_t i = 0; i < stream; i++) s[i] += raw[i];
    }
    *final_scale = NAME(normalize)(s, all + p->at.final_gain, all + p->at.final_offset, stream, final_hat, final);
    return NAME(dot)(all + p->at.weight, final, stream) + all[p->at.intercept];
}

/* The gradient of r_h to Wd, the key rows and the query: adds to gradients and to dq. */
INLINE TARGET void NAME(reading_backward)(const ng_pass *p, REAL *gradient, REAL *own, const REAL *weights, int64_t h, const NAME(layer) *l,
                                          const REAL *dr, REAL *de, REAL *dq)
{
    const int64_t dim = p->net->dim, d = dim / p->net->heads;
    const REAL *all = p->weights, root = (REAL)(1 / sqrt((double)d)), *a = NAME(key_rows)(p, weights, h), *q = l->q + h * d;
    NAME(outer)(gradient + p->at.token, NULL, dim, p->inputs, l->e + h * dim, dr);
    NAME(affine)(all + p->at.token, NULL, dim, p->inputs, dr, de);
    for (int64_t i = 0; i < dim; i++) de[i] *= root;
    if (!a) {
        memcpy(dq + h * d, de + h * d, (size_t)d * sizeof *dq);
        return;
    }
    NAME(outer)(own + (a - weights), NULL, d, dim, q, de);
    NAME(affine)(a, NULL, d, dim, de, dq + h * d);
}

INLINE TARGET void NAME(query_backward)(const ng_pass *p, REAL *own, const REAL *weights, const REAL *dq, const REAL *s, REAL *ds)
{
    const int64_t dim = p->net->dim, stream = p->net->stream;
    NAME(outer)(own + p->at.query, own + p->at.query_bias, dim, stream, dq, s);
    for (int64_t i = 0; ds && i < dim; i++) NAME(add)(ds, dq[i], weights + p->at.query + i * stream, stream);
}

static int64_t NAME(scratch_numbers)(const ng_pass *p)
{
    const ng_motif_network *net = p->net;
    const int64_t widest = net->stream > net->dim ? net->stream : net->dim;
    return 8 * widest + net->hidden + 2 * net->heads * p->inputs + p->inputs + p->padded + 3 * net->dim;
}

/* From d_logit to gradients, and to slopes[f, t] = dL/dy. */
INLINE TARGET void NAME(backward)(const ng_pass *p, ng_pass_chunk *chunk, REAL d_logit, const REAL *final_hat, const REAL *final,
                                  REAL final_scale, REAL *slopes)
{
    const ng_motif_network *net = p->net;
    const int64_t filters = net->filters, positions = net->positions, dim = net->dim, stream = net->stream, heads = net->heads, d = dim / heads;
    const int64_t k = p->inputs, padded = p->padded, widest = stream > dim ? stream : dim;
    const REAL *all = p->weights, *a = chunk->a, *pe = p->position, *rho = p->rho;
    REAL *gradient = chunk->gradient, *ds = (REAL *)chunk->scratch + 4 * widest, *d_write = ds + widest, *dq = d_write + widest;
    REAL *d_read = dq + widest, *d_u = d_read + dim, *de = d_u + dim, *d_hidden = de + widest, *d_inputs = d_hidden + net->hidden;
    REAL *dr = d_inputs + heads * k, *phi = dr + k, factor[64];
    REAL *shared_slope = chunk->shared_scores, *shared_dr = shared_slope + heads * padded;

    NAME(add)(gradient + p->at.weight, d_logit, final, stream);
    gradient[p->at.intercept] += d_logit;
    for (int64_t i = 0; i < stream; i++) ds[i] = d_logit * all[p->at.weight + i];
    NAME(denormalize)(final_hat, final_scale, all + p->at.final_gain, stream, ds, gradient + p->at.final_gain, gradient + p->at.final_offset);

    for (int64_t n = net->layers - 1; n >= 0; n--) {
        const REAL *weights = all + p->at.layer + n * p->at.layer_size;
        REAL *own = gradient + p->at.layer + n * p->at.layer_size;
        const NAME(layer) l = NAME(layer_of)(p, chunk, n);
        memcpy(d_write, ds, (size_t)stream * sizeof *ds);
        NAME(denormalize)(l.write_hat, l.scales[1], weights + p->at.write_gain, stream, d_write, own + p->at.write_gain, own + p->at.write_offset);
        NAME(outer)(own + p->at.written, own + p->at.written_bias, stream, net->hidden, d_write, l.m);
        NAME(transposed)(weights + p->at.written, stream, net->hidden, d_write, d_hidden);
        for (int64_t i = 0; i < net->hidden; i++) d_hidden[i] = l.m[i] > 0 ? d_hidden[i] : 0;
        NAME(outer)(own + p->at.hidden, own + p->at.hidden_bias, net->hidden, dim, d_hidden, l.o);
        NAME(transposed)(weights + p->at.hidden, net->hidden, dim, d_hidden, d_read);
        NAME(denormalize)(l.hat, l.scales[0], weights + p->at.read_gain, dim, d_read, own + p->at.read_gain, own + p->at.read_offset);
        NAME(outer)(own + p->at.output, own + p->at.output_bias, dim, dim, d_read, l.u);
        NAME(transposed)(weights + p->at.output, dim, dim, d_read, d_u);
        for (int64_t h = 0; h < heads; h++) {
            const REAL *alpha = l.attention + h * padded, *seen = l.seen + h * filters, *r = l.r + h * k;
            REAL *psi = l.slope + h * padded, *dk = d_inputs + h * k;
            NAME(outer)(own + p->at.value + h * d * dim, own + p->at.value_bias + h * d, d, dim, d_u + h * d, l.token + h * dim);
            NAME(transposed)(weights + p->at.value + h * d * dim, d, dim, d_u + h * d, de);
            NAME(outer)(gradient + p->at.token, gradient + p->at.token_bias, dim, k, de, l.read + h * k);
            NAME(transposed)(all + p->at.token, dim, k, de, dk);
            for (int64_t f = 0; f < filters; f++) factor[f] = dk[f] * rho[f];
            NAME(combine)(phi, NULL, factor, a, filters, padded);
            NAME(combine)(phi, phi, dk + filters, pe, positions, padded);
            for (int64_t t = 0; p->entropy_weight != 0 && t < p->tokens; t++) {
                const double share = (double)alpha[t] + 1e-6;
                phi[t] -= (REAL)(p->entropy_weight * (log2(share) + (double)alpha[t] / (share * 0.6931471805599453)));
            }
            const REAL mean = NAME(dot)(alpha, phi, padded);
            SIMD for (int64_t t = 0; t < padded; t++) psi[t] = alpha[t] * (phi[t] - mean);
            NAME(dots)(dr, a, filters, psi, padded);
            for (int64_t f = 0; f < filters; f++) {
                chunk->d_offset[f] += dk[f];
                chunk->d_gain[f] += dk[f] * seen[f] + r[f] * dr[f];
                dr[f] *= rho[f];
            }
            if (n == 0) {                        /* the query is the same for all sequences: the rest once a chunk */
                NAME(add)(shared_slope + h * padded, 1, psi, padded);
                for (int64_t f = 0; f < filters; f++) shared_dr[h * filters + f] += dr[f];
            } else {
                NAME(dots)(dr + filters, pe, positions, psi, padded);
                NAME(reading_backward)(p, gradient, own, weights, h, &l, dr, de, dq);
            }
        }
        if (n > 0) NAME(query_backward)(p, own, weights, dq, l.s, ds);
        for (int64_t f = 0; f < filters; f++) {
            for (int64_t h = 0; h < heads; h++) {
                factor[h] = d_inputs[h * k + f];
                factor[heads + h] = l.r[h * k + f];
            }
            REAL *to = slopes + f * padded;
            NAME(combine)(to, n < net->layers - 1 ? to : NULL, factor, l.attention, 2 * heads, padded);
        }
    }
}

/* ---- chunks ---- */

/* pe[2 i, t] = sin(t / 10000^(2 i / P)), pe[2 i + 1, t] the cosine. */
static void NAME(positions)(ng_pass *p)
{
    REAL *pe = p->position;
    for (int64_t i = 0; i < p->net->positions; i++)
        for (int64_t t = 0; t < p->tokens; t++) {
            const double turn = (double)t / pow(10000, (double)(i / 2 * 2) / (double)p->net->positions);
            pe[i * p->padded + t] = (REAL)(i % 2 ? cos(turn) : sin(turn));
        }
}

static TARGET void NAME(prepare)(ng_pass *p)
{
    const ng_motif_network *net = p->net;
    const int64_t width = net->width, row = p->row;
    REAL *weights = p->weights, *start = p->start, *taps = p->taps, *tables = p->tables;
    for (int64_t i = 0; i < p->at.count; i++) weights[i] = (REAL)net->parameters[i];
    for (int64_t i = 0; i < net->stream; i++) start[i] = (REAL)net->start[i];
    for (int64_t w = 0; w < 5 * p->groups; w++)
        for (int64_t c = 0; c < NG_LETTERS; c++)
            for (int64_t f = 0; f < net->filters; f++)
                taps[(w * NG_LETTERS + c) * row + f] = w < width && c < 4 ? (REAL)p->filters[(f * width + w) * 4 + c] : 0;
    for (int64_t g = 0; g < p->groups; g++) {                        /* words of n letters from words of n - 1 */
        REAL *table = tables + g * NG_WORDS * row;
        for (int64_t f = 0; f < row; f++) table[f] = g == 0 && f < net->filters ? (REAL)p->bias[f] : 0;
        for (int64_t words = 1, n = 0; n < NG_WORD; n++, words *= NG_LETTERS)
            for (int64_t word = words - 1; word >= 0; word--)
                for (int64_t c = NG_LETTERS - 1; c >= 0; c--) {
                    const REAL *from = table + word * row, *tap = taps + ((g * NG_WORD + n) * NG_LETTERS + c) * row;
                    REAL *to = table + (word * NG_LETTERS + c) * row;
                    for (int64_t f = 0; f < row; f++) to[f] = from[f] + tap[f];
                }
    }
    REAL *prefix = p->table_of_prefix;
    for (int64_t i = 0; prefix && i < net->filters * 2 * width * row; i++) prefix[i] = (REAL)p->prefix[i];
}

static TARGET void NAME(absorb)(ng_pass *p, const double *mean, const double *scale)
{
    const ng_motif_network *net = p->net;
    const REAL *all = p->weights;
    const REAL *pe = p->position;
    REAL *rho = p->rho, *shift = p->shift, *centre = p->centre, *scores = p->first_scores;
    for (int64_t f = 0; f < net->filters; f++) {
        const int64_t free = f % p->at.free;
        const double slope = net->parameters[p->at.gain + free] * scale[free];
        rho[f] = (REAL)slope;
        shift[f] = (REAL)(net->parameters[p->at.offset + free] - slope * mean[free]);
        centre[f] = (REAL)mean[free];
    }
    NAME(query)(p, all + p->at.layer, p->start, p->first_query, p->first_key, p->first_reading);
    for (int64_t h = 0; h < net->heads; h++)
        NAME(combine)(scores + h * p->padded, NULL, (const REAL *)p->first_reading + h * p->inputs + net->filters, pe, net->positions, p->padded);
}

static TARGET void NAME(scan)(const ng_pass *p, ng_pass_chunk *chunk)
{
    const int64_t length = p->net->length, row = p->row, words = p->tokens + NG_WORD * (p->groups - 1);
    const REAL *tables = p->tables;
    memset(chunk->sum, 0, (size_t)row * sizeof(double));
    memset(chunk->square, 0, (size_t)row * sizeof(double));
    for (int64_t b = chunk->first; b < chunk->first + chunk->count; b++) {
        const uint8_t *codes = p->codes + b * length;
        REAL *rows = (REAL *)p->rows + b * p->tokens * row, sum[32] = {0}, square[32] = {0};
        int32_t word = 0;
        for (int64_t i = 0; i < words + NG_WORD - 1; i++) {
            word = word % (NG_WORDS / NG_LETTERS) * NG_LETTERS + (i < length ? codes[i] : 4);
            if (i >= NG_WORD - 1) chunk->words[i - NG_WORD + 1] = word;
        }
        for (int64_t t = 0; t < p->tokens; t++)
            for (int64_t f = 0; f < row; f += NG_ROW) {
                ROW z = LOAD(ROW, tables + (int64_t)chunk->words[t] * row + f);
                for (int64_t g = 1; g < p->groups; g++)
                    z += LOAD(ROW, tables + (g * NG_WORDS + chunk->words[t + g * NG_WORD]) * row + f);
                const ROW zero = {0}, a = (ROW)((z > zero) & (__typeof__(z > zero))z);
                STORE(rows + t * row + f, a);
                STORE(sum + f, LOAD(ROW, sum + f) + a);
                STORE(square + f, LOAD(ROW, square + f) + a * a);
            }
        for (int64_t f = 0; f < row; f++) {
            chunk->sum[f] += sum[f];
            chunk->square[f] += square[f];
        }
    }
}

/* Who wins each position, and where its run ends. */
INLINE TARGET void NAME(find_winners)(const ng_pass *p, const REAL *a, int32_t *winner, int32_t *run_end)
{
    const int32_t silent = p->net->mask_silent ? -1 : 0;
    REAL best[NG_TOKENS];
    for (int64_t first = 0; first < p->tokens; first += NG_TOKENS) {
        const int64_t count = p->tokens - first < NG_TOKENS ? p->tokens - first : NG_TOKENS;
        int32_t who[NG_TOKENS];
        for (int t = 0; t < NG_TOKENS; t++) best[t] = 0, who[t] = silent;
        for (int32_t f = 0; f < (int32_t)p->net->filters; f++) {
            const REAL *row = a + f * p->padded + first;
            SIMD for (int t = 0; t < NG_TOKENS; t++) {
                who[t] = row[t] > best[t] ? f : who[t];
                best[t] = row[t] > best[t] ? row[t] : best[t];
            }
        }
        memcpy(winner + first, who, (size_t)count * sizeof *who);
    }
    for (int64_t t = p->tokens - 1; t >= 0; t--)
        run_end[t] = t + 1 < p->tokens && winner[t] == winner[t + 1] ? run_end[t + 1] : (int32_t)t + 1;
}

/* Copies what a forward pass of sequence b saw. */
static void NAME(keep)(const ng_pass *p, const ng_pass_chunk *chunk, int64_t b)
{
    const ng_motif_network *net = p->net;
    const int64_t heads = net->heads, stream = net->stream;
    for (int64_t n = 0; p->attention && n < net->layers; n++)
        for (int64_t h = 0; h < heads; h++)
            for (int64_t t = 0; t < p->tokens; t++)
                p->attention[((b * net->layers + n) * heads + h) * p->tokens + t] = ((REAL *)chunk->attention)[(n * 2 * heads + h) * p->padded + t];
    const REAL *last = (const REAL *)chunk->scratch + (stream > net->dim ? stream : net->dim);
    for (int64_t n = 0; p->stream && n <= net->layers; n++) {
        const REAL *s = n < net->layers ? NAME(layer_of)(p, chunk, n).s : last;
        for (int64_t i = 0; i < stream; i++) p->stream[(b * (net->layers + 1) + n) * stream + i] = s[i];
    }
}

static TARGET void NAME(read)(const ng_pass *p, ng_pass_chunk *chunk, bool backward)
{
    const ng_motif_network *net = p->net;
    const int64_t row = p->row, stream = net->stream, heads = net->heads;
    REAL *a = chunk->a, *hat = (REAL *)chunk->scratch + 2 * (stream > net->dim ? stream : net->dim), *final = hat + stream;
    REAL *shared = chunk->shared_scores, *gradient = chunk->gradient;
    chunk->fit = chunk->entropy = 0;
    if (backward) {
        memset(gradient, 0, (size_t)p->at.count * sizeof *gradient);
        memset(shared, 0, (size_t)(heads * (p->padded + net->filters)) * sizeof *shared);
        memset(chunk->d_offset, 0, (size_t)row * sizeof(double));
        memset(chunk->d_gain, 0, (size_t)row * sizeof(double));
    }
    for (int64_t b = chunk->first; b < chunk->first + chunk->count; b++) {
        const REAL *rows = (const REAL *)p->rows + b * p->tokens * row;
        for (int64_t f = 0; f < net->filters; f++)
            for (int64_t t = 0; t < p->tokens; t++) a[f * p->padded + t] = rows[t * row + f];
        REAL scale;
        const REAL logit = NAME(forward)(p, chunk, hat, final, &scale);
        p->logit[b] = logit;
        NAME(keep)(p, chunk, b);
        if (!backward) continue;
        const double z = logit, y = p->y[b], miss = net->regression ? 2 * (z - y) : 1 / (1 + exp(-z)) - y;
        chunk->fit += net->regression ? (z - y) * (z - y) : (z > 0 ? z : 0) + log1p(exp(-fabs(z))) - y * z;
        for (int64_t n = 0; p->measure_entropy && n < net->layers; n++)
            for (int64_t h = 0; h < heads; h++) {
                const REAL *alpha = (const REAL *)chunk->attention + (n * 2 * heads + h) * p->padded;
                for (int64_t t = 0; t < p->tokens; t++) chunk->entropy -= (double)alpha[t] * log2((double)alpha[t] + 1e-6);
            }
        NAME(backward)(p, chunk, (REAL)(miss / (double)p->batch), hat, final, scale, (REAL *)p->slopes + b * net->filters * p->padded);
        if (p->measure_overlap) NAME(find_winners)(p, a, p->winner + b * p->tokens, p->run_end + b * p->tokens);
    }
    if (!backward) return;
    const REAL *weights = (const REAL *)p->weights + p->at.layer, *pe = p->position;
    const NAME(layer) l = NAME(layer_of)(p, chunk, 0);
    REAL *dr = (REAL *)chunk->scratch, *dq = dr + p->inputs, *de = dq + net->dim;
    for (int64_t h = 0; h < heads; h++) {
        memcpy(dr, shared + heads * p->padded + h * net->filters, (size_t)net->filters * sizeof *dr);
        NAME(dots)(dr + net->filters, pe, net->positions, shared + h * p->padded, p->padded);
        NAME(reading_backward)(p, gradient, gradient + p->at.layer, weights, h, &l, dr, de, dq);
    }
    NAME(query_backward)(p, gradient + p->at.layer, weights, dq, p->start, NULL);
}

/* Adds the overlap loss of activations `own` at position j to da, and what it needs to know of them to `meetings`. */
INLINE TARGET void NAME(meet)(const ng_pass *p, const REAL *own, int64_t j, const int32_t *winner, const int32_t *run_end, REAL *da,
                              double *meetings)
{
    const int64_t width = p->net->width, row = p->row;
    const int64_t first = j - width + 1 > 0 ? j - width + 1 : 0, last = j + width < p->tokens ? j + width : p->tokens;
    const REAL *prefix = p->table_of_prefix;
    for (int64_t i = first; i < last;) {
        const int64_t end = run_end[i] < last ? run_end[i] : last;   /* shifts j - end + 1 .. j - i */
        if (winner[i] >= 0) {
            const int64_t low = ((int64_t)winner[i] * 2 * width + j - end + width) * row, high = low + (end - i) * row;
            for (int64_t f = 0; f < row; f += NG_ROW) {
                STORE(da + f, LOAD(ROW, da + f) + (LOAD(ROW, prefix + high + f) - LOAD(ROW, prefix + low + f)));
                SIMD for (int64_t lane = f; lane < f + NG_ROW; lane++) {
                    meetings[low + lane] += own[lane];
                    meetings[high + lane] -= own[lane];
                }
            }
        }
        i = end;
    }
}

static TARGET void NAME(pull)(const ng_pass *p, ng_pass_chunk *chunk, bool backward)
{
    const ng_motif_network *net = p->net;
    const int64_t row = p->row, width = net->width;
    const REAL *rho = p->rho, *centre = p->centre, *by_offset = p->pull_offset, *by_gain = p->pull_gain;
    REAL *taps = chunk->filter_gradient, *bias = taps + width * NG_LETTERS * row;
    memset(taps, 0, (size_t)((width * NG_LETTERS + 1) * row) * sizeof *taps);
    if (p->measure_overlap) memset(chunk->meetings, 0, (size_t)(net->filters * 2 * width * row) * sizeof(double));
    for (int64_t b = chunk->first; b < chunk->first + chunk->count; b++) {
        const REAL *rows = (const REAL *)p->rows + b * p->tokens * row, *slopes = (const REAL *)p->slopes + b * net->filters * p->padded;
        const uint8_t *codes = p->codes + b * net->length;
        for (int64_t t = 0; t < p->tokens; t++) {
            const REAL *own = rows + t * row;
            REAL any = 0, met[32] = {0}, da[32] = {0};
            for (int64_t f = 0; f < row; f++) any += own[f];
            if (!(any > 0)) continue;
            if (p->measure_overlap)
                NAME(meet)(p, own, t, p->winner + b * p->tokens, p->run_end + b * p->tokens, met, chunk->meetings);
            if (!backward) continue;
            for (int64_t f = 0; f < net->filters; f++) da[f] = slopes[f * p->padded + t];
            SIMD for (int64_t f = 0; f < row; f++) {
                const REAL all = rho[f] * (da[f] - by_offset[f] - (own[f] - centre[f]) * by_gain[f]) + met[f];
                da[f] = own[f] > 0 ? all : 0;
            }
            for (int64_t f = 0; f < row; f += NG_ROW) {
                const ROW add = LOAD(ROW, da + f);
                STORE(bias + f, LOAD(ROW, bias + f) + add);
                for (int64_t w = 0; w < width; w++) {
                    REAL *tap = taps + (w * NG_LETTERS + codes[t + w]) * row + f;
                    STORE(tap, LOAD(ROW, tap) + add);
                }
            }
        }
    }
}

static void NAME(filter_gradient)(const ng_pass *p, double *filters, double *bias)
{
    const ng_motif_network *net = p->net;
    for (int64_t f = 0; f < net->filters; f++)
        for (int64_t w = 0; w <= net->width; w++)
            for (int64_t c = 0; c < (w < net->width ? 4 : 1); c++) {
                double sum = 0;
                for (int64_t k = 0; k < p->chunk_count; k++)
                    sum += ((const REAL *)p->chunks[k].filter_gradient)[(w * NG_LETTERS + c) * p->row + f];
                if (w < net->width) filters[(f * net->width + w) * 4 + c] = sum;
                else bias[f] = sum;
            }
}

/* All but filters and batch norm, chunks in order. */
static void NAME(sum_gradients)(const ng_pass *p, double *gradient)
{
    for (int64_t k = 0; k < p->chunk_count; k++) {
        const REAL *own = p->chunks[k].gradient;
        SIMD for (int64_t i = p->at.token; i < p->at.count; i++) gradient[i] += own[i];
    }
}

static double NAME(number)(const void *numbers, int64_t i) { return ((const REAL *)numbers)[i]; }

static const ng_pass_kernel NAME(kernel) = {
    sizeof(REAL), NAME(kept_numbers), NAME(scratch_numbers), NAME(positions), NAME(prepare), NAME(absorb), NAME(scan), NAME(read),
    NAME(pull), NAME(filter_gradient), NAME(sum_gradients), NAME(number)};

#undef LOAD
#undef STORE
#undef ROW
#undef VECTOR
#undef NAME
#undef NAME__
#undef NAME_
#undef EXP
#undef LANES
#undef REAL
#undef TARGET
#undef KERNEL
