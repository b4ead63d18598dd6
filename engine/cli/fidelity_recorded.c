/* SPDX-License-Identifier: Apache-2.0 */
/* Chunked prefill by the rules of vllm1, steps from the layer profile, blocks as the engine had
 * them; where those were not recorded, as many as its largest batch can need. Its prefix cache is
 * left out: these requests share nothing. Parts: reading - playing - telling. */
#include "engine/cli/fidelity_recorded.h"

#include "engine/base/json.h"
#include "engine/base/jsonw.h"
#include "engine/base/mem.h"
#include "engine/base/shelf.h"
#include "engine/serve/cell.h"
#include "engine/serve/policy.h"
#include "models/profile_fit.h"

#include <math.h>
#include <stdlib.h>

struct request {
    double queued_s, first_s, last_s;    /* recorded */
    double played_first_s, played_end_s; /* from queued_s of the first one on */
    uint64_t n_input, n_output;
};

/* Not said: 0. */
struct engine {
    uint64_t batch_max, token_max, n_tp, n_block, block_tokens;
};

struct recording {
    const char *folder;
    struct request *request;
    size_t n, cap;
    struct engine engine;
    struct mr_profile *profile;
    bool has_blocks; /* recorded */
    uint64_t n_restart;
};

/* ---- reading ---- */

static mr_status open_json(const char *folder, const char *name, struct mr_json **json,
                           struct mr_err *err)
{
    struct mr_buf path = {0};
    mr_buf_printf(&path, "%s/%s", folder, name);
    mr_status st = mr_buf_check(&path, err);
    if (st == MR_OK)
        st = mr_json_open(path.text, NULL, json, err);
    mr_buf_fini(&path);
    return st;
}

static mr_status read_request(struct mr_json *json, struct request *request, struct mr_err *err)
{
    const struct {
        const char *key;
        double *to_s;
        uint64_t *to;
    } fields[] = {{"queued_ts", &request->queued_s, NULL},
                  {"first_token_ts", &request->first_s, NULL},
                  {"last_token_ts", &request->last_s, NULL},
                  {"input_toks", NULL, &request->n_input},
                  {"output_toks", NULL, &request->n_output}};
    enum {
        n_field = sizeof fields / sizeof *fields
    };
    unsigned seen = 0;
    MR_TRY(mr_json_enter_object(json, err));
    for (;;) {
        struct mr_str key;
        bool has_more = false;
        size_t i = 0;
        MR_TRY(mr_json_key(json, &key, &has_more, err));
        if (!has_more)
            break;
        while (i < n_field && !mr_str_is(key, fields[i].key))
            i++;
        if (i == n_field)
            MR_TRY(mr_json_skip(json, err));
        else if (fields[i].to_s != NULL)
            MR_TRY(mr_json_f64(json, fields[i].to_s, err));
        else
            MR_TRY(mr_json_u64(json, fields[i].to, err));
        seen |= i < n_field ? 1u << i : 0;
    }
    if (seen != (1u << n_field) - 1)
        return mr_json_error(json, err, MR_SCHEMA,
                             "a request needs queued_ts, first_token_ts, last_token_ts, "
                             "input_toks and output_toks");
    if (request->n_input == 0 || request->n_output == 0 || request->n_input > UINT32_MAX / 2 ||
        request->n_output > UINT32_MAX / 2 || !(request->queued_s <= request->first_s) ||
        !(request->first_s <= request->last_s))
        return mr_json_error(json, err, MR_RANGE, "lengths above 0 and times in order are needed");
    return MR_OK;
}

static int by_time(const void *a, const void *b)
{
    const double x = ((const struct request *)a)->queued_s;
    const double y = ((const struct request *)b)->queued_s;
    return (x > y) - (x < y);
}

static mr_status read_requests(struct recording *recording, struct mr_err *err)
{
    struct mr_json *json = NULL;
    MR_TRY(open_json(recording->folder, "requests.jsonl", &json, err));
    bool has_more = true;
    mr_status st = MR_OK;
    while (st == MR_OK) {
        st = mr_json_document(json, &has_more, err);
        if (st != MR_OK || !has_more)
            break;
        st = mr_grow(&recording->request, &recording->cap, recording->n + 1,
                     sizeof *recording->request, err);
        if (st == MR_OK) {
            recording->request[recording->n] = (struct request){0};
            st = read_request(json, &recording->request[recording->n++], err);
        }
    }
    if (st == MR_OK && recording->n == 0)
        st = mr_err_set(err, MR_SCHEMA, mr_json_place(json), "no requests");
    mr_json_close(json);
    if (st == MR_OK && recording->request != NULL)
        qsort(recording->request, recording->n, sizeof *recording->request, by_time);
    return st;
}

/* Members of an object, or of one in it; null is not said. */
static mr_status read_engine(struct mr_json *json, struct engine *engine, struct mr_err *err)
{
    const struct {
        const char *key;
        uint64_t *to; /* NULL: an object of such members */
    } fields[] = {{"engine_kwargs", NULL},
                  {"kv_cache", NULL},
                  {"max_num_seqs", &engine->batch_max},
                  {"max_num_batched_tokens", &engine->token_max},
                  {"tensor_parallel_size", &engine->n_tp},
                  {"num_gpu_blocks", &engine->n_block},
                  {"block_size", &engine->block_tokens}};
    enum {
        n_field = sizeof fields / sizeof *fields
    };
    int depth = 1;
    MR_TRY(mr_json_enter_object(json, err));
    while (depth > 0) {
        struct mr_str key;
        bool has_more = false, is_null = false;
        size_t i = 0;
        MR_TRY(mr_json_key(json, &key, &has_more, err));
        if (!has_more) {
            depth--;
            continue;
        }
        while (i < n_field && !mr_str_is(key, fields[i].key))
            i++;
        MR_TRY(i < n_field ? mr_json_null(json, &is_null, err) : mr_json_skip(json, err));
        if (i == n_field || is_null)
            continue;
        if (fields[i].to != NULL) {
            MR_TRY(mr_json_u64(json, fields[i].to, err));
        } else {
            MR_TRY(mr_json_enter_object(json, err));
            depth++;
        }
    }
    return MR_OK;
}

static mr_status read_meta(struct recording *recording, struct mr_err *err)
{
    struct engine *engine = &recording->engine;
    struct mr_json *json = NULL;
    bool has_more = false;
    uint64_t most = 0;
    engine->block_tokens = 16;
    MR_TRY(open_json(recording->folder, "meta.json", &json, err));
    mr_status st = mr_json_document(json, &has_more, err);
    if (st == MR_OK && has_more)
        st = read_engine(json, engine, err);
    if (st == MR_OK && (engine->batch_max == 0 || engine->token_max == 0 ||
                        engine->batch_max > UINT32_MAX || engine->token_max > UINT32_MAX))
        st = mr_json_error(json, err, MR_SCHEMA,
                           "max_num_seqs and max_num_batched_tokens are needed, above 0");
    mr_json_close(json);
    MR_TRY(st);
    if (engine->block_tokens == 0)
        return mr_err_set(err, MR_RANGE, (struct mr_place){recording->folder, 0, 0},
                          "meta.json: block_size must be above 0");
    engine->n_tp = engine->n_tp > 0 ? engine->n_tp : 1;
    recording->has_blocks = engine->n_block > 0;
    for (size_t i = 0; i < recording->n; i++) {
        const uint64_t n = recording->request[i].n_input + recording->request[i].n_output;
        most = n > most ? n : most;
    }
    if (!recording->has_blocks)
        engine->n_block = engine->batch_max * (most / engine->block_tokens + 2);
    return MR_OK;
}

/* Layers of the model that the profiler's notes name. */
static mr_status layers_of(const char *folder, struct mr_shelf *shelf, double *n_layer,
                           struct mr_err *err)
{
    struct mr_buf model = {0};
    struct mr_diags diags = {0};
    const struct mr_place at = {folder, 0, 0};
    const struct mr_card *card = NULL;
    MR_TRY(mr_profile_fit_model(folder, &model, err));
    if (model.text != NULL)
        card = mr_shelf_card(shelf, &mr_llm_kind, model.text, at, &diags);
    mr_buf_fini(&model);
    if (card == NULL)
        return mr_err_set(err, MR_REF, at, "%s",
                          diags.n_item > 0 ? diags.item[0].err.text
                                           : "no profile_meta.yaml names the model");
    *n_layer = (double)mr_llm_of(card)->n_layer;
    return MR_OK;
}

static mr_status fit_profile(struct recording *recording, struct mr_shelf *shelf,
                             struct mr_err *err)
{
    struct mr_buf folder = {0};
    struct mr_profile_fit fit = {0};
    struct mr_profile_fit_options options = {.holdout_frac = 0};
    mr_buf_printf(&folder, "%s/profile/tp%llu", recording->folder,
                  (unsigned long long)recording->engine.n_tp);
    mr_status st = mr_buf_check(&folder, err);
    if (st == MR_OK)
        st = layers_of(folder.text, shelf, &options.n_layer, err);
    if (st == MR_OK)
        st = mr_profile_fit_folder(folder.text, &options, &fit, err);
    if (st == MR_OK)
        st = mr_profile_create(&fit.card, fit.point, fit.n_point, &recording->profile, err);
    mr_profile_fit_fini(&fit);
    mr_buf_fini(&folder);
    return st;
}

/* ---- playing ---- */

static void finished(void *context, const struct mr_ticket *ticket, const struct mr_call *call,
                     double now_s)
{
    struct recording *recording = context;
    struct request *request = &recording->request[ticket->id];
    request->played_first_s = call->first_s;
    request->played_end_s = now_s;
    recording->n_restart += call->n_restart;
}

static void refused(void *context, const struct mr_ticket *ticket, double now_s,
                    enum mr_cell_refusal why)
{
    struct recording *recording = context;
    (void)now_s, (void)why;
    recording->request[ticket->id].played_first_s = (double)NAN;
}

static mr_status play_calls(struct recording *recording, struct mr_cell *cell, struct mr_err *err)
{
    const double start_s = recording->request[0].queued_s;
    for (size_t i = 0; i < recording->n; i++) {
        const struct request *request = &recording->request[i];
        const struct mr_ticket ticket = {.id = i,
                                         .n_prompt = (uint32_t)request->n_input,
                                         .n_output = (uint32_t)request->n_output,
                                         .is_alone = true};
        MR_TRY(mr_cell_play(cell, request->queued_s - start_s, err));
        MR_TRY(mr_cell_arrive(cell, &ticket, request->queued_s - start_s, err));
        const unsigned long long n_token = request->n_input + request->n_output;
        if (isnan(request->played_first_s))
            return mr_err_set(err, MR_RANGE, (struct mr_place){recording->folder, 0, 0},
                              "a request of %llu tokens does not fit into %llu blocks of %llu",
                              n_token, (unsigned long long)recording->engine.n_block,
                              (unsigned long long)recording->engine.block_tokens);
    }
    return mr_cell_play(cell, (double)INFINITY, err);
}

static mr_status play(struct recording *recording, struct mr_err *err)
{
    const struct engine *engine = &recording->engine;
    const struct mr_serving serving = {.policy = &mr_policy_vllm1,
                                       .pricer = {.profile = recording->profile},
                                       .batch_max = (uint32_t)engine->batch_max,
                                       .token_max = (uint32_t)engine->token_max,
                                       .block_tokens = (uint32_t)engine->block_tokens,
                                       .n_block = engine->n_block};
    const struct mr_cell_plan plan = {
        .serving = &serving, .n_instance = 1, .router = MR_ROUTER_ROUND};
    struct mr_cell cell;
    MR_TRY(mr_instance_check(&serving, err));
    MR_TRY(mr_cell_init(&cell, &plan, &(struct mr_cell_sink){finished, refused, recording}, err));
    const mr_status st = play_calls(recording, &cell, err);
    mr_cell_fini(&cell);
    return st;
}

/* ---- telling ---- */

enum {
    n_score = 3
};

static const char *const scores[n_score] = {"ttft_s", "tpot_s", "e2e_s"};

struct score {
    double recorded_s, played_s; /* means */
    double off_frac;             /* of the means */
    double each_frac;            /* mean of |played / recorded - 1| over requests */
};

static void times_of(const struct request *request, double start_s, double recorded_s[n_score],
                     double played_s[n_score])
{
    const double n = request->n_output > 1 ? (double)(request->n_output - 1) : 1;
    const double queued_s = request->queued_s - start_s;
    recorded_s[0] = request->first_s - request->queued_s;
    recorded_s[1] = (request->last_s - request->first_s) / n;
    recorded_s[2] = request->last_s - request->queued_s;
    played_s[0] = request->played_first_s - queued_s;
    played_s[1] = (request->played_end_s - request->played_first_s) / n;
    played_s[2] = request->played_end_s - queued_s;
}

static void score_all(const struct recording *recording, struct score score[n_score])
{
    const double n = (double)recording->n;
    size_t n_each[n_score] = {0};
    for (int k = 0; k < n_score; k++)
        score[k] = (struct score){0};
    for (size_t i = 0; i < recording->n; i++) {
        double recorded_s[n_score], played_s[n_score];
        times_of(&recording->request[i], recording->request[0].queued_s, recorded_s, played_s);
        for (int k = 0; k < n_score; k++) {
            score[k].recorded_s += recorded_s[k] / n;
            score[k].played_s += played_s[k] / n;
            if (recorded_s[k] > 0) {
                score[k].each_frac += fabs(played_s[k] / recorded_s[k] - 1);
                n_each[k]++;
            }
        }
    }
    for (int k = 0; k < n_score; k++) {
        score[k].off_frac = score[k].played_s / score[k].recorded_s - 1;
        score[k].each_frac /= n_each[k] > 0 ? (double)n_each[k] : 1;
    }
}

static void print_text(const struct recording *r, const struct score score[n_score],
                       struct mr_buf *out)
{
    static const char *const names[n_score] = {"first token", "per token", "end to end"};
    mr_buf_printf(out,
                  "%s: %zu requests, batches of %llu and %llu tokens, %llu blocks%s, %llu "
                  "restarts\n",
                  r->folder, r->n, (unsigned long long)r->engine.batch_max,
                  (unsigned long long)r->engine.token_max, (unsigned long long)r->engine.n_block,
                  r->has_blocks ? "" : " (not recorded: what the batch needs)",
                  (unsigned long long)r->n_restart);
    mr_buf_printf(out, "  %-12s %12s %12s %9s %14s\n", "mean", "recorded", "played", "error",
                  "single ones");
    for (int k = 0; k < n_score; k++)
        mr_buf_printf(out, "  %-12s %10.4f s %10.4f s %+7.1f %% %12.1f %%\n", names[k],
                      score[k].recorded_s, score[k].played_s, 100 * score[k].off_frac,
                      100 * score[k].each_frac);
}

static void print_json(const struct recording *r, const struct score score[n_score],
                       struct mr_jsonw *w)
{
    mr_jsonw_object(w);
    mr_jsonw_key_text(w, "recording", r->folder);
    mr_jsonw_key_u64(w, "requests", r->n);
    mr_jsonw_key_u64(w, "blocks", r->engine.n_block);
    mr_jsonw_key_bool(w, "blocks_recorded", r->has_blocks);
    mr_jsonw_key_u64(w, "restarts", r->n_restart);
    for (int k = 0; k < n_score; k++) {
        mr_jsonw_key(w, scores[k]);
        mr_jsonw_object(w);
        mr_jsonw_key_f64(w, "recorded", score[k].recorded_s);
        mr_jsonw_key_f64(w, "played", score[k].played_s);
        mr_jsonw_key_f64(w, "error", score[k].off_frac);
        mr_jsonw_key_f64(w, "error_each", score[k].each_frac);
        mr_jsonw_end(w);
    }
    mr_jsonw_end(w);
}

static mr_status do_one(struct recording *recording, struct mr_shelf *shelf, struct mr_err *err)
{
    MR_TRY(read_requests(recording, err));
    MR_TRY(read_meta(recording, err));
    MR_TRY(fit_profile(recording, shelf, err));
    return play(recording, err);
}

mr_status mr_fidelity_recorded_print(char *const *folder, int n, bool as_json, struct mr_buf *out,
                                     struct mr_err *err)
{
    struct mr_shelf *shelf = NULL;
    struct mr_jsonw w;
    mr_status st = mr_shelf_create(&shelf, err);
    mr_jsonw_init(&w, out, 2);
    if (as_json)
        mr_jsonw_array(&w);
    for (int i = 0; i < n && st == MR_OK; i++) {
        struct recording recording = {.folder = folder[i]};
        struct score score[n_score];
        st = do_one(&recording, shelf, err);
        if (st == MR_OK)
            score_all(&recording, score);
        if (st == MR_OK && as_json)
            print_json(&recording, score, &w);
        else if (st == MR_OK)
            print_text(&recording, score, out);
        mr_profile_destroy(recording.profile);
        mr_free(recording.request);
    }
    if (as_json)
        mr_jsonw_end(&w);
    mr_shelf_destroy(shelf);
    return st == MR_OK ? mr_buf_check(out, err) : st;
}
