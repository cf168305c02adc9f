/* core/network/head.c: where the tensors of the head lie. A tensor is there from its node to the last node that reads it, and so is its
 * gradient, the other way round: two may share memory where these intervals do not meet. Values are spent when gradients begin, so
 * that both use the same places. */
#include "core/network/plan.h"

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

void ng_place_head(ng_plan *plan, bool gradients)
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
