/* SPDX-License-Identifier: Apache-2.0 */
/* Within one source delay(L) falls as long as loading is hidden by the wait (only compute counts,
 * and it falls), and is concave afterwards (linear minus a square). So its least value stands at
 * the source's first or last block or on either side of the place where the wait is used up. */
#include "engine/serve/cache_load.h"

#include "engine/base/assert.h"

#include <math.h>

double mr_cache_load_compute_s(const struct mr_cache_load_compute *compute, double n_held)
{
    const double n = compute->n_block;
    return (n - n_held) * compute->block_s + (n - n_held) * (n + n_held) * 0.5 * compute->pair_s;
}

struct mr_cache_load mr_cache_load_choose(const struct mr_cache_load_source *source, int n_source,
                                          uint32_t n_held,
                                          const struct mr_cache_load_compute *compute,
                                          double wait_s)
{
    struct mr_cache_load best = {.compute_s = mr_cache_load_compute_s(compute, n_held)};
    uint32_t n_before = 0; /* blocks and time of the sources before this one */
    double before_s = 0;
    MR_ASSERT(compute->block_s >= 0 && compute->pair_s >= 0 && wait_s >= 0);
    best.delay_s = best.compute_s;
    for (int i = 0; i < n_source; i++) {
        const struct mr_cache_load_source *s = &source[i];
        if (s->n_block == 0)
            continue;
        /* last block that is here before the wait ends; none counts as the first */
        const double left_s = wait_s - before_s - s->latency_s;
        double hidden = 1;
        if (left_s >= (double)s->n_block * s->block_s)
            hidden = s->n_block;
        else if (left_s > s->block_s)
            hidden = floor(left_s / s->block_s);
        const double candidate[] = {1, hidden, fmin(hidden + 1, s->n_block), s->n_block};
        for (int c = 0; c < 4; c++) {
            struct mr_cache_load load = {.n_load = n_before + (uint32_t)candidate[c]};
            load.load_s = before_s + s->latency_s + candidate[c] * s->block_s;
            load.compute_s = mr_cache_load_compute_s(compute, (double)n_held + load.n_load);
            load.delay_s = fmax(0, load.load_s - wait_s) + load.compute_s;
            if (load.delay_s < best.delay_s)
                best = load;
        }
        n_before += s->n_block;
        before_s += s->latency_s + s->n_block * s->block_s;
    }
    return best;
}
