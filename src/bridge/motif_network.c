/* bridge/motif_network.c: .Call entries of R/motif-network-core.R, which names the elements of its lists.
 *     shape   list(length, filters, width, positions, dim, heads, hidden, stream, layers, score 0 value 1 identity 2 linear, tied, frozen,
 *                  mask_silent, regression, float64)
 *     state   list(parameters, stream, mean, variance, first, second, steps): doubles; the last three are Adam's
 *     codes   raw: letters 0..3 for A, C, G, T and 4 for all else, sequence by sequence */
#include "bridge/motifs.h"
#include <string.h>
#include "bridge/seism.h"
#include "core/motifs/reading.h"
#include "core/motifs/train.h"

static int64_t count_in(SEXP shape, const char *name) { return (int64_t)Rf_asReal(bridge_element(shape, name)); }
static bool flag_in(SEXP list, const char *name) { return Rf_asLogical(bridge_element(list, name)) == 1; }

static ng_motif_network shape_of(SEXP shape)
{
    return (ng_motif_network){
        .length = count_in(shape, "length"), .filters = count_in(shape, "filters"), .width = count_in(shape, "width"),
        .positions = count_in(shape, "positions"), .dim = count_in(shape, "dim"), .heads = count_in(shape, "heads"),
        .hidden = count_in(shape, "hidden"), .stream = count_in(shape, "stream"), .layers = count_in(shape, "layers"),
        .score = (ng_motif_score)count_in(shape, "score"), .tied = flag_in(shape, "tied"), .frozen = flag_in(shape, "frozen"),
        .mask_silent = flag_in(shape, "mask_silent"), .regression = flag_in(shape, "regression"), .float64 = flag_in(shape, "float64")};
}

static double *numbers_in(SEXP state, const char *name, int64_t count)
{
    SEXP numbers = bridge_element(state, name);
    bridge_assert(TYPEOF(numbers) == REALSXP && XLENGTH(numbers) == count);
    return REAL(numbers);
}

static ng_motif_network network_of(SEXP shape, SEXP state)
{
    ng_motif_network net = shape_of(shape);
    const ng_motif_places at = ng_motif_places_of(&net);
    net.parameters = numbers_in(state, "parameters", at.count);
    net.start = numbers_in(state, "stream", net.stream);
    net.mean = numbers_in(state, "mean", at.free);
    net.variance = numbers_in(state, "variance", at.free);
    return net;
}

/* A network's numbers before training: list(parameters, stream, mean, variance, first, second, steps). */
SEXP bridge_motif_start(SEXP shape, SEXP key)
{
    ng_motif_network net = shape_of(shape);
    const ng_motif_places at = ng_motif_places_of(&net);
    const int64_t count[7] = {at.count, net.stream, at.free, at.free, at.count, at.count, 1};
    SEXP state = PROTECT(NAMED("parameters", "stream", "mean", "variance", "first", "second", "steps"));
    for (int k = 0; k < 7; k++) memset(REAL(bridge_put(state, k, REALSXP, count[k])), 0, (size_t)count[k] * sizeof(double));
    net = network_of(shape, state);
    ng_motif_begin(&net, bridge_key(key));
    UNPROTECT(1);
    return state;
}

/* Where tensors begin among the parameters, 0-based, and how many there are: see ng_motif_places. */
SEXP bridge_motif_places(SEXP shape)
{
    const ng_motif_network net = shape_of(shape);
    const ng_motif_places p = ng_motif_places_of(&net);
    const int64_t at[] = {p.filter, p.bias, p.gain, p.offset, p.token, p.token_bias, p.layer, p.layer_size, p.final_gain, p.count,
                          p.query, p.query_bias, p.key, p.value, p.value_bias, p.output, p.output_bias, p.read_gain, p.read_offset,
                          p.hidden, p.hidden_bias, p.written, p.written_bias, p.write_gain, p.write_offset};
    SEXP places = PROTECT(NAMED("filter", "bias", "gain", "offset", "token", "token_bias", "layer", "layer_size", "final_gain", "count",
                                "query", "query_bias", "key", "value", "value_bias", "output", "output_bias", "read_gain", "read_offset",
                                "hidden", "hidden_bias", "written", "written_bias", "write_gain", "write_offset"));
    for (int k = 0; k < (int)XLENGTH(places); k++) bridge_put_number(places, k, (double)at[k]);
    UNPROTECT(1);
    return places;
}

/* One epoch. data: list(recipe or NULL, batches, codes, y, balance, mirror, batch); weights: c(overlap, l1, entropy, rate, clip).
 * list(the state after it, c(total, fit, overlap, l1, entropy), batches, skipped, highest mean activation). */
SEXP bridge_motif_train(SEXP shape, SEXP state, SEXP data, SEXP weights, SEXP epoch, SEXP key, SEXP run, SEXP frame)
{
    bridge_assert(TYPEOF(weights) == REALSXP && XLENGTH(weights) == 5);
    bridge_call call;
    SEXP result = PROTECT(NAMED("state", "loss", "batches", "skipped", "highest_mean"));
    SET_VECTOR_ELT(result, 0, Rf_duplicate(state));
    double *loss = REAL(bridge_put(result, 1, REALSXP, 5));
    SEXP owner = PROTECT(bridge_begin(&call, run, frame));
    SEXP trained = VECTOR_ELT(result, 0), recipe = bridge_element(data, "recipe"), codes = bridge_element(data, "codes");
    ng_motif_network net = network_of(shape, trained);
    const int64_t parameters = ng_motif_places_of(&net).count;
    ng_motif_adam adam = {numbers_in(trained, "first", parameters), numbers_in(trained, "second", parameters), count_in(trained, "steps")};
    ng_grammar grammar;
    ng_motif_data from = {.batches = count_in(data, "batches"), .balance = flag_in(data, "balance"), .mirror = flag_in(data, "mirror")};
    if (recipe != R_NilValue) {
        grammar = bridge_grammar(recipe, &call);
        from.grammar = &grammar;
    } else {
        from.n = XLENGTH(codes) / net.length;
        from.codes = RAW(codes);
        from.y = numbers_in(data, "y", from.n);
    }
    const double *w = REAL(weights);
    const ng_motif_weights parts = {w[0], w[1], w[2], w[3], w[4]};
    ng_motif_epoch seen = {.batches = 0};
    if (call.error.status == NG_OK)
        ng_motif_train(&net, &adam, &from, &parts, count_in(data, "batch"), (int64_t)Rf_asReal(epoch), bridge_key(key), &call.run,
                       &seen, &call.error);
    numbers_in(trained, "steps", 1)[0] = (double)adam.steps;
    memcpy(loss, (const double[5]){seen.loss.total, seen.loss.fit, seen.loss.overlap, seen.loss.l1, seen.loss.entropy}, 5 * sizeof *loss);
    bridge_put_number(result, 2, (double)seen.batches);
    bridge_put_number(result, 3, (double)seen.skipped);
    bridge_put_number(result, 4, seen.highest_mean);
    bridge_end(&call, owner);
    UNPROTECT(2);
    return result;
}

/* inside: three flags. list(logit n, activations (F, T, n), attention (T, H, N, n), stream (S, N + 1, n)): NULL where not asked. */
SEXP bridge_motif_predict(SEXP shape, SEXP state, SEXP codes, SEXP inside, SEXP run, SEXP frame)
{
    const ng_motif_network net = network_of(shape, state);
    const int64_t n = XLENGTH(codes) / net.length, tokens = net.length - net.width + 1;
    const int64_t size[3] = {tokens * net.filters, net.layers * net.heads * tokens, (net.layers + 1) * net.stream};
    bridge_call call;
    SEXP result = PROTECT(NAMED("logit", "activations", "attention", "stream"));
    double *logit = REAL(bridge_put(result, 0, REALSXP, n)), *room[3] = {NULL, NULL, NULL};
    for (int k = 0; k < 3; k++)
        if (LOGICAL(inside)[k]) room[k] = REAL(bridge_put(result, k + 1, REALSXP, n * size[k]));
    SEXP owner = PROTECT(bridge_begin(&call, run, frame));
    const ng_motif_inside seen = {room[0], room[1], room[2]};
    ng_motif_predict(&net, RAW(codes), n, &call.run, logit, &seen, &call.error);
    bridge_end(&call, owner);
    UNPROTECT(2);
    return result;
}

/* list(sequence, position, layer, head, all 1-based; attention; activations (F, peaks)). */
SEXP bridge_motif_peaks(SEXP shape, SEXP state, SEXP codes, SEXP cut, SEXP run, SEXP frame)
{
    const ng_motif_network net = network_of(shape, state);
    const int64_t n = XLENGTH(codes) / net.length, most = n * net.layers * net.heads * (int64_t)(1 / Rf_asReal(cut));
    bridge_call call;
    SEXP result = PROTECT(NAMED("sequence", "position", "layer", "head", "attention", "activations"));
    SEXP owner = PROTECT(bridge_begin(&call, run, frame));
    ng_motif_peak *peaks = ng_alloc(call.run.arena, most, sizeof *peaks, &call.error);
    double *activations = ng_alloc(call.run.arena, most * net.filters, sizeof *activations, &call.error);
    int64_t count = 0;
    if (peaks && activations &&
        ng_motif_peaks(&net, RAW(codes), n, Rf_asReal(cut), &call.run, peaks, activations, &count, &call.error) == NG_OK) {
        int *where[4];
        for (int k = 0; k < 4; k++) where[k] = INTEGER(bridge_put(result, k, INTSXP, count));
        double *attention = REAL(bridge_put(result, 4, REALSXP, count));
        memcpy(bridge_put_matrix(result, 5, net.filters, count), activations, (size_t)(count * net.filters) * sizeof *activations);
        for (int64_t i = 0; i < count; i++) {
            const int64_t at[4] = {peaks[i].sequence, peaks[i].position, peaks[i].layer, peaks[i].head};
            for (int k = 0; k < 4; k++) where[k][i] = (int)at[k] + 1;
            attention[i] = peaks[i].attention;
        }
    }
    bridge_end(&call, owner);
    UNPROTECT(2);
    return result;
}

/* list(highest, windows, mean_positive: F each; counts (4, W, F)). */
SEXP bridge_motif_collect(SEXP shape, SEXP state, SEXP codes, SEXP run, SEXP frame)
{
    const ng_motif_network net = network_of(shape, state);
    const int64_t count[4] = {net.filters, net.filters, net.filters, net.filters * net.width * 4};
    bridge_call call;
    SEXP result = PROTECT(NAMED("highest", "windows", "mean_positive", "counts"));
    double *room[4];
    for (int k = 0; k < 4; k++) {
        room[k] = REAL(bridge_put(result, k, REALSXP, count[k]));
        memset(room[k], 0, (size_t)count[k] * sizeof(double));
    }
    SEXP owner = PROTECT(bridge_begin(&call, run, frame));
    const ng_motif_windows found = {room[0], room[1], room[2], room[3]};
    ng_motif_collect(&net, RAW(codes), XLENGTH(codes) / net.length, &call.run, &found, &call.error);
    bridge_end(&call, owner);
    UNPROTECT(2);
    return result;
}
