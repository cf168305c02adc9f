#if defined(__linux__)
#define _DEFAULT_SOURCE                          /* madvise() */
#include <sys/mman.h>
#include <unistd.h>
#endif
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "core/base/arena.h"

enum { ALIGNMENT = 64 };                        /* a cache line, and the widest vector register */

typedef struct block { struct block *next; int64_t bytes; } block;

struct ng_arena { block *blocks; int64_t used, limit; };

#ifdef NG_DEBUG
int64_t ng_failing_allocation = 0;
#endif

/* calloc, not aligned_alloc: pages that nobody touches then cost nothing */
static void *ask(size_t bytes)
{
#ifdef NG_DEBUG
    if (ng_failing_allocation && !--ng_failing_allocation) return NULL;
#endif
    return calloc(1, bytes);
}

ng_arena *ng_arena_new(int64_t limit_bytes)
{
    ng_arena *arena = ask(sizeof *arena);
    if (arena) arena->limit = limit_bytes;
    return arena;
}

const void *ng_arena_mark(const ng_arena *arena) { return arena->blocks; }

void ng_arena_rewind(ng_arena *arena, const void *mark)
{
    for (block *b = arena->blocks; b && b != mark; b = arena->blocks) {
        arena->blocks = b->next;
        arena->used -= b->bytes;
        free(b);
    }
}

void ng_arena_free(ng_arena *arena)
{
    if (arena) ng_arena_rewind(arena, NULL);
    free(arena);
}

int64_t ng_arena_room(const ng_arena *arena) { return arena->limit - arena->used; }
int64_t ng_arena_used(const ng_arena *arena) { return arena->used; }

static void *first_of(block *b)
{
    const uintptr_t first = (uintptr_t)(b + 1);
    return (void *)((first + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
}

void *ng_alloc(ng_arena *arena, int64_t count, size_t size, ng_error *error)
{
    int64_t bytes;
    if (count < 0 || __builtin_mul_overflow(count, size, &bytes) || bytes > ng_arena_room(arena)) {
        ng_fail(error, NG_OUT_OF_MEMORY, NULL, "%lld x %zu bytes more do not fit the memory limit: %lld of %lld bytes are in use",
                (long long)count, size, (long long)arena->used, (long long)arena->limit);
        return NULL;
    }
    const bool fits = (uint64_t)bytes < SIZE_MAX - sizeof(block) - ALIGNMENT;                /* of 32 bits, too */
    block *b = fits ? ask(sizeof *b + ALIGNMENT + (size_t)bytes) : NULL;
    if (!b) {
        ng_fail(error, NG_OUT_OF_MEMORY, NULL, "the system has no memory left: %lld bytes more were asked for", (long long)bytes);
        return NULL;
    }
    *b = (block){arena->blocks, bytes};
    arena->blocks = b;
    arena->used += bytes;
    return first_of(b);
}

void ng_release(ng_arena *arena, const void *memory)
{
    block **at = &arena->blocks;
    while (*at && first_of(*at) != memory) at = &(*at)->next;
    block *b = *at;
    if (!b) return;
    *at = b->next;
    arena->used -= b->bytes;
    free(b);
}

void ng_forget(void *first, int64_t bytes)
{
#if defined(__linux__)
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from = ((uintptr_t)first + page - 1) / page * page;
    const uintptr_t end = ((uintptr_t)first + (uintptr_t)bytes) / page * page;
    if (end > from) madvise((void *)from, end - from, MADV_DONTNEED);
#else
    (void)first, (void)bytes;
#endif
}

char *ng_copy_text(ng_arena *arena, const char *text, ng_error *error)
{
    char *copy = ng_alloc(arena, (int64_t)strlen(text) + 1, 1, error);
    if (copy) strcpy(copy, text);
    return copy;
}
