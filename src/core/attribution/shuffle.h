/* core/attribution/shuffle.h: sequences drawn in the place of others. Bases are 0..3 = A, C, G, T; anything else is ambiguous. What is
 * drawn depends on the draw and the sequence alone: whoever asks, in whatever order, gets the same. */
#ifndef NG_ATTRIBUTION_SHUFFLE_H
#define NG_ATTRIBUTION_SHUFFLE_H
#include "core/base/run.h"

/* Replicate `replicate` at a place (the start of a window, a base) under a key. */
typedef struct ng_draw { uint64_t key, place; uint32_t replicate; } ng_draw;

/* The key of a contig: two contigs of one seed draw apart. */
uint64_t ng_draw_key(uint64_t seed, const char *name);

/* Random numbers of a draw, one after the other. */
typedef struct ng_dice { uint32_t counter[4], key[2]; uint64_t words[2]; int left; } ng_dice;
ng_dice ng_dice_of(ng_draw draw);
/* A whole number in [0, limit); a number in (0, 1). */
int64_t ng_roll(ng_dice *dice, int64_t limit);
double ng_roll_unit(ng_dice *dice);

/* Both write n bases; ambiguous letters stay where they are. */
/* The other letters in random order, every order as likely. */
void ng_shuffle_positions(const uint8_t *bases, int64_t n, ng_draw draw, uint8_t *out);
/* Each stretch without ambiguous letters in an order that keeps its first and last letter and how often each letter follows each,
 * every such sequence as likely. false: there is no other such sequence, out is bases. spare: n bytes. */
bool ng_shuffle_dinucleotides(const uint8_t *bases, int64_t n, ng_draw draw, uint8_t *out, uint8_t *spare);

/* Pieces of a sequence: widths[i] bases from starts[i] on, round a circular one's origin. */
typedef struct ng_pieces { const uint8_t *bases; int64_t length, count; const int64_t *starts, *widths; } ng_pieces;

/* Shuffles every piece by itself; out holds them one after the other. The draw of piece i is at place places[i]. A piece that is its only
 * shuffle of dinucleotides is shuffled by positions; *alone counts them. */
ng_status ng_shuffle_pieces(const ng_pieces *pieces, bool dinucleotides, uint64_t key, uint32_t replicate, const int64_t *places,
                            uint8_t *out, int64_t *alone, const ng_run *run, ng_error *error);

/* A Markov chain of n bases: counts[context * 4 + base], 4^order contexts, the last letter the lowest digit. */
void ng_markov_bases(const double *counts, int order, int64_t n, ng_draw draw, uint8_t *out);

/* Point mutations: each base turns into one of the three others with this probability, drawn at its own place. */
void ng_mutate_bases(const uint8_t *bases, int64_t n, double rate, uint64_t key, uint32_t replicate, uint8_t *out);

/* A row of four numbers from the uniform distribution on the simplex. */
void ng_simplex_row(ng_draw draw, float row[4]);

#endif
