/* SPDX-License-Identifier: Apache-2.0 */
/* Histograms of several channels for several entities over the same bins, counted during a run
 * and written at its end. Bins divide every octave into 2^bits equal parts: their edges are exact,
 * a value finds its bin without a logarithm, and its relative width is at most 2^-bits. Below the
 * first octave and from the end of the last on there is one bin each. */
#ifndef MR_ENGINE_RECORD_HISTOGRAM_H
#define MR_ENGINE_RECORD_HISTOGRAM_H

#include "engine/base/assert.h"
#include "engine/base/hist.h"
#include "engine/record/runfile.h"

/* Lent for the life of the histogram. */
struct mr_histogram_plan {
    double lower, upper;              /* positive; rounded outwards to powers of two */
    int bits;                         /* 0..10 */
    const char *units;                /* of the values, "s" */
    const struct mr_channel *channel; /* of the counts: U64, unit "1" */
    size_t n_channel;
    const char *axis, *axis_name; /* of the entities, "tier" */
    const char *const *name;
    size_t n_entity;
};

struct mr_histogram {
    struct mr_histogram_plan plan;
    double first, last;  /* first <= value < last are binned finely */
    uint64_t first_bits; /* of `first`, shifted by `shift` */
    int shift;
    size_t n_bin;    /* with the two outer ones */
    uint64_t *count; /* channel, entity, bin */
};

MR_CHECKED mr_status mr_histogram_init(struct mr_histogram *histogram,
                                       const struct mr_histogram_plan *plan, struct mr_err *err);
void mr_histogram_fini(struct mr_histogram *histogram);

/** Edges of bin i: lower <= value < upper. */
double mr_histogram_lower(const struct mr_histogram *histogram, size_t i);
double mr_histogram_upper(const struct mr_histogram *histogram, size_t i);

/** The bin of a value, which is not NaN. */
static inline size_t mr_histogram_bin(const struct mr_histogram *h, double value)
{
    uint64_t bits;
    MR_ASSERT(value == value);
    if (value < h->first)
        return 0;
    if (value >= h->last)
        return h->n_bin - 1;
    memcpy(&bits, &value, sizeof bits);
    return (size_t)((bits >> h->shift) - h->first_bits) + 1;
}

static inline void mr_histogram_add(struct mr_histogram *h, size_t channel, size_t entity,
                                    double value)
{
    h->count[(channel * h->plan.n_entity + entity) * h->n_bin + mr_histogram_bin(h, value)]++;
}

/** Add what was counted elsewhere in bins that are parts of these.
 *  @param[in] from whose bins divide an octave at least as finely */
void mr_histogram_add_hist(struct mr_histogram *histogram, size_t channel, size_t entity,
                           const struct mr_hist *from);

/** Write group/bin_lower, bin_upper and one dataset of counts entity x bin per channel. */
MR_CHECKED mr_status mr_histogram_put(const struct mr_histogram *histogram, struct mr_runfile *file,
                                      const char *group, struct mr_err *err);

/** The same without the bins: another one of the same edges has put them there. */
MR_CHECKED mr_status mr_histogram_put_beside(const struct mr_histogram *histogram,
                                             struct mr_runfile *file, const char *group,
                                             struct mr_err *err);

#endif
