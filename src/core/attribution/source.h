/* core/attribution/source.h: sequences as sources of input rows, and where their scores go. Letters become rows here. */
#ifndef NG_ATTRIBUTION_SOURCE_H
#define NG_ATTRIBUTION_SOURCE_H
#include "core/attribution/path_integral.h"
#include "core/attribution/shuffle.h"
#include "core/network/stream.h"

/* Windows of one contig. bases: 0..3 = A, C, G, T; anything else is ambiguous: a zero row in the sequence and in the baseline,
 * so that it carries no score. Window w holds rows starts[w] .. starts[w] + window - 1; on a circular contig they wrap. */
typedef struct ng_contig {
    const uint8_t *bases;
    int64_t length, window;
    const int64_t *starts;
    const float *baseline;                       /* (4), or (window, 4) if baseline_rows */
    bool baseline_rows;
    int64_t tokens;                              /* 0; or a row is one-hot of so many tokens: 1..4 = A, C, G, T; 5 = ambiguous, or 0 */
                                                 /* if there are only five. The baseline has the same token where a base is ambiguous */
    const uint8_t *baseline_bases;               /* or (windows, window): a sequence for each window, 1/4 of each base where ambiguous; */
    const ng_draw *baseline_draw;                /* or a row from the simplex at each base's place */
    double *scores;                              /* (length, 4), column by column: the sink adds each window's scores there. New memory: */
    int64_t cleared;                             /* so many rows are in use, those after them not before their turn */
} ng_contig;

/* Zeros for the rows up to `last` that are not in use yet. */
void ng_contig_clear(ng_contig *contig, int64_t last);

/* How many of the first windows begin one step after the other. */
int64_t ng_regular_windows(const int64_t *starts, int64_t windows);

ng_shape ng_contig_shape(const ng_contig *contig);                       /* of a window */
ng_source ng_contig_source(const ng_contig *contig);
ng_sink ng_contig_sink(ng_contig *contig);

/* Arrays of numbers, one per input of the model: (windows, rows, channels). */
typedef struct ng_arrays {
    const float *const *x, *const *baseline;     /* baseline may be NULL for a forward run */
    const int64_t *baseline_stride;              /* floats from one window's baseline to the next; 0 if all share it */
    const ng_shape *shapes;
    double *const *scores;                       /* like x: overwritten by the sink */
} ng_arrays;

ng_source ng_arrays_source(const ng_arrays *arrays);
ng_sink ng_arrays_sink(ng_arrays *arrays);

#endif
