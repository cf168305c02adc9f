/* The arena: what it gives is zeroed, aligned and apart; its limit holds, whatever is asked for. */
#include <stdbool.h>
#include <string.h>
#include "check.h"
#include "core/base/arena.h"

/* The sanitizer, too, answers NULL when too much is asked for. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "allocator_may_return_null=1"; }

static bool all_zero(const uint8_t *memory, int64_t bytes)
{
    for (int64_t i = 0; i < bytes; i++)
        if (memory[i]) return false;
    return true;
}

static void test_memory(void)
{
    enum { PIECES = 300 };
    ng_error error = {0};
    ng_arena *arena = ng_arena_new(1 << 20);
    uint8_t *piece[PIECES];
    int64_t bytes[PIECES], used = 0;
    for (int i = 0; i < PIECES; i++) {
        const int64_t count = draw(40);
        const size_t size = (size_t)(1 + draw(16));
        bytes[i] = count * (int64_t)size;
        piece[i] = ng_alloc(arena, count, size, &error);
        used += bytes[i];
        CHECK(piece[i] && (uintptr_t)piece[i] % 64 == 0 && all_zero(piece[i], bytes[i]));
        CHECK(ng_arena_room(arena) == (1 << 20) - used);
        memset(piece[i], i % 255 + 1, (size_t)bytes[i]);
    }
    for (int i = 0; i < PIECES; i++)
        for (int64_t k = 0; k < bytes[i]; k++) CHECK(piece[i][k] == i % 255 + 1);
    CHECK(error.status == NG_OK);
    ng_arena_free(arena);
    ng_arena_free(NULL);
}

/* What is repeated lies where it lay, and is counted once; a request that differs frees what was kept. */
static void test_repeating(void)
{
    enum { PIECES = 20 };
    ng_error error = {0};
    ng_arena *arena = ng_arena_new(1 << 20);
    uint8_t *before = ng_alloc(arena, 100, 1, &error), *piece[PIECES];
    const void *mark = ng_arena_mark(arena);
    for (int turn = 0; turn < 3; turn++) {
        for (int i = 0; i < PIECES; i++) {
            uint8_t *memory = ng_alloc(arena, 10 * i, 1, &error);
            CHECK(turn == 0 || memory == piece[i]);
            for (int k = 0; k < 10 * i; k++) CHECK(memory[k] == (turn ? i : 0));
            memset(piece[i] = memory, i, (size_t)(10 * i));
        }
        CHECK(ng_arena_used(arena) == 100 + 10 * (PIECES - 1) * PIECES / 2);
        ng_arena_repeat(arena, mark);
    }
    for (int i = 0; i < 3; i++) ng_alloc(arena, 10 * i, 1, &error);
    const uint8_t *other = ng_alloc(arena, 7, 1, &error);
    CHECK(all_zero(other, 7) && ng_arena_used(arena) == 100 + 30 + 7);
    ng_arena_repeat(arena, mark);
    ng_arena_rewind(arena, mark);
    CHECK(ng_arena_used(arena) == 100 && all_zero(before, 100) && error.status == NG_OK);
    ng_arena_free(arena);
}

static void refuses(ng_arena *arena, int64_t count, size_t size)
{
    ng_error error = {0};
    const int64_t room = ng_arena_room(arena);
    CHECK(ng_alloc(arena, count, size, &error) == NULL);
    CHECK(error.status == NG_OUT_OF_MEMORY && strlen(error.message) > 10 && error.layer == -1);
    CHECK(ng_arena_room(arena) == room);
}

/* What is forgotten may read as anything; what lies beside it stays. */
static void test_forgetting(void)
{
    enum { BYTES = 1 << 20 };
    ng_error error = {0};
    ng_arena *arena = ng_arena_new(2 * BYTES);
    uint8_t *memory = ng_alloc(arena, BYTES, 1, &error);
    for (int turn = 0; turn < 50; turn++) {
        memset(memory, 7, BYTES);
        const int64_t first = draw(BYTES), bytes = draw(BYTES - first);
        ng_forget(memory + first, bytes);
        bool kept = true;
        for (int64_t k = 0; k < BYTES; k++) kept = kept && (memory[k] == 7 || (k >= first && k < first + bytes));
        CHECK(kept);
    }
    ng_arena_free(arena);
}

static void test_limit(void)
{
    ng_error error = {0};
    ng_arena *arena = ng_arena_new(1000);
    refuses(arena, 1001, 1);
    refuses(arena, 251, 4);
    refuses(arena, -1, 1);
    refuses(arena, INT64_MAX, 2);
    refuses(arena, INT64_MAX / 4 + 1, 16);
    refuses(arena, 1, SIZE_MAX);
    refuses(arena, 3, SIZE_MAX / 2 + 1);
    CHECK(ng_alloc(arena, 1000, 1, &error) != NULL);
    CHECK(ng_alloc(arena, 0, 8, &error) != NULL);
    refuses(arena, 1, 1);
    ng_arena_free(arena);

    arena = ng_arena_new(INT64_MAX);                                 /* the system itself refuses */
    refuses(arena, (int64_t)1 << 60, 1);
    ng_arena_free(arena);

    arena = ng_arena_new(-1);                                        /* no room at all */
    refuses(arena, 0, 1);
    ng_arena_free(arena);
}

/* What is given back is room again; the rest stays. */
static void test_release(void)
{
    ng_error error = {0};
    ng_arena *arena = ng_arena_new(1000);
    uint8_t *pieces[3];
    for (int i = 0; i < 3; i++) {
        pieces[i] = ng_alloc(arena, 300, 1, &error);
        memset(pieces[i], i + 1, 300);
    }
    ng_release(arena, pieces[1]);
    ng_release(arena, NULL);
    CHECK(ng_arena_room(arena) == 400);
    CHECK(pieces[0][299] == 1 && pieces[2][299] == 3);
    CHECK((pieces[1] = ng_alloc(arena, 400, 1, &error)) != NULL && pieces[1][0] == 0);
    ng_arena_free(arena);
}

static void test_text(void)
{
    ng_error error = {0};
    ng_arena *arena = ng_arena_new(8);
    char *copy = ng_copy_text(arena, "conv1d", &error);
    CHECK(copy && !strcmp(copy, "conv1d"));
    CHECK(ng_arena_room(arena) == 1);
    CHECK(ng_copy_text(arena, "x", &error) == NULL && error.status == NG_OUT_OF_MEMORY);
    ng_arena_free(arena);
}

int main(void)
{
    test_memory();
    test_repeating();
    test_forgetting();
    test_limit();
    test_release();
    test_text();
    return finish();
}
