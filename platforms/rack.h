/* SPDX-License-Identifier: Apache-2.0 */
/* Rack cards: what one rack of a product brings to a site (platforms/racks/ID.xml). Bandwidths are
 * one way, compute is dense. A figure nobody published keeps the table's default and counts as
 * assumption. */
#ifndef MR_PLATFORMS_RACK_H
#define MR_PLATFORMS_RACK_H

#include "engine/base/card.h"

/* name in files, meaning */
#define MR_RACK_MEDIA_LIST(X)                           \
    X(NONE, "none", "no scale-up network")              \
    X(COPPER, "copper", "backplane or cable cartridge") \
    X(OPTICAL, "optical", "optics between or inside racks")

enum mr_rack_media {
#define MR_RACK_MEDIA_ENUM(name, text, doc) MR_RACK_MEDIA_##name,
    MR_RACK_MEDIA_LIST(MR_RACK_MEDIA_ENUM)
#undef MR_RACK_MEDIA_ENUM
};

struct mr_rack_card {
    const char *package_card, *nic_card, *cpu_card, *nvlink_switch; /* ids; NULL: none */
    uint64_t n_package, n_tray, n_switch_tray;
    double package_memory_bytes, package_fp4_flop_s, package_fp8_flop_s, package_bf16_flop_s;
    double package_max_p_w, package_max_q_w;
    uint64_t nvlink_generation, n_nvlink_switch, domain_packages;
    double nvlink_bytes_s, nvlink_latency_s; /* per package, one way; one hop */
    int nvlink_media;                        /* enum mr_rack_media */
    uint64_t n_nic, n_port;
    double scaleout_bytes_s, scaleout_latency_s; /* of one port, one way */
    uint64_t n_cpu, n_core;                      /* cores of one CPU */
    double cpu_memory_bytes;                     /* of one CPU */
    double max_p_w, max_q_w, edpp_w; /* of the rack; EDPp is the electrical design peak */
    uint64_t n_shelf, bus_v;         /* bus 0: alternating current */
    double shelf_w, shelf_j;         /* of one; capacitors of all */
    double liquid_frac, liquid_flow_m3_s, liquid_exponent, liquid_drop_pa, inlet_max_c;
    double mass_kg, width_m, depth_m, height_m;
    double price_low_usd, price_high_usd; /* 0: not known */
};

extern const struct mr_card_kind mr_rack_kind;

static inline const struct mr_rack_card *mr_rack_of(const struct mr_card *card)
{
    return card->object;
}

/** The compute rate a site gives its hosts: FP4 where there is a path for it, else FP8, else BF16.
 */
double mr_rack_package_flop_s(const struct mr_rack_card *rack);

/** How many scale-up domains the rack holds: 4 for four 8-GPU nodes, 1 for NVL72 and for a rack
 * that is part of a larger domain, 0 without packages. */
uint64_t mr_rack_n_domain(const struct mr_rack_card *rack);

#endif
