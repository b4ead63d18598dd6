/* SPDX-License-Identifier: Apache-2.0 */
/* Prices of instances with LPUs: of a GPU package as ever, of the LPUs as their card has it, idle
 * all the time and the rest while they work. */
#include "engine/serve/pricer.h"

struct mr_step_leap mr_pricer_lpx(const struct mr_pricer *pricer, const struct mr_batch *batch,
                                  double phi, double idle_w, struct mr_power_leap *energy,
                                  struct mr_pricer_lpu *lpu)
{
    const struct mr_lpx_serve *serve = pricer->lpx;
    const struct mr_lpu_card *card = serve->lpx.lpu;
    const double n_lpu = (double)serve->lpx.n_lpu, active_w = card->max_p_w - card->idle_w;
    struct mr_lpx_price price;
    mr_lpx_serve_price(serve, batch, phi, &price);
    const struct mr_power_leap lpus = {.idle_w = n_lpu * card->idle_w,
                                       .step_s = price.step.a_s,
                                       .step_grow_s = price.step.b_s,
                                       .work_j = active_w * price.active_s,
                                       .work_grow_j = active_w * price.active_grow_s};
    lpu->n_step = price.n_step;
    *energy = lpus;
    energy->idle_w = idle_w;
    if (serve->way == MR_LPX_DECODE) { /* the packages are LPUs */
        energy->work_j /= n_lpu;
        energy->work_grow_j /= n_lpu;
        lpu->energy = (struct mr_power_leap){0};
        return price.step;
    }
    lpu->energy = lpus;
    energy->work_j = pricer->power != NULL ? mr_power_work_j(pricer->power, &price.work, phi) : 0;
    energy->work_grow_j =
        pricer->power != NULL ? mr_power_work_j(pricer->power, &price.growth, phi) : 0;
    return price.step;
}

double mr_pricer_step_s(const struct mr_pricer *pricer, const struct mr_batch *batch, double phi)
{
    const struct mr_pricer times = {pricer->step, pricer->profile, NULL, pricer->lpx};
    struct mr_power_leap none;
    struct mr_pricer_lpu lpu;
    return times.lpx != NULL ? mr_pricer_lpx(&times, batch, phi, 0, &none, &lpu).a_s
                             : mr_pricer_leap(&times, batch, phi, 0, &none).a_s;
}

double mr_pricer_clocked_frac(const struct mr_pricer *pricer, const struct mr_batch *batch)
{
    const double reference_c = 60;
    struct mr_work work;
    if (pricer->lpx != NULL) {
        struct mr_lpx_price price;
        if (pricer->lpx->way == MR_LPX_DECODE)
            return 0;
        mr_lpx_serve_price(pricer->lpx, batch, 1, &price);
        work = price.work;
    } else {
        mr_step_work(pricer->step, batch, &work);
        work.busy_s = mr_step_leap(pricer->step, batch, 1).a_s - work.idle_s;
    }
    const struct mr_power_mix mix = mr_power_mix_of(pricer->power, &work, reference_c);
    const double beyond_w =
        mix.base_w + mix.clocked_w - mr_power_idle_w(pricer->power, reference_c);
    return beyond_w > 0 ? fmin(1, fmax(0, mix.clocked_w / beyond_w)) : 1;
}
