/* SPDX-License-Identifier: Apache-2.0 */
/* How the site's power shakes over a run of the power verb: what is watched, bands with and without
 * limits, results as text, JSON and CSV. */
#ifndef MR_ENGINE_CLI_POWER_SPECTRUM_H
#define MR_ENGINE_CLI_POWER_SPECTRUM_H

#include "engine/base/jsonw.h"
#include "power/spectrum.h"
#include "power/supply.h"

/* Names of what is watched that are no racks. */
#define MR_POWER_WATCH_LIST(X)                 \
    X(SITE, "site", "the meter of the grid")   \
    X(RACKS, "racks", "all racks of the site") \
    X(RACK, "a rack's name", "one rack")

enum mr_power_watch_kind {
#define MR_POWER_WATCH_ENUM(name, text, doc) MR_POWER_WATCH_##name,
    MR_POWER_WATCH_LIST(MR_POWER_WATCH_ENUM)
#undef MR_POWER_WATCH_ENUM
    MR_POWER_N_WATCH
};

struct mr_power_knots {
    struct mr_spectrum_knot *knot;
    size_t n, cap;
};

struct mr_power_watch {
    const char *name; /* lent */
    int kind;         /* enum mr_power_watch_kind */
    uint32_t rack;    /* RACK */
    struct mr_power_knots all, fine;
    struct mr_spectrum spectrum;
    double swing_w;
};

/* What can be known of loads: rows of a trace are row_s apart at least, so nothing of them is known
 * above 0.5 / row_s; of racks with steps everything is. */
struct mr_power_resolution {
    const char *path;       /* of the trace, for messages */
    double row_s;           /* 0: loads change at their own dates */
    const bool *is_stepped; /* of the site's racks; NULL: none */
    size_t n_stepped;
    bool is_run; /* a run file: its steps can be recorded */
};

struct mr_power_spectrum {
    struct mr_spectrum_params params;
    double row_hz; /* above it only racks with steps move; INFINITY: all do */
    size_t n_stepped;
    bool is_fine;    /* knots added now are those of steps alone */
    double window_s; /* of the swing */
    struct mr_power_watch *watch;
    size_t n_watch;
    struct mr_spectrum_limit *band; /* most_w INFINITY: reported only; limits are the meter's */
    size_t n_band;
    struct mr_arena arena;
    mr_status status; /* of knots */
    struct mr_err err;
};

/* What is asked for. */
struct mr_power_spectrum_asked {
    const struct mr_param_list *watch; /* names */
    const struct mr_param_list *band;  /* "LOW..HIGH", "LOW..HIGH=WATTS"; without any, the whole */
    const struct mr_site *site;
    struct mr_power_resolution resolution;
};

/** What is above the resolution is cut off, and told; what would be all of it, or is asked for by
 *  name, is refused.
 *  @param[in,out] spectrum its params and window are set; mr_power_spectrum_fini, after errors too
 */
MR_CHECKED mr_status mr_power_spectrum_init(struct mr_power_spectrum *spectrum,
                                            const struct mr_power_spectrum_asked *asked,
                                            struct mr_diags *diags, struct mr_err *err);
void mr_power_spectrum_fini(struct mr_power_spectrum *spectrum);

/** Must the site be played again with steps alone (is_fine), for what is above row_hz? */
bool mr_power_spectrum_needs_fine(const struct mr_power_spectrum *spectrum);

/** Powers at the supply's now hold until the next call. Failures are told by the end. */
void mr_power_spectrum_add(struct mr_power_spectrum *spectrum, const struct mr_supply *supply);

/** Spectra and swings of what was added. */
MR_CHECKED mr_status mr_power_spectrum_end(struct mr_power_spectrum *spectrum, double end_s,
                                           struct mr_err *err);

/* ---- output, after the end ---- */

void mr_power_spectrum_text(const struct mr_power_spectrum *spectrum, struct mr_buf *out);

/** The value of a key. */
void mr_power_spectrum_json(const struct mr_power_spectrum *spectrum, struct mr_jsonw *w);

/** Rows of frequency and the densities of what is watched; header and all. */
void mr_power_spectrum_csv(const struct mr_power_spectrum *spectrum, struct mr_buf *out);

#endif
