/* core/network/reach.c: which rows a layer reads, and checks of settings and weights that many layers share. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "core/network/layer.h"

static int64_t floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

ng_status ng_padding_of(const ng_layer *layer, ng_padding *padding, ng_error *error)
{
    const char *word = ng_word(layer->settings, "padding", "valid");
    if (!strcmp(word, "valid")) *padding = NG_VALID;
    else if (!strcmp(word, "same")) *padding = NG_SAME;
    else if (!strcmp(word, "causal")) *padding = NG_CAUSAL;
    else return ng_fail(error, NG_BAD_MODEL, layer, "padding is \"%.40s\"; it must be valid, same or causal", word);
    return NG_OK;
}

ng_status ng_slide(ng_layer *layer, int64_t size, int64_t stride, int64_t dilation, ng_padding padding, ng_error *error)
{
    const int64_t L = layer->in->length, span = (size - 1) * dilation + 1;
    int64_t pad = 0, length;
    if (padding == NG_VALID) {
        if (L < span)
            return ng_fail(error, NG_BAD_MODEL, layer, "a window of %lld rows does not fit an input of %lld", (long long)span, (long long)L);
        length = (L - span) / stride + 1;
    } else {
        length = (L + stride - 1) / stride;
        pad = (length - 1) * stride + span - L;
        pad = padding == NG_CAUSAL ? span - 1 : pad > 0 ? pad / 2 : 0;
    }
    layer->out.rank = 2;
    layer->out.samples = 1;
    layer->out.length = length;
    layer->reach = (ng_reach){size, stride, dilation, pad};
    return NG_OK;
}

void ng_row_by_row(ng_layer *layer)
{
    layer->out = layer->in[0];
    layer->reach = (ng_reach){1, 1, 1, 0};
}

ng_status ng_expect_rank(const ng_layer *layer, int least, int most, ng_error *error)
{
    for (int i = 0; i < layer->inputs; i++)
        if (layer->in[i].rank < least || layer->in[i].rank > most)
            return ng_fail(error, NG_BAD_MODEL, layer, "its input has %d axes besides the batch; %s takes %d%s", layer->in[i].rank,
                           layer->type->class_name, least, most > least ? " or more" : "");
    return NG_OK;
}

ng_status ng_whole(const ng_layer *layer, const char *key, int64_t at, int64_t otherwise, int64_t least, int64_t *value, ng_error *error)
{
    const double given = ng_number(layer->settings, key, at, (double)otherwise);
    if (!(given >= (double)least && given < 2147483648.0 && given == floor(given)))
        return ng_fail(error, NG_BAD_MODEL, layer, "%s is %g; it must be a whole number of at least %lld", key, given, (long long)least);
    *value = (int64_t)given;
    return NG_OK;
}

ng_status ng_expect_weight(const ng_layer *layer, int at, int rank, const int64_t *dim, ng_error *error)
{
    if (at >= layer->weight_count)
        return ng_fail(error, NG_BAD_MODEL, layer, "it has %d weights; %s needs number %d", layer->weight_count, layer->type->class_name, at + 1);
    const ng_tensor *weight = &layer->weights[at];
    bool fits = weight->rank == rank;
    for (int i = 0; fits && i < rank; i++) fits = dim[i] < 0 || dim[i] == weight->dim[i];
    if (fits) return NG_OK;
    char given[100] = "", wanted[100] = "";
    for (int i = 0; i < weight->rank; i++)
        snprintf(given + strlen(given), sizeof given - strlen(given), "%s%lld", i ? ", " : "", (long long)weight->dim[i]);
    for (int i = 0; i < rank; i++)
        snprintf(wanted + strlen(wanted), sizeof wanted - strlen(wanted), dim[i] < 0 ? "%sany" : "%s%lld", i ? ", " : "", (long long)dim[i]);
    return ng_fail(error, NG_BAD_MODEL, layer, "weight %d has shape (%s); its input and settings ask for (%s)", at + 1, given, wanted);
}

/* The rows that windows t in [first, last) hold, and the windows that hold rows [first, last). */
static ng_range rows_of_windows(ng_reach r, int64_t stride, ng_range t, int64_t length)
{
    return ng_clip(t.first * stride - r.pad, (t.last - 1) * stride - r.pad + (r.size - 1) * r.dilation + 1, length);
}

static ng_range windows_of_rows(ng_reach r, int64_t stride, ng_range rows, int64_t length)
{
    const int64_t span = (r.size - 1) * r.dilation + 1;
    return ng_clip(floor_div(rows.first + r.pad - span, stride) + 1, floor_div(rows.last - 1 + r.pad, stride) + 1, length);
}

ng_range ng_rows_needed(ng_reach r, ng_range out, int64_t in_length)
{
    if (r.size == 0) return (ng_range){0, in_length};
    if (out.first >= out.last) return (ng_range){0, 0};
    return r.stride > 0 ? rows_of_windows(r, r.stride, out, in_length) : windows_of_rows(r, -r.stride, out, in_length);
}

ng_range ng_rows_touched(ng_reach r, ng_range in, int64_t out_length)
{
    if (r.size == 0) return (ng_range){0, out_length};
    if (in.first >= in.last) return (ng_range){0, 0};
    return r.stride > 0 ? windows_of_rows(r, r.stride, in, out_length) : rows_of_windows(r, -r.stride, in, out_length);
}
