/* SPDX-License-Identifier: Apache-2.0 */
/* Packages whose power changes about once a second, at dates of their own: brought up to date with
 * energies, a new tangent of leakage, the next crossing predicted. 2,000 packages stay in cache,
 * 144,000 do not, 400,000 are a gigawatt. The reference is one explicit Euler step of the same two
 * states: what a step of fixed length would cost, of which the fast state needs ten a second.
 *
 * A hall of 20 MW, from dies to weather: a day of 5,760 plant periods of 15 s, air that swings with
 * the sun, racks whose power changes every hour. A year is 2,102,400 of them. The reference is one
 * Euler step for each rack and period, which is no model of a hall but a yardstick. */
#include "engine/cli/bench/bench_thermal.h"

#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "platforms/layout.h"
#include "thermal/plant.h"

enum {
    n_small = 2000,
    n_large = 144000,
    n_gigawatt = 400000,
    n_turn = 16,
    n_power = 4096
};

struct heat_job {
    struct mr_package *package;
    uint32_t n;
    struct mr_cohort *start, *now;
    double power_w[n_power];
};

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static void free_job(void *data)
{
    struct heat_job *job = data;
    mr_package_destroy(job->package);
    mr_free(job->start);
    mr_free(job->now);
    mr_free(job);
}

static mr_status fill(struct heat_job *job, struct mr_err *err)
{
    struct mr_package_params params = {0};
    MR_TRY(mr_package_params("gb300", &params, err));
    MR_TRY(mr_package_create("gb300", &params, &job->package, err));
    job->start = mr_alloc_zero(job->n, sizeof *job->start);
    job->now = mr_alloc_zero(job->n, sizeof *job->now);
    if (job->start == NULL || job->now == NULL)
        return mr_err_nomem(err, job->n * sizeof *job->start);
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 4);
    for (int i = 0; i < n_power; i++)
        job->power_w[i] = mr_rng_range(&rng, 700, 1100);
    for (uint32_t i = 0; i < job->n; i++) {
        mr_cohort_start(job->package, &job->start[i], 0, 1, 40, MR_FLOW_DESIGN);
        (void)mr_cohort_set_power(job->package, &job->start[i], 0, 900, 900);
        mr_cohort_settle(job->package, &job->start[i]);
    }
    return MR_OK;
}

static mr_status setup(uint32_t n, struct mr_bench_job *bench, struct mr_err *err)
{
    struct heat_job *job = mr_alloc_zero(1, sizeof *job);
    if (job == NULL)
        return mr_err_nomem(err, sizeof *job);
    job->n = n;
    bench->data = job;
    bench->n_op = (uint64_t)n * n_turn;
    return fill(job, err);
}

static mr_status setup_small(const struct mr_bench_case *self, struct mr_bench_job *bench,
                             struct mr_err *err)
{
    (void)self;
    return setup(n_small, bench, err);
}

static mr_status setup_large(const struct mr_bench_case *self, struct mr_bench_job *bench,
                             struct mr_err *err)
{
    (void)self;
    return setup(n_large, bench, err);
}

static mr_status setup_gigawatt(const struct mr_bench_case *self, struct mr_bench_job *bench,
                                struct mr_err *err)
{
    (void)self;
    return setup(n_gigawatt, bench, err);
}

static uint64_t sum_of(const struct heat_job *job)
{
    double sum = 0;
    for (uint32_t i = 0; i < job->n; i++)
        sum += job->now[i].mean_c[0] + job->now[i].worst_c[0] + job->now[i].out_j;
    return bits_of(sum);
}

static uint64_t work_event(void *data)
{
    struct heat_job *job = data;
    memcpy(job->now, job->start, job->n * sizeof *job->now);
    for (uint32_t turn = 1; turn <= n_turn; turn++)
        for (uint32_t i = 0; i < job->n; i++) {
            struct mr_cohort *c = &job->now[i];
            const double t_s = turn + 1e-6 * i;
            const double power_w = job->power_w[(i * 7 + turn) % n_power];
            while (c->next_s <= t_s)
                (void)mr_cohort_fire(job->package, c);
            (void)mr_cohort_set_power(job->package, c, t_s, power_w, power_w);
        }
    return sum_of(job);
}

static uint64_t work_sweep(void *data)
{
    struct heat_job *job = data;
    memcpy(job->now, job->start, job->n * sizeof *job->now);
    for (uint32_t turn = 1; turn <= n_turn; turn++)
        for (uint32_t i = 0; i < job->n; i++)
            mr_cohort_advance(job->package, &job->now[i], turn);
    return sum_of(job);
}

static uint64_t plain(void *data)
{
    struct heat_job *job = data;
    const double g1_w_k = 1 / 0.012, g2_w_k = 1 / 0.018, c1 = 0.05 / 60, c2 = 0.05 / 400;
    memcpy(job->now, job->start, job->n * sizeof *job->now);
    for (uint32_t turn = 1; turn <= n_turn; turn++)
        for (uint32_t i = 0; i < job->n; i++) {
            double *x = job->now[i].mean_c;
            const double power_w = job->power_w[(i * 7 + turn) % n_power];
            const double across_w = (x[0] - x[1]) * g1_w_k;
            const double out_w = (x[1] - 40) * g2_w_k;
            x[0] += c1 * (power_w - across_w);
            x[1] += c2 * (across_w - out_w);
        }
    return sum_of(job);
}

/* ---- a hall ---- */

static const char hall_layout[] =
    "<layout name=\"bench\">\n <cooling supply=\"45 degC\"/>\n <hall>\n  <row count=\"9\">\n"
    "   <rack card=\"vr_nvl72\" count=\"11\"/>\n   <cdu units=\"3\" spare=\"1\"/>\n  </row>\n"
    " </hall>\n</layout>\n";

struct hall_job {
    struct mr_site *site;
    struct mr_weather weather;
    bool has_weather;
    struct mr_plant *plant;
    double *x; /* of the reference: two temperatures a rack */
};

enum {
    n_hour = 24,
    n_period = 24 * 240
};

static void free_hall(void *data)
{
    struct hall_job *job = data;
    mr_plant_destroy(job->plant);
    if (job->has_weather)
        mr_weather_fini(&job->weather);
    mr_site_destroy(job->site);
    mr_free(job->x);
    mr_free(job);
}

static mr_status fill_hall(struct hall_job *job, struct mr_diags *diags, struct mr_err *err)
{
    struct mr_weather_params weather;
    struct mr_plant_params params;
    MR_TRY(mr_layout_load_text("bench.layout.xml", mr_str_of(hall_layout), &job->site, diags));
    mr_weather_defaults(&weather);
    weather.dry_bulb_c = 26;
    weather.wet_bulb_c = 15;
    weather.swing_k = 8;
    MR_TRY(mr_weather_make(&weather, &job->weather, err));
    job->has_weather = true;
    mr_plant_defaults(&params);
    MR_TRY(mr_plant_create(job->site, &job->weather, &params, NULL, 0, &job->plant, diags));
    job->x = mr_alloc_zero(2 * job->plant->n_rack, sizeof *job->x);
    return job->x != NULL ? MR_OK : mr_err_nomem(err, 2 * job->plant->n_rack * sizeof *job->x);
}

static mr_status setup_hall(const struct mr_bench_case *self, struct mr_bench_job *bench,
                            struct mr_err *err)
{
    struct mr_diags diags = {0};
    struct hall_job *job = mr_alloc_zero(1, sizeof *job);
    (void)self;
    if (job == NULL)
        return mr_err_nomem(err, sizeof *job);
    bench->data = job;
    bench->n_op = n_period;
    const mr_status st = fill_hall(job, &diags, err);
    if (st != MR_OK && err->status == MR_OK && diags.n_item > 0)
        *err = diags.item[0].err;
    return st;
}

static uint64_t work_hall(void *data)
{
    const struct hall_job *job = data;
    struct mr_plant_state *state;
    struct mr_plant_sums sums;
    if (mr_plant_state_create(job->plant, 0, &state, NULL) != MR_OK)
        return 0;
    for (int hour = 1; hour <= n_hour; hour++) {
        for (uint32_t i = 0; i < job->plant->n_rack; i++)
            mr_plant_set_power(job->plant, state, i,
                               job->site->rack[i].rated_w * (0.5 + 0.05 * ((hour + (int)i) % 10)));
        mr_plant_advance(job->plant, state, hour * 3600.0);
    }
    mr_plant_sums(job->plant, state, &sums);
    mr_plant_state_destroy(state);
    return bits_of(sums.it_j + sums.ambient_j + sums.die_max_c);
}

static uint64_t plain_hall(void *data)
{
    const struct hall_job *job = data;
    const double g1_w_k = 1 / 0.012, g2_w_k = 1 / 0.018, c1 = 0.05 / 60, c2 = 0.05 / 400;
    double sum = 0;
    for (size_t i = 0; i < 2 * job->plant->n_rack; i++)
        job->x[i] = 45;
    for (int period = 0; period < n_period; period++)
        for (size_t i = 0; i < job->plant->n_rack; i++) {
            double *x = &job->x[2 * i];
            const double across_w = (x[0] - x[1]) * g1_w_k, out_w = (x[1] - 45) * g2_w_k;
            x[0] += c1 * (1200 - across_w);
            x[1] += c2 * (across_w - out_w);
        }
    for (size_t i = 0; i < 2 * job->plant->n_rack; i++)
        sum += job->x[i];
    return bits_of(sum);
}

// clang-format off
#define HEAT_CASE(name_, setup_, work_) \
    {.name = (name_), .op = "package", .reference = "an Euler step", .setup = (setup_), .work = (work_), \
     .plain = plain, .teardown = free_job}
static const struct mr_bench_case cases[] = {
    HEAT_CASE("thermal/power_event", setup_small, work_event),
    HEAT_CASE("thermal/power_event_144k", setup_large, work_event),
    HEAT_CASE("thermal/power_event_400k", setup_gigawatt, work_event),
    HEAT_CASE("thermal/sweep_144k", setup_large, work_sweep),
    {.name = "thermal/hall_20mw", .op = "period", .reference = "Euler steps of its racks", .setup = setup_hall,
     .work = work_hall, .plain = plain_hall, .teardown = free_hall},
};
// clang-format on

const struct mr_bench_group mr_bench_thermal_group = {cases, sizeof cases / sizeof *cases};
