/* core/motifs/grammar.h: simulated sequences with motifs in them. Letters are codes 0..3 (A, C, G, T). A configuration is a run of
 * motifs and spacers; a sequence of a class has one of the class's configurations, or none if there are none. */
#ifndef NG_MOTIFS_GRAMMAR_H
#define NG_MOTIFS_GRAMMAR_H
#include "core/base/philox.h"
#include "core/base/run.h"

typedef struct ng_grammar_part { int motif; int64_t least, most; } ng_grammar_part;     /* motif -1: a spacer of least..most letters */
typedef struct ng_configuration { double probability; const ng_grammar_part *parts; int64_t count; } ng_configuration;
typedef struct ng_class { const ng_configuration *configurations; int64_t count; } ng_class;
typedef enum ng_place { NG_CENTRE, NG_UNIFORM, NG_PERIODIC } ng_place;

typedef struct ng_grammar {
    int64_t length;
    ng_class negative, positive;
    const double *const *pfm;                    /* motif by motif: (width, 4) probabilities */
    const int64_t *width;
    int motifs;
    double share;                                /* of positives: sequence i is one if floor((i + 1) share) > floor(i share) */
    double background[4];
    ng_place place;
    int64_t jitter, copies, period;              /* copies and period: of NG_PERIODIC */
    bool both;                                   /* half of the sequences are turned round */
    double reject;                               /* background windows as like a motif as this are drawn anew; 2: never */
} ng_grammar;

/* A motif in a sequence: [start, end), 0-based, on the strand as written. */
typedef struct ng_site { int motif; int64_t start, end; bool reverse; } ng_site;

bool ng_grammar_positive(const ng_grammar *grammar, int64_t sequence);

/* The most motifs that a sequence can hold. */
int64_t ng_grammar_most_sites(const ng_grammar *grammar);

/* Draws one sequence of a stream; sites has room for ng_grammar_most_sites(), or is NULL. False: `reject` left no background. */
bool ng_grammar_draw(const ng_grammar *grammar, bool positive, ng_random_stream stream, uint8_t *codes, ng_site *sites, int64_t *count);

/* Sequences first..first + n - 1 of a lane of a key: codes (n, length). */
ng_status ng_grammar_simulate(const ng_grammar *grammar, uint64_t key, uint32_t lane, int64_t first, int64_t n, const ng_run *run,
                              uint8_t *codes, ng_site *sites, int64_t *counts, ng_error *error);

/* log P(sequence | positive) - log P(sequence | negative) of each of n sequences, exactly: no classifier can do better. */
ng_status ng_grammar_bayes(const ng_grammar *grammar, const uint8_t *codes, int64_t n, const ng_run *run, double *score, ng_error *error);

#endif
