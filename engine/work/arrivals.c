/* SPDX-License-Identifier: Apache-2.0 */
/* Files are read by trace.h; what is judged here is what calls mean to a run. Drawn calls have
 * streams of their own for arrivals and for lengths, so that another rate does not change the
 * lengths. */
#include "engine/work/arrivals.h"

#include "engine/base/fmath.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "engine/work/client.h"

#include <math.h>
#include <string.h>

static const char *const bads[] = {"error", "skip", "clip"};
static const char *const longs[] = {"refuse", "clip", "error"};
static const char *const models[] = {"served", "any"};
static const char *const origins[] = {"auto", "zero", "first"};
static const char go_on[] = " (bad_rows=\"skip\" or \"clip\" go on)";

// clang-format off
#define S struct mr_arrivals_spec
static const struct mr_param rows[] = {
    MR_PARAM_STR(S, file, "file", NULL, "CSV with arrived_s, input, output, and if there session, tier, model; Azure's, BurstGPT's, Mooncake's or any other format of single calls, plain or gzip; not given: drawn"),
    MR_PARAM_STR(S, format, "format", NULL, "Format of the file, as millrace trace names it; not given: by its content"),
    MR_PARAM(S, speed, "speed", MR_Q_COUNT, "1", 1e-6, 1e6, "Recorded arrivals are this many times faster"),
    MR_PARAM(S, window_s, "window", MR_Q_TIME, "60 s", 0, 1e6, "Rows of a file may stand so much recorded time behind later ones, no more than 32,768 rows: they come in the order of their times"),
    MR_PARAM_ONE_OF(S, origin, "origin", origins, "auto", "What recorded times count from: zero, the first call, or (auto) the first call where its time is 1e8 s and more, a date"),
    MR_PARAM(S, rate_s, "rate", MR_Q_RATE, "1 req/s", 1e-9, 1e9, "Mean arrivals of drawn calls, a Poisson process"),
    MR_PARAM_STR(S, windows, "windows", NULL, "Rates and gaps of drawn calls over time, instead of a rate: a client's table as ServeGen publishes it, CSV with start_s, rate, cv, Gamma or Weibull and two arguments; calls end with its last window"),
    MR_PARAM(S, factor, "factor", MR_Q_COUNT, "1", 1e-9, 1e9, "Rates of the windows are this many times higher"),
    MR_PARAM_STR(S, lengths, "lengths", NULL, "Prompts and outputs of drawn calls, instead of medians: histograms over time as ServeGen publishes them, JSON"),
    MR_PARAM(S, input_tok, "input", MR_Q_TOKENS, "1024 tok", 1, 1e8, "Median of drawn prompts' tokens"),
    MR_PARAM(S, output_tok, "output", MR_Q_TOKENS, "256 tok", 1, 1e8, "Median of drawn outputs' tokens"),
    MR_PARAM(S, input_spread, "input_spread", MR_Q_COUNT, "0", 0, 5, "Sigma of the lognormal prompts; 0: all equal"),
    MR_PARAM(S, output_spread, "output_spread", MR_Q_COUNT, "0", 0, 5, "Sigma of the lognormal outputs; 0: all equal"),
    MR_PARAM(S, prefix_tok, "prefix", MR_Q_TOKENS, "0 tok", 0, 1e8, "Tokens at the beginning of every prompt that all sessions share"),
    MR_PARAM_N(S, n_call, "calls", "0", 0, 4000000000, "Most calls of the workload; 0: no limit"),
    MR_PARAM_N(S, length_max, "length_max", "0", 0, 4000000000, "Prompts are cut so that prompt and output do not exceed it; 0: not"),
    MR_PARAM_N(S, n_hash_tok, "hash_block", "0", 0, 1048576, "Tokens that a hash id of a trace stands for; 0: what its format says, Mooncake 512"),
    MR_PARAM_ONE_OF(S, bad, "bad_rows", bads, "error", "Rows with times out of order by more than the window, lengths below 0 or beyond 4e9, other models: an error; left out; or set to the nearest value. Counted"),
    MR_PARAM_ONE_OF(S, models, "models", models, "served", "Rows that name another model than the deployment's: bad rows, or played all the same"),
    MR_PARAM_ONE_OF(S, longer, "over_context", longs, "refuse", "Calls beyond the longest context: refused, cut to it, or an error"),
};
#undef S
// clang-format on

const struct mr_param_table mr_arrivals_table = {
    "workload", "Calls that arrive whatever becomes of those before.", rows,
    sizeof rows / sizeof *rows};

/* A place in the ring of calls that were read. Buffers stay with places, or change them as wholes.
 */
struct ahead {
    struct mr_arrival call;
    uint64_t *hash;
    size_t cap_hash;
    bool is_cut; /* it is counted as clipped */
};

struct mr_arrivals_source {
    struct mr_arrivals_spec spec;
    struct mr_arrivals_served served;
    struct mr_trace *trace; /* NULL: drawn */
    struct mr_session session;
    struct ahead *ring; /* from `first` on in order of time; sizes are powers of two */
    size_t cap_ring, first, n_ring;
    struct ahead at_hand;             /* the call that is read, later the one that is told */
    bool is_read;                     /* to its end */
    struct mr_arrivals_counts counts; /* beside the trace's own */
    struct mr_rng arrival, length;
    struct mr_client client; /* without windows and lengths: not one */
    struct mr_client_walk walk;
    double last_s, origin_s;
    uint64_t n_call;
    bool has_origin;
};

/* ---- life ---- */

static mr_status create(const struct mr_arrivals_spec *spec, uint64_t seed,
                        const struct mr_arrivals_served *served, struct mr_arrivals_source **out,
                        struct mr_err *err)
{
    struct mr_arrivals_source *source = mr_alloc_zero(1, sizeof *source);
    *out = source;
    if (source == NULL) {
        (void)mr_err_nomem(err, sizeof *source);
        return MR_NOMEM;
    }
    source->spec = *spec;
    if (served != NULL)
        source->served = *served;
    source->arrival = mr_rng_stream(seed, MR_RNG_ARRIVAL, 0);
    source->length = mr_rng_stream(seed, MR_RNG_LENGTH, 0);
    return MR_OK;
}

static struct mr_trace_options options_of(const struct mr_arrivals_spec *spec)
{
    return (struct mr_trace_options){.format = spec->format,
                                     .block_tok = (uint32_t)spec->n_hash_tok,
                                     .is_single = true,
                                     .bad = spec->bad,
                                     .bad_hint = go_on};
}

static mr_status finish(struct mr_arrivals_source **out, mr_status st)
{
    if (st == MR_OK)
        return st;
    mr_arrivals_close(*out);
    *out = NULL;
    return st;
}

/* Calls that are drawn as those of a client, if they are. */
static mr_status open_client(struct mr_arrivals_source *source, uint64_t seed, struct mr_err *err)
{
    const struct mr_arrivals_spec *spec = &source->spec;
    if (spec->windows == NULL && spec->lengths == NULL)
        return MR_OK;
    source->walk = mr_client_start(seed, 0, spec->factor);
    if (spec->windows != NULL)
        MR_TRY(mr_client_read_windows(&source->client, spec->windows, err));
    return spec->lengths != NULL ? mr_client_read_lengths(&source->client, spec->lengths, err)
                                 : MR_OK;
}

mr_status mr_arrivals_open(const struct mr_arrivals_spec *spec, uint64_t seed,
                           const struct mr_arrivals_served *served, struct mr_arrivals_source **out,
                           struct mr_err *err)
{
    const struct mr_trace_options options = options_of(spec);
    MR_TRY(create(spec, seed, served, out, err));
    return finish(out, spec->file != NULL ? mr_trace_open(spec->file, &options, &(*out)->trace, err)
                                          : open_client(*out, seed, err));
}

mr_status mr_arrivals_open_memory(const void *bytes, size_t n, const char *name,
                                  const struct mr_arrivals_spec *spec,
                                  const struct mr_arrivals_served *served,
                                  struct mr_arrivals_source **out, struct mr_err *err)
{
    const struct mr_trace_options options = options_of(spec);
    MR_TRY(create(spec, 0, served, out, err));
    return finish(out, mr_trace_open_memory(bytes, n, name, &options, &(*out)->trace, err));
}

void mr_arrivals_close(struct mr_arrivals_source *source)
{
    if (source == NULL)
        return;
    mr_trace_close(source->trace);
    mr_client_fini(&source->client);
    mr_session_fini(&source->session);
    for (size_t i = 0; i < source->cap_ring; i++)
        mr_free(source->ring[i].hash);
    mr_free(source->ring);
    mr_free(source->at_hand.hash);
    mr_free(source);
}

/* ---- recorded ---- */

/* Bad: it is told, or the row is left out, or its value mended by the caller. */
static mr_status judge(struct mr_arrivals_source *source, double value, bool *is_played,
                       const char *what, struct mr_err *err)
{
    if (source->spec.bad == MR_TRACE_BAD_ERROR)
        return mr_err_set(err, MR_RANGE, mr_trace_place(source->trace), "%g %s%s", value, what,
                          go_on);
    *is_played &= source->spec.bad != MR_TRACE_BAD_SKIP;
    return MR_OK;
}

/* Three years and more: no run's own time, but seconds since 1970 or so. */
static void find_origin(struct mr_arrivals_source *source, double recorded_s)
{
    static const double date_s = 1e8, time_max_s = 1e10;
    const int origin = source->spec.origin;
    if (source->has_origin)
        return;
    source->has_origin = true;
    if (recorded_s <= time_max_s && (origin == MR_ARRIVALS_ORIGIN_FIRST ||
                                     (origin == MR_ARRIVALS_ORIGIN_AUTO && recorded_s >= date_s)))
        source->origin_s = recorded_s;
}

/* Times never go back before what has been told. */
static mr_status take_time(struct mr_arrivals_source *source, double recorded_s, double *at_s,
                           bool *is_played, bool *is_clipped, struct mr_err *err)
{
    static const double time_max_s = 1e10; /* as of a run's end */
    if (isnan(recorded_s))
        return mr_err_set(err, MR_SCHEMA, mr_trace_place(source->trace),
                          "a call has no time: an open loop needs all of them");
    find_origin(source, recorded_s);
    *at_s = (recorded_s - source->origin_s) / source->spec.speed;
    if (*at_s >= source->last_s && *at_s <= time_max_s)
        return MR_OK;
    if (!*is_clipped)
        MR_TRY(judge(source, recorded_s, is_played,
                     *at_s > time_max_s ? "s is too late for a run"
                                        : "s is before calls that have come: sort the file by "
                                          "time, or widen the window",
                     err));
    *at_s = source->last_s;
    *is_clipped = true;
    return MR_OK;
}

static mr_status take_model(struct mr_arrivals_source *source, uint32_t model, bool *is_played,
                            struct mr_err *err)
{
    const char *own = mr_intern_text(&mr_trace_book(source->trace)->model, model);
    const char *served = source->served.model;
    char quoted[MR_QUOTE_CAP];
    if (served == NULL || source->spec.models == MR_ARRIVALS_MODELS_ANY ||
        strcmp(own, "default") == 0 || strcmp(own, served) == 0)
        return MR_OK;
    *is_played = false;
    if (source->spec.bad != MR_TRACE_BAD_ERROR)
        return MR_OK;
    return mr_err_set(err, MR_REF, mr_trace_place(source->trace),
                      "model \"%s\": \"%s\" is served (models=\"any\" plays it all the same, "
                      "bad_rows=\"skip\" leaves it out)",
                      mr_text_quote(mr_str_of(own), quoted), served);
}

/* By its name, else by its number. */
static mr_status take_tier(struct mr_arrivals_source *source, uint32_t tier, uint8_t *i,
                           struct mr_err *err)
{
    const struct mr_arrivals_served *served = &source->served;
    const size_t n = served->n_tier > 0 ? served->n_tier : 256;
    uint64_t number = 0;
    *i = 0;
    if (tier == MR_SESSION_NONE)
        return MR_OK;
    const struct mr_str name = mr_intern_str(&mr_trace_book(source->trace)->tier, tier);
    while (number < served->n_tier && !mr_str_is(name, served->tier[number]))
        number++;
    if (number == served->n_tier && (mr_num_parse_u64(name, &number) != MR_OK || number >= n)) {
        char quoted[MR_QUOTE_CAP];
        return mr_err_set(err, MR_REF, mr_trace_place(source->trace),
                          "there is no tier \"%s\": a name, or a number up to %zu",
                          mr_text_quote(name, quoted), n - 1);
    }
    *i = (uint8_t)number;
    return MR_OK;
}

static mr_status take_session(struct mr_arrivals_source *source, struct mr_arrival *call,
                              struct mr_err *err)
{
    const struct mr_session *session = &source->session;
    const char *id = mr_session_text(session, session->head.id);
    uint64_t number = source->n_call;
    call->is_alone = id == NULL;
    if (id != NULL &&
        (mr_num_parse_u64(mr_str_of(id), &number) != MR_OK || number > UINT32_MAX - 1))
        return mr_err_set(err, MR_RANGE, mr_trace_place(source->trace),
                          "session: a number from 0 to 4294967294");
    call->session = (uint32_t)number;
    return MR_OK;
}

/* Ids of blocks that mean the same in other calls. */
static mr_status take_hashes(struct mr_arrivals_source *source, struct mr_arrival *call,
                             struct mr_err *err)
{
    const struct mr_session *session = &source->session;
    size_t n = 0;
    for (size_t r = 0; r < session->n_run && mr_arrivals_hash_tok(source) > 0; r++) {
        const struct mr_session_run *run = &session->run[r];
        if (run->is_minted)
            break;
        struct ahead *own = &source->at_hand;
        MR_TRY(mr_grow(&own->hash, &own->cap_hash, n + run->n, sizeof *own->hash, err));
        for (uint32_t i = 0; i < run->n; i++)
            own->hash[n++] = run->id + i;
    }
    call->n_hash = n;
    return MR_OK;
}

static mr_status take_session_call(struct mr_arrivals_source *source, struct mr_arrival *call,
                                   bool is_cut, bool *is_played, struct mr_err *err)
{
    const struct mr_session *session = &source->session;
    if (session->n_llm != 1 || session->n_node != 1)
        return mr_err_set(err, MR_SCHEMA, mr_trace_place(source->trace),
                          "a session of %zu calls: calls of a session wait for those before them, "
                          "here calls come whatever becomes of those before (<agents> plays it)",
                          session->n_llm);
    const struct mr_session_llm *llm = &session->llm[0];
    *is_played = true;
    MR_TRY(take_model(source, llm->model, is_played, err));
    MR_TRY(take_time(source, session->head.arrival_s, &call->arrived_s, is_played, &is_cut, err));
    MR_TRY(take_tier(source, session->head.tier, &call->tier, err));
    MR_TRY(take_session(source, call, err));
    if (!*is_played) {
        source->counts.n_skipped++;
        return MR_OK;
    }
    source->counts.n_clipped += is_cut ? 1 : 0;
    source->at_hand.is_cut = is_cut;
    source->counts.n_empty += llm->n_input == 0 || llm->n_output == 0 ? 1 : 0;
    call->n_input = llm->n_input > 0 ? llm->n_input : 1;
    call->n_output = llm->n_output > 0 ? llm->n_output : 1;
    return take_hashes(source, call, err);
}

static mr_status read_call(struct mr_arrivals_source *source, struct mr_arrival *call,
                           bool *has_call, struct mr_err *err)
{
    const struct mr_trace_counts *counts = mr_trace_counted(source->trace);
    for (bool is_played = false; !is_played;) {
        const uint64_t n_cut = counts->cut_row + counts->clipped_input;
        MR_TRY(mr_trace_next(source->trace, &source->session, has_call, err));
        if (!*has_call)
            return MR_OK;
        MR_TRY(take_session_call(source, call, counts->cut_row + counts->clipped_input > n_cut,
                                 &is_played, err));
    }
    const uint64_t n = (uint64_t)call->n_input + call->n_output, most = source->served.context_max;
    if (source->spec.longer != MR_ARRIVALS_LONG_ERROR || most == 0 || n <= most)
        return MR_OK;
    return mr_err_set(err, MR_RANGE, mr_trace_place(source->trace),
                      "%llu tokens: the longest context is %llu (over_context=\"refuse\" or "
                      "\"clip\" go on)",
                      (unsigned long long)n, (unsigned long long)most);
}

static void swap(struct ahead *a, struct ahead *b)
{
    const struct ahead own = *a;
    *a = *b;
    *b = own;
}

static mr_status widen(struct mr_arrivals_source *source, struct mr_err *err)
{
    const size_t n = source->cap_ring > 0 ? 2 * source->cap_ring : 16;
    struct ahead *ring = mr_alloc_zero(n, sizeof *ring);
    if (ring == NULL)
        return mr_err_nomem(err, n * sizeof *ring);
    for (size_t i = 0; i < source->n_ring; i++)
        ring[i] = source->ring[(source->first + i) & (source->cap_ring - 1)];
    mr_free(source->ring);
    source->ring = ring;
    source->cap_ring = n;
    source->first = 0;
    return MR_OK;
}

/* The call at hand, behind all that are not later. */
static mr_status put(struct mr_arrivals_source *source, struct mr_err *err)
{
    if (source->n_ring == source->cap_ring)
        MR_TRY(widen(source, err));
    const size_t mask = source->cap_ring - 1;
    size_t i = source->first + source->n_ring++;
    swap(&source->ring[i & mask], &source->at_hand);
    for (; i > source->first &&
           source->ring[(i - 1) & mask].call.arrived_s > source->ring[i & mask].call.arrived_s;
         i--)
        swap(&source->ring[(i - 1) & mask], &source->ring[i & mask]);
    return MR_OK;
}

/* Is the first one of the ring first of all, as far as the window goes? */
static bool is_first(const struct mr_arrivals_source *source)
{
    const size_t mask = source->cap_ring - 1;
    if (source->is_read || source->n_ring == MR_ARRIVALS_AHEAD)
        return true;
    return source->n_ring > 0 &&
           (source->ring[(source->first + source->n_ring - 1) & mask].call.arrived_s -
            source->ring[source->first & mask].call.arrived_s) *
                   source->spec.speed >=
               source->spec.window_s;
}

/* The next call of a file in the order of time. */
static mr_status take_first(struct mr_arrivals_source *source, struct mr_arrival *call,
                            bool *has_call, struct mr_err *err)
{
    while (!is_first(source)) {
        bool has_row;
        MR_TRY(read_call(source, &source->at_hand.call, &has_row, err));
        source->is_read = !has_row;
        if (has_row)
            MR_TRY(put(source, err));
    }
    *has_call = source->n_ring > 0;
    if (!*has_call)
        return MR_OK;
    swap(&source->at_hand, &source->ring[source->first & (source->cap_ring - 1)]);
    source->first++;
    source->n_ring--;
    *call = source->at_hand.call;
    call->hash = source->at_hand.hash;
    if (call->is_alone)
        call->session = (uint32_t)source->n_call;
    return MR_OK;
}

/* ---- drawn ---- */

static uint32_t draw_tokens(struct mr_arrivals_source *source, double median, double spread)
{
    const double normal = mr_rng_normal(&source->length);
    const double x = spread > 0 ? median * mr_exp(spread * normal) : median;
    return (uint32_t)fmin(4e9, fmax(1, floor(x + 0.5)));
}

/* @return false: after a client's last window */
static bool draw(struct mr_arrivals_source *source, struct mr_arrival *call)
{
    const struct mr_arrivals_spec *spec = &source->spec;
    const struct mr_client *client = &source->client;
    if (client->n_window == 0)
        call->arrived_s = source->last_s + mr_rng_exponential(&source->arrival, 1 / spec->rate_s);
    else if (mr_client_next(client, &source->walk))
        call->arrived_s = source->walk.at_s / spec->speed;
    else
        return false;
    if (client->n_lengths > 0) {
        mr_client_draw_lengths(client, &source->walk, call->arrived_s * spec->speed, &call->n_input,
                               &call->n_output);
    } else {
        call->n_input = draw_tokens(source, spec->input_tok, spec->input_spread);
        call->n_output = draw_tokens(source, spec->output_tok, spec->output_spread);
    }
    call->session = (uint32_t)source->n_call;
    call->tier = 0;
    call->is_alone = true;
    call->n_hash = 0;
    return true;
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
    if (*has_call && source->trace != NULL)
        MR_TRY(take_first(source, call, has_call, err));
    else if (*has_call)
        *has_call = draw(source, call);
    if (!*has_call)
        return MR_OK;
    if (spec->length_max > 0 && (uint64_t)call->n_input + call->n_output > spec->length_max)
        cut(call, spec->length_max);
    if (spec->longer == MR_ARRIVALS_LONG_CLIP && source->served.context_max > 0 &&
        (uint64_t)call->n_input + call->n_output > source->served.context_max) {
        cut(call, source->served.context_max);
        source->counts.n_clipped += source->at_hand.is_cut ? 0 : 1;
    }
    source->last_s = call->arrived_s;
    source->n_call++;
    return MR_OK;
}

double mr_arrivals_origin_s(const struct mr_arrivals_source *source)
{
    return source->origin_s;
}

uint32_t mr_arrivals_hash_tok(const struct mr_arrivals_source *source)
{
    const struct mr_session_book *book =
        source->trace != NULL ? mr_trace_book(source->trace) : NULL;
    return book != NULL && book->is_global ? book->block_tok : 0;
}

struct mr_arrivals_counts mr_arrivals_counted(const struct mr_arrivals_source *source)
{
    struct mr_arrivals_counts counts = source->counts;
    if (source->trace != NULL)
        counts.n_skipped += mr_trace_counted(source->trace)->bad_row;
    return counts;
}
