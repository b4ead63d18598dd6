/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of calls: Azure's (dates), BurstGPT's, TraceLab's replay (rounds of sessions that keep a
 * prefix) and generic ones, with the names that public traces use for their columns. None of them
 * names blocks: contexts are minted, 16 tokens to a block unless the options say otherwise. And
 * rows of whole sessions as lists of lengths, which name none either. */
#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "engine/work/trace_rows.h"

#include <math.h>

struct state {
    struct mr_trace_rows rows;
    size_t time, input, output, session, model, tier, prefix, wait; /* columns; SIZE_MAX: none */
    size_t total, round;
    int64_t first_ns;
    bool has_first;
    double before_s, step_s; /* of arrivals; NaN: none yet, or not even */
    uint64_t n_step;
    uint32_t *last; /* of TraceLab's sessions: round + 1 */
    size_t cap_last;
    double *latency; /* of one row */
    uint32_t *made, *result;
    size_t cap_latency, cap_made, cap_result;
};

static mr_status start(struct mr_trace *trace, struct mr_err *err)
{
    trace->state = mr_alloc_zero(1, sizeof(struct state));
    if (trace->state == NULL)
        return mr_err_nomem(err, sizeof(struct state));
    struct state *state = trace->state;
    state->session = SIZE_MAX;
    state->model = SIZE_MAX;
    state->tier = SIZE_MAX;
    state->total = SIZE_MAX;
    state->before_s = (double)NAN;
    trace->book.block_tok = trace->options.block_tok > 0 ? trace->options.block_tok : 16;
    return MR_OK;
}

static void end(struct mr_trace *trace)
{
    struct state *state = trace->state;
    if (state == NULL)
        return;
    mr_trace_rows_fini(&state->rows);
    mr_free(state->last);
    mr_free(state->latency);
    mr_free(state->made);
    mr_free(state->result);
}

static mr_status read_tokens(struct mr_trace *trace, size_t column, uint32_t *value,
                             struct mr_err *err)
{
    double number;
    MR_TRY(mr_csv_f64(trace->csv, column, &number, err));
    return mr_trace_tokens(trace, mr_csv_place(trace->csv, column), number, value, err);
}

/* Go to the next row and begin one of ours. @param[out] row NULL at the end */
static mr_status begin_row(struct mr_trace *trace, struct mr_trace_row **row, struct mr_err *err)
{
    struct state *state = trace->state;
    bool has_row = false;
    *row = NULL;
    MR_TRY(mr_csv_next(trace->csv, &has_row, err));
    if (!has_row)
        return MR_OK;
    trace->line = mr_csv_place(trace->csv, 0).line;
    MR_TRY(mr_trace_rows_new(&state->rows, row, err));
    MR_TRY(read_tokens(trace, state->input, &(*row)->n_input, err));
    return read_tokens(trace, state->output, &(*row)->n_output, err);
}

/* A row that is a session. @param[out] has_session false: the row is left out */
static mr_status tell_row(struct mr_trace *trace, struct mr_trace_row *row,
                          struct mr_session *session, bool *has_session, struct mr_err *err)
{
    struct state *state = trace->state;
    struct mr_csv *csv = trace->csv;
    *has_session = mr_trace_row_counts(trace);
    if (!*has_session)
        return MR_OK;
    if (state->model != SIZE_MAX && mr_csv_field(csv, state->model).n > 0)
        MR_TRY(mr_session_book_model(&trace->book, mr_csv_field(csv, state->model),
                                     (struct mr_str){0}, &row->model, err));
    if (state->tier != SIZE_MAX && mr_csv_field(csv, state->tier).n > 0)
        MR_TRY(mr_session_book_tier(&trace->book, mr_csv_field(csv, state->tier), &row->tier, err));
    if (state->session != SIZE_MAX)
        MR_TRY(mr_session_text_add(session, mr_csv_field(csv, state->session), &session->head.id,
                                   err));
    return mr_trace_rows_single(trace, &state->rows, row, session, err);
}

/* ---- Azure ---- */

/* Days since 1970 of a date in the Gregorian calendar (Hinnant's closed form, years from March). */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    const int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400,
                  of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t days_in(int64_t year, int64_t month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool has_leap = month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (has_leap ? 1 : 0);
}

static bool read_digits(struct mr_str *text, size_t n, int64_t *value)
{
    *value = 0;
    if (text->n < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!mr_char_is_digit(text->p[i]))
            return false;
        *value = *value * 10 + (text->p[i] - '0');
    }
    text->p += n;
    text->n -= n;
    return true;
}

/* One of two. */
static bool read_char(struct mr_str *text, char one, char other)
{
    if (text->n == 0 || (text->p[0] != one && text->p[0] != other))
        return false;
    text->p++;
    text->n--;
    return true;
}

/* YYYY-MM-DD HH:MM:SS[.0-9 digits][Z|+HH[:MM]|-HH[:MM]], in ns since 1970. */
static bool read_date(struct mr_str text, int64_t *time_ns)
{
    int64_t year, month, day, hour, minute, second, part = 0, zone_hour = 0, zone_minute = 0;
    text = mr_str_trim(text);
    if (!read_digits(&text, 4, &year) || !read_char(&text, '-', '-') ||
        !read_digits(&text, 2, &month) || !read_char(&text, '-', '-') ||
        !read_digits(&text, 2, &day) || !read_char(&text, ' ', 'T') ||
        !read_digits(&text, 2, &hour) || !read_char(&text, ':', ':') ||
        !read_digits(&text, 2, &minute) || !read_char(&text, ':', ':') ||
        !read_digits(&text, 2, &second))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_in(year, month) || hour > 23 ||
        minute > 59 || second > 60 || year < 1970 || year > 2200)
        return false;
    if (read_char(&text, '.', '.')) {
        int n = 0;
        for (int64_t digit; n < 9 && read_digits(&text, 1, &digit); n++)
            part = part * 10 + digit;
        for (; n < 9; n++)
            part *= 10;
    }
    const bool is_west = text.n > 0 && text.p[0] == '-';
    if (!read_char(&text, 'Z', 'Z') && read_char(&text, '+', '-') &&
        (!read_digits(&text, 2, &zone_hour) || zone_hour > 14 ||
         ((void)read_char(&text, ':', ':'),
          text.n > 0 && (!read_digits(&text, 2, &zone_minute) || zone_minute > 59))))
        return false;
    const int64_t zone_s = (zone_hour * 3600 + zone_minute * 60) * (is_west ? -1 : 1),
                  time_s = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    *time_ns = (time_s - zone_s) * 1000000000 + part;
    return text.n == 0;
}

static mr_status begin_azure(struct mr_trace *trace, struct mr_err *err)
{
    MR_TRY(start(trace, err));
    struct state *state = trace->state;
    MR_TRY(mr_csv_column(trace->csv, "TIMESTAMP", &state->time, err));
    MR_TRY(mr_csv_column(trace->csv, "ContextTokens", &state->input, err));
    return mr_csv_column(trace->csv, "GeneratedTokens", &state->output, err);
}

/* Times count from the first row. */
static mr_status next_azure(struct mr_trace *trace, struct mr_session *session, bool *has_session,
                            struct mr_err *err)
{
    struct state *state = trace->state;
    while (!*has_session) {
        struct mr_trace_row *row;
        int64_t time_ns;
        MR_TRY(begin_row(trace, &row, err));
        if (row == NULL)
            return MR_OK;
        if (!read_date(mr_csv_field(trace->csv, state->time), &time_ns))
            return mr_csv_error(trace->csv, state->time, err, MR_PARSE,
                                "not a date like 2023-11-16 18:15:46.6805900");
        if (!state->has_first)
            state->first_ns = time_ns;
        state->has_first = true;
        row->time_s = (double)(time_ns - state->first_ns) / 1e9;
        if (row->time_s < 0)
            MR_TRY(mr_trace_judge(trace, mr_csv_place(trace->csv, state->time), &row->time_s, 0,
                                  "s: before the first row, sort the file by time", err));
        MR_TRY(tell_row(trace, row, session, has_session, err));
    }
    return MR_OK;
}

/* ---- BurstGPT ---- */

static const uint64_t even_least = 50; /* so many like steps are nobody's arrivals */

/* Do all arrivals come in steps of one length? Files with the columns of this trace circulate that
 * hold made-up rows, one a second. */
static void watch_steps(struct state *state, double time_s)
{
    const double step_s = time_s - state->before_s;
    if (state->n_step == 0)
        state->step_s = step_s;
    else if (!(fabs(step_s - state->step_s) <= 1e-9 * fabs(time_s)))
        state->step_s = (double)NAN;
    state->n_step += isnan(state->before_s) ? 0 : 1;
    state->before_s = time_s;
}

static mr_status check_total(struct mr_trace *trace, const struct mr_trace_row *row,
                             struct mr_err *err)
{
    const struct state *state = trace->state;
    double total;
    if (state->total == SIZE_MAX || mr_csv_field(trace->csv, state->total).n == 0)
        return MR_OK;
    MR_TRY(mr_csv_f64(trace->csv, state->total, &total, err));
    trace->counts.total += fabs(total - (double)row->n_input - (double)row->n_output) >= 0.5;
    return MR_OK;
}

static mr_status begin_burstgpt(struct mr_trace *trace, struct mr_err *err)
{
    MR_TRY(start(trace, err));
    struct state *state = trace->state;
    MR_TRY(mr_csv_column(trace->csv, "Timestamp", &state->time, err));
    MR_TRY(mr_csv_column(trace->csv, "Request tokens", &state->input, err));
    MR_TRY(mr_csv_column(trace->csv, "Response tokens", &state->output, err));
    state->model = mr_csv_find_column(trace->csv, "Model");
    state->total = mr_csv_find_column(trace->csv, "Total tokens");
    return MR_OK;
}

static mr_status read_time(struct mr_trace *trace, size_t column, int exp10, double *time_s,
                           struct mr_err *err)
{
    double plain;
    MR_TRY(mr_csv_f64(trace->csv, column, &plain, err));
    if (mr_trace_scale(mr_str_trim(mr_csv_field(trace->csv, column)), exp10, time_s) != MR_OK ||
        !(*time_s >= 0) || *time_s > 1e12)
        return mr_csv_error(trace->csv, column, err, MR_RANGE, "%g is not a time", plain);
    return MR_OK;
}

/* Times in seconds, one call a row: generic ones, too. */
static mr_status next_call(struct mr_trace *trace, struct mr_session *session, bool *has_session,
                           struct mr_err *err)
{
    struct state *state = trace->state;
    while (!*has_session) {
        struct mr_trace_row *row;
        MR_TRY(begin_row(trace, &row, err));
        if (row == NULL) {
            if (trace->format == &mr_trace_format_burstgpt && state->n_step >= even_least &&
                !isnan(state->step_s))
                trace->counts.even = state->n_step + 1;
            return MR_OK;
        }
        MR_TRY(mr_csv_f64(trace->csv, state->time, &row->time_s, err));
        MR_TRY(mr_trace_when(trace, mr_csv_place(trace->csv, state->time), &row->time_s, err));
        MR_TRY(check_total(trace, row, err));
        watch_steps(state, row->time_s);
        MR_TRY(tell_row(trace, row, session, has_session, err));
    }
    return MR_OK;
}

/* Names of one column, ours first; two of one name are an error. */
static mr_status find_column(const struct mr_trace *trace, const char *const *name, bool must,
                             size_t *column, struct mr_err *err)
{
    *column = SIZE_MAX;
    for (int i = 0; name[i] != NULL; i++)
        if (mr_csv_find_column(trace->csv, name[i]) != SIZE_MAX)
            return mr_csv_column(trace->csv, name[i], column, err);
    return must ? mr_csv_column(trace->csv, name[0], column, err) : MR_OK;
}

/* ---- TraceLab ---- */

static mr_status begin_tracelab(struct mr_trace *trace, struct mr_err *err)
{
    MR_TRY(start(trace, err));
    struct state *state = trace->state;
    static const char *const session[] = {"session_id", "id", NULL};
    MR_TRY(find_column(trace, session, true, &state->session, err));
    MR_TRY(mr_csv_column(trace->csv, "prefix_len", &state->prefix, err));
    MR_TRY(mr_csv_column(trace->csv, "input_len", &state->input, err));
    MR_TRY(mr_csv_column(trace->csv, "output_len", &state->output, err));
    state->time = mr_csv_find_column(trace->csv, "arrival_time");
    state->wait = mr_csv_find_column(trace->csv, "tool_wait_after_ms");
    state->round = mr_csv_find_column(trace->csv, "round_idx");
    return MR_OK;
}

/* Rounds of a session ascend. */
static mr_status check_round(struct mr_trace *trace, const struct mr_trace_row *row,
                             struct mr_err *err)
{
    struct state *state = trace->state;
    const size_t n_last = state->cap_last;
    uint32_t round;
    if (state->round == SIZE_MAX)
        return MR_OK;
    MR_TRY(
        mr_grow(&state->last, &state->cap_last, (size_t)row->play + 1, sizeof *state->last, err));
    memset(state->last + n_last, 0, (state->cap_last - n_last) * sizeof *state->last);
    MR_TRY(read_tokens(trace, state->round, &round, err));
    if (round < state->last[row->play])
        return mr_csv_error(trace->csv, state->round, err, MR_SCHEMA,
                            "round %u of its session comes after round %u", round,
                            state->last[row->play] - 1);
    state->last[row->play] = round + 1;
    return MR_OK;
}

/* A round keeps prefix_len tokens of the round before, as far as that had them (recorded ones begin
 * with what other sessions had left in the cache), and reads input_len more; the tools after it
 * take tool_wait_after_ms, which is noted with the round that waits for them. */
static mr_status next_tracelab(struct mr_trace *trace, struct mr_session *session,
                               bool *has_session, struct mr_err *err)
{
    struct state *state = trace->state;
    struct mr_trace_rows *rows = &state->rows;
    while (!rows->is_whole) {
        struct mr_trace_row *row;
        uint32_t prefix = 0;
        MR_TRY(begin_row(trace, &row, err));
        if (row == NULL)
            break;
        MR_TRY(read_tokens(trace, state->prefix, &prefix, err));
        if ((uint64_t)row->n_input + prefix > 4000000000)
            return mr_csv_error(trace->csv, state->prefix, err, MR_RANGE,
                                "a context of more than 4e9 tokens");
        row->n_input += prefix;
        row->n_keep_tok = prefix;
        row->delay_s = 0;
        if (state->time != SIZE_MAX && mr_csv_field(trace->csv, state->time).n > 0)
            MR_TRY(read_time(trace, state->time, -3, &row->time_s, err));
        if (state->wait != SIZE_MAX && mr_csv_field(trace->csv, state->wait).n > 0)
            MR_TRY(read_time(trace, state->wait, -3, &row->service_s, err));
        MR_TRY(
            mr_intern_add(&rows->plays, mr_csv_field(trace->csv, state->session), &row->play, err));
        MR_TRY(check_round(trace, row, err));
        if (mr_trace_row_counts(trace))
            MR_TRY(mr_trace_rows_keep(trace, rows, err));
    }
    if (!rows->is_whole) { /* each wait to the next round of its session, from the back */
        double *wait_s = mr_alloc(rows->plays.n, sizeof *wait_s);
        if (wait_s == NULL)
            return mr_err_nomem(err, rows->plays.n * sizeof *wait_s);
        for (size_t i = 0; i < rows->plays.n; i++)
            wait_s[i] = 0;
        for (size_t i = 0; i < rows->n_row; i++) {
            struct mr_trace_row *row = &rows->row[i];
            row->tool_s = wait_s[row->play];
            wait_s[row->play] = isnan(row->service_s) ? 0 : row->service_s;
            row->service_s = (double)NAN;
        }
        mr_free(wait_s);
    }
    return mr_trace_rows_next(trace, rows, session, has_session, err);
}

/* ---- generic ---- */

static mr_status begin_csv(struct mr_trace *trace, struct mr_err *err)
{
    static const char *const time[] = {"arrived_s", "arrived_at", "timestamp_s", NULL};
    static const char *const input[] = {"input", "prefill", "num_prefill_tokens", "input_tokens",
                                        NULL};
    static const char *const output[] = {"output", "decode", "num_decode_tokens", "output_tokens",
                                         NULL};
    static const char *const session[] = {"session", "session_id", NULL};
    static const char *const tier[] = {"tier", NULL}, *const model[] = {"model", "Model", NULL};
    MR_TRY(start(trace, err));
    struct state *state = trace->state;
    MR_TRY(find_column(trace, time, true, &state->time, err));
    MR_TRY(find_column(trace, input, true, &state->input, err));
    MR_TRY(find_column(trace, output, true, &state->output, err));
    MR_TRY(find_column(trace, session, false, &state->session, err));
    MR_TRY(find_column(trace, tier, false, &state->tier, err));
    return find_column(trace, model, false, &state->model, err);
}

/* ---- lists of lengths ---- */

static mr_status read_counts(struct mr_trace *trace, uint32_t **to, size_t *cap, size_t *n,
                             struct mr_err *err)
{
    bool has_more = false;
    *n = 0;
    MR_TRY(mr_json_enter_array(trace->json, err));
    for (;;) {
        uint32_t value = 0;
        MR_TRY(mr_json_array_more(trace->json, &has_more, err));
        if (!has_more)
            return MR_OK;
        MR_TRY(mr_trace_u32(trace->json, &value, err));
        MR_TRY(mr_grow(to, cap, *n + 1, sizeof **to, err));
        (*to)[(*n)++] = value;
    }
}

static mr_status read_times(struct mr_trace *trace, double **to, size_t *cap, size_t *n,
                            struct mr_err *err)
{
    bool has_more = false;
    *n = 0;
    MR_TRY(mr_json_enter_array(trace->json, err));
    for (;;) {
        double value = 0;
        MR_TRY(mr_json_array_more(trace->json, &has_more, err));
        if (!has_more)
            return MR_OK;
        MR_TRY(mr_trace_time(trace->json, 0, &value, err));
        MR_TRY(mr_grow(to, cap, *n + 1, sizeof **to, err));
        (*to)[(*n)++] = value;
    }
}

/* One turn: the pause of its tool, then the call. */
static mr_status add_turn(struct mr_trace *trace, struct mr_session *session, uint64_t n_input,
                          uint32_t n_output, double tool_s, uint32_t n_result, struct mr_err *err)
{
    if (n_input > 4000000000)
        return mr_json_error(trace->json, err, MR_RANGE, "a context of more than 4e9 tokens");
    if (!isnan(tool_s)) {
        MR_TRY(mr_session_node_add(session, MR_SESSION_TOOL, 0, mr_session_next_id(session), err));
        session->tool[session->n_tool - 1].wall_s = tool_s;
        session->tool[session->n_tool - 1].n_output = n_result;
        MR_TRY(mr_session_after_lane(session, 0, err));
    }
    MR_TRY(mr_session_node_add(session, MR_SESSION_LLM, 0, mr_session_next_id(session), err));
    struct mr_session_llm *llm = &session->llm[session->n_llm - 1];
    llm->n_input = (uint32_t)n_input;
    llm->n_output = n_output;
    MR_TRY(mr_session_book_model(&trace->book, MR_STR("default"), (struct mr_str){0}, &llm->model,
                                 err));
    trace->counts.no_block++;
    MR_TRY(mr_session_mint(session, trace->book.block_tok, UINT32_MAX, err));
    return mr_session_after_lane(session, 0, err);
}

static mr_status next_applied(struct mr_trace *trace, struct mr_session *session, bool *has_session,
                              struct mr_err *err)
{
    static const char *const names[] = {"num_turns",
                                        "input_prompt_length",
                                        "assistant_response_length",
                                        "tool_call_output_length",
                                        "tool_call_latency",
                                        "final_assistant_response_length",
                                        "timestamp",
                                        "session_id"};
    struct state *state = trace->state;
    size_t n_made = 0, n_result = 0, n_latency = 0, k;
    uint32_t n_prompt = 0, n_final = 0, n_turn = 0;
    bool has_more = false, has_turns = false;
    MR_TRY(mr_json_document(trace->json, has_session, err));
    if (!*has_session)
        return MR_OK;
    MR_TRY(mr_json_enter_object(trace->json, err));
    trace->line = mr_json_place(trace->json).line;
    for (;;) {
        MR_TRY(mr_trace_key(trace, names, sizeof names / sizeof *names, &k, &has_more, err));
        if (!has_more)
            break;
        has_turns |= k == 0;
        if (k == 0)
            MR_TRY(mr_trace_u32(trace->json, &n_turn, err));
        else if (k == 1)
            MR_TRY(mr_trace_u32(trace->json, &n_prompt, err));
        else if (k == 2)
            MR_TRY(read_counts(trace, &state->made, &state->cap_made, &n_made, err));
        else if (k == 3)
            MR_TRY(read_counts(trace, &state->result, &state->cap_result, &n_result, err));
        else if (k == 4)
            MR_TRY(read_times(trace, &state->latency, &state->cap_latency, &n_latency, err));
        else if (k == 5)
            MR_TRY(mr_trace_u32(trace->json, &n_final, err));
        else if (k == 6)
            MR_TRY(mr_trace_time(trace->json, 0, &session->head.arrival_s, err));
        else
            MR_TRY(mr_trace_text(trace->json, session, &session->head.id, err));
    }
    if (n_result != n_made || (n_latency != n_made && n_latency != 0))
        return mr_json_error(trace->json, err, MR_SCHEMA,
                             "%zu responses, %zu tool results and %zu latencies: must be as many",
                             n_made, n_result, n_latency);
    if (has_turns && n_turn != n_made && n_turn != n_made + 1) /* with or without the final one */
        return mr_json_error(trace->json, err, MR_SCHEMA, "%u turns with %zu responses", n_turn,
                             n_made);
    uint64_t n_input = n_prompt;
    for (size_t i = 0; i <= n_made; i++) {
        const double tool_s = i == 0 ? (double)NAN : n_latency > 0 ? state->latency[i - 1] : 0;
        const uint32_t made = i < n_made ? state->made[i] : n_final;
        MR_TRY(add_turn(trace, session, n_input, made, tool_s, i == 0 ? 0 : state->result[i - 1],
                        err));
        if (i < n_made)
            n_input += (uint64_t)state->made[i] + state->result[i];
    }
    return MR_OK;
}

#define FORMAT(symbol, text, sentence, table, begin_, next_)                       \
    const struct mr_trace_format mr_trace_format_##symbol = {.name = text,         \
                                                             .doc = sentence,      \
                                                             .is_csv = table,      \
                                                             .is_lines = !(table), \
                                                             .begin = begin_,      \
                                                             .next = next_,        \
                                                             .end = end}

FORMAT(azure, "azure", "TIMESTAMP, ContextTokens, GeneratedTokens", true, begin_azure, next_azure);
FORMAT(burstgpt, "burstgpt", "Timestamp, Model, Request tokens, Response tokens", true,
       begin_burstgpt, next_call);
FORMAT(tracelab, "tracelab-csv", "rounds of sessions: prefix_len, input_len, output_len", true,
       begin_tracelab, next_tracelab);
FORMAT(csv, "csv", "arrived_s, input, output and their other names", true, begin_csv, next_call);
FORMAT(applied, "applied_compute", "lists of lengths and latencies, a session on each line", false,
       start, next_applied);
