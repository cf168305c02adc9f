/* Where the tensors of the head lie: followed by a map of their memory that says whose each piece is. */
#include "net.h"
#include "core/network/plan.h"

static void own(int *owner, ng_range place, int who)
{
    for (int64_t i = place.first / 64; i < (place.last + 63) / 64; i++) owner[i] = who;
}

static bool owns(const int *owner, ng_range place, int who)
{
    bool all = true;
    for (int64_t i = place.first / 64; i < (place.last + 63) / 64; i++) all = all && owner[i] == who;
    return all;
}

static ng_range tile_place(const ng_node *node) { return (ng_range){node->head_tile, node->head_tile + ng_size(node->whole) * 4}; }

static ng_range code_place(const ng_node *node)
{
    return (ng_range){node->head_code, node->head_code + ng_rows(node->layer.out) * node->layer.code_bytes * node->group};
}

/* No tensor and no code of the head is overwritten before the last layer, or the caller, has read it: values in the order of the
 * layers, gradients in the opposite one. */
static void test_head(const net *n)
{
    ng_error error = {0};
    const ng_run run = {.arena = ng_arena_new(1 << 28), .threads = 1};
    ng_plan plan;
    for (int gradients = 0; gradients < 2; gradients++) {
        CHECK(ng_plan_make(&n->graph, n->shapes, n->outputs, n->graph.output_count, gradients, &run, &plan, &error) == NG_OK);
        int *owner = claim(run.arena, plan.head_bytes / 64 + 1, sizeof *owner);             /* node k, or its code: count + k */
        bool *begun = claim(run.arena, plan.count, sizeof *begun);
        for (int k = plan.head_first; k < plan.count; k++) {
            const ng_node *node = &plan.nodes[k];
            CHECK(tile_place(node).last <= plan.head_bytes && code_place(node).last <= plan.head_bytes);
            own(owner, tile_place(node), k);
            own(owner, code_place(node), plan.count + k);
            for (int i = 0; i < node->layer.inputs; i++)
                CHECK(node->inputs[i] < plan.head_first || owns(owner, tile_place(&plan.nodes[node->inputs[i]]), node->inputs[i]));
            CHECK(owns(owner, tile_place(node), k));
        }
        for (int w = 0; w < plan.wanted_count; w++) {
            const int k = plan.wanted[w];
            if (k < plan.head_first) continue;
            CHECK(owns(owner, tile_place(&plan.nodes[k]), k));
            begun[k] = true;
        }
        for (int k = plan.count - 1; gradients && k >= plan.head_first; k--) {
            const ng_node *node = &plan.nodes[k];
            for (int i = 0; i < node->layer.inputs; i++) {
                const int from = node->inputs[i];
                if (from < plan.head_first) continue;
                if (!begun[from]) own(owner, tile_place(&plan.nodes[from]), from);
                begun[from] = true;
                CHECK(owns(owner, tile_place(&plan.nodes[from]), from));
            }
            CHECK(begun[k] && owns(owner, tile_place(node), k) && owns(owner, code_place(node), plan.count + k));
        }
    }
    ng_arena_free(run.arena);
}

int main(void)
{
    for (int k = 0; k < 300; k++) {
        net *n = branches();
        test_head(n);
        ng_arena_free(n->arena);
    }
    return finish();
}
