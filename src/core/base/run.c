/* core/base/run.c: the one place that knows of OpenMP's limits. A child made by fork() (parallel::mclapply) that enters a
 * parallel region of libgomp hangs; so a child gets one thread. data.table (src/openmp-utils.c) is the model. */
#include "core/base/run.h"
#ifdef _OPENMP
#include <omp.h>
#endif
#if defined(_OPENMP) && !defined(_WIN32)
#include <pthread.h>
#endif

#if defined(_OPENMP) && !defined(_WIN32)
static bool forked = false;
static void in_child(void) { forked = true; }
#endif

int ng_threads_available(void)
{
#if defined(_OPENMP) && !defined(_WIN32)
    static bool watching = false;
    if (!watching) watching = pthread_atfork(NULL, NULL, in_child) == 0;
    if (forked) return 1;
#endif
#ifdef _OPENMP
    return omp_get_thread_limit() < omp_get_num_procs() ? omp_get_thread_limit() : omp_get_num_procs();
#else
    return 1;
#endif
}

ng_status ng_poll(const ng_run *run, double done, ng_error *error)
{
    if (run->poll && run->poll(run->poll_data, done)) return ng_fail(error, NG_STOPPED, NULL, "stopped by the user");
    return NG_OK;
}
