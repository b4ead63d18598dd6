/* SPDX-License-Identifier: Apache-2.0 */
/* One array that is sorted by what the next rule needs; every order is total, and what is drawn
 * belongs to (seed, number of the session). */
#include "engine/work/trace_pick.h"

#include "engine/base/mem.h"
#include "engine/base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    calls_compared = 3
};

bool mr_trace_pick_is_needed(const struct mr_trace_pick_plan *plan)
{
    return plan->call_min > 0 || plan->call_max > 0 || plan->context_max > 0 ||
           plan->model != NULL || plan->n_sample > 0 || plan->is_once || plan->tick_s > 0;
}

static bool fits(const struct mr_trace_pick_plan *plan, const struct mr_session_book *book,
                 const struct mr_session *session)
{
    bool has_model = plan->model == NULL;
    if (session->n_llm < plan->call_min || (plan->call_max > 0 && session->n_llm > plan->call_max))
        return false;
    for (size_t i = 0; i < session->n_llm; i++) {
        const struct mr_session_llm *llm = &session->llm[i];
        if (plan->context_max > 0 && (uint64_t)llm->n_input + llm->n_output > plan->context_max)
            return false;
        has_model = has_model || strcmp(plan->model, mr_intern_text(&book->model, llm->model)) == 0;
    }
    return has_model;
}

/* The finish of splitmix64 over one value after the other. */
static uint64_t mix(uint64_t key, uint64_t value)
{
    uint64_t x = key + (value + 1) * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* Of its first calls, and of their number if it has fewer. */
static uint64_t key_of(const struct mr_session *session)
{
    uint64_t key = 0;
    int n = 0;
    for (size_t i = 0; i < session->n_node && n < calls_compared; i++) {
        const struct mr_session_node *node = &session->node[i];
        if (node->kind != MR_SESSION_LLM || node->lane != 0)
            continue;
        key = mix(mix(key, session->llm[node->i].n_input), session->llm[node->i].n_output);
        n++;
    }
    return mix(key, (uint64_t)n);
}

mr_status mr_trace_pick_add(struct mr_trace_pick *pick, const struct mr_session_book *book,
                            const struct mr_session *session, uint64_t number, struct mr_err *err)
{
    if (!fits(&pick->plan, book, session))
        return MR_OK;
    MR_TRY(mr_grow(&pick->item, &pick->cap, pick->n + 1, sizeof *pick->item, err));
    pick->item[pick->n++] = (struct mr_trace_pick_item){
        .arrival_s = session->head.arrival_s,
        .number = number,
        .key = key_of(session),
        .n_call = session->n_llm,
        .rank = mr_rng_u64_at(pick->plan.seed, MR_RNG_SESSION, number, 0)};
    return MR_OK;
}

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* Copies stand together, the one with most calls first. */
static int compare_copies(const void *a, const void *b)
{
    const struct mr_trace_pick_item *x = a, *y = b;
    const int by_key = compare_u64(x->key, y->key), by_call = compare_u64(y->n_call, x->n_call);
    return by_key != 0 ? by_key : by_call != 0 ? by_call : compare_u64(x->number, y->number);
}

static int compare_ranks(const void *a, const void *b)
{
    const struct mr_trace_pick_item *x = a, *y = b;
    const int by_rank = compare_u64(x->rank, y->rank);
    return by_rank != 0 ? by_rank : compare_u64(x->number, y->number);
}

static int compare_numbers(const void *a, const void *b)
{
    const struct mr_trace_pick_item *x = a, *y = b;
    return compare_u64(x->number, y->number);
}

static int compare_f64(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void sort(struct mr_trace_pick *pick, int (*compare)(const void *, const void *))
{
    if (pick->n > 1)
        qsort(pick->item, pick->n, sizeof *pick->item, compare);
}

/* Times of one tick keep their order: as many as they are, drawn and sorted, ranks being done with.
 */
static mr_status spread(struct mr_trace_pick *pick, struct mr_err *err)
{
    double *drawn = NULL;
    size_t cap = 0;
    for (size_t i = 0, n; i < pick->n; i += n) {
        const double tick_s = pick->item[i].arrival_s;
        for (n = 1; i + n < pick->n && pick->item[i + n].arrival_s <= tick_s &&
                    pick->item[i + n].arrival_s >= tick_s;
             n++)
            ;
        const mr_status st = mr_grow(&drawn, &cap, n, sizeof *drawn, err);
        if (st != MR_OK) {
            mr_free(drawn);
            return st;
        }
        for (size_t k = 0; k < n; k++) {
            const uint64_t bits =
                mr_rng_u64_at(pick->plan.seed, MR_RNG_SESSION, pick->item[i + k].number, 1);
            drawn[k] = tick_s + pick->plan.tick_s * ((double)(bits >> 11) * 0x1p-53);
        }
        if (n > 1)
            qsort(drawn, n, sizeof *drawn, compare_f64);
        for (size_t k = 0; k < n; k++)
            pick->item[i + k].arrival_s = drawn[k];
    }
    mr_free(drawn);
    return MR_OK;
}

mr_status mr_trace_pick_choose(struct mr_trace_pick *pick, struct mr_err *err)
{
    const struct mr_trace_pick_plan *plan = &pick->plan;
    if (plan->is_once) {
        size_t n = 0;
        sort(pick, compare_copies);
        for (size_t i = 0; i < pick->n; i++)
            if (i == 0 || pick->item[i].key != pick->item[n - 1].key)
                pick->item[n++] = pick->item[i];
        pick->n = n;
    }
    if (plan->n_sample > 0 && plan->n_sample < pick->n) {
        sort(pick, compare_ranks);
        pick->n = (size_t)plan->n_sample;
    }
    sort(pick, compare_numbers);
    return plan->tick_s > 0 ? spread(pick, err) : MR_OK;
}

bool mr_trace_pick_takes(struct mr_trace_pick *pick, uint64_t number, double *arrival_s)
{
    while (pick->at < pick->n && pick->item[pick->at].number < number)
        pick->at++;
    if (pick->at == pick->n || pick->item[pick->at].number != number)
        return false;
    *arrival_s = pick->item[pick->at].arrival_s;
    return true;
}

void mr_trace_pick_rewind(struct mr_trace_pick *pick)
{
    pick->at = 0;
}

void mr_trace_pick_fini(struct mr_trace_pick *pick)
{
    mr_free(pick->item);
    *pick = (struct mr_trace_pick){0};
}
