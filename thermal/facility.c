/* SPDX-License-Identifier: Apache-2.0 */
/* Pumps at speed s give the head H s^2 and the pipes ask for H V^1.85, so all together move
 * V = s^(2/1.85) of the design flow. Where pumps are lost the others run out along their curve, to
 * at most run_out of what each moves at design; what is missing then is flow. */
#include "thermal/facility.h"

#include "engine/base/fmath.h"

#include <math.h>

static const double network_exponent = 1.85;
static const double run_out = 1.15; /* most flow of one pump over its design */

// clang-format off
#define F struct mr_facility_params
static const struct mr_param rows[] = {
    MR_PARAM(F, design_heat_w, "heat", MR_Q_POWER, "10 MW", 1e3, 1e12, "Design heat of the loop"),
    MR_PARAM(F, design_rise_k, "rise", MR_Q_TEMPERATURE_DIFF, "5.56 K", 0.5, 60, "Water warms by this at design"),
    MR_PARAM(F, volume_m3_w, "volume", MR_Q_VOLUME_PER_POWER, "15 L/kW", 1e-7, 1e-2, "Water in the loop for each watt of design heat"),
    MR_PARAM(F, cp_j_kgk, "cp", MR_Q_SPECIFIC_HEAT, "4.18 kJ/kgK", 1000, 6000, "Specific heat of the water"),
    MR_PARAM(F, density_kg_m3, "density", MR_Q_DENSITY, "0.99 kg/L", 500, 1500, "Density of the water"),
    MR_PARAM(F, head_pa, "head", MR_Q_PRESSURE, "250 kPa", 0, 5e6, "Pressure the pumps give at design flow"),
    MR_PARAM(F, pump_frac, "pump", MR_Q_FRACTION, "0.75", 0.05, 1, "Efficiency of the pumps"),
    MR_PARAM(F, motor_frac, "motor", MR_Q_FRACTION, "0.95", 0.05, 1, "Efficiency of their motors"),
    MR_PARAM(F, drive_frac, "drive", MR_Q_FRACTION, "0.97", 0.05, 1, "Efficiency of their drives"),
    MR_PARAM_N(F, n_pump, "pumps", "2", 1, 10000, "Pumps that carry the design flow"),
    MR_PARAM_N(F, n_spare, "spare", "1", 0, 10000, "Pumps beside them"),
    MR_PARAM(F, speed_min_frac, "speed_min", MR_Q_FRACTION, "0.25", 0.01, 1, "Least speed of a pump that runs"),
};
#undef F
// clang-format on

static const struct mr_limits_source sources[] = {
    {"heat", MR_CONFIDENCE_ASSUMPTION, "the site says"},
    {"rise", MR_CONFIDENCE_PUBLISHED, "design range of the dry cooler's record"},
    {"volume", MR_CONFIDENCE_ASSUMPTION, "pipes and tanks of a hall"},
    {"cp", MR_CONFIDENCE_PUBLISHED, "steam tables, water"},
    {"density", MR_CONFIDENCE_PUBLISHED, "steam tables, water at 45 degC"},
    {"head", MR_CONFIDENCE_ASSUMPTION, "CDU 103-186 kPa (published), cooler and pipes beside it"},
    {"pump", MR_CONFIDENCE_ESTIMATED, "large centrifugal pumps 0.7-0.85"},
    {"motor", MR_CONFIDENCE_ESTIMATED, "premium efficiency class"},
    {"drive", MR_CONFIDENCE_ESTIMATED, "variable frequency drives"},
    {"pumps", MR_CONFIDENCE_ASSUMPTION, "the site says"},
    {"spare", MR_CONFIDENCE_ASSUMPTION, "N+1 is usual"},
    {"speed_min", MR_CONFIDENCE_ESTIMATED, "20-30 %"},
};

const struct mr_limits_table mr_facility_table = {
    {"facility", "Facility water loop.", rows, sizeof rows / sizeof *rows}, sources};

void mr_facility_defaults(struct mr_facility_params *params)
{
    mr_limits_defaults(&mr_facility_table.param, params);
}

mr_status mr_facility_make(const char *what, const struct mr_facility_params *params,
                           struct mr_facility *facility, struct mr_err *err)
{
    const struct mr_facility_params *p = params;
    MR_TRY(mr_limits_check(what, &mr_facility_table.param, p, err));
    const double w_k = p->design_heat_w / p->design_rise_k;
    const double flow_m3_s = w_k / (p->cp_j_kgk * p->density_kg_m3);
    *facility = (struct mr_facility){
        .p = *p,
        .capacity_j_k = p->volume_m3_w * p->design_heat_w * p->density_kg_m3 * p->cp_j_kgk,
        .flow_m3_s = flow_m3_s,
        .water_w_k = w_k,
        .pump_w = flow_m3_s * p->head_pa / (p->pump_frac * p->motor_frac * p->drive_frac),
    };
    if (facility->pump_w > 0.5 * p->design_heat_w)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: pumps of %.0f kW for %.0f kW of heat: head %.0f kPa is too high or "
                          "rise %g K too small",
                          what, facility->pump_w / 1e3, p->design_heat_w / 1e3, p->head_pa / 1e3,
                          p->design_rise_k);
    return MR_OK;
}

/* ---- pumps ---- */

/* Duty pumps in service over those of design. */
static double duty_frac(const struct mr_facility *facility, uint64_t n_lost)
{
    const uint64_t n = facility->p.n_pump, n_all = n + facility->p.n_spare;
    const uint64_t n_left = n_lost < n_all ? n_all - n_lost : 0;
    return (double)(n_left < n ? n_left : n) / (double)n;
}

static double running_speed(const struct mr_facility *facility, double speed_frac)
{
    return speed_frac > 0 ? fmin(fmax(speed_frac, facility->p.speed_min_frac), 1) : 0;
}

double mr_facility_flow_frac(const struct mr_facility *facility, double speed_frac,
                             uint64_t n_pump_lost)
{
    const double duty = duty_frac(facility, n_pump_lost);
    const double speed = running_speed(facility, speed_frac);
    if (!(duty > 0 && speed > 0))
        return 0;
    return fmin(mr_pow(speed, 2 / network_exponent), run_out * duty * speed);
}

double mr_facility_water_w_k(const struct mr_facility *facility, double flow_frac)
{
    return facility->water_w_k * flow_frac;
}

double mr_facility_pump_w(const struct mr_facility *facility, double speed_frac,
                          uint64_t n_pump_lost)
{
    const double speed = running_speed(facility, speed_frac);
    return facility->pump_w * duty_frac(facility, n_pump_lost) * speed * speed * speed;
}

/* The hydraulic share ends as friction heat in the water; what pumps, motors and drives lose warms
 * the air of their room. */
double mr_facility_fluid_w(const struct mr_facility *facility, double pump_w)
{
    return pump_w * facility->p.pump_frac;
}

/* ---- the node ---- */

void mr_facility_start(struct mr_facility_state *state, double return_c)
{
    *state = (struct mr_facility_state){.return_c = return_c, .started_c = return_c};
}

static struct mr_node_in node_of(const struct mr_facility *facility,
                                 const struct mr_facility_state *state,
                                 const struct mr_facility_in *in)
{
    const double pump_w = mr_facility_pump_w(facility, in->speed_frac, in->n_pump_lost);
    return (struct mr_node_in){
        .heat_w = in->heat_w + mr_facility_fluid_w(facility, pump_w) - in->rejected_w,
        .g_w_k = in->slope_w_k,
        .sink_c = state->return_c,
    };
}

double mr_facility_step(const struct mr_facility *facility, struct mr_facility_state *state,
                        const struct mr_facility_in *in, double dt_s)
{
    const struct mr_node_in node = node_of(facility, state, in);
    const double pump_w = mr_facility_pump_w(facility, in->speed_frac, in->n_pump_lost);
    double more_j; /* along the slope */
    state->return_c =
        mr_node_advance(facility->capacity_j_k, state->return_c, &node, dt_s, &more_j);
    const double rejected_j = in->rejected_w * dt_s + more_j;
    mr_sum_add(&state->heat_j, in->heat_w * dt_s);
    mr_sum_add(&state->pump_j, pump_w * dt_s);
    mr_sum_add(&state->pump_heat_j, mr_facility_fluid_w(facility, pump_w) * dt_s);
    mr_sum_add(&state->rejected_j, rejected_j);
    return rejected_j;
}

double mr_facility_residual(const struct mr_facility *facility,
                            const struct mr_facility_state *state)
{
    const double in_j = mr_sum_of(state->heat_j) + mr_sum_of(state->pump_heat_j);
    const double stored_j = facility->capacity_j_k * (state->return_c - state->started_c);
    const double size_j =
        fmax(fabs(in_j), fmax(fabs(stored_j), fabs(mr_sum_of(state->rejected_j))));
    return size_j > 0 ? (in_j - stored_j - mr_sum_of(state->rejected_j)) / size_j : 0;
}
