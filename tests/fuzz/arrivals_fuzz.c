/* SPDX-License-Identifier: Apache-2.0 */
/* Request traces: the first byte picks speed and cut. Every call that is accepted has finite times
 * that never go back, lengths of at least one and within the cut; an error says why and where, and
 * neither depends on how the bytes arrive. */
#include "engine/work/arrivals.h"

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
    uint64_t n, lengths;
    double last_s;
    struct mr_err err;
};

static mr_status read_all(const char *bytes, size_t n, const struct mr_csv_options *options,
                          const struct mr_arrivals_spec *spec, struct seen *seen)
{
    struct mr_gz *gz;
    struct mr_csv *csv;
    struct mr_arrivals_source *source;
    struct mr_arrival call = {0};
    bool has_call = true;
    *seen = (struct seen){0};
    MR_TRY(mr_gz_open_memory(bytes, n, "fuzz", &gz, &seen->err));
    MR_TRY(mr_csv_create(gz, options, &csv, &seen->err));
    MR_TRY(mr_arrivals_open_csv(spec, csv, &source, &seen->err));
    mr_status st = MR_OK;
    while (has_call) {
        st = mr_arrivals_next(source, &call, &has_call, &seen->err);
        if (st != MR_OK || !has_call)
            break;
        require(isfinite(call.arrived_s) && call.arrived_s >= seen->last_s, "times");
        require(call.n_input > 0 && call.n_output > 0, "lengths");
        require(spec->length_max < 2 || (uint64_t)call.n_input + call.n_output <= spec->length_max,
                "the cut");
        require(spec->n_call == 0 || seen->n < spec->n_call, "calls");
        seen->last_s = call.arrived_s;
        seen->lengths += (uint64_t)call.n_input * 3 + call.n_output + call.session + call.tier;
        seen->n++;
    }
    mr_arrivals_close(source);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const struct mr_arrivals_spec spec = {.speed = (data[0] & 1) != 0 ? 7.5 : 1,
                                          .length_max = (data[0] & 2) != 0 ? 100 : 0,
                                          .n_call = (data[0] & 4) != 0 ? 3 : 0};
    const struct mr_csv_options whole = {.separator = ','};
    const struct mr_csv_options pieces = {.separator = ',', .read_bytes = 1 + data[0] % 5};
    struct seen a, b;
    const mr_status st = read_all((const char *)data + 1, size - 1, &whole, &spec, &a);
    require(st == MR_OK || a.err.text[0] != '\0', "an error says why");
    require(read_all((const char *)data + 1, size - 1, &pieces, &spec, &b) == st,
            "the same verdict from small reads");
    require(a.n == b.n && a.lengths == b.lengths && a.last_s == b.last_s &&
                a.err.line == b.err.line && a.err.col == b.err.col,
            "the same calls and places from small reads");
    return 0;
}
