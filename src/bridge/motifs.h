/* bridge/motifs.h: what the entries of simulated motifs and of the motif network share. */
#ifndef NG_BRIDGE_MOTIFS_H
#define NG_BRIDGE_MOTIFS_H
#include "bridge/bridge.h"
#include "core/motifs/grammar.h"

/* The element of a list that has this name; an internal error if there is none. */
SEXP bridge_element(SEXP list, const char *name);

/* The two words of a key in R. */
uint64_t bridge_key(SEXP words);

/* The grammar of a recipe, with its parts in the call's arena; call->error is set if memory is out. */
ng_grammar bridge_grammar(SEXP recipe, bridge_call *call);

#endif
