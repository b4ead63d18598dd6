/* SPDX-License-Identifier: Apache-2.0 */
/* What nodes do: calls pass the gateway and go to the sink, tools boot a sandbox and work in a
 * pool, the rest takes a time that is known. Draws are made from (life, node, try), so that the
 * order of events does not matter. */
#include "engine/base/assert.h"
#include "engine/base/fmath.h"
#include "engine/base/rng.h"
#include "engine/work/player_impl.h"

#include <math.h>

/* ---- draws ---- */

/* What is drawn for a strand's node; two numbers each. */
enum draw {
    draw_error,
    draw_sandbox,
    draw_gate,
    draw_denial,
    n_draw,
    draw_redirect = 256 * n_draw /* behind those of all tries */
};

static double draw_open(const struct mr_player *player, uint32_t strand, enum draw what)
{
    const struct mr_player_strand *s = &player->strand[strand];
    const uint64_t bits = mr_rng_u64_at(player->plan.seed, MR_RNG_TOOL,
                                        (uint64_t)mr_player_life(player, strand) << 32 | s->node,
                                        (uint64_t)s->n_try * n_draw + what);
    return ((double)(bits >> 12) + 0.5) * 0x1p-52; /* never 0 or 1 */
}

static double draw_lognormal(const struct mr_player *player, uint32_t strand, enum draw what,
                             double median, double spread)
{
    if (spread == 0 || median == 0)
        return median;
    return median * mr_exp(spread * mr_rng_normal_quantile(draw_open(player, strand, what)));
}

static mr_status complete(struct mr_player *player, uint32_t strand, double now_s,
                          struct mr_err *err)
{
    return mr_player_tell(player, strand, false, now_s, err);
}

static mr_status rest(struct mr_player *player, uint32_t strand, double time_s, double now_s,
                      struct mr_err *err)
{
    player->strand[strand].state = MR_PLAYER_RESTING;
    return mr_player_wake_at(player, strand, now_s + time_s, err);
}

/* ---- calls ---- */

static mr_status call(struct mr_player *player, uint32_t strand, double now_s, struct mr_err *err)
{
    struct mr_player_strand *s = &player->strand[strand];
    s->state = MR_PLAYER_CALLING;
    s->since_s = now_s;
    player->sums[s->tier].n_call++;
    return player->plan.sink.call(player->plan.sink.context, strand, now_s, err);
}

/* First come, first served by servers whose times of service are known: who comes starts when the
 * first of them is free. @return when that is */
static double take_server(struct mr_tree *servers, double now_s, double time_s)
{
    const double from_s = fmax(now_s, mr_tree_winner_time_s(servers));
    mr_tree_set_time(servers, mr_tree_winner(servers), from_s + time_s);
    return from_s;
}

static mr_status pass_gate(struct mr_player *player, uint32_t strand, double now_s,
                           struct mr_err *err)
{
    const struct mr_player_site *site = &player->plan.site;
    if (!player->has_gate)
        return call(player, strand, now_s, err);
    const double time_s = site->gate_s + draw_lognormal(player, strand, draw_gate,
                                                        site->gate_median_s, site->gate_spread);
    const double from_s = site->n_gate > 0 ? take_server(&player->gate, now_s, time_s) : now_s;
    player->strand[strand].state = MR_PLAYER_AT_GATE;
    return mr_player_wake_at(player, strand, from_s + time_s, err);
}

/* Its prompt is read and its tokens are made beside the factory, at a pace of their own. */
static mr_status redirect(struct mr_player *player, uint32_t strand, double now_s,
                          struct mr_err *err)
{
    const struct mr_player_site *site = &player->plan.site;
    const struct mr_script_node *node = mr_player_node(player, strand);
    const double read_s = (double)node->llm.n_input / site->local_input_tok_s;
    const double made_s = (double)node->llm.n_output / site->local_output_tok_s;
    const double from_s =
        site->n_local > 0 ? take_server(&player->local, now_s, read_s + made_s) : now_s;
    player->sums[player->strand[strand].tier].n_redirected++;
    player->strand[strand].was_answered = true;
    mr_player_count(player, strand, MR_PLAYER_QUEUE, from_s - now_s);
    mr_player_count(player, strand, MR_PLAYER_PREFILL, read_s);
    mr_player_count(player, strand, MR_PLAYER_DECODE, made_s);
    player->strand[strand].state = MR_PLAYER_AT_LOCAL;
    return mr_player_wake_at(player, strand, from_s + read_s + made_s, err);
}

static mr_status leave_gate(struct mr_player *player, uint32_t strand, double now_s,
                            struct mr_err *err)
{
    struct mr_player_strand *s = &player->strand[strand];
    mr_player_count(player, strand, MR_PLAYER_GATEWAY, now_s - s->since_s);
    if (player->plan.site.denied_frac > 0 &&
        draw_open(player, strand, draw_denial) < player->plan.site.denied_frac) {
        player->sums[s->tier].n_denied++;
        s->was_denied = true;
        return complete(player, strand, now_s, err); /* the agent goes on without an answer */
    }
    if (player->plan.site.redirected_frac > 0 &&
        draw_open(player, strand, draw_redirect) < player->plan.site.redirected_frac)
        return redirect(player, strand, now_s, err);
    return call(player, strand, now_s, err);
}

static void count_tokens(struct mr_player_tokens *tokens, const struct mr_player_served *served)
{
    tokens->n_call++;
    tokens->n_input += served->n_input;
    tokens->n_cached += served->n_cached;
    tokens->n_output += served->n_output;
}

mr_status mr_player_call_ended(struct mr_player *player, uint32_t strand,
                               const struct mr_player_served *served, double now_s,
                               struct mr_err *err)
{
    struct mr_player_strand *s = &player->strand[strand];
    MR_ASSERT(s->state == MR_PLAYER_CALLING);
    s->was_answered = true;
    mr_player_count(player, strand, MR_PLAYER_QUEUE,
                    served->scheduled_s - s->since_s - served->load_s);
    const double load_s = served->load_s + served->again_s[0] + served->again_s[1];
    if (load_s > 0)
        mr_player_count(player, strand, MR_PLAYER_LOAD, load_s);
    mr_player_count(player, strand, MR_PLAYER_PREFILL,
                    served->first_s - served->scheduled_s - served->again_s[0]);
    mr_player_count(player, strand, MR_PLAYER_DECODE, now_s - served->first_s - served->again_s[1]);
    if (player->plan.has_tokens)
        count_tokens(&player->tokens[strand], served);
    player->may_call = false;
    if (player->plan.site.network_s == 0)
        return complete(player, strand, now_s, err);
    s->state = MR_PLAYER_RETURNING;
    s->since_s = now_s;
    return mr_player_wake_at(player, strand, now_s + player->plan.site.network_s, err);
}

mr_status mr_player_call_refused(struct mr_player *player, uint32_t strand, bool may_retry,
                                 double now_s, struct mr_err *err)
{
    const struct mr_player_site *site = &player->plan.site;
    struct mr_player_strand *s = &player->strand[strand];
    MR_ASSERT(s->state == MR_PLAYER_CALLING);
    mr_player_count(player, strand, MR_PLAYER_QUEUE, now_s - s->since_s);
    if (!may_retry || s->n_try >= site->n_shed_retry) {
        s->has_failed = true;
        return mr_player_leave(player, strand, now_s, err);
    }
    player->sums[s->tier].n_shed_retry++;
    s->state = MR_PLAYER_WAITING;
    s->since_s = now_s;
    const double pause_s = site->shed_retry_s * (double)(UINT64_C(1) << s->n_try);
    s->n_try++;
    return mr_player_wake_at(player, strand, now_s + pause_s, err);
}

mr_status mr_player_call_put_off(struct mr_player *player, uint32_t strand, double until_s,
                                 double now_s, struct mr_err *err)
{
    struct mr_player_strand *s = &player->strand[strand];
    MR_ASSERT(s->state == MR_PLAYER_CALLING);
    s->state = MR_PLAYER_WAITING;
    s->since_s = now_s;
    s->was_put_off = true;
    return mr_player_wake_at(player, strand, until_s, err);
}

/* ---- tools ---- */

double mr_player_think_s(const struct mr_player_plan *plan, const struct mr_script_node *node)
{
    double s = (double)node->think.s;
    if (node->is_implied && plan->timing == MR_PLAYER_BY_ORIGINAL)
        return 0; /* whoever comes late does not pause, too */
    if (plan->timing == MR_PLAYER_BY_SCALE)
        s *= plan->think_factor;
    const bool is_capped = !node->is_uncapped && plan->timing != MR_PLAYER_BY_ORIGINAL;
    return is_capped && plan->idle_cap_s < s ? plan->idle_cap_s : s;
}

/* Does a tool that ends now, or did at its end, fail? */
static bool fails(const struct mr_player *player, uint32_t strand,
                  const struct mr_script_node *node)
{
    const double frac = player->plan.site.error_frac;
    return node->kind == MR_SCRIPT_TOOL && frac > 0 && draw_open(player, strand, draw_error) < frac;
}

/* Its end is known: an event there. Where its user only thinks about what it said, which takes a
 * time that is known, too, one event at the end of both. */
static mr_status plan_end(struct mr_player *player, uint32_t strand,
                          const struct mr_script_node *node, double end_s, struct mr_err *err)
{
    const struct mr_script_node *next = node + 1;
    const bool has_thought = node->is_plain && next->kind == MR_SCRIPT_THINK && next->is_plain &&
                             !(next->delay_s > 0) && player->plan.timing != MR_PLAYER_BY_ORIGINAL &&
                             !fails(player, strand, node);
    player->strand[strand].has_thought = has_thought;
    return mr_player_wake_at(
        player, strand, has_thought ? end_s + mr_player_think_s(&player->plan, next) : end_s, err);
}

struct mr_cores *mr_player_pool(struct mr_player *player, const struct mr_script_node *node)
{
    if (node->kind == MR_SCRIPT_MEM)
        return &player->storage;
    if (node->kind != MR_SCRIPT_TOOL || node->where == MR_SCRIPT_EXT)
        return NULL;
    return node->where == MR_SCRIPT_CPU ? &player->cores : &player->accelerators;
}

static double work_of(const struct mr_script_node *node)
{
    return node->kind == MR_SCRIPT_MEM
               ? ((double)node->mem.read_mb + (double)node->mem.write_mb) * 1e6
               : (double)node->tool.work_s;
}

/* A strand's node enters its pool; `since_s` is its start. */
static mr_status work(struct mr_player *player, uint32_t strand, const struct mr_script_node *node,
                      double now_s, struct mr_err *err)
{
    struct mr_player_strand *s = &player->strand[strand];
    const struct mr_cores_sink sink = {mr_player_work_ended, player};
    struct mr_cores *pool = mr_player_pool(player, node);
    double end_s;
    s->wait_s = node->kind == MR_SCRIPT_MEM ? (float)player->plan.site.storage_latency_s
                                            : node->tool.wait_s;
    s->since_s = now_s;
    MR_ASSERT(pool != NULL);
    if (isinf(pool->n_server)) { /* nobody ever shares: nothing to keep */
        const double work_s = work_of(node) / pool->speed;
        pool->busy_s += work_s;
        s->state = MR_PLAYER_RESTING;
        return plan_end(player, strand, node, now_s + (work_s + (double)s->wait_s), err);
    }
    s->state = MR_PLAYER_WORKING;
    MR_TRY(mr_cores_advance(pool, now_s, &sink, err));
    MR_TRY(mr_cores_start(pool, strand, work_of(node), now_s, &end_s, err));
    return isnan(end_s) ? MR_OK : plan_end(player, strand, node, end_s + (double)s->wait_s, err);
}

mr_status mr_player_work_ended(void *context, uint32_t strand, double now_s, bool was_planned,
                               struct mr_err *err)
{
    struct mr_player *player = context;
    struct mr_player_strand *s = &player->strand[strand];
    s->state = MR_PLAYER_RESTING;
    if (was_planned)
        return MR_OK;
    s->generation++; /* the plan it was given no longer holds */
    s->has_thought = false;
    return mr_player_wake_at(player, strand, now_s + (double)s->wait_s, err);
}

/* A tool's plan comes due: has it worked as fast as was thought? */
static mr_status check_work(struct mr_player *player, uint32_t strand, double now_s,
                            struct mr_err *err)
{
    const struct mr_cores_sink sink = {mr_player_work_ended, player};
    const uint32_t generation = player->strand[strand].generation;
    MR_TRY(mr_cores_advance(mr_player_pool(player, mr_player_node(player, strand)), now_s, &sink,
                            err));
    if (player->strand[strand].state != MR_PLAYER_RESTING ||
        player->strand[strand].generation != generation)
        return MR_OK; /* it will be told */
    return mr_player_wake(player, strand, now_s, err);
}

static double work_at(void *context, uint32_t strand)
{
    return work_of(mr_player_node(context, strand));
}

mr_status mr_player_set_cores(struct mr_player *player, double frac, double lost_frac, double now_s,
                              struct mr_err *err)
{
    const struct mr_cores_sink sink = {mr_player_work_ended, player};
    const double n_core = player->plan.site.n_core * frac;
    if (isinf(player->cores.n_server) || (n_core == player->cores.n_server && lost_frac == 0))
        return MR_OK;
    MR_TRY(mr_cores_advance(&player->cores, now_s, &sink, err));
    mr_cores_resize(&player->cores, n_core, lost_frac, work_at, player);
    return MR_OK;
}

static mr_status end_tool(struct mr_player *player, uint32_t strand, double now_s,
                          struct mr_err *err)
{
    const struct mr_player_site *site = &player->plan.site;
    struct mr_player_strand *s = &player->strand[strand];
    const struct mr_script_node *node = mr_player_node(player, strand);
    const struct mr_cores *pool = mr_player_pool(player, node);
    const double most_s = pool != NULL ? work_of(node) / pool->speed + (double)s->wait_s
                                       : (double)node->tool.work_s + (double)node->tool.wait_s;
    const double time_s = s->has_thought ? most_s : now_s - s->since_s;
    const double alone_s = pool != NULL ? fmin(time_s, most_s) : time_s;
    mr_player_count(player, strand,
                    node->kind == MR_SCRIPT_MEM ? MR_PLAYER_MEMORY : MR_PLAYER_TOOLS, alone_s);
    mr_player_count(player, strand, MR_PLAYER_CORES, time_s - alone_s);
    player->sums[s->tier].n_tool += node->kind == MR_SCRIPT_TOOL;
    const bool has_failed = !s->has_thought && fails(player, strand, node);
    /* What came after a failure that was recorded is in the recording: it does not run again. Where
     * the factory draws its own, they stand in place of it: as many fail as were asked for. */
    const bool did_fail = node->kind == MR_SCRIPT_TOOL && node->is_error && !(site->error_frac > 0);
    player->sums[s->tier].n_tool_error += has_failed || did_fail;
    if (s->has_thought) {
        mr_player_count(player, strand, MR_PLAYER_THINK, now_s - (s->since_s + time_s));
        s->has_thought = false;
        s->node++;
    } else if (has_failed && s->n_try < site->n_retry) {
        s->n_try++;
        s->state = MR_PLAYER_WAITING;
        s->since_s = now_s;
        return mr_player_wake_at(player, strand, now_s + site->retry_s, err);
    }
    return complete(player, strand, now_s, err);
}

/* ---- sandboxes ---- */

/* Memory for the largest tool of the session, said or drawn: a sandbox never grows, so that no two
 * of them wait for each other. What is said fits (mr_player_check_sandboxes); what is drawn and
 * does not is cut. */
static bool boot(struct mr_player *player, uint32_t strand)
{
    const struct mr_player_site *site = &player->plan.site;
    const struct mr_player_strand *s = &player->strand[strand];
    const struct mr_script_session *session = &player->plan.script->session[s->session];
    double want_mb = fmax((double)session->sandbox_mb, 1e-3);
    if (session->draws_sandbox)
        want_mb = fmax(want_mb, draw_lognormal(player, strand, draw_sandbox, site->sandbox_mb,
                                               site->sandbox_spread));
    const bool is_cut = want_mb > site->memory_mb;
    want_mb = fmin(want_mb, site->memory_mb);
    if (player->used_mb + want_mb > site->memory_mb)
        return false;
    player->sums[s->tier].n_sandbox_cut += is_cut;
    *mr_player_sandbox(player, strand) = (float)want_mb;
    player->used_mb += (double)(float)want_mb;
    return true;
}

static mr_status wait_until_up(struct mr_player *player, uint32_t strand, double up_s,
                               struct mr_err *err)
{
    player->strand[strand].state = MR_PLAYER_BOOTING;
    return mr_player_wake_at(player, strand, up_s, err);
}

/* It has memory: its tool runs when it is up, and so do those of sisters that wait for it. */
static mr_status booted(struct mr_player *player, uint32_t strand, double now_s, struct mr_err *err)
{
    const struct mr_player_strand *s = &player->strand[strand];
    const double up_s = now_s + player->plan.site.sandbox_s;
    MR_TRY(wait_until_up(player, strand, up_s, err));
    if (!s->has_family)
        return MR_OK;
    struct mr_player_family *family = &player->family[s->family];
    family->up_s = up_s;
    family->is_queued = false;
    while (family->waiting != MR_PLAYER_NONE) {
        const uint32_t sister = family->waiting;
        family->waiting = player->strand[sister].next;
        MR_TRY(wait_until_up(player, sister, up_s, err));
    }
    return MR_OK;
}

/* A tool on a CPU: the first of its session waits for memory and boots the sandbox, and others that
 * come before it is up wait with it. */
static mr_status enter_sandbox(struct mr_player *player, uint32_t strand,
                               const struct mr_script_node *node, double now_s, struct mr_err *err)
{
    struct mr_player_strand *s = &player->strand[strand];
    struct mr_player_family *family = s->has_family ? &player->family[s->family] : NULL;
    const bool has_limits = isfinite(player->plan.site.memory_mb);
    if (!has_limits && player->plan.site.sandbox_s == 0)
        return work(player, strand, node, now_s, err);
    if (*mr_player_sandbox(player, strand) > 0)
        return family != NULL && family->up_s > now_s
                   ? wait_until_up(player, strand, family->up_s, err)
                   : work(player, strand, node, now_s, err);
    if (family != NULL && family->is_queued) {
        s->state = MR_PLAYER_NO_SANDBOX;
        s->next = family->waiting;
        family->waiting = strand;
        return MR_OK;
    }
    if (player->queue_head == MR_PLAYER_NONE && boot(player, strand))
        return booted(player, strand, now_s, err);
    s->state = MR_PLAYER_NO_SANDBOX;
    s->next = MR_PLAYER_NONE;
    if (family != NULL)
        family->is_queued = true;
    if (player->queue_head == MR_PLAYER_NONE)
        player->queue_head = strand;
    else
        player->strand[player->queue_tail].next = strand;
    player->queue_tail = strand;
    return MR_OK;
}

mr_status mr_player_give_sandbox(struct mr_player *player, float memory_mb, double now_s,
                                 struct mr_err *err)
{
    player->used_mb = fmax(0, player->used_mb - (double)memory_mb);
    while (player->queue_head != MR_PLAYER_NONE) {
        const uint32_t strand = player->queue_head;
        if (!boot(player, strand))
            return MR_OK;
        player->queue_head = player->strand[strand].next;
        MR_TRY(booted(player, strand, now_s, err));
    }
    return MR_OK;
}

mr_status mr_player_check_sandboxes(const struct mr_script *script, double memory_mb,
                                    struct mr_err *err)
{
    for (size_t i = 0; i < script->n_session; i++)
        if ((double)script->session[i].sandbox_mb > memory_mb)
            return mr_err_set(
                err, MR_RANGE, MR_NOWHERE,
                "tools: session %zu needs a sandbox of %.9g MB, more than the %.9g MB "
                "there are for all sandboxes of a cell: raise \"memory\"",
                i + 1, (double)script->session[i].sandbox_mb, memory_mb);
    return MR_OK;
}

/* ---- nodes ---- */

mr_status mr_player_run(struct mr_player *player, uint32_t strand, double now_s, struct mr_err *err)
{
    const struct mr_script_node *node = mr_player_node(player, strand);
    player->strand[strand].since_s = now_s;
    const bool is_first = player->strand[strand].n_try == 0 && !player->strand[strand].was_put_off;
    player->strand[strand].was_put_off = false;
    if (!node->is_plain && is_first)
        MR_TRY(mr_player_tell(player, strand, true, now_s, err));
    switch ((enum mr_script_kind)node->kind) {
    case MR_SCRIPT_LLM:
        return pass_gate(player, strand, now_s, err);
    case MR_SCRIPT_THINK:
        return rest(player, strand, mr_player_think_s(&player->plan, node), now_s, err);
    case MR_SCRIPT_MEM:
        return work(player, strand, node, now_s, err);
    case MR_SCRIPT_TOOL:
        break;
    }
    if (node->where == MR_SCRIPT_CPU)
        return enter_sandbox(player, strand, node, now_s, err);
    if (node->where == MR_SCRIPT_GPU)
        return work(player, strand, node, now_s, err);
    player->strand[strand].state = MR_PLAYER_RESTING;
    return plan_end(player, strand, node,
                    now_s + ((double)node->tool.work_s + (double)node->tool.wait_s), err);
}

mr_status mr_player_wake(struct mr_player *player, uint32_t strand, double now_s,
                         struct mr_err *err)
{
    const struct mr_player_strand *s = &player->strand[strand];
    const double time_s = now_s - s->since_s;
    switch ((enum mr_player_state)s->state) {
    case MR_PLAYER_WAITING:
        mr_player_count(player, strand, MR_PLAYER_DELAY, time_s);
        return mr_player_run(player, strand, now_s, err);
    case MR_PLAYER_AT_GATE:
        return leave_gate(player, strand, now_s, err);
    case MR_PLAYER_AT_LOCAL:
        return complete(player, strand, now_s, err);
    case MR_PLAYER_BETWEEN:
        return mr_player_begin_next(player, strand, now_s, err);
    case MR_PLAYER_RETURNING:
        mr_player_count(player, strand, MR_PLAYER_NETWORK, time_s);
        return complete(player, strand, now_s, err);
    case MR_PLAYER_BOOTING:
        mr_player_count(player, strand, MR_PLAYER_CORES, time_s);
        return work(player, strand, mr_player_node(player, strand), now_s, err);
    case MR_PLAYER_WORKING:
        return check_work(player, strand, now_s, err);
    case MR_PLAYER_RESTING:
        if (mr_player_node(player, strand)->kind != MR_SCRIPT_THINK)
            return end_tool(player, strand, now_s, err);
        mr_player_count(player, strand, MR_PLAYER_THINK, time_s);
        return complete(player, strand, now_s, err);
    case MR_PLAYER_FREE:
    case MR_PLAYER_CALLING:
    case MR_PLAYER_NO_SANDBOX:
        break;
    }
    MR_ASSERT(false); /* an event of a strand that expects none */
    return MR_OK;
}
