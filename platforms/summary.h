/* SPDX-License-Identifier: Apache-2.0 */
/* A site in numbers: what `millrace show` prints and what a planner compares. Sums run in index
 * order. */
#ifndef MR_PLATFORMS_SUMMARY_H
#define MR_PLATFORMS_SUMMARY_H

#include "engine/base/jsonw.h"
#include "platforms/meter.h"
#include "platforms/network.h"

enum {
    MR_SUMMARY_CARDS = 32
};

/* Racks of one card. */
struct mr_summary_card {
    const char *card, *package; /* lent by the site */
    uint64_t n_rack, n_package;
    double memory_bytes, rated_w, granted_w;
};

struct mr_summary {
    uint64_t n_hall, n_row, n_rack, n_package, n_cpu, n_domain, n_pod;
    uint64_t n_port, n_zone, n_host, n_link;
    double memory_bytes, flop_s;        /* of all packages, dense */
    double rated_w, max_q_w, granted_w; /* of all racks */
    double liquid_w, air_w;             /* granted heat by where it goes */
    double flow_m3_s;                   /* of all racks at design */
    double cdu_w, cdu_spare_w;          /* capacity in service; on top of that */
    double rejection_w,
        rejection_spare_w; /* air handlers apart: what they take is counted outside */
    double crah_w, crah_spare_w;
    double mass_kg;
    double grid_limit_w;   /* 0: no grid, or no limit stated */
    struct mr_meter meter; /* zero when the power tree is none */
    struct mr_network network;
    double scaleout_bytes_s;  /* all rack ports, one way */
    double bisection_bytes_s; /* half of the racks to the other half, one way; 0: one rack */
    uint64_t n_power[MR_SITE_N_POWER_KIND]; /* units by kind */
    uint64_t n_spare[MR_SITE_N_POWER_KIND]; /* of these, not needed at full load */
    double power_w[MR_SITE_N_POWER_KIND];   /* rating in service by kind */
    uint64_t n_rack_two_feeds;              /* racks that hang on two power nodes */
    uint64_t
        n_oversubscribed;    /* power nodes whose racks' limits add up to more than their rating */
    uint32_t oversubscribed; /* the most of them */
    double oversubscription; /* how many times its rating */
    size_t n_card;           /* distinct cards; the first MR_SUMMARY_CARDS are kept */
    struct mr_summary_card card[MR_SUMMARY_CARDS];
};

/** Missing cards are warnings in `diags`. */
MR_CHECKED mr_status mr_summary_of(const struct mr_site *site, struct mr_summary *summary,
                                   struct mr_diags *diags, struct mr_err *err);

/** For people, in about thirty lines. */
void mr_summary_print(const struct mr_site *site, const struct mr_summary *summary,
                      struct mr_buf *out);

/** Members of one JSON object that the caller begins and ends; SI units in the keys. */
void mr_summary_json(const struct mr_site *site, const struct mr_summary *summary,
                     struct mr_jsonw *w);

/** Graphviz: power tree (red), coolant (blue) and fabric between zones (gray) down to racks. */
void mr_summary_dot(const struct mr_site *site, struct mr_buf *out);

#endif
