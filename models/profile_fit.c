/* SPDX-License-Identifier: Apache-2.0 */
/* The table over tokens is the sum of operators at each token count. The rest are lines: minimize
 * sum w (c.x - t)^2 with w = 1 / t over c >= 0. With weight 1 the longest steps alone would decide,
 * with 1 / t^2 the shortest, whose launches are not linear in anything; 1 / t is what serving
 * spends its time in; and with a constant among x the mean of (c.x - t) / t is 0, being the first
 * normal equation. Ignored: the shape of the batch beyond its sums.
 * Map: reading - dense - rows of lines - lines - errors - the folder. */
#include "models/profile_fit.h"

#include "engine/base/csv.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/sha256.h"
#include "models/fit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double microsecond_s = 1e-6, count_max = 1e12;

enum {
    n_column_max = 3,
    n_least_row = 4, /* of a line */
    notes_max_bytes = 1 << 20
};

static const struct {
    const char *name, *doc;
    size_t n_column;
} regimes[] = {
#define REGIME_ROW(name, text, doc) \
    {text, doc, MR_PROFILE_REGIME_##name == MR_PROFILE_REGIME_MIXED ? 3 : 2},
    MR_PROFILE_REGIME_LIST(REGIME_ROW)
#undef REGIME_ROW
};

const char *mr_profile_fit_name(int regime)
{
    return regimes[regime].name;
}

const char *mr_profile_fit_doc(int regime)
{
    return regimes[regime].doc;
}

/* ---- reading ---- */

/* Operators of the two lists of names; `times` says how often a layer has it, 0: once per step. */
struct op {
    const char *name;
    double times;
};

static const struct op dense_ops[] = {
    {"qkv_proj", 1},  {"rotary_emb", 1}, {"o_proj", 1},    {"gate_up_proj", 1},   {"act_fn", 1},
    {"down_proj", 1}, {"layernorm", 2},  {"embedding", 0}, {"final_layernorm", 0}};
static const struct op head_ops[] = {{"lm_head", 0}, {"sampler", 0}};

enum {
    n_dense_op = sizeof dense_ops / sizeof *dense_ops,
    n_head_op = sizeof head_ops / sizeof *head_ops
};

/* One operator at one count of tokens or sequences. */
struct timing {
    double count, time_s;
    size_t op;
};

struct timings {
    struct timing *item;
    size_t n, cap;
};

static mr_status open_in(const char *folder, const char *name, struct mr_csv **out,
                         struct mr_err *err)
{
    struct mr_buf path = {0};
    *out = NULL;
    mr_buf_printf(&path, "%s/%s", folder, name);
    mr_status st = mr_buf_check(&path, err);
    if (st == MR_OK)
        st = mr_csv_open(path.text, NULL, out, err);
    mr_buf_fini(&path);
    return st;
}

static mr_status read_count(const struct mr_csv *csv, size_t column, double *value,
                            struct mr_err *err)
{
    uint64_t count;
    MR_TRY(mr_csv_u64(csv, column, &count, err));
    *value = (double)count;
    if (*value <= count_max)
        return MR_OK;
    return mr_csv_error(csv, column, err, MR_RANGE, "%g is more than %g", *value, count_max);
}

static mr_status read_time(const struct mr_csv *csv, size_t column, double *time_s,
                           struct mr_err *err)
{
    double time_us;
    MR_TRY(mr_csv_f64(csv, column, &time_us, err));
    *time_s = time_us * microsecond_s;
    if (*time_s > 0 && isfinite(*time_s))
        return MR_OK;
    return mr_csv_error(csv, column, err, MR_RANGE, "%g us: a time is above 0", time_us);
}

static mr_status read_op(const struct mr_csv *csv, size_t column, const struct op *ops, size_t n,
                         size_t *op, struct mr_err *err)
{
    const char *names[n_dense_op];
    char quoted[MR_QUOTE_CAP], hint[96];
    const struct mr_str name = mr_str_trim(mr_csv_field(csv, column));
    for (*op = 0; *op < n; (*op)++) {
        names[*op] = ops[*op].name;
        if (mr_str_is(name, names[*op]))
            return MR_OK;
    }
    mr_text_hint(name, names, n, hint, sizeof hint);
    return mr_csv_error(csv, column, err, MR_REF, "unknown operator \"%s\"%s",
                        mr_text_quote(name, quoted), hint);
}

static mr_status read_timings(struct mr_csv *csv, const char *count_name, const struct op *ops,
                              size_t n_op, struct timings *out, struct mr_err *err)
{
    size_t layer, count, time;
    MR_TRY(mr_csv_column(csv, "layer", &layer, err));
    MR_TRY(mr_csv_column(csv, count_name, &count, err));
    MR_TRY(mr_csv_column(csv, "time_us", &time, err));
    for (;;) {
        bool has_row;
        struct timing it;
        MR_TRY(mr_csv_next(csv, &has_row, err));
        if (!has_row)
            return MR_OK;
        MR_TRY(read_op(csv, layer, ops, n_op, &it.op, err));
        MR_TRY(read_count(csv, count, &it.count, err));
        MR_TRY(read_time(csv, time, &it.time_s, err));
        MR_TRY(mr_grow(&out->item, &out->cap, out->n + 1, sizeof it, err));
        out->item[out->n++] = it;
    }
}

static int by_count_and_op(const void *a, const void *b)
{
    const struct timing *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? -1 : 1;
    return x->op != y->op ? (x->op < y->op ? -1 : 1) : 0;
}

/* Read a file of operators and sum them up at each count; every operator must be at every count.
 * @param[in,out] sums as points of a profile */
struct sums {
    struct mr_profile_point *item;
    size_t n, cap;
};

static mr_status sum_at(const struct timings *t, size_t first, const struct op *ops, size_t n_op,
                        double n_layer, double *time_s, struct mr_place at, struct mr_err *err)
{
    const double count = t->item[first].count;
    *time_s = 0;
    if (first > 0 && t->item[first - 1].count == count)
        return mr_err_set(err, MR_SCHEMA, at, "two times of %s at %.0f",
                          ops[t->item[first].op].name, count);
    for (size_t k = 0; k < n_op; k++) {
        const size_t i = first + k;
        if (i == t->n || t->item[i].count != count || t->item[i].op > k)
            return mr_err_set(err, MR_SCHEMA, at, "no time of %s at %.0f", ops[k].name, count);
        if (t->item[i].op < k)
            return mr_err_set(err, MR_SCHEMA, at, "two times of %s at %.0f",
                              ops[t->item[i].op].name, count);
        *time_s += (ops[k].times > 0 ? n_layer * ops[k].times : 1) * t->item[i].time_s;
    }
    return MR_OK;
}

static mr_status sum_ops(const char *folder, const char *file, const char *count_name,
                         const struct op *ops, size_t n_op, double n_layer, struct sums *sums,
                         struct mr_err *err)
{
    struct mr_csv *csv;
    struct timings t = {0};
    MR_TRY(open_in(folder, file, &csv, err));
    const struct mr_place at = {mr_csv_place(csv, 0).file, 0, 0};
    mr_status st = read_timings(csv, count_name, ops, n_op, &t, err);
    if (st == MR_OK && t.n == 0)
        st = mr_err_set(err, MR_RANGE, at, "no rows");
    if (st == MR_OK && t.n > 0)
        qsort(t.item, t.n, sizeof *t.item, by_count_and_op);
    for (size_t i = 0; st == MR_OK && i < t.n; i += n_op) {
        struct mr_profile_point sum = {t.item[i].count, 0};
        st = sum_at(&t, i, ops, n_op, n_layer, &sum.time_s, at, err);
        if (st == MR_OK)
            st = mr_grow(&sums->item, &sums->cap, sums->n + 1, sizeof sum, err);
        if (st == MR_OK)
            sums->item[sums->n++] = sum;
    }
    mr_free(t.item);
    mr_csv_close(csv);
    return st;
}

/* ---- rows of lines ---- */

/* time ~ c[0] + c[1] x[1] + c[2] x[2], in one regime; x[0] is 1. */
struct row {
    int regime;
    bool is_held_out;
    double x[n_column_max], time_s;
    double n_token, n_logit; /* of the step it was measured in */
};

struct fitting {
    const struct mr_profile_fit_options *options;
    struct row *row;
    size_t n, cap;
    double line[MR_PROFILE_REGIMES][n_column_max];
};

static mr_status add_row(struct fitting *f, struct row row, const double key[4], struct mr_err *err)
{
    char text[128];
    uint8_t digest[MR_SHA256_BYTES];
    uint64_t hash = 0;
    const int n = snprintf(text, sizeof text, "%s %.0f %.0f %.0f %.0f", regimes[row.regime].name,
                           key[0], key[1], key[2], key[3]);
    mr_sha256(text, (size_t)n, digest);
    for (int i = 0; i < 8; i++)
        hash |= (uint64_t)digest[i] << 8 * i;
    row.is_held_out = mr_fit_is_held_out(hash, f->options->holdout_frac);
    row.x[0] = 1;
    MR_TRY(mr_grow(&f->row, &f->cap, f->n + 1, sizeof row, err));
    f->row[f->n++] = row;
    return MR_OK;
}

static mr_status read_attention_row(struct fitting *f, const struct mr_csv *csv,
                                    const size_t column[5], struct mr_err *err)
{
    double key[4], time_s;
    for (size_t k = 0; k < 4; k++)
        MR_TRY(read_count(csv, column[k], &key[k], err));
    MR_TRY(read_time(csv, column[4], &time_s, err));
    const double chunk = key[0], before = key[1], n_decode = key[2];
    const double contexts = n_decode * key[3], pairs = chunk * (before + chunk / 2);
    struct row row = {.time_s = f->options->n_layer * time_s,
                      .n_token = chunk + n_decode,
                      .n_logit = n_decode + (chunk > 0)};
    if (chunk > 0 && n_decode > 0) {
        row.regime = MR_PROFILE_REGIME_MIXED;
        row.x[1] = contexts;
        row.x[2] = pairs;
    } else if (chunk > 0) {
        row.regime = MR_PROFILE_REGIME_PREFILL;
        row.x[1] = pairs;
    } else if (n_decode > 0) {
        row.regime = MR_PROFILE_REGIME_DECODE;
        row.x[1] = contexts;
    } else {
        return mr_csv_error(csv, column[0], err, MR_RANGE, "neither a chunk nor decodes");
    }
    return add_row(f, row, key, err);
}

static mr_status read_attention(struct fitting *f, struct mr_csv *csv, struct mr_err *err)
{
    static const char *const names[] = {"prefill_chunk", "kv_prefill", "n_decode", "kv_decode",
                                        "time_us"};
    size_t column[5];
    for (size_t k = 0; k < 5; k++)
        MR_TRY(mr_csv_column(csv, names[k], &column[k], err));
    for (;;) {
        bool has_row;
        MR_TRY(mr_csv_next(csv, &has_row, err));
        if (!has_row)
            return MR_OK;
        MR_TRY(read_attention_row(f, csv, column, err));
    }
}

static mr_status read_heads(struct fitting *f, const struct sums *heads, struct mr_err *err)
{
    for (size_t i = 0; i < heads->n; i++) {
        const double n = heads->item[i].tokens;
        const struct row row = {.regime = MR_PROFILE_REGIME_HEAD,
                                .x = {1, n},
                                .time_s = heads->item[i].time_s,
                                .n_token = n,
                                .n_logit = n};
        MR_TRY(add_row(f, row, (const double[4]){n}, err));
    }
    return MR_OK;
}

/* ---- lines ---- */

struct normal {
    double m[n_column_max][n_column_max], b[n_column_max];
};

static struct normal normal_of(const struct fitting *f, int regime)
{
    struct normal eq = {0};
    for (size_t i = 0; i < f->n; i++) {
        const struct row *row = &f->row[i];
        if (row->regime != regime || row->is_held_out)
            continue;
        for (size_t k = 0; k < n_column_max; k++) {
            eq.b[k] += row->x[k]; /* w x t with w = 1 / t */
            for (size_t j = 0; j < n_column_max; j++)
                eq.m[k][j] += row->x[k] * row->x[j] / row->time_s;
        }
    }
    return eq;
}

/* Gauss over the columns that are in, scaled to a unit diagonal (contexts are counted in millions);
 * a column that the others explain gets 0. */
static void solve(const struct normal *eq, const bool *is_in, double *c)
{
    double m[n_column_max][n_column_max + 1];
    size_t at[n_column_max] = {0}, n = 0;
    for (size_t k = 0; k < n_column_max; k++) {
        c[k] = 0;
        if (is_in[k] && eq->m[k][k] > 0)
            at[n++] = k;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++)
            m[i][j] = eq->m[at[i]][at[j]] / sqrt(eq->m[at[i]][at[i]] * eq->m[at[j]][at[j]]);
        m[i][n] = eq->b[at[i]] / sqrt(eq->m[at[i]][at[i]]);
    }
    for (size_t i = 0; i < n; i++)
        for (size_t k = i + 1; k < n; k++) {
            const double factor = m[i][i] > 1e-12 ? m[k][i] / m[i][i] : 0;
            for (size_t j = i; j <= n; j++)
                m[k][j] -= factor * m[i][j];
        }
    for (size_t i = n; i-- > 0;) {
        double sum = m[i][n];
        for (size_t j = i + 1; j < n; j++)
            sum -= m[i][j] * c[at[j]] * sqrt(eq->m[at[j]][at[j]]);
        c[at[i]] = m[i][i] > 1e-12 ? sum / m[i][i] / sqrt(eq->m[at[i]][at[i]]) : 0;
    }
}

/* While a coefficient is negative, leave the most negative one out (in time) and solve again. */
static void fit_line(struct fitting *f, int regime)
{
    const struct normal eq = normal_of(f, regime);
    double *c = f->line[regime];
    bool is_in[n_column_max];
    for (size_t k = 0; k < n_column_max; k++)
        is_in[k] = k < regimes[regime].n_column;
    for (;;) {
        size_t worst = n_column_max;
        double least = 0;
        solve(&eq, is_in, c);
        for (size_t k = 0; k < n_column_max; k++)
            if (c[k] * sqrt(eq.m[k][k]) < least) {
                least = c[k] * sqrt(eq.m[k][k]);
                worst = k;
            }
        if (worst == n_column_max)
            return;
        is_in[worst] = false;
    }
}

static mr_status fit_lines(struct fitting *f, const char *folder, struct mr_err *err)
{
    for (int regime = 0; regime < MR_PROFILE_REGIMES; regime++) {
        size_t n = 0;
        for (size_t i = 0; i < f->n; i++)
            n += f->row[i].regime == regime && !f->row[i].is_held_out;
        if (n < n_least_row)
            return mr_err_set(err, MR_RANGE, (struct mr_place){folder, 0, 0},
                              "%zu rows of %s to fit, at least %d are needed", n,
                              regimes[regime].doc, n_least_row);
        fit_line(f, regime);
    }
    return MR_OK;
}

static void put_figures(const struct fitting *f, struct mr_profile_card *card)
{
    const double(*line)[n_column_max] = f->line;
    mr_profile_defaults(card);
    card->form = MR_PROFILE_MEASURED;
    card->decode_s = line[MR_PROFILE_REGIME_DECODE][0];
    card->decode_kv_s = line[MR_PROFILE_REGIME_DECODE][1];
    card->prefill_s = line[MR_PROFILE_REGIME_PREFILL][0];
    card->prefill_pair_s = line[MR_PROFILE_REGIME_PREFILL][1];
    card->mixed_s = line[MR_PROFILE_REGIME_MIXED][0];
    card->mixed_kv_s = line[MR_PROFILE_REGIME_MIXED][1];
    card->mixed_pair_s = line[MR_PROFILE_REGIME_MIXED][2];
    card->head_s = line[MR_PROFILE_REGIME_HEAD][0];
    card->head_sequence_s = line[MR_PROFILE_REGIME_HEAD][1];
}

/* ---- errors ---- */

static double line_at(const struct fitting *f, const struct row *row)
{
    const double *c = f->line[row->regime];
    return c[0] + c[1] * row->x[1] + c[2] * row->x[2];
}

/* What else a step has beside the row: the table, and the head unless it is the row. */
static double rest_of(const struct fitting *f, const struct mr_profile *profile,
                      const struct row *row)
{
    const double *head = f->line[MR_PROFILE_REGIME_HEAD];
    const double dense_s = mr_profile_dense(profile, row->n_token);
    return row->regime == MR_PROFILE_REGIME_HEAD ? dense_s
                                                 : dense_s + head[0] + head[1] * row->n_logit;
}

static void sum_errors(const struct fitting *f, const struct mr_profile *profile,
                       struct mr_profile_fit *fit)
{
    for (size_t i = 0; i < f->n; i++) {
        const struct row *row = &f->row[i];
        const double off_s = line_at(f, row) - row->time_s;
        struct mr_profile_error *e =
            row->is_held_out ? &fit->held_out[row->regime] : &fit->fitted[row->regime];
        e->n++;
        e->mean += fabs(off_s) / row->time_s;
        e->bias += off_s / row->time_s;
        e->step_mean += fabs(off_s) / (row->time_s + rest_of(f, profile, row));
    }
    for (int k = 0; k < 2 * MR_PROFILE_REGIMES; k++) {
        struct mr_profile_error *e = k % 2 ? &fit->held_out[k / 2] : &fit->fitted[k / 2];
        if (e->n == 0)
            continue;
        e->mean /= (double)e->n;
        e->bias /= (double)e->n;
        e->step_mean /= (double)e->n;
    }
}

/* 1 - sum (predicted - t)^2 / sum (t - mean)^2 */
static double r2_of(const struct fitting *f, int regime)
{
    double n = 0, mean = 0, off = 0, spread = 0;
    for (size_t i = 0; i < f->n; i++)
        if (f->row[i].regime == regime) {
            n++;
            mean += f->row[i].time_s;
        }
    mean /= n;
    for (size_t i = 0; i < f->n; i++)
        if (f->row[i].regime == regime) {
            const double a = line_at(f, &f->row[i]) - f->row[i].time_s;
            const double b = f->row[i].time_s - mean;
            off += a * a;
            spread += b * b;
        }
    return spread > 0 ? 1 - off / spread : 0;
}

/* How linear the table is between its points: each against the line through its neighbours, which
 * are twice as far apart as any that are read. */
static double dense_error(const struct mr_profile_fit *fit)
{
    double sum = 0;
    if (fit->n_point < 3)
        return 0;
    for (size_t i = 1; i + 1 < fit->n_point; i++) {
        const struct mr_profile_point *a = &fit->point[i - 1], *b = &fit->point[i], *c = b + 1;
        const double frac = (b->tokens - a->tokens) / (c->tokens - a->tokens);
        sum += fabs(a->time_s + frac * (c->time_s - a->time_s) - b->time_s) / b->time_s;
    }
    return sum / (double)(fit->n_point - 2);
}

static mr_status measure_errors(const struct fitting *f, struct mr_profile_fit *fit,
                                struct mr_err *err)
{
    struct mr_profile *profile;
    MR_TRY(mr_profile_create(&fit->card, fit->point, fit->n_point, &profile, err));
    sum_errors(f, profile, fit);
    mr_profile_destroy(profile);
    for (int regime = 0; regime < MR_PROFILE_REGIMES; regime++)
        fit->r2[regime] = r2_of(f, regime);
    fit->dense_error = dense_error(fit);
    /* of steps with attention: the head's own row is part of each */
    double n = 0, sum = 0;
    for (int regime = 0; regime < MR_PROFILE_REGIME_HEAD; regime++) {
        n += (double)fit->held_out[regime].n;
        sum += (double)fit->held_out[regime].n * fit->held_out[regime].step_mean;
    }
    fit->card.error_frac = n > 0 ? sum / n : 0;
    return MR_OK;
}

/* ---- the folder ---- */

static mr_status read_folder(const char *folder, struct fitting *f, struct mr_profile_fit *fit,
                             struct mr_err *err)
{
    struct sums dense = {0}, heads = {0};
    struct mr_csv *csv = NULL;
    mr_status st = sum_ops(folder, "dense.csv", "tokens", dense_ops, n_dense_op,
                           f->options->n_layer, &dense, err);
    fit->point = dense.item;
    fit->n_point = dense.n;
    if (st == MR_OK)
        st = sum_ops(folder, "per_sequence.csv", "sequences", head_ops, n_head_op, 1, &heads, err);
    if (st == MR_OK)
        st = read_heads(f, &heads, err);
    mr_free(heads.item);
    if (st == MR_OK)
        st = open_in(folder, "attention.csv", &csv, err);
    if (st == MR_OK)
        st = read_attention(f, csv, err);
    mr_csv_close(csv);
    return st;
}

mr_status mr_profile_fit_folder(const char *folder, const struct mr_profile_fit_options *options,
                                struct mr_profile_fit *fit, struct mr_err *err)
{
    struct fitting f = {.options = options};
    if (!(options->n_layer >= 1))
        return mr_err_set(err, MR_RANGE, (struct mr_place){folder, 0, 0},
                          "%g layers, at least 1 is needed", options->n_layer);
    mr_status st = read_folder(folder, &f, fit, err);
    if (st == MR_OK)
        st = fit_lines(&f, folder, err);
    if (st == MR_OK) {
        put_figures(&f, &fit->card);
        st = measure_errors(&f, fit, err);
    }
    mr_free(f.row);
    return st;
}

void mr_profile_fit_fini(struct mr_profile_fit *fit)
{
    mr_free(fit->point);
    *fit = (struct mr_profile_fit){0};
}

/* "model: OWNER/NAME" at the beginning of a line. */
static struct mr_str model_in(struct mr_str notes)
{
    static const char key[] = "model:";
    while (notes.n > 0) {
        size_t n = 0;
        while (n < notes.n && notes.p[n] != '\n')
            n++;
        if (n >= sizeof key && memcmp(notes.p, key, sizeof key - 1) == 0) {
            struct mr_str name =
                mr_str_trim((struct mr_str){notes.p + sizeof key - 1, n - (sizeof key - 1)});
            for (size_t i = name.n; i > 0; i--)
                if (name.p[i - 1] == '/')
                    return (struct mr_str){name.p + i, name.n - i};
            return name;
        }
        n += n < notes.n;
        notes = (struct mr_str){notes.p + n, notes.n - n};
    }
    return (struct mr_str){"", 0};
}

mr_status mr_profile_fit_model(const char *folder, struct mr_buf *model, struct mr_err *err)
{
    static const char *const places[] = {"profile_meta.yaml", "../profile_meta.yaml"};
    for (size_t i = 0; i < sizeof places / sizeof *places && model->n == 0; i++) {
        struct mr_buf path = {0};
        struct mr_gz *gz = NULL;
        struct mr_err absent = {0};
        char *notes = NULL;
        size_t n = 0;
        mr_buf_printf(&path, "%s/%s", folder, places[i]);
        mr_status st = mr_buf_check(&path, err);
        if (st == MR_OK && mr_gz_open(path.text, &gz, &absent) == MR_OK)
            st = mr_gz_read_all(gz, notes_max_bytes, &notes, &n, err);
        else if (absent.status == MR_NOMEM)
            st = mr_err_nomem(err, 0);
        if (st == MR_OK && notes != NULL) {
            const struct mr_str name = model_in((struct mr_str){notes, n});
            mr_buf_add(model, name.p, name.n);
        }
        mr_free(notes);
        mr_gz_close(gz);
        mr_buf_fini(&path);
        MR_TRY(st);
    }
    return mr_buf_check(model, err);
}
