/* core/network/stream.h: runs a plan over data, round by round. It knows tiles, threads and rounds, and no formula.
 *
 * A sample is a window of the input at one node of the path from its baseline to itself. A round is a few windows at a few
 * nodes: trunk forward by stages and tiles (codes kept), head forward and backward, trunk backward, until the gradient
 * arrives at the origins and is added there, weighted, in the order of the nodes. Nothing depends on how rounds, tiles and
 * threads divide the work. */
#ifndef NG_NETWORK_STREAM_H
#define NG_NETWORK_STREAM_H
#include "core/base/run.h"
#include "core/network/plan.h"

/* Where the input comes from. rows() writes rows [first, last) of input `input` of window `window`, (rows, channels): the
 * sequence itself, and the baseline unless that is NULL; the baseline alone if both are the same memory. Called from many threads. */
typedef struct ng_source {
    void (*rows)(const void *data, int input, int64_t window, ng_range rows, float *sequence, float *baseline);
    const void *data;
} ng_source;

/* A scalar that is differentiated, a target: F = sum over wanted nodes w and i of cotangent[w][i] * output_w[i], in double. A NULL
 * entry is a zero. window_stride[w]: floats from one window's cotangent to the next; 0 if all share it. */
typedef struct ng_objective { const float *const *cotangent; const int64_t *window_stride; } ng_objective;

typedef struct ng_round {
    int64_t first_window, windows;               /* of the source */
    int64_t nodes;                               /* points of the path in this round */
    const double *positions, *weights;           /* of each node: 0 the baseline .. 1 the sequence; its weight in the integral */
    int64_t window_stride;                       /* from a window's positions and weights to the next one's; 0 if all share them */
    bool exact;                                  /* equal rows stay equal: for a baseline, which may tie a whole layer */
    bool begin;                                  /* its first node begins the sums */
} ng_round;

typedef struct ng_stream {
    const ng_plan *plan;
    const ng_run *run;
    const ng_source *source;
    bool exact;                                  /* of the round */
    int64_t samples;                             /* room in a round */
    int targets, target;                         /* how many scalars are differentiated; the one whose gradient is on its way */
    float **kept;                                /* by node: (samples, rows, channels): values, then gradients of a target */
    float **boundary;                            /* by node of the boundary, if there are several targets: (targets, samples, rows, */
                                                 /* channels), gradients that the head gives the trunk */
    uint8_t **codes;                             /* by node: (samples, rows, code_bytes) */
    int64_t windows;                             /* whose gradients are summed at a time; 0: a forward stream */
    float **sums, **apart_sums;                  /* by origin: weighted sums of gradients, (targets, windows, rows, channels); and for the */
                                                 /* windows of a pool that keep their rows apart, (targets, apart_most, size, channels) */
    int64_t **apart_before, *apart_most;         /* by pooled origin: how many those are before each block of NG_WINDOWS; in all, at most */
    int ends;                                    /* of the path whose gradients are summed: 2, or 1 for the sequence alone */
    bool apart;                                  /* this path begins at the baseline itself: all windows keep their rows apart */
    struct ng_winners **winners;                 /* by pooled origin: (windows) */
    bool ended;                                  /* sums are delivered for the last time */
    struct ng_worker *workers;                   /* one per thread */
} ng_stream;

/* Takes the memory of threads and of sums; windows: how many windows' gradients are summed at a time, 0 for a forward stream; for so
 * many targets. The path is then one between both ends; see `ends` and `apart` for others. */
ng_status ng_stream_make(const ng_plan *plan, const ng_source *source, int64_t windows, int targets, const ng_run *run,
                         ng_stream *stream, ng_error *error);

/* Takes the memory for what ng_stream_begin() has found to be kept apart, and for rounds of `samples` samples, or of fewer if they
 * took more than a third of what is left: stream->samples, one for each window at least. */
ng_status ng_stream_make_rounds(ng_stream *stream, int64_t samples, ng_error *error);

/* Bytes of threads; of the sums of one window, at most; of a sample. */
int64_t ng_stream_bytes(const ng_plan *plan, int threads);
int64_t ng_window_bytes(const ng_plan *plan, int targets);
int64_t ng_sample_bytes(const ng_plan *plan, int targets);

/* Before the rounds of these windows, if gradients will be summed, and, for all windows, before ng_stream_make_rounds(): finds the
 * winners of pooled origins. */
void ng_stream_begin(ng_stream *stream, int64_t first_window, int64_t windows);

/* Runs a round forward. values: F of each target and sample, (targets, windows, nodes), or NULL, as objectives may then be. outputs[w]:
 * each sample's output of wanted node w, (windows, nodes, size), or outputs NULL. */
void ng_stream_forward(ng_stream *stream, const ng_round *round, const ng_objective *objectives, double *values, float *const *outputs);

/* Runs a round forward, and backward for each target: adds weight * dF/d(origin) of each node to sums[origin]. values: as above. */
void ng_stream_gradient(ng_stream *stream, const ng_round *round, const ng_objective *objectives, double *values);

/* After the last round: gives back what only rounds need, before scores take memory of their own, and sums as they are delivered. */
void ng_stream_end(ng_stream *stream);

/* Takes rows of scores of one window, in double, and their sum. */
typedef void ng_receiver(void *data, int input, int64_t window, ng_range rows, const double *scores, double sum);

/* The gradients of the inputs of a target for these windows, the first ones of the sums, or times the difference of their ends: blocks of rows go to
 * take(), in ascending order, one at a time, from any thread. */
void ng_stream_deliver(ng_stream *stream, int target, int64_t first_window, int64_t windows, bool times_difference, ng_receiver *take, void *data);

#endif
