/* SPDX-License-Identifier: Apache-2.0 */
/* Power of a package, all of it closed form. Deterministic: exp and pow are engine/base's.
 *
 * Ignored: clocks come in steps of some 15 MHz; memory slows when it is hot; a cap takes
 * milliseconds to seconds to act (the controller's business). */
#include "models/power.h"

#include "engine/base/assert.h"
#include "engine/base/fmath.h"

#include <math.h>

static const double leakage_reference_c = 60;

/* Matrix products reach this share of the published rate at best (B200: 0.60 in BF16, at its limit;
 * others 0.7-0.8), so this much of it counts when a card is checked. */
static const double reached_frac = 0.75;

/* What a package may draw at full rate and full clock over its limit: more, and nothing but the
 * governor would ever set its clock. */
static const double excess_max = 1.5;

/* ---- cards ---- */

static double peak_flop_s(const struct mr_gpu_card *gpu, int format)
{
    switch (format) {
    case MR_FORMAT_BF16:
        return gpu->bf16_flop_s;
    case MR_FORMAT_FP8:
        return gpu->fp8_flop_s;
    default:
        return gpu->fp4_flop_s;
    }
}

static double card_flop_j(const struct mr_gpu_card *gpu, int format)
{
    switch (format) {
    case MR_FORMAT_BF16:
        return gpu->flop_bf16_j;
    case MR_FORMAT_FP8:
        return gpu->flop_fp8_j;
    default:
        return gpu->flop_fp4_j;
    }
}

static mr_status refuse(struct mr_err *err, const char *what, double value, const char *why)
{
    return mr_err_set(err, MR_RANGE, MR_NOWHERE, "%s %g: %s", what, value, why);
}

static mr_status check_finite(const struct mr_gpu_card *gpu, struct mr_err *err)
{
    const struct {
        const char *name;
        double value;
    } row[] = {
        {"power.max_p", gpu->max_p_w},
        {"power.idle", gpu->idle_w},
        {"power.context", gpu->context_w},
        {"power.leakage", gpu->leakage_w},
        {"power.leakage_slope", gpu->leakage_per_k},
        {"power.compute", gpu->compute_w},
        {"power.serving", gpu->serving_w},
        {"energy.bf16", gpu->flop_bf16_j},
        {"energy.fp8", gpu->flop_fp8_j},
        {"energy.fp4", gpu->flop_fp4_j},
        {"energy.byte", gpu->byte_j},
        {"energy.link_byte", gpu->link_byte_j},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        if (!isfinite(row[i].value) || row[i].value < 0)
            return refuse(err, row[i].name, row[i].value, "must be a number, 0 or more");
    return MR_OK;
}

static mr_status check_clock(const struct mr_gpu_card *gpu, struct mr_err *err)
{
    if (!(gpu->clock_min > 0 && gpu->clock_min < 1))
        return refuse(err, "clock.min", gpu->clock_min, "must be above 0 and below 1");
    if (!(gpu->clock_knee > gpu->clock_min && gpu->clock_knee < 1))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "clock.knee %g: must be between clock.min %g and 1", gpu->clock_knee,
                          gpu->clock_min);
    if (!(gpu->power_exponent >= 1 && isfinite(gpu->power_exponent)))
        return refuse(err, "clock.exponent", gpu->power_exponent,
                      "must be 1 or more: power never falls when the clock rises");
    return MR_OK;
}

static const struct {
    int format;
    const char *text;
} path[] = {{MR_FORMAT_BF16, "bf16"}, {MR_FORMAT_FP8, "fp8"}, {MR_FORMAT_NVFP4, "fp4"}};

enum {
    n_path = sizeof path / sizeof *path
};

/* Work must not cost less than the wait it ends. */
static mr_status check_serving(const struct mr_gpu_card *gpu, struct mr_err *err)
{
    static const char *const why = "is less than power.serving x the time it takes at full rate";
    for (int i = 0; i < n_path; i++) {
        const double e = card_flop_j(gpu, path[i].format);
        if (e > 0 && e * peak_flop_s(gpu, path[i].format) < gpu->serving_w)
            return mr_err_set(err, MR_RANGE, MR_NOWHERE, "energy.%s %g J: %s", path[i].text, e,
                              why);
    }
    if (gpu->byte_j * gpu->memory_bytes_s < gpu->serving_w)
        return refuse(err, "energy.byte", gpu->byte_j, why);
    return MR_OK;
}

mr_status mr_power_check(const struct mr_gpu_card *gpu, struct mr_err *err)
{
    MR_TRY(check_finite(gpu, err));
    MR_TRY(check_clock(gpu, err));
    if (gpu->max_p_w == 0)
        return refuse(err, "power.max_p", 0, "a package needs a limit above 0 W");
    if (gpu->max_q_w > gpu->max_p_w)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "power.max_q %g W: above power.max_p %g W",
                          gpu->max_q_w, gpu->max_p_w);
    if (gpu->leakage_w > gpu->idle_w)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "power.leakage %g W: is part of power.idle, which is %g W",
                          gpu->leakage_w, gpu->idle_w);
    const double running_w = gpu->idle_w + gpu->context_w + gpu->compute_w;
    if (running_w + gpu->serving_w >= gpu->max_p_w)
        return mr_err_set(
            err, MR_RANGE, MR_NOWHERE,
            "power.idle %g W + power.context %g W + power.compute %g W + power.serving %g W leave "
            "nothing of the limit of %g W for work",
            gpu->idle_w, gpu->context_w, gpu->compute_w, gpu->serving_w, gpu->max_p_w);
    MR_TRY(check_serving(gpu, err));
    for (int i = 0; i < n_path; i++) {
        const double flop_w =
            reached_frac * card_flop_j(gpu, path[i].format) * peak_flop_s(gpu, path[i].format);
        if (running_w + flop_w > excess_max * gpu->max_p_w)
            return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                              "energy.%s %g J: %g W at %g of the full rate, above %g x the limit "
                              "of %g W",
                              path[i].text, card_flop_j(gpu, path[i].format), running_w + flop_w,
                              reached_frac, excess_max, gpu->max_p_w);
    }
    const double memory_w = gpu->byte_j * gpu->memory_bytes_s;
    if (running_w + memory_w > excess_max * gpu->max_p_w)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "energy.byte %g J: %g W at full bandwidth, above %g x the limit of %g W",
                          gpu->byte_j, running_w + memory_w, excess_max, gpu->max_p_w);
    return MR_OK;
}

mr_status mr_power_of(const struct mr_gpu_card *gpu, struct mr_power *power, struct mr_err *err)
{
    MR_TRY(mr_power_check(gpu, err));
    *power = (struct mr_power){
        .limit_w = gpu->max_p_w,
        .idle_w = gpu->idle_w + gpu->context_w,
        .leakage_w = gpu->leakage_w,
        .leakage_per_k = gpu->leakage_per_k,
        .compute_w = gpu->compute_w,
        .serving_w = gpu->serving_w,
        .byte_j = gpu->byte_j,
        .byte_s = 1 / gpu->memory_bytes_s,
        .link_byte_j = gpu->link_byte_j,
        .clock_min = gpu->clock_min,
        .clock_knee = gpu->clock_knee,
        .exponent = gpu->power_exponent,
    };
    /* limit = idle + compute + e x rate: at full rate nothing waits */
    const double rest_w = power->limit_w - power->idle_w - power->compute_w;
    for (int f = 0; f < MR_N_FORMAT; f++) {
        const double rate = peak_flop_s(gpu, f), e = card_flop_j(gpu, f);
        power->flop_j[f] = rate == 0 ? 0 : e > 0 ? e : rest_w / rate;
        power->flop_s[f] = rate == 0 ? 0 : 1 / rate;
    }
    return MR_OK;
}

/* ---- clock ---- */

double mr_power_factor(const struct mr_power *power, double clock)
{
    if (clock == 1)
        return 1;
    if (clock >= power->clock_knee)
        return mr_pow(clock, power->exponent);
    return mr_pow(power->clock_knee, power->exponent - 1) * clock;
}

double mr_power_clock_of_factor(const struct mr_power *power, double factor)
{
    const double at_knee = mr_pow(power->clock_knee, power->exponent);
    if (factor >= at_knee)
        return factor == 1 ? 1 : mr_pow(factor, 1 / power->exponent);
    return factor / at_knee * power->clock_knee;
}

/* ---- a step ---- */

double mr_power_idle_w(const struct mr_power *power, double die_c)
{
    return power->idle_w +
           power->leakage_w * mr_expm1(power->leakage_per_k * (die_c - leakage_reference_c));
}

/* Less what would be drawn waiting meanwhile. */
static double flop_j(const struct mr_power *power, const struct mr_work *work)
{
    double sum_j = 0;
    for (int f = 0; f < MR_N_FORMAT; f++)
        sum_j += (power->flop_j[f] - power->serving_w * power->flop_s[f]) * work->flop[f];
    return sum_j;
}

/* Running, and waiting where no memory is read, at full clock. */
static double running_j(const struct mr_power *power, const struct mr_work *work)
{
    return power->compute_w * work->busy_s +
           power->serving_w * (work->busy_s + work->idle_s - power->byte_s * work->memory_bytes);
}

double mr_power_work_j(const struct mr_power *power, const struct mr_work *work, double clock)
{
    const double factor = mr_power_factor(power, clock);
    return factor * (running_j(power, work) + flop_j(power, work) / clock) +
           power->byte_j * work->memory_bytes + power->link_byte_j * work->link_bytes;
}

double mr_power_step_w(const struct mr_power *power, const struct mr_work *work, double clock,
                       double die_c)
{
    const double idle_w = mr_power_idle_w(power, die_c), step_s = work->busy_s + work->idle_s;
    return step_s > 0 ? idle_w + mr_power_work_j(power, work, clock) / step_s : idle_w;
}

void mr_power_step_split(const struct mr_power *power, const struct mr_work *work, double clock,
                         double die_c, struct mr_power_split *split)
{
    const double step_s = work->busy_s + work->idle_s, factor = mr_power_factor(power, clock);
    double flop_s = 0, flop_j = 0;
    *split = (struct mr_power_split){.idle_w = mr_power_idle_w(power, die_c)};
    if (!(step_s > 0))
        return;
    for (int f = 0; f < MR_N_FORMAT; f++) {
        flop_s += power->flop_s[f] * work->flop[f] / clock;
        flop_j += power->flop_j[f] * work->flop[f] / clock;
    }
    const double wait_s = step_s - flop_s - power->byte_s * work->memory_bytes;
    split->running_w = factor * power->compute_w * work->busy_s / step_s;
    split->waiting_w = factor * power->serving_w * wait_s / step_s;
    split->flop_w = factor * flop_j / step_s;
    split->memory_w = power->byte_j * work->memory_bytes / step_s;
    split->link_w = power->link_byte_j * work->link_bytes / step_s;
}

/* ---- operating point ---- */

struct mr_power_mix mr_power_mix_of(const struct mr_power *power, const struct mr_work *work,
                                    double die_c)
{
    struct mr_power_mix mix = {.base_w = mr_power_idle_w(power, die_c)};
    const double step_s = work->busy_s + work->idle_s;
    if (step_s > 0) {
        mix.base_w +=
            (power->byte_j * work->memory_bytes + power->link_byte_j * work->link_bytes) / step_s;
        mix.clocked_w = (running_j(power, work) + flop_j(power, work)) / step_s;
    }
    return mix;
}

struct mr_power_point mr_power_operate(const struct mr_power *power, const struct mr_power_mix *mix,
                                       double cap_w, double lock)
{
    MR_ASSERT(lock > 0 && lock <= 1);
    struct mr_power_point point = {.clock = lock > power->clock_min ? lock : power->clock_min};
    point.power_w = mix->base_w + mix->clocked_w * mr_power_factor(power, point.clock);
    if (point.power_w <= cap_w)
        return point;
    point.is_capped = true;
    /* base + clocked d = cap; nothing clocked can reach no cap below the base */
    const double factor = mix->clocked_w > 0 ? (cap_w - mix->base_w) / mix->clocked_w : -1;
    if (factor < mr_power_factor(power, power->clock_min)) {
        point.is_infeasible = true;
        point.clock = power->clock_min;
    } else {
        point.clock = mr_power_clock_of_factor(power, factor);
    }
    point.power_w = mix->base_w + mix->clocked_w * mr_power_factor(power, point.clock);
    return point;
}
