/* core/base/arena.h: all memory of a call, or of a model, in one place. What is allocated here is freed by
 * ng_arena_free() and by nothing else. Not thread-safe: allocate before the parallel region. */
#ifndef NG_BASE_ARENA_H
#define NG_BASE_ARENA_H
#include <stddef.h>
#include <stdint.h>
#include "core/base/error.h"

typedef struct ng_arena ng_arena;

/* An arena that holds at most limit_bytes; NULL if the system has no memory. */
ng_arena *ng_arena_new(int64_t limit_bytes);

/* Frees the arena and all it holds; NULL is allowed. */
void ng_arena_free(ng_arena *arena);

/* count items of size bytes, zeroed, aligned to 64 bytes; NULL and *error filled (NG_OUT_OF_MEMORY) if that does not fit
 * the limit or the system. count < 0 and an overflowing product are refused in the same way. */
void *ng_alloc(ng_arena *arena, int64_t count, size_t size, ng_error *error);

/* Counts bytes that live elsewhere as taken here, until the arena is freed. NG_OUT_OF_MEMORY if they do not fit the limit. */
ng_status ng_arena_charge(ng_arena *arena, int64_t bytes, ng_error *error);

/* A copy of text that lives as long as the arena. */
char *ng_copy_text(ng_arena *arena, const char *text, ng_error *error);

/* How many bytes ng_alloc() can still give, and has given. */
int64_t ng_arena_room(const ng_arena *arena);
int64_t ng_arena_used(const ng_arena *arena);

/* Gives one allocation back before the rest; NULL is allowed. */
void ng_release(ng_arena *arena, const void *memory);

/* Bytes of an allocation that nobody reads any more: where the system can, their pages are given back. Any thread. */
void ng_forget(void *first, int64_t bytes);

/* Frees what was allocated since the mark; NULL: everything. */
const void *ng_arena_mark(const ng_arena *arena);
void ng_arena_rewind(ng_arena *arena, const void *mark);

/* Keeps it instead: the same requests in the same order are given the same memory again, as it was left, not zeroed. The first request
 * that differs frees the rest. */
void ng_arena_repeat(ng_arena *arena, const void *mark);

#ifdef NG_DEBUG
extern int64_t ng_failing_allocation;            /* for tests: the system refuses the n-th allocation from now on, once; 0: none */
#endif

#endif
