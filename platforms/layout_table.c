/* SPDX-License-Identifier: Apache-2.0 */
/* The attributes of every element of a layout. Figures that travel into the site have the names
 * they have in its props (prop.h); defaults "0 ..." mean that the expansion decides. */
#include "platforms/layout_impl.h"
#include "platforms/prop.h"

#define ANY MR_UNBOUNDED

enum {
    count_max = 10000
};

static const char *const redundancies[] = {
#define REDUNDANCY_TEXT(name, text, n_system, doc) text,
    MR_LAYOUT_REDUNDANCY_LIST(REDUNDANCY_TEXT)
#undef REDUNDANCY_TEXT
};

static const char *const cooling_redundancies[] = {"N", "N+1", "2N"};

static const char *const chains[] = {
#define CHAIN_TEXT(name, text, row_v, doc) text,
    MR_LAYOUT_CHAIN_LIST(CHAIN_TEXT)
#undef CHAIN_TEXT
};

static const char *const policies[] = {
#define POLICY_TEXT(name, text, doc) text,
    MR_LAYOUT_POLICY_LIST(POLICY_TEXT)
#undef POLICY_TEXT
};

static const char *const power_kinds[] = {
#define KIND_TEXT(name, text, doc) text,
    MR_SITE_POWER_LIST(KIND_TEXT)};

static const char *const reject_kinds[] = {MR_SITE_REJECT_LIST(KIND_TEXT)};
#undef KIND_TEXT

static const char *const ups_modes[] = {"double", "eco", "none"};
static const char *const sides[] = {"both", "A", "B"};
static const char *const pers[] = {"site", "hall", "row", "auto"};
static const char *const loops[] = {"liquid", "air"};

static const struct mr_param top_rows[] = {
    MR_PARAM_STR(struct mr_layout_top, name, "name", NULL, "Name of the site, without spaces"),
    MR_PARAM_STR(struct mr_layout_top, title, "title", NULL, "One line for people"),
    MR_PARAM(struct mr_layout_top, wet_bulb_c, "wet_bulb", MR_Q_TEMPERATURE, "25 degC", -60, 60,
             "Design wet-bulb temperature of the place"),
    MR_PARAM(struct mr_layout_top, dry_bulb_c, "dry_bulb", MR_Q_TEMPERATURE, "35 degC", -60, 60,
             "Design dry-bulb temperature of the place"),
};

static const struct mr_param provision_rows[] = {
    MR_PARAM_ONE_OF(struct mr_layout_provision, policy, "policy", policies, "max_p",
                    "Rated power, efficient operating point, or a share of the grid limit"),
    MR_PARAM(struct mr_layout_provision, rack_w, "rack_power", MR_Q_POWER, "0 W", 0, ANY,
             "Grant of every rack up to its rated power, instead of the policy's"),
    MR_PARAM(struct mr_layout_provision, overhead, "overhead", MR_Q_COUNT, "0", 0, 10,
             "Power at the meter over power of the racks, 0: from chain and cooling"),
};

static const struct mr_param power_rows[] = {
    MR_PARAM_ONE_OF(struct mr_layout_power, chain, "chain", chains, "ac415",
                    "From the hall's medium voltage to the racks"),
    MR_PARAM_ONE_OF(struct mr_layout_power, redundancy, "redundancy", redundancies, "N+1",
                    "What may be lost without losing racks"),
    MR_PARAM_ONE_OF(struct mr_layout_power, ups, "ups", ups_modes, "double",
                    "Supply of the hall; none is the default of chains with 800 VDC"),
    MR_PARAM(struct mr_layout_power, fill_frac, "fill", MR_Q_FRACTION, "90 %", 0.1, 1,
             "Share of its rating to which a unit is loaded by design"),
    MR_PARAM(struct mr_layout_power, mv_v, "mv_voltage", MR_Q_VOLTAGE, "20 kV", 1e3, 1e5,
             "Medium voltage of the site"),
};

static const struct mr_param node_rows[] = {
    MR_PARAM_ONE_OF(struct mr_layout_node, kind, "kind", power_kinds, NULL,
                    "What it is; also the name of an element"),
    MR_PARAM_STR(struct mr_layout_node, name, "name", NULL,
                 "Instead of the kind's short name, to refer to"),
    MR_PARAM(struct mr_layout_node, rating_w, "rating", MR_Q_POWER, "0 W", 0, ANY,
             "Of one unit at its output, 0: the size that fits what it carries"),
    MR_PARAM_N(struct mr_layout_node, n_unit, "units", "0", 0, count_max,
               "Units installed, 0: as many as the load takes"),
    MR_PARAM_N(struct mr_layout_node, n_spare, "spare", "0", 0, count_max,
               "Of these, not needed at full load; not given: by redundancy, or what is left over"),
    MR_PARAM_N(struct mr_layout_node, n_count, "count", "1", 1, 1000,
               "Nodes like this side by side; what hangs on them is dealt out in turn"),
    MR_PARAM_STR(struct mr_layout_node, parent, "parent", NULL,
                 "Node towards the grid; not given: the stage before"),
    MR_PARAM_ONE_OF(struct mr_layout_node, side, "side", sides, "both",
                    "Of two feeds, the one it stands in"),
    MR_PARAM_ONE_OF(struct mr_layout_node, per, "per", pers, "auto",
                    "One for the site, for every hall or for every row"),
    MR_PARAM(struct mr_layout_node, voltage_v, "voltage", MR_Q_VOLTAGE, "0 V", 0, ANY,
             "Output voltage, 0: that of its kind"),
    MR_PARAM(struct mr_layout_node, energy_j, "energy", MR_Q_ENERGY, "0 J", 0, ANY,
             "Storage: usable energy of all units, 0: from the duration"),
    MR_PARAM(struct mr_layout_node, duration_s, "duration", MR_Q_TIME, "0 s", 0, ANY,
             "Storage: time at full rating, 0: that of its kind"),
    MR_PARAM(
        struct mr_layout_node, oversubscribe, "oversubscribe", MR_Q_COUNT, "1", 1, 10,
        "Limits of the racks on it over what it has in service, at most; caps keep its rating"),
    MR_PARAM_N(struct mr_layout_node, n_rack, "racks", "4", 1, count_max, "Sidecars: racks on one"),
};

static const struct mr_param cooling_rows[] = {
    MR_PARAM(struct mr_layout_cooling, supply_c, "supply", MR_Q_TEMPERATURE, "45 degC", -60, 120,
             "Set point of the water sent to racks"),
    MR_PARAM(struct mr_layout_cooling, facility_c, "facility", MR_Q_TEMPERATURE, "0 degC", -60, 120,
             "Set point of the facility loop, not given: supply less the CDUs' approach"),
    MR_PARAM(struct mr_layout_cooling, air_c, "air_supply", MR_Q_TEMPERATURE, "20 degC", -60, 120,
             "Set point of the chilled water of room air handlers"),
    MR_PARAM_ONE_OF(struct mr_layout_cooling, redundancy, "redundancy", cooling_redundancies, "N+1",
                    "Spare units of CDUs, air handlers and heat rejection"),
    MR_PARAM_STR(struct mr_layout_cooling, cdu, "cdu", "deschutes", "Card of automatic CDUs"),
};

static const struct mr_param reject_rows[] = {
    MR_PARAM_STR(struct mr_layout_reject, name, "name", NULL, "Instead of X0, X1, ..."),
    MR_PARAM_ONE_OF(struct mr_layout_reject, kind, "kind", reject_kinds, NULL,
                    "How the heat leaves"),
    MR_PARAM_STR(struct mr_layout_reject, card_id, "card", NULL,
                 "Product, not given: the usual one of its kind"),
    MR_PARAM_ONE_OF(struct mr_layout_reject, loop, "loop", loops, "liquid",
                    "Loop it works on; air handlers: air"),
    MR_PARAM_N(struct mr_layout_reject, n_unit, "units", "0", 0, count_max,
               "Units installed, 0: as many as the heat takes"),
    MR_PARAM_N(struct mr_layout_reject, n_spare, "spare", "0", 0, count_max,
               "Of these, not needed at full load; not given: by redundancy, or what is left over"),
    MR_PARAM(struct mr_layout_reject, capacity_w, "capacity", MR_Q_POWER, "0 W", 0, ANY,
             "Heat of one unit at the site's design weather, 0: from the card"),
    MR_PARAM(struct mr_layout_reject, area_m2, "area", MR_Q_AREA, "0 m2", 0, ANY,
             "Radiators: area of one side of one unit"),
};

static const struct mr_param pod_rows[] = {
    MR_PARAM_STR(struct mr_layout_pod, name, "name", NULL, "Instead of P0, P1, ..."),
    MR_PARAM_N(struct mr_layout_pod, n_count, "count", "1", 1, count_max,
               "In a hall: pods like this, with their rows"),
};

static const struct mr_param hall_rows[] = {
    MR_PARAM_STR(struct mr_layout_hall, name, "name", NULL, "Instead of H0, H1, ..."),
    MR_PARAM_N(struct mr_layout_hall, n_count, "count", "1", 1, count_max, "Halls like this"),
    MR_PARAM(struct mr_layout_hall, floor_limit_kg_m2, "floor_limit", MR_Q_MASS_PER_AREA,
             "3500 kg/m2", 0, ANY, "Load the floor carries, 0: not stated"),
    MR_PARAM(struct mr_layout_hall, row_pitch_m, "row_pitch", MR_Q_LENGTH, "3 m", 0, 1000,
             "From row to row"),
};

static const struct mr_param row_rows[] = {
    MR_PARAM_STR(struct mr_layout_row, name, "name", NULL, "Instead of R0, R1, ..."),
    MR_PARAM_N(struct mr_layout_row, n_count, "count", "1", 1, count_max, "Rows like this"),
    MR_PARAM_STR(struct mr_layout_row, pod_name, "pod", NULL, "Pod of these racks, by name"),
};

static const struct mr_param rack_rows[] = {
    MR_PARAM_STR(struct mr_layout_rack, card_id, "card", NULL, "Product, platforms/racks"),
    MR_PARAM_N(struct mr_layout_rack, n_count, "count", "1", 1, count_max, "Racks like this"),
    MR_PARAM_STR(struct mr_layout_rack, name, "name", NULL, "Instead of K0, K1, ..."),
    MR_PARAM(struct mr_layout_rack, limit_w, "limit", MR_Q_POWER, "0 W", 0, ANY,
             "What its feed grants, 0: by the policy"),
    MR_PARAM(struct mr_layout_rack, rated_w, "rated", MR_Q_POWER, "0 W", 0, ANY,
             "Rated power, 0: the card's"),
    MR_PARAM(struct mr_layout_rack, max_q_w, "max_q", MR_Q_POWER, "0 W", 0, ANY,
             "Power of the efficient operating point, 0: the card's"),
    MR_PARAM(struct mr_layout_rack, liquid_frac, "liquid", MR_Q_FRACTION, "0", 0, 1,
             "Share of the heat that goes to liquid, not given: the card's"),
    MR_PARAM(struct mr_layout_rack, flow_m3_s, "flow", MR_Q_VOLUME_FLOW, "0 m3/s", 0, ANY,
             "Design flow of coolant, 0: the card's"),
    MR_PARAM(struct mr_layout_rack, inlet_max_c, "inlet", MR_Q_TEMPERATURE, "0 degC", -60, 120,
             "Warmest allowed inlet, not given: the card's"),
    MR_PARAM(struct mr_layout_rack, mass_kg, "mass", MR_Q_MASS, "0 kg", 0, ANY,
             "Mass, filled, 0: the card's"),
    MR_PARAM(struct mr_layout_rack, width_m, "width", MR_Q_LENGTH, "0 m", 0, 100,
             "Along the row, 0: the card's"),
    MR_PARAM(struct mr_layout_rack, gap_m, "gap", MR_Q_LENGTH, "0 m", 0, 1000,
             "Free space before the first of these racks"),
};

static const struct mr_param cdu_rows[] = {
    MR_PARAM_STR(struct mr_layout_cdu, card_id, "card", NULL,
                 "Product, platforms/cdus; not given: the cooling's"),
    MR_PARAM_STR(struct mr_layout_cdu, name, "name", NULL, "Instead of C0, C1, ..."),
    MR_PARAM_N(struct mr_layout_cdu, n_unit, "units", "0", 0, count_max,
               "Units installed, 0: as many as heat and flow take"),
    MR_PARAM_N(struct mr_layout_cdu, n_spare, "spare", "0", 0, count_max,
               "Of these, not needed at full load; not given: by redundancy, or what is left over"),
    MR_PARAM_N(struct mr_layout_cdu, n_rack, "racks", "0", 0, count_max,
               "Racks of the row it serves, in order, 0: all that are left"),
    MR_PARAM(struct mr_layout_cdu, supply_c, "supply", MR_Q_TEMPERATURE, "0 degC", -60, 120,
             "Set point of the water sent to racks, not given: the cooling's"),
    MR_PARAM(struct mr_layout_cdu, flow_m3_s, "flow", MR_Q_VOLUME_FLOW, "0 m3/s", 0, ANY,
             "Design flow of one unit, 0: the racks' over the units not spare"),
    MR_PARAM(struct mr_layout_cdu, capacity_w, "capacity", MR_Q_POWER, "0 W", 0, ANY,
             "Heat one unit carries, 0: the card's"),
};

static const struct mr_param domain_rows[] = {
    MR_PARAM_N(struct mr_layout_domain, n_rack, "racks", "8", 1, count_max,
               "Racks of one domain, in order"),
    MR_PARAM_STR(struct mr_layout_domain, card_id, "card", NULL,
                 "Which racks of the row; not given: all with packages"),
    MR_PARAM(struct mr_layout_domain, bandwidth_bytes_s, "bandwidth", MR_Q_DATA_RATE, "0 B/s", 0,
             1e18, "Of one package, one way, 0: the card's"),
    MR_PARAM(struct mr_layout_domain, latency_s, "latency", MR_Q_TIME, "0 s", 0, 1,
             "One hop, 0: the card's"),
    MR_PARAM_YES(struct mr_layout_domain, is_optical, "optical", "yes",
                 "Links leave the racks as light"),
};

#define TABLE(name_, rows_, doc_)                           \
    {                                                       \
        name_, doc_, rows_, sizeof(rows_) / sizeof *(rows_) \
    }

static const struct mr_param_table tables[mr_layout_n_element] = {
    [MR_LAYOUT_TOP] =
        TABLE("layout", top_rows, "A site: what stands in its halls, what feeds and cools them."),
    [MR_LAYOUT_PROVISION] = TABLE("provision", provision_rows, "What power racks are granted."),
    [MR_LAYOUT_POWER] =
        TABLE("power", power_rows, "Power chain. In a hall: only what differs there."),
    [MR_LAYOUT_NODE] = TABLE("node", node_rows,
                             "One stage, source or storage of the power chain, in place of the "
                             "automatic one of its kind. Written `<node kind=\"ups\"/>` or "
                             "`<ups/>`."),
    [MR_LAYOUT_COOLING] = TABLE("cooling", cooling_rows,
                                "Coolant and heat rejection. In a hall: only what differs there."),
    [MR_LAYOUT_REJECT] = TABLE("reject", reject_rows,
                               "Heat rejection units, in place of the automatic ones of a loop."),
    [MR_LAYOUT_POD] =
        TABLE("pod", pod_rows, "Racks that are planned together: rows name it, or stand in it."),
    [MR_LAYOUT_HALL] = TABLE("hall", hall_rows, "A hall with its rows."),
    [MR_LAYOUT_ROW] = TABLE("row", row_rows, "A row of racks with its CDUs."),
    [MR_LAYOUT_RACK] =
        TABLE("rack", rack_rows, "Racks of one card; figures given here replace the card's."),
    [MR_LAYOUT_CDU] = TABLE(
        "cdu", cdu_rows, "Coolant distribution units on one header, in a row or for a whole hall."),
    [MR_LAYOUT_DOMAIN] =
        TABLE("domain", domain_rows, "Scale-up domains over several racks of a row."),
};

const struct mr_param_table *mr_layout_table(size_t i, const char **element)
{
    static const char *const names[] = {
#define ELEMENT_TEXT(name, text) text,
        MR_LAYOUT_ELEMENT_LIST(ELEMENT_TEXT)
#undef ELEMENT_TEXT
    };
    if (i >= mr_layout_n_element)
        return NULL;
    *element = names[i];
    if (i == MR_LAYOUT_GRID)
        return mr_prop_table(MR_PROP_GRID);
    return i == MR_LAYOUT_FABRIC ? mr_fabric_table() : &tables[i];
}
