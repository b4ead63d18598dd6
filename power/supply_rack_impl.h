/* SPDX-License-Identifier: Apache-2.0 */
/* A rack as a supply keeps it: what it wants, may and does draw, and what holds it. */
#ifndef MR_POWER_SUPPLY_RACK_IMPL_H
#define MR_POWER_SUPPLY_RACK_IMPL_H

#include "power/inside.h"
#include "power/smooth.h"
#include "power/supply.h"

enum mr_supply_rack_state {
    MR_SUPPLY_RACK_ON,
    MR_SUPPLY_RACK_DARK,
    MR_SUPPLY_RACK_WAITING /* fed again, not yet permitted */
};

/* What of a rack a decision leaves running. */
enum mr_supply_held {
    MR_SUPPLY_FREE,
    MR_SUPPLY_SUSPENDED, /* work stops, hosts stay up */
    MR_SUPPLY_SHUT
};

struct mr_supply_rack {
    double want_w, cap_w, draw_w;
    struct mr_inside inside;
    double inside_w[mr_inside_max], module_w; /* lost in its stages and delivered, of draw_w */
    double inside_j[mr_inside_max], module_j, since_s; /* the same until it began to draw that */
    double told_w; /* with is_told: drawn while on, whatever the cap */
    bool is_told;
    double ready_s;                   /* WAITING: not before */
    int state;                        /* enum mr_supply_rack_state */
    uint32_t node, level;             /* of the governor's tree; the group it belongs to */
    uint32_t first_leaf, n_leaf;      /* n_leaf 0: `node` is one */
    uint32_t n_governed, n_host;      /* packages of its leaves; leaves that are no packages */
    double most_w, package_w;         /* of its card and feed; of one package, 0: not known */
    double fixed_w;                   /* told: outside its packages */
    double low_w, high_w, max_q_w;    /* bounds of its cap */
    double demand_w;                  /* at the last sample */
    double least_w, rest_w;           /* told: drawn at its lowest clock, and at rest */
    uint8_t tier;                     /* 0 is stopped first */
    uint8_t held;                     /* enum mr_supply_held, in force */
    uint8_t decided;                  /* what comes in force with the caps */
    uint32_t first_part, n_part;      /* in the order of turns; n_part 0: it rests as a whole */
    uint32_t n_awake, n_up;           /* of them work where the rack does: decided, in force */
    double free_s;                    /* held by a frequency relay: not before */
    bool is_away, asks;               /* it went off by itself; it may start again */
    double still_cap_w, still_draw_w; /* at the controller's last beat */
    struct mr_smooth smooth;          /* of one package; all packages of a rack move in step */
    double burn_w;                    /* over the running step, of the rack */
};

/* A run of alike packages in one tray; n = 0: hosts and all else. */
struct mr_supply_leaf {
    uint32_t part;                 /* MR_SITE_NONE: all are alike */
    uint32_t n, tray, above, node; /* above: node of its tray, where trays have limits */
};

/* Racks behind the same panels, or behind the same feeds; all, and at the meter. */
struct mr_supply_level {
    const char *name;              /* of the node that limits it */
    double limit_w, draw_w, ask_w; /* now; ask_w: without caps */
    double most_w;                 /* of its racks in all */
    double ask_j, square, over_s;  /* sums over time of asked watts, their squares, being over */
    double time_s;                 /* that they are of */
    uint32_t node, feed;
    bool is_over; /* told */
};

/* Drawn at least by a rack that runs, rests or is shut: a share of its maximum, or what is told,
 * which may be above its grant: whoever gives caps holds it to that. */
static inline double mr_supply_least_w(const struct mr_supply_params *params,
                                       const struct mr_supply_rack *rack, int held)
{
    const double run_w = fmax(rack->most_w * params->rack_min_frac, rack->least_w);
    const double rest_w = fmax(rack->most_w * params->suspend_frac, rack->rest_w);
    const double w = held == MR_SUPPLY_FREE ? run_w : fmin(rest_w, run_w);
    return held == MR_SUPPLY_SHUT ? 0 : w;
}

/* Off by itself, and not asking to come back: nobody holds it. */
static inline bool mr_supply_is_off(const struct mr_supply_rack *rack)
{
    return rack->is_away && !rack->asks;
}

/* By more than the rounding of sums of caps, or of ramps that end. What a rack is told to draw may
 * be less than it wants for other reasons than its cap: dies that throttle. */
static inline bool mr_supply_is_capped(const struct mr_supply_rack *rack)
{
    const double all_w = rack->want_w * (1 - 1e-9);
    return rack->cap_w < all_w && !(rack->is_told && rack->draw_w >= all_w);
}

#endif
