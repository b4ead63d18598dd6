/* SPDX-License-Identifier: Apache-2.0 */
/* The record: McQuay WSC 471.2 kW of the LBNL Modelica Buildings library (DOE-2 electric EIR). */
#include "thermal/chiller.h"

#include <math.h>

const struct mr_chiller_record mr_chiller_mcquay = {
    .name = "mcquay_wsc_471",
    .capacity_w = 471.2e3,
    .cop = 5.89,
    .te_min_c = 7.22,
    .te_max_c = 12.78,
    .tc_min_c = 12.78,
    .tc_max_c = 26.67,
    .capft = {0.2521130, 0.01324053, -0.008637329, 0.08581056, -0.004261176, 0.008661899},
    .eirft = {0.4475238, -0.02588210, -0.001459053, 0.04342595, -0.001000651, 0.001920106},
    .eirfplr = {0.2778889, 0.2338363, 0.4883748},
};

static const char *const models[] = {
#define MODEL_NAME(name, text) text,
    MR_CHILLER_LIST(MODEL_NAME)
#undef MODEL_NAME
};

// clang-format off
#define C struct mr_chiller_params
static const struct mr_param rows[] = {
    MR_PARAM_ONE_OF(C, model, "model", models, "carnot", "eir: a maker's record, cold water only; carnot: a share of the ideal"),
    MR_PARAM(C, capacity_w, "capacity", MR_Q_POWER, "1 MW", 1e3, 1e9, "Heat of one unit at design"),
    MR_PARAM(C, cop, "cop", MR_Q_COUNT, "5.89", 0.5, 30, "Model eir: heat over power at design"),
    MR_PARAM(C, eta, "eta", MR_Q_FRACTION, "0.5", 0.05, 1, "Model carnot: share of the ideal"),
    MR_PARAM(C, lift_min_k, "lift_min", MR_Q_TEMPERATURE_DIFF, "8 K", 0.1, 60, "Model carnot: least lift that counts"),
    MR_PARAM(C, cop_max, "cop_max", MR_Q_COUNT, "12", 0.5, 100, "Model carnot: heat over power is never above"),
    MR_PARAM(C, part_min, "part_min", MR_Q_FRACTION, "0.1", 0, 1, "Least part load; below it the unit cycles"),
    MR_PARAM(C, part_max, "part_max", MR_Q_COUNT, "1", 0.1, 1.15, "Largest part load"),
    MR_PARAM(C, condenser_k, "condenser", MR_Q_TEMPERATURE_DIFF, "0 K", 0, 40, "What enters the condenser is this much warmer than its sink"),
};
#undef C
// clang-format on

static const struct mr_limits_source sources[] = {
    {"model", MR_CONFIDENCE_ASSUMPTION, "no record covers water of 35-41 degC"},
    {"capacity", MR_CONFIDENCE_ASSUMPTION, "size of a trim unit"},
    {"cop", MR_CONFIDENCE_PUBLISHED, "McQuay WSC 471.2 kW, LBNL Modelica Buildings"},
    {"eta", MR_CONFIDENCE_ASSUMPTION, "0.4-0.6 is usual"},
    {"lift_min", MR_CONFIDENCE_ASSUMPTION, "compressors keep a least pressure ratio"},
    {"cop_max", MR_CONFIDENCE_ASSUMPTION, "no unit is known to exceed it"},
    {"part_min", MR_CONFIDENCE_PUBLISHED, "McQuay WSC 471.2 kW, LBNL Modelica Buildings"},
    {"part_max", MR_CONFIDENCE_ASSUMPTION, "the record allows 1.15; its rating is 1"},
    {"condenser", MR_CONFIDENCE_ASSUMPTION, "the model counts from what enters"},
};

const struct mr_limits_table mr_chiller_table = {
    {"chiller", "Chiller, alone or trimming.", rows, sizeof rows / sizeof *rows}, sources};

void mr_chiller_defaults(struct mr_chiller_params *params)
{
    mr_limits_defaults(&mr_chiller_table.param, params);
}

void mr_chiller_of_card(const struct mr_reject_card *card, struct mr_chiller_params *params)
{
    const struct mr_chiller_record *record = &mr_chiller_mcquay;
    const bool is_cold = card->leaving_c >= record->te_min_c && card->leaving_c <= record->te_max_c;
    params->capacity_w = card->capacity_w;
    params->model = is_cold ? MR_CHILLER_EIR : MR_CHILLER_CARNOT;
    if (is_cold && card->capacity_w == record->capacity_w)
        params->cop = record->cop;
    else if (card->electric_w > 0)
        params->cop = card->capacity_w / card->electric_w;
    if (!is_cold && card->electric_w > 0)
        params->cop_max = card->capacity_w / card->electric_w;
}

mr_status mr_chiller_make(const char *what, const struct mr_chiller_params *params, double te_c,
                          struct mr_chiller *chiller, struct mr_err *err)
{
    const struct mr_chiller_record *record = &mr_chiller_mcquay;
    MR_TRY(mr_limits_check(what, &mr_chiller_table.param, params, err));
    if (params->part_min > params->part_max)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "%s: part_min %g is above part_max %g", what,
                          params->part_min, params->part_max);
    if (params->model == MR_CHILLER_EIR && !(te_c >= record->te_min_c && te_c <= record->te_max_c))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: te %g is outside %g-%g of record %s; use model carnot", what, te_c,
                          record->te_min_c, record->te_max_c, record->name);
    *chiller = (struct mr_chiller){.p = *params,
                                   .record = params->model == MR_CHILLER_EIR ? record : NULL};
    return MR_OK;
}

static double biquadratic(const double c[6], double te, double tc)
{
    return c[0] + te * (c[1] + c[2] * te) + tc * (c[3] + c[4] * tc) + c[5] * te * tc;
}

static double within(const struct mr_chiller_record *record, double tc_c)
{
    return fmin(fmax(tc_c, record->tc_min_c), record->tc_max_c);
}

static double available_w(const struct mr_chiller *chiller, double te_c, double tc_c)
{
    const struct mr_chiller_record *record = chiller->record;
    return record == NULL
               ? chiller->p.capacity_w
               : chiller->p.capacity_w * biquadratic(record->capft, te_c, within(record, tc_c));
}

double mr_chiller_capacity_w(const struct mr_chiller *chiller, double te_c, double tc_c)
{
    return chiller->p.part_max * available_w(chiller, te_c, tc_c);
}

/* Power at a part load that the unit can hold. */
static double running_w(const struct mr_chiller *chiller, double part, double available, double te,
                        double tc)
{
    const struct mr_chiller_params *p = &chiller->p;
    const struct mr_chiller_record *record = chiller->record;
    if (record == NULL) {
        const double ideal = (te + 273.15) / fmax(tc - te, p->lift_min_k);
        return part * available / fmin(p->eta * ideal, p->cop_max);
    }
    const double *f = record->eirfplr;
    return available / p->cop * biquadratic(record->eirft, te, within(record, tc)) *
           (f[0] + part * (f[1] + part * f[2]));
}

struct mr_chiller_out mr_chiller_run(const struct mr_chiller *chiller, double heat_w, double te_c,
                                     double sink_c)
{
    const struct mr_chiller_params *p = &chiller->p;
    const double tc_c = sink_c + p->condenser_k;
    const double available = available_w(chiller, te_c, tc_c);
    struct mr_chiller_out out = {0};
    if (!(heat_w > 0))
        return out;
    out.heat_w = fmin(heat_w, p->part_max * available);
    out.part_frac = out.heat_w / available;
    out.is_clamped = chiller->record != NULL && within(chiller->record, tc_c) != tc_c;
    if (out.part_frac < p->part_min) /* runs a share of the time */
        out.work_w =
            running_w(chiller, p->part_min, available, te_c, tc_c) * (out.part_frac / p->part_min);
    else
        out.work_w = running_w(chiller, out.part_frac, available, te_c, tc_c);
    return out;
}

struct mr_chiller_out mr_chiller_run_n(const struct mr_chiller *chiller, double n, double heat_w,
                                       double te_c, double sink_c)
{
    const double each_w = mr_chiller_capacity_w(chiller, te_c, sink_c + chiller->p.condenser_k);
    if (!(n > 0 && heat_w > 0))
        return (struct mr_chiller_out){0};
    const double n_on = fmin(fmax(ceil(heat_w / each_w - 1e-12), 1), n);
    struct mr_chiller_out out = mr_chiller_run(chiller, heat_w / n_on, te_c, sink_c);
    out.heat_w *= n_on;
    out.work_w *= n_on;
    return out;
}
