/* tests/core/grow.h: random graphs that grow by a layer or two, for tests of what depends on where rows come from. */
#ifndef NG_TESTS_GROW_H
#define NG_TESTS_GROW_H
#include "net.h"

static bool smooth;                              /* graphs without kinks, if a test sets it */

static inline const char *any_padding(void)
{
    static const char *const words[] = {"same", "valid", "causal"};
    return words[draw(3)];
}

/* One or two layers on top of `from`. Some keep the channels; a convolution may skip rows or spread its taps. */
static inline int grow(net *n, int from, int64_t *channels)
{
    const int64_t before = *channels;
    int at;
    switch (draw(11)) {
    case 0: case 1: case 2:
        *channels = draw(2) ? 2 + draw(12) : 16;                     /* 16: whole vectors, which kernels want */
        at = conv(n, from, 1 + draw(9), before, *channels, any_padding());
        if (n->numbers[at][2][0] == 1 && !draw(3)) n->numbers[at][3][0] = 2;
        return activation(n, at, draw(2) && !smooth ? "relu" : "tanh");
    case 3: {
        const int64_t size = 2 + draw(3);
        return pool(n, from, draw(2) && !smooth ? &ng_max_pooling1d : &ng_average_pooling1d, size, 1 + draw(size), draw(2) ? "same" : "valid");
    }
    case 4:
        at = activation(n, from, smooth ? "sigmoid" : "relu");
        at = pool(n, at, smooth ? &ng_average_pooling1d : &ng_max_pooling1d, 2, 2, "valid");         /* relu: fused */
        return norm(n, at, before);
    case 5:
        at = add(n, &ng_zero_padding1d, from, -1);
        numbers(n, "padding", 2, (double)draw(4), (double)draw(4), 0);
        return at;
    case 6:
        at = add(n, &ng_cropping1d, from, -1);
        numbers(n, "cropping", 2, (double)draw(4), (double)draw(4), 0);
        return at;
    case 7:
        at = pool(n, from, &ng_average_pooling1d, 3, 1, "same");
        return add(n, &ng_add, from, at);
    case 8:
        at = add(n, &ng_up_sampling1d, from, -1);
        number(n, "size", 2);
        return at;
    case 9:
        *channels = 16;                                              /* in the frequency domain elsewhere */
        return conv(n, from, 24, before, 16, "same");
    default:
        at = conv(n, from, 3, before, before, "same");
        n->numbers[at][2][0] = 1;
        *channels = 2 * before;
        return add(n, &ng_concatenate, from, at);
    }
}

#endif
