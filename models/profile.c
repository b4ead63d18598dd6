/* SPDX-License-Identifier: Apache-2.0 */
/* Sums run from left to right as the header writes them, each product rounded before it is added:
 * the reference runs are compared to 1e-9 s over 60,000 steps.
 *
 * The leap. From one step to the next S grows by n (a token per decode) and the pairs of a prompt
 * read in chunks of c by c x c, since each chunk sees c tokens more before it; N and ns stay. So
 * T_j = T_0 + (kv n + pair c^2) j, with the coefficients of the batch's regime. */
#include "models/profile.h"

#include "engine/base/assert.h"
#include "engine/base/csv.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"

#include <math.h>

static const char *const forms[] = {"measured", "linear5"};

// clang-format off
#define P struct mr_profile_card
static const struct mr_param rows[] = {
    MR_PARAM_ONE_OF(P, form, "form", forms, NULL, "Table over tokens with three regimes of attention, or five constants"),
    MR_PARAM(P, t0_s, "t0", MR_Q_TIME, "0 s", 0, 100, "Scheduler, launch and sampling of a step"),
    MR_PARAM(P, tw_s, "tw", MR_Q_TIME, "0 s", 0, 100, "linear5: least time of the weights"),
    MR_PARAM(P, ctok_s, "ctok", MR_Q_TIME, "0 s", 0, 1, "linear5: per token of the step"),
    MR_PARAM(P, ckv_s, "ckv", MR_Q_TIME, "0 s", 0, 1, "linear5: per token of the decodes' contexts"),
    MR_PARAM(P, catt_s, "catt", MR_Q_TIME, "0 s", 0, 1, "linear5: per pair of prefill attention"),
    MR_PARAM_STR(P, dense, "dense", NULL, "measured: points TOKENS:SECONDS of all layers without attention, with blanks between"),
    MR_PARAM_STR(P, dense_file, "dense.file", NULL, "measured: the same as a CSV file beside the card, columns tokens and time_s"),
    MR_PARAM(P, decode_s, "decode.start", MR_Q_TIME, "0 s", 0, 100, "Attention of a step of decodes alone"),
    MR_PARAM(P, decode_kv_s, "decode.kv", MR_Q_TIME, "0 s", 0, 1, "More per token of their contexts"),
    MR_PARAM(P, prefill_s, "prefill.start", MR_Q_TIME, "0 s", 0, 100, "Attention of a step of chunks alone"),
    MR_PARAM(P, prefill_pair_s, "prefill.pair", MR_Q_TIME, "0 s", 0, 1, "More per pair, chunk x (context before + chunk / 2)"),
    MR_PARAM(P, mixed_s, "mixed.start", MR_Q_TIME, "0 s", 0, 100, "Attention of a step with decodes and chunks"),
    MR_PARAM(P, mixed_kv_s, "mixed.kv", MR_Q_TIME, "0 s", 0, 1, "More per token of the decodes' contexts"),
    MR_PARAM(P, mixed_pair_s, "mixed.pair", MR_Q_TIME, "0 s", 0, 1, "More per pair of the chunks"),
    MR_PARAM(P, head_s, "head.start", MR_Q_TIME, "0 s", 0, 100, "Logits and sampler of a step that makes any token"),
    MR_PARAM(P, head_sequence_s, "head.sequence", MR_Q_TIME, "0 s", 0, 1, "More per sequence that gets a token"),
    MR_PARAM(P, collective_s, "collective.start", MR_Q_TIME, "0 s", 0, 100, "Starts of a step's collectives, when the points lack them"),
    MR_PARAM(P, collective_token_s, "collective.token", MR_Q_TIME, "0 s", 0, 1, "More per token: bytes of all collectives over their bandwidth"),
    MR_PARAM(P, error_frac, "error", MR_Q_FRACTION, "0", 0, 1e6, "Mean absolute error over measured steps that were not fitted; 0: not known"),
};
#undef P
// clang-format on

static const struct mr_param_table table = {
    "profile", "Measured times of a step; files models/profiles/ID.xml.", rows,
    sizeof rows / sizeof *rows};

void mr_profile_defaults(struct mr_profile_card *card)
{
    uint8_t origin[sizeof rows / sizeof *rows] = {0};
    *card = (struct mr_profile_card){0};
    mr_param_defaults(&(struct mr_param_target){&table, card, origin, NULL, "profile"});
}

/* ---- points ---- */

/* Take "TOKENS:SECONDS" off the front. @return was there one? */
static bool take_point(struct mr_str *rest, struct mr_profile_point *point)
{
    const struct mr_str s = mr_str_trim(*rest);
    size_t n = 0, colon = 0;
    while (n < s.n && !mr_char_is_space(s.p[n]))
        n++;
    while (colon < n && s.p[colon] != ':')
        colon++;
    if (colon == n)
        return false;
    *rest = (struct mr_str){s.p + n, s.n - n};
    return mr_num_parse_f64((struct mr_str){s.p, colon}, &point->tokens) == MR_OK &&
           mr_num_parse_f64((struct mr_str){s.p + colon + 1, n - colon - 1}, &point->time_s) ==
               MR_OK;
}

/* @return what is wrong with a point after another (NULL: it is the first), or NULL */
static const char *fault_of(const struct mr_profile_point *last,
                            const struct mr_profile_point *point)
{
    if (!(point->tokens >= 0) || isinf(point->tokens) ||
        (last != NULL && !(point->tokens > last->tokens)))
        return "tokens must rise from point to point";
    if (!(point->time_s > 0) || isinf(point->time_s))
        return "a time must be above 0";
    return NULL;
}

static void check_text(const struct mr_card *card, struct mr_diags *diags)
{
    struct mr_profile_point last = {0}, point = {0};
    struct mr_str rest = mr_str_of(mr_profile_of(card)->dense);
    for (size_t i = 0; i == 0 || mr_str_trim(rest).n > 0; i++) {
        char quoted[MR_QUOTE_CAP];
        const struct mr_str at = mr_str_trim(rest);
        if (!take_point(&rest, &point)) {
            mr_card_refuse(card, "dense", diags, "point %zu: TOKENS:SECONDS is expected at \"%s\"",
                           i + 1, mr_text_quote(at, quoted));
            return;
        }
        const char *fault = fault_of(i > 0 ? &last : NULL, &point);
        if (fault != NULL) {
            mr_card_refuse(card, "dense", diags, "point %zu: %s", i + 1, fault);
            return;
        }
        last = point;
    }
}

/* Figures of the other form would be silently without effect. */
static void refuse_strangers(const struct mr_card *card, struct mr_diags *diags)
{
    const size_t first = mr_param_find(&table, MR_STR("tw"));
    const size_t dense = mr_param_find(&table, MR_STR("dense"));
    const size_t error = mr_param_find(&table, MR_STR("error"));
    const bool is_linear = mr_profile_of(card)->form == MR_PROFILE_LINEAR5;
    for (size_t i = first; i < error; i++) {
        const bool is_of_linear = i < dense;
        if (is_of_linear != is_linear && card->figure[i].line > 0)
            mr_card_refuse(card, rows[i].name, diags, "goes with form %s",
                           forms[is_linear ? MR_PROFILE_MEASURED : MR_PROFILE_LINEAR5]);
    }
}

static void check(const struct mr_card *card, struct mr_diags *diags)
{
    const struct mr_profile_card *profile = mr_profile_of(card);
    refuse_strangers(card, diags);
    if (profile->form == MR_PROFILE_LINEAR5)
        return;
    if ((profile->dense == NULL) == (profile->dense_file == NULL))
        mr_card_refuse(card, "dense", diags, "one of dense and dense.file is needed");
    else if (profile->dense != NULL)
        check_text(card, diags);
}

const struct mr_card_kind mr_profile_kind = {"profile", "models/profiles", &table,
                                             sizeof(struct mr_profile_card), check};

/* ---- making ---- */

struct mr_profile {
    struct mr_profile_card card;
    struct mr_profile_point *point;
    size_t n_point;
    double tail_s; /* per token past the last point */
};

static double tail_of(const struct mr_profile *p)
{
    const struct mr_profile_point *first = &p->point[0], *last = &p->point[p->n_point - 1];
    const double from = fmax(first->tokens, last->tokens / 2);
    if (!(last->tokens > from))
        return 0;
    return fmax(0, (last->time_s - mr_profile_dense(p, from)) / (last->tokens - from));
}

mr_status mr_profile_create(const struct mr_profile_card *figures,
                            const struct mr_profile_point *point, size_t n, struct mr_profile **out,
                            struct mr_err *err)
{
    const bool is_linear = figures->form == MR_PROFILE_LINEAR5;
    *out = NULL;
    MR_ASSERT(is_linear == (n == 0));
    for (size_t i = 0; i < n; i++) {
        const char *fault = fault_of(i > 0 ? &point[i - 1] : NULL, &point[i]);
        if (fault != NULL)
            return mr_err_set(err, MR_RANGE, MR_NOWHERE, "point %zu: %s", i + 1, fault);
    }
    struct mr_profile *p = mr_alloc_zero(1, sizeof *p);
    if (p == NULL)
        return mr_err_nomem(err, sizeof *p);
    p->card = *figures;
    p->card.dense = p->card.dense_file = NULL;
    if (!is_linear) {
        p->point = mr_alloc(n, sizeof *p->point);
        if (p->point == NULL) {
            mr_free(p);
            return mr_err_nomem(err, n * sizeof *p->point);
        }
        memcpy(p->point, point, n * sizeof *point);
        p->n_point = n;
        p->tail_s = tail_of(p);
    }
    *out = p;
    return MR_OK;
}

void mr_profile_destroy(struct mr_profile *profile)
{
    if (profile == NULL)
        return;
    mr_free(profile->point);
    mr_free(profile);
}

/* Points as they are read. */
struct points {
    struct mr_profile_point *item;
    size_t n, cap;
};

static mr_status add(struct points *points, struct mr_profile_point point, struct mr_err *err)
{
    MR_TRY(mr_grow(&points->item, &points->cap, points->n + 1, sizeof point, err));
    points->item[points->n++] = point;
    return MR_OK;
}

static mr_status read_text(const char *text, struct points *points, struct mr_err *err)
{
    struct mr_str rest = mr_str_of(text);
    struct mr_profile_point point;
    while (take_point(&rest, &point))
        MR_TRY(add(points, point, err));
    return MR_OK;
}

static mr_status read_rows(struct mr_csv *csv, struct points *points, struct mr_err *err)
{
    size_t tokens, time;
    MR_TRY(mr_csv_column(csv, "tokens", &tokens, err));
    MR_TRY(mr_csv_column(csv, "time_s", &time, err));
    for (;;) {
        bool has_row;
        struct mr_profile_point point;
        MR_TRY(mr_csv_next(csv, &has_row, err));
        if (!has_row)
            break;
        MR_TRY(mr_csv_f64(csv, tokens, &point.tokens, err));
        MR_TRY(mr_csv_f64(csv, time, &point.time_s, err));
        const struct mr_profile_point *last = points->n > 0 ? &points->item[points->n - 1] : NULL;
        const char *fault = fault_of(last, &point);
        if (fault != NULL)
            return mr_csv_error(csv, fault[0] == 't' ? tokens : time, err, MR_RANGE, "%s", fault);
        MR_TRY(add(points, point, err));
    }
    if (points->n > 0)
        return MR_OK;
    return mr_err_set(err, MR_RANGE, mr_csv_place(csv, 0), "no points of the table over tokens");
}

static mr_status read_file(const struct mr_card *card, struct points *points, struct mr_err *err)
{
    struct mr_buf path = {0};
    struct mr_csv *csv = NULL;
    mr_file_join(card->path, mr_profile_of(card)->dense_file, &path);
    mr_status st = mr_buf_check(&path, err);
    if (st == MR_OK)
        st = mr_csv_open(path.text, NULL, &csv, err);
    if (st == MR_OK)
        st = read_rows(csv, points, err);
    mr_csv_close(csv);
    mr_buf_fini(&path);
    return st;
}

mr_status mr_profile_open(const struct mr_card *card, struct mr_profile **out, struct mr_err *err)
{
    const struct mr_profile_card *figures = mr_profile_of(card);
    struct points points = {0};
    mr_status st = MR_OK;
    *out = NULL;
    if (figures->dense != NULL)
        st = read_text(figures->dense, &points, err);
    else if (figures->dense_file != NULL)
        st = read_file(card, &points, err);
    if (st == MR_OK)
        st = mr_profile_create(figures, points.item, points.n, out, err);
    mr_free(points.item);
    return st;
}

mr_status mr_profile_load(const char *path, struct mr_profile **out, struct mr_diags *diags)
{
    struct mr_card *card;
    struct mr_err err = {0};
    *out = NULL;
    MR_TRY(mr_card_load(path, &mr_profile_kind, &card, diags));
    if (mr_profile_open(card, out, &err) != MR_OK)
        (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    mr_card_destroy(card);
    return err.status;
}

/* ---- pricing ---- */

double mr_profile_dense(const struct mr_profile *profile, double tokens)
{
    const struct mr_profile_point *point = profile->point;
    size_t low = 0, high = profile->n_point - 1;
    if (tokens <= point[low].tokens)
        return point[low].time_s;
    if (tokens >= point[high].tokens)
        return point[high].time_s + profile->tail_s * (tokens - point[high].tokens);
    while (high - low > 1) {
        const size_t mid = (low + high) / 2;
        if (tokens < point[mid].tokens)
            high = mid;
        else
            low = mid;
    }
    const double frac = (tokens - point[low].tokens) / (point[high].tokens - point[low].tokens);
    return point[low].time_s + frac * (point[high].time_s - point[low].time_s);
}

/* Coefficients of attention for a batch. */
struct regime {
    double start_s, kv_s, pair_s;
};

static struct regime regime_of(const struct mr_profile_card *c, const struct mr_batch *batch)
{
    const bool decodes = batch->n_decode > 0, reads = batch->chunk_tokens > 0;
    if (decodes && reads)
        return (struct regime){c->mixed_s, c->mixed_kv_s, c->mixed_pair_s};
    if (decodes)
        return (struct regime){c->decode_s, c->decode_kv_s, 0};
    if (reads)
        return (struct regime){c->prefill_s, 0, c->prefill_pair_s};
    return (struct regime){0, 0, 0};
}

static double linear5_time(const struct mr_profile_card *c, const struct mr_batch *batch)
{
    const double tokens = batch->n_decode + batch->chunk_tokens;
    return c->t0_s + fmax(c->tw_s, c->ctok_s * tokens) + c->ckv_s * batch->kv_tokens +
           c->catt_s * batch->chunk_pairs;
}

double mr_profile_time(const struct mr_profile *profile, const struct mr_batch *batch)
{
    const struct mr_profile_card *c = &profile->card;
    if (c->form == MR_PROFILE_LINEAR5)
        return linear5_time(c, batch);
    const double tokens = batch->n_decode + batch->chunk_tokens;
    const double n_logit = batch->n_decode + batch->n_prompt_end;
    const struct regime at = regime_of(c, batch);
    double time_s = c->t0_s + mr_profile_dense(profile, tokens);
    if (n_logit > 0)
        time_s += c->head_s + c->head_sequence_s * n_logit;
    time_s += c->collective_s + c->collective_token_s * tokens;
    return time_s + at.start_s + at.kv_s * batch->kv_tokens + at.pair_s * batch->chunk_pairs;
}

struct mr_step_leap mr_profile_leap(const struct mr_profile *profile, const struct mr_batch *batch)
{
    const struct mr_profile_card *c = &profile->card;
    const struct regime at = c->form == MR_PROFILE_LINEAR5 ? (struct regime){0, c->ckv_s, c->catt_s}
                                                           : regime_of(c, batch);
    return (struct mr_step_leap){mr_profile_time(profile, batch),
                                 at.kv_s * batch->n_decode +
                                     at.pair_s * (batch->chunk_tokens * batch->chunk_tokens)};
}
