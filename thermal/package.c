/* SPDX-License-Identifier: Apache-2.0 */
/* Types of packages: table, defaults, checks, propagators.
 *
 * No maker publishes die resistances or heat capacities of these packages. The defaults lie inside
 * the ranges that are known (junction to case 0.004-0.012 K/W, plates below 0.03 K/W, C1 30-80, C2
 * 200-600 J/K per kilowatt-class die) and keep a package at its limit below its throttle point at
 * the coolant its maker allows. Larger packages are the same silicon, more of it: resistance over
 * and heat capacity times the power ratio.
 * Map: tables - checks - propagators - questions. */
#include "thermal/package.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"

static const double reference_c = 60, first_slope_w_k = 0.1, slope_ratio_log = 0.0953101798043249;
static const double design_rise_k = 10;

static const char *const law_names[] = {
#define LAW_NAME(name, text, ...) text,
    MR_PLATE_LAW_LIST(LAW_NAME)
#undef LAW_NAME
};
static const char *const reference_names[] = {"inlet", "mean"};

// clang-format off
#define P struct mr_package_params
static const struct mr_param rows[] = {
    MR_PARAM(P, r1_k_w, "r1", MR_Q_RESISTANCE, "0.012 K/W", -MR_UNBOUNDED, MR_UNBOUNDED, "Die to cold plate"),
    MR_PARAM(P, r2_k_w, "r2", MR_Q_RESISTANCE, "0.018 K/W", -MR_UNBOUNDED, MR_UNBOUNDED, "Cold plate to coolant at design flow"),
    MR_PARAM(P, c1_j_k, "c1", MR_Q_HEAT_CAPACITY, "60 J/K", -MR_UNBOUNDED, MR_UNBOUNDED, "Heat capacity of die, lid and memory"),
    MR_PARAM(P, c2_j_k, "c2", MR_Q_HEAT_CAPACITY, "400 J/K", -MR_UNBOUNDED, MR_UNBOUNDED, "Heat capacity of the cold plate"),
    MR_PARAM(P, tdp_w, "tdp", MR_Q_POWER, "1 kW", 1, 1e5, "Power limit of the package"),
    MR_PARAM(P, flow_m3_s, "flow", MR_Q_VOLUME_FLOW, "0 L/min", 0, 1, "Coolant through one plate at design; 0: what warms by 10 K"),
    MR_PARAM(P, cp_j_kgk, "cp", MR_Q_SPECIFIC_HEAT, "3.9 kJ/kgK", 100, 1e4, "Specific heat of the coolant (25 % propylene glycol)"),
    MR_PARAM(P, rho_kg_m3, "rho", MR_Q_DENSITY, "1.01 kg/L", 0.1, 2000, "Density of the coolant"),
    MR_PARAM(P, leakage_frac, "leakage", MR_Q_FRACTION, "0.1", 0, 1, "Leakage at 60 degC over the power limit"),
    MR_PARAM(P, leakage_per_k, "leakage_slope", MR_Q_TEMPERATURE_COEFF, "0.02 1/K", 0, 0.1, "Leakage grows by this share per kelvin"),
    MR_PARAM(P, slow_c, "t_slow", MR_Q_TEMPERATURE, "87 degC", 0, 200, "Die temperature at which clocks fall"),
    MR_PARAM(P, hysteresis_k, "hysteresis", MR_Q_TEMPERATURE_DIFF, "4 K", 0.1, 40, "Clocks come back this far below t_slow"),
    MR_PARAM(P, crit_c, "t_crit", MR_Q_TEMPERATURE, "105 degC", 0, 250, "Die temperature at which the package switches itself off"),
    MR_PARAM(P, memory_c, "t_memory", MR_Q_TEMPERATURE, "95 degC", 0, 250, "Limit of the memory, taken as Tj - 0.25 P r1"),
    MR_PARAM(P, restart_c, "t_restart", MR_Q_TEMPERATURE, "60 degC", -50, 200, "A package that switched off waits until it is this cold"),
    MR_PARAM(P, restart_s, "restart", MR_Q_TIME, "600 s", 0, 1e6, "and at least this long"),
    MR_PARAM(P, floor_frac, "floor", MR_Q_FRACTION, "0.35", 0, 1, "Least share of the power asked for that throttling leaves"),
    MR_PARAM(P, spread_frac, "spread", MR_Q_FRACTION, "0.06", 0, 1, "Worst package's resistances above the mean, 3 sigma"),
    MR_PARAM(P, branch_frac, "branch", MR_Q_FRACTION, "0.95", 0.1, 1, "Flow of the worst branch over the mean"),
    MR_PARAM(P, noflow_mult, "noflow", MR_Q_COUNT, "20", 1, 1000, "r2 without flow over r2 at design"),
    MR_PARAM(P, relinearize_k, "relinearize", MR_Q_TEMPERATURE_DIFF, "5 K", 0.01, 50, "A tangent of leakage serves this far from its point"),
    MR_PARAM(P, inlet_c, "inlet", MR_Q_TEMPERATURE, "45 degC", -50, 100, "Coolant at design"),
    MR_PARAM_N(P, series_position, "series_position", "1", 1, 16, "Place among plates in series; 1: parallel"),
    MR_PARAM_ONE_OF(P, law, "law", law_names, "pg25", "Shape of r2 over flow"),
    MR_PARAM_ONE_OF(P, reference, "reference", reference_names, "inlet", "Coolant temperature that r2 counts from"),
};
#undef P

static const struct mr_param_table table = {"package", "The heat path of one package, from die to coolant.",
                                            rows, sizeof rows / sizeof *rows};

#define RANGE_SOURCE "inside estimated ranges: junction to case 0.004-0.012 K/W, plate below 0.03 K/W"
#define BUDGET_SOURCE "budget (87 - 45) K / 2300 W = 0.0183 K/W leaves no room for an earlier plate"
#define SCALED_SOURCE "rubin's per watt"
#define SINK_SOURCE "700 W at 25 degC inlet air settles at 81 degC"
#define LIMIT_SOURCE "the package's card"
#define A MR_CONFIDENCE_ASSUMPTION
#define E MR_CONFIDENCE_ESTIMATED
#define PRINTED MR_CONFIDENCE_PUBLISHED
#define PRESSED MR_CONFIDENCE_PRESS

/* type, limit and its confidence, r1, r2, c1, c2 and where they come from */
#define LIQUID(type, tdp, how, r1, r2, c1, c2, from)                                                            \
    {type, "tdp", tdp, LIMIT_SOURCE, how}, {type, "r1", r1, from, A}, {type, "r2", r2, from, A},                 \
    {type, "c1", c1, "range 30-80 J/K per kilowatt die", A}, {type, "c2", c2, "range 200-600 J/K", A}
#define AIR(type, tdp, how, r1, r2, c1, c2, from)                                                               \
    LIQUID(type, tdp, how, r1, r2, c1, c2, from), {type, "law", "air", "heat sink and fans", E},                 \
    {type, "leakage", "0.15", "estimated; one press source says 0.30 of an H100", E},                            \
    {type, "inlet", "27 degC", "recommended upper limit of room air", A},                                        \
    {type, "branch", "1", "fans are per node", A}, {type, "cp", "1006 J/kgK", "air", PRINTED},                   \
    {type, "rho", "1.15 kg/m3", "air", PRINTED}
#define LPU(type, how)                                                                                          \
    LIQUID(type, "300 W", how, "0.02 K/W", "0.03 K/W", "30 J/K", "300 J/K", RANGE_SOURCE),                       \
    {type, "t_slow", "97 degC", "below the limit by the margin of GPUs", A},                                     \
    {type, "t_crit", "105 degC", "limit in press notes", PRESSED}

static const struct mr_package_figure figures[] = {
    AIR("h100_sxm", "700 W", PRINTED, "0.02 K/W", "0.06 K/W", "50 J/K", "900 J/K", SINK_SOURCE),
    AIR("h200_sxm", "700 W", PRINTED, "0.02 K/W", "0.06 K/W", "50 J/K", "900 J/K", SINK_SOURCE),
    AIR("b200_sxm", "1 kW", PRINTED, "0.012 K/W", "0.042 K/W", "60 J/K", "1200 J/K", "taller sink: settles at 81 degC at 27"),
    AIR("b300_sxm", "1100 W", PRINTED, "0.012 K/W", "0.037 K/W", "60 J/K", "1300 J/K", "taller sink: settles at 81 degC at 27"),
    LIQUID("gb200", "1200 W", PRINTED, "0.012 K/W", "0.018 K/W", "60 J/K", "400 J/K", RANGE_SOURCE),
    {"gb200", "inlet", "40 degC", "warmest water that leaves a margin at full power", A},
    LIQUID("gb300", "1400 W", PRINTED, "0.012 K/W", "0.018 K/W", "60 J/K", "400 J/K", RANGE_SOURCE),
    {"gb300", "inlet", "40 degC", "warmest water that leaves a margin at full power", A},
    LIQUID("rubin", "2300 W", PRESSED, "0.005 K/W", "0.011 K/W", "80 J/K", "600 J/K", BUDGET_SOURCE),
    LIQUID("rubin_ultra_a", "3600 W", PRESSED, "0.0032 K/W", "0.007 K/W", "125 J/K", "940 J/K", SCALED_SOURCE),
    LIQUID("rubin_ultra_b", "2600 W", PRESSED, "0.0044 K/W", "0.0097 K/W", "90 J/K", "680 J/K", SCALED_SOURCE),
    LIQUID("feynman", "5 kW", A, "0.0023 K/W", "0.005 K/W", "174 J/K", "1300 J/K", SCALED_SOURCE),
    LPU("lp30", A),
    LPU("lp35", A),
    LPU("lp40", A),
    LIQUID("grace", "450 W", E, "0.02 K/W", "0.05 K/W", "40 J/K", "300 J/K", RANGE_SOURCE),
    LIQUID("vera", "450 W", E, "0.02 K/W", "0.05 K/W", "40 J/K", "300 J/K", RANGE_SOURCE),
};
// clang-format on

enum {
    n_figure = sizeof figures / sizeof *figures
};

const struct mr_param_table *mr_package_table(void)
{
    return &table;
}

const struct mr_package_figure *mr_package_figure(size_t i)
{
    return i < n_figure ? &figures[i] : NULL;
}

mr_status mr_package_params(const char *type, struct mr_package_params *params, struct mr_err *err)
{
    uint8_t origin[sizeof rows / sizeof *rows];
    const struct mr_param_target target = {&table, params, origin, NULL, type};
    mr_param_defaults(&target);
    size_t n_found = 0;
    for (size_t i = 0; i < n_figure; i++) {
        if (strcmp(figures[i].type, type) != 0)
            continue;
        n_found++;
        MR_TRY(mr_param_set(&target, mr_str_of(figures[i].figure), mr_str_of(figures[i].value),
                            MR_PARAM_GIVEN, MR_NOWHERE, err));
    }
    if (n_found > 0)
        return MR_OK;
    const char *last = "", *known[n_figure];
    size_t n_known = 0;
    for (size_t i = 0; i < n_figure; i++)
        if (strcmp(figures[i].type, last) != 0)
            known[n_known++] = last = figures[i].type;
    const char *near = mr_text_nearest(mr_str_of(type), known, n_known);
    return mr_err_set(err, MR_REF, MR_NOWHERE, "no heat path of a package '%s'%s%s%s", type,
                      near != NULL ? " (did you mean '" : "", near != NULL ? near : "",
                      near != NULL ? "'?)" : "");
}

/* ---- checks ---- */

static mr_status refuse(struct mr_err *err, const char *name, const char *what, const char *must)
{
    return mr_err_set(err, MR_RANGE, MR_NOWHERE, "package '%s': %s must be %s", name, what, must);
}

static mr_status check_positive(const char *name, const struct mr_package_params *p,
                                struct mr_err *err)
{
    const struct {
        const char *what, *unit;
        double value, least, most; /* bounds keep every propagator finite */
    } row[] = {
        {"r1", "> 0 K/W", p->r1_k_w, 1e-6, 1e3},      {"r2", "> 0 K/W", p->r2_k_w, 1e-6, 1e3},
        {"c1", "> 0 J/K", p->c1_j_k, 1e-2, 1e8},      {"c2", "> 0 J/K", p->c2_j_k, 1e-2, 1e8},
        {"tdp", "> 0 W", p->tdp_w, 1, 1e6},           {"cp", "> 0 J/kgK", p->cp_j_kgk, 1, 1e5},
        {"rho", "> 0 kg/m3", p->rho_kg_m3, 1e-2, 1e5}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        if (!(row[i].value > 0) || !isfinite(row[i].value))
            return refuse(err, name, row[i].what, row[i].unit);
        if (row[i].value < row[i].least || row[i].value > row[i].most)
            return mr_err_set(err, MR_RANGE, MR_NOWHERE, "package '%s': %s %g must be in %g .. %g",
                              name, row[i].what, row[i].value, row[i].least, row[i].most);
    }
    return MR_OK;
}

static mr_status check(const struct mr_package *package, struct mr_err *err)
{
    const struct mr_package_params *p = &package->p;
    if (!(p->slow_c < p->crit_c))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "package '%s': t_slow %g degC must be below t_crit %g degC",
                          package->name, p->slow_c, p->crit_c);
    if (!(p->restart_c < p->slow_c - p->hysteresis_k))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "package '%s': t_restart %g degC must be below t_slow - hysteresis, %g",
                          package->name, p->restart_c, p->slow_c - p->hysteresis_k);
    const double slope = p->leakage_per_k * mr_package_leak_w(package, p->slow_c),
                 most = 1 / (p->r1_k_w + p->r2_k_w);
    if (slope >= most)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "package '%s': leakage slope %.3g W/K >= %.3g W/K = 1/(r1+r2): thermal "
                          "runaway at design flow",
                          package->name, slope, most);
    struct mr_err why = {0};
    if (mr_plate_law_check(p->law, package->plate.design_lpm, &why) != MR_OK)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "package '%s': %s", package->name, why.text);
    return MR_OK;
}

/* ---- propagators ---- */

static struct mr_package_member member_of(const struct mr_package *package, double flow_frac,
                                          double slope_w_k, double stretch)
{
    const struct mr_package_params *p = &package->p;
    double r2 = mr_plate_k_w(&package->plate, flow_frac) * stretch;
    if (p->reference == 1 && flow_frac > 0)
        r2 += 0.5 / (flow_frac * package->flow_w_k[MR_FLOW_DESIGN]);
    struct mr_package_member m = {.g1_w_k = 1 / (p->r1_k_w * stretch), .g2_w_k = 1 / r2};
    const double a[2][2] = {
        {(slope_w_k - m.g1_w_k) * package->inverse_c1, m.g1_w_k * package->inverse_c1},
        {m.g1_w_k * package->inverse_c2, -(m.g1_w_k + m.g2_w_k) * package->inverse_c2}};
    const struct mr_two_state s = mr_two_state_of(a);
    for (int i = 0; i < 2; i++) {
        m.l[i] = s.l[i];
        m.inverse_l[i] = s.inverse_l[i];
    }
    m.p[0] = s.p[0][0];
    m.p[1] = s.p[0][1];
    m.p[2] = s.p[1][0];
    return m;
}

static void build_classes(struct mr_package *package)
{
    const struct mr_package_params *p = &package->p;
    for (int f = 0; f < MR_FLOW_N; f++) {
        const double flow = mr_flow_of_class(f);
        for (int k = 0; k < MR_PACKAGE_N_SLOPE; k++) {
            struct mr_package_class *c = &package->class[f * MR_PACKAGE_N_SLOPE + k];
            c->mean = member_of(package, flow, package->slope_w_k[k], 1);
            c->worst = member_of(package, flow * p->branch_frac, package->slope_w_k[k],
                                 1 + p->spread_frac);
        }
        const struct mr_package_member *worst = &mr_package_class_of(package, f, 0)->worst;
        package->worst_w_k[f] = 1 / (1 / worst->g1_w_k + 1 / worst->g2_w_k);
        package->memory_share[f] = MR_PACKAGE_MEMORY_SHARE / worst->g1_w_k * package->worst_w_k[f];
    }
}

/* Design flow and capacity rates; the plate as its law sees it. */
static void build_flow(struct mr_package *package)
{
    struct mr_package_params *p = &package->p;
    if (p->flow_m3_s == 0)
        p->flow_m3_s = p->tdp_w / (design_rise_k * p->rho_kg_m3 * p->cp_j_kgk);
    const double lpm = 60e3, kilowatt = p->tdp_w / 1000;
    package->plate = (struct mr_plate){
        .law = p->law,
        .design_k_w = p->r2_k_w,
        .design_lpm = p->law == MR_PLATE_LAW_AIR ? 1 : p->flow_m3_s * lpm / kilowatt,
        .none_k_w = p->r2_k_w * p->noflow_mult,
    };
    for (int f = 0; f < MR_FLOW_N; f++) {
        package->flow_w_k[f] = mr_flow_of_class(f) * p->flow_m3_s * p->rho_kg_m3 * p->cp_j_kgk;
        package->series_k_w[f] =
            f == MR_FLOW_NONE ? 0 : (double)(p->series_position - 1) / package->flow_w_k[f];
    }
}

/* slope class: 1 + log(k / 0.1) / log 1.1 with k = beta Pl(60) e^(beta (T - 60)), linear in T */
static void build_leakage(struct mr_package *package)
{
    const struct mr_package_params *p = &package->p;
    package->leakage_w = p->leakage_frac * p->tdp_w;
    for (int k = 1; k < MR_PACKAGE_N_SLOPE; k++)
        package->slope_w_k[k] = first_slope_w_k * mr_exp(slope_ratio_log * (k - 1));
    const double at_reference = p->leakage_per_k * package->leakage_w;
    if (at_reference > 0) {
        package->index_k = p->leakage_per_k / slope_ratio_log;
        package->index0 = 1 + mr_log(at_reference / first_slope_w_k) / slope_ratio_log -
                          package->index_k * reference_c;
    }
}

mr_status mr_package_create(const char *name, const struct mr_package_params *params,
                            struct mr_package **out, struct mr_err *err)
{
    *out = NULL;
    MR_TRY(check_positive(name, params, err));
    struct mr_package *package = mr_alloc_zero(1, sizeof *package);
    if (package == NULL)
        return mr_err_nomem(err, sizeof *package);
    package->name = name;
    package->p = *params;
    package->inverse_c1 = 1 / params->c1_j_k;
    package->inverse_c2 = 1 / params->c2_j_k;
    build_leakage(package);
    build_flow(package);
    const mr_status st = check(package, err);
    if (st != MR_OK) {
        mr_package_destroy(package);
        return st;
    }
    const size_t n = (size_t)MR_FLOW_N * MR_PACKAGE_N_SLOPE;
    package->class = mr_alloc_zero(n, sizeof *package->class);
    if (package->class == NULL) {
        mr_package_destroy(package);
        return mr_err_nomem(err, n * sizeof(struct mr_package_class));
    }
    build_classes(package);
    *out = package;
    return MR_OK;
}

void mr_package_destroy(struct mr_package *package)
{
    if (package == NULL)
        return;
    mr_free(package->class);
    mr_free(package);
}

/* ---- questions ---- */

double mr_package_leak_w(const struct mr_package *package, double die_c)
{
    if (package->leakage_w == 0)
        return 0;
    return package->leakage_w * mr_exp(package->p.leakage_per_k * (die_c - reference_c));
}

int mr_package_slope(const struct mr_package *package, double die_c)
{
    if (package->index_k == 0)
        return 0;
    const double index = package->index0 + package->index_k * die_c + 0.5;
    return index < 1 ? 0 : index >= MR_PACKAGE_N_SLOPE ? MR_PACKAGE_N_SLOPE - 1 : (int)index;
}

double mr_package_settled_c(const struct mr_package *package, int flow, double power_w,
                            double inlet_c)
{
    const struct mr_package_member *m = &mr_package_class_of(package, flow, 0)->mean;
    return inlet_c + power_w * (package->series_k_w[flow] + 1 / m->g1_w_k + 1 / m->g2_w_k);
}

int mr_package_fouled(const struct mr_package *package, int flow, double fouling_frac)
{
    if (flow == MR_FLOW_NONE || !(fouling_frac > 0))
        return flow;
    const double k_w = mr_plate_k_w(&package->plate, mr_flow_of_class(flow));
    return mr_flow_class(mr_plate_flow_of(&package->plate, k_w * (1 + fouling_frac)));
}

bool mr_package_warn(const struct mr_package *package, struct mr_buf *out)
{
    const struct mr_package_params *p = &package->p;
    const double settled_c = p->inlet_c + p->tdp_w / package->worst_w_k[MR_FLOW_DESIGN];
    if (settled_c <= p->slow_c)
        return false;
    mr_buf_printf(
        out, "%s at %g W, inlet %g degC settles at %.1f degC, above t_slow %g: it will throttle",
        package->name, p->tdp_w, p->inlet_c, settled_c, p->slow_c);
    return true;
}
