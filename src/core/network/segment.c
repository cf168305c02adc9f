#include "core/network/segment.h"

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static bool empty(ng_range r) { return r.first >= r.last; }
static bool meet(ng_range a, ng_range b) { return !empty(a) && !empty(b) && a.first < b.last && b.first < a.last; }

static void widen(ng_range *rows, ng_range more)
{
    if (empty(more)) return;
    *rows = empty(*rows) ? more : (ng_range){least(rows->first, more.first), most(rows->last, more.last)};
}

bool ng_on_boundary(const ng_plan *plan, int k)
{
    for (int w = 0; w < plan->wanted_count; w++)
        if (plan->wanted[w] == k) return true;
    for (int j = plan->head_first; j < plan->count; j++)
        for (int i = 0; i < plan->nodes[j].layer.inputs; i++)
            if (plan->nodes[j].inputs[i] == k) return true;
    return false;
}

static bool reads(const ng_plan *plan, const ng_stage *stage, int k)
{
    for (int j = stage->first; j < stage->last; j++)
        for (int i = 0; i < plan->nodes[j].layer.inputs; i++)
            if (plan->nodes[j].inputs[i] == k) return true;
    return false;
}

bool ng_can_segment(const ng_plan *plan)
{
    for (int k = 0; k < plan->head_first; k++) {
        if (!plan->nodes[k].kept || !ng_on_boundary(plan, k)) continue;
        if (plan->nodes[k].origin) return false;
        for (int s = plan->nodes[k].stage; s < plan->stage_count; s++)
            if (reads(plan, &plan->stages[s], k)) return false;
    }
    return true;
}

ng_status ng_segment_make(const ng_plan *plan, ng_arena *arena, ng_segment *segment, ng_error *error)
{
    *segment = (ng_segment){.kept = ng_alloc(arena, plan->count, sizeof(ng_range), error), .codes = ng_alloc(arena, plan->count, sizeof(ng_range), error),
                            .tiles = ng_alloc(arena, plan->stage_count, sizeof(ng_range), error),
                            .back_tiles = ng_alloc(arena, plan->stage_count, sizeof(ng_range), error)};
    if (!segment->kept || !segment->codes || !segment->tiles || !segment->back_tiles) return error->status;
    for (int k = 0; k < plan->head_first; k++) {
        segment->kept[k] = (ng_range){0, ng_rows(plan->nodes[k].whole)};
        segment->codes[k] = (ng_range){0, ng_rows(plan->nodes[k].layer.out)};
    }
    for (int s = 0; s < plan->stage_count; s++) {
        segment->tiles[s] = (ng_range){0, plan->stages[s].tiles};
        segment->back_tiles[s] = (ng_range){0, plan->stages[s].back_tiles};
    }
    segment->backward = true;
    return NG_OK;
}

/* The backward tiles of a stage that give the gradients which earlier ones ask for (kept), and what they ask for in turn. */
static void cut_backward(const ng_plan *plan, int s, ng_range *rows, ng_segment *segment)
{
    const ng_stage *stage = &plan->stages[s];
    segment->back_tiles[s] = (ng_range){0, 0};
    for (int64_t t = 0; t < stage->back_tiles; t++) {
        bool asked = false;
        ng_back_tile_rows(plan, stage, t, rows);
        for (int k = 0; k < stage->first; k++)
            if (s == 0 ? plan->nodes[k].origin : plan->nodes[k].kept && reads(plan, stage, k))
                asked = asked || meet(rows[k], s ? segment->kept[k] : segment->codes[k]);
        if (asked) widen(&segment->back_tiles[s], (ng_range){t, t + 1});
    }
    for (int64_t t = segment->back_tiles[s].first; t < segment->back_tiles[s].last; t++) {
        ng_back_tile_rows(plan, stage, t, rows);
        for (int k = 0; k < stage->last; k++) {
            const bool inside = ng_in_stage(plan, stage, k);
            if (inside) widen(&segment->codes[k], rows[k]);
            if (inside || (plan->nodes[k].kept && reads(plan, stage, k))) widen(&segment->kept[k], rows[k]);
        }
    }
}

/* The forward tiles of a stage that write the codes and kept rows which are asked for, and what they read. */
static void cut_forward(const ng_plan *plan, int s, ng_range *rows, ng_range *next, ng_segment *segment)
{
    const ng_stage *stage = &plan->stages[s];
    segment->tiles[s] = (ng_range){0, 0};
    for (int64_t t = 0; t < stage->tiles; t++) {
        bool asked = false;
        ng_tile_rows(plan, stage, t, rows);
        if (t + 1 < stage->tiles) ng_tile_rows(plan, stage, t + 1, next);
        for (int k = 0; k < stage->last; k++) {
            if (!ng_in_stage(plan, stage, k)) continue;
            const ng_range own = {rows[k].first, t + 1 < stage->tiles ? least(next[k].first, rows[k].last) : rows[k].last};
            asked = asked || (segment->backward && meet(own, segment->codes[k])) || (plan->nodes[k].kept && meet(rows[k], segment->kept[k]));
        }
        if (asked) widen(&segment->tiles[s], (ng_range){t, t + 1});
    }
    for (int64_t t = segment->tiles[s].first; t < segment->tiles[s].last; t++) {
        ng_tile_rows(plan, stage, t, rows);
        for (int k = 0; k < stage->last; k++)
            if (ng_in_stage(plan, stage, k) && plan->nodes[k].origin) widen(&segment->codes[k], rows[k]);
        for (int k = stage->first; k < stage->last; k++)
            for (int i = 0; i < plan->nodes[k].layer.inputs; i++) {
                const int from = plan->nodes[k].inputs[i];
                if (!ng_in_stage(plan, stage, from) && !empty(rows[k]))
                    widen(&segment->kept[from], ng_rows_needed(plan->nodes[k].layer.reach, rows[k], ng_rows(plan->nodes[k].layer.in[i])));
            }
    }
}

void ng_segment_cut(const ng_plan *plan, int64_t part, int64_t parts, bool backward, ng_range *rows, ng_range *next, ng_segment *segment)
{
    segment->backward = backward;
    for (int k = 0; k < plan->head_first; k++) segment->kept[k] = segment->codes[k] = (ng_range){0, 0};
    for (int i = 0; backward && i < plan->origin_count; i++) {
        ng_touched_rows(plan, i, ng_segment_input(plan, i, part, parts), rows);
        widen(&segment->codes[plan->origins[i]], rows[plan->origins[i]]);
    }
    for (int s = 0; backward && s < plan->stage_count; s++) cut_backward(plan, s, rows, segment);
    for (int k = 0; !backward && k < plan->head_first; k++)
        if (plan->nodes[k].kept && ng_on_boundary(plan, k)) segment->kept[k] = ng_part(part, parts, ng_rows(plan->nodes[k].whole), plan->nodes[k].y_unit);
    for (int s = plan->stage_count - 1; s >= 0; s--) cut_forward(plan, s, rows, next, segment);
    for (int k = 0; k < plan->head_first; k++)
        if (plan->nodes[k].kept && ng_on_boundary(plan, k)) segment->kept[k] = (ng_range){0, ng_rows(plan->nodes[k].whole)};
}
