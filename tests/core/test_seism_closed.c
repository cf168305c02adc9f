/* Closed forms: the eight sequences against values computed once by other means, selection along orthonormal candidates, and an
 * interval with an outer end. */
#include "seism.h"
#include "core/selective/closed_form.h"

enum { RIDGE0, HSIC, RIDGE1, SCORES };

static ng_design design_for(int score, bool projected)
{
    return design_of_eight(score == HSIC ? NG_HSIC : NG_RIDGE, score == RIDGE1, projected);
}

static ng_closed closed_for(const ng_design *design, double sigma, int j, bool signs)
{
    ng_greedy_path *path = room(1, sizeof *path);
    ng_event event;
    ng_closed closed;
    *path = path_of(design, eight_y, sigma, 3);
    CHECK(ng_seism_event(design, path, j, false, false, &run, &event, &error) == NG_OK);
    CHECK((isnan(sigma) ? ng_seism_circle(&event, signs, &run, &closed, &error)
                        : ng_seism_line(&event, signs, 0.95, &run, &closed, &error)) == NG_OK);
    return closed;
}

static void eight_sequences(void)
{
    const double line[3][SCORES] = {{.004958770542543, .001178439501198, .002014865291837},
                                    {.758179456392, .654005082420, .655076825315},
                                    {.722057865199, .919034912321, .920334044682}};
    const double circle[3][SCORES] = {{.0356612297729, .0055643977561, .0122812805925},
                                      {.6021961857000, .3912017317932, .4444328070784},
                                      {.6846118841826, .8666718135392, .8666718135392}};
    const double one_sign[SCORES] = {.003926792306386, .001171972038389, .001898057035883};
    const double t0[3] = {3.511499276098, -1.006690292, -.799264477};
    for (int score = 0; score < SCORES; score++) {
        const ng_design design = design_for(score, false);
        for (int j = 1; j <= 3; j++) {
            const ng_closed closed = closed_for(&design, 1, j, false);
            CHECK(near(closed.p, line[j - 1][score], 1e-9));
            CHECK(near(closed.t0, t0[j - 1], 1e-9));
            CHECK(near(closed_for(&design, NAN, j, false).p, circle[j - 1][score], 1e-9));
        }
        CHECK(near(closed_for(&design, 1, 1, true).p, one_sign[score], 1e-9));
    }
}

static void intervals(void)
{
    const ng_design ridge = design_for(RIDGE0, false), hsic = design_for(HSIC, false), one = design_for(RIDGE1, false);
    const ng_design *first[SCORES] = {&ridge, &hsic, &one};
    const double inner[SCORES][2] = {{-1.8367748337, 1.5827719530}, {-.885236189, .877523278}, {-1.260359093, 1.188187947}};
    for (int score = 0; score < SCORES; score++) {
        const ng_intervals found = closed_for(first[score], 1, 1, false).intervals;
        CHECK(found.count == 2 && isinf(found.item[0].low) && isinf(found.item[1].high));
        CHECK(near(found.item[0].high, inner[score][0], 1e-9) && near(found.item[1].low, inner[score][1], 1e-9));
    }
    ng_intervals found = closed_for(&ridge, 1, 2, false).intervals;
    CHECK(found.count == 1 && near(found.item[0].low, -2.7356266898, 1e-9) && near(found.item[0].high, -.8198976695, 1e-9));
    found = closed_for(&ridge, 1, 3, false).intervals;
    CHECK(found.count == 1 && near(found.item[0].low, -.8967969722, 1e-9) && near(found.item[0].high, -.7637058120, 1e-9));
    found = closed_for(&hsic, 1, 2, false).intervals;
    CHECK(found.count == 2 && near(found.item[0].low, -4.2694948301, 1e-9) && near(found.item[0].high, -.6119510603, 1e-9));
    CHECK(near(found.item[1].low, 1.5799884051, 1e-9) && near(found.item[1].high, 3.9932757791, 1e-9));
}

/* The same interval as for y, turned around, with the roles of signs; scaled with y. */
static void turned_response(void)
{
    const ng_design design = design_for(HSIC, false);
    const ng_closed given = closed_for(&design, 1, 2, false);
    double turned[8];
    for (int i = 0; i < 8; i++) turned[i] = 5 - 3 * eight_y[i];
    ng_greedy_path path = path_of(&design, turned, 3, 3);
    ng_event event;
    ng_closed closed;
    CHECK(ng_seism_event(&design, &path, 2, false, false, &run, &event, &error) == NG_OK);
    CHECK(ng_seism_line(&event, false, 0.95, &run, &closed, &error) == NG_OK);
    CHECK(near(closed.p, given.p, 1e-12) && near(closed.t0, -3 * given.t0, 1e-12));
    CHECK(near(closed.intervals.item[0].low, -3 * given.intervals.item[1].high, 1e-9));
    CHECK(near(closed.low, -3 * given.high, 1e-6) && near(closed.high, -3 * given.low, 1e-6));
}

/* A sequential test that is published and implemented elsewhere: forward selection, conditioned on signs. */
static void forward_stepwise(void)
{
    const ng_design design = design_for(RIDGE0, true);
    const double with_signs[3] = {.003926792306, .996867639320, .012964424546}, without[3] = {.004958770543, .997538997536, .012964424546};
    for (int j = 1; j <= 3; j++) {
        CHECK(near(closed_for(&design, 1, j, true).p, with_signs[j - 1], 1e-9));
        CHECK(near(closed_for(&design, 1, j, false).p, without[j - 1], 1e-9));
    }
}

static void outer_end(void)
{
    const double rows[2][3] = {{1, 0, 0}, {1.5, .8, 0}}, x[3] = {2, -2, 0};
    const ng_design design = design_of_matrix(rows[0], 2, 3, (ng_scoring){.score = NG_HSIC});
    ng_greedy_path path = path_of(&design, x, 1, 1);
    ng_event event;
    ng_closed closed;
    CHECK(path.step[0].candidate == 0);
    CHECK(ng_seism_event(&design, &path, 1, false, false, &run, &event, &error) == NG_OK);
    CHECK(ng_seism_line(&event, false, 0.95, &run, &closed, &error) == NG_OK);
    CHECK(closed.intervals.count == 1 && near(closed.intervals.item[0].low, .64, 1e-12) && near(closed.intervals.item[0].high, 3.2, 1e-12));
    CHECK(near(closed.p, .0847275922917, 1e-9));
}

/* With orthonormal candidates the interval is |t| >= the second largest, and p a ratio of two normal tails, however far out. */
static void orthonormal(void)
{
    enum { M = 6 };
    double rows[M][M] = {{0}}, y[M];
    for (int l = 0; l < M; l++) rows[l][l] = 1;
    const ng_design design = design_of_matrix(rows[0], M, M, (ng_scoring){.score = NG_RIDGE});
    for (double far = 1; far < 60; far *= 2) {
        for (int l = 0; l < M; l++) y[l] = 0.5 * far * draw_real();
        y[2] = far;
        y[4] = -0.75 * far;
        ng_greedy_path path = path_of(&design, y, 1, 2);
        ng_event event;
        ng_closed closed;
        CHECK(path.steps == 2 && path.step[0].candidate == 2 && path.step[1].candidate == 4);
        CHECK(ng_seism_event(&design, &path, 1, false, false, &run, &event, &error) == NG_OK);
        CHECK(ng_seism_line(&event, false, 0.95, &run, &closed, &error) == NG_OK);
        const double expected = far < 30 ? erfc(far / sqrt(2)) / erfc(0.75 * far / sqrt(2)) : exp(-0.5 * far * far * (1 - .5625)) * .75;
        CHECK(fabs(closed.p / expected - 1) < (far < 30 ? 1e-12 : 2e-3));
        CHECK(closed.low < far && closed.high < far + 3);
    }
}

int main(void)
{
    begin();
    eight_sequences();
    intervals();
    turned_response();
    forward_stepwise();
    outer_end();
    orthonormal();
    ng_arena_free(arena);
    return finish();
}
