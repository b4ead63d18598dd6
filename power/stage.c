/* SPDX-License-Identifier: Apache-2.0 */
/* The table of stages and its loss law. */
#include "power/stage.h"

#include "engine/base/assert.h"

#include <math.h>

const double mr_stage_clip = 1.6;

static const struct mr_stage_info infos[] = {
#define STAGE_INFO(name, text, plane, converts, a0, a1, a2, confidence, source) \
    {text, source, MR_PLANE_##plane, converts, a0, a1, a2, MR_CONFIDENCE_##confidence},
    MR_STAGE_LIST(STAGE_INFO)
#undef STAGE_INFO
};

const struct mr_stage_info *mr_stage_info(int kind)
{
    MR_ASSERT(kind >= 0 && kind < MR_N_STAGE);
    return &infos[kind];
}

struct mr_stage mr_stage_of(int kind, double rating_w)
{
    const struct mr_stage_info *info = mr_stage_info(kind);
    MR_ASSERT(rating_w > 0);
    if (isinf(rating_w)) {
        MR_ASSERT(info->a0 == 0 && info->a1 == 0 && info->a2 == 0);
        return (struct mr_stage){.rating_w = rating_w};
    }
    return (struct mr_stage){info->a0 * rating_w, info->a1, info->a2 / rating_w, rating_w};
}

/* (p + c) / e = p + c / e + (1 / e - 1) p */
struct mr_stage mr_stage_affine(double standing_w, double efficiency, double rating_w)
{
    MR_ASSERT(standing_w >= 0 && efficiency > 0 && efficiency <= 1 && rating_w > 0);
    return (struct mr_stage){standing_w / efficiency, 1 / efficiency - 1, 0, rating_w};
}

int mr_stage_transformer(double rating_w)
{
    /* halfway between the records' ratings, in ratios */
    static const struct {
        double below_w;
        int kind;
    } step[] = {{31.6e6, MR_STAGE_SUB_25}, {50.2e6, MR_STAGE_SUB_40}, {100.4e6, MR_STAGE_SUB_63}};
    for (size_t i = 0; i < sizeof step / sizeof *step; i++)
        if (rating_w < step[i].below_w)
            return step[i].kind;
    return MR_STAGE_SUB_160;
}

/* ---- the law ---- */

double mr_stage_loss_w(const struct mr_stage *unit, double n, double out_w)
{
    if (!(n > 0))
        return 0;
    const double load_w = fmin(fabs(out_w), mr_stage_clip * unit->rating_w * n);
    return n * unit->standing_w + load_w * (unit->linear + unit->square_per_w / n * load_w);
}

double mr_stage_slope(const struct mr_stage *unit, double n, double out_w)
{
    const double load_w = fabs(out_w);
    if (!(n > 0) || load_w >= mr_stage_clip * unit->rating_w * n)
        return 0;
    return unit->linear + 2 * unit->square_per_w / n * load_w;
}

/* q p^2 + (1 + l) p + n c - in = 0, q = square / n: p = 2 d / (b + sqrt(b^2 + 4 q d)), b = 1 + l,
 * d = in - n c. This root loses no digits when q is small, and holds for q = 0. */
double mr_stage_output_w(const struct mr_stage *unit, double n, double in_w)
{
    if (!(n > 0))
        return 0;
    const double b = 1 + unit->linear, q = unit->square_per_w / n;
    const double d = in_w - n * unit->standing_w;
    if (d <= 0)
        return 0;
    const double out_w = 2 * d / (b + sqrt(b * b + 4 * q * d));
    const double clip_w = mr_stage_clip * unit->rating_w * n;
    return out_w <= clip_w ? out_w : in_w - mr_stage_loss_w(unit, n, clip_w);
}

double mr_stage_efficiency(const struct mr_stage *unit, double n, double out_w)
{
    return out_w > 0 ? out_w / (out_w + mr_stage_loss_w(unit, n, out_w)) : 0;
}

/* ---- planes ---- */

const char *mr_stage_plane_name(int plane)
{
    static const char *const names[] = {
#define PLANE_NAME(name, text, doc) text,
        MR_PLANE_LIST(PLANE_NAME)
#undef PLANE_NAME
    };
    return plane >= 0 && plane < MR_N_PLANE ? names[plane] : "unknown";
}

mr_status mr_stage_check(const int *kind, size_t n, int plane, const char *load, struct mr_place at,
                         struct mr_err *err)
{
    for (size_t i = 0; i < n; i++) {
        const struct mr_stage_info *info = mr_stage_info(kind[i]);
        if (info->plane < plane)
            return mr_err_set(err, MR_RANGE, at,
                              "stage %s: %s already includes it (power_plane=%s)", info->name, load,
                              mr_stage_plane_name(plane));
        for (size_t j = 0; j < i; j++) {
            const struct mr_stage_info *inner = mr_stage_info(kind[j]);
            if (kind[j] == kind[i] && info->plane < MR_PLANE_SHELF)
                return mr_err_set(err, MR_RANGE, at,
                                  "stage %s: stands twice behind %s (a rack has one)", info->name,
                                  load);
            if (inner->plane > info->plane)
                return mr_err_set(err, MR_RANGE, at,
                                  "stage %s: stands on the grid's side of %s, which is outside it "
                                  "(name the stages from the load to the grid)",
                                  info->name, inner->name);
        }
    }
    return MR_OK;
}
