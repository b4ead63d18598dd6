/* SPDX-License-Identifier: Apache-2.0 */
/* Values with units: "1.8 TB/s", "45 degC", "12 L/min", "600 kW", "3 USD/Mtok". Text outside, base
 * units inside. Strict: a unit is never guessed, case counts, bits and bytes are never confused.
 * Powers of ten are applied to the decimal before its one rounding, so "1.8 TB/s" is the double
 * nearest to 1.8e12. Other factors too are exact wherever the result is a decimal of 19 digits
 * ("12 L/min" is 0.0002 m3/s); the rest (1/60, 5/9, more digits) is within 0.52 units in the last
 * place (temperatures of 1e16 and more: 1.2), the same bits everywhere. */
#ifndef MR_ENGINE_BASE_UNIT_H
#define MR_ENGINE_BASE_UNIT_H

#include "engine/base/text.h"

/* name, text, base unit, suffix of our variables, example, what it is */
// clang-format off
#define MR_QUANTITY_LIST(X)                                                                                           \
    X(COUNT, "number", "", "", "12", "A plain number")                                                                \
    X(FRACTION, "fraction", "", "_frac", "85 %", "A share; also in %")                                                \
    X(TIME, "time", "s", "_s", "30 s", "Duration or date in the run")                                                 \
    X(POWER, "power", "W", "_w", "600 kW", "Electric or thermal power")                                               \
    X(ENERGY, "energy", "J", "_j", "480 kWh", "Energy")                                                               \
    X(RAMP, "power ramp", "W/s", "_w_s", "5 MW/s", "Change of power over time")                                       \
    X(TEMPERATURE, "temperature", "degC", "_c", "45 degC", "Temperature on the Celsius scale")                        \
    X(TEMPERATURE_DIFF, "temperature difference", "K", "_k", "10 K", "Difference of temperatures")                    \
    X(PRESSURE, "pressure", "Pa", "_pa", "60 kPa", "Pressure or its drop")                                            \
    X(MASS, "mass", "kg", "_kg", "1814 kg", "Mass")                                                                   \
    X(MASS_FLOW, "mass flow", "kg/s", "_kg_s", "60 kg/s", "Mass over time")                                           \
    X(VOLUME, "volume", "m3", "_m3", "24 L", "Volume")                                                                \
    X(VOLUME_FLOW, "volume flow", "m3/s", "_m3_s", "12 L/min", "Volume over time")                                    \
    X(LENGTH, "length", "m", "_m", "1200 mm", "Length")                                                               \
    X(AREA, "area", "m2", "_m2", "200 m2", "Area")                                                                    \
    X(SPEED, "speed", "m/s", "_m_s", "2 m/s", "Speed")                                                                \
    X(DENSITY, "density", "kg/m3", "_kg_m3", "1.01 kg/L", "Mass of a volume")                                         \
    X(MASS_PER_AREA, "floor load", "kg/m2", "_kg_m2", "1200 kg/m2", "Mass on an area")                                \
    X(DATA, "data", "B", "_bytes", "288 GB", "Amount of data in bytes")                                               \
    X(DATA_RATE, "data rate", "B/s", "_bytes_s", "1.8 TB/s", "Bytes over time, one way")                              \
    X(FLOP, "operations", "flop", "_flop", "1 Pflop", "Floating-point operations")                                    \
    X(FLOP_RATE, "compute rate", "flop/s", "_flop_s", "35 Pflop/s", "Operations over time, dense")                    \
    X(TOKENS, "tokens", "tok", "_tok", "128 ktok", "Tokens")                                                          \
    X(TOKEN_RATE, "token rate", "tok/s", "_tok_s", "700 Mtok/s", "Tokens over time")                                  \
    X(RATE, "rate", "1/s", "_per_s", "10 req/s", "Events over time")                                                  \
    X(MONEY, "money", "USD", "_usd", "35 B USD", "Money")                                                             \
    X(COST_RATE, "cost rate", "USD/s", "_usd_s", "3600 USD/h", "Money over time")                                     \
    X(TOKEN_PRICE, "price per token", "USD/Mtok", "_usd_mtok", "3 USD/Mtok", "Price of a million tokens")             \
    X(ENERGY_PRICE, "price of energy", "USD/J", "_usd_j", "36 USD/MWh", "Price of energy")                            \
    X(POWER_PRICE, "price of power", "USD/W", "_usd_w", "50 USD/kW", "Price of installed or peak power")              \
    X(CARBON, "carbon intensity", "kg/J", "_kg_j", "350 g/kWh", "Carbon dioxide of energy")                           \
    X(WATER, "water intensity", "m3/J", "_m3_j", "1.8 L/kWh", "Water of energy")                                      \
    X(TOKEN_ENERGY, "energy per token", "J/tok", "_j_tok", "0.4 J/tok", "Energy of one token")                        \
    X(VOLTAGE, "voltage", "V", "_v", "800 V", "Voltage")                                                              \
    X(CURRENT, "current", "A", "_a", "1400 A", "Current")                                                             \
    X(FREQUENCY, "frequency", "Hz", "_hz", "60 Hz", "Frequency")                                                      \
    X(FREQUENCY_RAMP, "frequency ramp", "Hz/s", "_hz_s", "0.5 Hz/s", "Change of frequency over time")                 \
    X(CONDUCTANCE, "thermal conductance", "W/K", "_w_k", "60 kW/K", "Heat flow of a difference")                      \
    X(RESISTANCE, "thermal resistance", "K/W", "_k_w", "0.018 K/W", "Difference of a heat flow")                      \
    X(HEAT_CAPACITY, "heat capacity", "J/K", "_j_k", "600 J/K", "Heat of a difference")                               \
    X(SPECIFIC_HEAT, "specific heat", "J/kgK", "_j_kgk", "4.18 kJ/kgK", "Heat capacity of a mass")                    \
    X(HEAT_FLUX, "heat flux", "W/m2", "_w_m2", "1046 W/m2", "Power through an area")                                  \
    X(FLOW_PER_POWER, "flow per power", "m3/J", "_m3_j", "1.5 L/min/kW", "Coolant flow for each watt of heat")        \
    X(VOLUME_PER_POWER, "volume per power", "m3/W", "_m3_w", "15 L/kW", "Coolant volume for each watt of heat")       \
    X(SPECIFIC_ENERGY, "specific energy", "J/kg", "_j_kg", "2430 kJ/kg", "Energy of a mass, latent heat")             \
    X(TEMPERATURE_COEFF, "temperature coefficient", "1/K", "_per_k", "2 %/K", "Relative change over a difference")
// clang-format on

enum mr_quantity {
#define MR_QUANTITY_ENUM(name, text, base, suffix, example, doc) MR_Q_##name,
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
const char *mr_unit_quantity_example(enum mr_quantity q); /* "1.8 TB/s" */
const char *mr_unit_quantity_doc(enum mr_quantity q);

/** Read a value. Blanks may stand around the number and inside the unit; "$3/Mtok" is
 *  "3 USD/Mtok", "$8.8 M" is "8.8 M USD". Only COUNT and FRACTION go without a unit.
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
