/* bridge/seism.c: .Call entries of R/seism-core.R. Steps, candidates, sequences and positions are 1-based in R; every matrix is
 * column-major as R has it. m: candidates, n: sequences (rows of the regression), r: covariates with the intercept.
 *
 * Arguments that come again
 *     sequences   list(bases raw: codes 0..3 for A, C, G, T and 4 for all else, one sequence after the other; widths integer)
 *     scoring     list(score integer 0 ridge, 1 hsic; lambda double; norm integer 0 fixed, 1 projected; bandwidth double; both logical)
 *     covariates  double n x r, full column rank, the intercept among them (r = 0 is allowed: nothing is projected out)
 *     design      pointer made by seism_design() or seism_design_matrix()
 *     y           double n, as given or transformed; the core projects and scales it
 *     step        integer j; steps 1..j are selected anew from y
 *     settings    list(test integer 0 selected, 1 global; sigma double, NA if unknown; statistic integer 0 center, 1 best;
 *                      sampler integer 0 slice, 1 line, 2 cube; L integer; stop_after integer, 0: never; key double(2): low and high
 *                      32 bits)
 *     run, frame  as everywhere: run_settings(), environment()
 *
 * Entries and results
 *     seism_activate(sequences, pwms list of 4 x k doubles, bandwidth, both, run, frame)
 *         list(activation double n x p, start integer n x p, strand integer n x p: 1 or -1); of the best window, lowest start first
 *     seism_design(sequences, rows integer or NULL: the sequences that are rows, candidates, scoring, covariates, run, frame)
 *         candidates: list(kind integer 0 kmers, 1 soft, 2 lattice, 3 pwms; k integer; pwms list; min_seqs double;
 *         max_candidates double; mesh integer M)
 *         list(pointer, kmer character m0: consensus, variant integer m0: 0 the k-mer itself, 1.. its soft or lattice variants,
 *              alias integer m0: 0 for a constant activation, own index if kept, else the candidate that stands for it,
 *              cell integer m0, seqs integer m0: rows with an exact match, found double: k-mers before max_candidates)
 *     seism_design_matrix(features double n x m, cells integer m, scoring, covariates, run, frame)
 *         any features; the centre of a cell is its first candidate. list(pointer, alias integer m)
 *     seism_select(design, y, q, run, frame)
 *         list(candidate integer q', score double (HSIC without (n-1)^-2), rival integer: best candidate outside, rival_score,
 *              residual double: |P_j y|^2, freedom integer: d_j, centre_norm double: |P_j phi_c|^2, centre_share double: that over
 *              |phi_c|^2, effect double: a_c' P_j y, members integer: candidates in the cell, phi double n x q', pwm list of 4 x k
 *              (NULLs for a matrix design)); q' <= q, fewer if the residual is explained
 *     seism_member(design, y, step, responses double n x s, run, frame)
 *         logical s: is this response in E_j of y
 *     seism_chains(design, y, step, settings, chains integer(2): first and last id, run, frame)
 *         list(statistic double: T of y, null double: T of chains first.., shorter if stop_after exceedances were met,
 *              steps, trials, frozen double: counts, boundary double: distance of y to the boundary)
 *     seism_trace(design, y, step, settings, chain integer id, burn integer, steps integer, run, frame)
 *         list(statistic, trace double steps, trials, frozen)
 *     seism_p_value(null double, statistic, stop_after)      double(3): p, exceedances, draws used
 *     seism_autocorrelation(trace double)                    double: integrated autocorrelation time
 *     seism_closed(design, y, step, sigma (NA: circle), signs logical: condition on the signs of all steps, level, run, frame)
 *         list(p, t0, intervals double 2 x i, confint double(2) for e'mu (NA on the circle), slope double: |eta_j|)
 *     seism_permutations(design, y, settings, proposals integer, chains, run, frame)   as seism_chains(), first step
 *     seism_max_t(design, y, B, key double(2), run, frame)   list(statistic, null double B)
 *     seism_split(y, covariates, phi double n x q)           double 3 x q: F, residual degrees of freedom, p
 *     seism_polish(design, y, step, free logical, run, frame)
 *         list(pwm 4 x k, before, score, iterations)
 * Draws of seism_chains(1..B) are those of 1..b and b+1..B: a long run goes on where it ended. */
#include "bridge/bridge.h"

static SEXP missing(void) { bridge_assert(!"this entry is written"); return R_NilValue; }


SEXP bridge_seism_activate(SEXP sequences, SEXP pwms, SEXP bandwidth, SEXP both, SEXP run, SEXP frame)
{
    (void)sequences; (void)pwms; (void)bandwidth; (void)both; (void)run; (void)frame;
    return missing();
}

SEXP bridge_seism_design(SEXP sequences, SEXP rows, SEXP candidates, SEXP scoring, SEXP covariates, SEXP run, SEXP frame)
{
    (void)sequences; (void)rows; (void)candidates; (void)scoring; (void)covariates; (void)run; (void)frame;
    return missing();
}

SEXP bridge_seism_design_matrix(SEXP features, SEXP cells, SEXP scoring, SEXP covariates, SEXP run, SEXP frame)
{
    (void)features; (void)cells; (void)scoring; (void)covariates; (void)run; (void)frame;
    return missing();
}

SEXP bridge_seism_select(SEXP design, SEXP y, SEXP q, SEXP run, SEXP frame)
{
    (void)design; (void)y; (void)q; (void)run; (void)frame;
    return missing();
}

SEXP bridge_seism_member(SEXP design, SEXP y, SEXP step, SEXP responses, SEXP run, SEXP frame)
{
    (void)design; (void)y; (void)step; (void)responses; (void)run; (void)frame;
    return missing();
}

SEXP bridge_seism_chains(SEXP design, SEXP y, SEXP step, SEXP settings, SEXP chains, SEXP run, SEXP frame)
{
    (void)design; (void)y; (void)step; (void)settings; (void)chains; (void)run; (void)frame;
    return missing();
}

SEXP bridge_seism_trace(SEXP design, SEXP y, SEXP step, SEXP settings, SEXP chain, SEXP burn, SEXP steps, SEXP run, SEXP frame)
{
    (void)design; (void)y; (void)step; (void)settings; (void)chain; (void)burn; (void)steps; (void)run; (void)frame;
    return missing();
}

SEXP bridge_seism_p_value(SEXP null, SEXP statistic, SEXP stop_after)
{
    (void)null; (void)statistic; (void)stop_after;
    return missing();
}

SEXP bridge_seism_autocorrelation(SEXP trace)
{
    (void)trace;
    return missing();
}

SEXP bridge_seism_closed(SEXP design, SEXP y, SEXP step, SEXP sigma, SEXP signs, SEXP level, SEXP run, SEXP frame)
{
    (void)design; (void)y; (void)step; (void)sigma; (void)signs; (void)level; (void)run; (void)frame;
    return missing();
}

SEXP bridge_seism_permutations(SEXP design, SEXP y, SEXP settings, SEXP proposals, SEXP chains, SEXP run, SEXP frame)
{
    (void)design; (void)y; (void)settings; (void)proposals; (void)chains; (void)run; (void)frame;
    return missing();
}

SEXP bridge_seism_max_t(SEXP design, SEXP y, SEXP draws, SEXP key, SEXP run, SEXP frame)
{
    (void)design; (void)y; (void)draws; (void)key; (void)run; (void)frame;
    return missing();
}

SEXP bridge_seism_split(SEXP y, SEXP covariates, SEXP phi)
{
    (void)y; (void)covariates; (void)phi;
    return missing();
}

SEXP bridge_seism_polish(SEXP design, SEXP y, SEXP step, SEXP free, SEXP run, SEXP frame)
{
    (void)design; (void)y; (void)step; (void)free; (void)run; (void)frame;
    return missing();
}
