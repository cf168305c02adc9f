#include <stdarg.h>
#include <stdio.h>
#include "core/base/error.h"
#include "core/network/layer.h"

ng_status ng_fail(ng_error *error, ng_status status, const ng_layer *layer, const char *format, ...)
{
    va_list values;
    error->status = status;
    error->layer = layer ? layer->index : -1;
    snprintf(error->layer_name, sizeof error->layer_name, "%s", layer ? layer->name : "");
    va_start(values, format);
    vsnprintf(error->message, sizeof error->message, format, values);
    va_end(values);
    return status;
}

const char *ng_status_name(ng_status status)
{
    static const char *const names[] = {"ok", "unsupported", "model", "input", "memory", "stopped"};
    return names[status];
}
