/* The motif network against values computed independently, central differences, and brute force. */
#include <math.h>
#include <string.h>
#include "check.h"
#include "core/motifs/overlap.h"
#include "core/motifs/reading.h"
#include "core/motifs/train.h"

static ng_error error;
static ng_arena *arena;
static ng_run run;

static bool near(double a, double b, double tolerance) { return fabs(a - b) <= tolerance; }
static void *room(int64_t count, size_t size) { return ng_alloc(arena, count, size, &error); }

static void begin(void)
{
    arena = ng_arena_new((int64_t)1 << 30);
    error = (ng_error){.status = NG_OK};
    run = (ng_run){.arena = arena, .threads = 2};
}

/* ---- fixture X: every parameter is ((37 i + 101 tensor + 17) mod 97) / 97 - 1/2, gains 1 + .4 of that ---- */

static double known(int64_t i, int64_t tensor) { return (double)((37 * i + 101 * tensor + 17) % 97) / 97 - 0.5; }

static void fill(double *to, int64_t count, int64_t tensor, bool gain)
{
    for (int64_t i = 0; i < count; i++) to[i] = gain ? 1 + 0.4 * known(i, tensor) : known(i, tensor);
}

static void new_network(ng_motif_network *net)
{
    const ng_motif_places p = ng_motif_places_of(net);
    net->parameters = room(p.count, sizeof(double));
    net->start = room(net->stream, sizeof(double));
    net->mean = room(p.free, sizeof(double));
    net->variance = room(p.free, sizeof(double));
    for (int64_t f = 0; f < p.free; f++) net->variance[f] = 1;
}

static ng_motif_network fixture(ng_motif_score score, bool tied, bool mask)
{
    ng_motif_network net = {.length = 20, .filters = tied ? 4 : 3, .width = 4, .positions = 4, .dim = 4, .heads = 2, .hidden = 4, .stream = 6,
                            .layers = 2, .score = score, .tied = tied, .mask_silent = mask, .float64 = true};
    new_network(&net);
    const ng_motif_places p = ng_motif_places_of(&net);
    const int64_t e = 4, s = 6, m = 4;
    double *all = net.parameters;
    int64_t tensor = 1;
    fill(all + p.filter, p.free * 16, tensor++, false);
    fill(all + p.bias, p.free, tensor++, false);
    fill(all + p.gain, p.free, tensor++, true);
    fill(all + p.offset, p.free, tensor++, false);
    fill(all + p.token, e * (net.filters + 4), tensor++, false);
    fill(all + p.token_bias, e, tensor++, false);
    for (int64_t n = 0; n < 2; n++) {
        double *own = all + p.layer + n * p.layer_size;
        fill(own + p.query, e * s, tensor++, false);
        fill(own + p.query_bias, e, tensor++, false);
        if (score == NG_SCORE_LINEAR) fill(own + p.key, e * e, 100 + n, false);
        fill(own + p.value, e * e, tensor++, false);
        fill(own + p.value_bias, e, tensor++, false);
        fill(own + p.output, e * e, tensor++, false);
        fill(own + p.output_bias, e, tensor++, false);
        fill(own + p.read_gain, e, tensor++, true);
        fill(own + p.read_offset, e, tensor++, false);
        fill(own + p.hidden, m * e, tensor++, false);
        fill(own + p.hidden_bias, m, tensor++, false);
        fill(own + p.written, s * m, tensor++, false);
        fill(own + p.written_bias, s, tensor++, false);
        fill(own + p.write_gain, s, tensor++, true);
        fill(own + p.write_offset, s, tensor++, false);
    }
    fill(all + p.final_gain, s, tensor++, true);
    fill(all + p.final_offset, s, tensor++, false);
    fill(all + p.weight, s, tensor++, false);
    fill(all + p.intercept, 1, tensor++, false);
    for (int64_t i = 0; i < s; i++) net.start[i] = 4 * known(i, 0);
    return net;
}

static void encode(const char *text, int64_t length, uint8_t *codes, bool reverse)
{
    for (int64_t i = 0; i < length; i++) {
        const char *letter = strchr("ACGT", text[reverse ? length - 1 - i : i]);
        codes[i] = letter ? (uint8_t)(reverse ? 3 - (letter - "ACGT") : letter - "ACGT") : 4;
    }
}

static ng_pass *pass_of_fixture(const ng_motif_network *net)
{
    ng_pass *pass = ng_pass_new(net, 4, true, &run, &error);
    CHECK(pass != NULL);
    for (int64_t b = 0; b < 4; b++) {
        encode(b % 2 ? "GGATTACACCGTNNATGCGA" : "ACGTACCTGAGGTTCAGCAT", 20, pass->codes + b * 20, b >= 2);
        pass->y[b] = b % 2 == 0;
    }
    return pass;
}

static double norm(const double *x, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += x[i] * x[i];
    return sqrt(sum);
}

static const ng_motif_weights all_parts = {300, 0.01, 0.1, 1e-3, 1};

static void test_values(void)
{
    static const struct { ng_motif_score score; bool mask, tied; int64_t parameters; double total, fit, overlap, l1, entropy, norm; } expected[] = {
        {NG_SCORE_VALUE, false, false, 384, 12.417963640225, .730269735076, .037208078841, 12.113402061856, 4.041362322327, 29.0084449432},
        {NG_SCORE_IDENTITY, false, false, 384, 12.380414208944, .695137694416, .037208078841, 12.113402061856, 4.017188416122, 28.9477011099},
        {NG_SCORE_LINEAR, false, false, 416, 12.381704032608, .691970035462, .037208078841, 12.113402061856, 4.061763242296, 28.9729564960},
        {NG_SCORE_VALUE, true, false, 384, 7.687348100558, .730269735076, .021439360375, 12.113402061856, 4.041362322327, 19.4816371247},
        {NG_SCORE_VALUE, false, true, 369, 10.705496956394, .711281272278, .031413064083, 16.226804123711, 4.080284179458, 27.2177114209},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const ng_motif_network net = fixture(expected[i].score, expected[i].tied, expected[i].mask);
        ng_pass *pass = pass_of_fixture(&net);
        double gradient[416], mean[4], variance[4];
        ng_motif_loss loss;
        CHECK(pass->at.count == expected[i].parameters);
        ng_pass_gradient(pass, &all_parts, false, &run, &loss, gradient, mean, variance);
        CHECK(near(loss.total, expected[i].total, 1e-9));
        CHECK(near(loss.fit, expected[i].fit, 1e-9));
        CHECK(near(loss.overlap, expected[i].overlap, 1e-9));
        CHECK(near(loss.l1, expected[i].l1, 1e-9));
        CHECK(near(loss.entropy, expected[i].entropy, 1e-9));
        CHECK(near(norm(gradient, pass->at.count), expected[i].norm, 1e-8));
    }
}

static void test_insides(void)
{
    ng_motif_network net = fixture(NG_SCORE_VALUE, false, false);
    ng_pass *pass = pass_of_fixture(&net);
    const ng_motif_places *at = &pass->at;
    double g[384], mean[3], variance[3];
    ng_motif_loss loss;
    ng_pass_gradient(pass, &all_parts, false, &run, &loss, g, mean, variance);
    static const double most[3] = {.829896907, 1.479381443, .654639175}, p[4] = {.417062718957, .496495908208, .476705671001, .461808490398};
    static const double running_mean[3] = {.011105215282, .029843844754, .005609460279};
    static const double running_variance[3] = {.904322745436, .914646673612, .902184121063};
    static const int firing[3] = {27, 37, 12};
    int64_t silent = 0;
    double sum = 0;
    for (int64_t f = 0; f < 3; f++) {
        int64_t count = 0;
        double largest = 0;
        for (int64_t t = 0; t < 4 * 17; t++) {
            const double a = ((double *)pass->rows)[t * 8 + f];
            count += a > 0;
            largest = fmax(largest, a);
            sum += a;
        }
        CHECK(count == firing[f] && near(largest, most[f], 1e-9));
        CHECK(near(0.1 * mean[f], running_mean[f], 1e-10));
        CHECK(near(0.9 + 0.1 * variance[f] * 68 / 67, running_variance[f], 1e-10));
        net.mean[f] = 0.1 * mean[f];
        net.variance[f] = 0.9 + 0.1 * variance[f] * 68 / 67;
    }
    for (int64_t t = 0; t < 4 * 17; t++) {
        const double *a = (double *)pass->rows + t * 8;
        silent += a[0] + a[1] + a[2] == 0;
    }
    CHECK(near(sum, 31.659793814, 1e-9) && silent == 21);
    for (int64_t b = 0; b < 4; b++) CHECK(near(1 / (1 + exp(-pass->logit[b])), p[b], 1e-10));
    CHECK(near(g[at->filter], -.4941518168, 1e-9) && near(g[at->bias], 8.290124734, 1e-8) && near(g[at->gain], -.007359569858, 1e-10));
    CHECK(near(g[at->token], .04313563179, 1e-10) && near(g[at->token_bias], -.0198787521, 1e-10));
    const double *own = g + at->layer, *second = own + at->layer_size;
    CHECK(near(own[at->query], .001733295977, 1e-11) && near(own[at->value], 6.334172863e-5, 1e-13));
    CHECK(near(second[at->query], -.009616369819, 1e-11) && near(second[at->value], -.004525005072, 1e-11));
    CHECK(near(second[at->output], .022473418, 1e-9) && near(own[at->written], -.02383651321, 1e-10));
    CHECK(near(g[at->weight], .04094440166, 1e-10));

    ng_pass_gradient(pass, &(ng_motif_weights){0}, false, &run, &loss, g, mean, variance);
    CHECK(near(norm(g, 384), .4679846442, 1e-9) && near(g[0], -.007072427055, 1e-11) && isnan(loss.overlap));
    double fit[384];
    memcpy(fit, g, sizeof fit);
    ng_pass_gradient(pass, &(ng_motif_weights){.overlap = 1}, true, &run, &loss, g, mean, variance);
    for (int i = 0; i < 384; i++) g[i] -= fit[i];
    CHECK(near(norm(g, 384), .09638269921, 1e-10) && near(g[0], -.001590671562, 1e-11) && near(g[at->bias], .02756644136, 1e-11));
    CHECK(near(norm(g + at->gain, 384 - at->gain), 0, 1e-14));
    ng_pass_gradient(pass, &(ng_motif_weights){.entropy = 1}, false, &run, &loss, g, mean, variance);
    for (int i = 0; i < 384; i++) g[i] -= fit[i];
    CHECK(near(norm(g, 384), .3205379949, 1e-9) && near(g[0], .001220787068, 1e-11));
    CHECK(near(g[at->layer + at->layer_size + at->query], .01467710057, 1e-10));

    ng_pass_freeze(pass);
    ng_pass_forward(pass, 4, &run);
    static const double frozen[4] = {.524124436893, .525762484248, .525945145478, .52496363215};
    for (int b = 0; b < 4; b++) CHECK(near(1 / (1 + exp(-pass->logit[b])), frozen[b], 1e-10));
    for (int f = 0; f < 3; f++) net.mean[f] = 0, net.variance[f] = 1;
    memset(pass->codes, 4, 20);
    ng_pass_freeze(pass);
    ng_pass_forward(pass, 1, &run);
    CHECK(near(1 / (1 + exp(-pass->logit[0])), .52553933431, 1e-10));
}

/* ---- gradients by central differences ---- */

static void test_differences(ng_motif_score score, bool tied, bool mask, bool regression)
{
    ng_motif_network net = {.length = 24, .filters = 4, .width = 5, .positions = 4, .dim = 4, .heads = 2, .hidden = 5, .stream = 6, .layers = 2,
                            .score = score, .tied = tied, .mask_silent = mask, .regression = regression, .float64 = true};
    new_network(&net);
    ng_motif_begin(&net, 5);
    ng_pass *pass = ng_pass_new(&net, 9, true, &run, &error);
    const ng_motif_places *at = &pass->at;
    for (int64_t i = 0; i < at->free; i++) {
        net.parameters[at->gain + i] += 0.3 * draw_real();
        net.parameters[at->offset + i] += 0.3 * draw_real();
        net.parameters[at->bias + i] += 0.2;
    }
    for (int64_t i = 0; i < 9 * 24; i++) pass->codes[i] = (uint8_t)draw(tied ? 4 : 5);   /* a palindrome around an N ties a pair */
    for (int64_t b = 0; b < 9; b++) pass->y[b] = (double)draw(101) / 100;
    const ng_motif_weights weights = {300, 0.01, 0.3, 0, 1};
    double *gradient = room(at->count, sizeof *gradient), *other = room(at->count, sizeof *other), mean[4], variance[4];
    ng_motif_loss loss, up, down;
    ng_pass_gradient(pass, &weights, false, &run, &loss, gradient, mean, variance);
    const int64_t every = score == NG_SCORE_LINEAR ? 1 : 4;
    for (int64_t i = 0; i < at->count; i++) {
        const double was = net.parameters[i], h = 1e-6;
        if (draw(every) > 0) continue;
        net.parameters[i] = was + h;
        ng_pass_gradient(pass, &weights, false, &run, &up, other, mean, variance);
        net.parameters[i] = was - h;
        ng_pass_gradient(pass, &weights, false, &run, &down, other, mean, variance);
        net.parameters[i] = was;
        CHECK(fabs((up.total - down.total) / (2 * h) - gradient[i]) <= 2e-8);        /* rounding of a loss of 10 over 2 h is 1e-9 */
    }
}

/* ---- the overlap loss ---- */

static double column_mass(const double *filters, int64_t width, int64_t f, int64_t w)
{
    double sum = 0;
    for (int64_t c = 0; c < 4; c++) sum += fabs(filters[(f * width + w) * 4 + c]);
    return sum;
}

/* The sentence of the loss in loops: where one filter wins, others within its width that put weight on the same bases pay. */
static double naive_overlap(const double *filters, int64_t count, int64_t width, const double *a, int64_t tokens, bool mask)
{
    double sum = 0, total = 0;
    for (int64_t f = 0; f < count; f++)
        for (int64_t w = 0; w < width; w++) total += column_mass(filters, width, f, w);
    for (int64_t i = 0; i < tokens; i++) {
        int64_t best = 0;
        for (int64_t f = 1; f < count; f++) best = a[i * count + f] > a[i * count + best] ? f : best;
        if (mask && a[i * count + best] == 0) continue;
        for (int64_t f = 0; f < count; f++)
            for (int64_t shift = 1 - width; f != best && shift < width; shift++) {
                if (i + shift < 0 || i + shift >= tokens) continue;
                double mine = 0, theirs = 0;
                for (int64_t w = 0; w < width; w++) {                /* column w of mine lies on column w - shift of theirs */
                    if (w - shift < 0 || w - shift >= width) continue;
                    mine += column_mass(filters, width, best, w);
                    theirs += column_mass(filters, width, f, w - shift);
                }
                sum += mine * theirs * a[(i + shift) * count + f];
            }
    }
    return sum / ((double)tokens * (double)count * (double)(2 * width - 1) * total);
}


/* By hand: F = 2, W = 2, T = 3, masses (1, 2) and (3, 1), activations by position (1, 0), (0, 2), (.5, .5). */
static void test_overlap_by_hand(void)
{
    const ng_motif_network net = {.filters = 2, .width = 2};
    const double a[6] = {1, 0, 0, 2, .5, .5}, filters[16] = {[0] = 1, [5] = -2, [8] = 3, [15] = 1};
    const int winner[3] = {0, 1, 0};
    double differences[2 * 4 * 2] = {0}, gradient[16] = {0};
    for (int i = 0; i < 3; i++)
        for (int shift = -1; shift <= 1; shift++)
            for (int f = 0; f < 2; f++)
                if (i + shift >= 0 && i + shift < 3) {
                    differences[(winner[i] * 4 + shift + 1) * 2 + f] += a[(i + shift) * 2 + f];
                    differences[(winner[i] * 4 + shift + 2) * 2 + f] -= a[(i + shift) * 2 + f];
                }
    CHECK(near(ng_overlap(&net, filters, 2, differences, 3, 1, gradient), .210317460317, 1e-12));
    CHECK(near(naive_overlap(filters, 2, 2, a, 3, false), .210317460317, 1e-12));
    CHECK(near(gradient[0], .005668934240, 1e-12) && near(gradient[5], -.057256235828, 1e-12));
    CHECK(near(gradient[8], .029478458050, 1e-12) && near(gradient[15], .001700680272, 1e-12));
    CHECK(gradient[1] == 0 && gradient[4] == 0);
    const ng_motif_network alone = {.filters = 1, .width = 2};
    CHECK(ng_overlap(&alone, filters, 1, differences, 3, 1, NULL) == 0);
}

static void test_overlap(bool mask)
{
    for (int trial = 0; trial < 20; trial++) {
        ng_motif_network net = {.length = 15, .filters = 1 + draw(4), .width = 4, .positions = 2, .dim = 2, .heads = 1, .hidden = 2, .stream = 3,
                                .layers = 1, .mask_silent = mask, .float64 = true};
        new_network(&net);
        ng_motif_begin(&net, (uint64_t)trial);
        ng_pass *pass = ng_pass_new(&net, 1, true, &run, &error);
        for (int64_t i = 0; i < 15; i++) pass->codes[i] = (uint8_t)draw(5);
        for (int64_t f = 0; f < net.filters; f++) net.parameters[pass->at.bias + f] -= 0.2;    /* some positions are silent */
        if (net.filters > 2)                                                                   /* and two filters always tie */
            memcpy(net.parameters + 16, net.parameters, 16 * sizeof(double)), net.parameters[pass->at.bias + 1] = net.parameters[pass->at.bias];
        double gradient[512], mean[4], variance[4], a[12 * 4];
        ng_motif_loss loss;
        ng_pass_gradient(pass, &(ng_motif_weights){.overlap = 1}, true, &run, &loss, gradient, mean, variance);
        for (int64_t t = 0; t < 12; t++)
            for (int64_t f = 0; f < net.filters; f++) a[t * net.filters + f] = ((double *)pass->rows)[t * 8 + f];
        CHECK(near(loss.overlap, naive_overlap(pass->filters, net.filters, 4, a, 12, mask), 1e-12));
        if (net.filters == 1) CHECK(loss.overlap == 0);
    }
}

/* ---- float32, threads, last short chunk ---- */

static void test_types(ng_motif_score score)
{
    ng_motif_network net = {.length = 250, .filters = 8, .width = 10, .positions = 16, .dim = 32, .heads = 4, .hidden = 32, .stream = 128, .layers = 2,
                            .score = score, .float64 = true};
    new_network(&net);
    ng_motif_begin(&net, 3);
    const ng_motif_weights weights = {300, 0.01, 0.3, 0, 1};
    double *gradient[5], mean[8], variance[8], *logit[5];
    ng_motif_loss loss[5];
    for (int k = 0; k < 5; k++) {                                    /* double; float with 1, 2, 3, 8 threads */
        static const int threads[5] = {2, 1, 2, 3, 8};
        net.float64 = k == 0;
        run.threads = threads[k];
        ng_pass *pass = ng_pass_new(&net, 37, true, &run, &error);
        draw_state = 77;
        for (int64_t i = 0; i < 37 * 250; i++) pass->codes[i] = (uint8_t)draw(4);
        for (int64_t b = 0; b < 37; b++) pass->y[b] = (double)(b % 2);
        gradient[k] = room(pass->at.count, sizeof(double));
        logit[k] = pass->logit;
        ng_pass_gradient(pass, &weights, false, &run, &loss[k], gradient[k], mean, variance);
        double worst = 0;
        for (int64_t i = 0; i < pass->at.count; i++) worst = fmax(worst, fabs(gradient[k][i] - gradient[0][i]));
        CHECK(worst <= 2e-5 * norm(gradient[0], pass->at.count));
        CHECK(near(loss[k].total, loss[0].total, 1e-6 * loss[0].total));
        if (k > 1) CHECK(!memcmp(gradient[k], gradient[1], (size_t)pass->at.count * 8) && !memcmp(&loss[k], &loss[1], sizeof *loss));
        for (int b = 0; b < 37; b++) CHECK(near(logit[k][b], logit[0][b], 2e-5));
    }
    run.threads = 2;
}

static void test_beginning(void)
{
    static const int64_t layers[3] = {1, 2, 4}, count[3] = {13369, 25209, 48889};
    for (int i = 0; i < 3; i++) {
        ng_motif_network net = {.length = 500, .filters = 8, .width = 10, .positions = 16, .dim = 32, .heads = 4, .hidden = 32, .stream = 128,
                                .layers = layers[i]};
        CHECK(ng_motif_places_of(&net).count == count[i]);
        net.score = NG_SCORE_LINEAR;
        CHECK(ng_motif_places_of(&net).count == count[i] + layers[i] * 1024);
    }
    double l1 = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        ng_motif_network net = {.length = 500, .filters = 8, .width = 10, .positions = 16, .dim = 32, .heads = 4, .hidden = 32, .stream = 128,
                                .layers = 1};
        new_network(&net);
        ng_motif_begin(&net, seed);
        for (int i = 0; i < 320; i++) l1 += fabs(net.parameters[i]) / 20;
    }
    CHECK(near(l1, 25.3, 0.5));
}

/* Five steps of Adam on the fixture. */
static void test_steps(void)
{
    static const double value[5] = {12.4179636402, 12.2583743204, 12.1048411427, 11.9552576393, 11.8072141417};
    static const struct { ng_motif_score score; bool tied; double fifth; } variants[4] = {
        {NG_SCORE_VALUE, false, 11.8072141417}, {NG_SCORE_IDENTITY, false, 11.7886660553},
        {NG_SCORE_LINEAR, false, 11.7831990863}, {NG_SCORE_VALUE, true, 10.2209847742}};
    for (int v = 0; v < 4; v++) {
        ng_motif_network net = fixture(variants[v].score, variants[v].tied, false);
        ng_pass *pass = pass_of_fixture(&net);
        double first[416] = {0}, second[416] = {0}, gradient[416], mean[4], variance[4];
        ng_motif_adam adam = {first, second, 0};
        ng_motif_loss loss;
        for (int step = 0; step < 5; step++) {
            ng_pass_gradient(pass, &all_parts, false, &run, &loss, gradient, mean, variance);
            if (v == 0) CHECK(near(loss.total, value[step], 1e-8));
            ng_motif_step(&net, &adam, gradient, &all_parts);
        }
        CHECK(near(loss.total, variants[v].fifth, 1e-8));
    }
}

/* Whole epochs from data, with every thread count the same bits; every sequence is used once. */
static void test_epoch(bool balance)
{
    double *trained[3];
    int64_t parameters = 0;
    const int64_t n = 75, length = 60;
    uint8_t *codes = room(n * length, 1);
    double *y = room(n, sizeof *y);
    for (int64_t i = 0; i < n * length; i++) codes[i] = (uint8_t)draw(5);
    for (int64_t i = 0; i < n; i++) y[i] = (double)(draw(3) == 0);
    for (int k = 0; k < 3; k++) {
        ng_motif_network net = {.length = length, .filters = 4, .width = 6, .positions = 4, .dim = 8, .heads = 2, .hidden = 8, .stream = 16, .layers = 1};
        new_network(&net);
        ng_motif_begin(&net, 9);
        parameters = ng_motif_places_of(&net).count;
        ng_motif_adam adam = {room(parameters, 8), room(parameters, 8), 0};
        const ng_motif_data data = {.codes = codes, .y = y, .n = n, .balance = balance, .mirror = true};
        const ng_motif_weights weights = {10, 1e-3, 0, 1e-2, 1};
        ng_motif_epoch epoch;
        run.threads = k == 0 ? 1 : k == 1 ? 2 : 5;
        double first = 0;
        for (int64_t e = 0; e < 5; e++) {
            CHECK(ng_motif_train(&net, &adam, &data, &weights, 20, e, 3, &run, &epoch, &error) == NG_OK);
            CHECK(epoch.batches == 7 && epoch.skipped == 0);
            if (e == 0) first = epoch.loss.total;
        }
        CHECK(epoch.loss.total < first);
        trained[k] = net.parameters;
        if (k > 0) CHECK(!memcmp(trained[k], trained[0], (size_t)parameters * 8));
    }
    run.threads = 2;
}

/* Peaks and windows against loops over what ng_motif_predict() gives. */
static void test_reading(void)
{
    ng_motif_network net = {.length = 30, .filters = 5, .width = 6, .positions = 4, .dim = 8, .heads = 2, .hidden = 8, .stream = 10, .layers = 2};
    new_network(&net);
    ng_motif_begin(&net, 2);
    const int64_t n = 300, tokens = 25, maps = 4;
    const double cut = 0.048;
    uint8_t *codes = room(n * 30, 1);
    for (int64_t i = 0; i < n * 30; i++) codes[i] = (uint8_t)draw(5);
    double *logit = room(n, 8), *a = room(n * tokens * 5, 8), *attention = room(n * maps * tokens, 8), *stream = room(n * 3 * 10, 8);
    double *at_peaks = room(n * maps * 20 * 5, 8);
    const ng_motif_inside inside = {a, attention, stream};
    ng_motif_peak *peaks = room(n * maps * 20, sizeof *peaks);
    int64_t count, expected = 0;
    CHECK(ng_motif_predict(&net, codes, n, &run, logit, &inside, &error) == NG_OK);
    CHECK(ng_motif_peaks(&net, codes, n, cut, &run, peaks, at_peaks, &count, &error) == NG_OK);
    for (int64_t b = 0; b < n; b++) {
        for (int64_t t = 0; t < tokens; t++) {
            double most = 0;
            for (int64_t k = 0; k < maps; k++) most = fmax(most, attention[(b * maps + k) * tokens + t]);
            if (!(most > cut)) continue;
            const ng_motif_peak *peak = &peaks[expected];
            CHECK(expected < count && peak->sequence == b && peak->position == t && peak->attention == most);
            CHECK(attention[(b * maps + peak->layer * 2 + peak->head) * tokens + t] == most);
            CHECK(!memcmp(at_peaks + expected * 5, a + (b * tokens + t) * 5, 40));
            expected++;
        }
        for (int64_t k = 0; k < maps; k++) {
            double sum = 0;
            for (int64_t t = 0; t < tokens; t++) sum += attention[(b * maps + k) * tokens + t];
            CHECK(near(sum, 1, 1e-5));
        }
        for (int64_t i = 0; i < 10; i++) CHECK(near(stream[b * 30 + i], net.start[i], 1e-6));
    }
    CHECK(count == expected && count > 20);
    double highest[5] = {0}, windows[5] = {0}, positive[5] = {0}, counts[5 * 24] = {0};
    CHECK(ng_motif_collect(&net, codes, n, &run, &(ng_motif_windows){highest, windows, positive, counts}, &error) == NG_OK);
    for (int64_t f = 0; f < 5; f++) {
        double most = 0, sum = 0, above = 0, firing = 0, letters[24] = {0};
        for (int64_t i = 0; i < n * tokens; i++) most = fmax(most, a[i * 5 + f]), sum += a[i * 5 + f], firing += a[i * 5 + f] > 0;
        for (int64_t i = 0; i < n * tokens; i++)
            if (a[i * 5 + f] > most / 2) {
                above++;
                for (int64_t w = 0; w < 6; w++)
                    if (codes[i / tokens * 30 + i % tokens + w] < 4) letters[w * 4 + codes[i / tokens * 30 + i % tokens + w]]++;
            }
        CHECK(highest[f] == most && windows[f] == above && near(positive[f], firing > 0 ? sum / firing : 0, 1e-12));
        CHECK(!memcmp(letters, counts + f * 24, sizeof letters));
    }
}

int main(void)
{
    begin();
    test_steps();
    test_epoch(false);
    test_epoch(true);
    test_reading();
    test_values();
    test_insides();
    for (int score = 0; score < 3; score++)
        for (int tied = 0; tied < 2; tied++) test_differences((ng_motif_score)score, tied, score == 1, false);
    test_differences(NG_SCORE_VALUE, false, true, true);
    test_overlap_by_hand();
    test_overlap(false);
    test_overlap(true);
    for (int score = 0; score < 3; score++) test_types((ng_motif_score)score);
    test_beginning();
    ng_arena_free(arena);
    return finish();
}
