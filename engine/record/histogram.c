/* SPDX-License-Identifier: Apache-2.0 */
/* The high bits of a positive double are its octave and its place in it, in order: shifted right
 * they are the number of a bin, shifted left again the bin's lower edge. */
#include "engine/record/histogram.h"

#include "engine/base/mem.h"

#include <math.h>

enum {
    mantissa_bits = 52,
    bits_max = 10
};

static const double range_max = 1e300;

static double of_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static double power_of_two_below(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return of_bits(bits >> mantissa_bits << mantissa_bits);
}

mr_status mr_histogram_init(struct mr_histogram *h, const struct mr_histogram_plan *plan,
                            struct mr_err *err)
{
    MR_ASSERT(plan->lower > 1 / range_max && plan->upper > plan->lower && plan->upper < range_max);
    MR_ASSERT(plan->bits >= 0 && plan->bits <= bits_max);
    MR_TRY(mr_channel_check(plan->channel, plan->n_channel, err));
    for (size_t i = 0; i < plan->n_channel; i++)
        MR_ASSERT(plan->channel[i].type == MR_CHANNEL_U64);
    *h = (struct mr_histogram){.plan = *plan, .shift = mantissa_bits - plan->bits};
    uint64_t last_bits;
    h->first = power_of_two_below(plan->lower);
    h->last = power_of_two_below(plan->upper);
    if (h->last < plan->upper)
        h->last *= 2;
    memcpy(&h->first_bits, &h->first, sizeof h->first_bits);
    memcpy(&last_bits, &h->last, sizeof last_bits);
    h->first_bits >>= h->shift;
    h->n_bin = (size_t)((last_bits >> h->shift) - h->first_bits) + 2;
    h->count = mr_alloc_zero(plan->n_channel * plan->n_entity * h->n_bin, sizeof *h->count);
    return h->count != NULL
               ? MR_OK
               : mr_err_nomem(err, plan->n_channel * plan->n_entity * h->n_bin * sizeof *h->count);
}

void mr_histogram_fini(struct mr_histogram *h)
{
    mr_free(h->count);
    h->count = NULL;
}

double mr_histogram_lower(const struct mr_histogram *h, size_t i)
{
    return i == 0 ? (double)-INFINITY : of_bits((h->first_bits + i - 1) << h->shift);
}

double mr_histogram_upper(const struct mr_histogram *h, size_t i)
{
    return i + 1 == h->n_bin ? (double)INFINITY : mr_histogram_lower(h, i + 1);
}

/* Both cut the same bits out of a value: the lower edge of a fine bin lies in the coarse one that
 * all of it lies in. */
void mr_histogram_add_hist(struct mr_histogram *h, size_t channel, size_t entity,
                           const struct mr_hist *from)
{
    const uint64_t first = (uint64_t)(1023 + MR_HIST_EXP_FIRST) << MR_HIST_BITS;
    uint64_t *count = h->count + (channel * h->plan.n_entity + entity) * h->n_bin;
    MR_ASSERT(h->plan.bits <= MR_HIST_BITS && h->first >= 0x1p-30);
    count[0] += from->n_tiny;
    for (uint64_t i = 0; i < MR_HIST_BINS; i++)
        if (from->bin[i] > 0)
            count[mr_histogram_bin(h, of_bits((first + i) << (mantissa_bits - MR_HIST_BITS)))] +=
                from->bin[i];
}

static mr_status put_edges(const struct mr_histogram *h, struct mr_runfile *file, const char *group,
                           struct mr_err *err)
{
    const struct mr_channel edge[2] = {
        {.name = "bin_lower", .units = h->plan.units, .long_name = "Lower edge, part of the bin"},
        {.name = "bin_upper", .units = h->plan.units, .long_name = "Upper edge, not part of it"}};
    double *value = mr_alloc(h->n_bin, sizeof *value);
    if (value == NULL)
        return mr_err_nomem(err, h->n_bin * sizeof *value);
    mr_status st = MR_OK;
    for (int k = 0; k < 2 && st == MR_OK; k++) {
        for (size_t i = 0; i < h->n_bin; i++)
            value[i] = k == 0 ? mr_histogram_lower(h, i) : mr_histogram_upper(h, i);
        const struct mr_runfile_array array = {
            .group = group, .channel = &edge[k], .axis = {"bin"}, .n = {h->n_bin}, .values = value};
        st = mr_runfile_put(file, &array, err);
    }
    mr_free(value);
    return st;
}

mr_status mr_histogram_put(const struct mr_histogram *h, struct mr_runfile *file, const char *group,
                           struct mr_err *err)
{
    MR_TRY(mr_runfile_axis(file, group, "bin", "Bins by value", NULL, h->n_bin, err));
    MR_TRY(put_edges(h, file, group, err));
    return mr_histogram_put_beside(h, file, group, err);
}

mr_status mr_histogram_put_beside(const struct mr_histogram *h, struct mr_runfile *file,
                                  const char *group, struct mr_err *err)
{
    const struct mr_histogram_plan *plan = &h->plan;
    MR_TRY(
        mr_runfile_axis(file, group, plan->axis, plan->axis_name, plan->name, plan->n_entity, err));
    for (size_t i = 0; i < plan->n_channel; i++) {
        const struct mr_runfile_array array = {.group = group,
                                               .channel = &plan->channel[i],
                                               .axis = {plan->axis, "bin"},
                                               .n = {plan->n_entity, h->n_bin},
                                               .values = h->count + i * plan->n_entity * h->n_bin};
        MR_TRY(mr_runfile_put(file, &array, err));
    }
    return MR_OK;
}
