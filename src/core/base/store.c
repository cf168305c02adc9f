#include <string.h>
#include "core/base/store.h"

typedef struct item { struct item *next; ng_arena *own; ng_recipe recipe; float *numbers; bool asked_for; } item;

struct ng_store { ng_arena *own; item *items; };

static int64_t bytes_of(const ng_recipe *recipe) { return recipe->count * (int64_t)sizeof(float); }

ng_store *ng_store_new(void)
{
    ng_error error = {0};
    ng_arena *own = ng_arena_new(INT64_MAX);
    ng_store *store = own ? ng_alloc(own, 1, sizeof *store, &error) : NULL;
    if (store) store->own = own;
    else ng_arena_free(own);
    return store;
}

/* Frees the item after this place, and goes on there. */
static void drop(item **at)
{
    item *gone = *at;
    *at = gone->next;
    ng_arena_free(gone->own);                    /* the item itself, too */
}

void ng_store_free(ng_store *store)
{
    if (!store) return;
    while (store->items) drop(&store->items);
    ng_arena_free(store->own);
}

void ng_store_begin(ng_store *store)
{
    for (item *i = store->items; i; i = i->next) i->asked_for = false;
}

void ng_store_trim(ng_store *store)
{
    for (item **at = &store->items; *at;)
        if ((*at)->asked_for) at = &(*at)->next;
        else drop(at);
}

static bool same(const ng_recipe *a, const ng_recipe *b)
{
    return a->of == b->of && a->count == b->count && !strcmp(a->code, b->code) && !memcmp(a->settings, b->settings, sizeof a->settings);
}

float *ng_store_floats(ng_store *store, const ng_recipe *recipe, ng_arena *arena, bool *made, ng_error *error)
{
    *made = false;
    if (!store) return ng_alloc(arena, recipe->count, sizeof(float), error);
    for (item *i = store->items; i; i = i->next)
        if (same(&i->recipe, recipe)) {
            if (!i->asked_for && ng_arena_charge(arena, bytes_of(recipe), error)) return NULL;
            *made = i->asked_for = true;
            return i->numbers;
        }
    if (ng_arena_charge(arena, bytes_of(recipe), error)) return NULL;
    ng_arena *own = ng_arena_new(INT64_MAX);
    item *new = own ? ng_alloc(own, 1, sizeof *new, error) : NULL;
    float *numbers = new ? ng_alloc(own, recipe->count, sizeof *numbers, error) : NULL;
    if (!numbers) {
        ng_arena_free(own);
        ng_fail(error, NG_OUT_OF_MEMORY, NULL, "the system has no memory left: %lld bytes more were asked for", (long long)bytes_of(recipe));
        return NULL;
    }
    *new = (item){store->items, own, *recipe, numbers, true};
    store->items = new;
    return numbers;
}
