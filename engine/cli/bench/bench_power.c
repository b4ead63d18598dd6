/* SPDX-License-Identifier: Apache-2.0 */
/* A machine of 9,600 nodes behind 2,400 rectifiers, as published power twins of fixed step have it:
 * every node changes (a day of 15 s steps is 5,760 times 9,600 of these operations), and one node
 * alone does. Whole days of it: every node changes at every step, or jobs start and end and nothing
 * else changes; the checksum is the day's energy, and the twin of fixed step that recomputes all at
 * every step must come to the same. A decision of the governor over 400,000 packages that all have
 * changed, where the site's limit binds and where a rest is lent. A day of a hall with its supply.
 * References: the same losses in one plain loop over arrays; a sum over the packages. */
#include "engine/cli/bench/bench_power.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "platforms/layout.h"
#include "power/supply.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    n_rectifier = 2400,
    n_node = 4 * n_rectifier,
    n_power = 8192,
    n_sweep = 48,
    n_event = 4096,
    n_step = 5760, /* of 15 s in a day */
    n_job = 1500,  /* in a day */
    n_job_max = 64,
    n_hall = 8,
    n_row = 40,
    n_rack = 18,
    n_package = 72, /* 8 x 40 x 18 x 72 = 414,720 */
    n_tray = 18,    /* of a rack */
    tray_level = 3,
    fan_max = 5
};

/* Nodes of a job begin, or end, to draw what it needs. */
struct job_event {
    uint32_t step, first, n;
    double w;
};

struct power_job {
    double *node_w; /* of the twin of fixed step */
    struct job_event *event;
    struct mr_circuit *tree;
    struct mr_chain *chain;
    double *power_w; /* one after the other, again and again */
    double t_s;
    uint32_t at;
    const double *demand_w; /* of packages, longer than they are many */
    struct mr_arena arena;
    struct mr_govern_tree *govern;
    struct mr_govern_params params;
    struct mr_govern_load load;
    struct mr_govern_pass pass;
    struct mr_site *site;
    struct mr_supply *supply;
};

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static void free_job(void *data)
{
    struct power_job *job = data;
    mr_supply_destroy(job->supply);
    mr_site_destroy(job->site);
    mr_chain_destroy(job->chain);
    mr_circuit_destroy(job->tree);
    mr_arena_fini(&job->arena);
    mr_free(job);
}

static struct power_job *new_job(struct mr_bench_job *bench, struct mr_err *err)
{
    struct power_job *job = mr_alloc_zero(1, sizeof *job);
    if (job == NULL) {
        mr_err_nomem(err, sizeof *job);
        return NULL;
    }
    bench->data = job;
    job->power_w = mr_arena_zero(&job->arena, n_power, sizeof *job->power_w, err);
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 11);
    for (int i = 0; i < n_power && job->power_w != NULL; i++)
        job->power_w[i] = mr_rng_range(&rng, 600, 2700);
    return job;
}

/* ---- a chain ---- */

static void put(struct mr_circuit_node *node, struct mr_circuit_edge *edge, uint32_t i,
                uint32_t parent, double standing_w, double efficiency)
{
    node[i] = mr_circuit_node_of("n", MR_STAGE_NONE, HUGE_VAL);
    node[i].units.unit = mr_stage_affine(standing_w, efficiency, HUGE_VAL);
    if (i == 0)
        return;
    node[i].first_edge = i - 1;
    node[i].n_edge = 1;
    edge[i - 1] = (struct mr_circuit_edge){parent, 1, HUGE_VAL};
}

static mr_status build_chain(struct power_job *job, struct mr_err *err)
{
    const uint32_t n = 1 + n_rectifier + n_node;
    struct mr_diags diags = {0};
    const struct mr_chain_options options = {0};
    struct mr_circuit_node *node = mr_arena_zero(&job->arena, n, sizeof *node, err);
    struct mr_circuit_edge *edge = mr_arena_zero(&job->arena, n, sizeof *edge, err);
    if (job->power_w == NULL || node == NULL || edge == NULL)
        return MR_NOMEM;
    put(node, edge, 0, 0, 0, 1);
    for (uint32_t i = 0; i < n_rectifier; i++)
        put(node, edge, 1 + i, 0, 17, 0.96);
    for (uint32_t i = 0; i < n_node; i++)
        put(node, edge, 1 + n_rectifier + i, 1 + i / 4, 13, 0.98);
    MR_TRY(mr_circuit_create(node, n, edge, n - 1, 0, &job->tree, &diags));
    return mr_chain_create(job->tree, &options, &job->chain, err);
}

static mr_status setup_sweep(const struct mr_bench_case *self, struct mr_bench_job *bench,
                             struct mr_err *err)
{
    (void)self;
    struct power_job *job = new_job(bench, err);
    bench->n_op = (uint64_t)n_sweep * n_node;
    return job != NULL ? build_chain(job, err) : MR_NOMEM;
}

static mr_status setup_event(const struct mr_bench_case *self, struct mr_bench_job *bench,
                             struct mr_err *err)
{
    MR_TRY(setup_sweep(self, bench, err));
    bench->n_op = n_event;
    return MR_OK;
}

static uint64_t work_sweep(void *data)
{
    struct power_job *job = data;
    for (int s = 0; s < n_sweep; s++) {
        for (uint32_t i = 0; i < n_node; i++)
            mr_chain_set_demand(job->chain, 1 + n_rectifier + i,
                                job->power_w[(i + job->at) % n_power]);
        job->at += 97;
        mr_chain_advance(job->chain, job->t_s += 15);
    }
    return bits_of(mr_chain_in_w(job->chain, 0));
}

/* The same watts and joules without a tree. */
static uint64_t plain_sweep(void *data)
{
    struct power_job *job = data;
    double sum_j = 0;
    for (int s = 0; s < n_sweep; s++) {
        double total_w = 0;
        for (uint32_t r = 0; r < n_rectifier; r++) {
            double bus_w = 0;
            for (uint32_t k = 0; k < 4; k++)
                bus_w += (job->power_w[(4 * r + k + job->at) % n_power] + 13) / 0.98;
            total_w += (bus_w + 17) / 0.96;
        }
        job->at += 97;
        sum_j += 15 * total_w;
    }
    return bits_of(sum_j);
}

static uint64_t work_event(void *data)
{
    struct power_job *job = data;
    for (uint32_t i = 0; i < n_event; i++) {
        mr_chain_set_demand(job->chain, 1 + n_rectifier + (i * 7919 + job->at) % n_node,
                            job->power_w[(i + job->at) % n_power]);
        mr_chain_advance(job->chain, job->t_s += 0.01);
    }
    job->at++;
    return bits_of(mr_chain_in_w(job->chain, 0));
}

/* ---- days ---- */

static const double idle_w = 600;

static int by_step(const void *a, const void *b)
{
    const struct job_event *x = a, *y = b;
    return x->step != y->step ? (x->step < y->step ? -1 : 1)
                              : (x->first > y->first) - (x->first < y->first);
}

/* Jobs of 1 to 64 neighbors; a node that is in two of them draws what the last event said. */
static mr_status draw_jobs(struct power_job *job, struct mr_err *err)
{
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 12);
    job->event = mr_arena_zero(&job->arena, (size_t)2 * n_job, sizeof *job->event, err);
    job->node_w = mr_arena_zero(&job->arena, n_node, sizeof *job->node_w, err);
    if (job->event == NULL || job->node_w == NULL)
        return MR_NOMEM;
    for (uint32_t j = 0; j < n_job; j++) {
        const uint32_t n = 1 + (uint32_t)mr_rng_below(&rng, n_job_max);
        const uint32_t first = (uint32_t)mr_rng_below(&rng, n_node - n);
        const uint32_t begin = (uint32_t)mr_rng_below(&rng, n_step - 1);
        const uint32_t end = begin + 1 + (uint32_t)mr_rng_below(&rng, n_step - begin - 1);
        job->event[2 * j] = (struct job_event){begin, first, n, mr_rng_range(&rng, 900, 2700)};
        job->event[2 * j + 1] = (struct job_event){end, first, n, idle_w};
    }
    qsort(job->event, (size_t)2 * n_job, sizeof *job->event, by_step);
    return MR_OK;
}

static mr_status setup_day(const struct mr_bench_case *self, struct mr_bench_job *bench,
                           struct mr_err *err)
{
    if (bench->is_quick && self->size > 0) {
        snprintf(bench->skipped, sizeof bench->skipped, "takes seconds (not with --quick)");
        return MR_OK;
    }
    MR_TRY(setup_sweep(self, bench, err));
    bench->n_op = 1;
    return draw_jobs(bench->data, err);
}

/* Sums in another order differ in their last bits: tens of kilojoules of terajoules count. */
static uint64_t sum_of(double energy_j)
{
    return (uint64_t)(energy_j * 1e-4 + 0.5);
}

static void set_all(struct power_job *job, uint32_t step)
{
    for (uint32_t i = 0; i < n_node; i++)
        job->node_w[i] = job->power_w[(i + 97 * step) % n_power];
}

static uint32_t set_jobs(struct power_job *job, uint32_t step, uint32_t at)
{
    for (; at < 2 * n_job && job->event[at].step == step; at++)
        for (uint32_t k = 0; k < job->event[at].n; k++)
            job->node_w[job->event[at].first + k] = job->event[at].w;
    return at;
}

static double energy_j(const struct power_job *job)
{
    struct mr_chain_total total;
    mr_chain_total(job->chain, job->t_s, &total);
    return total.source_j;
}

static void set_idle(struct power_job *job)
{
    for (uint32_t i = 0; i < n_node; i++) {
        job->node_w[i] = idle_w;
        mr_chain_set_demand(job->chain, 1 + n_rectifier + i, idle_w);
    }
}

static uint64_t work_day_all(void *data)
{
    struct power_job *job = data;
    const double before_j = energy_j(job);
    for (uint32_t s = 0; s < n_step; s++) {
        set_all(job, s);
        for (uint32_t i = 0; i < n_node; i++)
            mr_chain_set_demand(job->chain, 1 + n_rectifier + i, job->node_w[i]);
        mr_chain_advance(job->chain, job->t_s += 15);
    }
    return sum_of(energy_j(job) - before_j);
}

static uint64_t work_day_jobs(void *data)
{
    struct power_job *job = data;
    const double before_j = energy_j(job), start_s = job->t_s;
    set_idle(job);
    for (uint32_t at = 0; at < 2 * n_job; at++) {
        const struct job_event *event = &job->event[at];
        const double t_s = start_s + 15. * event->step;
        if (t_s > job->t_s)
            mr_chain_advance(job->chain, job->t_s = t_s);
        for (uint32_t k = 0; k < event->n; k++)
            mr_chain_set_demand(job->chain, 1 + n_rectifier + event->first + k, event->w);
    }
    mr_chain_advance(job->chain, job->t_s = start_s + 15. * n_step);
    return sum_of(energy_j(job) - before_j);
}

/* What a step of the twin of fixed step is: every node, every rectifier. */
static double plain_step_w(const struct power_job *job)
{
    double total_w = 0;
    for (uint32_t r = 0; r < n_rectifier; r++) {
        double bus_w = 0;
        for (uint32_t k = 0; k < 4; k++)
            bus_w += (job->node_w[4 * r + k] + 13) / 0.98;
        total_w += (bus_w + 17) / 0.96;
    }
    return total_w;
}

static uint64_t plain_day_all(void *data)
{
    struct power_job *job = data;
    double sum_j = 0;
    for (uint32_t s = 0; s < n_step; s++) {
        set_all(job, s);
        sum_j += 15 * plain_step_w(job);
    }
    return sum_of(sum_j);
}

static uint64_t plain_day_jobs(void *data)
{
    struct power_job *job = data;
    double sum_j = 0;
    uint32_t at = 0;
    for (uint32_t i = 0; i < n_node; i++)
        job->node_w[i] = idle_w;
    for (uint32_t s = 0; s < n_step; s++) {
        at = set_jobs(job, s, at);
        sum_j += 15 * plain_step_w(job);
    }
    return sum_of(sum_j);
}

/* ---- the governor ---- */

/* Children of every node of a level; 0: leaves. */
static const uint32_t racks[fan_max + 1] = {n_hall, n_row, n_rack, n_package};
static const uint32_t trays[fan_max + 1] = {n_hall, n_row, n_rack, n_tray, n_package / n_tray};

static mr_status build_govern(struct power_job *job, const uint32_t *fan, uint64_t package_w,
                              struct mr_err *err)
{
    const double tray_w = 5e3;
    uint32_t n = 1, level = 1, first = 0;
    for (int k = 0; fan[k] > 0; k++)
        n += level *= fan[k];
    struct mr_govern_node *node = mr_arena_zero(&job->arena, n, sizeof *node, err);
    double *low_w = mr_arena_zero(&job->arena, n, sizeof *low_w, err);
    double *high_w = mr_arena_zero(&job->arena, n, sizeof *high_w, err);
    double *demand_w = mr_arena_zero(&job->arena, n + n_power, sizeof *demand_w, err);
    if (job->power_w == NULL || node == NULL || low_w == NULL || high_w == NULL || demand_w == NULL)
        return MR_NOMEM;
    uint32_t made = 1;
    node[0] = (struct mr_govern_node){0, HUGE_VAL, 1, 1};
    for (int k = 0; fan[k] > 0; k++) {
        const uint32_t end = made;
        const double limit_w = fan == trays && k == tray_level ? tray_w : HUGE_VAL;
        for (uint32_t p = first; p < end; p++)
            for (uint32_t c = 0; c < fan[k]; c++)
                node[made++] = (struct mr_govern_node){p, limit_w, 1, 1};
        first = end;
    }
    for (uint32_t i = 0; i < n; i++) {
        low_w[i] = 300;
        high_w[i] = 1400;
    }
    for (uint32_t i = 0; i < n + n_power; i++)
        demand_w[i] = 0.5 * job->power_w[i % n_power];
    MR_TRY(mr_govern_tree_build(&job->arena, node, n, &job->govern, err));
    MR_TRY(mr_govern_pass_init(&job->arena, job->govern, &job->pass, err));
    mr_govern_defaults(&job->params);
    job->params.policy = MR_GOVERN_POLICY_MAXLPS;
    job->demand_w = demand_w;
    job->load = (struct mr_govern_load){.min_w = low_w,
                                        .max_w = high_w,
                                        .demand_w = demand_w,
                                        .budget_w = 414720.0 * (double)package_w};
    return MR_OK;
}

static mr_status setup_govern(const struct mr_bench_case *self, struct mr_bench_job *bench,
                              struct mr_err *err)
{
    struct power_job *job = new_job(bench, err);
    bench->n_op = 1;
    return job != NULL ? build_govern(job, racks, self->size, err) : MR_NOMEM;
}

static mr_status setup_trays(const struct mr_bench_case *self, struct mr_bench_job *bench,
                             struct mr_err *err)
{
    struct power_job *job = new_job(bench, err);
    bench->n_op = 1;
    return job != NULL ? build_govern(job, trays, self->size, err) : MR_NOMEM;
}

static uint64_t work_govern(void *data)
{
    struct power_job *job = data;
    job->at = (job->at + 97) % n_power;
    job->load.demand_w = job->demand_w + job->at;
    mr_govern_decide(job->govern, &job->params, &job->load, &job->pass);
    return bits_of(job->pass.alloc_w[mr_govern_n_node(job->govern) - 1]);
}

static uint64_t plain_govern(void *data)
{
    struct power_job *job = data;
    double sum_w = 0;
    for (uint32_t i = 0; i < mr_govern_n_node(job->govern); i++)
        sum_w +=
            job->load.demand_w[i] < job->load.max_w[i] ? job->load.demand_w[i] : job->load.max_w[i];
    return bits_of(sum_w);
}

/* ---- a hall ---- */

static mr_status setup_hall(const struct mr_bench_case *self, struct mr_bench_job *bench,
                            struct mr_err *err)
{
    (void)self;
    static const char *const text =
        "<layout name=\"hall\"><grid limit=\"10 MW\"/><power><generator/></power><hall>"
        "<row count=\"8\"><rack card=\"gb200_nvl72\" count=\"8\"/></row></hall></layout>";
    struct power_job *job = new_job(bench, err);
    struct mr_diags diags = {0};
    struct mr_supply_options options = {0};
    if (job == NULL || job->power_w == NULL)
        return MR_NOMEM;
    bench->n_op = 1440;
    mr_supply_defaults(&options.params);
    mr_status st = mr_layout_load_text("hall", mr_str_of(text), &job->site, &diags);
    if (st == MR_OK)
        st = mr_supply_create(job->site, &options, &job->supply, &diags);
    if (st != MR_OK && diags.n_item > 0)
        *err = diags.item[0].err;
    return st;
}

static uint64_t work_hall(void *data)
{
    struct power_job *job = data;
    for (int minute = 0; minute < 1440; minute++) {
        for (uint32_t i = 0; i < job->site->n_rack; i++)
            mr_supply_set_rack(job->supply, i, 45 * job->power_w[(i + job->at) % n_power]);
        job->at += 97;
        mr_supply_advance(job->supply, job->t_s += 60);
    }
    return bits_of(mr_chain_in_w(mr_supply_chain(job->supply), 0));
}

static uint64_t plain_hall(void *data)
{
    struct power_job *job = data;
    double sum_j = 0;
    for (int minute = 0; minute < 1440; minute++, job->at += 97)
        for (uint32_t i = 0; i < job->site->n_rack; i++)
            sum_j += 60 * 45 * job->power_w[(i + job->at) % n_power] / 0.95;
    return bits_of(sum_j);
}

// clang-format off
static const struct mr_bench_case cases[] = {
    {.name = "power/chain_sweep", .op = "node", .reference = "the same losses in a loop over arrays", .setup = setup_sweep,
     .work = work_sweep, .plain = plain_sweep, .teardown = free_job},
    {.name = "power/chain_event", .op = "event", .reference = "all nodes in a loop over arrays, 48 times", .setup = setup_event,
     .work = work_event, .plain = plain_sweep, .teardown = free_job},
    {.name = "power/day_all_fixed", .op = "day", .reference = "itself: every node at every step of 15 s", .setup = setup_day,
     .work = plain_day_all, .plain = plain_day_all, .teardown = free_job, .size = 1},
    {.name = "power/day_all", .op = "day", .reference = "every node at every step of 15 s, in a loop", .setup = setup_day,
     .work = work_day_all, .plain = plain_day_all, .teardown = free_job, .size = 1, .same = "power/day_all_fixed"},
    {.name = "power/day_jobs_fixed", .op = "day", .reference = "itself: every node at every step of 15 s", .setup = setup_day,
     .work = plain_day_jobs, .plain = plain_day_jobs, .teardown = free_job},
    {.name = "power/day_jobs", .op = "day", .reference = "every node at every step of 15 s, in a loop", .setup = setup_day,
     .work = work_day_jobs, .plain = plain_day_jobs, .teardown = free_job, .same = "power/day_jobs_fixed"},
    {.name = "power/govern_414720", .op = "decision", .reference = "adding their demands", .setup = setup_govern,
     .work = work_govern, .plain = plain_govern, .teardown = free_job, .size = 800},
    {.name = "power/govern_414720_rest", .op = "decision", .reference = "adding their demands", .setup = setup_govern,
     .work = work_govern, .plain = plain_govern, .teardown = free_job, .size = 1000},
    {.name = "power/govern_414720_trays", .op = "decision", .reference = "adding their demands", .setup = setup_trays,
     .work = work_govern, .plain = plain_govern, .teardown = free_job, .size = 800},
    {.name = "power/hall_day", .op = "minute", .reference = "adding the joules of its racks", .setup = setup_hall,
     .work = work_hall, .plain = plain_hall, .teardown = free_job},
};
// clang-format on

const struct mr_bench_group mr_bench_power_group = {cases, sizeof cases / sizeof *cases};
