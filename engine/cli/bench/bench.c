/* SPDX-License-Identifier: Apache-2.0 */
/* Measuring: rounds are doubled until one batch lasts long enough to time, then work and reference
 * loop take turns and the fastest batch of each counts (a shared machine only ever adds time). */
#include "engine/cli/bench/bench.h"

#include "engine/base/assert.h"
#include "engine/base/jsonw.h"
#include "engine/base/mem.h"
#include "engine/base/mem_system.h"
#include "engine/base/num.h"
#include "engine/base/wall.h"
#include "engine/cli/bench/bench_base.h"
#include "engine/cli/bench/bench_cache.h"
#include "engine/cli/bench/bench_clock.h"
#include "engine/cli/bench/bench_counters.h"
#include "engine/cli/bench/bench_machine.h"
#include "engine/cli/bench/bench_models.h"
#include "engine/cli/bench/bench_net.h"
#include "engine/cli/bench/bench_power.h"
#include "engine/cli/bench/bench_record.h"
#include "engine/cli/bench/bench_record_site.h"
#include "engine/cli/bench/bench_serve.h"
#include "engine/cli/bench/bench_sessions.h"
#include "engine/cli/bench/bench_site.h"
#include "engine/cli/bench/bench_sweep.h"
#include "engine/cli/bench/bench_thermal.h"
#include "engine/cli/bench/bench_work.h"
#include "engine/cli/progress.h"
#include "engine/cli/verbs.h"
#include "engine/cli/version.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static const struct mr_opt bench_rows[] = {
    {MR_PARAM_YES(struct mr_bench_opts_values, as_json, "json", "no", "One JSON object"), 0, NULL},
    {MR_PARAM_YES(struct mr_bench_opts_values, is_quick, "quick", "no",
                  "A tenth of the time, wider spread"),
     0, NULL},
    {MR_PARAM_YES(struct mr_bench_opts_values, is_list, "list", "no",
                  "Name the benchmarks and measure nothing"),
     0, NULL},
};

const struct mr_opt_table mr_bench_opts = {bench_rows, sizeof bench_rows / sizeof *bench_rows};

static const struct mr_bench_group *const groups[] = {
    &mr_bench_machine_group,  &mr_bench_base_group,
    &mr_bench_clock_group,    &mr_bench_models_group,
    &mr_bench_net_group,      &mr_bench_cache_group,
    &mr_bench_record_group,   &mr_bench_serve_group,
    &mr_bench_sessions_group, &mr_bench_site_group,
    &mr_bench_power_group,    &mr_bench_thermal_group,
    &mr_bench_work_group,     &mr_bench_record_site_group,
    &mr_bench_sweep_group,    NULL};

enum {
    n_group_most = 32,
    n_named_most = 512 /* cases looked through for one that was meant */
};

/* All cases in the order of their groups; NULL past the last. */
static const struct mr_bench_case *case_at(size_t i)
{
    for (size_t g = 0; groups[g] != NULL; g++) {
        if (i < groups[g]->n)
            return &groups[g]->item[i];
        i -= groups[g]->n;
    }
    return NULL;
}

static size_t n_case(void)
{
    size_t n = 0;
    while (case_at(n) != NULL)
        n++;
    return n;
}

struct result {
    const struct mr_bench_case *what;
    char skipped[160];
    double work_ns, plain_ns;        /* per operation */
    double count[MR_BENCH_COUNTERS]; /* per operation of the last batch */
    int count_error;                 /* errno: why there are none */
    uint64_t checksum, whole, n_byte, n_session;
    double of_smaller; /* cost over that of the smaller case; 0: it did not run */
};

struct timing {
    uint64_t batch_ns; /* shortest batch worth timing */
    int n_turn;
    bool is_quick;
};

static double batch_ns_per_round(uint64_t (*loop)(void *), void *data, uint64_t n_round,
                                 uint64_t *checksum)
{
    const uint64_t start = mr_wall_ns();
    for (uint64_t i = 0; i < n_round; i++)
        *checksum ^= loop(data) + i;
    return (double)(mr_wall_ns() - start) / (double)n_round;
}

/* Rounds that make one batch last at least batch_ns. */
static uint64_t rounds_for(uint64_t (*loop)(void *), void *data, uint64_t batch_ns,
                           uint64_t *checksum)
{
    uint64_t n = 1;
    while (batch_ns_per_round(loop, data, n, checksum) * (double)n < (double)batch_ns)
        n *= 2;
    return n;
}

/* One batch of work. @return [ns] per operation */
static double batch_of_work(const struct mr_bench_case *what, const struct mr_bench_job *job,
                            uint64_t n_round, const struct mr_bench_counters *counters,
                            struct result *result)
{
    uint64_t before[MR_BENCH_COUNTERS], after[MR_BENCH_COUNTERS], discard = 0;
    const uint64_t done = job->n_done != NULL ? *job->n_done : 0;
    mr_bench_counters_read(counters, before);
    const double ns = batch_ns_per_round(what->work, job->data, n_round, &discard);
    mr_bench_counters_read(counters, after);
    const double n_op =
        job->n_done != NULL ? (double)(*job->n_done - done) : (double)job->n_op * (double)n_round;
    for (int i = 0; i < MR_BENCH_COUNTERS; i++)
        result->count[i] = (double)(after[i] - before[i]) / n_op;
    return ns * (double)n_round / n_op;
}

static void take_turns(const struct mr_bench_case *what, const struct mr_bench_job *job,
                       const struct timing *timing, struct result *result)
{
    struct mr_bench_counters counters;
    uint64_t plain_sum = 0, discard = 0;
    result->checksum = what->work(job->data); /* of one round: the same on every machine */
    result->whole = what->whole != NULL ? what->whole(job->data) : 0;
    const uint64_t n_work = rounds_for(what->work, job->data, timing->batch_ns, &discard);
    const uint64_t n_plain = rounds_for(what->plain, job->data, timing->batch_ns, &plain_sum);
    mr_bench_counters_open(&counters);
    result->count_error = counters.error;
    for (int turn = 0; turn < timing->n_turn; turn++) {
        const double work = batch_of_work(what, job, n_work, &counters, result);
        const double plain = batch_ns_per_round(what->plain, job->data, n_plain, &plain_sum);
        result->work_ns = fmin(result->work_ns, work);
        result->plain_ns = fmin(result->plain_ns, plain / (double)job->n_op);
    }
    mr_bench_counters_close(&counters);
}

static mr_status measure(const struct mr_bench_case *what, const struct timing *timing,
                         struct result *result, struct mr_err *err)
{
    struct mr_bench_job job = {.is_quick = timing->is_quick};
    *result = (struct result){.what = what, .work_ns = HUGE_VAL, .plain_ns = HUGE_VAL};
    mr_mem_system_return(); /* of the case before */
    mr_status st = what->setup(what, &job, err);
    if (st == MR_OK && job.skipped[0] == '\0')
        take_turns(what, &job, timing, result);
    memcpy(result->skipped, job.skipped, sizeof result->skipped);
    result->n_byte = job.n_byte;
    result->n_session = job.n_session;
    if (what->teardown != NULL && job.data != NULL)
        what->teardown(job.data);
    mr_arena_fini(&job.texts);
    return st;
}

/* What a case promises about one before it, if that has run. */
static mr_status decides_otherwise(const struct result *a, const struct result *b, bool is_whole,
                                   struct mr_err *err)
{
    return mr_err_set(err, MR_DIVERGED, MR_NOWHERE,
                      "benchmark %s decides otherwise than %s: checksum%s %016" PRIx64
                      " instead of %016" PRIx64,
                      a->what->name, b->what->name, is_whole ? " of all" : "",
                      is_whole ? a->whole : a->checksum, is_whole ? b->whole : b->checksum);
}

static mr_status compare(struct result *result, const struct result *all, size_t n,
                         struct mr_err *err)
{
    const struct mr_bench_case *what = result->what;
    for (size_t i = 0; i < n && result->skipped[0] == '\0'; i++) {
        const struct result *other = &all[i];
        if (other->skipped[0] != '\0')
            continue;
        if (what->smaller != NULL && strcmp(other->what->name, what->smaller) == 0)
            result->of_smaller = result->work_ns / other->work_ns;
        if (what->same == NULL || strcmp(other->what->name, what->same) != 0)
            continue;
        if (result->checksum != other->checksum)
            return decides_otherwise(result, other, false, err);
        if (what->size == other->what->size && result->whole != other->whole)
            return decides_otherwise(result, other, true, err);
    }
    return MR_OK;
}

/* ---- output ---- */

static const double slow_ns = 1e5; /* from here on an operation is told in milliseconds */

/* Bytes as MB/s, everything else as millions per second, or slow ones per second. */
static void rate_text(const struct result *r, char out[48])
{
    char number[MR_NUM_CAP];
    const bool is_slow = r->work_ns > slow_ns;
    mr_num_format_human((is_slow ? 1e9 : 1e3) / r->work_ns, 3, number);
    if (strcmp(r->what->op, "byte") == 0)
        snprintf(out, 48, "%s MB/s", number);
    else
        snprintf(out, 48, "%s %s", number, is_slow ? "/s" : "M/s");
}

/* Memory and counts, of cases that tell their memory. */
static void print_more(const struct result *r, struct mr_buf *out)
{
    char number[MR_NUM_CAP];
    mr_num_format_human((double)r->n_byte * 1e-6, 3, number);
    mr_buf_printf(out, "%-28s %s MB", "", number);
    if (r->n_session > 0)
        mr_buf_printf(out, ", %.0f bytes/session", (double)r->n_byte / (double)r->n_session);
    if (r->n_session > 0 && r->what->session_bytes_max > 0)
        mr_buf_printf(out, " (at most %u)", r->what->session_bytes_max);
    if (r->of_smaller > 0) {
        mr_num_format_human(r->of_smaller, 3, number);
        mr_buf_printf(out, ", %s x the cost of %s", number, r->what->smaller);
        mr_num_format_human(r->what->floor, 3, number);
        mr_buf_printf(out, " (at most %s)", number);
    }
    for (int i = 0; i < MR_BENCH_COUNTERS && r->count_error == 0; i++) {
        mr_num_format_human(r->count[i], 3, number);
        mr_buf_printf(out, ", %s %s/%s", number, mr_bench_counter_name(i), r->what->op);
    }
    if (r->count_error != 0)
        mr_buf_printf(out, ", no counts: perf_event_open: %s", strerror(r->count_error));
    mr_buf_char(out, '\n');
    if (r->what->whole != NULL)
        mr_buf_printf(out,
                      "%-28s decisions: %016" PRIx64 " of the first cell, %016" PRIx64 " of all\n",
                      "", r->checksum, r->whole);
}

static void print_human(const struct result *r, struct mr_buf *out)
{
    char ns[MR_NUM_CAP], ratio[MR_NUM_CAP], rate[48], per[48];
    if (r->skipped[0] != '\0') {
        mr_buf_printf(out, "%-28s skipped: %s\n", r->what->name, r->skipped);
        return;
    }
    const bool is_slow = r->work_ns > slow_ns;
    mr_num_format_human(is_slow ? r->work_ns * 1e-6 : r->work_ns, 3, ns);
    mr_num_format_human(r->work_ns / r->plain_ns, 3, ratio);
    rate_text(r, rate);
    snprintf(per, sizeof per, "%s %s/%s", ns, is_slow ? "ms" : "ns", r->what->op);
    mr_buf_printf(out, "%-28s %18s %12s  %6s x %s\n", r->what->name, per, rate, ratio,
                  r->what->reference);
    if (r->n_byte > 0)
        print_more(r, out);
}

static void print_json(const struct result *r, struct mr_jsonw *w)
{
    char sum[17];
    snprintf(sum, sizeof sum, "%016" PRIx64, r->checksum);
    mr_jsonw_object(w);
    mr_jsonw_key_text(w, "name", r->what->name);
    if (r->skipped[0] != '\0') {
        mr_jsonw_key_text(w, "skipped", r->skipped);
    } else {
        mr_jsonw_key_text(w, "op", r->what->op);
        mr_jsonw_key_f64(w, "ns_per_op", r->work_ns);
        mr_jsonw_key_f64(w, "ops_per_s", 1e9 / r->work_ns);
        mr_jsonw_key_text(w, "reference", r->what->reference);
        mr_jsonw_key_f64(w, "reference_ns_per_op", r->plain_ns);
        mr_jsonw_key_f64(w, "ratio", r->work_ns / r->plain_ns);
        mr_jsonw_key_text(w, "checksum", sum);
        if (r->what->whole != NULL) {
            snprintf(sum, sizeof sum, "%016" PRIx64, r->whole);
            mr_jsonw_key_text(w, "checksum_all", sum);
        }
        for (int i = 0; i < MR_BENCH_COUNTERS && r->count_error == 0; i++) {
            char key[40];
            snprintf(key, sizeof key, "%s_per_op", mr_bench_counter_name(i));
            mr_jsonw_key_f64(w, key, r->count[i]);
        }
        if (r->count_error != 0)
            mr_jsonw_key_text(w, "no_counts", strerror(r->count_error));
        if (r->n_byte > 0)
            mr_jsonw_key_u64(w, "bytes", r->n_byte);
        if (r->n_session > 0)
            mr_jsonw_key_f64(w, "bytes_per_session", (double)r->n_byte / (double)r->n_session);
        if (r->n_session > 0 && r->what->session_bytes_max > 0)
            mr_jsonw_key_u64(w, "bytes_per_session_most", r->what->session_bytes_max);
        if (r->of_smaller > 0) {
            mr_jsonw_key_text(w, "smaller", r->what->smaller);
            mr_jsonw_key_f64(w, "ratio_to_smaller", r->of_smaller);
        }
    }
    mr_jsonw_end(w);
}

/* ---- the verb ---- */

static bool is_selected(const char *name, const struct mr_verb_call *call)
{
    for (int i = 0; i < call->n_arg; i++) {
        MR_ASSERT(call->arg[i] != NULL);
        if (strncmp(name, call->arg[i], strlen(call->arg[i])) == 0)
            return true;
    }
    return call->n_arg == 0;
}

/* An argument that selects nothing is a mistake, not an empty result. */
static const char *selects_nothing(const struct mr_verb_call *call)
{
    for (int i = 0; i < call->n_arg; i++) {
        size_t n = 0;
        for (size_t c = 0; case_at(c) != NULL; c++)
            n += strncmp(case_at(c)->name, call->arg[i], strlen(call->arg[i])) == 0;
        if (n == 0)
            return call->arg[i];
    }
    return NULL;
}

/* Users name whole groups, "serve", or cases. @return exit code */
static int refuse(const struct mr_verb_call *call, const char *stray)
{
    char quoted[MR_QUOTE_CAP], hint[128], group[n_group_most][32];
    const char *name[n_group_most + n_named_most];
    size_t n = 0;
    for (size_t g = 0; groups[g] != NULL && n < n_group_most; g++, n++) {
        const char *first = groups[g]->item[0].name;
        snprintf(group[n], sizeof group[n], "%.*s", (int)strcspn(first, "/"), first);
        name[n] = group[n];
    }
    for (size_t c = 0; case_at(c) != NULL && n < n_group_most + n_named_most; c++)
        name[n++] = case_at(c)->name;
    mr_text_hint(mr_str_of(stray), name, n, hint, sizeof hint);
    return mr_ui_usage(call->ui, "bench",
                       "no benchmark starts with \"%s\"%s (millrace bench --list names them all)",
                       mr_text_quote(mr_str_of(stray), quoted), hint);
}

static void show_progress(struct mr_progress *p, size_t i)
{
    struct mr_progress_state state = mr_progress_nothing();
    const size_t n = n_case();
    state.done_frac = (double)i / (double)n;
    const struct mr_bench_case *now = case_at(i);
    state.what = now != NULL ? now->name : NULL;
    if (i == n)
        mr_progress_clear(p);
    else
        mr_progress_show(p, &state);
}

static int list(const struct mr_verb_call *call)
{
    struct mr_buf out = {0};
    for (size_t i = 0; case_at(i) != NULL; i++)
        if (is_selected(case_at(i)->name, call))
            mr_buf_printf(&out, "%s\n", case_at(i)->name);
    const int code = mr_ui_out(call->ui, &out);
    mr_buf_fini(&out);
    return code;
}

int mr_bench_run(const struct mr_verb_call *call)
{
    const struct mr_bench_opts_values *opts = call->opts;
    const struct timing timing =
        opts->is_quick ? (struct timing){2000000, 3, true} : (struct timing){20000000, 5, false};
    const char *stray = selects_nothing(call);
    if (stray != NULL)
        return refuse(call, stray);
    if (opts->is_list)
        return list(call);
    struct mr_progress progress;
    mr_progress_init(&progress, call->ui->with_progress, call->ui->is_err_tty, mr_wall_ns());
    struct mr_buf out = {0};
    struct mr_jsonw w;
    struct mr_err err = {0};
    mr_jsonw_init(&w, &out, 2);
    if (opts->as_json) {
        mr_jsonw_object(&w);
        mr_jsonw_key_u64(&w, "schema", 1);
        mr_jsonw_key_text(&w, "version", mr_version_number());
        mr_jsonw_key(&w, "bench");
        mr_jsonw_array(&w);
    }
    mr_status st = MR_OK;
    size_t i = 0, n = 0;
    struct result *const all = mr_alloc(n_case(), sizeof *all);
    if (all == NULL)
        st = mr_err_nomem(&err, n_case() * sizeof *all);
    for (const struct mr_bench_case *it; (it = case_at(i)) != NULL && st == MR_OK; i++) {
        if (!is_selected(it->name, call))
            continue;
        MR_ASSERT(all != NULL);
        struct result *const result = &all[n];
        show_progress(&progress, i);
        st = measure(it, &timing, result, &err);
        if (st == MR_OK)
            st = compare(result, all, n, &err);
        n++;
        if (st == MR_OK && opts->as_json)
            print_json(result, &w);
        else if (st == MR_OK)
            print_human(result, &out);
    }
    mr_free(all);
    if (st == MR_OK)
        show_progress(&progress, i);
    if (opts->as_json && st == MR_OK) {
        mr_jsonw_end(&w);
        mr_jsonw_end(&w);
        mr_buf_char(&out, '\n');
    }
    const int code = st == MR_OK ? mr_ui_out(call->ui, &out) : mr_ui_error(call->ui, &err);
    mr_buf_fini(&out);
    return code;
}
