/* SPDX-License-Identifier: Apache-2.0 */
/* The table of rack figures. Defaults are those of an ordinary 600 mm rack with nothing in it. */
#include "platforms/rack.h"

static const char *const media[] = {
#define MEDIA_ROW(name, text, doc) text,
    MR_RACK_MEDIA_LIST(MEDIA_ROW)
#undef MEDIA_ROW
};

// clang-format off
#define R struct mr_rack_card
static const struct mr_param rows[] = {
    MR_PARAM_N(R, n_package, "packages", NULL, 0, 100000, "GPU or LPU packages in the rack"),
    MR_PARAM_STR(R, package_card, "package.card", NULL, "Card of the packages"),
    MR_PARAM(R, package_memory_bytes, "package.memory", MR_Q_DATA, "0 B", 0, 1e15, "HBM or SRAM of one package"),
    MR_PARAM(R, package_fp4_flop_s, "package.fp4", MR_Q_FLOP_RATE, "0 flop/s", 0, 1e19, "Dense FP4 rate of one package; 0: no FP4 path"),
    MR_PARAM(R, package_fp8_flop_s, "package.fp8", MR_Q_FLOP_RATE, "0 flop/s", 0, 1e19, "Dense FP8 rate of one package"),
    MR_PARAM(R, package_bf16_flop_s, "package.bf16", MR_Q_FLOP_RATE, "0 flop/s", 0, 1e19, "Dense BF16 rate of one package"),
    MR_PARAM(R, package_max_p_w, "package.max_p", MR_Q_POWER, "0 W", 0, 1e5, "Power limit of one package at Max-P; 0: not known"),
    MR_PARAM(R, package_max_q_w, "package.max_q", MR_Q_POWER, "0 W", 0, 1e5, "Power limit of one package at Max-Q; 0: not known"),
    MR_PARAM_N(R, n_tray, "trays", "1", 1, 1000, "Compute trays or nodes"),
    MR_PARAM_N(R, n_switch_tray, "switch.trays", "0", 0, 1000, "Scale-up switch trays"),
    MR_PARAM_N(R, nvlink_generation, "nvlink.generation", "0", 0, 20, "NVLink generation; 0: another scale-up network or none"),
    MR_PARAM(R, nvlink_bytes_s, "nvlink.bandwidth", MR_Q_DATA_RATE, "0 B/s", 0, 1e15, "Scale-up bandwidth of one package, one way"),
    MR_PARAM(R, nvlink_latency_s, "nvlink.latency", MR_Q_TIME, "1 us", 0, 1, "Latency from package to package over one switch"),
    MR_PARAM_STR(R, nvlink_switch, "nvlink.switch", NULL, "Card of the scale-up switches"),
    MR_PARAM_N(R, n_nvlink_switch, "nvlink.switches", "0", 0, 10000, "Scale-up switch chips in the rack"),
    MR_PARAM_ONE_OF(R, nvlink_media, "nvlink.media", media, "none", "What the scale-up network runs on"),
    MR_PARAM_N(R, domain_packages, "domain.packages", "0", 0, 100000, "Packages of one scale-up domain; more than the rack has: the domain spans racks"),
    MR_PARAM_STR(R, nic_card, "scaleout.nic", NULL, "Card of the scale-out network interfaces"),
    MR_PARAM_N(R, n_nic, "scaleout.nics", "0", 0, 10000, "Scale-out network interfaces"),
    MR_PARAM_N(R, n_port, "scaleout.ports", "0", 0, 10000, "Scale-out ports"),
    MR_PARAM(R, scaleout_bytes_s, "scaleout.bandwidth", MR_Q_DATA_RATE, "0 B/s", 0, 1e15, "Bandwidth of one scale-out port, one way"),
    MR_PARAM(R, scaleout_latency_s, "scaleout.latency", MR_Q_TIME, "2 us", 0, 1, "Latency of a message through one interface"),
    MR_PARAM_STR(R, cpu_card, "cpu.card", NULL, "Card of the host processors"),
    MR_PARAM_N(R, n_cpu, "cpus", "0", 0, 100000, "Host processors"),
    MR_PARAM_N(R, n_core, "cpu.cores", "0", 0, 10000, "Cores of one host processor"),
    MR_PARAM(R, cpu_memory_bytes, "cpu.memory", MR_Q_DATA, "0 B", 0, 1e15, "Memory of one host processor"),
    MR_PARAM(R, max_p_w, "power.max_p", MR_Q_POWER, NULL, 0, 1e7, "Rated power of the rack (Max-P)"),
    MR_PARAM(R, max_q_w, "power.max_q", MR_Q_POWER, "0 W", 0, 1e7, "Power of the rack at Max-Q; 0: as Max-P"),
    MR_PARAM(R, edpp_w, "power.edpp", MR_Q_POWER, "0 W", 0, 1e7, "Electrical design peak; 0: not known"),
    MR_PARAM_N(R, n_shelf, "power.shelves", "0", 0, 1000, "Power shelves in the rack"),
    MR_PARAM(R, shelf_w, "power.shelf", MR_Q_POWER, "0 W", 0, 1e6, "Rating of one power shelf"),
    MR_PARAM(R, shelf_j, "power.shelf_energy", MR_Q_ENERGY, "0 J", 0, 1e9, "Capacitors of all power shelves; 0: none are known"),
    MR_PARAM_N(R, bus_v, "bus.voltage", "0", 0, 2000, "Direct voltage of the rack's bus; 0: alternating current"),
    MR_PARAM(R, liquid_frac, "liquid.share", MR_Q_FRACTION, "0", 0, 1, "Share of the heat that goes to liquid"),
    MR_PARAM(R, liquid_flow_m3_s, "liquid.flow", MR_Q_VOLUME_FLOW, "0 L/min", 0, 1, "Design flow (PG25, 10 K)"),
    MR_PARAM(R, liquid_exponent, "liquid.exponent", MR_Q_COUNT, "1.85", 1, 2, "Pressure drop = design drop x (flow / design flow)^exponent"),
    MR_PARAM(R, liquid_drop_pa, "liquid.drop", MR_Q_PRESSURE, "60 kPa", 0, 1e6, "Pressure drop at design flow"),
    MR_PARAM(R, inlet_max_c, "liquid.inlet_max", MR_Q_TEMPERATURE, "45 degC", -50, 90, "Warmest water the rack takes"),
    MR_PARAM(R, mass_kg, "mass", MR_Q_MASS, "1500 kg", 1, 1e5, "Mass of the filled rack"),
    MR_PARAM(R, width_m, "width", MR_Q_LENGTH, "0.6 m", 0.1, 10, "Width of the rack"),
    MR_PARAM(R, depth_m, "depth", MR_Q_LENGTH, "1.2 m", 0.1, 10, "Depth of the rack"),
    MR_PARAM(R, height_m, "height", MR_Q_LENGTH, "2.3 m", 0.1, 10, "Height of the rack"),
    MR_PARAM(R, price_low_usd, "price.low", MR_Q_MONEY, "0 USD", 0, 1e9, "Low estimate of the price; 0: not known"),
    MR_PARAM(R, price_high_usd, "price.high", MR_Q_MONEY, "0 USD", 0, 1e9, "High estimate of the price; 0: not known"),
};
#undef R
// clang-format on

static const struct mr_param_table table = {"rack",
                                            "One rack of a product; files platforms/racks/ID.xml.",
                                            rows, sizeof rows / sizeof *rows};

const struct mr_card_kind mr_rack_kind = {"rack", "platforms/racks", &table,
                                          sizeof(struct mr_rack_card), NULL};

double mr_rack_package_flop_s(const struct mr_rack_card *rack)
{
    if (rack->package_fp4_flop_s > 0)
        return rack->package_fp4_flop_s;
    return rack->package_fp8_flop_s > 0 ? rack->package_fp8_flop_s : rack->package_bf16_flop_s;
}

uint64_t mr_rack_n_domain(const struct mr_rack_card *rack)
{
    if (rack->n_package == 0)
        return 0;
    if (rack->domain_packages == 0 || rack->domain_packages >= rack->n_package)
        return 1;
    return (rack->n_package + rack->domain_packages - 1) / rack->domain_packages;
}
