/* SPDX-License-Identifier: Apache-2.0 */
/* What limits tokens: pools whose calls wait or are refused, by what they have run out of; tiers
 * that refuse, by their reasons; tenants beyond their budgets. Reasons come from the summary, which
 * counts every call; times from the series. Map: refusals - pools - tenants. */
#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "postprocess/report_limits_impl.h"

#include <math.h>
#include <stdio.h>

/* ---- refusals ---- */

/* Reasons by their names in summaries. */
static const struct reason {
    const char *name, *words, *cure; /* cure NULL: more of what serves */
} reasons[] = {
    {"shed", "too many waited at an instance", NULL},
    {"watts", "the site lacked watts for them beside dearer tiers",
     "more watts, or work that needs fewer"},
    {"late", "the first token would have come too late", NULL},
    {"expired", "waited to be let in, in vain", NULL},
    {"limit", "more of the tier inside than it allows", "nothing: the tier's own rule"},
    {"rate", "the tier's bucket of tokens was empty", "nothing: the tier's own rule"},
    {"too_long", "longer than context or KV memory", "nothing: no instance can hold them"},
};

enum {
    n_reason = sizeof reasons / sizeof *reasons,
    n_path = 192
};

static double of_tier(const struct mr_report_file *file, const char *tier, const char *what)
{
    char path[n_path];
    (void)snprintf(path, sizeof path, "tiers.%s.%s", tier, what);
    const double value = mr_figures_value(&file->figures, path);
    return isnan(value) ? 0 : value;
}

static double refused_by(const struct mr_report_file *file, const char *tier, size_t reason)
{
    char what[64];
    (void)snprintf(what, sizeof what, "refused.%s", reasons[reason].name);
    return of_tier(file, tier, what);
}

/* Calls that more of what serves would have served. */
static double refused_for_want(const struct mr_report_file *file, const char *tier)
{
    double sum = 0;
    for (size_t k = 0; k < n_reason; k++)
        sum += reasons[k].cure == NULL ? refused_by(file, tier, k) : 0;
    return sum;
}

void mr_report_refusals(const struct mr_report_file *file, struct mr_buf *out)
{
    size_t n = 0;
    for (size_t k = 0; k < n_reason; k++) {
        double sum = 0;
        for (size_t i = 0; i < file->figures.n_tier; i++)
            sum += refused_by(file, file->figures.tier[i], k);
        if (sum > 0 && strcmp(reasons[k].name, "too_long") != 0) /* they failed */
            mr_buf_printf(out, "%s%s", n++ == 0 ? " (" : "; ", reasons[k].words);
    }
    mr_buf_text(out, n > 0 ? ")" : "");
}

/* How long a tier refused: NaN where there are no series of tiers. */
static mr_status refusing_s(const struct mr_report_file *file, size_t tier, double *out,
                            struct mr_err *err)
{
    struct mr_curve c = {.n = 0};
    *out = (double)NAN;
    if (file->run == NULL)
        return MR_OK;
    MR_TRY(mr_curve_one(file->run, "/tiers/refusals_s", tier, &c, err));
    mr_curve_hold(&c);
    for (size_t i = 0; i + 1 < c.n; i++)
        *out = fmax(*out, 0) + (c.value[i] > 0 ? c.t_s[i + 1] - c.t_s[i] : 0);
    mr_curve_fini(&c);
    return MR_OK;
}

/* A tenth more serves a tenth more calls, if so many were refused. */
static void say_calls(const struct mr_report_file *file, const char *tier,
                      struct mr_report_limit *item)
{
    const double finished = of_tier(file, tier, "finished");
    const double n = fmin(0.1 * finished, refused_for_want(file, tier));
    const double tok = of_tier(file, tier, "tok_s") * mr_figures_value(&file->figures, "sim_s");
    char calls[MR_NUM_CAP], more[MR_NUM_CAP];
    if (finished > 0 && tok > 0)
        (void)snprintf(item->gain, sizeof item->gain, "at most %s calls, %s tokens",
                       mr_report_human(n, 4, calls), mr_report_human(n * tok / finished, 3, more));
    else
        (void)snprintf(item->gain, sizeof item->gain, "not told: no call of it finished");
}

static mr_status add_tier(const struct mr_report_file *file, size_t i,
                          struct mr_report_limits *list, struct mr_err *err)
{
    const char *tier = file->figures.tier[i];
    struct mr_report_limit item = {.what = "calls refused"};
    const double came = of_tier(file, tier, "arrived") + of_tier(file, tier, "moved_in") -
                        of_tier(file, tier, "moved_out");
    size_t n = 0, n_limit = 0, n_why = 0;
    for (size_t k = 0; k < n_reason; k++) {
        const double refused = refused_by(file, tier, k);
        if (!(refused > 0) || !(came > 0))
            continue;
        if (n_limit < sizeof item.limit)
            n_limit += (size_t)snprintf(item.limit + n_limit, sizeof item.limit - n_limit, "%s%s",
                                        n > 0 ? ", " : "", reasons[k].name);
        if (n_why < sizeof item.why)
            n_why += (size_t)snprintf(item.why + n_why, sizeof item.why - n_why,
                                      "%s%.3g %% of its calls: %s", n > 0 ? "; " : "",
                                      100 * refused / came, reasons[k].words);
        if (reasons[k].cure != NULL)
            (void)snprintf(item.gain, sizeof item.gain, "%s", reasons[k].cure);
        n++;
    }
    if (n == 0)
        return MR_OK;
    if (refused_for_want(file, tier) > 0)
        say_calls(file, tier, &item);
    (void)snprintf(item.where, sizeof item.where, "tier %s", tier);
    MR_TRY(refusing_s(file, i, &item.held_s, err));
    return mr_report_limits_add(list, &item, err);
}

/* ---- pools ---- */

enum pool_series {
    WAITING,
    RUNNING,
    OPEN,
    KV,
    TOK_S,
    REFUSALS,
    n_pool_series
};

enum pool_want {
    OF_MEMORY,
    OF_BATCH,
    OF_TIME,
    n_want
};

struct pool {
    const char *name;
    size_t i;
    double batch;    /* calls of an instance at once; NaN: not told */
    bool is_refused; /* what tiers refuse for want of service is refused here */
};

/* What a pool lacked, and how much of the rest it held meanwhile. */
struct wanted {
    double held_s, refused_s, tok, kv_s, batch_s;
};

/* Calls wait, or are refused because too many do, and the memory of keys and values is full, the
 * batch is, or neither: then it is time. */
static void look_at_pool(const struct pool *pool, const struct mr_curve *c, struct wanted *wanted)
{
    static const double full_frac = 0.95, waiting_frac = 0.1;
    size_t n = SIZE_MAX;
    for (size_t k = WAITING; k <= TOK_S; k++)
        n = c[k].n < n ? c[k].n : n;
    for (size_t i = 0; i + 1 < n; i++) {
        const double dt_s = c[WAITING].t_s[i + 1] - c[WAITING].t_s[i];
        const bool is_refusing = i < c[REFUSALS].n && c[REFUSALS].value[i] > 0;
        const double batch_frac = c[RUNNING].value[i] / (c[OPEN].value[i] * pool->batch);
        if (!(c[WAITING].value[i] > waiting_frac * c[RUNNING].value[i]) && !is_refusing)
            continue;
        struct wanted *w = &wanted[c[KV].value[i] >= full_frac ? OF_MEMORY
                                   : batch_frac >= full_frac   ? OF_BATCH
                                                               : OF_TIME];
        w->held_s += dt_s;
        w->refused_s += is_refusing ? dt_s : 0;
        w->tok += fmax(c[TOK_S].value[i], 0) * dt_s;
        w->kv_s += fmax(c[KV].value[i], 0) * dt_s;
        w->batch_s += batch_frac * dt_s;
    }
}

/* What a tenth more would give is at most a tenth of the tokens made then. */
static mr_status add_wants(const struct pool *pool, const struct wanted *wanted,
                           struct mr_report_limits *list, struct mr_err *err)
{
    static const char *const what[n_want] = {
        [OF_MEMORY] = "KV memory of a pool",
        [OF_BATCH] = "batch of a pool",
        [OF_TIME] = "instances of a pool",
    };
    for (int k = 0; k < n_want; k++) {
        const struct wanted *w = &wanted[k];
        struct mr_report_limit item = {.held_s = w->held_s, .is_root = true};
        char batch[64] = "", calls[48] = "calls waited", number[MR_NUM_CAP];
        if (w->refused_s >= w->held_s)
            (void)snprintf(calls, sizeof calls, "calls were refused");
        else if (w->refused_s > 0)
            (void)snprintf(calls, sizeof calls, "calls waited or were refused");
        (void)snprintf(item.what, sizeof item.what, "%s", what[k]);
        (void)snprintf(item.where, sizeof item.where, "%s", pool->name);
        (void)snprintf(item.gain, sizeof item.gain, "at most %s tokens",
                       mr_report_human(0.1 * w->tok, 3, number));
        if (k == OF_MEMORY)
            (void)snprintf(item.limit, sizeof item.limit, "95 %% of its blocks");
        else if (k == OF_BATCH)
            (void)snprintf(item.limit, sizeof item.limit, "%.0f calls of an instance", pool->batch);
        else
            (void)snprintf(item.limit, sizeof item.limit, "%s",
                           isnan(pool->batch) ? "batch and step time" : "step time");
        if (!isnan(w->batch_s))
            (void)snprintf(batch, sizeof batch, " and %.3g %% of its batch",
                           100 * w->batch_s / w->held_s);
        if (k == OF_MEMORY)
            (void)snprintf(item.why, sizeof item.why, "%s, and there was no memory for them",
                           calls);
        else
            (void)snprintf(item.why, sizeof item.why, "%s while %.3g %% of the memory%s was held",
                           calls, 100 * w->kv_s / w->held_s, batch);
        MR_TRY(mr_report_limits_add(list, &item, err));
    }
    return MR_OK;
}

static mr_status add_pool(const struct mr_runread *run, const struct pool *pool,
                          struct mr_report_limits *list, struct mr_err *err)
{
    static const char *const paths[] = {[WAITING] = "/pools/waiting",
                                        [RUNNING] = "/pools/running",
                                        [OPEN] = "/pools/open",
                                        [KV] = "/pools/kv_used_frac",
                                        [TOK_S] = "/pools/tok_s"};
    struct mr_curve c[n_pool_series] = {{.n = 0}};
    struct wanted wanted[n_want] = {{0}};
    mr_status st = MR_OK;
    for (size_t k = WAITING; k <= TOK_S && st == MR_OK; k++)
        st = mr_curve_one(run, paths[k], pool->i, &c[k], err);
    if (st == MR_OK && pool->is_refused)
        st = mr_curve_read(run, "/tiers/refusals_s", MR_CURVE_SUM, &c[REFUSALS], err);
    if (st == MR_OK)
        st = mr_curve_pair(c, n_pool_series, err);
    if (st == MR_OK) {
        look_at_pool(pool, c, wanted);
        st = add_wants(pool, wanted, list, err);
    }
    for (size_t k = 0; k < n_pool_series; k++)
        mr_curve_fini(&c[k]);
    return st;
}

/* Where most calls wait, calls are refused. */
static size_t find_fullest(const double *waiting, size_t n)
{
    size_t fullest = 0;
    for (size_t i = 1; i < n; i++)
        if (waiting[i] > waiting[fullest])
            fullest = i;
    return fullest;
}

static mr_status add_pools(const struct mr_report_file *file, struct mr_report_limits *list,
                           struct mr_err *err)
{
    const struct mr_runread_set *set = mr_runread_find(file->run, "/pools/batch");
    const char *const *name;
    double *waiting = NULL, *batch = NULL, want = 0;
    size_t n_name, n_waiting = 0;
    MR_TRY(mr_report_names(file->run, "/pools/pool", &name, &n_name, err));
    for (size_t i = 0; i < file->figures.n_tier; i++)
        want += refused_for_want(file, file->figures.tier[i]);
    mr_status st =
        mr_curve_entities(file->run, "/pools/waiting", MR_CURVE_MEAN, &waiting, &n_waiting, err);
    const bool has_batch = set != NULL && !set->is_text && set->rank == 1 && set->dim[0] == n_name;
    if (st == MR_OK && has_batch)
        st = mr_runread_all(file->run, set, &batch, err);
    const size_t fullest = waiting != NULL ? find_fullest(waiting, n_waiting) : 0;
    for (size_t i = 0; i < n_name && st == MR_OK; i++)
        st = add_pool(file->run,
                      &(struct pool){name[i], i, batch != NULL ? batch[i] : (double)NAN,
                                     want > 0 && i == fullest},
                      list, err);
    mr_free(waiting);
    mr_free(batch);
    return st;
}

/* ---- tenants ---- */

/* "tenants.NAME.calls.arrived": the tenant, and what became of its calls beyond its budget. */
static mr_status add_tenant(const struct mr_report_file *file, const char *name, size_t n_name,
                            double came, struct mr_report_limits *list, struct mr_err *err)
{
    static const char *const ways[] = {"stopped", "downgraded", "throttled"};
    struct mr_report_limit item = {
        .what = "budget of a tenant", .gain = "a tenth more of its budget", .held_s = (double)NAN};
    char path[n_path], tok[MR_NUM_CAP];
    size_t n = 0;
    for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) {
        (void)snprintf(path, sizeof path, "tenants.%.*s.calls.%s", (int)n_name, name, ways[k]);
        const double calls = mr_figures_value(&file->figures, path);
        if (calls > 0)
            n += (size_t)snprintf(item.why + n, sizeof item.why - n, "%s%.3g %% of its calls %s",
                                  n > 0 ? ", " : "", 100 * calls / (came + (k == 0 ? calls : 0)),
                                  ways[k]);
    }
    if (n == 0)
        return MR_OK;
    (void)snprintf(path, sizeof path, "tenants.%.*s.budget_tok", (int)n_name, name);
    const double budget_tok = mr_figures_value(&file->figures, path);
    if (!isnan(budget_tok)) {
        (void)mr_num_format_human(budget_tok, 4, tok);
        (void)snprintf(item.limit, sizeof item.limit, "%s tokens", tok);
    }
    (void)snprintf(item.where, sizeof item.where, "%.*s", (int)n_name, name);
    return mr_report_limits_add(list, &item, err);
}

static mr_status add_tenants(const struct mr_report_file *file, struct mr_report_limits *list,
                             struct mr_err *err)
{
    static const char begin[] = "tenants.", end[] = ".calls.arrived";
    for (size_t i = 0; i < file->figures.n_item; i++) {
        const struct mr_figures_item *item = &file->figures.item[i];
        const size_t n = strlen(item->path), n_begin = sizeof begin - 1, n_end = sizeof end - 1;
        if (n > n_begin + n_end && strncmp(item->path, begin, n_begin) == 0 &&
            strcmp(item->path + n - n_end, end) == 0)
            MR_TRY(add_tenant(file, item->path + n_begin, n - n_begin - n_end, item->value, list,
                              err));
    }
    return MR_OK;
}

mr_status mr_report_limits_serve(const struct mr_report_file *file, struct mr_report_limits *list,
                                 struct mr_err *err)
{
    if (file->run != NULL)
        MR_TRY(add_pools(file, list, err));
    for (size_t i = 0; i < file->figures.n_tier; i++)
        MR_TRY(add_tier(file, i, list, err));
    return add_tenants(file, list, err);
}
