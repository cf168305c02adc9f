/* core/base/run.h: how to run, everything a call may use besides its arguments. */
#ifndef NG_BASE_RUN_H
#define NG_BASE_RUN_H
#include <stdbool.h>
#include "core/base/store.h"

/* What a call that only takes its memory tells of itself. */
typedef struct ng_rehearsal {
    int64_t nodes;                               /* of a path that go in one round; 0: all of them */
} ng_rehearsal;

typedef struct ng_run {
    ng_arena *arena;                             /* all memory of the call; freed once, by whoever made it */
    ng_store *store;                      /* of what is made from the model's weights; NULL: the call makes it for itself */
    int threads;
    int64_t tile_bytes, round_bytes;             /* working set of a tile and of a round; 0: the defaults. No result depends on them */
    ng_rehearsal *rehearsal;                     /* the call ends when it has all its memory, before any work, and fills this in; or NULL */
    bool plain;                                  /* layer files only, no kernels that stand for several layers: for comparison */
    bool direct;                                 /* no kernels whose tiles must begin at certain rows: cones begin anywhere */
    bool (*poll)(void *data, double done);       /* called between rounds, outside parallel regions; true: stop */
    void *poll_data;
} ng_run;

/* NG_STOPPED if the user wants to stop, else NG_OK; done in [0, 1]. */
ng_status ng_poll(const ng_run *run, double done, ng_error *error);

/* The largest sensible number of threads here: OpenMP's, or 1 without OpenMP or in a forked child. */
int ng_threads_available(void);

#endif
