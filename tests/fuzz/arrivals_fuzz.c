/* SPDX-License-Identifier: Apache-2.0 */
/* Workloads of a run, in any format that is told by its content: the first byte picks speed, cut,
 * and what becomes of bad rows. Every call that is accepted has finite times that never go back,
 * lengths of at least one and within the cut; an error says why; with `skip` and `clip` every row
 * is a call or is counted; gzip changes nothing. */
#include "engine/work/arrivals.h"

#include <zlib.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

struct seen {
    uint64_t n, lengths, hashes;
    double last_s;
    struct mr_arrivals_counts counts;
    struct mr_err err;
};

enum {
    call_max = 2000
};

static mr_status read_all(const void *bytes, size_t n, const struct mr_arrivals_spec *spec,
                          struct seen *seen)
{
    static const char *const tiers[] = {"free", "paid"};
    const struct mr_arrivals_served served = {"llama", 1000, tiers, 2};
    struct mr_arrivals_source *source;
    struct mr_arrival call = {0};
    bool has_call = true;
    *seen = (struct seen){0};
    MR_TRY(mr_arrivals_open_memory(bytes, n, "fuzz", spec, &served, &source, &seen->err));
    mr_status st = MR_OK;
    while (seen->n < call_max) {
        st = mr_arrivals_next(source, &call, &has_call, &seen->err);
        if (st != MR_OK || !has_call)
            break;
        const uint64_t length = (uint64_t)call.n_input + call.n_output;
        require(isfinite(call.arrived_s) && call.arrived_s >= seen->last_s, "times");
        require(call.n_input > 0 && call.n_output > 0, "lengths");
        require(spec->length_max < 2 || length <= spec->length_max, "the cut");
        require(spec->longer != MR_ARRIVALS_LONG_CLIP || length <= 1000, "the context");
        require(spec->n_call == 0 || seen->n < spec->n_call, "calls");
        require(call.tier < 2, "tiers");
        for (size_t i = 0; i < call.n_hash; i++)
            seen->hashes += call.hash[i] * (i + 1);
        seen->last_s = call.arrived_s;
        seen->lengths += (uint64_t)call.n_input * 3 + call.n_output + call.session + call.tier;
        seen->n++;
    }
    seen->counts = mr_arrivals_counted(source);
    mr_arrivals_close(source);
    return st;
}

/* One gzip member. */
static size_t pack(const void *bytes, size_t n, unsigned char *to, size_t cap)
{
    z_stream z = {.next_in = (unsigned char *)(uintptr_t)bytes,
                  .avail_in = (uInt)n,
                  .next_out = to,
                  .avail_out = (uInt)cap};
    require(deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) == Z_OK, "deflate");
    require(deflate(&z, Z_FINISH) == Z_STREAM_END, "deflate");
    deflateEnd(&z);
    return z.total_out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 1 << 20)
        return 0;
    const struct mr_arrivals_spec spec = {.speed = (data[0] & 1) != 0 ? 7.5 : 1,
                                          .window_s = (data[0] & 64) != 0 ? 60 : 0,
                                          .length_max = (data[0] & 2) != 0 ? 100 : 0,
                                          .n_call = (data[0] & 4) != 0 ? 3 : 0,
                                          .bad = data[0] >> 3 & 3,
                                          .longer = (data[0] & 32) != 0 ? MR_ARRIVALS_LONG_CLIP
                                                                        : MR_ARRIVALS_LONG_REFUSE};
    struct mr_arrivals_spec own = spec;
    struct seen a, b;
    own.bad = spec.bad > MR_TRACE_BAD_CLIP ? MR_TRACE_BAD_ERROR : spec.bad;
    const mr_status st = read_all(data + 1, size - 1, &own, &a);
    require(st == MR_OK || a.err.text[0] != '\0', "an error says why");
    require(own.bad == MR_TRACE_BAD_SKIP || a.counts.n_skipped == 0 ||
                own.bad == MR_TRACE_BAD_CLIP /* other models */,
            "what is left out was asked for");
    const size_t cap = size + 4096;
    unsigned char *packed = malloc(cap);
    require(packed != NULL, "memory");
    const size_t n = pack(data + 1, size - 1, packed, cap);
    const mr_status of_gz = read_all(packed, n, &own, &b);
    free(packed);
    if (size > 3 && data[1] == 0x1f && data[2] == 0x8b) /* it was packed before */
        return 0;
    require(of_gz == st, "the same verdict from gzip");
    require(a.n == b.n && a.lengths == b.lengths && a.hashes == b.hashes && a.last_s == b.last_s &&
                a.err.line == b.err.line && a.err.col == b.err.col &&
                a.counts.n_skipped == b.counts.n_skipped &&
                a.counts.n_clipped == b.counts.n_clipped,
            "the same calls, counts and places from gzip");
    return 0;
}
