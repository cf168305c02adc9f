#include "core/network/plan.h"

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t up(int64_t a, int64_t b) { return (a + b - 1) / b; }
static bool empty(ng_range r) { return r.first >= r.last; }

/* ---- where tiles are cut ---- */

static int64_t cut(int64_t tile, int64_t tiles, int64_t length, int64_t unit)
{
    return tile == tiles ? length : (tile * length / tiles + unit / 2) / unit * unit;
}

ng_range ng_part(int64_t tile, int64_t tiles, int64_t length, int64_t unit)
{
    return (ng_range){cut(tile, tiles, length, unit), cut(tile + 1, tiles, length, unit)};
}

static int64_t common(int64_t a, int64_t b) { return b == 0 ? a : common(b, a % b); }       /* the largest divisor */
static int64_t both_units(int64_t a, int64_t b) { return a % b == 0 ? a : b % a == 0 ? b : a * b; }

void ng_find_units(ng_plan *plan)
{
    for (int k = 0; k < plan->count; k++) plan->nodes[k].y_unit = plan->nodes[k].gradient_unit = 1;
    for (int k = plan->trunk_first; k < plan->head_first; k++) {
        ng_node *node = &plan->nodes[k];
        const int64_t stride = node->layer.reach.stride > 0 ? node->layer.reach.stride : 1;
        for (int i = 0; i < node->layer.inputs; i++) {
            ng_node *from = &plan->nodes[node->inputs[i]];
            if (node->layer.x_align > 1) from->gradient_unit = both_units(from->gradient_unit, node->layer.x_align);
            if (from->stage == node->stage && !from->origin)
                node->y_unit = most(node->y_unit, from->y_unit / common(from->y_unit, stride));
        }
        if (node->layer.y_align > 1) node->y_unit = node->layer.y_align;
    }
}

/* ---- what a tile needs, or touches ---- */

static ng_range aligned(ng_range rows, int64_t align, int64_t length)
{
    if (align <= 1 || empty(rows)) return rows;
    return (ng_range){rows.first / align * align, least(up(rows.last, align) * align, length)};
}

void ng_need(const ng_plan *plan, int node, ng_range *rows)
{
    const ng_layer *layer = &plan->nodes[node].layer;
    rows[node] = aligned(rows[node], layer->y_align, ng_rows(layer->out));
    for (int i = 0; i < layer->inputs; i++) {
        ng_range *from = &rows[plan->nodes[node].inputs[i]];
        *from = ng_hull(*from, ng_rows_needed(layer->reach, rows[node], ng_rows(layer->in[i])));
    }
}

static void touch(const ng_plan *plan, int node, ng_range *rows)
{
    const ng_layer *layer = &plan->nodes[node].layer;
    rows[node] = (ng_range){0, 0};
    for (int i = 0; i < layer->inputs; i++)
        rows[node] = ng_hull(rows[node], ng_rows_touched(layer->reach, rows[plan->nodes[node].inputs[i]], ng_rows(layer->out)));
    rows[node] = aligned(rows[node], plan->nodes[node].gradient_unit, ng_rows(layer->out));
}

bool ng_delivers(const ng_plan *plan, const ng_stage *stage, int node)
{
    if (stage == plan->stages) return plan->nodes[node].origin;
    if (!plan->nodes[node].kept || ng_in_stage(plan, stage, node)) return false;
    for (int k = stage->first; k < stage->last; k++)
        for (int i = 0; i < plan->nodes[k].layer.inputs; i++)
            if (plan->nodes[k].inputs[i] == node) return true;
    return false;
}

void ng_own_rows(const ng_plan *plan, const ng_stage *stage, bool forward, int64_t tile, ng_range *rows)
{
    for (int k = 0; k < stage->last; k++) {
        const ng_node *node = &plan->nodes[k];
        const bool cut_here = forward ? ng_in_stage(plan, stage, k) && node->kept : k < stage->first && ng_delivers(plan, stage, k);
        rows[k] = cut_here ? ng_part(tile, stage->tiles[forward], ng_rows(node->whole), forward ? node->y_unit : node->gradient_unit)
                           : (ng_range){0, 0};
    }
    if (forward) for (int k = stage->last - 1; k >= stage->first; k--) ng_need(plan, k, rows);
    else for (int k = stage->first; k < stage->last; k++) touch(plan, k, rows);
}

/* ---- tiles that follow one another ---- */

/* The last tile up to this one in which a node runs that does so in every `every` tiles. */
static int64_t last_run(int64_t tile, int64_t tiles, int64_t every) { return tile + 1 == tiles ? tile : (tile + 1) / every * every - 1; }

/* The tiles whose own rows a tile holds of a node: from the first one that is still to be read to the last one that has been computed. */
static ng_range tiles_held(const ng_plan *plan, const ng_stage *stage, int k, bool forward, int64_t tile)
{
    const bool inside = ng_in_stage(plan, stage, k);
    const int64_t every = inside ? plan->nodes[k].every[forward] : 1, read = inside ? plan->nodes[k].read_every[forward] : 1;
    if (forward) return (ng_range){tile - tile % read, last_run(tile, stage->tiles[true], every) + 1};
    return (ng_range){up(tile, read) * read, tile - tile % every + every};
}

void ng_tile_rows(const ng_plan *plan, const ng_stage *stage, bool forward, int64_t run_first, int64_t tile, ng_range *spare, ng_range *rows)
{
    const int64_t every = stage->every[forward], group = tile - tile % every;
    if (every == 1) {
        ng_own_rows(plan, stage, forward, tile, rows);
        return;
    }
    for (int k = 0; k < stage->last; k++) rows[k] = (ng_range){-1, 0};
    const int64_t first = most(run_first, group - 1), last = least(group + every, stage->tiles[forward] - 1);
    for (int64_t t = first; t <= last; t++) {
        ng_own_rows(plan, stage, forward, t, spare);
        for (int k = 0; k < stage->last; k++) {
            const ng_range held = tiles_held(plan, stage, k, forward, tile);
            if (empty(spare[k])) continue;
            if (t >= held.first && rows[k].first < 0) rows[k].first = spare[k].first;
            if (t < held.last) rows[k].last = most(rows[k].last, spare[k].last);
        }
    }
    for (int k = 0; k < stage->last; k++)
        if (rows[k].first < 0 || empty(rows[k])) rows[k] = (ng_range){0, 0};
}

ng_range ng_kept_rows(const ng_plan *plan, const ng_stage *stage, int k, int64_t tile)
{
    const ng_node *node = &plan->nodes[k];
    const int64_t every = node->every[true], tiles = stage->tiles[true], length = ng_rows(node->whole);
    if (last_run(tile, tiles, every) < tile) return (ng_range){0, 0};
    return (ng_range){cut(tile - tile % every, tiles, length, node->y_unit), cut(tile + 1, tiles, length, node->y_unit)};
}

ng_range ng_rows_taken(ng_range before, ng_range rows)
{
    const bool goes_on = before.first <= rows.first && rows.first < before.last && before.last <= rows.last;
    return (ng_range){rows.first, goes_on ? before.last : rows.first};
}

/* ---- prefixes ---- */

int ng_last_affine(const ng_plan *plan, int input)
{
    const int origin = plan->origins[input];
    return plan->nodes[origin].pooled ? plan->nodes[origin].inputs[0] : origin;
}

void ng_ends_rows(const ng_plan *plan, int input, ng_range own, ng_range *rows)
{
    for (int k = 0; k < plan->trunk_first; k++) rows[k] = (ng_range){0, 0};
    int k = ng_last_affine(plan, input);
    for (rows[k] = own; k != plan->input_nodes[input]; k = plan->nodes[k].inputs[0]) ng_need(plan, k, rows);
}

void ng_touched_rows(const ng_plan *plan, int input, ng_range own, ng_range *rows)
{
    const int first = plan->input_nodes[input];
    for (int k = 0; k < plan->trunk_first; k++) rows[k] = (ng_range){0, 0};
    rows[first] = own;
    for (int k = first, at = first; k < plan->trunk_first; k++)
        if (plan->nodes[k].layer.inputs && plan->nodes[k].inputs[0] == at) touch(plan, at = k, rows);
}

int64_t ng_delivery_rows(ng_shape input) { return most(64, 16384 / input.channels); }
