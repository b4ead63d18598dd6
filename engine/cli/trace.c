/* SPDX-License-Identifier: Apache-2.0 */
/* Files are read twice where the head of the output needs what only their end tells (names of
 * models and tools). Parts: options - reading - info - convert and cut - the
 * verb. */
#include "engine/cli/trace.h"

#include "engine/base/file.h"
#include "engine/base/gz.h"
#include "engine/base/json.h"
#include "engine/base/jsonw.h"
#include "engine/base/mem.h"
#include "engine/base/sha256.h"
#include "engine/cli/run_repeat.h"
#include "engine/cli/trace_client.h"
#include "engine/cli/trace_generate.h"
#include "engine/cli/verbs.h"
#include "engine/work/client.h"
#include "engine/work/synthetic.h"
#include "engine/work/trace_pack.h"
#include "engine/work/trace_pick.h"
#include "engine/work/trace_stat.h"
#include "engine/work/trace_write.h"

#include <math.h>

/* ---- options ---- */

#define BASIS(name, text, doc) text,
static const char *const bases[] = {MR_TRACE_BASIS_LIST(BASIS)};
#undef BASIS

#define OPT struct mr_trace_opts_values
static const struct mr_opt rows[] = {
    {MR_PARAM_STR(OPT, output, "output", "-",
                  "Write to this file; compressed where its name ends in .gz"),
     'o', "FILE"},
    {MR_PARAM_STR(OPT, format, "format", NULL, "Format of the input; else told by its content"), 0,
     "NAME"},
    {MR_PARAM_STR(OPT, to, "to", "millrace",
                  "Format written: millrace, agentic_mooncake (version 2), mooncake, request_trace "
                  "(Dynamo's), pack (binary), weka or weka-packed from one another"),
     0, "NAME"},
    {MR_PARAM_N(OPT, block_tok, "block", "0", 0, 1000000,
                "Tokens of a block where the format does not say; 0: its usual size"),
     0, "N"},
    {MR_PARAM_ONE_OF(OPT, basis, "basis", bases, "auto",
                     "What the time of a finished sub-agent is: auto, start or end"),
     0, "WHAT"},
    {MR_PARAM(OPT, from_s, "from", MR_Q_TIME, "0 s", 0, 1e12, "cut: first time of arrival"), 0,
     "TIME"},
    {MR_PARAM(OPT, until_s, "until", MR_Q_TIME, "1e12 s", 0, 1e12,
              "cut: times of arrival before it"),
     0, "TIME"},
    {MR_PARAM_N(OPT, skip, "skip", "0", 0, 4000000000, "cut: sessions passed over first"), 0, "N"},
    {MR_PARAM_N(OPT, n_session, "sessions", "0", 0, 4000000000,
                "cut: most sessions, 0: no limit; generate: how many, 0: 1000, with windows all"),
     0, "N"},
    {MR_PARAM_N(OPT, call_min, "min-calls", "0", 0, 4000000000,
                "cut: sessions with fewer LLM calls are left out"),
     0, "N"},
    {MR_PARAM_N(OPT, call_max, "max-calls", "0", 0, 4000000000,
                "cut: sessions with more LLM calls are left out; 0: none"),
     0, "N"},
    {MR_PARAM_N(OPT, longest_tok, "max-context", "0", 0, 4000000000,
                "cut: sessions with a longer input and output are left out; 0: none"),
     0, "TOKENS"},
    {MR_PARAM_STR(OPT, model, "model", NULL, "cut: sessions that never call it are left out"), 0,
     "NAME"},
    {MR_PARAM_YES(OPT, is_once, "dedup", "no",
                  "cut: of sessions with equal first three calls (lengths) the longest"),
     0, NULL},
    {MR_PARAM_N(OPT, n_sample, "sample", "0", 0, 4000000000,
                "cut: of what is left as many, drawn at random; 0: all"),
     0, "N"},
    {MR_PARAM(OPT, tick_s, "dequantize", MR_Q_TIME, "0 s", 0, 1e6,
              "convert, cut: arrivals of one time are spread at random over this time after it"),
     0, "TIME"},
    {MR_PARAM_N(OPT, seed, "seed", "1", 0, 4000000000,
                "Another seed: other sessions generated, sampled, times dequantized"),
     0, "N"},
    {MR_PARAM(OPT, rate_s, "rate", MR_Q_RATE, "0 req/s", 0, 1e9,
              "generate: sessions that arrive; 0: no times, whoever plays them starts them"),
     0, "RATE"},
    {MR_PARAM(OPT, cv, "cv", MR_Q_COUNT, "1", 0, 100,
              "generate: deviation / mean of gaps of arrivals; 1: Poisson, more: bursts"),
     0, "X"},
    {MR_PARAM_STR(OPT, windows, "windows", NULL,
                  "generate: rates and gaps over time, a client's table as ServeGen publishes it"),
     0, "FILE"},
    {MR_PARAM(OPT, factor, "factor", MR_Q_COUNT, "1", 1e-9, 1e9,
              "generate: rates of the windows are this many times higher"),
     0, "X"},
    {MR_PARAM_STR(OPT, lengths, "lengths", NULL,
                  "generate calls: histograms of inputs, outputs, as ServeGen has them"),
     0, "FILE"},
    {MR_PARAM_N(OPT, context_max, "context", "1048576", MR_SYNTHETIC_CONTEXT_LEAST, 16777216,
                "generate: longest input with its output"),
     0, "TOKENS"},
    {MR_PARAM_YES(OPT, is_strict, "strict", "no", "A key that is not known is an error"), 0, NULL},
    {MR_PARAM_YES(OPT, as_json, "json", "no", "info: one JSON object"), 0, NULL},
};
#undef OPT

const struct mr_opt_table mr_trace_opts = {rows, sizeof rows / sizeof *rows};

struct job {
    const struct mr_ui *ui;
    const struct mr_trace_opts_values *opts;
    const char *path;
    bool is_cut, is_pack, is_choosing;
    struct mr_trace_pick *pick; /* what is taken; NULL: not known yet, or all */
    char *kept;                 /* standard input, where it is read more than once; or NULL */
    size_t n_kept;
};

/* ---- reading ---- */

enum {
    kept_max = 1 << 30
};

struct reading {
    struct mr_trace *trace;
    struct mr_session session;
    uint64_t n_read, n_taken;
};

static mr_status open_reading(const struct job *job, struct reading *reading, struct mr_err *err)
{
    const struct mr_trace_options options = {.format = job->opts->format,
                                             .block_tok = (uint32_t)job->opts->block_tok,
                                             .basis = job->opts->basis,
                                             .is_strict = job->opts->is_strict,
                                             .knows_names = true};
    *reading = (struct reading){0};
    return job->kept != NULL ? mr_trace_open_memory(job->kept, job->n_kept, "<stdin>", &options,
                                                    &reading->trace, err)
                             : mr_trace_open(job->path, &options, &reading->trace, err);
}

static void close_reading(struct reading *reading)
{
    mr_trace_close(reading->trace);
    mr_session_fini(&reading->session);
}

/* The next session that the cut lets through; its arrival counts from the cut's beginning. */
static mr_status read_session(const struct job *job, struct reading *reading, bool *has_session,
                              struct mr_err *err)
{
    const struct mr_trace_opts_values *opts = job->opts;
    for (;;) {
        if (job->is_cut && !job->is_choosing && opts->n_session > 0 &&
            reading->n_taken >= opts->n_session) {
            *has_session = false;
            return MR_OK;
        }
        MR_TRY(mr_trace_next(reading->trace, &reading->session, has_session, err));
        if (!*has_session)
            return MR_OK;
        double *arrival_s = &reading->session.head.arrival_s;
        const bool is_in =
            !job->is_cut ||
            (reading->n_read >= opts->skip &&
             (isnan(*arrival_s) ? opts->from_s == 0
                                : *arrival_s >= opts->from_s && *arrival_s < opts->until_s));
        const uint64_t number = reading->n_read++;
        if (job->is_cut)
            *arrival_s -= opts->from_s;
        if (!is_in || (job->pick != NULL && !mr_trace_pick_takes(job->pick, number, arrival_s)))
            continue;
        reading->n_taken++;
        return MR_OK;
    }
}

static void warn(const struct job *job, const struct reading *reading)
{
    const struct mr_trace_counts *counts = mr_trace_counted(reading->trace);
    const struct mr_intern *unknown = mr_trace_unknown(reading->trace);
    for (uint32_t i = 0; i < unknown->n && i < MR_DIAGS_CAP; i++) {
        char shown[MR_QUOTE_CAP];
        mr_ui_say(job->ui, 0, "%s: warning: key \"%s\" is not known and passed over", job->path,
                  mr_text_quote(mr_intern_str(unknown, i), shown));
    }
    if (counts->even > 0)
        mr_ui_say(job->ui, 0, "%s: warning: %llu arrivals in even steps: made up, not recorded",
                  job->path, (unsigned long long)counts->even);
#define SAY(name, doc)                                                                          \
    if (counts->name > 0)                                                                       \
        mr_ui_say(job->ui, 1, "%s: note: %llu %s", job->path, (unsigned long long)counts->name, \
                  (doc));
    MR_TRACE_COUNT_LIST(SAY)
#undef SAY
}

/* ---- info ---- */

static void print_info_json(const struct reading *reading, const struct mr_trace_stat *stat,
                            struct mr_buf *out)
{
    const struct mr_trace_counts *counts = mr_trace_counted(reading->trace);
    const struct mr_session_book *book = mr_trace_book(reading->trace);
    struct mr_jsonw w;
    mr_jsonw_init(&w, out, 2);
    mr_jsonw_object(&w);
    mr_jsonw_key_text(&w, "format", mr_trace_format_name(reading->trace));
    mr_jsonw_key_u64(&w, "block_tok", book->block_tok);
    mr_jsonw_key_text(&w, "hash_scope", book->is_global ? "global" : "local");
#define PUT(name, doc) mr_jsonw_key_u64(&w, #name, stat->name);
    MR_TRACE_STAT_LIST(PUT)
#undef PUT
    mr_jsonw_key_f64(&w, "hit_frac",
                     stat->blocks > 0 ? (double)stat->hits / (double)stat->blocks : (double)NAN);
    mr_jsonw_key_f64(&w, "tool_s", stat->tool_s);
    mr_jsonw_key_f64(&w, "think_s", stat->think_s);
    mr_jsonw_key_f64(&w, "first_s", stat->first_s);
    mr_jsonw_key_f64(&w, "last_s", stat->last_s);
    mr_jsonw_key_f64(&w, "gap_cv", mr_trace_stat_gap_cv(stat));
    mr_jsonw_key(&w, "models");
    mr_jsonw_array(&w);
    for (uint32_t i = 0; i < book->model.n; i++)
        mr_jsonw_text(&w, mr_intern_text(&book->model, i));
    mr_jsonw_end(&w);
    mr_jsonw_key(&w, "counted");
    mr_jsonw_object(&w);
#define PUT_COUNT(name, doc) mr_jsonw_key_u64(&w, #name, counts->name);
    MR_TRACE_COUNT_LIST(PUT_COUNT)
#undef PUT_COUNT
    mr_jsonw_end(&w);
    mr_jsonw_end(&w);
    mr_buf_char(out, '\n');
}

static void print_info(const struct reading *reading, const struct mr_trace_stat *stat,
                       struct mr_buf *out)
{
    const struct mr_trace_counts *counts = mr_trace_counted(reading->trace);
    const struct mr_session_book *book = mr_trace_book(reading->trace);
    mr_buf_printf(out, "%-16s %s, %u tokens to a block, ids %s\n", "format",
                  mr_trace_format_name(reading->trace), book->block_tok,
                  book->is_global ? "global" : "of each session");
#define PUT(name, doc)  \
    if (stat->name > 0) \
        mr_buf_printf(out, "%-16s %14llu  %s\n", #name, (unsigned long long)stat->name, (doc));
    MR_TRACE_STAT_LIST(PUT)
#undef PUT
    if (stat->blocks > 0)
        mr_buf_printf(out, "%-16s %14.6f  hits / blocks\n", "hit_frac",
                      (double)stat->hits / (double)stat->blocks);
    if (stat->calls > 0)
        mr_buf_printf(out, "%-16s %14.2f  tokens of an input\n%-16s %14.2f  tokens of an output\n",
                      "input_mean", (double)stat->input_tok / (double)stat->calls, "output_mean",
                      (double)stat->output_tok / (double)stat->calls);
    if (stat->tool_s > 0 || stat->think_s > 0)
        mr_buf_printf(out, "%-16s %14.1f  s\n%-16s %14.1f  s\n", "tool_s", stat->tool_s, "think_s",
                      stat->think_s);
    if (stat->arrivals > 0)
        mr_buf_printf(out, "%-16s %.3f .. %.3f s, gaps' deviation / mean %.4g\n", "arrive",
                      stat->first_s, stat->last_s, mr_trace_stat_gap_cv(stat));
    for (uint32_t i = 0; i < book->model.n; i++)
        mr_buf_printf(out, "%-16s %s\n", i == 0 ? "models" : "", mr_intern_text(&book->model, i));
#define PUT_COUNT(name, doc) \
    if (counts->name > 0)    \
        mr_buf_printf(out, "%-16s %14llu  %s\n", #name, (unsigned long long)counts->name, (doc));
    MR_TRACE_COUNT_LIST(PUT_COUNT)
#undef PUT_COUNT
}

static mr_status run_info(const struct job *job, struct mr_buf *out, struct mr_err *err)
{
    struct reading reading;
    struct mr_trace_stat stat = {0};
    bool has_session = true;
    if (job->opts->format == NULL && mr_trace_client_is(job->path))
        return mr_trace_client_info(job->path, job->opts->as_json, out, err);
    mr_status st = open_reading(job, &reading, err);
    while (st == MR_OK && has_session) {
        st = read_session(job, &reading, &has_session, err);
        if (st == MR_OK && has_session)
            st = mr_trace_stat_add(&stat, &reading.session, mr_trace_book(reading.trace), err);
    }
    if (st == MR_OK) {
        mr_trace_stat_end(&stat);
        warn(job, &reading);
        if (job->opts->as_json)
            print_info_json(&reading, &stat, out);
        else
            print_info(&reading, &stat, out);
        st = mr_buf_check(out, err);
    }
    mr_trace_stat_fini(&stat);
    close_reading(&reading);
    return st;
}

/* ---- convert and cut ---- */

static const char digest_begin[] = "sha256:";

enum {
    flush_bytes = 1 << 20,
    digest_cap = sizeof digest_begin + MR_SHA256_HEX - 1
};

/* One form that sessions are written in. */
struct writing {
    const struct mr_session_book *book;
    struct mr_buf buf;
    struct mr_trace_pack pack;
    struct mr_trace_lost lost;
    int form;
};

#define FORM_LIST(X)               \
    X(native, "millrace")          \
    X(agentic, "agentic_mooncake") \
    X(mooncake, "mooncake")        \
    X(request, "request_trace")    \
    X(pack, "pack")                \
    X(weka, "weka")                \
    X(weka_packed, "weka-packed")

enum form {
#define FORM_ENUM(name, text) form_##name,
    FORM_LIST(FORM_ENUM)
#undef FORM_ENUM
    n_form
};

/* Where it comes from, as the file says; else the file itself. */
static void begin_writing(struct writing *w, const char *format, const char *digest)
{
    char *const *said = w->book->source;
    const bool is_said = said[MR_SESSION_SOURCE_FORMAT] != NULL;
    const struct mr_trace_source source = {
        .format = is_said ? said[MR_SESSION_SOURCE_FORMAT] : format,
        .digest = is_said ? said[MR_SESSION_SOURCE_DIGEST] : digest,
        .license = said[MR_SESSION_SOURCE_LICENSE]};
    if (w->form == form_agentic)
        mr_trace_write_agentic_header(&w->buf, w->book, &source);
    else if (w->form == form_pack)
        mr_trace_pack_begin(&w->pack, &w->buf, w->book);
    else if (w->form == form_native) /* request traces have no header */
        mr_trace_write_header(&w->buf, w->book, &source);
}

static mr_status write_session(struct writing *w, const struct mr_session *session, uint64_t number,
                               struct mr_err *err)
{
    if (w->form == form_agentic)
        return mr_trace_write_agentic(&w->buf, w->book, session, number, &w->lost, err);
    if (w->form == form_mooncake)
        return mr_trace_write_mooncake(&w->buf, w->book, session, number, &w->lost, err);
    if (w->form == form_request)
        return mr_trace_write_request(&w->buf, w->book, session, number, &w->lost, err);
    if (w->form == form_pack)
        return mr_trace_pack_add(&w->pack, &w->buf, session, err);
    mr_trace_write_session(&w->buf, w->book, session);
    return MR_OK;
}

static void warn_lost(const struct job *job, const struct writing *w)
{
    const uint64_t n = mr_trace_lost_total(&w->lost);
    if (n > 0)
        mr_ui_say(job->ui, 0, "%s: warning: %llu fields have no place in %s:", job->path,
                  (unsigned long long)n, job->opts->to);
#define SAY_LOST(name, doc) \
    if (w->lost.name > 0)   \
        mr_ui_say(job->ui, 0, "  %llu %s", (unsigned long long)w->lost.name, (doc));
    MR_TRACE_LOST_LIST(SAY_LOST)
#undef SAY_LOST
    if (w->form == form_mooncake && w->book->block_tok > 0)
        mr_ui_say(job->ui, 1, "%s: note: blocks of %u tokens, which the rows do not say (--block)",
                  job->path, w->book->block_tok);
    if (w->form == form_agentic && w->book->is_global)
        mr_ui_say(job->ui, 0,
                  "%s: warning: sessions share blocks, which version 2 of others does not know: "
                  "its hash_id_scope is \"global\"",
                  job->path);
}

static mr_status write_all(const struct job *job, struct reading *reading, struct writing *w,
                           struct mr_file_out *file, const char *digest, struct mr_err *err)
{
    bool has_session = true;
    mr_status st = MR_OK;
    begin_writing(w, mr_trace_format_name(reading->trace), digest);
    while (st == MR_OK && has_session) {
        st = read_session(job, reading, &has_session, err);
        if (st != MR_OK || !has_session)
            break;
        st = write_session(w, &reading->session, reading->n_taken, err);
        if (st == MR_OK && (w->buf.n > flush_bytes || w->buf.status != MR_OK))
            st = mr_file_out_drain(file, &w->buf, err);
    }
    if (w->form == form_pack && st == MR_OK)
        mr_trace_pack_end(&w->pack, &w->buf);
    else if (w->form == form_pack)
        mr_trace_pack_abort(&w->pack);
    if (st == MR_OK)
        st = mr_file_out_drain(file, &w->buf, err);
    if (st == MR_OK)
        warn_lost(job, w);
    mr_buf_fini(&w->buf);
    return st;
}

static mr_status find_form(const char *name, int *form, struct mr_err *err)
{
#define FORM_TEXT(name, text) text,
    static const char *const forms[] = {FORM_LIST(FORM_TEXT)};
#undef FORM_TEXT
    char hint[64] = "";
    for (*form = 0; *form < n_form; ++*form)
        if (strcmp(name, forms[*form]) == 0)
            return MR_OK;
    mr_text_hint(mr_str_of(name), forms, n_form, hint, sizeof hint);
    return mr_err_set(
        err, MR_SCHEMA, MR_NOWHERE,
        "--to \"%s\": millrace, agentic_mooncake, mooncake, request_trace, pack, weka and "
        "weka-packed can be written%s",
        name, hint);
}

/* Standard input is kept, for it is read more than once. @param[out] digest of what is read,
 * without its compression */
static mr_status read_input(struct job *job, char digest[digest_cap], struct mr_err *err)
{
    struct mr_gz *gz;
    uint8_t bytes[MR_SHA256_BYTES];
    memcpy(digest, digest_begin, sizeof digest_begin);
    if (strcmp(job->path, "-") != 0)
        return mr_run_repeat_hash(job->path, digest + sizeof digest_begin - 1, err);
    MR_TRY(mr_gz_open(job->path, &gz, err));
    const mr_status st = mr_gz_read_all(gz, kept_max, &job->kept, &job->n_kept, err);
    mr_gz_close(gz);
    if (st != MR_OK)
        return st;
    mr_sha256(job->kept, job->n_kept, bytes);
    mr_sha256_hex(bytes, digest + sizeof digest_begin - 1);
    return MR_OK;
}

/* A reading of all, to choose what the next ones take. */
static mr_status choose(struct job *job, struct mr_trace_pick *pick, struct mr_err *err)
{
    struct reading reading;
    bool has_session = true;
    job->is_choosing = true;
    mr_status st = open_reading(job, &reading, err);
    while (st == MR_OK && has_session) {
        st = read_session(job, &reading, &has_session, err);
        if (st == MR_OK && has_session)
            st = mr_trace_pick_add(pick, mr_trace_book(reading.trace), &reading.session,
                                   reading.n_read - 1, err);
    }
    close_reading(&reading);
    job->is_choosing = false;
    job->pick = pick;
    return st == MR_OK ? mr_trace_pick_choose(pick, err) : st;
}

static struct mr_trace_pick_plan pick_plan(const struct job *job)
{
    const struct mr_trace_opts_values *opts = job->opts;
    if (!job->is_cut)
        return (struct mr_trace_pick_plan){.seed = opts->seed, .tick_s = opts->tick_s};
    return (struct mr_trace_pick_plan){.call_min = opts->call_min,
                                       .call_max = opts->call_max,
                                       .context_max = opts->longest_tok,
                                       .model = opts->model,
                                       .n_sample = opts->n_sample,
                                       .seed = opts->seed,
                                       .is_once = opts->is_once,
                                       .tick_s = opts->tick_s};
}

/* Recorded coding agents, from one of their two forms to the other. */
static mr_status copy_weka(struct job *job, bool packs, struct mr_file_out *file,
                           struct mr_err *err)
{
    struct mr_gz *gz;
    struct mr_json *json;
    struct mr_buf buf = {0};
    bool has_more = true;
    MR_TRY(job->kept != NULL ? mr_gz_open_memory(job->kept, job->n_kept, "<stdin>", &gz, err)
                             : mr_gz_open(job->path, &gz, err));
    MR_TRY(mr_json_create(gz, NULL, &json, err));
    mr_status st = MR_OK;
    while (st == MR_OK && has_more) {
        st = mr_trace_write_weka(json, packs, &buf, &has_more, err);
        if (st == MR_OK && (!has_more || buf.n > flush_bytes))
            st = mr_file_out_drain(file, &buf, err);
    }
    mr_json_close(json);
    mr_buf_fini(&buf);
    return st;
}

static mr_status run_weka(const struct job *job, bool packs, struct mr_err *err)
{
    struct job whole = *job;
    char digest[digest_cap];
    struct reading reading = {0};
    struct mr_file_out file;
    mr_status st = read_input(&whole, digest, err);
    if (st == MR_OK)
        st = open_reading(&whole, &reading, err);
    if (st == MR_OK && (job->is_cut || job->opts->tick_s > 0 ||
                        strcmp(mr_trace_format_name(reading.trace), "weka") != 0))
        st = mr_err_set(err, MR_SCHEMA, MR_NOWHERE,
                        "%s: weka and weka-packed are written from each other, whole: sessions of "
                        "other formats do not have their members",
                        job->path);
    close_reading(&reading);
    if (st == MR_OK)
        st = mr_file_out_open(&file, job->opts->output, job->ui->may_overwrite, err);
    if (st == MR_OK)
        st = mr_file_out_end(&file, copy_weka(&whole, packs, &file, err), err);
    mr_free(whole.kept);
    return st;
}

static mr_status run_convert(const struct job *job, struct mr_buf *out, struct mr_err *err)
{
    struct job whole = *job;
    char digest[digest_cap];
    struct mr_trace_pick pick = {.plan = pick_plan(job)};
    struct reading first = {0}, second = {0};
    struct mr_file_out file;
    struct writing w = {0};
    bool has_session = true;
    (void)out;
    if (job->opts->format == NULL && mr_trace_client_is(job->path))
        return mr_err_set(err, MR_SCHEMA, (struct mr_place){job->path, 0, 0},
                          "rates or lengths of a client, no calls: \"trace generate calls\" draws "
                          "them (--windows, --lengths)");
    MR_TRY(find_form(job->is_pack ? "pack" : job->opts->to, &w.form, err));
    if (w.form == form_weka || w.form == form_weka_packed)
        return run_weka(job, w.form == form_weka_packed, err);
    mr_status st = read_input(&whole, digest, err);
    if (st == MR_OK && mr_trace_pick_is_needed(&pick.plan))
        st = choose(&whole, &pick, err);
    if (st == MR_OK)
        st = open_reading(&whole, &first, err);
    while (st == MR_OK && has_session) /* for its names */
        st = read_session(&whole, &first, &has_session, err);
    mr_trace_pick_rewind(&pick);
    if (st == MR_OK)
        st = open_reading(&whole, &second, err);
    if (st == MR_OK) {
        st = mr_file_out_open(&file, job->opts->output, job->ui->may_overwrite, err);
        if (st == MR_OK) {
            w.book = mr_trace_book(first.trace);
            st = write_all(&whole, &second, &w, &file, digest, err);
            st = mr_file_out_end(&file, st, err);
        }
    }
    if (st == MR_OK)
        warn(job, &second);
    close_reading(&first);
    close_reading(&second);
    mr_trace_pick_fini(&pick);
    mr_free(whole.kept);
    return st;
}

static mr_status run_generate(const struct job *job, struct mr_buf *out, struct mr_err *err)
{
    (void)out;
    return mr_trace_generate(job->opts, job->path, job->ui->may_overwrite, err);
}

/* ---- the verb ---- */

static const struct {
    const char *name;
    mr_status (*run)(const struct job *job, struct mr_buf *out, struct mr_err *err);
    bool is_cut, is_pack;
} verbs[] = {
    {"info", run_info, false, false},         {"convert", run_convert, false, false},
    {"cut", run_convert, true, false},        {"pack", run_convert, false, true},
    {"generate", run_generate, false, false},
};

enum {
    n_verb = sizeof verbs / sizeof *verbs
};

int mr_trace_run(const struct mr_verb_call *call)
{
    struct mr_err err = {0};
    struct mr_buf out = {0};
    const char *names[n_verb];
    size_t k = 0;
    for (size_t i = 0; i < n_verb; i++)
        names[i] = verbs[i].name;
    while (k < n_verb && strcmp(call->arg[0], names[k]) != 0)
        k++;
    if (k == n_verb) {
        char hint[64] = "";
        mr_text_hint(mr_str_of(call->arg[0]), names, n_verb, hint, sizeof hint);
        return mr_ui_usage(call->ui, "trace", "\"%s\" is nothing trace can do%s", call->arg[0],
                           hint);
    }
    if (call->n_arg != 2)
        return mr_ui_usage(call->ui, "trace", "trace %s takes one %s", names[k],
                           verbs[k].run == run_generate ? "kind" : "file");
    const struct job job = {.ui = call->ui,
                            .opts = call->opts,
                            .path = call->arg[1],
                            .is_cut = verbs[k].is_cut,
                            .is_pack = verbs[k].is_pack};
    const int code = verbs[k].run(&job, &out, &err) == MR_OK ? mr_ui_out(call->ui, &out)
                                                             : mr_ui_error(call->ui, &err);
    mr_buf_fini(&out);
    return code;
}
