/* core/network/settings.h: the configuration of one layer as the model file states it: Keras keys and their values. */
#ifndef NG_NETWORK_SETTINGS_H
#define NG_NETWORK_SETTINGS_H
#include <stdbool.h>
#include <stdint.h>

typedef struct ng_setting {
    const char *key;
    const char *text;                            /* words; NULL if the value is numeric */
    const double *numbers;                       /* numbers and flags (0, 1); NaN stands for null inside a list */
    int64_t count;                               /* of numbers */
} ng_setting;

typedef struct ng_settings { const ng_setting *items; int64_t count; } ng_settings;

/* The value of a key, or otherwise if the key is absent. A list counts as its element `at`. */
double ng_number(const ng_settings *settings, const char *key, int64_t at, double otherwise);
bool ng_flag(const ng_settings *settings, const char *key, bool otherwise);
const char *ng_word(const ng_settings *settings, const char *key, const char *otherwise);
/* How many numbers the key holds; 0 if it is absent. */
int64_t ng_count(const ng_settings *settings, const char *key);

#endif
