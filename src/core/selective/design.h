/* core/selective/design.h: what is fixed before the response is seen: candidate motifs, their activations, weights and cells.
 *     score of candidate l = (w_l a_l' r)^2,  a_l = P_1 phi_l,  P_1 takes the covariates away
 *     w_l^2 = 1 / (|a_l|^2 + lambda) for ridge, 1 for HSIC; with projected norms P_j phi_l stands in for a_l at step j
 * All of it lives in the design's own arena. */
#ifndef NG_SELECTIVE_DESIGN_H
#define NG_SELECTIVE_DESIGN_H
#include "core/selective/features.h"
#include "core/selective/sequences.h"

typedef enum ng_score { NG_RIDGE, NG_HSIC } ng_score;
typedef struct ng_scoring { ng_score score; double lambda, bandwidth; bool projected, both; } ng_scoring;

typedef enum ng_candidate_kind { NG_KMERS, NG_SOFT, NG_LATTICE, NG_PWMS } ng_candidate_kind;

/* What G(X) is made of. mesh: M of the cells. pwms are only read for NG_PWMS. */
typedef struct ng_proposal {
    ng_candidate_kind kind;
    const int *k;  int widths;
    const double *const *pwms;  const int *pwm_k;  int64_t pwm_count;
    double min_seqs, max_candidates;
    int mesh;
} ng_proposal;

/* A candidate's motif: a k-mer and which variant of it, or (NG_PWMS) the consensus of PWM number `variant`. */
typedef struct ng_motif { uint32_t kmer; int32_t variant; int k; } ng_motif;

typedef struct ng_design {
    ng_arena *arena;
    ng_scoring scoring;
    int64_t m, n, covariates;
    ng_features features;                        /* m candidates, then centres that are no candidates */
    const double *basis;                         /* covariates x n, orthonormal */
    double *norm2, *mark, *weight;               /* m: |a_l|^2, ng_residual_norms(), w_l */
    int64_t *cell;                               /* m: 0-based number of the cell */
    int64_t *centre;                             /* per cell: its row of features */
    int64_t cells;
    /* Designs of sequences; NULL or 0 in those of a matrix. */
    ng_kmer_windows *windows;  int widths;            /* of the rows, one per width */
    ng_motif *motifs;                            /* m */
    ng_candidate_kind kind;
    int mesh;
    double **pwms;                               /* NG_PWMS: every PWM that was given */
} ng_design;

/* What became of each candidate before the cut, the drop and the merge: m0 of them, in order. alias: 0-based index among them of the one
 * that stands for it; -1 constant, or cut. */
typedef struct ng_census { int64_t m0; double found; ng_motif *motifs; int64_t *alias, *kept /* m: index among the m0 */; } ng_census;

/* `rows`: the sequences that are rows of the regression (0-based). covariates: `count` columns of as many numbers; they are made
 * orthonormal here. census lives in run->arena. */
ng_status ng_seism_design(const ng_sequences *sequences, const int64_t *rows, int64_t n, const ng_proposal *proposal,
                          const ng_scoring *scoring, const double *covariates, int64_t count, const ng_run *run, ng_design *design,
                          ng_census *census, ng_error *error);

/* A design of any features: m columns of n numbers. cell: numbers in [0, m); the first candidate of a cell is its centre. */
ng_status ng_seism_matrix_design(const double *columns, int64_t m, int64_t n, const int32_t *cell, const ng_scoring *scoring,
                                 const double *covariates, int64_t count, const ng_run *run, ng_design *design, ng_census *census,
                                 ng_error *error);

/* The PWM (k x 4) of a motif, and of the centre of candidate l's cell. */
void ng_motif_pwm(const ng_design *design, const ng_motif *motif, double *pwm);
void ng_centre_pwm(const ng_design *design, int64_t l, double *pwm);

const ng_kmer_windows *ng_kmer_windows_for(const ng_design *design, int k);

/* w_l from a squared norm; 0 if nothing is left of the row: norm2 <= 1e-10 * reference. */
double ng_weight(const ng_scoring *scoring, double norm2, double reference);

#endif
