/* What outlives a call: found again if the same is asked for, charged to each call, gone if nobody asked or nothing fits. */
#include "check.h"
#include "core/base/store.h"

static const float weights[2];

static const ng_recipe tenth = {weights, "a", {1, 2, 3, 4}, 10};

/* Begins a call, asks, and tells whether the numbers were made already; they are 1, 2, ... */
static bool ask(ng_store *store, ng_arena *arena, ng_recipe recipe)
{
    ng_error error = {0};
    bool made;
    float *numbers = ng_store_floats(store, &recipe, arena, &made, &error);
    CHECK(numbers && (uintptr_t)numbers % 64 == 0 && error.status == NG_OK);
    for (int64_t i = 0; i < recipe.count; i++) {
        CHECK(numbers[i] == (made ? (float)(i + 1) : 0));
        numbers[i] = (float)(i + 1);
    }
    return made;
}

static void test_found_again(void)
{
    ng_store *store = ng_store_new();
    ng_arena *arena = ng_arena_new(1000);
    ng_store_begin(store);
    CHECK(!ask(store, arena, tenth) && ask(store, arena, tenth) && ng_arena_used(arena) == 40);
    for (int i = 0; i < 7; i++) {
        ng_recipe other = tenth;
        if (i == 0) other.of = weights + 1;
        if (i == 1) other.code = "b";
        if (i == 2) other.count = 11;
        if (i > 2) other.settings[i - 3] = 9;
        CHECK(!ask(store, arena, other) && ask(store, arena, other));
    }
    CHECK(ng_arena_used(arena) == 7 * 40 + 44);
    ng_store_trim(store);
    ng_arena_free(arena);
    ng_store_free(store);
    ng_store_free(NULL);
}

static void test_calls(void)
{
    ng_store *store = ng_store_new();
    const ng_recipe second = {weights, "b", {0}, 20};
    const struct { int64_t limit, used; bool asks[2], made[2]; } calls[] = {
        {1000, 120, {true, true}, {false, false}},
        {1000, 120, {true, true}, {true, true}},
        {1000, 40, {true, false}, {true, false}},    /* the second goes at the end */
        {1000, 80, {false, true}, {false, false}},   /* now the first */
        {1000, 120, {true, true}, {false, true}},
        {80, 80, {false, true}, {false, true}},
        {80, 40, {true, false}, {false, false}},
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        ng_arena *arena = ng_arena_new(calls[i].limit);
        ng_store_begin(store);
        for (int k = 0; k < 2; k++)
            if (calls[i].asks[k]) CHECK(ask(store, arena, k ? second : tenth) == calls[i].made[k]);
        CHECK(ng_arena_used(arena) == calls[i].used);
        ng_store_trim(store);
        ng_arena_free(arena);
    }
    ng_store_free(store);
}

static void test_refused(void)
{
    ng_store *store = ng_store_new();
    ng_arena *arena = ng_arena_new(39);
    bool made;
    ng_error error = {0};
    CHECK(!ng_store_floats(store, &tenth, arena, &made, &error) && error.status == NG_OUT_OF_MEMORY && ng_arena_used(arena) == 0);
    ng_arena_free(arena);
    arena = ng_arena_new(1000);
    for (int64_t n = 1; n <= 3; n++) {                                /* the system refuses: the item's arena, the item, its numbers */
        error = (ng_error){0};
        ng_failing_allocation = n;
        CHECK(!ng_store_floats(store, &tenth, arena, &made, &error) && error.status == NG_OUT_OF_MEMORY);
    }
    ng_failing_allocation = 0;
    CHECK(!ask(store, arena, tenth));
    ng_arena_free(arena);
    arena = ng_arena_new(39);
    ng_store_begin(store);                       /* it is there, and does not fit all the same */
    CHECK(!ng_store_floats(store, &tenth, arena, &made, &error) && error.status == NG_OUT_OF_MEMORY);
    ng_arena_free(arena);
    arena = ng_arena_new(1000);
    ng_store_free(store);
    error = (ng_error){0};
    CHECK(ng_store_floats(NULL, &tenth, arena, &made, &error) && !made);                       /* the arena's own */
    ng_arena_free(arena);
}

int main(void)
{
    test_found_again();
    test_calls();
    test_refused();
    return finish();
}
