/* core/base/store.h: numbers that are made from a model's weights and outlive the call that made them: the next call finds them again,
 * if it asks for the same. Not thread-safe. */
#ifndef NG_BASE_STORE_H
#define NG_BASE_STORE_H
#include <stdbool.h>
#include "core/base/arena.h"

typedef struct ng_store ng_store;

/* How numbers were made: from the weights at `of`, which never change, by code of this name and with these settings. */
typedef struct ng_recipe { const float *of; const char *code; int64_t settings[4], count; } ng_recipe;

/* NULL if the system has no memory. */
ng_store *ng_store_new(void);
void ng_store_free(ng_store *store);

/* A call begins, and has asked for nothing yet; frees what the call has not asked for. */
void ng_store_begin(ng_store *store);
void ng_store_trim(ng_store *store);

/* recipe->count floats, aligned to 64 bytes; *made says whether they hold the numbers already, else the caller fills them in at once.
 * The first time that a call asks for them its arena is charged. NULL and *error as ng_alloc() gives. store NULL: they are the arena's own. */
float *ng_store_floats(ng_store *store, const ng_recipe *recipe, ng_arena *arena, bool *made, ng_error *error);

#endif
