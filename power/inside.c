/* SPDX-License-Identifier: Apache-2.0 */
/* From a rack's input to its chips. */
#include "power/inside.h"

#include "engine/base/assert.h"

static const uint64_t dc_bus_v = 300; /* above it the row's converters have made the bus */

static void put(struct mr_inside *inside, int kind, double rating_w)
{
    MR_ASSERT(inside->n < mr_inside_max);
    inside->kind[inside->n] = (uint8_t)kind;
    inside->stage[inside->n++] = mr_stage_of(kind, rating_w);
}

bool mr_inside_has_shelf(const struct mr_rack *rack)
{
    return rack->bus_v > 0 && rack->bus_v < dc_bus_v;
}

struct mr_inside mr_inside_of(const struct mr_rack *rack, int plane)
{
    struct mr_inside inside = {.n = 0};
    const double rating_w = rack->rated_w > 0 ? rack->rated_w : rack->limit_w;
    if (!(rating_w > 0) || plane >= MR_PLANE_SHELF)
        return inside;
    if (rack->bus_v < dc_bus_v)
        put(&inside, MR_STAGE_SHELF, rating_w);
    if (rack->bus_v > 0)
        put(&inside, MR_STAGE_BUSBAR, rating_w);
    put(&inside, MR_STAGE_BRICK, rating_w);
    if (plane == MR_PLANE_CORE)
        put(&inside, MR_STAGE_VRM, rating_w);
    return inside;
}

double mr_inside_split(const struct mr_inside *inside, double in_w, double *loss_w)
{
    double w = in_w;
    for (uint8_t i = 0; i < inside->n; i++) {
        const double out_w = mr_stage_output_w(&inside->stage[i], 1, w);
        loss_w[i] = w - out_w;
        w = out_w;
    }
    return w;
}
