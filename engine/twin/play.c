/* SPDX-License-Identifier: Apache-2.0 */
/* A run of an open-loop workload on one pool of instances. Events are played up to every arrival,
 * then it is routed; after the last one until nothing runs, or until the end that was asked for.
 * Parts: cards - calls that end - the loop - life. */
#include "engine/twin/play.h"

#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/shelf.h"
#include "engine/serve/policy.h"
#include "models/memory.h"

#include <math.h>

struct run {
    const struct mr_scenario *scenario;
    const struct mr_play_options *options;
    struct mr_play_result *result;
    struct mr_shelf *shelf;
    struct mr_step_setup setup;
    struct mr_step *step;
    struct mr_profile *profile;
    struct mr_power power;
    struct mr_serving serving;
    struct mr_cell cell;
    struct mr_arrivals_source *arrivals;
    struct mr_file_out requests;
    struct mr_buf row;
    mr_status st; /* of writing rows: sinks return nothing */
    struct mr_err err;
};

/* ---- cards ---- */

static const void *card_of(struct run *run, const struct mr_card_kind *kind, const char *id,
                           struct mr_diags *diags)
{
    const struct mr_card *card =
        mr_shelf_card(run->shelf, kind, id, (struct mr_place){run->scenario->path, 0, 0}, diags);
    return card != NULL ? card->object : NULL;
}

static int own_format(int native, int asked)
{
    if (asked < MR_N_FORMAT)
        return asked;
    return native < MR_N_FORMAT ? native : MR_FORMAT_FP8;
}

static bool make_setup(struct run *run, struct mr_diags *diags)
{
    const struct mr_scenario_deployment *d = &run->scenario->deployment;
    run->setup =
        (struct mr_step_setup){.gpu = card_of(run, &mr_gpu_kind, d->gpu, diags),
                               .llm = card_of(run, &mr_llm_kind, d->llm, diags),
                               .software = card_of(run, &mr_software_kind, d->software, diags),
                               .kv_element_bytes = d->kv == 0 ? 2 : 1,
                               .n_draft = (uint32_t)d->n_draft,
                               .accepted = d->accepted,
                               .domain_packages = (uint32_t)d->n_domain};
    if (run->setup.gpu == NULL || run->setup.llm == NULL || run->setup.software == NULL)
        return false;
    run->setup.parallel = (struct mr_parallel){(uint32_t)d->n_tp, (uint32_t)d->n_dp,
                                               (uint32_t)d->n_pp, (uint32_t)d->n_ep, 1};
    if (run->setup.llm->n_expert > 0)
        run->setup.parallel.moe_tp = (uint32_t)(d->n_tp * d->n_dp / d->n_ep);
    run->setup.dense_format = own_format(run->setup.llm->native_dense, d->format);
    run->setup.expert_format = own_format(run->setup.llm->native_experts, d->format);
    if (!mr_software_knows(run->setup.software, d->llm))
        mr_diags_add(diags, MR_SEVERITY_WARNING, MR_REF,
                     (struct mr_place){run->scenario->path, 0, 0},
                     "deployment: the card \"%s\" was fitted without \"%s\": \"spec\" may be the "
                     "better guess",
                     d->software, d->llm);
    return true;
}

static mr_status make_pricer(struct run *run, struct mr_diags *diags, struct mr_err *err)
{
    const struct mr_scenario_deployment *d = &run->scenario->deployment;
    struct mr_memory memory = {0};
    uint64_t n_block = d->n_block;
    if (d->profile != NULL) {
        const struct mr_card *card =
            mr_shelf_card(run->shelf, &mr_profile_kind, d->profile,
                          (struct mr_place){run->scenario->path, 0, 0}, diags);
        if (card == NULL)
            return diags->first_error;
        if (n_block == 0)
            return mr_err_set(err, MR_RANGE, (struct mr_place){run->scenario->path, 0, 0},
                              "deployment: a profile knows no memory: say how many \"blocks\"");
        MR_TRY(mr_profile_open(card, &run->profile, err));
    } else {
        MR_TRY(mr_step_check(&run->setup, err));
        MR_TRY(mr_memory_of(&run->setup, (double)d->n_batch, n_block, &memory, err));
        MR_TRY(mr_step_create(&run->setup, &run->step, err));
        MR_TRY(mr_power_of(run->setup.gpu, &run->power, err));
        n_block = memory.n_block;
    }
    const struct mr_software_card *software = run->setup.software;
    if (run->step != NULL && d->n_draft > 0 && mr_step_accepted(&run->setup) == 1)
        mr_diags_add(diags, MR_SEVERITY_WARNING, MR_REF,
                     (struct mr_place){run->scenario->path, 0, 0},
                     "deployment: the card of \"%s\" does not say how many drafts are accepted: "
                     "none are, unless \"accepted\" says so",
                     d->llm);
    run->serving = (struct mr_serving){
        .policy = mr_policy_at((size_t)d->policy),
        .pricer = {run->step, run->profile, run->step != NULL ? &run->power : NULL},
        .batch_max = (uint32_t)d->n_batch,
        .token_max = (uint32_t)(d->n_token > 0 ? d->n_token : software->chunk_tokens),
        .context_max = (uint32_t)(d->n_context > 0 ? d->n_context : run->setup.llm->context_max),
        .block_tokens =
            (uint32_t)(d->n_block_token > 0 ? d->n_block_token : software->block_tokens),
        .n_block = n_block,
        .window_tokens = run->step != NULL ? mr_llm_window(run->setup.llm) : 0,
        .watermark_frac =
            run->scenario->deployment.policy == 1 || d->policy == 2 ? d->watermark_frac : 0,
        .accept = {.extra = mr_step_accepted(&run->setup) - 1,
                   .n_draft = run->setup.n_draft,
                   .is_drawn = d->verify == 1,
                   .seed = run->scenario->top.seed},
        .steps_singly = run->options->steps_singly,
        .preempts_lowest = d->scheduling == 1,
        .has_cache = d->has_cache};
    return mr_instance_check(&run->serving, err);
}

/* ---- calls that end ---- */

static mr_status write_row(struct run *run, const struct mr_play_row *row)
{
    struct mr_csv_writer w = {.buf = &run->row};
    run->row.n = 0;
    mr_csv_put_u64(&w, row->id);
    mr_csv_put_u64(&w, row->session);
    mr_csv_put_text(&w, run->scenario->tier[row->tier].name);
    mr_csv_put_f64(&w, row->arrived_s);
    mr_csv_put_f64(&w, row->scheduled_s);
    mr_csv_put_f64(&w, row->first_token_s);
    mr_csv_put_f64(&w, row->finished_s);
    mr_csv_put_u64(&w, row->input);
    mr_csv_put_u64(&w, row->cached_input);
    mr_csv_put_u64(&w, row->output);
    mr_csv_put_u64(&w, row->restarts);
    mr_csv_put_u64(&w, row->instance);
    mr_csv_put_end(&w);
    MR_TRY(mr_buf_check(&run->row, &run->err));
    return mr_file_out_add(&run->requests, run->row.text, run->row.n, &run->err);
}

/* @param[in] call NULL: it was refused */
static void put_row(struct run *run, const struct mr_ticket *ticket, const struct mr_call *call,
                    double arrived_s, double finished_s)
{
    const double nan = (double)NAN;
    const struct mr_play_row row = {
        .id = ticket->id,
        .arrived_s = arrived_s,
        .scheduled_s = call != NULL && call->is_scheduled ? call->scheduled_s : nan,
        .first_token_s = call != NULL && call->has_first ? call->first_s : nan,
        .finished_s = finished_s,
        .session = ticket->session,
        .instance = ticket->instance,
        .input = ticket->n_prompt,
        .cached_input = call != NULL ? call->n_cached : 0,
        .output = ticket->n_output,
        .restarts = call != NULL ? call->n_restart : 0,
        .tier = ticket->tier};
    if (run->st == MR_OK && run->options->requests_path != NULL)
        run->st = write_row(run, &row);
    if (run->st == MR_OK && run->options->on_call != NULL)
        run->st = run->options->on_call(run->options->context, &row, &run->err);
}

static void finished(void *context, const struct mr_ticket *ticket, const struct mr_call *call,
                     double now_s)
{
    struct run *run = context;
    struct mr_play_tier *tier = &run->result->tier[ticket->tier];
    const struct mr_scenario_tier *goal = &run->scenario->tier[ticket->tier];
    const double ttft_s = call->first_s - call->arrived_s;
    const double tpot_s =
        ticket->n_output > 1 ? (now_s - call->first_s) / (ticket->n_output - 1) : 0;
    tier->n_finished++;
    tier->n_input += ticket->n_prompt;
    tier->n_cached += ticket->n_cached;
    tier->n_output += ticket->n_output;
    mr_hist_add(&tier->ttft, ttft_s);
    if (ticket->n_output > 1)
        mr_hist_add(&tier->tpot, tpot_s);
    mr_hist_add(&tier->e2e, now_s - call->arrived_s);
    tier->n_met += (goal->ttft_s == 0 || ttft_s <= goal->ttft_s) &&
                   (goal->tpot_s == 0 || tpot_s <= goal->tpot_s);
    run->result->sim_s = fmax(run->result->sim_s, now_s);
    put_row(run, ticket, call, call->arrived_s, now_s);
}

static void refused(void *context, const struct mr_ticket *ticket, double now_s,
                    enum mr_cell_refusal why)
{
    struct run *run = context;
    run->result->tier[ticket->tier].n_refused[why]++;
    put_row(run, ticket, NULL, now_s, (double)NAN);
}

/* ---- the loop ---- */

static mr_status play(struct run *run, struct mr_err *err)
{
    const struct mr_scenario *scenario = run->scenario;
    const double end_s = scenario->top.until_s > 0 ? scenario->top.until_s : (double)INFINITY;
    struct mr_arrival arrival;
    for (uint64_t id = 0;; id++) {
        bool has_call;
        MR_TRY(mr_arrivals_next(run->arrivals, &arrival, &has_call, err));
        if (!has_call || arrival.arrived_s >= end_s)
            break;
        if (arrival.tier >= scenario->n_tier)
            return mr_err_set(err, MR_REF, MR_NOWHERE,
                              "call %llu is of tier %u, but there are only %zu <tier> elements",
                              (unsigned long long)id, arrival.tier, scenario->n_tier);
        const struct mr_ticket ticket = {
            .id = id,
            .session = arrival.session,
            .n_prompt = arrival.n_input,
            .n_output = arrival.n_output,
            .n_prefix = (uint32_t)fmin(arrival.n_input, scenario->workload.prefix_tok),
            .tier = arrival.tier};
        run->result->tier[arrival.tier].n_arrived++;
        MR_TRY(mr_cell_play(&run->cell, arrival.arrived_s, err));
        MR_TRY(mr_cell_arrive(&run->cell, &ticket, arrival.arrived_s, err));
        if (run->st != MR_OK)
            break;
    }
    MR_TRY(mr_cell_play(&run->cell, end_s, err));
    if (scenario->top.until_s > 0)
        run->result->sim_s = scenario->top.until_s;
    *err = run->st != MR_OK ? run->err : *err;
    return run->st;
}

/* What still runs when the end has come; then the sums. */
static void settle(struct run *run)
{
    const struct mr_cell *cell = &run->cell;
    struct mr_play_result *result = run->result;
    const struct mr_parallel *p = &run->setup.parallel;
    const double packages = (double)p->tp * (double)p->dp * (double)p->pp;
    double busy_j = 0, idle_s = 0;
    for (size_t i = 0; i < cell->calls.n; i++)
        if (cell->calls.call[i].state != MR_CALL_DONE)
            put_row(run, &cell->ticket[i], &cell->calls.call[i], cell->calls.call[i].arrived_s,
                    (double)NAN);
    for (uint32_t i = 0; i < cell->plan.n_instance; i++) {
        const struct mr_instance *instance = &cell->instance[i];
        result->n_segment += instance->n_segment;
        result->n_iteration += instance->n_iteration;
        result->n_restart += instance->n_restart;
        busy_j += instance->busy_j;
        idle_s += fmax(0, result->sim_s - instance->busy_s);
    }
    result->n_event = cell->n_event;
    result->n_block = run->serving.n_block;
    result->n_package = (uint64_t)(packages * cell->plan.n_instance);
    result->package_j = (double)NAN;
    result->package_peak_w = (double)NAN;
    if (run->step != NULL) {
        result->package_j = packages * (busy_j + idle_s * mr_power_idle_w(&run->power, 60));
        result->package_peak_w = (double)result->n_package * run->power.limit_w;
    }
}

static mr_status open_requests(struct run *run, struct mr_err *err)
{
    static const char head[] = "id,session,tier,arrived_s,scheduled_s,first_token_s,finished_s,"
                               "input,cached_input,output,restarts,instance\n";
    if (run->options->requests_path == NULL)
        return MR_OK;
    MR_TRY(mr_file_out_open(&run->requests, run->options->requests_path,
                            run->options->may_overwrite, err));
    run->st = mr_file_out_add(&run->requests, head, sizeof head - 1, &run->err);
    return MR_OK;
}

static mr_status close_requests(struct run *run, mr_status st, struct mr_err *err)
{
    if (run->options->requests_path == NULL)
        return st;
    if (st == MR_OK)
        return mr_file_out_commit(&run->requests, err);
    mr_file_out_abort(&run->requests);
    return st;
}

static mr_status make_cell(struct run *run, struct mr_err *err)
{
    const struct mr_scenario *scenario = run->scenario;
    struct mr_cell_plan plan = {.serving = &run->serving,
                                .n_instance = (uint32_t)scenario->deployment.n_instance,
                                .router = scenario->deployment.router,
                                .seed = scenario->top.seed};
    for (size_t i = 0; i < scenario->n_tier; i++) {
        plan.wait_max[i] = (uint32_t)scenario->tier[i].n_wait;
        plan.rank[i] = (uint8_t)mr_scenario_rank(scenario, i);
    }
    MR_TRY(mr_cell_init(&run->cell, &plan, &(struct mr_cell_sink){finished, refused, run}, err));
    run->cell.router.affinity_excess = (double)scenario->deployment.n_affinity;
    return MR_OK;
}

static mr_status run_all(struct run *run, struct mr_diags *diags, struct mr_err *err)
{
    const struct mr_scenario *scenario = run->scenario;
    run->result->tier = mr_alloc_zero(scenario->n_tier, sizeof *run->result->tier);
    if (run->result->tier == NULL)
        return mr_err_nomem(err, scenario->n_tier * sizeof *run->result->tier);
    run->result->n_tier = scenario->n_tier;
    MR_TRY(mr_shelf_create(&run->shelf, err));
    if (!make_setup(run, diags))
        return diags->first_error;
    MR_TRY(make_pricer(run, diags, err));
    MR_TRY(make_cell(run, err));
    MR_TRY(mr_arrivals_open(&scenario->workload, scenario->top.seed, &run->arrivals, err));
    MR_TRY(open_requests(run, err));
    mr_status st = play(run, err);
    if (st == MR_OK) {
        settle(run);
        st = run->st;
        *err = st != MR_OK ? run->err : *err;
    }
    return close_requests(run, st, err);
}

/* ---- life ---- */

mr_status mr_play(const struct mr_scenario *scenario, const struct mr_play_options *options,
                  struct mr_play_result *result, struct mr_diags *diags)
{
    struct run run = {.scenario = scenario, .options = options, .result = result};
    struct mr_err err = {0};
    *result = (struct mr_play_result){0};
    const mr_status st = run_all(&run, diags, &err);
    if (st != MR_OK && diags->first_error == MR_OK)
        (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    mr_arrivals_close(run.arrivals);
    if (run.cell.instance != NULL)
        mr_cell_fini(&run.cell);
    mr_step_destroy(run.step);
    mr_profile_destroy(run.profile);
    mr_shelf_destroy(run.shelf);
    mr_buf_fini(&run.row);
    return st;
}

mr_status mr_play_check(const struct mr_scenario *scenario, struct mr_diags *diags)
{
    const struct mr_play_options options = {0};
    struct run run = {.scenario = scenario, .options = &options};
    struct mr_err err = {0};
    mr_status st = mr_shelf_create(&run.shelf, &err);
    if (st == MR_OK)
        st = make_setup(&run, diags) ? make_pricer(&run, diags, &err) : diags->first_error;
    if (st != MR_OK && diags->first_error == MR_OK)
        (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    mr_step_destroy(run.step);
    mr_profile_destroy(run.profile);
    mr_shelf_destroy(run.shelf);
    return st;
}

void mr_play_fini(struct mr_play_result *result)
{
    mr_free(result->tier);
    *result = (struct mr_play_result){0};
}
