/* SPDX-License-Identifier: Apache-2.0 */
/* Watts of one package: of a step, at a clock and a die temperature; the clock that a cap allows;
 * joules of many steps at once.
 *
 *   P = idle + context + leakage (e^(slope (T - 60 degC)) - 1) + E / step time
 *   E = compute d(phi) busy + serving d(phi) wait
 *       + sum_f e_f FLOP_f d(phi) / phi + e_b bytes + e_l link bytes
 *   wait = step time - sum_f FLOP_f / (rate_f phi) - bytes / bandwidth
 *   d = phi^g from the knee up, phi_k^(g-1) phi below it           phi clock over the full clock
 *
 * d is power at a constant rate of use (voltage^2 x clock), d / phi its share per operation. Memory
 * and links have clocks of their own. A package that serves draws far more than its kernels do when
 * each runs alone, and the more the less of the step's time its work explains (stalls, spinning
 * kernels of collectives, padding): that is `serving`. Work that overlaps makes `wait` small or
 * negative; no step draws less than idle, as every FLOP and byte costs more than the wait it ends.
 * Not here: voltage regulators, trays, switches. */
#ifndef MR_MODELS_POWER_H
#define MR_MODELS_POWER_H

#include "models/gpu.h"
#include "models/work.h"

/* A card's figures with its gaps filled: what the functions below read. */
struct mr_power {
    double limit_w;
    double idle_w; /* context included */
    double leakage_w, leakage_per_k;
    double compute_w;
    double serving_w;           /* 0: of kernels that run alone, one after the other */
    double flop_j[MR_N_FORMAT]; /* 0: no such path */
    double flop_s[MR_N_FORMAT]; /* time of one at the full rate; 0: no such path */
    double byte_j, link_byte_j;
    double byte_s; /* time of one at the full bandwidth */
    double clock_min, clock_knee, exponent;
};

/** Refuse cards that cannot be. The text says what is wrong; the caller knows which card.
 *  @return MR_OK or MR_RANGE */
MR_CHECKED mr_status mr_power_check(const struct mr_gpu_card *gpu, struct mr_err *err);

/** Check a card and fill its gaps: a format without energy gets what makes its full rate draw the
 *  package's limit at full clock and 60 degC. */
MR_CHECKED mr_status mr_power_of(const struct mr_gpu_card *gpu, struct mr_power *power,
                                 struct mr_err *err);

/* ---- clock ---- */

/** d: power of what the clock drives, over that at full clock, while use is constant [1]. */
double mr_power_factor(const struct mr_power *power, double clock);

/** The clock at which d has this value; exact inverse of both branches. No bounds. */
double mr_power_clock_of_factor(const struct mr_power *power, double factor);

/* ---- a step ---- */

/** Drawn without any work [W]. */
double mr_power_idle_w(const struct mr_power *power, double die_c);

/** Energy of work beyond idling [J]; work->busy_s is the time it takes at this clock. */
double mr_power_work_j(const struct mr_power *power, const struct mr_work *work, double clock);

/** Mean over the step [W]; idling when the step takes no time. */
double mr_power_step_w(const struct mr_power *power, const struct mr_work *work, double clock,
                       double die_c);

/* Where a step's watts go; their sum is mr_power_step_w. */
struct mr_power_split {
    double idle_w, running_w, waiting_w, flop_w, memory_w, link_w;
};

void mr_power_step_split(const struct mr_power *power, const struct mr_work *work, double clock,
                         double die_c, struct mr_power_split *split);

/* ---- operating point ---- */

/* A mix of work seen by the governor: P(phi) = base + clocked d(phi). */
struct mr_power_mix {
    double base_w, clocked_w; /* at full clock */
};

struct mr_power_point {
    double clock;
    double power_w;     /* of the mix at that clock */
    bool is_capped;     /* the cap, not the lock, set the clock */
    bool is_infeasible; /* even the lowest clock draws more than the cap */
};

/** Split a step at full clock: leakage, memory and links on one side, the rest on the other. */
struct mr_power_mix mr_power_mix_of(const struct mr_power *power, const struct mr_work *work,
                                    double die_c);

/** Closed form. A cap does nothing where the mix at the lock draws no more; a lock always applies.
 *  @param[in] cap_w INFINITY: none @param[in] lock highest clock allowed; 1: none */
struct mr_power_point mr_power_operate(const struct mr_power *power, const struct mr_power_mix *mix,
                                       double cap_w, double lock);

/* ---- many steps: a batch decodes, contexts grow ---- */

/* Step j = 0 .. n-1 lasts step_s + step_grow_s j and costs work_j + work_grow_j j beyond idling. */
struct mr_power_leap {
    double idle_w;
    double step_s, step_grow_s;
    double work_j, work_grow_j;
};

#endif
