/* SPDX-License-Identifier: Apache-2.0 */
/* Columns are found by the names that public traces use. Drawn calls have streams of their own for
 * arrivals and for lengths, so that another rate does not change the lengths. */
#include "engine/base/fmath.h"
#include "engine/base/gz.h"
#include "engine/base/mem.h"
#include "engine/work/arrivals_impl.h"

#include <math.h>
#include <string.h>

static const char *const bads[] = {"error", "skip", "clip"};
static const char *const longs[] = {"refuse", "clip", "error"};

// clang-format off
#define S struct mr_arrivals_spec
static const struct mr_param rows[] = {
    MR_PARAM_STR(S, file, "file", NULL, "CSV with arrived_s, input, output, and if there session, tier, model; or a Mooncake trace, JSON Lines; not given: drawn"),
    MR_PARAM(S, speed, "speed", MR_Q_COUNT, "1", 1e-6, 1e6, "Recorded arrivals are this many times faster"),
    MR_PARAM(S, rate_s, "rate", MR_Q_RATE, "1 req/s", 1e-9, 1e9, "Mean arrivals of drawn calls, a Poisson process"),
    MR_PARAM(S, input_tok, "input", MR_Q_TOKENS, "1024 tok", 1, 1e8, "Median of drawn prompts' tokens"),
    MR_PARAM(S, output_tok, "output", MR_Q_TOKENS, "256 tok", 1, 1e8, "Median of drawn outputs' tokens"),
    MR_PARAM(S, input_spread, "input_spread", MR_Q_COUNT, "0", 0, 5, "Sigma of the lognormal prompts; 0: all equal"),
    MR_PARAM(S, output_spread, "output_spread", MR_Q_COUNT, "0", 0, 5, "Sigma of the lognormal outputs; 0: all equal"),
    MR_PARAM(S, prefix_tok, "prefix", MR_Q_TOKENS, "0 tok", 0, 1e8, "Tokens at the beginning of every prompt that all sessions share"),
    MR_PARAM_N(S, n_call, "calls", "0", 0, 4000000000, "Most calls of the workload; 0: no limit"),
    MR_PARAM_N(S, length_max, "length_max", "0", 0, 4000000000, "Prompts are cut so that prompt and output do not exceed it; 0: not"),
    MR_PARAM_N(S, n_hash_tok, "hash_block", "512", 1, 1048576, "Tokens that a hash id of a trace stands for"),
    MR_PARAM_ONE_OF(S, bad, "bad_rows", bads, "error", "Rows with times out of order, lengths below 0 or beyond 4e9, other models: an error; left out; or set to the nearest value. Counted"),
    MR_PARAM_ONE_OF(S, longer, "over_context", longs, "refuse", "Calls beyond the longest context: refused, cut to it, or an error"),
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
    column_model,
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
    [column_model] = {{"model", "Model"}, false},
};

struct mr_arrivals_source {
    struct mr_arrivals_spec spec;
    const char *model;
    uint64_t context_max;
    struct mr_csv *csv; /* one of the two; neither: drawn */
    struct mr_json *json;
    struct mr_arrivals_hashes hashes;
    struct mr_arrivals_counts counts;
    size_t column[n_column];
    struct mr_rng arrival, length;
    double last_s;
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

/* The first character tells; a byte order mark is none. */
static mr_status open_file(struct mr_arrivals_source *source, struct mr_err *err)
{
    static const struct mr_json_options lines = {.is_lines = true};
    struct mr_gz *file = NULL;
    char first[4] = "";
    size_t n = 0;
    MR_TRY(mr_gz_open(source->spec.file, &file, err));
    const mr_status st = mr_gz_read(file, first, sizeof first, &n, err);
    mr_gz_close(file);
    MR_TRY(st);
    if (first[memcmp(first, "\xef\xbb\xbf", 3) == 0 ? 3 : 0] == '{')
        return mr_json_open(source->spec.file, &lines, &source->json, err);
    MR_TRY(mr_csv_open(source->spec.file, NULL, &source->csv, err));
    return find_columns(source, err);
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
    source->csv = take_csv;
    if (take_csv != NULL)
        st = find_columns(source, err);
    else if (spec->file != NULL)
        st = open_file(source, err);
    if (st != MR_OK) {
        mr_arrivals_close(source);
        return st;
    }
    *out = source;
    return MR_OK;
}

mr_status mr_arrivals_open(const struct mr_arrivals_spec *spec, uint64_t seed, const char *model,
                           uint64_t context_max, struct mr_arrivals_source **out,
                           struct mr_err *err)
{
    const mr_status st = create(spec, seed, NULL, out, err);
    if (*out == NULL)
        return st;
    (*out)->model = model;
    (*out)->context_max = context_max;
    return MR_OK;
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
    mr_json_close(source->json);
    mr_free(source->hashes.item);
    mr_free(source);
}

/* ---- recorded ---- */

static mr_status read_csv(struct mr_arrivals_source *source, struct mr_arrivals_raw *row,
                          bool *has_row, struct mr_err *err)
{
    const struct mr_csv *csv = source->csv;
    const size_t *column = source->column;
    *row = (struct mr_arrivals_raw){0};
    MR_TRY(mr_csv_next(source->csv, has_row, err));
    if (!*has_row)
        return MR_OK;
    row->at = mr_csv_place(csv, column[column_arrived]);
    MR_TRY(mr_csv_f64(csv, column[column_arrived], &row->arrived_s, err));
    MR_TRY(mr_csv_f64(csv, column[column_input], &row->input, err));
    MR_TRY(mr_csv_f64(csv, column[column_output], &row->output, err));
    row->has_session = column[column_session] != SIZE_MAX;
    if (row->has_session)
        MR_TRY(mr_csv_u64(csv, column[column_session], &row->session, err));
    if (column[column_tier] != SIZE_MAX)
        MR_TRY(mr_csv_u64(csv, column[column_tier], &row->tier, err));
    if (column[column_model] != SIZE_MAX) {
        const struct mr_str text = mr_csv_field(csv, column[column_model]);
        const size_t n = text.n < sizeof row->model ? text.n : sizeof row->model - 1;
        memcpy(row->model, text.p, n);
        row->model[n] = '\0';
    }
    return MR_OK;
}

/* Bad: it is told, or counted. @param[in,out] value set to `nearest` where rows are clipped */
static mr_status judge(struct mr_arrivals_source *source, const struct mr_arrivals_raw *row,
                       double *value, double nearest, bool *is_played, const char *what,
                       struct mr_err *err)
{
    if (source->spec.bad == MR_ARRIVALS_ERROR)
        return mr_err_set(err, MR_RANGE, row->at, "%g %s (bad_rows=\"skip\" or \"clip\" go on)",
                          *value, what);
    if (source->spec.bad == MR_ARRIVALS_SKIP)
        *is_played = false;
    *value = nearest;
    return MR_OK;
}

static mr_status judge_tokens(struct mr_arrivals_source *source, const struct mr_arrivals_raw *row,
                              double *value, bool *is_played, bool *is_clipped, struct mr_err *err)
{
    static const double most = 4e9;
    const double before = *value;
    if (isnan(before))
        return mr_err_set(err, MR_RANGE, row->at, "NaN is not a number of tokens");
    if (!(before >= 0 && before <= most && before == floor(before)))
        MR_TRY(judge(source, row, value, floor(fmin(most, fmax(0, before))), is_played,
                     "is not a number of tokens", err));
    *is_clipped |= *value != before;
    *value = fmax(*value, 1); /* traces count calls that made nothing */
    return MR_OK;
}

static mr_status judge_model(struct mr_arrivals_source *source, const struct mr_arrivals_raw *row,
                             bool *is_played, struct mr_err *err)
{
    char quoted[MR_QUOTE_CAP];
    if (row->model[0] == '\0' || source->model == NULL || strcmp(row->model, source->model) == 0)
        return MR_OK;
    *is_played = false;
    if (source->spec.bad != MR_ARRIVALS_ERROR)
        return MR_OK;
    return mr_err_set(err, MR_REF, row->at,
                      "model \"%s\": \"%s\" is served (bad_rows=\"skip\" leaves others out)",
                      mr_text_quote(mr_str_of(row->model), quoted), source->model);
}

/* @param[out] is_played false: it is left out */
static mr_status take_row(struct mr_arrivals_source *source, struct mr_arrivals_raw *row,
                          struct mr_arrival *call, bool *is_played, struct mr_err *err)
{
    static const double time_max_s = 1e10; /* as of a run's end */
    bool is_clipped = false;
    *is_played = true;
    if (row->session > 0xffffffff - 1)
        return mr_err_set(err, MR_RANGE, row->at, "sessions count from 0 to 4294967294");
    if (row->tier > 255)
        return mr_err_set(err, MR_RANGE, row->at, "tiers count from 0 to 255");
    MR_TRY(judge_model(source, row, is_played, err));
    double at_s = row->arrived_s / source->spec.speed;
    if (!(at_s <= time_max_s) || row->arrived_s < 0) {
        MR_TRY(judge(source, row, &row->arrived_s, 0, is_played, "is not a time", err));
        at_s = source->last_s;
        is_clipped = true;
    } else if (at_s < source->last_s) {
        MR_TRY(judge(source, row, &row->arrived_s, 0, is_played,
                     "s is before the row above: sort the file by time", err));
        at_s = source->last_s;
        is_clipped = true;
    }
    MR_TRY(judge_tokens(source, row, &row->input, is_played, &is_clipped, err));
    MR_TRY(judge_tokens(source, row, &row->output, is_played, &is_clipped, err));
    if (!*is_played) {
        source->counts.n_skipped++;
        return MR_OK;
    }
    source->counts.n_clipped += is_clipped ? 1u : 0u;
    *call =
        (struct mr_arrival){.arrived_s = at_s,
                            .n_input = (uint32_t)row->input,
                            .n_output = (uint32_t)row->output,
                            .session = (uint32_t)(row->has_session ? row->session : source->n_call),
                            .tier = (uint8_t)row->tier,
                            .is_alone = !row->has_session,
                            .hash = source->hashes.item,
                            .n_hash = source->hashes.n};
    return MR_OK;
}

static mr_status read_call(struct mr_arrivals_source *source, struct mr_arrival *call,
                           bool *has_call, struct mr_err *err)
{
    for (;;) {
        struct mr_arrivals_raw row;
        bool is_played;
        MR_TRY(source->json != NULL
                   ? mr_arrivals_jsonl_next(source->json, &row, &source->hashes, has_call, err)
                   : read_csv(source, &row, has_call, err));
        if (!*has_call)
            return MR_OK;
        MR_TRY(take_row(source, &row, call, &is_played, err));
        const uint64_t n = (uint64_t)call->n_input + call->n_output;
        if (is_played && source->spec.longer == MR_ARRIVALS_LONG_ERROR && source->context_max > 0 &&
            n > source->context_max)
            return mr_err_set(
                err, MR_RANGE, row.at,
                "%llu tokens: the longest context is %llu (over_context=\"refuse\" or "
                "\"clip\" go on)",
                (unsigned long long)n, (unsigned long long)source->context_max);
        if (is_played)
            return MR_OK;
    }
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
    call->n_hash = 0;
}

/* Prompts give way, then outputs. */
static void cut(struct mr_arrival *call, uint64_t most)
{
    if (call->n_output >= most)
        call->n_output = (uint32_t)(most > 1 ? most - 1 : 1);
    call->n_input = (uint32_t)(most > call->n_output ? most - call->n_output : 1);
}

mr_status mr_arrivals_next(struct mr_arrivals_source *source, struct mr_arrival *call,
                           bool *has_call, struct mr_err *err)
{
    const struct mr_arrivals_spec *spec = &source->spec;
    *has_call = spec->n_call == 0 || source->n_call < spec->n_call;
    if (*has_call && (source->csv != NULL || source->json != NULL))
        MR_TRY(read_call(source, call, has_call, err));
    else if (*has_call)
        draw(source, call);
    if (!*has_call)
        return MR_OK;
    if (spec->length_max > 0 && (uint64_t)call->n_input + call->n_output > spec->length_max)
        cut(call, spec->length_max);
    if (spec->longer == MR_ARRIVALS_LONG_CLIP && source->context_max > 0 &&
        (uint64_t)call->n_input + call->n_output > source->context_max) {
        cut(call, source->context_max);
        source->counts.n_clipped++;
    }
    source->last_s = call->arrived_s;
    source->n_call++;
    return MR_OK;
}

struct mr_arrivals_counts mr_arrivals_counted(const struct mr_arrivals_source *source)
{
    return source->counts;
}
