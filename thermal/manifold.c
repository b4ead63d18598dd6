/* SPDX-License-Identifier: Apache-2.0 */
/* Rack flow and heat split. Every question has a closed inverse, so valves and headers are never
 * searched for. */
#include "thermal/manifold.h"

#include "engine/base/fmath.h"
#include "thermal/flow.h"

// clang-format off
#define M struct mr_manifold
static const struct mr_param rows[] = {
    MR_PARAM(M, flow_m3_s, "flow", MR_Q_VOLUME_FLOW, "200 L/min", 1e-7, 1, "Coolant through the rack at design"),
    MR_PARAM(M, drop_pa, "drop", MR_Q_PRESSURE, "60 kPa", 1, 1e7, "Pressure drop of the rack at design flow (LBNL example)"),
    MR_PARAM(M, valve_pa, "valve.drop", MR_Q_PRESSURE, "60 kPa", 0, 1e7, "Drop of its open valve at design flow (authority one half, assumption)"),
    MR_PARAM(M, exponent, "exponent", MR_Q_COUNT, "1.85", 1, 2, "Pressure drop over flow (OCP fit in LBNL's library)"),
    MR_PARAM(M, rangeability, "valve.range", MR_Q_COUNT, "50", 2, 1000, "Equal-percentage valve: widest over narrowest (assumption)"),
    MR_PARAM(M, stroke_s, "valve.stroke", MR_Q_TIME, "120 s", 0.1, 3600, "Time of the valve's full stroke (LBNL)"),
    MR_PARAM(M, liquid_frac, "liquid", MR_Q_FRACTION, "1", -MR_UNBOUNDED, MR_UNBOUNDED, "Share of the rack's heat that liquid takes"),
    MR_PARAM(M, inlet_max_c, "inlet_max", MR_Q_TEMPERATURE, "45 degC", 0, 90, "Warmest coolant the rack's maker allows"),
    MR_PARAM(M, return_high_c, "return_high", MR_Q_TEMPERATURE, "65 degC", 0, 100, "Return temperature that raises an event"),
    MR_PARAM(M, trip_c, "trip", MR_Q_TEMPERATURE, "95 degC", 0, 150, "Coolant so warm that a rack without known packages switches off (assumption)"),
    MR_PARAM(M, trip_air_c, "trip.air", MR_Q_TEMPERATURE, "60 degC", 0, 150, "Air so warm that a rack which needs air switches off (assumption)"),
    MR_PARAM(M, low_frac, "flow_low", MR_Q_FRACTION, "0.7", 0, 1, "Flow over what its pumps are asked for below which an event is raised"),
    MR_PARAM(M, least_m3_j, "flow_least", MR_Q_FLOW_PER_POWER, "0.8 L/min/kW", 0, 1, "Least design flow for each kilowatt"),
    MR_PARAM(M, cp_j_kgk, "cp", MR_Q_SPECIFIC_HEAT, "3.9 kJ/kgK", 100, 1e4, "Specific heat of the coolant"),
    MR_PARAM(M, rho_kg_m3, "rho", MR_Q_DENSITY, "1.01 kg/L", 0.1, 2000, "Density of the coolant"),
};
#undef M
// clang-format on

static const struct mr_param_table table = {"manifold", "The coolant side of one rack.", rows,
                                            sizeof rows / sizeof *rows};

const struct mr_param_table *mr_manifold_table(void)
{
    return &table;
}

void mr_manifold_defaults(struct mr_manifold *manifold)
{
    uint8_t origin[sizeof rows / sizeof *rows];
    mr_param_defaults(&(struct mr_param_target){&table, manifold, origin, NULL, "manifold"});
}

mr_status mr_manifold_check(const struct mr_manifold *manifold, const char *name, const char *row,
                            double heat_w, double supply_c, bool has_loop, struct mr_err *err)
{
    if (!(manifold->liquid_frac >= 0 && manifold->liquid_frac <= 1))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "rack '%s': liquid %g: the share of heat that liquid takes must be in "
                          "0 .. 1",
                          name, manifold->liquid_frac);
    if (manifold->liquid_frac == 0)
        return MR_OK;
    if (!has_loop)
        return mr_err_set(err, MR_REF, MR_NOWHERE, "rack '%s' needs liquid but row '%s' has no CDU",
                          name, row);
    if (supply_c > manifold->inlet_max_c)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "rack '%s': coolant of %g degC is above the %g degC its maker allows",
                          name, supply_c, manifold->inlet_max_c);
    const double liquid_w = manifold->liquid_frac * heat_w;
    if (manifold->flow_m3_s < manifold->least_m3_j * liquid_w)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "rack '%s': %.2f L/min/kW gives dT %.1f K",
                          name, manifold->flow_m3_s / liquid_w * 60e6,
                          liquid_w /
                              (manifold->flow_m3_s * manifold->rho_kg_m3 * manifold->cp_j_kgk));
    return MR_OK;
}

double mr_manifold_design_pa(const struct mr_manifold *manifold)
{
    return manifold->drop_pa + manifold->valve_pa;
}

double mr_manifold_flow(const struct mr_manifold *manifold, double header_pa, double valve)
{
    if (!(valve > 0) || !(header_pa > 0))
        return 0;
    const double open = mr_pow(manifold->rangeability, valve - 1);
    return mr_pow(header_pa / (manifold->drop_pa + manifold->valve_pa / (open * open)),
                  1 / manifold->exponent);
}

double mr_manifold_valve(const struct mr_manifold *manifold, double header_pa, double flow_frac)
{
    if (!(flow_frac > 0))
        return 0;
    const double left_pa = header_pa / mr_pow(flow_frac, manifold->exponent) - manifold->drop_pa;
    if (!(left_pa > 0))
        return HUGE_VAL;
    return 1 + 0.5 * mr_log(manifold->valve_pa / left_pa) / mr_log(manifold->rangeability);
}

double mr_manifold_stroke_at(const struct mr_manifold *manifold,
                             const struct mr_manifold_stroke *stroke, double t_s)
{
    const double moved = (t_s - stroke->t0_s) / manifold->stroke_s,
                 left = stroke->to - stroke->from;
    return moved >= fabs(left) ? stroke->to : stroke->from + copysign(moved, left);
}

double mr_manifold_next_s(const struct mr_manifold *manifold,
                          const struct mr_manifold_stroke *stroke, double header_pa, int class,
                          int *next_class)
{
    const int last = mr_flow_class(mr_manifold_flow(manifold, header_pa, stroke->to));
    *next_class = class;
    if (class == last)
        return HUGE_VAL;
    *next_class = last < class ? class - 1 : class + 1;
    const double border = mr_flow_class_floor(last < class ? class : class + 1);
    /* a closed valve shuts: from a fiftieth of its width, at the end of the stroke, to none */
    const double valve = fmax(mr_manifold_valve(manifold, header_pa, border), 0);
    return stroke->t0_s + manifold->stroke_s * fabs(valve - stroke->from);
}

double mr_manifold_return_c(const struct mr_manifold *manifold, double supply_c, double liquid_w,
                            double flow_frac)
{
    if (!(flow_frac > 0))
        return supply_c;
    return supply_c +
           liquid_w / (flow_frac * manifold->flow_m3_s * manifold->rho_kg_m3 * manifold->cp_j_kgk);
}
