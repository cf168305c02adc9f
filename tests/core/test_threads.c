/* Every way into the core that has threads finds the same bits with one to eight of them. */
#include "works.h"

int main(void)
{
    prepare_works();
    for (int k = 0; k < WORKS; k++) {
        ng_error error;
        job expected = {0}, done = {0};
        for (int threads = 1; threads <= 8; threads++) {
            CHECK(run_work(&works[k], threads, threads == 1 ? &expected : &done, &error) == NG_OK);
            if (error.status != NG_OK) printf("%s: %s\n", works[k].name, error.message);
            CHECK(threads == 1 || done.hash == expected.hash);
            if (threads > 1 && done.hash != expected.hash) printf("%s: other bits with %d threads\n", works[k].name, threads);
        }
    }
    end_works();
    return finish();
}
