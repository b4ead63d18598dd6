/* SPDX-License-Identifier: Apache-2.0 */
/* Loss of one conversion or distribution stage, as a function of what it delivers:
 *
 *   input = output + standing + linear output + square output^2
 *
 * Data sheets give the three figures per rating S and per load x = output / S,
 * loss = S (a0 + a1 x + a2 x^2): iron and housekeeping, semiconductors, copper. Some published
 * models give (output + c) / efficiency; that is the same form without the square.
 * Flow against the usual direction loses the same. Ignored: temperature and power factor. */
#ifndef MR_POWER_STAGE_H
#define MR_POWER_STAGE_H

#include "engine/base/card.h"

/* Planes of measurement, from the silicon out: where a card says its watts are taken. */
#define MR_PLANE_LIST(X)                                   \
    X(CORE, "core", "behind the voltage regulators")       \
    X(MODULE, "module", "input of the package's module")   \
    X(SHELF, "shelf", "input of the rack's power shelves") \
    X(METER, "meter", "the site's meter: every stage is inside")

enum mr_plane {
#define MR_PLANE_ENUM(name, text, doc) MR_PLANE_##name,
    MR_PLANE_LIST(MR_PLANE_ENUM)
#undef MR_PLANE_ENUM
    MR_N_PLANE
};

/* name, text, plane it delivers to, does it convert, a0, a1, a2, confidence, source */
// clang-format off
#define MR_STAGE_LOSS_LIST(X)                                                                                                    \
    X(SUB_160, "substation_160", SHELF, true, 60e3 / 160e6, 0, 0.0025, PUBLISHED, "pandapower 160 MVA 380/110 kV: 60 kW, vkr 0.25 %") \
    X(SUB_63, "substation_63", SHELF, true, 22e3 / 63e6, 0, 0.0032, PUBLISHED, "pandapower 63 MVA 110/20 kV: 22 kW, vkr 0.32 %")  \
    X(SUB_40, "substation_40", SHELF, true, 18e3 / 40e6, 0, 0.0034, PUBLISHED, "pandapower 40 MVA 110/20 kV: 18 kW, vkr 0.34 %")  \
    X(SUB_25, "substation_25", SHELF, true, 14e3 / 25e6, 0, 0.0041, PUBLISHED, "pandapower 25 MVA 110/20 kV: 14 kW, vkr 0.41 %")  \
    X(UNIT, "unit", SHELF, true, 0.0010, 0, 0.0070, ESTIMATED, "unit substations of 2.5 to 4 MVA, 99.0 to 99.3 %")                \
    X(UPS, "ups", SHELF, true, 0.0076, 0.0080, 0.0261, ESTIMATED, "double conversion, 95.5 to 97 % above 40 % load")              \
    X(UPS_ECO, "ups_eco", SHELF, true, 0.0025, 0.0040, 0.0020, ESTIMATED, "line-interactive, about 99 %")                        \
    X(BUSWAY, "busway", SHELF, false, 0, 0, 0.0050, ASSUMPTION, "row distribution, 415 VAC or 800 VDC, 99.5 % at full load")      \
    X(SST, "sst", SHELF, true, 0.0035, 0.0030, 0.0105, ESTIMATED, "solid-state transformer or rectifier to 800 VDC, 98.3 %")      \
    X(SHELF, "shelf", MODULE, true, 0.0050, 0.0010, 0.0290, ESTIMATED, "power shelf, 97.5 % at its best")                         \
    X(BUSBAR, "busbar", MODULE, false, 0, 0, 0.0030, ASSUMPTION, "busbar of the rack")                                            \
    X(BRICK, "brick", MODULE, true, 0.0045, 0.0060, 0.0153, ESTIMATED, "48 V or 800 V to 12 V (bus converter, LLC), 97.5 to 98 %") \
    X(VRM, "vrm", CORE, true, 0.0130, 0.0235, 0.0745, ESTIMATED, "voltage regulators of the package, 90 to 92 %")
#define MR_STAGE_LIST(X) \
    X(NONE, "none", SHELF, false, 0, 0, 0, ASSUMPTION, "switchgear, meters, cords: no loss of their own") \
    MR_STAGE_LOSS_LIST(X)
// clang-format on

enum mr_stage_kind {
#define MR_STAGE_ENUM(name, text, plane, converts, a0, a1, a2, confidence, source) MR_STAGE_##name,
    MR_STAGE_LIST(MR_STAGE_ENUM)
#undef MR_STAGE_ENUM
    MR_N_STAGE
};

struct mr_stage_info {
    const char *name, *source;
    int plane;         /* enum mr_plane: what it delivers to */
    bool is_converter; /* its output voltage is its own */
    double a0, a1, a2;
    enum mr_confidence confidence;
};

/* One unit. The load that losses are computed with ends at mr_stage_clip times the rating: beyond
 * it the fit means nothing, and the overload is an event, not a loss. */
struct mr_stage {
    double standing_w, linear, square_per_w;
    double rating_w; /* INFINITY: none is stated */
};

extern const double mr_stage_clip;

const struct mr_stage_info *mr_stage_info(int kind);

/** A unit of this kind. @param[in] rating_w > 0; INFINITY only for a kind without losses */
struct mr_stage mr_stage_of(int kind, double rating_w);

/** A unit of which input = (output + standing_w) / efficiency is known. */
struct mr_stage mr_stage_affine(double standing_w, double efficiency, double rating_w);

/** The record of a grid transformer nearest to a rating. @return enum mr_stage_kind */
int mr_stage_transformer(double rating_w);

/* `n` equal units share `out_w`; n = 1: one of them. Losses of none are 0. */
double mr_stage_loss_w(const struct mr_stage *unit, double n, double out_w);

/** d loss / d output; the square's slope is that at |out_w|. */
double mr_stage_slope(const struct mr_stage *unit, double n, double out_w);

/** What can be delivered from `in_w`: the inverse of out + loss(out), below the clip closed form,
 *  above it a line. 0 when the input does not cover the standing loss. */
double mr_stage_output_w(const struct mr_stage *unit, double n, double in_w);

/** Delivered over taken in; 0 at no load. */
double mr_stage_efficiency(const struct mr_stage *unit, double n, double out_w);

/** A load measured at `plane` behind these stages, the one nearest to the load first. Refused: a
 *  stage that the measurement already includes, a stage nearer to the silicon than the one before
 *  it, a stage inside the rack named twice.
 *  @param[in] load what the message calls it, e.g. `package "gb300"` */
MR_CHECKED mr_status mr_stage_check(const int *kind, size_t n, int plane, const char *load,
                                    struct mr_place at, struct mr_err *err);

const char *mr_stage_plane_name(int plane);

#endif
