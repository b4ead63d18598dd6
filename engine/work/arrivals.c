/* SPDX-License-Identifier: Apache-2.0 */
/* Columns are found by the names that public traces use. Drawn calls have streams of their own for
 * arrivals and for lengths, so that another rate does not change the lengths. */
#include "engine/work/arrivals.h"

#include "engine/base/fmath.h"
#include "engine/base/mem.h"

#include <math.h>

// clang-format off
#define S struct mr_arrivals_spec
static const struct mr_param rows[] = {
    MR_PARAM_STR(S, file, "file", NULL, "CSV with arrived_s, input, output, and if there session, tier; not given: drawn"),
    MR_PARAM(S, speed, "speed", MR_Q_COUNT, "1", 1e-6, 1e6, "Recorded arrivals are this many times faster"),
    MR_PARAM(S, rate_s, "rate", MR_Q_RATE, "1 req/s", 1e-9, 1e9, "Mean arrivals of drawn calls, a Poisson process"),
    MR_PARAM(S, input_tok, "input", MR_Q_TOKENS, "1024 tok", 1, 1e8, "Median of drawn prompts' tokens"),
    MR_PARAM(S, output_tok, "output", MR_Q_TOKENS, "256 tok", 1, 1e8, "Median of drawn outputs' tokens"),
    MR_PARAM(S, input_spread, "input_spread", MR_Q_COUNT, "0", 0, 5, "Sigma of the lognormal prompts; 0: all equal"),
    MR_PARAM(S, output_spread, "output_spread", MR_Q_COUNT, "0", 0, 5, "Sigma of the lognormal outputs; 0: all equal"),
    MR_PARAM(S, prefix_tok, "prefix", MR_Q_TOKENS, "0 tok", 0, 1e8, "Tokens at the beginning of every prompt that all sessions share"),
    MR_PARAM_N(S, n_call, "calls", "0", 0, 4000000000, "Most calls of the workload; 0: no limit"),
    MR_PARAM_N(S, length_max, "length_max", "0", 0, 4000000000, "Prompts are cut so that prompt and output do not exceed it; 0: not"),
};
#undef S
// clang-format on

const struct mr_param_table mr_arrivals_table = {
    "workload", "Calls that arrive whatever becomes of those before.", rows,
    sizeof rows / sizeof *rows};

enum {
    column_arrived,
    column_input,
    column_output,
    column_session,
    column_tier,
    n_column,
    n_name = 5
};

static const struct {
    const char *name[n_name]; /* the first is ours */
    bool must;
} columns[n_column] = {
    [column_arrived] = {{"arrived_s", "arrived_at", "timestamp_s"}, true},
    [column_input] = {{"input", "prefill", "num_prefill_tokens", "input_tokens"}, true},
    [column_output] = {{"output", "decode", "num_decode_tokens", "output_tokens"}, true},
    [column_session] = {{"session", "session_id"}, false},
    [column_tier] = {{"tier"}, false},
};

struct mr_arrivals_source {
    struct mr_arrivals_spec spec;
    struct mr_csv *csv; /* NULL: drawn */
    size_t column[n_column];
    struct mr_rng arrival, length;
    double last_s, first_s;
    uint64_t n_call;
};

static mr_status find_columns(struct mr_arrivals_source *source, struct mr_err *err)
{
    for (int k = 0; k < n_column; k++) {
        source->column[k] = SIZE_MAX;
        for (int i = 0; i < n_name && columns[k].name[i] != NULL; i++)
            if (source->column[k] == SIZE_MAX)
                source->column[k] = mr_csv_find_column(source->csv, columns[k].name[i]);
        if (source->column[k] == SIZE_MAX && columns[k].must)
            return mr_csv_column(source->csv, columns[k].name[0], &source->column[k], err);
    }
    return MR_OK;
}

static mr_status create(const struct mr_arrivals_spec *spec, uint64_t seed, struct mr_csv *take_csv,
                        struct mr_arrivals_source **out, struct mr_err *err)
{
    struct mr_arrivals_source *source = mr_alloc_zero(1, sizeof *source);
    mr_status st = MR_OK;
    *out = NULL;
    if (source == NULL) {
        mr_csv_close(take_csv);
        return mr_err_nomem(err, sizeof *source);
    }
    source->spec = *spec;
    source->arrival = mr_rng_stream(seed, MR_RNG_ARRIVAL, 0);
    source->length = mr_rng_stream(seed, MR_RNG_LENGTH, 0);
    if (take_csv != NULL) {
        source->csv = take_csv;
        st = find_columns(source, err);
    }
    if (st != MR_OK) {
        mr_arrivals_close(source);
        return st;
    }
    *out = source;
    return MR_OK;
}

mr_status mr_arrivals_open(const struct mr_arrivals_spec *spec, uint64_t seed,
                           struct mr_arrivals_source **out, struct mr_err *err)
{
    struct mr_csv *csv = NULL;
    *out = NULL;
    if (spec->file != NULL)
        MR_TRY(mr_csv_open(spec->file, NULL, &csv, err));
    return create(spec, seed, csv, out, err);
}

mr_status mr_arrivals_open_csv(const struct mr_arrivals_spec *spec, struct mr_csv *take_csv,
                               struct mr_arrivals_source **out, struct mr_err *err)
{
    return create(spec, 0, take_csv, out, err);
}

void mr_arrivals_close(struct mr_arrivals_source *source)
{
    if (source == NULL)
        return;
    mr_csv_close(source->csv);
    mr_free(source);
}

/* ---- recorded ---- */

static mr_status read_tokens(struct mr_arrivals_source *source, int column, double least,
                             uint32_t *out, struct mr_err *err)
{
    double value;
    MR_TRY(mr_csv_f64(source->csv, source->column[column], &value, err));
    if (!(value >= 0) || value > 4e9 || value != floor(value))
        return mr_csv_error(source->csv, source->column[column], err, MR_RANGE,
                            "%g is not a number of tokens", value);
    *out = (uint32_t)fmax(value, least); /* traces count calls that made nothing */
    return MR_OK;
}

static mr_status read_row(struct mr_arrivals_source *source, struct mr_arrival *call,
                          struct mr_err *err)
{
    const size_t arrived = source->column[column_arrived];
    uint64_t session = source->n_call, tier = 0;
    double arrived_s;
    MR_TRY(mr_csv_f64(source->csv, arrived, &arrived_s, err));
    if (!isfinite(arrived_s) || arrived_s < 0)
        return mr_csv_error(source->csv, arrived, err, MR_RANGE, "%g is not a time", arrived_s);
    call->arrived_s = arrived_s / source->spec.speed;
    if (call->arrived_s < source->last_s)
        return mr_csv_error(source->csv, arrived, err, MR_RANGE,
                            "%g s is before the row above: sort the file by time", arrived_s);
    MR_TRY(read_tokens(source, column_input, 1, &call->n_input, err));
    MR_TRY(read_tokens(source, column_output, 1, &call->n_output, err));
    if (source->column[column_session] != SIZE_MAX)
        MR_TRY(mr_csv_u64(source->csv, source->column[column_session], &session, err));
    if (source->column[column_tier] != SIZE_MAX)
        MR_TRY(mr_csv_u64(source->csv, source->column[column_tier], &tier, err));
    if (session > 0xffffffff - 1)
        return mr_csv_error(source->csv, source->column[column_session], err, MR_RANGE,
                            "sessions count from 0 to 4294967294");
    if (tier > 255)
        return mr_csv_error(source->csv, source->column[column_tier], err, MR_RANGE,
                            "tiers count from 0 to 255");
    call->session = (uint32_t)session;
    call->is_alone = source->column[column_session] == SIZE_MAX;
    call->tier = (uint8_t)tier;
    return MR_OK;
}

/* ---- drawn ---- */

static uint32_t draw_tokens(struct mr_arrivals_source *source, double median, double spread)
{
    const double normal = mr_rng_normal(&source->length);
    const double x = spread > 0 ? median * mr_exp(spread * normal) : median;
    return (uint32_t)fmin(4e9, fmax(1, floor(x + 0.5)));
}

static void draw(struct mr_arrivals_source *source, struct mr_arrival *call)
{
    const struct mr_arrivals_spec *spec = &source->spec;
    call->arrived_s = source->last_s + mr_rng_exponential(&source->arrival, 1 / spec->rate_s);
    call->n_input = draw_tokens(source, spec->input_tok, spec->input_spread);
    call->n_output = draw_tokens(source, spec->output_tok, spec->output_spread);
    call->session = (uint32_t)source->n_call;
    call->tier = 0;
    call->is_alone = true;
}

mr_status mr_arrivals_next(struct mr_arrivals_source *source, struct mr_arrival *call,
                           bool *has_call, struct mr_err *err)
{
    const struct mr_arrivals_spec *spec = &source->spec;
    *has_call = spec->n_call == 0 || source->n_call < spec->n_call;
    if (*has_call && source->csv != NULL)
        MR_TRY(mr_csv_next(source->csv, has_call, err));
    if (!*has_call)
        return MR_OK;
    if (source->csv != NULL)
        MR_TRY(read_row(source, call, err));
    else
        draw(source, call);
    if (spec->length_max > 0 && (uint64_t)call->n_input + call->n_output > spec->length_max) {
        const uint64_t most = spec->length_max;
        if (call->n_output >= most)
            call->n_output = (uint32_t)(most > 1 ? most - 1 : 1);
        call->n_input = (uint32_t)(most > call->n_output ? most - call->n_output : 1);
    }
    source->last_s = call->arrived_s;
    source->n_call++;
    return MR_OK;
}
