/* bridge/seism.h: what the entries of selective inference share. */
#ifndef NG_BRIDGE_SEISM_H
#define NG_BRIDGE_SEISM_H
#include "bridge/bridge.h"
#include "core/selective/event.h"

const ng_design *bridge_design(SEXP pointer);
void bridge_assert_response(const ng_design *design, SEXP y);

/* A list with these names. */
SEXP bridge_named_list(const char *const *names, int count);
#define NAMED(...) bridge_named_list((const char *const[]){__VA_ARGS__}, (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)))

/* A new vector, number or matrix as element i of a list. */
SEXP bridge_put(SEXP list, int i, SEXPTYPE type, R_xlen_t length);
void bridge_put_number(SEXP list, int i, double number);
double *bridge_put_matrix(SEXP list, int i, R_xlen_t rows, R_xlen_t columns);

#endif
