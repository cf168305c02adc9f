/* core/base/error.h: how every function of the core says what went wrong. */
#ifndef NG_BASE_ERROR_H
#define NG_BASE_ERROR_H

struct ng_layer;

typedef enum ng_status { NG_OK, NG_UNSUPPORTED, NG_BAD_MODEL, NG_BAD_INPUT, NG_OUT_OF_MEMORY, NG_STOPPED } ng_status;

typedef struct ng_error {
    ng_status status;
    int layer;                                   /* 0-based place in the model, -1 if no layer is to blame */
    char layer_name[96], message[384];
} ng_error;

/* Fills *error and returns its status, so that a caller can write `return ng_fail(...)`. layer may be NULL. */
ng_status ng_fail(ng_error *error, ng_status status, const struct ng_layer *layer, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* "unsupported", "bad_model", ...: the tail of the class of the R condition. */
const char *ng_status_name(ng_status status);

#endif
