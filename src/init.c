/* init.c: the only table of .Call entries; R sees them as C_<name>. */
#include <R_ext/Rdynload.h>
#include <R_ext/Visibility.h>
#include <Rinternals.h>
#include "core/base/run.h"

#define ENTRY(name, arity) {#name, (DL_FUNC) &bridge_##name, arity}

extern SEXP bridge_model(SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_weight(SEXP, SEXP);
extern SEXP bridge_shapes(SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_predict_contig(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_predict_arrays(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_attribute_contig(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_plan_contig(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_attribute_arrays(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_what_if(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_base_codes(SEXP);
extern SEXP bridge_shuffle(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_markov(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_mutate(SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_draw_below(SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_window_ranks(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_random(SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_moved_counts(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_moved_sets(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_seism_activate(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_seism_design(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_seism_design_matrix(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_seism_select(SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_seism_member(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_seism_chains(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_seism_trace(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_seism_p_value(SEXP, SEXP, SEXP);
extern SEXP bridge_seism_autocorrelation(SEXP);
extern SEXP bridge_seism_closed(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_seism_permutations(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_seism_max_t(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_seism_split(SEXP, SEXP, SEXP);
extern SEXP bridge_seism_polish(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_motif_simulate(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_motif_bayes(SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_trainer(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_train(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_trainer_state(SEXP);
extern SEXP bridge_trainer_weights(SEXP);
extern SEXP bridge_restore_trainer(SEXP, SEXP, SEXP);
extern SEXP bridge_motif_start(SEXP, SEXP);
extern SEXP bridge_motif_places(SEXP);
extern SEXP bridge_motif_train(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_motif_predict(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_motif_peaks(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_motif_collect(SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_threads(void);
extern SEXP bridge_kernel(SEXP);
extern SEXP bridge_check_interrupt(void);

static const R_CallMethodDef entries[] = {
    /* bridge/model.c */
    ENTRY(model, 5),
    ENTRY(weight, 2),
    ENTRY(shapes, 4),
    /* bridge/attribution.c */
    ENTRY(predict_contig, 8),
    ENTRY(predict_arrays, 8),
    ENTRY(attribute_contig, 10),
    ENTRY(attribute_arrays, 10),
    ENTRY(plan_contig, 11),
    /* bridge/what_if.c */
    ENTRY(what_if, 11),
    /* bridge/genome.c */
    ENTRY(base_codes, 1),
    /* bridge/shuffle.c */
    ENTRY(shuffle, 10),
    ENTRY(markov, 7),
    ENTRY(mutate, 5),
    ENTRY(draw_below, 5),
    /* bridge/quantiles.c */
    ENTRY(window_ranks, 8),
    ENTRY(random, 4),
    ENTRY(moved_counts, 6),
    ENTRY(moved_sets, 10),
    /* bridge/seism.c */
    ENTRY(seism_activate, 6),
    ENTRY(seism_design, 7),
    ENTRY(seism_design_matrix, 6),
    ENTRY(seism_select, 5),
    ENTRY(seism_member, 6),
    ENTRY(seism_chains, 7),
    ENTRY(seism_trace, 9),
    ENTRY(seism_p_value, 3),
    ENTRY(seism_autocorrelation, 1),
    ENTRY(seism_closed, 8),
    ENTRY(seism_permutations, 7),
    ENTRY(seism_max_t, 6),
    ENTRY(seism_split, 3),
    ENTRY(seism_polish, 6),
    /* bridge/motif_simulation.c */
    ENTRY(motif_simulate, 7),
    ENTRY(motif_bayes, 4),
    /* bridge/training.c */
    ENTRY(trainer, 7),
    ENTRY(train, 7),
    ENTRY(trainer_state, 1),
    ENTRY(trainer_weights, 1),
    ENTRY(restore_trainer, 3),
    /* bridge/motif_network.c */
    ENTRY(motif_start, 2),
    ENTRY(motif_places, 1),
    ENTRY(motif_train, 8),
    ENTRY(motif_predict, 6),
    ENTRY(motif_peaks, 6),
    ENTRY(motif_collect, 5),
    /* bridge/machine.c */
    ENTRY(threads, 0),
    ENTRY(kernel, 1),
    ENTRY(check_interrupt, 0),
    {NULL, NULL, 0}
};

void attribute_visible R_init_nucleograd(DllInfo *dll)
{
    R_registerRoutines(dll, NULL, entries, NULL, NULL);
    R_useDynamicSymbols(dll, FALSE);
    R_forceSymbols(dll, TRUE);
    ng_threads_available();                                          /* forks are noticed from here on */
}
