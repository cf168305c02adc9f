/* core/network/head.c: where the tensors of the head lie, and how many samples go through it together. A tensor is there from its node
 * to the last node that reads it, and so is its gradient, the other way round: two may share memory where these intervals do not meet.
 * Values are spent when gradients begin, so that both use the same places. */
#include "core/network/plan.h"

enum {
    HEAD_TILES = 2,                              /* the head streams through large matrices: more samples share them */
    HEAD_SAMPLES = 24, HEAD_BYTES = 32 << 20,    /* so many at least, unless that is more than so much */
    ROWS = 12                                    /* of the matrix kernel's widest tile: blocks of samples are multiples of it */
};

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t padded(int64_t bytes) { return (bytes + 63) / 64 * 64; }
static int64_t tile_bytes(const ng_node *node) { return padded(ng_size(node->whole) * 4); }

static void find_last_uses(ng_plan *plan)
{
    for (int k = plan->head_first; k < plan->count; k++)
        for (int i = 0; i < plan->nodes[k].layer.inputs; i++) plan->nodes[plan->nodes[k].inputs[i]].last_use = k;
    for (int w = 0; w < plan->wanted_count; w++) plan->nodes[plan->wanted[w]].last_use = plan->count;
}

/* The first place that no tensor holds which is still to be read. */
static int64_t first_free(const ng_plan *plan, int k)
{
    const int64_t bytes = tile_bytes(&plan->nodes[k]);
    int64_t at = 0;
    for (int i = plan->head_first; i < k; i++) {
        const ng_node *other = &plan->nodes[i];
        if (other->last_use < k || other->head_tile >= at + bytes || other->head_tile + tile_bytes(other) <= at) continue;
        at = other->head_tile + tile_bytes(other);
        i = plan->head_first - 1;                /* look again: one that was passed may be in the way now */
    }
    return at;
}

static void place_head(ng_plan *plan, bool gradients)
{
    int64_t tiles = 0, codes = 0;
    find_last_uses(plan);
    for (int k = plan->head_first; k < plan->count; k++) {
        ng_node *node = &plan->nodes[k];
        node->head_tile = first_free(plan, k);
        const int64_t end = node->head_tile + tile_bytes(node);
        tiles = end > tiles ? end : tiles;
    }
    for (int k = plan->head_first; k < plan->count; k++) {
        ng_node *node = &plan->nodes[k];
        const int64_t bytes = padded(ng_rows(node->layer.out) * node->layer.code_bytes * node->group);
        node->head_code = tiles + (gradients ? codes : 0);                        /* without gradients no code is read */
        codes = gradients ? codes + bytes : bytes > codes ? bytes : codes;
    }
    plan->head_bytes = tiles + codes;
}

void ng_size_head(ng_plan *plan, bool gradients, const ng_run *run)
{
    for (int k = plan->head_first; k < plan->count; k++)
        if (!gradients && plan->nodes[k].layer.type->forgetful) plan->nodes[k].layer.code_bytes = 0;
    place_head(plan, gradients);
    int64_t scratch = 0;
    for (int k = plan->head_first; k < plan->count; k++)
        scratch = most(scratch, plan->nodes[k].layer.scratch_bytes * plan->nodes[k].group + plan->nodes[k].layer.call_bytes);
    const int64_t bytes = plan->head_bytes + padded(scratch);
    const int64_t room = least(HEAD_BYTES, ng_arena_room(run->arena) / 8 / run->threads);
    const int64_t block = most(HEAD_TILES * plan->tile_bytes / most(bytes, 1), least(HEAD_SAMPLES, room / most(bytes, 1)));
    plan->head_block = most(1, least(block < ROWS ? block : block / ROWS * ROWS, NG_MOST_SAMPLES));
    plan->scratch_bytes = most(plan->scratch_bytes, bytes * plan->head_block);
}
