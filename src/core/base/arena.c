#if defined(__linux__)
#define _DEFAULT_SOURCE                          /* madvise() */
#include <sys/mman.h>
#include <unistd.h>
#endif
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "core/base/arena.h"

enum {
    ALIGNMENT = 64,                              /* a cache line, and the widest vector register */
    LARGE = 2 << 20                              /* bytes that the system may give in its large pages */
};

typedef struct block { struct block *next; int64_t bytes; } block;

struct ng_arena { block *blocks, *spare; int64_t used, limit; };          /* spare: the oldest first */

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

static void free_spare(ng_arena *arena)
{
    for (block *b = arena->spare; b; b = arena->spare) {
        arena->spare = b->next;
        arena->used -= b->bytes;
        free(b);
    }
}

const void *ng_arena_mark(const ng_arena *arena) { return arena->blocks; }

void ng_arena_repeat(ng_arena *arena, const void *mark)
{
    free_spare(arena);
    for (block *b = arena->blocks; b && b != mark; b = arena->blocks) {
        arena->blocks = b->next;
        b->next = arena->spare;
        arena->spare = b;
    }
}

void ng_arena_rewind(ng_arena *arena, const void *mark)
{
    ng_arena_repeat(arena, mark);
    free_spare(arena);
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

/* The next block kept by ng_arena_repeat(), if it is of this size; then it is in use again. */
static void *repeated(ng_arena *arena, int64_t bytes)
{
    block *b = arena->spare;
    if (!b) return NULL;
    if (b->bytes != bytes) {
        free_spare(arena);
        return NULL;
    }
    arena->spare = b->next;
    b->next = arena->blocks;
    arena->blocks = b;
    return first_of(b);
}

/* Large pages take a fraction of the faults of small ones, and of the misses when addresses are looked up. */
static void in_large_pages(void *first, int64_t bytes)
{
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from = ((uintptr_t)first + page - 1) / page * page;
    if (bytes >= LARGE) madvise((void *)from, (uintptr_t)first + (uintptr_t)bytes - from, MADV_HUGEPAGE);
#else
    (void)first, (void)bytes;
#endif
}

static ng_status refuse(const ng_arena *arena, int64_t count, size_t size, ng_error *error)
{
    return ng_fail(error, NG_OUT_OF_MEMORY, NULL, "%lld x %zu bytes more do not fit the memory limit: %lld of %lld bytes are in use",
                   (long long)count, size, (long long)arena->used, (long long)arena->limit);
}

ng_status ng_arena_charge(ng_arena *arena, int64_t bytes, ng_error *error)
{
    if (bytes > ng_arena_room(arena)) return refuse(arena, bytes, 1, error);
    arena->used += bytes;
    return NG_OK;
}

void *ng_alloc(ng_arena *arena, int64_t count, size_t size, ng_error *error)
{
    int64_t bytes = 0;
    const bool countable = count >= 0 && !__builtin_mul_overflow(count, size, &bytes);
    void *kept = countable ? repeated(arena, bytes) : NULL;
    if (kept) return kept;
    if (!countable || bytes > ng_arena_room(arena)) {
        refuse(arena, count, size, error);
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
    in_large_pages(first_of(b), bytes);
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
