/* SPDX-License-Identifier: Apache-2.0 */
/* Pump curves. Speeds are found by bisection: head at a flow rises with speed. */
#include "thermal/pump.h"

static const double width = 1e-10; /* of a speed */

// clang-format off
#define P struct mr_pump
static const struct mr_param rows[] = {
    MR_PARAM(P, flow_m3_s, "flow", MR_Q_VOLUME_FLOW, "1800 L/min", 1e-7, 100, "Flow at design, full speed"),
    MR_PARAM(P, head_pa, "head", MR_Q_PRESSURE, "580 kPa", 1, 1e8, "Head at design (Project Deschutes: 552-621 kPa)"),
    MR_PARAM(P, eta_pump, "efficiency.pump", MR_Q_FRACTION, "0.75", 0.05, 1, "Hydraulic efficiency (estimated); this share of power warms the coolant"),
    MR_PARAM(P, eta_motor, "efficiency.motor", MR_Q_FRACTION, "0.95", 0.05, 1, "Motor efficiency (estimated)"),
    MR_PARAM(P, eta_drive, "efficiency.drive", MR_Q_FRACTION, "0.97", 0.05, 1, "Drive efficiency (estimated)"),
    MR_PARAM(P, speed_min, "speed_min", MR_Q_FRACTION, "0.25", 0.01, 1, "Lowest speed of the drive (estimated, 20-30 %)"),
    MR_PARAM(P, start_s, "start", MR_Q_TIME, "30 s", 0.1, 3600, "From standstill to full speed (LBNL)"),
    MR_PARAM(P, coast_s, "coast", MR_Q_TIME, "3 s", 0.01, 3600, "Coast-down: time to half the flow (assumption)"),
};
#undef P
// clang-format on

static const struct mr_param_table table = {"pump", "A pump of a coolant distribution unit.", rows,
                                            sizeof rows / sizeof *rows};

/* Vertiv XDU1350, record in LBNL's library, over its 500 kPa. */
void mr_pump_defaults(struct mr_pump *pump)
{
    static const double flow[] = {0, 0.25, 0.5, 0.75, 1};
    static const double head[] = {3.846, 3.676, 3.231, 2.538, 1};
    uint8_t origin[sizeof rows / sizeof *rows];
    mr_param_defaults(&(struct mr_param_target){&table, pump, origin, NULL, "pump"});
    pump->n_point = sizeof flow / sizeof *flow;
    for (size_t i = 0; i < pump->n_point; i++) {
        pump->flow[i] = flow[i];
        pump->head[i] = head[i];
    }
}

mr_status mr_pump_check(const struct mr_pump *pump, const char *name, struct mr_err *err)
{
    if (pump->n_point < 2 || pump->n_point > MR_PUMP_POINTS || pump->flow[0] != 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "pump of '%s': a curve has 2 to %d points and begins at no flow", name,
                          MR_PUMP_POINTS);
    for (size_t i = 0; i < pump->n_point; i++)
        if (!(pump->head[i] > 0) || !isfinite(pump->head[i]) ||
            (i > 0 && !(pump->flow[i] > pump->flow[i - 1] && pump->head[i] < pump->head[i - 1])))
            return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                              "pump of '%s': point %zu (flow %g, head %g): flow must grow and head "
                              "must fall, above 0",
                              name, i + 1, pump->flow[i], pump->head[i]);
    return MR_OK;
}

/* On the polygon; beyond its end along its last side. */
static double polygon(const struct mr_pump *pump, double flow)
{
    size_t i = 1;
    while (i + 1 < pump->n_point && flow > pump->flow[i])
        i++;
    const double share = (flow - pump->flow[i - 1]) / (pump->flow[i] - pump->flow[i - 1]);
    return fmax(pump->head[i - 1] + share * (pump->head[i] - pump->head[i - 1]), 0);
}

double mr_pump_head(const struct mr_pump *pump, double speed, double flow)
{
    return speed > 0 ? speed * speed * polygon(pump, flow / speed) : 0;
}

double mr_pump_speed(const struct mr_pump *pump, double flow, double head)
{
    double low = pump->speed_min, high = 4;
    if (mr_pump_head(pump, low, flow) >= head)
        return low;
    while (high - low > width) {
        const double middle = 0.5 * (low + high);
        if (mr_pump_head(pump, middle, flow) < head)
            low = middle;
        else
            high = middle;
    }
    return 0.5 * (low + high);
}

double mr_pump_power_w(const struct mr_pump *pump, double flow, double head)
{
    return flow * pump->flow_m3_s * head * pump->head_pa /
           (pump->eta_pump * pump->eta_motor * pump->eta_drive);
}

double mr_pump_fluid_w(const struct mr_pump *pump, double power_w)
{
    return power_w * pump->eta_pump;
}
