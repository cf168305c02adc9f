/* core/training/dropout.h: Dropout and SpatialDropout1D. Which numbers go is drawn from (key, stream, place): nothing is kept. */
#ifndef NG_TRAINING_DROPOUT_H
#define NG_TRAINING_DROPOUT_H
#include "core/network/layer.h"

typedef struct ng_dropout_draw { uint64_t key, stream; int64_t first_sample; } ng_dropout_draw;    /* first_sample: of the tile */

/* to = from / (1 - rate) where it stays, else 0; or, backward, is added to `to`. by_channel: whole channels of a sample go. */
void ng_drop(const ng_dropout_draw *draw, double rate, bool by_channel, const ng_tile *from, bool add, ng_tile *to);

#endif
