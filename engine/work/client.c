/* SPDX-License-Identifier: Apache-2.0 */
/* Tables are small: two weeks of a client are 2,016 windows. Parts: windows - lengths - what a file
 * is - calls. */
#include "engine/work/client.h"

#include "engine/base/assert.h"
#include "engine/base/csv.h"
#include "engine/base/fmath.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"

#include <math.h>

static const struct {
    const char *name;
    double shape_min;
} kinds[MR_CLIENT_N_GAPS] = {
#define ROW(id, text, shape_min) {text, shape_min},
    MR_CLIENT_GAPS_LIST(ROW)
#undef ROW
};

/* ---- windows ---- */

enum {
    field_start,
    field_rate,
    field_cv,
    field_gaps,
    field_shape,
    field_scale,
    n_field
};

static const struct mr_csv_options no_header = {.has_no_header = true};

/* Gamma function of x >= 1: by its recurrence up to 10, where four terms of Stirling's series leave
 * 1e-12 of its logarithm. */
static double gamma_of(double x)
{
    const double half_ln_2pi = 0.91893853320467274178;
    double below = 1;
    while (x < 10) {
        below *= x;
        x += 1;
    }
    const double y = 1 / x, y2 = y * y;
    const double series = y * (1.0 / 12 - y2 * (1.0 / 360 - y2 * (1.0 / 1260 - y2 / 1680)));
    return mr_exp((x - 0.5) * mr_log(x) - x + half_ln_2pi + series) / below;
}

static mr_status read_gaps(const struct mr_csv *csv, struct mr_client_window *window,
                           struct mr_err *err)
{
    const struct mr_str name = mr_str_trim(mr_csv_field(csv, field_gaps));
    while (window->gaps < MR_CLIENT_N_GAPS && !mr_str_is(name, kinds[window->gaps].name))
        window->gaps++;
    if (window->gaps == MR_CLIENT_N_GAPS)
        return mr_csv_error(csv, field_gaps, err, MR_SCHEMA,
                            "distribution of gaps: Gamma, Weibull or nothing");
    if (window->gaps == MR_CLIENT_NONE)
        return MR_OK;
    MR_TRY(mr_csv_f64(csv, field_shape, &window->shape, err));
    if (!(window->shape >= kinds[window->gaps].shape_min && window->shape <= 1e3))
        return mr_csv_error(csv, field_shape, err, MR_RANGE, "%g: the shape of %s is %g .. 1000",
                            window->shape, kinds[window->gaps].name, kinds[window->gaps].shape_min);
    window->scale =
        1 / (window->gaps == MR_CLIENT_GAMMA ? window->shape : gamma_of(1 + 1 / window->shape));
    return MR_OK;
}

static mr_status read_window(const struct mr_csv *csv, double after_s,
                             struct mr_client_window *window, struct mr_err *err)
{
    static const double time_max_s = 1e10, rate_max_s = 1e9;
    *window = (struct mr_client_window){0};
    MR_TRY(mr_csv_f64(csv, field_start, &window->start_s, err));
    MR_TRY(mr_csv_f64(csv, field_rate, &window->rate_s, err));
    if (!(window->start_s >= 0 && window->start_s > after_s && window->start_s <= time_max_s))
        return mr_csv_error(csv, field_start, err, MR_RANGE,
                            "a window begins at %g s: 0 .. 1e10, each later than the one above",
                            window->start_s);
    if (!(window->rate_s >= 0 && window->rate_s <= rate_max_s))
        return mr_csv_error(csv, field_rate, err, MR_RANGE, "%g calls per second: 0 .. 1e9",
                            window->rate_s);
    return read_gaps(csv, window, err);
}

static void close_windows(struct mr_client *client)
{
    const size_t n = client->n_window;
    struct mr_client_window *w = client->window;
    for (size_t i = 0; i + 1 < n; i++)
        w[i].end_s = w[i + 1].start_s;
    w[n - 1].end_s = w[n - 1].start_s + (n > 1 ? w[n - 1].start_s - w[n - 2].start_s : 600);
}

static mr_status read_all_windows(struct mr_client *client, struct mr_csv *csv, struct mr_err *err)
{
    struct mr_client_window window;
    size_t cap = 0;
    double after_s = -1, most = 0;
    bool has_row = false;
    mr_status st = mr_csv_next(csv, &has_row, err);
    if (st == MR_OK && has_row && mr_csv_n_field(csv) != n_field)
        st = mr_csv_error(csv, 0, err, MR_SCHEMA,
                          "%zu fields: a window has %d, start_s, rate_s, cv, distribution of gaps "
                          "and its two arguments",
                          mr_csv_n_field(csv), n_field);
    while (st == MR_OK && has_row) {
        st = read_window(csv, after_s, &window, err);
        if (st == MR_OK)
            st = mr_grow(&client->window, &cap, client->n_window + 1, sizeof window, err);
        if (st != MR_OK)
            break;
        client->window[client->n_window++] = window;
        after_s = window.start_s;
        most = fmax(most, window.rate_s);
        st = mr_csv_next(csv, &has_row, err);
    }
    if (st != MR_OK)
        return st;
    if (!(most > 0))
        return mr_err_set(err, MR_RANGE, mr_csv_place(csv, 0),
                          "%zu windows: none has a rate, so no call comes", client->n_window);
    close_windows(client);
    return MR_OK;
}

mr_status mr_client_take_windows(struct mr_client *client, struct mr_gz *take_gz,
                                 struct mr_err *err)
{
    struct mr_csv *csv;
    MR_TRY(mr_csv_create(take_gz, &no_header, &csv, err));
    const mr_status st = read_all_windows(client, csv, err);
    mr_csv_close(csv);
    return st;
}

mr_status mr_client_read_windows(struct mr_client *client, const char *path, struct mr_err *err)
{
    struct mr_gz *gz;
    MR_TRY(mr_gz_open(path, &gz, err));
    return mr_client_take_windows(client, gz, err);
}

double mr_client_rate_s(const struct mr_client *client)
{
    double sum = 0;
    for (size_t i = 0; i < client->n_window; i++)
        sum += client->window[i].rate_s * (client->window[i].end_s - client->window[i].start_s);
    return sum / (client->window[client->n_window - 1].end_s - client->window[0].start_s);
}

/* ---- lengths ---- */

/* One number of a dictionary, with the character that must follow. */
static bool scan(struct mr_str *text, const char *ends, double *value)
{
    *text = mr_str_trim(*text);
    const size_t n = mr_num_scan_f64(text->p, text->n, value);
    if (n == 0)
        return false;
    *text = mr_str_trim((struct mr_str){text->p + n, text->n - n});
    if (text->n == 0 || strchr(ends, text->p[0]) == NULL)
        return false;
    text->p++;
    text->n--;
    return true;
}

/* {tokens: share, ...} as a Python dictionary. Shares need not add up to 1. */
static mr_status read_histogram(struct mr_json *r, struct mr_client_histogram *h,
                                struct mr_err *err)
{
    struct mr_str text;
    double tok = 0, share = 0, sum = 0, last = -1;
    size_t cap_tok = 0, cap_share = 0;
    MR_TRY(mr_json_str(r, &text, err));
    text = mr_str_trim(text);
    if (text.n < 2 || text.p[0] != '{' || text.p[text.n - 1] != '}')
        return mr_json_error(r, err, MR_SCHEMA, "a text like \"{128: 0.25, 512: 0.75}\"");
    text = (struct mr_str){text.p + 1, text.n - 1}; /* the end stays: it ends a number */
    for (; text.n > 1; text = mr_str_trim(text)) {
        if (!scan(&text, ":", &tok) || !scan(&text, ",}", &share))
            return mr_json_error(r, err, MR_SCHEMA, "after %zu lengths: not LENGTH: SHARE", h->n);
        if (!(tok > last && tok <= UINT32_MAX - 1 && floor(tok) == tok))
            return mr_json_error(r, err, MR_RANGE,
                                 "length %g: whole, 0 .. 4294967294, each longer "
                                 "than the one before",
                                 tok);
        if (!(share >= 0 && share <= 1e15))
            return mr_json_error(r, err, MR_RANGE, "length %g: its share is %g", tok, share);
        MR_TRY(mr_grow(&h->tok, &cap_tok, h->n + 1, sizeof *h->tok, err));
        MR_TRY(mr_grow(&h->up_to, &cap_share, h->n + 1, sizeof *h->up_to, err));
        sum += share;
        h->tok[h->n] = (uint32_t)tok;
        h->up_to[h->n++] = sum;
        h->mean_tok += tok * share;
        last = tok;
    }
    if (h->n == 0)
        return MR_OK;
    if (!(sum > 0))
        return mr_json_error(r, err, MR_RANGE, "no length has a share");
    for (size_t i = 0; i < h->n; i++)
        h->up_to[i] /= sum;
    h->mean_tok /= sum;
    return MR_OK;
}

static mr_status read_lengths(struct mr_json *r, struct mr_client_lengths *l, struct mr_err *err)
{
    struct mr_str key;
    bool has_more, has_input = false, has_output = false;
    MR_TRY(mr_json_enter_object(r, err));
    for (;;) {
        MR_TRY(mr_json_key(r, &key, &has_more, err));
        if (!has_more)
            break;
        const bool is_input = mr_str_is(key, "input_tokens");
        bool *const has = is_input ? &has_input : &has_output;
        if (!is_input && !mr_str_is(key, "output_tokens")) {
            MR_TRY(mr_json_skip(r, err));
            continue;
        }
        if (*has)
            return mr_json_error(r, err, MR_SCHEMA, "twice in one window");
        *has = true;
        MR_TRY(read_histogram(r, is_input ? &l->input : &l->output, err));
    }
    if (!has_input || !has_output || (l->input.n > 0) != (l->output.n > 0))
        return mr_json_error(r, err, MR_SCHEMA, "a window needs input_tokens and output_tokens");
    return MR_OK;
}

static mr_status read_document(struct mr_client *client, struct mr_json *r, struct mr_err *err)
{
    struct mr_str key;
    size_t cap = 0;
    double start_s = 0, last_s = -1;
    bool has_more, has_length = false;
    MR_TRY(mr_json_enter_object(r, err));
    for (;;) {
        MR_TRY(mr_json_key(r, &key, &has_more, err));
        if (!has_more)
            break;
        if (mr_num_parse_f64(key, &start_s) != MR_OK || !(start_s >= 0 && start_s > last_s))
            return mr_json_error(r, err, MR_SCHEMA,
                                 "a window is called by the second it begins, each later than the "
                                 "one before");
        MR_TRY(
            mr_grow(&client->lengths, &cap, client->n_lengths + 1, sizeof *client->lengths, err));
        client->lengths[client->n_lengths] = (struct mr_client_lengths){.start_s = start_s};
        MR_TRY(read_lengths(r, &client->lengths[client->n_lengths++], err));
        has_length |= client->lengths[client->n_lengths - 1].input.n > 0;
        last_s = start_s;
    }
    if (!has_length)
        return mr_json_error(r, err, MR_SCHEMA, "no window has lengths");
    return mr_json_end(r, err);
}

mr_status mr_client_take_lengths(struct mr_client *client, struct mr_gz *take_gz,
                                 struct mr_err *err)
{
    struct mr_json *r;
    MR_TRY(mr_json_create(take_gz, NULL, &r, err));
    const mr_status st = read_document(client, r, err);
    mr_json_close(r);
    return st;
}

mr_status mr_client_read_lengths(struct mr_client *client, const char *path, struct mr_err *err)
{
    struct mr_gz *gz;
    MR_TRY(mr_gz_open(path, &gz, err));
    return mr_client_take_lengths(client, gz, err);
}

void mr_client_fini(struct mr_client *client)
{
    for (size_t i = 0; i < client->n_lengths; i++) {
        mr_free(client->lengths[i].input.tok);
        mr_free(client->lengths[i].input.up_to);
        mr_free(client->lengths[i].output.tok);
        mr_free(client->lengths[i].output.up_to);
    }
    mr_free(client->lengths);
    mr_free(client->window);
    *client = (struct mr_client){0};
}

/* ---- what a file is ---- */

bool mr_client_is_windows(const char *path)
{
    struct mr_csv *csv = NULL;
    struct mr_client_window window;
    struct mr_err err = {0};
    bool has_row = false;
    if (mr_csv_open(path, &no_header, &csv, &err) != MR_OK)
        return false;
    const bool is = mr_csv_next(csv, &has_row, &err) == MR_OK && has_row &&
                    mr_csv_n_field(csv) == n_field && read_window(csv, -1, &window, &err) == MR_OK;
    mr_csv_close(csv);
    return is;
}

bool mr_client_is_lengths(const char *path)
{
    struct mr_json *r = NULL;
    struct mr_err err = {0};
    struct mr_str key;
    double start_s = 0;
    bool has_more = false;
    if (mr_json_open(path, NULL, &r, &err) != MR_OK)
        return false;
    const bool is = mr_json_enter_object(r, &err) == MR_OK &&
                    mr_json_key(r, &key, &has_more, &err) == MR_OK && has_more &&
                    mr_num_parse_f64(key, &start_s) == MR_OK;
    mr_json_close(r);
    return is;
}

/* ---- calls ---- */

struct mr_client_walk mr_client_start(uint64_t seed, uint64_t number, double factor)
{
    MR_ASSERT(factor > 0);
    return (struct mr_client_walk){.gap = mr_rng_stream(seed, MR_RNG_ARRIVAL, number),
                                   .length = mr_rng_stream(seed, MR_RNG_LENGTH, number),
                                   .factor = factor};
}

/* With mean 1. The first of a window is in equilibrium: the gap that covers a random date is
 * longer, in proportion to its length, and what is left of it is a uniform share. A gamma variable
 * of shape k weighted by its length is one of shape k + 1. Of a Weibull variable x = scale y^(1/k)
 * with density e^-y, weighting by x gives y the density y^(1/k) e^-y: gamma of shape 1 + 1/k. An
 * exponential gap has no memory. */
static double draw_gap(const struct mr_client_window *w, bool is_first, struct mr_rng *rng)
{
    if (w->gaps == MR_CLIENT_NONE)
        return mr_rng_exponential(rng, 1);
    if (w->gaps == MR_CLIENT_GAMMA)
        return is_first ? mr_rng_f64(rng) * mr_rng_gamma(rng, w->shape + 1, w->scale)
                        : mr_rng_gamma(rng, w->shape, w->scale);
    if (!is_first)
        return mr_rng_weibull(rng, w->shape, w->scale);
    const double share = mr_rng_f64(rng), y = mr_rng_gamma(rng, 1 + 1 / w->shape, 1);
    return share * w->scale * mr_pow(y, 1 / w->shape);
}

static uint32_t draw_length(const struct mr_client_histogram *h, struct mr_rng *rng)
{
    const double u = mr_rng_f64(rng);
    size_t low = 0, high = h->n - 1; /* the first with u < up_to */
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (u < h->up_to[mid])
            high = mid;
        else
            low = mid + 1;
    }
    return h->tok[low] > 0 ? h->tok[low] : 1;
}

static const struct mr_client_lengths *lengths_at(const struct mr_client *client, double at_s)
{
    const struct mr_client_lengths *l = client->lengths, *found = NULL;
    for (; l < client->lengths + client->n_lengths; l++)
        if (l->input.n > 0 && (found == NULL || l->start_s <= at_s))
            found = l;
    return found;
}

bool mr_client_next(const struct mr_client *client, struct mr_client_walk *walk)
{
    for (; walk->window < client->n_window; walk->window++, walk->is_inside = false) {
        const struct mr_client_window *w = client->window + walk->window;
        const double rate_s = w->rate_s * walk->factor;
        if (!(rate_s > 0))
            continue;
        const double gap = draw_gap(w, !walk->is_inside, &walk->gap);
        const double at_s = (walk->is_inside ? walk->at_s : w->start_s) + gap / rate_s;
        if (at_s >= w->end_s)
            continue;
        walk->at_s = at_s;
        walk->is_inside = true;
        return true;
    }
    return false;
}

void mr_client_draw_lengths(const struct mr_client *client, struct mr_client_walk *walk,
                            double at_s, uint32_t *n_input, uint32_t *n_output)
{
    const struct mr_client_lengths *l = lengths_at(client, at_s);
    *n_input = draw_length(&l->input, &walk->length);
    *n_output = draw_length(&l->output, &walk->length);
}
