/* SPDX-License-Identifier: Apache-2.0 */
/* engine/base/unit: every spelling of the documents, exactness, refusals, round trips. */
#include "engine/base/unit.h"

#include "tests/test.h"

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

// clang-format off
static const struct {
    const char *text;
    enum mr_quantity q;
    double value;
} exact[] = {
    {"1.8 TB/s", MR_Q_DATA_RATE, 1.8e12}, {"1800GBps", MR_Q_DATA_RATE, 1.8e12}, {"14400GBps", MR_Q_DATA_RATE, 1.44e13},
    {"14.4 Tbit/s", MR_Q_DATA_RATE, 1.8e12}, {"14400 Gb/s", MR_Q_DATA_RATE, 1.8e12}, {"800 Gbps", MR_Q_DATA_RATE, 1e11},
    {"1 Gbit/s", MR_Q_DATA_RATE, 125e6}, {"125MBps", MR_Q_DATA_RATE, 125e6}, {"1 GiB/s", MR_Q_DATA_RATE, 1073741824.0},
    {"0.1 TB/s", MR_Q_DATA_RATE, 1e11}, {"0.3 GB/s", MR_Q_DATA_RATE, 3e8}, {"7.7 TB/s", MR_Q_DATA_RATE, 7.7e12},
    {"288 GB", MR_Q_DATA, 288e9}, {"80 GiB", MR_Q_DATA, 85899345920.0}, {"20.736 TB", MR_Q_DATA, 2.0736e13},
    {"1 bit", MR_Q_DATA, 0.125}, {"8 Kibit", MR_Q_DATA, 1024}, {"1 PB", MR_Q_DATA, 1e15},
    {"45 degC", MR_Q_TEMPERATURE, 45}, {"-3.9 degC", MR_Q_TEMPERATURE, -3.9}, {"318.15 K", MR_Q_TEMPERATURE, 45},
    {"273.15 K", MR_Q_TEMPERATURE, 0}, {"0 K", MR_Q_TEMPERATURE, -273.15}, {"113 degF", MR_Q_TEMPERATURE, 45},
    {"32 degF", MR_Q_TEMPERATURE, 0}, {"-40 degF", MR_Q_TEMPERATURE, -40}, {"300.1 K", MR_Q_TEMPERATURE, 26.95},
    {"10 K", MR_Q_TEMPERATURE_DIFF, 10}, {"10 degC", MR_Q_TEMPERATURE_DIFF, 10}, {"9 degF", MR_Q_TEMPERATURE_DIFF, 5},
    {"600 kW", MR_Q_POWER, 6e5}, {"20 MW", MR_Q_POWER, 2e7}, {"1 GW", MR_Q_POWER, 1e9}, {"190kW", MR_Q_POWER, 1.9e5},
    {"63 MVA", MR_Q_POWER, 63e6}, {"5 MW/s", MR_Q_RAMP, 5e6}, {"6 MW/min", MR_Q_RAMP, 1e5}, {"0.6 MW/min", MR_Q_RAMP, 1e4},
    {"1 kWh", MR_Q_ENERGY, 3.6e6}, {"0.3667 kWh", MR_Q_ENERGY, 1320120}, {"1 MWh", MR_Q_ENERGY, 3.6e9}, {"65 J", MR_Q_ENERGY, 65},
    {"12 L/min", MR_Q_VOLUME_FLOW, 0.0002}, {"600 L/min", MR_Q_VOLUME_FLOW, 0.01}, {"289 LPM", MR_Q_VOLUME_FLOW, 289.0 / 60000},
    {"3.6 m3/h", MR_Q_VOLUME_FLOW, 0.001}, {"1 L/s", MR_Q_VOLUME_FLOW, 0.001}, {"60 gpm", MR_Q_VOLUME_FLOW, 0.003785411784},
    {"24 L", MR_Q_VOLUME, 0.024}, {"2.6 Mgal", MR_Q_VOLUME, 9842.0706384}, {"60 kg/s", MR_Q_MASS_FLOW, 60},
    {"1.8 t/h", MR_Q_MASS_FLOW, 0.5}, {"1814 kg", MR_Q_MASS, 1814}, {"1.36 t", MR_Q_MASS, 1360}, {"250 g", MR_Q_MASS, 0.25},
    {"60 kPa", MR_Q_PRESSURE, 6e4}, {"1.2 bar", MR_Q_PRESSURE, 1.2e5}, {"20 kPa", MR_Q_PRESSURE, 2e4},
    {"250ns", MR_Q_TIME, 2.5e-7}, {"7s", MR_Q_TIME, 7}, {"1s", MR_Q_TIME, 1}, {"0.5 us", MR_Q_TIME, 5e-7}, {"400 ns", MR_Q_TIME, 4e-7},
    {"23 ms", MR_Q_TIME, 0.023}, {"5 min", MR_Q_TIME, 300}, {"24 h", MR_Q_TIME, 86400}, {"0.1 h", MR_Q_TIME, 360},
    {"365 d", MR_Q_TIME, 31536000}, {"1 year", MR_Q_TIME, 31536000}, {"2 days", MR_Q_TIME, 172800}, {"100 ps", MR_Q_TIME, 1e-10},
    {"35Pf", MR_Q_FLOP_RATE, 3.5e16}, {"35 PF", MR_Q_FLOP_RATE, 3.5e16}, {"17.5 PFLOPS", MR_Q_FLOP_RATE, 1.75e16},
    {"2 Gf", MR_Q_FLOP_RATE, 2e9}, {"1.2 Pflop/s", MR_Q_FLOP_RATE, 1.2e15}, {"100Mf", MR_Q_FLOP_RATE, 1e8}, {"1 Tflop", MR_Q_FLOP, 1e12},
    {"3 USD/Mtok", MR_Q_TOKEN_PRICE, 3}, {"$3/Mtok", MR_Q_TOKEN_PRICE, 3}, {"$ 150/Mtok", MR_Q_TOKEN_PRICE, 150}, {"0.001 USD/ktok", MR_Q_TOKEN_PRICE, 1},
    {"30 ct/Mtok", MR_Q_TOKEN_PRICE, 0.3}, {"$1500", MR_Q_MONEY, 1500}, {"35 B USD", MR_Q_MONEY, 3.5e10}, {"8.8 MUSD", MR_Q_MONEY, 8.8e6},
    {"0.07 USD/kWh", MR_Q_ENERGY_PRICE, 0.07 / 3.6e6}, {"36 USD/MWh", MR_Q_ENERGY_PRICE, 1e-8}, {"7.2 ct/kWh", MR_Q_ENERGY_PRICE, 2e-8},
    {"3600 USD/h", MR_Q_COST_RATE, 1}, {"360 g/kWh", MR_Q_CARBON, 1e-7}, {"1.8 L/kWh", MR_Q_WATER, 5e-10},
    {"85 %", MR_Q_FRACTION, 0.85}, {"0.85", MR_Q_FRACTION, 0.85}, {"7%", MR_Q_FRACTION, 0.07}, {"5", MR_Q_COUNT, 5}, {"1e6", MR_Q_COUNT, 1e6},
    {"800 VDC", MR_Q_VOLTAGE, 800}, {"415 VAC", MR_Q_VOLTAGE, 415}, {"110 kV", MR_Q_VOLTAGE, 1.1e5}, {"54 V", MR_Q_VOLTAGE, 54},
    {"1400 A", MR_Q_CURRENT, 1400}, {"60 Hz", MR_Q_FREQUENCY, 60}, {"60 kW/K", MR_Q_CONDUCTANCE, 6e4}, {"542.1 kW/K", MR_Q_CONDUCTANCE, 542100},
    {"0.018 K/W", MR_Q_RESISTANCE, 0.018}, {"18 mK/W", MR_Q_RESISTANCE, 0.018}, {"60 J/K", MR_Q_HEAT_CAPACITY, 60},
    {"4.18 kJ/kgK", MR_Q_SPECIFIC_HEAT, 4180}, {"3.9 kJ/(kg K)", MR_Q_SPECIFIC_HEAT, 3900}, {"1045.71 W/m2", MR_Q_HEAT_FLUX, 1045.71},
    {"1.5 Mtok/s", MR_Q_TOKEN_RATE, 1.5e6}, {"22 B tok/d", MR_Q_TOKEN_RATE, 22e9 / 86400}, {"1 Btok", MR_Q_TOKENS, 1e9}, {"2 mJ/tok", MR_Q_TOKEN_ENERGY, 0.002},
    {"1600 mm", MR_Q_LENGTH, 1.6}, {"30 cm", MR_Q_LENGTH, 0.3}, {"2 ft", MR_Q_LENGTH, 0.6096}, {"200 m2", MR_Q_AREA, 200}, {"36 km/h", MR_Q_SPEED, 10},
    {"1.01 kg/L", MR_Q_DENSITY, 1010}, {"1.2 t/m2", MR_Q_MASS_PER_AREA, 1200}, {"0.5 Hz/s", MR_Q_FREQUENCY_RAMP, 0.5}, {"120 1/min", MR_Q_RATE, 2},
    {"10 req/s", MR_Q_RATE, 10}, {"50 USD/kW", MR_Q_POWER_PRICE, 0.05}, {" 45\tdegC ", MR_Q_TEMPERATURE, 45}, {"+5 W", MR_Q_POWER, 5},
    {"123456789012345678 W", MR_Q_POWER, 123456789012345678.0}, {"0.1 MW", MR_Q_POWER, 1e5}, {"4.35 kW", MR_Q_POWER, 4350}, {"1.1 GW", MR_Q_POWER, 1.1e9},
    /* data, bits and bytes */
    {"1800 GB/s", MR_Q_DATA_RATE, 1.8e12}, {"200GBps", MR_Q_DATA_RATE, 2e11}, {"28800GBps", MR_Q_DATA_RATE, 2.88e13},
    {"1.6 Tbps", MR_Q_DATA_RATE, 2e11}, {"100 Gbit/s", MR_Q_DATA_RATE, 1.25e10}, {"3 bit/s", MR_Q_DATA_RATE, 0.375}, {"1 PB/s", MR_Q_DATA_RATE, 1e15},
    {"1 Mibit/s", MR_Q_DATA_RATE, 131072}, {"0.1 GiB/s", MR_Q_DATA_RATE, 107374182.4}, {"250 MB", MR_Q_DATA, 2.5e8}, {"4 KiB", MR_Q_DATA, 4096},
    {"1.44 TB", MR_Q_DATA, 1.44e12}, {"1 EB", MR_Q_DATA, 1e18}, {"3 TiB", MR_Q_DATA, 3298534883328.0}, {"7 b", MR_Q_DATA, 0.875},
    /* power and energy */
    {"120 MW", MR_Q_POWER, 1.2e8}, {"2500 kW", MR_Q_POWER, 2.5e6}, {"18 MW", MR_Q_POWER, 1.8e7}, {"2300 W", MR_Q_POWER, 2300}, {"-5 kW", MR_Q_POWER, -5e3},
    {"1000 W/s", MR_Q_RAMP, 1000}, {"30 MW/min", MR_Q_RAMP, 5e5}, {"36 MW/h", MR_Q_RAMP, 1e4}, {"40 kWh", MR_Q_ENERGY, 1.44e8}, {"2.7 GWh", MR_Q_ENERGY, 9.72e12},
    {"60 kJ", MR_Q_ENERGY, 6e4}, {"0.1 Wh", MR_Q_ENERGY, 360}, {"2430 kJ/kg", MR_Q_SPECIFIC_ENERGY, 2.43e6}, {"250 Wh/kg", MR_Q_SPECIFIC_ENERGY, 9e5},
    /* heat and water */
    {"0.1 K", MR_Q_TEMPERATURE, -273.05}, {"1e-3 K", MR_Q_TEMPERATURE, -273.149}, {"1e-40 K", MR_Q_TEMPERATURE, -273.15}, {"0.0000000000000000001 K", MR_Q_TEMPERATURE, -273.15},
    {"1e20 K", MR_Q_TEMPERATURE, 1e20}, {"98.6 degF", MR_Q_TEMPERATURE, 37}, {"0 degF", MR_Q_TEMPERATURE, -160.0 / 9}, {"35.5 degC", MR_Q_TEMPERATURE, 35.5},
    {"40 degC", MR_Q_TEMPERATURE_DIFF, 40}, {"250 mK", MR_Q_TEMPERATURE_DIFF, 0.25}, {"1.5 L/min/kW", MR_Q_FLOW_PER_POWER, 2.5e-8}, {"15 L/kW", MR_Q_VOLUME_PER_POWER, 1.5e-5},
    {"0.02 1/K", MR_Q_TEMPERATURE_COEFF, 0.02}, {"2 %/K", MR_Q_TEMPERATURE_COEFF, 0.02}, {"0.020 /K", MR_Q_TEMPERATURE_COEFF, 0.02}, {"20.6 kg/s", MR_Q_MASS_FLOW, 20.6},
    {"4.18 kJ/kg/K", MR_Q_SPECIFIC_HEAT, 4180}, {"400 kJ/K", MR_Q_HEAT_CAPACITY, 4e5}, {"50 W/cm2", MR_Q_HEAT_FLUX, 5e5}, {"5 kW/K", MR_Q_CONDUCTANCE, 5e3}, {"1.2 K/kW", MR_Q_RESISTANCE, 0.0012},
    {"500 kPa", MR_Q_PRESSURE, 5e5}, {"35 mbar", MR_Q_PRESSURE, 3500}, {"1.01325 bar", MR_Q_PRESSURE, 101325}, {"0.99 kg/L", MR_Q_DENSITY, 990}, {"2.4 L/min", MR_Q_VOLUME_FLOW, 4e-5},
    /* compute and tokens */
    {"28Pf", MR_Q_FLOP_RATE, 2.8e16}, {"1Tf", MR_Q_FLOP_RATE, 1e12}, {"1.979 PF", MR_Q_FLOP_RATE, 1.979e15}, {"9.8 ZFLOPS", MR_Q_FLOP_RATE, 9.8e21}, {"3.6 EFLOPS", MR_Q_FLOP_RATE, 3.6e18},
    {"700 Mtok/s", MR_Q_TOKEN_RATE, 7e8}, {"128 ktok", MR_Q_TOKENS, 128000}, {"1 T tok", MR_Q_TOKENS, 1e12}, {"0.4 J/tok", MR_Q_TOKEN_ENERGY, 0.4}, {"36 kWh/Mtok", MR_Q_TOKEN_ENERGY, 129.6},
    {"2 ksession/s", MR_Q_RATE, 2000}, {"5 calls/s", MR_Q_RATE, 5}, {"3 1/h", MR_Q_RATE, 3.0 / 3600},
    /* money */
    {"2.5 USD/Mtoken", MR_Q_TOKEN_PRICE, 2.5}, {"0.000003 USD/tok", MR_Q_TOKEN_PRICE, 3}, {"$8.8 M", MR_Q_MONEY, 8.8e6}, {"$35B", MR_Q_MONEY, 3.5e10}, {"$22M/d", MR_Q_COST_RATE, 22e6 / 86400},
    {"-2.79 USD/MWh", MR_Q_ENERGY_PRICE, -7.75e-10}, {"$28.08/MWh", MR_Q_ENERGY_PRICE, 7.8e-9}, {"10 USD/W", MR_Q_POWER_PRICE, 10}, {"5 MUSD/MW", MR_Q_POWER_PRICE, 5},
    {"350 gCO2/kWh", MR_Q_CARBON, 9.7222222222222222e-8}, {"0.36 t/MWh", MR_Q_CARBON, 1e-7}, {"36 m3/MWh", MR_Q_WATER, 1e-8},
    /* numbers */
    {"1e-320 s", MR_Q_TIME, 1e-320}, {".5 s", MR_Q_TIME, 0.5}, {"5. s", MR_Q_TIME, 5}, {"5E3 W", MR_Q_POWER, 5000}, {"1e3W", MR_Q_POWER, 1000}, {"-0 W", MR_Q_POWER, -0.0}, {"1e-400 W", MR_Q_POWER, 0},
    {"0.30000000000000004 kW", MR_Q_POWER, 300.00000000000004}, {"9007199254740993 kB", MR_Q_DATA, 9007199254740993e3}, {"1 h", MR_Q_TIME, 3600}, {"2 week", MR_Q_TIME, 1209600},
};

static const struct {
    const char *text;
    enum mr_quantity q;
    mr_status status;
    const char *message;
} refused[] = {
    {"14400 Tb", MR_Q_DATA_RATE, MR_UNIT, "x: unknown unit \"Tb\" (did you mean \"Tbit/s\"?)"},
    {"100 GB", MR_Q_DATA_RATE, MR_UNIT, "x: unknown unit \"GB\" (did you mean \"GB/s\"?)"},
    {"100 GB/s", MR_Q_DATA, MR_UNIT, "x: unknown unit \"GB/s\" (did you mean \"GB\"?)"},
    {"5 mW", MR_Q_POWER, MR_UNIT, "x: unknown unit \"mW\" (did you mean \"MW\"?)"},
    {"5 kw", MR_Q_POWER, MR_UNIT, "x: unknown unit \"kw\" (did you mean \"kW\"?)"},
    {"5 KW", MR_Q_POWER, MR_UNIT, "x: unknown unit \"KW\" (did you mean \"kW\"?)"},
    {"600", MR_Q_POWER, MR_UNIT, "x: no unit (write e.g. \"600 kW\")"},
    {"45 C", MR_Q_TEMPERATURE, MR_UNIT, "x: unknown unit \"C\" (temperature, e.g. \"45 degC\")"},
    {"45 DegC", MR_Q_TEMPERATURE, MR_UNIT, "x: unknown unit \"DegC\" (did you mean \"degC\"?)"},
    {"3 USD/MTok", MR_Q_TOKEN_PRICE, MR_UNIT, "x: unknown unit \"USD/MTok\" (did you mean \"USD/Mtok\"?)"},
    {"12 l/min", MR_Q_VOLUME_FLOW, MR_UNIT, "x: unknown unit \"l/min\" (did you mean \"L/min\"?)"},
    {"5 kg", MR_Q_COUNT, MR_UNIT, "x: unknown unit \"kg\" (a plain number)"},
    {"0.5 kg", MR_Q_FRACTION, MR_UNIT, "x: unknown unit \"kg\""},
    {"", MR_Q_POWER, MR_PARSE, "x: not a number with a unit (power, e.g. \"600 kW\")"},
    {"kW", MR_Q_POWER, MR_PARSE, "x: not a number with a unit (power, e.g. \"600 kW\")"},
    {"nan W", MR_Q_POWER, MR_PARSE, "x: not a number"},
    {"inf", MR_Q_COUNT, MR_PARSE, "x: not a number"},
    {"0x10 W", MR_Q_POWER, MR_UNIT, "x: unknown unit \"x10 W\""},
    {"1e400 W", MR_Q_POWER, MR_RANGE, "x: too large"},
    {"1e300 TB/s", MR_Q_DATA_RATE, MR_RANGE, "x: too large"},
    {"14400 Tb", MR_Q_FLOP, MR_UNIT, "x: unknown unit \"Tb\""},
    {"100 Gb", MR_Q_DATA_RATE, MR_UNIT, "x: unknown unit \"Gb\" (did you mean \"Gbit/s\"?)"},
    {"100 gb/s", MR_Q_DATA_RATE, MR_UNIT, "x: unknown unit \"gb/s\" (did you mean \"GB/s\"?)"},
    {"100 KB", MR_Q_DATA, MR_UNIT, "x: unknown unit \"KB\" (did you mean \"kB\"?)"},
    {"600", MR_Q_DATA_RATE, MR_UNIT, "x: no unit (write e.g. \"1.8 TB/s\")"},
    {"0", MR_Q_POWER, MR_UNIT, "x: no unit (write e.g. \"600 kW\")"},
    {"5 MWh", MR_Q_POWER, MR_UNIT, "x: unknown unit \"MWh\" (did you mean \"MW\"?)"},
    {"5 mw", MR_Q_POWER, MR_UNIT, "x: unknown unit \"mw\" (did you mean \"MW\"?)"},
    {"5 MS", MR_Q_TIME, MR_UNIT, "x: unknown unit \"MS\" (did you mean \"ms\"?)"},
    {"60 kg", MR_Q_MASS_FLOW, MR_UNIT, "x: unknown unit \"kg\" (did you mean \"kg/s\"?)"},
    {"4.18 kJ/kgk", MR_Q_SPECIFIC_HEAT, MR_UNIT, "x: unknown unit \"kJ/kgk\" (did you mean \"kJ/kgK\"?)"},
    {"35 pf", MR_Q_FLOP_RATE, MR_UNIT, "x: unknown unit \"pf\""},
    {"$3", MR_Q_POWER, MR_UNIT, "x: unknown unit \"USD\""},
    {"$", MR_Q_MONEY, MR_PARSE, "x: not a number with a unit (money, e.g. \"35 B USD\")"},
    {"abc", MR_Q_COUNT, MR_PARSE, "x: not a number (number, e.g. \"12\")"},
    {"-inf s", MR_Q_TIME, MR_PARSE, "x: not a number"},
    {"1e5000 s", MR_Q_TIME, MR_RANGE, "x: too large"},
    {"- 5 s", MR_Q_TIME, MR_PARSE, "x: not a number"},
    {"5e s", MR_Q_TIME, MR_UNIT, "x: unknown unit \"e s\""},
    {"1_000 W", MR_Q_POWER, MR_UNIT, "x: unknown unit \"_000 W\""},
    {"5 W\xC2\xA0", MR_Q_POWER, MR_UNIT, "x: unknown unit \"W\xC2\xA0\""},
    {"5 W W", MR_Q_POWER, MR_UNIT, "x: unknown unit \"W W\""},
    {"5 kkW", MR_Q_POWER, MR_UNIT, "x: unknown unit \"kkW\" (did you mean \"kW\"?)"},
    {"1,8 TB/s", MR_Q_DATA_RATE, MR_UNIT, "x: unknown unit \",8 TB/s\""},
    {"5 MiW", MR_Q_POWER, MR_UNIT, "x: unknown unit \"MiW\" (did you mean \"MW\"?)"},
    {"5 qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq", MR_Q_POWER, MR_UNIT, "x: unknown unit \"qqqqq"},
    {"5 \033[31m", MR_Q_POWER, MR_UNIT, "x: unknown unit \"\\x1B[31m\""},
};
// clang-format on

MR_TEST(every_spelling_of_the_documents)
{
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++) {
        struct mr_err err = {0};
        double value = 0;
        const mr_status st =
            mr_unit_parse(mr_str_of(exact[i].text), exact[i].q, "x", MR_NOWHERE, &value, &err);
        if (st != MR_OK || bits_of(value) != bits_of(exact[i].value))
            fail_msg("\"%s\": %s %.17g, expected %.17g", exact[i].text, err.text, value,
                     exact[i].value);
    }
}

MR_TEST(refusals_say_why_and_what_instead)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct mr_err err = {0};
        double value = 7;
        const mr_status st = mr_unit_parse(mr_str_of(refused[i].text), refused[i].q, "x",
                                           (struct mr_place){"f.xml", 4, 2}, &value, &err);
        if (st != refused[i].status ||
            strncmp(err.text, refused[i].message, strlen(refused[i].message)) != 0)
            fail_msg("\"%s\": %s, expected %s", refused[i].text, err.text, refused[i].message);
        assert_string_equal(err.file, "f.xml");
        assert_true(value == 7);
    }
}

MR_TEST(the_ux_example)
{
    struct mr_err err = {0};
    double value;
    char line[900];
    assert_int_equal(mr_unit_parse(MR_STR("14400 Tb"), MR_Q_DATA_RATE,
                                   "link \"H0.R0.K0.up\": bandwidth \"14400 Tb\"",
                                   (struct mr_place){"hall.platform.xml", 41, 7}, &value, &err),
                     MR_UNIT);
    mr_err_print(&err, line, sizeof line);
    assert_string_equal(line,
                        "hall.platform.xml:41:7: error: link \"H0.R0.K0.up\": bandwidth \"14400 "
                        "Tb\": unknown unit \"Tb\" (did you mean \"Tbit/s\"?)");
}

MR_TEST(written_values_read_back_to_the_same_bits)
{
    uint64_t state = 11;
    for (int q = 0; q < MR_N_QUANTITY; q++)
        for (int i = 0; i < 20000; i++) {
            state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            double value = 0, back = 0;
            if (i % 3 == 0) { /* any bits */
                memcpy(&value, &state, sizeof value);
            } else if (i % 3 == 1) { /* what people write */
                value = (double)(state >> 44) / 1000;
            } else {
                value = (double)(state >> 40) * 1e6;
            }
            char text[MR_UNIT_CAP];
            const size_t n = mr_unit_format(value, (enum mr_quantity)q, text);
            assert_int_equal(strlen(text), n);
            if (!isfinite(value))
                continue;
            struct mr_err err = {0};
            if (mr_unit_parse(mr_str_of(text), (enum mr_quantity)q, "x", MR_NOWHERE, &back, &err) !=
                    MR_OK ||
                bits_of(back) != bits_of(value))
                fail_msg("%.17g is written \"%s\" and read %.17g: %s", value, text, back, err.text);
        }
}

/* ---- every spelling the tables make ---- */

enum {
    spelling_cap = 32,
    spellings_max = 128
};

/* The spellings of mr_unit_list, prefixes applied. */
static size_t spellings(enum mr_quantity q, char out[spellings_max][spelling_cap])
{
    struct mr_buf list = {0};
    size_t n = 0;
    mr_unit_list(q, &list);
    for (char *unit = list.text, *next; unit != NULL; unit = next) {
        next = strstr(unit, ", ");
        if (next != NULL) {
            *next = '\0';
            next += 2;
        }
        char *const close = strchr(unit, ']'), *const symbol = close != NULL ? close + 1 : unit;
        assert_true(n < spellings_max);
        snprintf(out[n++], spelling_cap, "%s", strcmp(symbol, "a plain number") == 0 ? "" : symbol);
        for (char *p = unit + 1, *rest; close != NULL && p < close; p = rest + 1) {
            rest = p + strcspn(p, " ]");
            assert_true(n < spellings_max);
            snprintf(out[n++], spelling_cap, "%.*s%s", (int)(rest - p), p, symbol);
        }
    }
    mr_buf_fini(&list);
    return n;
}

static bool is_listed(const char *unit, char list[spellings_max][spelling_cap], size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i], unit) == 0)
            return true;
    return false;
}

static mr_status parse_unit(const char *number, const char *unit, enum mr_quantity q, double *value)
{
    char text[80];
    snprintf(text, sizeof text, "%s %s", number, unit);
    return mr_unit_parse(mr_str_of(text), q, "x", MR_NOWHERE, value, NULL);
}

MR_TEST(no_spelling_means_two_things_and_case_counts)
{
    static char list[spellings_max][spelling_cap];
    for (int q = 0; q < MR_N_QUANTITY; q++) {
        const size_t n = spellings((enum mr_quantity)q, list);
        for (size_t i = 0; i < n; i++) {
            double value = 0;
            if (is_listed(list[i], list + i + 1, n - i - 1))
                fail_msg("%s: \"%s\" is listed twice", mr_unit_quantity_name((enum mr_quantity)q),
                         list[i]);
            assert_int_equal(parse_unit("7", list[i], (enum mr_quantity)q, &value), MR_OK);
            for (size_t k = 0; list[i][k] != '\0'; k++) {
                char other[spelling_cap];
                memcpy(other, list[i], spelling_cap);
                if ((other[k] | 0x20) < 'a' || (other[k] | 0x20) > 'z')
                    continue;
                other[k] ^= 0x20;
                assert_int_equal(parse_unit("7", other, (enum mr_quantity)q, &value) == MR_OK,
                                 is_listed(other, list, n));
            }
        }
        double value;
        struct mr_err err = {0};
        const char *example = mr_unit_quantity_example((enum mr_quantity)q);
        assert_int_equal(
            mr_unit_parse(mr_str_of(example), (enum mr_quantity)q, "x", MR_NOWHERE, &value, &err),
            MR_OK);
        if (q != MR_Q_COUNT && q != MR_Q_FRACTION)
            assert_int_equal(parse_unit("0", "", (enum mr_quantity)q, &value), MR_UNIT);
        assert_int_equal(parse_unit("7", "xyzzy", (enum mr_quantity)q, &value), MR_UNIT);
    }
}

MR_TEST(values_in_every_unit_are_written_and_read_to_the_same_bits)
{
    static char list[spellings_max][spelling_cap];
    uint64_t state = 5;
    for (int q = 0; q < MR_N_QUANTITY; q++) {
        const size_t n = spellings((enum mr_quantity)q, list);
        for (size_t i = 0; i < n; i++)
            for (int k = 0; k < 1000; k++) {
                char number[64], text[MR_UNIT_CAP];
                double value, back;
                state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
                snprintf(number, sizeof number, "%s%llue%d", k % 5 == 0 ? "-" : "",
                         (unsigned long long)(state >> (k % 64)), (int)(state >> 33) % 60 - 30);
                assert_int_equal(parse_unit(number, list[i], (enum mr_quantity)q, &value), MR_OK);
                const size_t n_text = mr_unit_format(value, (enum mr_quantity)q, text);
                assert_int_equal(mr_unit_parse((struct mr_str){text, n_text}, (enum mr_quantity)q,
                                               "x", MR_NOWHERE, &back, NULL),
                                 MR_OK);
                if (bits_of(back) != bits_of(value))
                    fail_msg("%s %s is written \"%s\"", number, list[i], text);
            }
    }
}

MR_TEST(how_they_look)
{
    static const struct {
        double value;
        enum mr_quantity q;
        const char *exact, *human;
    } cases[] = {
        {1.8e12, MR_Q_DATA_RATE, "1.8 TB/s", "1.8 TB/s"},
        {45, MR_Q_TEMPERATURE, "45 degC", "45 degC"},
        {-3.9, MR_Q_TEMPERATURE, "-3.9 degC", "-3.9 degC"},
        {600000, MR_Q_POWER, "600 kW", "600 kW"},
        {999960, MR_Q_POWER, "999.96 kW", "1 MW"},
        {2.5e-7, MR_Q_TIME, "250 ns", "250 ns"},
        {300, MR_Q_TIME, "300 s", "300 s"},
        {0.0002, MR_Q_VOLUME_FLOW, "0.0002 m3/s", "12 L/min"},
        {3, MR_Q_TOKEN_PRICE, "3 USD/Mtok", "3 USD/Mtok"},
        {0.85, MR_Q_FRACTION, "0.85", "85 %"},
        {0, MR_Q_POWER, "0 W", "0 W"},
        {5543, MR_Q_COUNT, "5543", "5543"},
        {1e-8, MR_Q_ENERGY_PRICE, "1e-8 USD/J", "36 USD/MWh"},
        {288e9, MR_Q_DATA, "288 GB", "288 GB"},
        {3.5e16, MR_Q_FLOP_RATE, "35 Pflop/s", "35 Pflop/s"},
        {1e30, MR_Q_POWER, "1e30 W", "1e30 W"},
        {1.23456789e6, MR_Q_POWER, "1.23456789 MW", "1.235 MW"},
    };
    char text[MR_UNIT_CAP];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mr_unit_format(cases[i].value, cases[i].q, text);
        assert_string_equal(text, cases[i].exact);
        mr_unit_human(cases[i].value, cases[i].q, 4, text);
        assert_string_equal(text, cases[i].human);
    }
    mr_unit_format((double)INFINITY, MR_Q_POWER, text);
    assert_string_equal(text, "inf");
}

MR_TEST(lists_for_documents)
{
    struct mr_buf out = {0};
    mr_unit_list(MR_Q_DATA_RATE, &out);
    mr_assert_contains(out.text, "[k M G T P E Z Ki Mi Gi Ti Pi]B/s, ");
    mr_buf_clear(&out);
    for (int q = 0; q < MR_N_QUANTITY; q++) {
        const size_t before = out.n;
        mr_unit_list((enum mr_quantity)q, &out);
        assert_true(out.n > before);
        assert_true(strlen(mr_unit_quantity_doc((enum mr_quantity)q)) > 3);
        const char *suffix = mr_unit_quantity_suffix((enum mr_quantity)q);
        assert_true(suffix[0] == '_' || q == MR_Q_COUNT);
    }
    mr_buf_fini(&out);
}

MR_TEST_MAIN(MR_TEST_ENTRY(every_spelling_of_the_documents),
             MR_TEST_ENTRY(refusals_say_why_and_what_instead), MR_TEST_ENTRY(the_ux_example),
             MR_TEST_ENTRY(no_spelling_means_two_things_and_case_counts),
             MR_TEST_ENTRY(values_in_every_unit_are_written_and_read_to_the_same_bits),
             MR_TEST_ENTRY(written_values_read_back_to_the_same_bits), MR_TEST_ENTRY(how_they_look),
             MR_TEST_ENTRY(lists_for_documents))
