#include <string.h>
#include "core/network/settings.h"

static const ng_setting *find(const ng_settings *settings, const char *key)
{
    for (int64_t i = 0; i < settings->count; i++)
        if (!strcmp(settings->items[i].key, key)) return &settings->items[i];
    return NULL;
}

double ng_number(const ng_settings *settings, const char *key, int64_t at, double otherwise)
{
    const ng_setting *found = find(settings, key);
    return found && found->numbers && at < found->count ? found->numbers[at] : otherwise;
}

bool ng_flag(const ng_settings *settings, const char *key, bool otherwise)
{
    return ng_number(settings, key, 0, otherwise) != 0;
}

const char *ng_word(const ng_settings *settings, const char *key, const char *otherwise)
{
    const ng_setting *found = find(settings, key);
    return found && found->text ? found->text : otherwise;
}

int64_t ng_count(const ng_settings *settings, const char *key)
{
    const ng_setting *found = find(settings, key);
    return found ? found->count : 0;
}
