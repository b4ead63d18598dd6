/* SPDX-License-Identifier: Apache-2.0 */
/* Cells of 20,000 sessions, each with a player; a second of all cells is one round. With instances:
 * 64 of 16 packages each, a mixture-of-experts network. Caches hold all contexts, and then 97 % of
 * the input is found, two thirds of the sessions wait for an answer, an instance decodes for 200 of
 * them with 1.3 segments a call; or two thirds of the contexts, so that the next call often finds
 * its own evicted. Without instances every call takes two seconds, so that the player is all there
 * is. The reference moves as many wakes in a binary heap as calls end in a round. */
#include "engine/cli/bench/bench_sessions.h"

#include "engine/base/gz.h"
#include "engine/base/mem.h"
#include "engine/base/wall.h"
#include "engine/cli/bench/bench_serving.h"
#include "engine/serve/cell.h"
#include "engine/serve/warm.h"
#include "engine/twin/agents_file.h"
#include "engine/work/demand.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    per_cell = 20000,
    n_instance = 64,
    n_drawn = 500, /* recordings */
    block_tok = 64,
    n_block_roomy = 700000,
    n_block_tight = 200000,
    context_max = 163840,
    idle_cap_s = 10,
    warm_s = 60, /* then most calls find their prompts by where the last one ended */
    session_bytes = 400
};

static const double call_s = 2;

struct site_cell {
    struct sessions_job *job;
    struct mr_demand demand;
    struct mr_player player;
    struct mr_cell cell;
    uint64_t id, decisions;
    mr_status st; /* of sinks */
};

struct sessions_job {
    struct mr_bench_serving served;
    struct mr_script script;
    struct mr_life life;
    struct mr_calendar_store store;
    struct site_cell *cell;
    uint32_t n_cell;
    uint64_t window, done;
    double share;
    uint8_t tier_of_tenant;
    double *heap; /* [1 + n] */
    size_t n;
};

/* ---- calls ---- */

static mr_status call(void *context, uint32_t strand, double now_s, struct mr_err *err)
{
    struct site_cell *own = context;
    const struct mr_player_strand *s = &own->player.strand[strand];
    const struct mr_script_node *node = mr_player_node(&own->player, strand);
    const struct mr_script_session *session = &own->job->script.session[s->session];
    const struct mr_ticket ticket = {.id = own->id++,
                                     .session = strand,
                                     .n_prompt = node->llm.n_input,
                                     .n_output = node->llm.n_output,
                                     .is_alone = true,
                                     .context = node->llm.context + 1,
                                     .space = s->space,
                                     .instance = s->place.instance,
                                     .place = &s->place,
                                     .is_warm = s->place.instance == MR_PLAYER_NONE &&
                                                own->job->script.context[node->llm.context].base !=
                                                    MR_SCRIPT_NONE,
                                     .is_final = s->node == session->last};
    return mr_cell_arrive(&own->cell, &ticket, now_s, err);
}

static void hash(struct site_cell *own, uint64_t what)
{
    own->decisions = (own->decisions ^ what) * 0x9e3779b97f4a7c15U;
}

static void finished(void *context, const struct mr_ticket *ticket, const struct mr_call *call_,
                     double now_s)
{
    struct site_cell *own = context;
    hash(own, ticket->id);
    hash(own, (uint64_t)ticket->session << 32 | ticket->instance);
    hash(own, (uint64_t)ticket->n_cached << 32 | call_->n_restart);
    own->job->done++;
    own->player.strand[ticket->session].place = mr_cell_place(&own->cell, ticket, call_);
    if (own->st == MR_OK)
        own->st = mr_player_call_ended(&own->player, ticket->session,
                                       &(struct mr_player_served){.scheduled_s = call_->scheduled_s,
                                                                  .first_s = call_->first_s},
                                       now_s, NULL);
}

static void refused(void *context, const struct mr_ticket *ticket, double now_s,
                    enum mr_cell_refusal why)
{
    struct site_cell *own = context;
    (void)why;
    if (own->st == MR_OK)
        own->st = mr_player_call_refused(&own->player, ticket->session, false, now_s, NULL);
}

/* Nobody serves: a call is a pause of its session, told when it begins. */
static mr_status call_nobody(void *context, uint32_t strand, double now_s, struct mr_err *err)
{
    struct site_cell *own = context;
    hash(own, (uint64_t)strand << 32 | own->player.strand[strand].node);
    own->job->done++;
    return mr_player_call_ended(&own->player, strand,
                                &(struct mr_player_served){.scheduled_s = now_s, .first_s = now_s},
                                now_s, err);
}

/* ---- windows ---- */

static mr_status play_cell(struct site_cell *own, uint64_t window, double end_s, struct mr_err *err)
{
    const bool has_instances = own->cell.instance != NULL;
    double near_s = has_instances ? 0 : (double)INFINITY;
    MR_TRY(mr_player_open_window(&own->player, window, err));
    if (has_instances)
        mr_warm_instances(&own->cell);
    for (;;) {
        const double player_s = mr_player_due_s(&own->player);
        const double cell_s = has_instances ? mr_cell_due_s(&own->cell) : (double)INFINITY;
        const double due_s = player_s < cell_s ? player_s : cell_s;
        if (!(due_s < end_s))
            break;
        if (due_s >= near_s)
            near_s = mr_warm_player(&own->cell, &own->player, due_s);
        if (player_s <= cell_s + MR_SEGMENT_TIE_S) {
            if (!has_instances)
                mr_player_look_ahead(&own->player);
            MR_TRY(mr_player_step(&own->player, err));
        } else {
            MR_TRY(mr_cell_play(&own->cell, cell_s + 2 * MR_SEGMENT_TIE_S, err));
        }
        MR_TRY(own->st);
    }
    mr_player_close_window(&own->player);
    return MR_OK;
}

static mr_status play_second(struct sessions_job *job, struct mr_err *err)
{
    const struct mr_window_grid grid = mr_window_grid_of(1);
    for (uint32_t c = 0; c < job->n_cell; c++)
        MR_TRY(
            play_cell(&job->cell[c], job->window, mr_window_start_s(grid, job->window + 1), err));
    job->window++;
    return MR_OK;
}

/* ---- set-up ---- */

static mr_status make_cell(struct sessions_job *job, uint32_t c, bool has_instances,
                           struct mr_err *err)
{
    struct site_cell *own = &job->cell[c];
    const struct mr_demand_plan demand = {.spec = {.mode = MR_DEMAND_LIVE,
                                                   .n_session = per_cell,
                                                   .is_warm = true,
                                                   .ramp_s = 10,
                                                   .speed = 1},
                                          .tier_of_tenant = &job->tier_of_tenant,
                                          .tier_share = &job->share,
                                          .n_tier = 1,
                                          .script = &job->script,
                                          .life = &job->life,
                                          .seed = 1 + c};
    const struct mr_player_site site = {.n_core = (double)INFINITY,
                                        .core_speed = 1,
                                        .n_accelerator = (double)INFINITY,
                                        .memory_mb = (double)INFINITY,
                                        .storage_bytes_s = 1e12,
                                        .stream_bytes_s = 5e9,
                                        .network_s = has_instances ? 0 : call_s};
    own->job = job;
    MR_TRY(mr_demand_init(&own->demand, &demand, err));
    const struct mr_player_plan player = {.script = &job->script,
                                          .site = site,
                                          .source = mr_demand_source(&own->demand),
                                          .sink = {has_instances ? call : call_nobody, NULL, own},
                                          .seed = 1,
                                          .cell = c,
                                          .n_cell = job->n_cell,
                                          .window_s = 1,
                                          .n_tier = 1,
                                          .idle_cap_s = idle_cap_s};
    MR_TRY(mr_player_init(&own->player, &player, &job->store, err));
    if (!has_instances)
        return MR_OK;
    const struct mr_cell_plan plan = {
        .serving = &job->served.serving, .n_instance = n_instance, .router = MR_ROUTER_AFFINITY};
    MR_TRY(mr_cell_init(&own->cell, &plan, &(struct mr_cell_sink){finished, refused, own}, err));
    return mr_cell_take_script(&own->cell, &job->script, err);
}

static mr_status make(struct sessions_job *job, const char *file, uint64_t n_block,
                      struct mr_err *err)
{
    struct mr_diags diags = {0};
    const struct mr_lower_plan lowering = {
        .block_tok = block_tok, .seed = 1, .shares = true, .input_max = context_max};
    MR_TRY(mr_agents_file_read(&(struct mr_agents_file){.path = file, .n_drawn = n_drawn},
                               &lowering, &job->script, &diags, err));
    const struct mr_player_plan alone = {.script = &job->script,
                                         .site = {.core_speed = 1, .stream_bytes_s = 5e9},
                                         .idle_cap_s = idle_cap_s};
    MR_TRY(mr_life_init(&job->life, &alone, err));
    job->share = 1;
    job->cell = mr_alloc_zero(job->n_cell, sizeof *job->cell);
    job->heap = mr_alloc(job->n + 1, sizeof *job->heap);
    if (job->cell == NULL || job->heap == NULL)
        return mr_err_nomem(err, job->n_cell * sizeof *job->cell);
    for (size_t i = 0; i < job->n; i++)
        job->heap[1 + i] = (double)i; /* in order: a heap */
    if (n_block > 0)
        MR_TRY(mr_bench_serving_make(&job->served, block_tok, n_block, false, err));
    for (uint32_t c = 0; c < job->n_cell; c++)
        MR_TRY(make_cell(job, c, n_block > 0, err));
    for (int i = 0; i < warm_s; i++)
        MR_TRY(play_second(job, err));
    return MR_OK;
}

static mr_status setup(const struct mr_bench_case *self, struct mr_bench_job *bench,
                       const char *file, uint64_t n_block, struct mr_err *err)
{
    const size_t n = (size_t)self->size * per_cell;
    const uint64_t before = mr_wall_rss_bytes(), need = n * session_bytes;
    if (!mr_bench_serving_has_room(bench, self->size > 5, need))
        return MR_OK;
    struct sessions_job *job = mr_alloc_zero(1, sizeof *job);
    if (job == NULL)
        return mr_err_nomem(err, sizeof *job);
    bench->data = job;
    bench->n_op = n / 25; /* calls of a second */
    job->n_cell = self->size;
    job->n = n;
    MR_TRY(make(job, file, n_block, err));
    bench->n_done = &job->done;
    const uint64_t after = mr_wall_rss_bytes(), heap = n * sizeof *job->heap;
    bench->n_byte = after > before + heap ? after - before - heap : 0; /* less the reference's */
    bench->n_session = n;
    return MR_OK;
}

static mr_status setup_alone(const struct mr_bench_case *self, struct mr_bench_job *bench,
                             struct mr_err *err)
{
    return setup(self, bench, NULL, 0, err);
}

static mr_status setup_drawn(const struct mr_bench_case *self, struct mr_bench_job *bench,
                             struct mr_err *err)
{
    return setup(self, bench, NULL, n_block_roomy, err);
}

static mr_status setup_cliff(const struct mr_bench_case *self, struct mr_bench_job *bench,
                             struct mr_err *err)
{
    return setup(self, bench, NULL, n_block_tight, err);
}

static mr_status from_file(const struct mr_bench_case *self, struct mr_bench_job *bench,
                           uint64_t n_block, struct mr_err *err)
{
    const char *root = getenv("MILLRACE_DATA");
    struct mr_buf path = {0};
    mr_buf_printf(&path, "%s/%s", root != NULL && root[0] != '\0' ? root : "../shared/data",
                  self->file);
    mr_status st = mr_buf_check(&path, err);
    struct mr_gz *gz = NULL;
    struct mr_err absent = {0};
    if (st == MR_OK && mr_gz_open(path.text, &gz, &absent) == MR_IO)
        snprintf(bench->skipped, sizeof bench->skipped, "%.120s: not found (MILLRACE_DATA)",
                 path.text);
    else if (st == MR_OK)
        st = setup(self, bench, path.text, n_block, err);
    mr_gz_close(gz);
    mr_buf_fini(&path);
    return st;
}

static mr_status setup_recorded(const struct mr_bench_case *self, struct mr_bench_job *bench,
                                struct mr_err *err)
{
    return from_file(self, bench, n_block_roomy, err);
}

static mr_status setup_recorded_cliff(const struct mr_bench_case *self, struct mr_bench_job *bench,
                                      struct mr_err *err)
{
    return from_file(self, bench, n_block_tight, err);
}

/* ---- loops ---- */

static uint64_t work(void *data)
{
    struct sessions_job *job = data;
    return play_second(job, NULL) == MR_OK ? job->cell[0].decisions : 0;
}

static uint64_t whole(void *data)
{
    const struct sessions_job *job = data;
    uint64_t sum = 0;
    for (uint32_t c = 0; c < job->n_cell; c++)
        sum = (sum ^ job->cell[c].decisions) * 0x9e3779b97f4a7c15U;
    return sum;
}

static uint64_t plain(void *data)
{
    const struct sessions_job *job = data;
    double *heap = job->heap;
    for (size_t i = 0; i < job->n / 25; i++) {
        size_t at = 1;
        heap[1] += (double)job->n;
        for (size_t next = 2; next <= job->n; next = 2 * at) {
            next += next < job->n && heap[next + 1] < heap[next];
            if (heap[at] <= heap[next])
                break;
            const double x = heap[at];
            heap[at] = heap[next];
            heap[next] = x;
            at = next;
        }
    }
    return (uint64_t)heap[1];
}

static void free_job(void *data)
{
    struct sessions_job *job = data;
    for (uint32_t c = 0; c < job->n_cell && job->cell != NULL; c++) {
        struct site_cell *own = &job->cell[c];
        mr_player_fini(&own->player);
        mr_demand_fini(&own->demand);
        if (own->cell.instance != NULL)
            mr_cell_fini(&own->cell);
    }
    mr_free(job->cell);
    mr_free(job->heap);
    mr_calendar_store_fini(&job->store);
    mr_life_fini(&job->life);
    mr_script_fini(&job->script);
    mr_bench_serving_fini(&job->served);
    mr_free(job);
}

// clang-format off
#define SESSIONS(text, n_cell, function)                                           \
    .name = text, .op = "call", .reference = "binary heap of as many wakes",       \
    .size = n_cell, .setup = function, .work = work, .plain = plain, .whole = whole, .teardown = free_job
#define RECORDED .file = "agentic/packed_dedup.jsonl.gz"
#define LARGER(than) .same = than, .smaller = than, .floor = 1.7, .session_bytes_max = 300

static const struct mr_bench_case cases[] = {
    {SESSIONS("sessions/player_20k", 1, setup_alone)},
    {SESSIONS("sessions/player_1m", 50, setup_alone), LARGER("sessions/player_20k")},
    {SESSIONS("sessions/drawn_20k", 1, setup_drawn)},
    {SESSIONS("sessions/drawn_20k_cliff", 1, setup_cliff)},
    {SESSIONS("sessions/dedup_20k", 1, setup_recorded), RECORDED},
    {SESSIONS("sessions/dedup_20k_cliff", 1, setup_recorded_cliff), RECORDED},
    {SESSIONS("sessions/drawn_1m", 50, setup_drawn), LARGER("sessions/drawn_20k")},
    {SESSIONS("sessions/drawn_10m", 500, setup_drawn), LARGER("sessions/drawn_20k")},
    {SESSIONS("sessions/drawn_10m_cliff", 500, setup_cliff), LARGER("sessions/drawn_20k_cliff")},
    {SESSIONS("sessions/dedup_10m", 500, setup_recorded), LARGER("sessions/dedup_20k"), RECORDED},
    {SESSIONS("sessions/dedup_10m_cliff", 500, setup_recorded_cliff),
     LARGER("sessions/dedup_20k_cliff"), RECORDED},
};
// clang-format on

const struct mr_bench_group mr_bench_sessions_group = {cases, sizeof cases / sizeof *cases};
