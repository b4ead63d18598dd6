/* SPDX-License-Identifier: Apache-2.0 */
/* Cohorts of packages. A change costs four exponentials, one for leakage, and predictions only for
 * thresholds that the sum of both modes' swings can reach at all.
 *
 * Heat to the coolant over dt = P0 dt + k int (Tj - T0) - C1 dTj - C2 dTp: what came in less what
 * stayed, so nothing is lost however often the cohort is brought up to date.
 *
 * Tangent: leakage is a0 + k (T - T0) with a0 exact at T0 and k on a ladder of ratio 1.1, so within
 * `relinearize_k` of T0 it is off by at most 0.5 beta^2 Pl dT^2 + 0.05 k dT: 2 W of 200 W at 5 K.
 * Map: members - prediction - changes - events - questions - parts of a cohort. */
#include "thermal/cohort.h"

#include "engine/base/assert.h"
#include "engine/base/rng.h"

static const double date_tolerance_s = 1e-9;

/* ---- members ---- */

static const struct mr_package_class *class_of(const struct mr_package *package,
                                               const struct mr_cohort *c)
{
    return mr_package_class_of(package, c->flow, c->slope);
}

/* Coolant at the plate: those upstream in series have warmed it. */
static double inlet_of(const struct mr_package *package, const struct mr_cohort *c)
{
    return c->inlet_c + package->series_k_w[c->flow] * c->base_w;
}

/* Slopes of both states, split by mode: [state][mode]. */
struct swing {
    double w[2][2];
};

static inline struct swing swing_of(const struct mr_package *package, const struct mr_cohort *c,
                                    const struct mr_package_member *m, const double x[2])
{
    const double across_w = (x[0] - x[1]) * m->g1_w_k;
    const double die =
        (c->base_w + c->slope_w_k * (x[0] - c->tangent_c) - across_w) * package->inverse_c1;
    const double plate =
        (across_w - (x[1] - inlet_of(package, c)) * m->g2_w_k) * package->inverse_c2;
    const double die_slow = m->p[0] * die + m->p[1] * plate;
    const double plate_slow = m->p[2] * die + (1 - m->p[0]) * plate;
    return (struct swing){{{die_slow, die - die_slow}, {plate_slow, plate - plate_slow}}};
}

void mr_cohort_advance(const struct mr_package *package, struct mr_cohort *cohort, double t_s)
{
    const double dt = t_s - cohort->t_s;
    MR_ASSERT(dt >= 0);
    if (dt == 0)
        return;
    const struct mr_package_class *class = class_of(package, cohort);
    const struct mr_package_member *m = &class->mean;
    struct swing s = swing_of(package, cohort, m, cohort->mean_c);
    struct mr_two_state_phi slow = mr_two_state_phi_of(m->l[0], m->inverse_l[0], dt);
    struct mr_two_state_phi fast = mr_two_state_phi_of(m->l[1], m->inverse_l[1], dt);
    const double die_ks = slow.two * s.w[0][0] + fast.two * s.w[0][1];
    const double in_j = cohort->base_w * dt +
                        cohort->slope_w_k * ((cohort->mean_c[0] - cohort->tangent_c) * dt + die_ks);
    const double die_k = slow.one * s.w[0][0] + fast.one * s.w[0][1];
    const double plate_k = slow.one * s.w[1][0] + fast.one * s.w[1][1];
    cohort->in_j += in_j;
    cohort->out_j += in_j - package->p.c1_j_k * die_k - package->p.c2_j_k * plate_k;
    cohort->mean_c[0] += die_k;
    cohort->mean_c[1] += plate_k;
    m = &class->worst;
    s = swing_of(package, cohort, m, cohort->worst_c);
    slow.one = mr_two_state_phi_of(m->l[0], m->inverse_l[0], dt).one;
    fast.one = mr_two_state_phi_of(m->l[1], m->inverse_l[1], dt).one;
    for (int i = 0; i < 2; i++)
        cohort->worst_c[i] += slow.one * s.w[i][0] + fast.one * s.w[i][1];
    if (cohort->mode != MR_COHORT_RUN && cohort->power_w < cohort->demand_w)
        cohort->held_s += dt;
    cohort->t_s = t_s;
}

/* ---- prediction ---- */

/* A new tangent of leakage at the mean die. */
static void linearize(const struct mr_package *package, struct mr_cohort *c)
{
    if (c->mode == MR_COHORT_OFF) {
        c->base_w = 0;
        c->slope = 0;
        c->slope_w_k = 0;
        return;
    }
    c->tangent_c = c->mean_c[0];
    if (c->is_gated) {
        c->base_w = c->power_w;
        c->slope = 0;
        c->slope_w_k = 0;
        return;
    }
    c->base_w = c->power_w + mr_package_leak_w(package, c->tangent_c);
    c->slope = (uint8_t)mr_package_slope(package, c->tangent_c);
    c->slope_w_k = package->slope_w_k[c->slope];
}

static inline struct mr_two_state_wave wave_of(const struct mr_package_member *m,
                                               const struct swing *s, double die_c)
{
    return (struct mr_two_state_wave){.y0 = die_c,
                                      .w = {s->w[0][0], s->w[0][1]},
                                      .l = {m->l[0], m->l[1]},
                                      .inverse_l = {m->inverse_l[0], m->inverse_l[1]}};
}

/* The earlier of what is predicted and this crossing. */
static inline void consider(struct mr_cohort *c, const struct mr_two_state_wave *w, double level_c,
                            int direction, enum mr_cohort_event event)
{
    if (direction * (mr_two_state_wave_bound(w, direction) - level_c) < 0)
        return;
    const double t_s =
        c->t_s + mr_two_state_wave_crossing_s(w, level_c, direction, date_tolerance_s);
    if (t_s < c->next_s) {
        c->next_s = t_s;
        c->next = (uint8_t)event;
    }
}

/* No later than the die is `relinearize_k` from the tangent's point, without exp or log: a stable
 * mode moves by at most w t and by at most w / |l|, so the fast one takes its share at once and the
 * slow one what is left, in a straight line. Early is fine, it only makes a better tangent. */
static void consider_tangent(const struct mr_package *package, struct mr_cohort *c,
                             const struct mr_two_state_wave *w)
{
    double width_k = package->p.relinearize_k - fabs(c->mean_c[0] - c->tangent_c);
    const double slow = fabs(w->w[0]), fast = fabs(w->w[1]);
    const double fast_k = -fast * w->inverse_l[1], slow_k = -slow * w->inverse_l[0];
    const bool is_stable = w->l[0] < 0;
    if (is_stable && fast_k + slow_k <= width_k)
        return;
    double speed = slow + fast;
    if (fast_k < 0.5 * width_k) {
        speed = slow;
        width_k -= fast_k;
    }
    /* a growing mode doubles its speed in ln 2 / l */
    double dt = width_k / speed;
    if (!is_stable)
        dt = fmin(0.5 * dt, 0.6931 / fmax(w->l[0], 1e-9));
    if (c->t_s + dt < c->next_s) {
        c->next_s = c->t_s + dt;
        c->next = MR_COHORT_RELINEARIZE;
    }
}

/* May the worst member start again? Within rounding of the crossing, too. */
static bool is_cold(const struct mr_package *package, const struct mr_cohort *c)
{
    static const double rounding_k = 1e-6;
    return c->worst_c[0] <= package->p.restart_c + rounding_k;
}

/* Tj at which Tj - 0.25 P R1 of the worst member is the memory's limit. */
static double memory_level_c(const struct mr_package *package, const struct mr_cohort *c,
                             const struct mr_package_member *m)
{
    const double share = MR_PACKAGE_MEMORY_SHARE / m->g1_w_k;
    return (package->p.memory_c + share * (c->base_w - c->slope_w_k * c->tangent_c)) /
           (1 - share * c->slope_w_k);
}

/* Cold enough now, or when it has cooled; nobody starts into coolant that stands still. */
static void predict_restart(const struct mr_package *package, struct mr_cohort *c,
                            const struct mr_two_state_wave *w)
{
    if (c->flow == MR_FLOW_NONE)
        return;
    if (is_cold(package, c)) {
        c->next_s = c->t_s;
        c->next = MR_COHORT_RESTART;
    } else {
        consider(c, w, package->p.restart_c, -1, MR_COHORT_RESTART);
    }
    if (c->next_s < HUGE_VAL)
        c->next_s = fmax(c->next_s, c->restart_s);
}

static void predict(const struct mr_package *package, struct mr_cohort *c)
{
    const struct mr_package_class *class = class_of(package, c);
    c->next_s = HUGE_VAL;
    c->next = MR_COHORT_NONE;
    c->generation++;
    const struct swing worst = swing_of(package, c, &class->worst, c->worst_c);
    const struct mr_two_state_wave w = wave_of(&class->worst, &worst, c->worst_c[0]);
    if (c->mode == MR_COHORT_OFF) {
        predict_restart(package, c, &w);
        return;
    }
    const double stop_c = c->mode == MR_COHORT_RUN ? package->p.slow_c : package->p.crit_c;
    consider(c, &w, stop_c, 1,
             c->mode == MR_COHORT_RUN ? MR_COHORT_THROTTLE_ON : MR_COHORT_SHUTDOWN);
    const double memory_c = memory_level_c(package, c, &class->worst);
    if (c->is_memory_hot && c->worst_c[0] < memory_c - package->p.hysteresis_k)
        c->is_memory_hot = false;
    if (!c->is_memory_hot && memory_c < stop_c)
        consider(c, &w, memory_c, 1, MR_COHORT_HBM_LIMIT);
    if (c->slope != 0) {
        const struct swing mean = swing_of(package, c, &class->mean, c->mean_c);
        const struct mr_two_state_wave m = wave_of(&class->mean, &mean, c->mean_c[0]);
        consider_tangent(package, c, &m);
    }
}

/* ---- changes ---- */

static double floor_of(const struct mr_package *package, const struct mr_cohort *c)
{
    return package->p.floor_frac * c->demand_w;
}

/* Where the worst member must not settle: at t_slow, or where its memory is at its limit M: with
 * P = (Tj - Tin) / (R1 + R2) and s = 0.25 R1 / (R1 + R2), Tj - s (Tj - Tin) = M. */
static double limit_of(const struct mr_package *package, const struct mr_cohort *c)
{
    const double share = package->memory_share[c->flow];
    return fmin(package->p.slow_c,
                (package->p.memory_c - share * inlet_of(package, c)) / (1 - share));
}

/* Power without leakage at which the worst member settles at a temperature. */
static double room_w(const struct mr_package *package, const struct mr_cohort *c, double die_c)
{
    return (die_c - inlet_of(package, c)) * package->worst_w_k[c->flow] -
           (c->is_gated ? 0 : mr_package_leak_w(package, die_c));
}

static void allow(const struct mr_package *package, struct mr_cohort *c)
{
    const double target_c = limit_of(package, c) - 0.5 * package->p.hysteresis_k;
    c->allowed_w = fmax(floor_of(package, c), room_w(package, c, target_c));
}

/* Would the worst member stay below its limit at full clocks, and is it cold enough already? */
static bool may_leave(const struct mr_package *package, const struct mr_cohort *c)
{
    const double limit_c = limit_of(package, c);
    return c->worst_c[0] < limit_c - package->p.hysteresis_k &&
           c->demand_w < room_w(package, c, limit_c);
}

/* After any change at the cohort's own date. */
static enum mr_cohort_event renew(const struct mr_package *package, struct mr_cohort *c)
{
    enum mr_cohort_event event = MR_COHORT_NONE;
    linearize(package, c);
    if (c->mode == MR_COHORT_HELD) {
        if (may_leave(package, c)) {
            c->mode = MR_COHORT_RUN;
            c->allowed_w = HUGE_VAL;
            event = MR_COHORT_THROTTLE_OFF;
        } else {
            allow(package, c);
        }
    }
    predict(package, c);
    return event;
}

void mr_cohort_start(const struct mr_package *package, struct mr_cohort *cohort, double t_s,
                     uint32_t n_package, double inlet_c, int flow)
{
    MR_ASSERT(flow >= 0 && flow < MR_FLOW_N && n_package > 0);
    *cohort = (struct mr_cohort){.t_s = t_s,
                                 .mean_c = {inlet_c, inlet_c},
                                 .worst_c = {inlet_c, inlet_c},
                                 .allowed_w = HUGE_VAL,
                                 .inlet_c = inlet_c,
                                 .n_package = n_package,
                                 .flow = (uint8_t)flow};
    (void)renew(package, cohort);
}

enum mr_cohort_event mr_cohort_set_power(const struct mr_package *package, struct mr_cohort *cohort,
                                         double t_s, double power_w, double demand_w)
{
    mr_cohort_advance(package, cohort, t_s);
    cohort->power_w = power_w;
    cohort->demand_w = demand_w;
    return renew(package, cohort);
}

enum mr_cohort_event mr_cohort_set_inlet(const struct mr_package *package, struct mr_cohort *cohort,
                                         double t_s, double inlet_c)
{
    mr_cohort_advance(package, cohort, t_s);
    cohort->inlet_c = inlet_c;
    return renew(package, cohort);
}

enum mr_cohort_event mr_cohort_set_flow(const struct mr_package *package, struct mr_cohort *cohort,
                                        double t_s, int flow)
{
    MR_ASSERT(flow >= 0 && flow < MR_FLOW_N);
    mr_cohort_advance(package, cohort, t_s);
    cohort->flow = (uint8_t)flow;
    return renew(package, cohort);
}

void mr_cohort_set_gated(struct mr_cohort *cohort, bool is_gated)
{
    cohort->is_gated = is_gated;
}

enum mr_cohort_event mr_cohort_tick(const struct mr_package *package, struct mr_cohort *cohort,
                                    double t_s)
{
    mr_cohort_advance(package, cohort, t_s);
    return cohort->mode == MR_COHORT_HELD ? renew(package, cohort) : MR_COHORT_NONE;
}

/* Steady state of both members at a tangent that no longer moves. */
static bool steady_of(const struct mr_package *package, const struct mr_cohort *c,
                      const struct mr_package_member *m, double x[2])
{
    const double rest = (1 / m->g1_w_k + 1 / m->g2_w_k);
    if (!(c->slope_w_k * rest < 1))
        return false;
    const double inlet_c = inlet_of(package, c);
    x[0] = (inlet_c + (c->base_w - c->slope_w_k * c->tangent_c) * rest) / (1 - c->slope_w_k * rest);
    x[1] = inlet_c + (c->base_w + c->slope_w_k * (x[0] - c->tangent_c)) / m->g2_w_k;
    return true;
}

/* Both members at rest under the cohort's power. @return false when nothing holds them */
static bool settle_members(const struct mr_package *package, struct mr_cohort *c)
{
    enum {
        n_round = 60
    };
    for (int i = 0; i < n_round; i++) {
        const double before_c = c->mean_c[0];
        linearize(package, c);
        const struct mr_package_class *class = class_of(package, c);
        if (!steady_of(package, c, &class->mean, c->mean_c) ||
            !steady_of(package, c, &class->worst, c->worst_c))
            return false;
        if (!(c->mean_c[0] < package->p.crit_c + 100))
            return false;
        if (fabs(c->mean_c[0] - before_c) < 1e-9)
            break;
    }
    return true;
}

void mr_cohort_settle(const struct mr_package *package, struct mr_cohort *cohort)
{
    struct mr_cohort c = *cohort;
    if (!settle_members(package, &c))
        return;
    if (c.mode != MR_COHORT_OFF && c.worst_c[0] >= limit_of(package, &c)) {
        c.mode = MR_COHORT_HELD;
        allow(package, &c);
        c.power_w = fmin(c.power_w, c.allowed_w);
        if (!settle_members(package, &c))
            return;
    }
    *cohort = c;
    (void)renew(package, cohort);
}

/* ---- events ---- */

enum mr_cohort_event mr_cohort_fire(const struct mr_package *package, struct mr_cohort *cohort)
{
    MR_ASSERT(cohort->next != MR_COHORT_NONE);
    enum mr_cohort_event event = (enum mr_cohort_event)cohort->next;
    mr_cohort_advance(package, cohort, cohort->next_s);
    if (event == MR_COHORT_RESTART && !is_cold(package, cohort))
        event = MR_COHORT_NONE; /* it has warmed again in the meantime */
    switch (event) {
    case MR_COHORT_THROTTLE_ON:
        cohort->mode = MR_COHORT_HELD;
        break;
    case MR_COHORT_HBM_LIMIT:
        cohort->is_memory_hot = true;
        cohort->mode = MR_COHORT_HELD;
        break;
    case MR_COHORT_SHUTDOWN:
        cohort->mode = MR_COHORT_OFF;
        cohort->allowed_w = 0;
        cohort->power_w = 0;
        cohort->restart_s = cohort->t_s + package->p.restart_s;
        break;
    case MR_COHORT_RESTART:
        cohort->mode = MR_COHORT_RUN;
        cohort->allowed_w = HUGE_VAL;
        break;
    case MR_COHORT_NONE:
    case MR_COHORT_RELINEARIZE:
    case MR_COHORT_THROTTLE_OFF:
    case MR_COHORT_N_EVENT:
        break;
    }
    const enum mr_cohort_event follows = renew(package, cohort);
    return event == MR_COHORT_RELINEARIZE && follows != MR_COHORT_NONE ? follows : event;
}

/* ---- questions ---- */

double mr_cohort_drawn_w(const struct mr_cohort *cohort)
{
    return cohort->base_w + cohort->slope_w_k * (cohort->mean_c[0] - cohort->tangent_c);
}

double mr_cohort_memory_c(const struct mr_package *package, const struct mr_cohort *cohort)
{
    const struct mr_package_member *m = &class_of(package, cohort)->worst;
    const double drawn_w =
        cohort->base_w + cohort->slope_w_k * (cohort->worst_c[0] - cohort->tangent_c);
    return cohort->worst_c[0] - MR_PACKAGE_MEMORY_SHARE * drawn_w / m->g1_w_k;
}

double mr_cohort_stored_j(const struct mr_package *package, const struct mr_cohort *cohort)
{
    return package->p.c1_j_k * cohort->mean_c[0] + package->p.c2_j_k * cohort->mean_c[1];
}

/* ---- parts of a cohort ---- */

struct mr_cohort mr_cohort_split(struct mr_cohort *cohort, uint32_t n)
{
    MR_ASSERT(n > 0 && n < cohort->n_package);
    struct mr_cohort other = *cohort;
    other.n_package = n;
    cohort->n_package -= n;
    return other;
}

double mr_cohort_package_c(const struct mr_package *package, const struct mr_cohort *cohort,
                           uint64_t seed, uint32_t i_package)
{
    const uint64_t bits = mr_rng_u64_at(seed, MR_RNG_SPREAD, i_package, 0);
    const double p = ((double)(bits >> 12) + 0.5) * 0x1p-52;
    const double deviations = fmin(fmax(mr_rng_normal_quantile(p), -3), 3);
    const double share = package->p.spread_frac / 3 * deviations;
    return cohort->inlet_c + (cohort->mean_c[0] - cohort->inlet_c) * (1 + share);
}
