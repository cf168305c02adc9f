/* core/attribution/gene_sets.h: where the features of a set stand in the ranking of all features, now and in draws.
 *
 * The running sum of a set S goes down the n features from the highest mean r_(1): up by |r|^w / W at a member (W: the sum of |r|^w over
 * members; equal steps if that is 0), down by 1 / (n - |S|) elsewhere. `high` is its maximum, `low` its minimum, over the ends of
 * ties, so that the order of equals means nothing. Subramanian et al. 2005, doi:10.1073/pnas.0506580102. */
#ifndef NG_ATTRIBUTION_GENE_SETS_H
#define NG_ATTRIBUTION_GENE_SETS_H
#include "core/attribution/moved_annotation.h"

enum { NG_SET_BINS = 20 };

/* Memberships feature by feature: the sets of feature f are set[first[f]] .. set[first[f + 1] - 1]. */
typedef struct ng_gene_sets { const int64_t *first, *set; int64_t features, sets; double weight; } ng_gene_sets;

/* bins: how many members have their quantile among all features, 0 to 1 and ties counted half, in each twentieth. */
typedef struct ng_set_score { double high, low; int64_t bins[NG_SET_BINS]; } ng_set_score;

/* Bytes of room that ng_score_sets() needs. */
int64_t ng_score_sets_room(const ng_gene_sets *sets);

/* The scores of all sets for these means; a feature whose mean is NaN is not there. */
void ng_score_sets(const ng_gene_sets *sets, const double *means, void *room, ng_set_score *scores);

/* Of a set in all draws: how often its extremes were at least as far out, the sums of them, and of the counts in the bins and their squares. */
typedef struct ng_set_null { int64_t high, low; double sum_high, sum_low, bins[NG_SET_BINS], squares[NG_SET_BINS]; } ng_set_null;

/* Adds to null. */
ng_status ng_moved_sets(const ng_annotation *annotation, const ng_gene_sets *sets, const ng_set_score *observed, uint64_t key,
                        int64_t draws, const ng_run *run, ng_set_null *null, ng_error *error);

#endif
