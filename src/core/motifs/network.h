/* core/motifs/network.h: a network whose parts can be read (after Tseng and others 2024, arXiv 2410.06211): a few filters scan the
 * sequence, heads attend to positions, layers write what they found to a stream, and the answer is linear in the stream.
 *
 *     z[t, f] = c_f + sum over w, c of Wc[f, w, c] X[t + w, c]       a = max(0, z)                         (T, F)
 *     y = batch norm of a, filter by filter                          k_t = [y_t; pe_t], x_t = Wd k_t + bd  (T, K), (T, E)
 *     layer:  q = Wq s + bq;  score[h, t] = <q_h, key_h(x_t)> / sqrt(d);  u_h = sum over t of softmax(score_h)[t] (Wv x_t + bv)_h
 *             o = LN(Wo u + bo);  m = max(0, W1 o + b1);  s <- s + LN(W2 m + b2)
 *     logit = w LN(s) + b
 *
 * F filters of W columns, T = L - W + 1 positions with P sines and cosines each, K = F + P, H heads of d = E / H, M hidden units,
 * a stream of S, N layers. Letters are codes 0..3 (A, C, G, T) and 4 for any other, which counts as no letter. */
#ifndef NG_MOTIFS_NETWORK_H
#define NG_MOTIFS_NETWORK_H
#include "core/base/philox.h"
#include "core/base/run.h"

typedef enum ng_motif_score { NG_SCORE_VALUE, NG_SCORE_IDENTITY, NG_SCORE_LINEAR } ng_motif_score;    /* the key of x_t: its value, itself, Wk x_t */

typedef struct ng_motif_network {
    int64_t length, filters, width, positions, dim, heads, hidden, stream, layers;
    ng_motif_score score;
    bool tied;                                   /* filter f + F/2 is the reverse complement of filter f */
    bool frozen;                                 /* the filters and their biases stay as they are */
    bool mask_silent;                            /* in the overlap loss no filter wins where none fires */
    bool regression;                             /* squared error of the logit; else cross-entropy of its sigmoid */
    bool float64;                                /* compute in double */
    double *parameters;                          /* as ng_motif_places says; Keras' order of dense matrices is the transpose */
    double *start;                               /* S: the stream before the first layer, not trained */
    double *mean, *variance;                     /* free filters: of the batch norm, running */
} ng_motif_network;

/* Where tensors begin among the parameters; those of a layer count from layer + n * layer_size. Shapes in row-major order. */
typedef struct ng_motif_places {
    int64_t free;                                                    /* filters that are parameters: F, or F/2 if tied */
    int64_t filter, bias, gain, offset;                              /* (free, W, 4), (free), (free), (free) */
    int64_t token, token_bias;                                       /* Wd (E, K), bd */
    int64_t layer, layer_size;
    int64_t query, query_bias, key, value, value_bias;               /* Wq (E, S), bq, Wk (E, E) if the score is linear, Wv (E, E), bv */
    int64_t output, output_bias, read_gain, read_offset;             /* Wo (E, E), bo, LN (E) */
    int64_t hidden, hidden_bias, written, written_bias, write_gain, write_offset;    /* W1 (M, E), b1, W2 (S, M), b2, LN (S) */
    int64_t final_gain, final_offset, weight, intercept;             /* LN (S), w (S), b (1) */
    int64_t count;
} ng_motif_places;

ng_motif_places ng_motif_places_of(const ng_motif_network *net);

/* The network's numbers before training: uniform weights, gains 1, offsets 0, running values 0 and 1, a normal start. */
void ng_motif_begin(ng_motif_network *net, uint64_t key);

/* All filters (F, W, 4) and their biases (F), the tied ones written out. */
void ng_motif_filters(const ng_motif_network *net, double *filters, double *bias);

/* Adds the gradient of all filters to that of the free ones. */
void ng_motif_fold(const ng_motif_network *net, const double *filters, const double *bias, double *gradient);

#endif
