#include <string.h>
#include "core/network/pooling.h"

ng_status ng_pooling(ng_layer *layer, ng_error *error)
{
    int64_t size, stride;
    ng_padding padding;
    const char *format = ng_word(layer->settings, "data_format", "channels_last");
    if (ng_expect_rank(layer, 2, 2, error) || ng_whole(layer, "pool_size", 0, 2, 1, &size, error) ||
        ng_whole(layer, "strides", 0, size, 1, &stride, error) || ng_padding_of(layer, &padding, error))
        return error->status;
    if (padding == NG_CAUSAL) return ng_fail(error, NG_BAD_MODEL, layer, "padding is \"causal\"; a pooling takes valid or same");
    if (strcmp(format, "channels_last"))
        return ng_fail(error, NG_UNSUPPORTED, layer, "data_format is \"%.40s\"; it must be channels_last", format);
    layer->out.channels = layer->in->channels;
    return ng_slide(layer, size, stride, 1, padding, error);
}
