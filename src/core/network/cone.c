#include <string.h>
#include "core/network/cone.h"
#include "core/network/cost.h"

enum { FEW_ROWS = 8 };                           /* that are as well computed again as read from memory */

static int64_t padded(int64_t bytes) { return (bytes + 63) / 64 * 64; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static bool empty(ng_range r) { return r.first >= r.last; }

bool ng_reads_far(const ng_layer *layer)
{
    const int64_t span = (layer->reach.size - 1) * layer->reach.dilation + 1;
    return layer->reach.stride > 0 && (span > layer->reach.stride || span > FEW_ROWS);
}

ng_status ng_cone_make(const ng_plan *plan, ng_arena *arena, ng_cone *cone, ng_error *error)
{
    cone->dirty = ng_alloc(arena, plan->head_first, sizeof *cone->dirty, error);
    cone->rows = ng_alloc(arena, plan->head_first, sizeof *cone->rows, error);
    cone->held = ng_alloc(arena, plan->head_first, sizeof *cone->held, error);
    return cone->dirty && cone->rows && cone->held ? NG_OK : error->status;
}

void ng_cone_find(const ng_plan *plan, ng_range change, ng_cone *cone)
{
    const int input = plan->input_nodes[0];
    for (int k = 0; k < plan->head_first; k++) {
        const ng_node *node = &plan->nodes[k];
        cone->rows[k] = cone->held[k] = (ng_range){0, 0};
        cone->dirty[k] = k == input ? change : (ng_range){0, 0};
        for (int i = 0; i < node->layer.inputs; i++)
            cone->dirty[k] = ng_hull(cone->dirty[k], ng_rows_touched(node->layer.reach, cone->dirty[node->inputs[i]], ng_rows(node->layer.out)));
    }
    for (int k = plan->head_first - 1; k >= 0; k--) {
        const ng_node *node = &plan->nodes[k];
        if (node->kept) cone->held[k] = ng_hull(cone->held[k], cone->dirty[k]);
        if (k == input) continue;
        cone->rows[k] = node->kept ? cone->dirty[k] : cone->held[k];
        for (int i = 0; i < node->layer.inputs && !empty(cone->rows[k]); i++) {
            ng_range *from = &cone->held[node->inputs[i]];
            *from = ng_hull(*from, ng_rows_needed(node->layer.reach, cone->rows[k], ng_rows(node->layer.in[i])));
        }
    }
}

int64_t ng_cone_bytes(const ng_plan *plan, const ng_cone *cone, int64_t samples)
{
    int64_t bytes = 0, scratch = 0;
    for (int k = 0; k < plan->head_first; k++) {
        const ng_node *node = &plan->nodes[k];
        const ng_layer *layer = &node->layer;
        bytes += padded(samples * ng_count_rows(cone->held[k]) * node->whole.channels * 4);
        bytes += padded(samples * ng_count_rows(cone->rows[k]) * layer->code_bytes);
        scratch = most(scratch, padded(samples * layer->scratch_bytes + layer->call_bytes));
    }
    return bytes + scratch;
}

double ng_cone_operations(const ng_plan *plan, const ng_cone *cone, int64_t samples)
{
    double operations = 0;
    for (int k = 0; k < plan->head_first; k++)
        if (plan->nodes[k].layer.inputs)
            operations += ng_row_operations(&plan->nodes[k].layer, false) * (double)(ng_count_rows(cone->rows[k]) * samples);
    return operations;
}

ng_tile ng_cone_input(const ng_plan *plan, const ng_cone *cone, int64_t samples, ng_worker *worker)
{
    const int input = plan->input_nodes[0];
    return ng_new_tile(worker, &plan->nodes[input], cone->held[input], samples);
}

/* Rows of the tile outside `rows`, from sample `sample` of a kept tensor. */
static void copy_around(const ng_stream *stream, int k, int64_t sample, ng_range rows, const ng_tile *tile)
{
    const ng_node *node = &stream->plan->nodes[k];
    const int64_t channels = node->whole.channels;
    const float *kept = stream->kept[k] + sample * ng_size(node->whole);
    if (empty(rows)) rows = (ng_range){tile->last, tile->last};
    const ng_range parts[] = {{tile->first, rows.first}, {rows.last, tile->last}};
    for (int64_t n = 0; n < tile->samples; n++)
        for (int i = 0; i < 2; i++)
            if (!empty(parts[i]))
                memcpy(ng_row(tile, n, parts[i].first), kept + parts[i].first * channels, (size_t)(ng_count_rows(parts[i]) * channels) * 4);
}

void ng_cone_forward(const ng_stream *stream, const ng_cone *cone, int64_t sample, const ng_tile *input, ng_worker *worker)
{
    const ng_plan *plan = stream->plan;
    ng_tile *tiles = worker->tiles;
    for (int k = 0; k < plan->head_first; k++) {
        const ng_node *node = &plan->nodes[k];
        const ng_range rows = cone->rows[k];
        if (empty(cone->held[k])) continue;
        if (k == plan->input_nodes[0]) {
            tiles[k] = *input;
            continue;
        }
        const ng_tile whole = ng_new_tile(worker, node, cone->held[k], input->samples);
        if (node->kept) copy_around(stream, k, sample, rows, &whole);
        tiles[k] = whole;
        if (empty(rows)) continue;
        tiles[k].data = ng_row(&whole, 0, rows.first);
        tiles[k].first = rows.first;
        tiles[k].last = rows.last;
        ng_code code = ng_new_code(worker, node, rows, input->samples);
        ng_node_forward(stream, k, tiles, &code, worker);
        tiles[k] = whole;
    }
}
