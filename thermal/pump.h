/* SPDX-License-Identifier: Apache-2.0 */
/* Pumps: head over flow as a falling polygon, scaled with speed (flow ~ N, head ~ N^2),; the speed
 * that gives a flow against a head; electric power V dP / efficiency. */
#ifndef MR_THERMAL_PUMP_H
#define MR_THERMAL_PUMP_H

#include "engine/base/param.h"

enum {
    MR_PUMP_POINTS = 8
};

struct mr_pump {
    double flow_m3_s, head_pa; /* design point at full speed */
    double eta_pump, eta_motor, eta_drive;
    double speed_min, start_s, coast_s;
    uint64_t n_point;
    double flow[MR_PUMP_POINTS], head[MR_PUMP_POINTS]; /* over design, at full speed */
};

/** Defaults: efficiencies and times of the table, the published curve of a 1.4 MW unit. */
void mr_pump_defaults(struct mr_pump *pump);

/** Refuse curves that are not falling or do not begin at no flow. @param[in] name of its unit */
MR_CHECKED mr_status mr_pump_check(const struct mr_pump *pump, const char *name,
                                   struct mr_err *err);

/** Head over design at a flow over design and a speed over full; 0 beyond the curve's end. */
double mr_pump_head(const struct mr_pump *pump, double speed, double flow);

/** Speed at which the pump gives this flow against this head, both over design. It may be above 1:
 *  the caller knows what the drive allows. Never below speed_min. */
double mr_pump_speed(const struct mr_pump *pump, double flow, double head);

/** Electric power [W] and the part of it that warms the coolant. */
double mr_pump_power_w(const struct mr_pump *pump, double flow, double head);
double mr_pump_fluid_w(const struct mr_pump *pump, double power_w);

#endif
