/* inst/fuzz/driver.c: runs a fuzzer where there is no libFuzzer. driver executions [seed]: random bytes, and changed ones of earlier inputs.
 * driver file: that input again. An input that fails is left in crash-input. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "bytes.h"

enum { LONGEST = 1024, KEPT = 512, SECONDS = 5 };

static uint64_t state = 1;
static uint8_t input[LONGEST];
static size_t length;

static uint32_t draw(uint32_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % n;
}

static void save(void)
{
    FILE *file = fopen("crash-input", "wb");
    if (!file) return;
    fwrite(input, 1, length, file);
    fclose(file);
}

/* Undefined behaviour ends in SIGABRT, not in _exit(): the input is saved. */
const char *__ubsan_default_options(void) { return "abort_on_error=1:print_stacktrace=1"; }

void __sanitizer_set_death_callback(void (*call)(void)) __attribute__((weak));

static void died(int number)
{
    save();
    signal(number, SIG_DFL);
    raise(number);
}

static int run_file(const char *name)
{
    FILE *file = fopen(name, "rb");
    if (!file) return 2;
    length = fread(input, 1, sizeof input, file);
    fclose(file);
    return LLVMFuzzerTestOneInput(input, length);
}

int main(int count, char **arguments)
{
    static uint8_t kept[KEPT][LONGEST];
    static size_t lengths[KEPT];
    const long long executions = count > 1 ? atoll(arguments[1]) : 10000;
    if (executions == 0) return run_file(arguments[1]);
    if (count > 2) state = (uint64_t)atoll(arguments[2]) * 2 + 1;
    if (__sanitizer_set_death_callback) __sanitizer_set_death_callback(save);
    signal(SIGABRT, died);
    signal(SIGALRM, died);
    for (long long k = 0; k < executions; k++) {
        const uint32_t slot = draw(KEPT);
        if (k < KEPT || draw(3) == 0) {
            length = draw(LONGEST);
            for (size_t i = 0; i < length; i++) input[i] = (uint8_t)draw(256);
        } else {
            memcpy(input, kept[slot], length = lengths[slot]);
            for (uint32_t changes = 1 + draw(8); changes > 0 && length; changes--) input[draw((uint32_t)length)] = (uint8_t)draw(256);
        }
        memcpy(kept[slot], input, lengths[slot] = length);
        alarm(SECONDS);
        LLVMFuzzerTestOneInput(input, length);
    }
    printf("%lld executions\n", executions);
    return 0;
}
