/* SPDX-License-Identifier: Apache-2.0 */
/* Dates of nodes by one pass: they stand behind all that they wait for. */
#include "engine/work/life.h"

#include "engine/base/mem.h"
#include "engine/work/player_impl.h"

#include <math.h>

static const double call_s = 2.9, token_s = 0.0152; /* of calls that were not recorded */

double mr_life_length_s(const struct mr_player_plan *plan, uint32_t node)
{
    const struct mr_script *script = plan->script;
    const struct mr_script_node *own = &script->node[node];
    const struct mr_player_site *site = &plan->site;
    const double service_s = (double)script->service_s[node];
    switch ((enum mr_script_kind)own->kind) {
    case MR_SCRIPT_LLM:
        return isnan(service_s) ? call_s + token_s * (double)own->llm.n_output : service_s;
    case MR_SCRIPT_TOOL:
        return (double)own->tool.work_s /
                   (own->where == MR_SCRIPT_CPU && site->core_speed > 0 ? site->core_speed : 1) +
               (double)own->tool.wait_s;
    case MR_SCRIPT_THINK:
        return mr_player_think_s(plan, own);
    case MR_SCRIPT_MEM:
        return site->storage_latency_s +
               (site->stream_bytes_s > 0
                    ? 1e6 * ((double)own->mem.read_mb + (double)own->mem.write_mb) /
                          site->stream_bytes_s
                    : 0);
    }
    return 0;
}

static void tell(double *date_s, uint32_t n, uint32_t to, double at_s)
{
    if (to < n)
        date_s[to] = fmax(date_s[to], at_s);
}

static double recorded_s(const struct mr_player_plan *plan, const struct mr_script_node *node)
{
    if (plan->timing != MR_PLAYER_BY_ORIGINAL || isnan(node->offset_s))
        return 0;
    return (double)node->offset_s / (plan->speed > 0 ? plan->speed : 1);
}

void mr_life_dates(const struct mr_player_plan *plan, uint32_t first, uint32_t n, double *date_s)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct mr_script_node *node = &plan->script->node[first + i];
        uint32_t n_edge;
        const struct mr_script_edge *edge = mr_script_edges(plan->script, first + i, &n_edge);
        date_s[i] = fmax(date_s[i], recorded_s(plan, node));
        const double end_s = date_s[i] + mr_life_length_s(plan, first + i);
        if (node->is_plain)
            tell(date_s, n, i + 1, end_s + (double)node[1].delay_s);
        for (uint32_t k = 0; k < n_edge; k++)
            tell(date_s, n, edge[k].to - first,
                 (edge[k].is_dispatch ? date_s[i] : end_s) + (double)edge[k].delay_s);
    }
}

static void tell_roots(const struct mr_script *script, const struct mr_script_session *session,
                       uint32_t n, double *date_s)
{
    for (uint32_t i = 0; i < n; i++)
        date_s[i] = 0;
    for (uint32_t i = 0; i < session->n_root; i++) {
        const struct mr_script_edge *root = &script->root[session->root + i];
        tell(date_s, n, root->to - session->node, (double)root->delay_s);
    }
}

/* Of a session's cuts the first behind a node; its end: none. */
static uint32_t cut_behind(const struct mr_script *script, const struct mr_script_session *session,
                           uint32_t cut)
{
    const uint32_t *own = &script->cut[session->cut];
    uint32_t low = 0, high = cut != MR_SCRIPT_NONE ? session->n_cut : 0;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (own[middle] > cut)
            high = middle;
        else
            low = middle + 1;
    }
    return low < session->n_cut ? own[low] + 1 : session->node + session->n_node;
}

uint32_t mr_life_part(const struct mr_player_plan *plan, uint32_t session, uint32_t cut,
                      double *date_s, uint32_t *n)
{
    const struct mr_script_session *own = &plan->script->session[session];
    const uint32_t first = cut != MR_SCRIPT_NONE ? cut : own->node;
    *n = cut_behind(plan->script, own, cut) - first;
    if (cut == MR_SCRIPT_NONE)
        tell_roots(plan->script, own, *n, date_s);
    else
        for (uint32_t i = 0; i < *n; i++)
            date_s[i] = 0;
    mr_life_dates(plan, first, *n, date_s);
    return first;
}

/* Ends of a session's parts, from its start. @return its own */
static double find_ends(const struct mr_player_plan *plan, const struct mr_script_session *session,
                        double *date_s, double *end_s)
{
    const struct mr_script *script = plan->script;
    const uint32_t *cut = &script->cut[session->cut];
    tell_roots(script, session, session->n_node, date_s);
    mr_life_dates(plan, session->node, session->n_node, date_s);
    for (uint32_t i = 0; i < session->n_cut; i++)
        end_s[i] = date_s[cut[i] - session->node];
    double last_s = 0;
    const uint32_t first = session->n_cut > 0 ? cut[session->n_cut - 1] : session->node;
    for (uint32_t i = first; i < session->node + session->n_node; i++)
        last_s = fmax(last_s, date_s[i - session->node] + mr_life_length_s(plan, i));
    end_s[session->n_cut] = last_s;
    return last_s;
}

mr_status mr_life_init(struct mr_life *life, const struct mr_player_plan *plan, struct mr_err *err)
{
    const struct mr_script *script = plan->script;
    const size_t n_part = script->n_cut + script->n_session;
    uint32_t n_most = 0;
    for (size_t s = 0; s < script->n_session; s++)
        n_most = script->session[s].n_node > n_most ? script->session[s].n_node : n_most;
    double *date_s = mr_alloc((size_t)n_most + 1, sizeof *date_s);
    *life = (struct mr_life){script, mr_alloc(n_part + 1, sizeof *life->end_s)};
    if (date_s == NULL || life->end_s == NULL) {
        mr_free(date_s);
        return mr_err_nomem(err, (n_part + n_most + 2) * sizeof *date_s);
    }
    double sum_s = 0;
    for (size_t s = 0; s < script->n_session; s++) {
        const struct mr_script_session *session = &script->session[s];
        double *end_s = &life->end_s[session->cut + s];
        const double own_s = find_ends(plan, session, date_s, end_s);
        for (uint32_t i = 0; i <= session->n_cut; i++)
            end_s[i] += sum_s;
        sum_s += own_s;
    }
    mr_free(date_s);
    return MR_OK;
}

void mr_life_fini(struct mr_life *life)
{
    mr_free(life->end_s);
    *life = (struct mr_life){0};
}

/* The first part that ends behind a time. */
static size_t part_at(const struct mr_life *life, size_t n_part, double at_s)
{
    size_t low = 0, high = n_part - 1;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (life->end_s[middle] > at_s)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

bool mr_life_find(const struct mr_life *life, double at, struct mr_player_start *start)
{
    const struct mr_script *script = life->script;
    const size_t n_part = script->n_cut + script->n_session;
    const double at_s = at * life->end_s[n_part - 1];
    size_t first = 0, last = script->n_session - 1;
    if (!(at_s > 0))
        return false;
    const size_t part = part_at(life, n_part, at_s);
    while (first < last) { /* the last session whose parts begin by then */
        const size_t middle = last - (last - first) / 2;
        if (script->session[middle].cut + middle <= part)
            first = middle;
        else
            last = middle - 1;
    }
    const size_t i = part - script->session[first].cut - first;
    start->session = (uint32_t)first;
    start->cut = i > 0 ? script->cut[script->session[first].cut + i - 1] : MR_PLAYER_NONE;
    start->past_s = at_s - (part > 0 ? life->end_s[part - 1] : 0);
    return true;
}
