/* SPDX-License-Identifier: Apache-2.0 */
/* Powers and the energies they are made of, by their places. */
#include "power/supply_mean.h"

#include <math.h>
#include <stddef.h>

static const struct {
    size_t w, j; /* in the reading, in the total */
} powers[] = {
#define POWER(name)                                                                              \
    {                                                                                            \
        offsetof(struct mr_supply_reading, name##_w), offsetof(struct mr_supply_total, name##_j) \
    }
    POWER(grid),      POWER(rack),    POWER(want),      POWER(house),
    POWER(generator), POWER(solar),   POWER(set_point), POWER(governor),
    POWER(inertia),   POWER(damping), POWER(loss),      POWER(module),
#undef POWER
};

enum {
    n_power = sizeof powers / sizeof *powers
};

static double *at(void *of, size_t offset)
{
    return (double *)(void *)((char *)of + offset);
}

/* What is not more than the rounding of sums that are as large as all that was drawn is nothing. */
static double mean_w(double from_j, double to_j, double drawn_j, double over_s)
{
    const double more_j = to_j - from_j;
    return fabs(more_j) > 1e-14 * drawn_j ? more_j / over_s : 0;
}

static double into_storage_j(const struct mr_supply_total *total)
{
    return total->storage_change_j + total->storage_loss_j;
}

void mr_supply_mean_begin(struct mr_supply_mean *mean, const struct mr_supply *supply)
{
    mean->t_s = mr_supply_now_s(supply);
    mr_supply_total(supply, &mean->total);
    mr_supply_read(supply, &mean->reading);
}

void mr_supply_mean_read(struct mr_supply_mean *mean, const struct mr_supply *supply)
{
    struct mr_supply_reading before = mean->reading;
    const double now_s = mr_supply_now_s(supply), over_s = now_s - mean->t_s;
    struct mr_supply_reading *reading = &mean->reading;
    struct mr_supply_total now;
    mr_supply_read(supply, reading);
    if (!(over_s > 0)) {
        for (size_t i = 0; i < n_power; i++)
            *at(reading, powers[i].w) = *at(&before, powers[i].w);
        reading->storage_w = before.storage_w;
        for (int i = 0; i < MR_N_STAGE; i++)
            reading->stage_loss_w[i] = before.stage_loss_w[i];
        return;
    }
    mr_supply_total(supply, &now);
    const double drawn_j = now.rack_j + now.house_j + now.loss_j;
    for (size_t i = 0; i < n_power; i++)
        *at(reading, powers[i].w) =
            mean_w(*at(&mean->total, powers[i].j), *at(&now, powers[i].j), drawn_j, over_s);
    reading->solar_w = mean_w(mean->total.solar_j - mean->total.dump_j, now.solar_j - now.dump_j,
                              drawn_j, over_s); /* as in readings: what is taken */
    reading->storage_w =
        mean_w(into_storage_j(&mean->total), into_storage_j(&now), drawn_j, over_s);
    for (int i = 0; i < MR_N_STAGE; i++)
        reading->stage_loss_w[i] =
            mean_w(mean->total.stage_loss_j[i], now.stage_loss_j[i], drawn_j, over_s);
    mean->total = now;
    mean->t_s = now_s;
}
