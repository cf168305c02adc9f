/* core/motifs/pass.h: a batch of sequences through the motif network and back. The work is done in chunks of 8 sequences, each with
 * its own sums, which are added in the order of chunks: any number of threads gives the same bits.
 *
 * No token is ever formed: there is one query per head and layer, and tokens are linear in [y; pe], so a head's scores are
 *     score[h, t] = sum over f of r[h, f] rho_f a[t, f] + sum over p of r[h, F + p] pe[p, t] + constant
 * with r_h = Wd' A_h' q_h / sqrt(d), A_h the head's rows of Wv, Wk or the identity, and y = rho a + shift the batch norm. */
#ifndef NG_MOTIFS_PASS_H
#define NG_MOTIFS_PASS_H
#include "core/motifs/network.h"

enum { NG_CHUNK = 8, NG_ROW = 8, NG_TOKENS = 64, NG_LETTERS = 5, NG_WORD = 5, NG_WORDS = 3125 };

/* Weights of the parts of the loss in an epoch, and how to step. */
typedef struct ng_motif_weights { double overlap, l1, entropy, rate, clip; } ng_motif_weights;

/* Means over the batch; l1 is a sum. NaN: not measured. */
typedef struct ng_motif_loss { double total, fit, overlap, l1, entropy; } ng_motif_loss;

/* What belongs to 8 sequences. Pointers to void: numbers of the type that the network computes in. */
typedef struct ng_pass_chunk {
    int64_t first, count;
    int32_t *words;                              /* L + padding: five letters from here on, as a number in base 5 */
    void *a;                                     /* (F, tokens): activations of the sequence at hand */
    void *kept;                                  /* N layers: all that backward needs of forward */
    void *attention;                             /* (N, 2 H, tokens): attention, and the gradient of its scores */
    void *scratch;                               /* of backward */
    void *shared_scores;                         /* (H, tokens) and (H, F): layer 0, summed over sequences */
    void *gradient, *filter_gradient;            /* all parameters but filters; (W, 5, row) and (row) */
    double *sum, *square;                        /* (F): of activations */
    double *d_offset, *d_gain;                   /* (F) */
    double *meetings;                            /* (F, 2 W, row): differences of sums of activations by winner and shift */
    double fit, entropy;
} ng_pass_chunk;

typedef struct ng_pass {
    const ng_motif_network *net;
    ng_motif_places at;
    const struct ng_pass_kernel *kernel;
    int64_t tokens, padded, row, inputs, groups; /* T, T rounded up, F rounded up, K, tables of the scanner */
    int64_t batch, chunk_count;
    ng_pass_chunk *chunks;
    double *filters, *bias, *prefix;             /* all filters; (F, 2 W, row): sums of products of overlap masses */
    void *weights, *start, *taps, *tables, *position, *rho, *shift, *centre, *pull_offset, *pull_gain, *table_of_prefix;
    void *first_query, *first_key, *first_reading, *first_scores;    /* layer 0, the same for every sequence: q, e, r, scores of positions */
    void *rows, *slopes;                         /* (batch, T, row) activations, (batch, F, tokens) gradients of y */
    int32_t *winner, *run_end;                   /* (batch, T): the filter with the highest activation, and where its run ends */
    uint8_t *codes;                              /* (batch, L): the caller writes them, and y */
    double *y, *logit;
    double *attention, *stream;                  /* (batch, N, H, T), (batch, N + 1, S): the caller may give room for them */
    bool measure_overlap, measure_entropy;
    double entropy_weight;                       /* over B N H */
} ng_pass;

typedef struct ng_pass_kernel {
    size_t size;                                 /* of a number */
    int64_t (*kept_numbers)(const ng_pass *pass), (*scratch_numbers)(const ng_pass *pass);
    void (*positions)(ng_pass *pass);            /* the sines and cosines, once */
    void (*prepare)(ng_pass *pass);              /* parameters in the type at hand, and the scanner's tables */
    void (*absorb)(ng_pass *pass, const double *mean, const double *scale);        /* batch norm, and layer 0 */
    void (*scan)(const ng_pass *pass, ng_pass_chunk *chunk);                       /* codes to rows, sums and squares */
    void (*read)(const ng_pass *pass, ng_pass_chunk *chunk, bool backward);        /* rows to logits; and to slopes, gradients */
    void (*pull)(const ng_pass *pass, ng_pass_chunk *chunk, bool backward);        /* slopes to filters; meetings */
    void (*filter_gradient)(const ng_pass *pass, double *filters, double *bias);   /* sums over chunks: (F, W, 4), (F) */
    void (*sum_gradients)(const ng_pass *pass, double *gradient);                  /* the others, added to gradient */
    double (*number)(const void *numbers, int64_t i);
} ng_pass_kernel;

/* Room for batches of `batch` sequences; without `training`, forward only. NULL and *error if memory is out. */
ng_pass *ng_pass_new(const ng_motif_network *net, int64_t batch, bool training, const ng_run *run, ng_error *error);

/* Loss and gradient (in the order of the parameters) of the batch in pass->codes and pass->y, with the statistics of the batch, which
 * are put into mean and variance (free filters; biased). measure: overlap and entropy also where their weight is 0. */
void ng_pass_gradient(ng_pass *pass, const ng_motif_weights *weights, bool measure, const ng_run *run, ng_motif_loss *loss,
                      double *gradient, double *mean, double *variance);

/* The parameters as they are now, for ng_pass_forward(); batch norm by the running statistics. */
void ng_pass_freeze(ng_pass *pass);

/* Activations of the first n sequences in pass->codes: pass->rows. */
void ng_pass_scan(ng_pass *pass, int64_t n, const ng_run *run);

/* Their logits too, and attention and stream if there is room. */
void ng_pass_forward(ng_pass *pass, int64_t n, const ng_run *run);

#endif
