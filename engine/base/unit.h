/* SPDX-License-Identifier: Apache-2.0 */
/* Values with units: "1.8 TB/s", "45 degC", "12 L/min", "600 kW", "3 USD/Mtok". Text outside, base
 * units inside. Strict: a unit is never guessed, case counts, bits and bytes are never confused.
 * Powers of ten are applied to the decimal before its one rounding, so "1.8 TB/s" is the double
 * nearest to 1.8e12; factors such as 1/60 or 5/9 are exact to 0.51 units in the last place. */
#ifndef MR_ENGINE_BASE_UNIT_H
#define MR_ENGINE_BASE_UNIT_H

#include "engine/base/text.h"

/* name, text, base unit, suffix of our variables, what it is */
#define MR_QUANTITY_LIST(X)                                                                 \
    X(COUNT, "number", "", "", "A plain number")                                            \
    X(FRACTION, "fraction", "", "_frac", "A share; also in %")                              \
    X(TIME, "time", "s", "_s", "Duration or date in the run")                               \
    X(POWER, "power", "W", "_w", "Electric or thermal power")                               \
    X(ENERGY, "energy", "J", "_j", "Energy")                                                \
    X(RAMP, "power ramp", "W/s", "_w_s", "Change of power over time")                       \
    X(TEMPERATURE, "temperature", "degC", "_c", "Temperature on the Celsius scale")         \
    X(TEMPERATURE_DIFF, "temperature difference", "K", "_k", "Difference of temperatures")  \
    X(PRESSURE, "pressure", "Pa", "_pa", "Pressure or its drop")                            \
    X(MASS, "mass", "kg", "_kg", "Mass")                                                    \
    X(MASS_FLOW, "mass flow", "kg/s", "_kg_s", "Mass over time")                            \
    X(VOLUME, "volume", "m3", "_m3", "Volume")                                              \
    X(VOLUME_FLOW, "volume flow", "m3/s", "_m3_s", "Volume over time")                      \
    X(LENGTH, "length", "m", "_m", "Length")                                                \
    X(AREA, "area", "m2", "_m2", "Area")                                                    \
    X(SPEED, "speed", "m/s", "_m_s", "Speed")                                               \
    X(DENSITY, "density", "kg/m3", "_kg_m3", "Mass of a volume")                            \
    X(MASS_PER_AREA, "floor load", "kg/m2", "_kg_m2", "Mass on an area")                    \
    X(DATA, "data", "B", "_bytes", "Amount of data in bytes")                               \
    X(DATA_RATE, "data rate", "B/s", "_bytes_s", "Bytes over time, one way")                \
    X(FLOP, "operations", "flop", "_flop", "Floating-point operations")                     \
    X(FLOP_RATE, "compute rate", "flop/s", "_flop_s", "Operations over time, dense")        \
    X(TOKENS, "tokens", "tok", "_tok", "Tokens")                                            \
    X(TOKEN_RATE, "token rate", "tok/s", "_tok_s", "Tokens over time")                      \
    X(RATE, "rate", "1/s", "_per_s", "Events over time")                                    \
    X(MONEY, "money", "USD", "_usd", "Money")                                               \
    X(COST_RATE, "cost rate", "USD/s", "_usd_s", "Money over time")                         \
    X(TOKEN_PRICE, "price per token", "USD/Mtok", "_usd_mtok", "Price of a million tokens") \
    X(ENERGY_PRICE, "price of energy", "USD/J", "_usd_j", "Price of energy")                \
    X(POWER_PRICE, "price of power", "USD/W", "_usd_w", "Price of installed or peak power") \
    X(CARBON, "carbon intensity", "kg/J", "_kg_j", "Carbon dioxide of energy")              \
    X(WATER, "water intensity", "m3/J", "_m3_j", "Water of energy")                         \
    X(TOKEN_ENERGY, "energy per token", "J/tok", "_j_tok", "Energy of one token")           \
    X(VOLTAGE, "voltage", "V", "_v", "Voltage")                                             \
    X(CURRENT, "current", "A", "_a", "Current")                                             \
    X(FREQUENCY, "frequency", "Hz", "_hz", "Frequency")                                     \
    X(FREQUENCY_RAMP, "frequency ramp", "Hz/s", "_hz_s", "Change of frequency over time")   \
    X(CONDUCTANCE, "thermal conductance", "W/K", "_w_k", "Heat flow of a difference")       \
    X(RESISTANCE, "thermal resistance", "K/W", "_k_w", "Difference of a heat flow")         \
    X(HEAT_CAPACITY, "heat capacity", "J/K", "_j_k", "Heat of a difference")                \
    X(SPECIFIC_HEAT, "specific heat", "J/kgK", "_j_kgk", "Heat capacity of a mass")         \
    X(HEAT_FLUX, "heat flux", "W/m2", "_w_m2", "Power through an area")

enum mr_quantity {
#define MR_QUANTITY_ENUM(name, text, base, suffix, doc) MR_Q_##name,
    MR_QUANTITY_LIST(MR_QUANTITY_ENUM)
#undef MR_QUANTITY_ENUM
    MR_N_QUANTITY
};

enum {
    MR_UNIT_CAP = 64
}; /* longest text written here, with its NUL */

/* Static texts. */
const char *mr_unit_quantity_name(enum mr_quantity q); /* "data rate" */
const char *mr_unit_quantity_base(enum mr_quantity q); /* "B/s", "" for plain numbers */
const char *mr_unit_quantity_suffix(enum mr_quantity q);
const char *mr_unit_quantity_doc(enum mr_quantity q);

/** Read a value. Spaces may stand around the number and inside the unit.
 *  @param[in] subject start of the message, such as `link "up": bandwidth "14400 Tb"`
 *  @param[out] value in the base unit, set only on MR_OK
 *  @return MR_OK, MR_PARSE (no number), MR_UNIT, MR_RANGE (overflow) */
MR_CHECKED mr_status mr_unit_parse(struct mr_str text, enum mr_quantity q, const char *subject,
                                   struct mr_place at, double *value, struct mr_err *err);

/** Text that mr_unit_parse reads back to the same bits, with the prefix that reads best: "1.8
 * TB/s". Infinities and NaN are written as such and cannot be read. @return length */
size_t mr_unit_format(double value, enum mr_quantity q, char out[MR_UNIT_CAP]);

/** For tables and messages: rounded to `digits` significant digits, in the unit people use. */
size_t mr_unit_human(double value, enum mr_quantity q, int digits, char out[MR_UNIT_CAP]);

/** Every accepted unit of a quantity, prefixes in brackets: "[kMGTPE]B/s, [kMGTPE]bit/s, ...". */
void mr_unit_list(enum mr_quantity q, struct mr_buf *out);

#endif
