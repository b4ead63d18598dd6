/* SPDX-License-Identifier: Apache-2.0 */
/* A unit is a row: symbol, the prefixes it may take, and an exact factor to the base unit,
 *     base = (x + offset) * mul * 10^exp10 / div,
 * all integers but the decimal x itself. Reading keeps x as digits * 10^e in 128 bits until the one
 * rounding at the end.
 * Map: tables - exact arithmetic - finding the unit - messages - public functions. */
#include "engine/base/unit.h"

#include "engine/base/assert.h"
#include "engine/base/num.h"

#include <math.h>
#include <stdio.h>

__extension__ typedef unsigned __int128 u128;
__extension__ typedef __int128 i128;

/* ---- tables ---- */

enum {
    big = 1,       /* k M G T P E Z */
    binary = 2,    /* Ki Mi Gi Ti Pi */
    small = 4,     /* m u n p */
    milli = 8,     /* m alone */
    kilo = 16,     /* k alone */
    business = 32, /* k M B T as people count money and tokens */
    mega = 64,     /* k M G: what power comes in */
    centi = 128    /* c m */
};

static const struct {
    const char *text;
    int exp10, exp2;
    unsigned sets;
} prefixes[] = {
    {"k", 3, 0, big | kilo | business | mega},
    {"M", 6, 0, big | business | mega},
    {"G", 9, 0, big | mega},
    {"B", 9, 0, business},
    {"T", 12, 0, big | business},
    {"P", 15, 0, big},
    {"E", 18, 0, big},
    {"Z", 21, 0, big},
    {"m", -3, 0, small | milli | centi},
    {"u", -6, 0, small},
    {"n", -9, 0, small},
    {"p", -12, 0, small},
    {"c", -2, 0, centi},
    {"Ki", 0, 10, binary},
    {"Mi", 0, 20, binary},
    {"Gi", 0, 30, binary},
    {"Ti", 0, 40, binary},
    {"Pi", 0, 50, binary},
};

enum {
    n_prefix = sizeof prefixes / sizeof *prefixes
};

struct unit {
    enum mr_quantity q;
    const char *symbol;
    unsigned prefixes;
    int exp10;
    uint32_t mul, div;
    int64_t offset; /* in units of 10^offset_exp10 of this unit */
    int offset_exp10;
    bool is_alias;   /* never suggested, never written */
    bool for_people; /* what mr_unit_human writes, when it is not the base unit */
};

// clang-format off
#define UNIT(q_, symbol_, prefixes_, exp10_, mul_, div_) \
    {.q = MR_Q_##q_, .symbol = (symbol_), .prefixes = (prefixes_), .exp10 = (exp10_), .mul = (mul_), .div = (div_)}
#define ALIAS(q_, symbol_, prefixes_, exp10_, mul_, div_) \
    {.q = MR_Q_##q_, .symbol = (symbol_), .prefixes = (prefixes_), .exp10 = (exp10_), .mul = (mul_), .div = (div_), .is_alias = true}
#define PEOPLE(q_, symbol_, prefixes_, exp10_, mul_, div_) \
    {.q = MR_Q_##q_, .symbol = (symbol_), .prefixes = (prefixes_), .exp10 = (exp10_), .mul = (mul_), .div = (div_), .for_people = true}

/* Grouped by quantity; the first row of each is its base unit. 1 kWh = 36e5 J; a year has 365 days. */
static const struct unit units[] = {
    UNIT(COUNT, "", 0, 0, 1, 1),
    UNIT(FRACTION, "", 0, 0, 1, 1),
    PEOPLE(FRACTION, "%", 0, -2, 1, 1),

    UNIT(TIME, "s", small, 0, 1, 1),
    UNIT(TIME, "min", 0, 0, 60, 1),
    UNIT(TIME, "h", 0, 0, 3600, 1),
    UNIT(TIME, "d", 0, 0, 86400, 1),
    ALIAS(TIME, "day", 0, 0, 86400, 1),
    ALIAS(TIME, "days", 0, 0, 86400, 1),
    UNIT(TIME, "week", 0, 0, 604800, 1),
    UNIT(TIME, "year", 0, 0, 31536000, 1),

    UNIT(POWER, "W", mega, 0, 1, 1),
    ALIAS(POWER, "VA", mega, 0, 1, 1),
    UNIT(ENERGY, "J", big, 0, 1, 1),
    UNIT(ENERGY, "Wh", big, 0, 3600, 1),
    UNIT(RAMP, "W/s", mega, 0, 1, 1),
    UNIT(RAMP, "W/min", mega, 0, 1, 60),
    UNIT(RAMP, "W/h", mega, 0, 1, 3600),

    UNIT(TEMPERATURE, "degC", 0, 0, 1, 1),
    {.q = MR_Q_TEMPERATURE, .symbol = "K", .mul = 1, .div = 1, .offset = -27315, .offset_exp10 = -2},
    {.q = MR_Q_TEMPERATURE, .symbol = "degF", .mul = 5, .div = 9, .offset = -32},
    UNIT(TEMPERATURE_DIFF, "K", milli, 0, 1, 1),
    UNIT(TEMPERATURE_DIFF, "degC", 0, 0, 1, 1),
    UNIT(TEMPERATURE_DIFF, "degF", 0, 0, 5, 9),

    UNIT(PRESSURE, "Pa", mega, 0, 1, 1),
    UNIT(PRESSURE, "bar", milli, 5, 1, 1),

    UNIT(MASS, "kg", 0, 0, 1, 1),
    UNIT(MASS, "g", 0, -3, 1, 1),
    UNIT(MASS, "t", business, 3, 1, 1),
    UNIT(MASS_FLOW, "kg/s", 0, 0, 1, 1),
    UNIT(MASS_FLOW, "kg/min", 0, 0, 1, 60),
    UNIT(MASS_FLOW, "kg/h", 0, 0, 1, 3600),
    UNIT(MASS_FLOW, "g/s", 0, -3, 1, 1),
    UNIT(MASS_FLOW, "t/h", 0, 3, 1, 3600),

    UNIT(VOLUME, "m3", 0, 0, 1, 1),
    PEOPLE(VOLUME, "L", mega | milli, -3, 1, 1),
    UNIT(VOLUME, "gal", mega, -12, 3785411784u, 1),
    UNIT(VOLUME_FLOW, "m3/s", 0, 0, 1, 1),
    UNIT(VOLUME_FLOW, "m3/h", 0, 0, 1, 3600),
    UNIT(VOLUME_FLOW, "L/s", 0, -3, 1, 1),
    PEOPLE(VOLUME_FLOW, "L/min", 0, -3, 1, 60),
    ALIAS(VOLUME_FLOW, "LPM", 0, -3, 1, 60),
    UNIT(VOLUME_FLOW, "L/h", 0, -3, 1, 3600),
    UNIT(VOLUME_FLOW, "gpm", 0, -12, 3785411784u, 60),

    UNIT(LENGTH, "m", kilo | small | centi, 0, 1, 1),
    UNIT(LENGTH, "in", 0, -4, 254, 1),
    UNIT(LENGTH, "ft", 0, -4, 3048, 1),
    UNIT(AREA, "m2", 0, 0, 1, 1),
    UNIT(AREA, "cm2", 0, -4, 1, 1),
    UNIT(AREA, "km2", 0, 6, 1, 1),
    UNIT(AREA, "ft2", 0, -8, 9290304, 1),
    UNIT(SPEED, "m/s", 0, 0, 1, 1),
    UNIT(SPEED, "km/h", 0, 1, 100, 3600),
    UNIT(DENSITY, "kg/m3", 0, 0, 1, 1),
    UNIT(DENSITY, "kg/L", 0, 3, 1, 1),
    UNIT(MASS_PER_AREA, "kg/m2", 0, 0, 1, 1),
    UNIT(MASS_PER_AREA, "t/m2", 0, 3, 1, 1),

    UNIT(DATA, "B", big | binary, 0, 1, 1),
    UNIT(DATA, "bit", big | binary, -3, 125, 1),
    ALIAS(DATA, "b", big | binary, -3, 125, 1),
    UNIT(DATA_RATE, "B/s", big | binary, 0, 1, 1),
    UNIT(DATA_RATE, "bit/s", big | binary, -3, 125, 1),
    ALIAS(DATA_RATE, "b/s", big | binary, -3, 125, 1),
    ALIAS(DATA_RATE, "Bps", big | binary, 0, 1, 1),
    ALIAS(DATA_RATE, "bps", big | binary, -3, 125, 1),

    UNIT(FLOP, "flop", big, 0, 1, 1),
    ALIAS(FLOP, "FLOP", big, 0, 1, 1),
    UNIT(FLOP_RATE, "flop/s", big, 0, 1, 1),
    ALIAS(FLOP_RATE, "FLOP/s", big, 0, 1, 1),
    ALIAS(FLOP_RATE, "FLOPS", big, 0, 1, 1),
    ALIAS(FLOP_RATE, "F", big, 0, 1, 1),
    ALIAS(FLOP_RATE, "f", big, 0, 1, 1), /* SimGrid's spelling */

    UNIT(TOKENS, "tok", business, 0, 1, 1),
    UNIT(TOKEN_RATE, "tok/s", business, 0, 1, 1),
    UNIT(TOKEN_RATE, "tok/min", business, 0, 1, 60),
    UNIT(TOKEN_RATE, "tok/h", business, 0, 1, 3600),
    UNIT(TOKEN_RATE, "tok/d", business, 0, 1, 86400),
    UNIT(TOKEN_RATE, "tok/year", business, 0, 1, 31536000),
    UNIT(RATE, "1/s", 0, 0, 1, 1),
    UNIT(RATE, "1/min", 0, 0, 1, 60),
    UNIT(RATE, "1/h", 0, 0, 1, 3600),
    UNIT(RATE, "1/d", 0, 0, 1, 86400),
    UNIT(RATE, "1/year", 0, 0, 1, 31536000),
    ALIAS(RATE, "req/s", kilo, 0, 1, 1),
    ALIAS(RATE, "call/s", kilo, 0, 1, 1),
    ALIAS(RATE, "calls/s", kilo, 0, 1, 1),
    ALIAS(RATE, "session/s", kilo, 0, 1, 1),
    ALIAS(RATE, "sessions/s", kilo, 0, 1, 1),

    UNIT(MONEY, "USD", business, 0, 1, 1),
    ALIAS(MONEY, "ct", 0, -2, 1, 1),
    UNIT(COST_RATE, "USD/s", business, 0, 1, 1),
    PEOPLE(COST_RATE, "USD/h", business, 0, 1, 3600),
    UNIT(COST_RATE, "USD/d", business, 0, 1, 86400),
    UNIT(COST_RATE, "USD/year", business, 0, 1, 31536000),
    UNIT(TOKEN_PRICE, "USD/Mtok", 0, 0, 1, 1),
    ALIAS(TOKEN_PRICE, "USD/Mtoken", 0, 0, 1, 1),
    UNIT(TOKEN_PRICE, "USD/ktok", 0, 3, 1, 1),
    UNIT(TOKEN_PRICE, "USD/tok", 0, 6, 1, 1),
    UNIT(TOKEN_PRICE, "ct/Mtok", 0, -2, 1, 1),
    UNIT(ENERGY_PRICE, "USD/J", 0, 0, 1, 1),
    UNIT(ENERGY_PRICE, "USD/GJ", 0, -9, 1, 1),
    PEOPLE(ENERGY_PRICE, "USD/MWh", 0, -8, 1, 36),
    UNIT(ENERGY_PRICE, "USD/kWh", 0, -5, 1, 36),
    UNIT(ENERGY_PRICE, "ct/kWh", 0, -7, 1, 36),
    UNIT(POWER_PRICE, "USD/W", 0, 0, 1, 1),
    PEOPLE(POWER_PRICE, "USD/kW", business, -3, 1, 1),
    UNIT(POWER_PRICE, "USD/MW", business, -6, 1, 1),
    UNIT(CARBON, "kg/J", 0, 0, 1, 1),
    PEOPLE(CARBON, "g/kWh", 0, -8, 1, 36),
    ALIAS(CARBON, "gCO2/kWh", 0, -8, 1, 36),
    UNIT(CARBON, "kg/kWh", 0, -5, 1, 36),
    UNIT(CARBON, "kg/MWh", 0, -8, 1, 36),
    UNIT(CARBON, "t/MWh", 0, -5, 1, 36),
    UNIT(WATER, "m3/J", 0, 0, 1, 1),
    PEOPLE(WATER, "L/kWh", 0, -8, 1, 36),
    UNIT(WATER, "m3/MWh", 0, -8, 1, 36),
    UNIT(TOKEN_ENERGY, "J/tok", kilo | milli, 0, 1, 1),
    UNIT(TOKEN_ENERGY, "J/Mtok", mega, -6, 1, 1),
    UNIT(TOKEN_ENERGY, "Wh/tok", milli, 0, 3600, 1),
    UNIT(TOKEN_ENERGY, "Wh/Mtok", mega, -6, 3600, 1),

    UNIT(VOLTAGE, "V", kilo | milli, 0, 1, 1),
    ALIAS(VOLTAGE, "VAC", kilo, 0, 1, 1),
    ALIAS(VOLTAGE, "VDC", kilo, 0, 1, 1),
    UNIT(CURRENT, "A", kilo | milli, 0, 1, 1),
    UNIT(FREQUENCY, "Hz", big | milli, 0, 1, 1),
    UNIT(FREQUENCY_RAMP, "Hz/s", milli, 0, 1, 1),
    UNIT(CONDUCTANCE, "W/K", mega, 0, 1, 1),
    UNIT(RESISTANCE, "K/W", milli, 0, 1, 1),
    UNIT(RESISTANCE, "K/kW", 0, -3, 1, 1),
    UNIT(HEAT_CAPACITY, "J/K", mega, 0, 1, 1),
    UNIT(SPECIFIC_HEAT, "J/kgK", kilo, 0, 1, 1),
    ALIAS(SPECIFIC_HEAT, "J/(kgK)", kilo, 0, 1, 1),
    ALIAS(SPECIFIC_HEAT, "J/kg/K", kilo, 0, 1, 1),
    UNIT(HEAT_FLUX, "W/m2", kilo, 0, 1, 1),
    UNIT(HEAT_FLUX, "W/cm2", 0, 4, 1, 1),
    UNIT(FLOW_PER_POWER, "m3/J", 0, 0, 1, 1),
    PEOPLE(FLOW_PER_POWER, "L/min/kW", 0, -6, 1, 60),
    UNIT(VOLUME_PER_POWER, "m3/W", 0, 0, 1, 1),
    PEOPLE(VOLUME_PER_POWER, "L/kW", 0, -6, 1, 1),
    UNIT(SPECIFIC_ENERGY, "J/kg", mega, 0, 1, 1),
    UNIT(SPECIFIC_ENERGY, "Wh/kg", mega, 0, 3600, 1),
    UNIT(TEMPERATURE_COEFF, "1/K", 0, 0, 1, 1),
    UNIT(TEMPERATURE_COEFF, "%/K", 0, -2, 1, 1),
    ALIAS(TEMPERATURE_COEFF, "/K", 0, 0, 1, 1),
};
// clang-format on

enum {
    n_unit = sizeof units / sizeof *units,
    symbol_cap = 24,
    names_max = 256
};

static const struct {
    const char *name, *base, *suffix, *example, *doc;
} quantities[] = {
#define QUANTITY_ROW(name, text, base, suffix, example, doc) {text, base, suffix, example, doc},
    MR_QUANTITY_LIST(QUANTITY_ROW)
#undef QUANTITY_ROW
};

const char *mr_unit_quantity_name(enum mr_quantity q)
{
    return quantities[q].name;
}

const char *mr_unit_quantity_base(enum mr_quantity q)
{
    return quantities[q].base;
}

const char *mr_unit_quantity_suffix(enum mr_quantity q)
{
    return quantities[q].suffix;
}

const char *mr_unit_quantity_example(enum mr_quantity q)
{
    return quantities[q].example;
}

const char *mr_unit_quantity_doc(enum mr_quantity q)
{
    return quantities[q].doc;
}

/* ---- exact arithmetic ---- */

/* A unit with its prefix. */
struct scale {
    const struct unit *unit;
    int exp10, exp2; /* of the prefix */
};

static i128 times_pow10(i128 x, int k)
{
    for (; k > 0; k--)
        x *= 10;
    return x;
}

/* (-1)^negative * m * 10^e / div, rounded once from at least 19 digits. */
static double rounded(bool negative, u128 m, int e, uint32_t div)
{
    const u128 room = (u128)1 << 120;
    if (m == 0)
        return negative ? -0.0 : 0.0;
    if (div > 1) {
        for (; m < room / 10; m *= 10)
            e--;
        m /= div;
    }
    for (; m % 10 == 0; m /= 10) /* exact while zeros end it */
        e++;
    for (; m > UINT64_MAX; m /= 10)
        e++;
    const double x = mr_num_from_decimal((uint64_t)m, e);
    return negative ? -x : x;
}

/* base = (x + offset) * mul * 10^exp10 / div; with an offset both are brought to one power of ten.
 */
static double to_base(const struct mr_num_decimal *x, const struct scale *scale)
{
    const struct unit *unit = scale->unit;
    const int e = unit->exp10 + scale->exp10;
    if (unit->offset == 0) {
        const double value =
            rounded(x->negative, (u128)x->digits * unit->mul, x->exp10 + e, unit->div);
        return scale->exp2 > 0 ? ldexp(value, scale->exp2) : value;
    }
    /* 19 digits and 18 more, or 27315 and 32 zeros, times mul (at most 5) stay inside 127 bits */
    enum {
        x_shift_max = 18,
        offset_shift_max = 32
    };
    const int low = x->exp10 < unit->offset_exp10 ? x->exp10 : unit->offset_exp10;
    if (x->exp10 - low > x_shift_max || unit->offset_exp10 - low > offset_shift_max) {
        /* far apart: one of them is below the other's last digit, doubles do */
        const double d = mr_num_from_decimal(x->digits, x->exp10);
        const double offset = (double)unit->offset / (unit->offset_exp10 < 0 ? 100 : 1);
        return ((x->negative ? -d : d) + offset) * unit->mul / unit->div;
    }
    i128 sum = times_pow10((i128)x->digits, x->exp10 - low);
    sum = (x->negative ? -sum : sum) + times_pow10(unit->offset, unit->offset_exp10 - low);
    const u128 size = sum < 0 ? (u128)-sum : (u128)sum;
    return rounded(sum < 0, size * unit->mul, low + e, unit->div);
}

/* ---- finding the unit ---- */

static bool is_prefix(const struct unit *unit, struct mr_str text, struct scale *scale)
{
    *scale = (struct scale){unit, 0, 0};
    if (text.n == 0)
        return true;
    for (size_t i = 0; i < n_prefix; i++)
        if ((prefixes[i].sets & unit->prefixes) != 0 && mr_str_is(text, prefixes[i].text)) {
            scale->exp10 = prefixes[i].exp10;
            scale->exp2 = prefixes[i].exp2;
            return true;
        }
    return false;
}

static bool find_unit(struct mr_str text, enum mr_quantity q, struct scale *scale)
{
    for (size_t i = 0; i < n_unit; i++) {
        const struct unit *unit = &units[i];
        if (unit->q != q)
            continue;
        const size_t n = strlen(unit->symbol);
        if (text.n < n || memcmp(text.p + text.n - n, unit->symbol, n) != 0)
            continue;
        if (is_prefix(unit, (struct mr_str){text.p, text.n - n}, scale))
            return true;
    }
    return false;
}

/* The unit's text without blanks; a dollar sign goes where "USD" stands: "3 USD/Mtok", "8.8 MUSD".
 */
static struct mr_str normalized(struct mr_str text, bool has_dollar, char out[symbol_cap * 2])
{
    size_t n = 0;
    bool is_due = has_dollar;
    for (size_t i = 0; i <= text.n && n < symbol_cap; i++) {
        if (is_due && (i == text.n || text.p[i] == '/')) {
            for (const char *name = "USD"; *name != '\0'; name++)
                out[n++] = *name;
            is_due = false;
        }
        if (i < text.n && text.p[i] != ' ' && text.p[i] != '\t')
            out[n++] = text.p[i];
    }
    return (struct mr_str){out, n};
}

/* ---- messages ---- */

/* All names of a quantity worth suggesting. */
static size_t all_names(enum mr_quantity q, char text[names_max][symbol_cap], const char **names)
{
    size_t n = 0;
    for (size_t i = 0; i < n_unit; i++) {
        if (units[i].q != q || units[i].is_alias || units[i].symbol[0] == '\0')
            continue;
        for (size_t p = 0; p <= n_prefix && n < names_max; p++) {
            if (p < n_prefix && (prefixes[p].sets & units[i].prefixes) == 0)
                continue;
            snprintf(text[n], symbol_cap, "%s%s", p < n_prefix ? prefixes[p].text : "",
                     units[i].symbol);
            names[n] = text[n];
            n++;
        }
    }
    return n;
}

/* A unit of another quantity that only lacks, or has too much, its time: "Tb" for a rate. */
static bool hint_per_time(struct mr_str unit, enum mr_quantity q, char *hint, size_t cap)
{
    for (size_t i = 0; i < n_unit; i++) {
        const size_t n = strlen(units[i].symbol);
        struct scale scale;
        if (units[i].q == q || n == 0 || unit.n < n ||
            memcmp(unit.p + unit.n - n, units[i].symbol, n) != 0 ||
            !is_prefix(&units[i], (struct mr_str){unit.p, unit.n - n}, &scale))
            continue;
        /* the first unit of that quantity with the same factor is its proper name */
        const struct unit *proper = &units[i];
        for (size_t k = 0; k < i && proper == &units[i]; k++)
            if (units[k].q == units[i].q && units[k].exp10 == units[i].exp10 &&
                units[k].mul == units[i].mul && units[k].div == units[i].div)
                proper = &units[k];
        char name[symbol_cap * 2];
        const int n_prefix_text = (int)(unit.n - n);
        snprintf(name, sizeof name, "%.*s%s/s", n_prefix_text, unit.p, proper->symbol);
        if (!find_unit(mr_str_of(name), q, &scale)) {
            const size_t length = strlen(proper->symbol);
            if (length < 3 || strcmp(proper->symbol + length - 2, "/s") != 0)
                continue;
            snprintf(name, sizeof name, "%.*s%.*s", n_prefix_text, unit.p, (int)length - 2,
                     proper->symbol);
            if (!find_unit(mr_str_of(name), q, &scale))
                continue;
        }
        snprintf(hint, cap, " (did you mean \"%s\"?)", name);
        return true;
    }
    return false;
}

static mr_status unit_error(struct mr_str unit, enum mr_quantity q, const char *subject,
                            struct mr_place at, struct mr_err *err)
{
    char text[names_max][symbol_cap], quoted[MR_QUOTE_CAP], hint[96] = "";
    const char *names[names_max];
    const size_t n = all_names(q, text, names);
    if (unit.n == 0)
        return mr_err_set(err, MR_UNIT, at, "%s: no unit (write e.g. \"%s\")", subject,
                          quantities[q].example);
    if (n == 0)
        return mr_err_set(err, MR_UNIT, at, "%s: unknown unit \"%s\" (a plain number)", subject,
                          mr_text_quote(unit, quoted));
    if (!hint_per_time(unit, q, hint, sizeof hint))
        mr_text_hint(unit, names, n, hint, sizeof hint);
    if (hint[0] == '\0')
        snprintf(hint, sizeof hint, " (%s, e.g. \"%s\")", quantities[q].name,
                 quantities[q].example);
    return mr_err_set(err, MR_UNIT, at, "%s: unknown unit \"%s\"%s", subject,
                      mr_text_quote(unit, quoted), hint);
}

/* ---- public ---- */

mr_status mr_unit_parse(struct mr_str text, enum mr_quantity q, const char *subject,
                        struct mr_place at, double *value, struct mr_err *err)
{
    struct mr_num_decimal decimal;
    struct scale scale;
    char unit_text[symbol_cap * 2];
    struct mr_str rest = mr_str_trim(text);
    const bool has_dollar = rest.n > 0 && rest.p[0] == '$';
    if (has_dollar)
        rest = mr_str_trim((struct mr_str){rest.p + 1, rest.n - 1});
    size_t n = mr_num_scan_decimal(rest.p, rest.n, &decimal);
    if (n == 0)
        return mr_err_set(err, MR_PARSE, at, "%s: not a number%s (%s, e.g. \"%s\")", subject,
                          quantities[q].base[0] != '\0' ? " with a unit" : "", quantities[q].name,
                          quantities[q].example);
    rest = mr_str_trim((struct mr_str){rest.p + n, rest.n - n});
    const struct mr_str unit = normalized(rest, has_dollar, unit_text);
    if (rest.n >= symbol_cap || !find_unit(unit, q, &scale))
        return unit_error(has_dollar ? unit : rest, q, subject, at, err);
    const double x = to_base(&decimal, &scale);
    if (!isfinite(x))
        return mr_err_set(err, MR_RANGE, at, "%s: too large", subject);
    *value = x;
    return MR_OK;
}

/* digits * 10^exp10 without an exponent; the caller keeps it short. */
static size_t plain_text(uint64_t digits, int exp10, char *out)
{
    char text[MR_NUM_CAP];
    const size_t n = mr_num_format_u64(digits, text);
    const int n_int = (int)n + exp10;
    size_t m = 0;
    for (int i = n_int < 1 ? n_int - 1 : 0; i < (int)n || i < n_int; i++) {
        if (i == n_int)
            out[m++] = '.';
        out[m++] = i >= 0 && i < (int)n ? text[i] : '0';
    }
    out[m] = '\0';
    return m;
}

/* The largest prefix of the unit that leaves a digit before the point, else the smallest there is.
 */
static const char *best_prefix(const struct unit *unit, int n_int, int *exp10)
{
    const char *best = "";
    *exp10 = 0;
    for (size_t i = 0; i < n_prefix; i++) {
        const int e = prefixes[i].exp10;
        if ((prefixes[i].sets & unit->prefixes) == 0 || prefixes[i].exp2 != 0 || e == -2)
            continue;
        const bool fits = n_int - e >= 1, best_fits = n_int - *exp10 >= 1;
        if (fits ? !best_fits || e > *exp10 : !best_fits && e < *exp10) {
            best = prefixes[i].text;
            *exp10 = e;
        }
    }
    return best;
}

/* "number unit" of a finite value given as the shortest decimal of it in `unit`. */
static size_t write_scaled(double in_unit, const struct unit *unit, char out[MR_UNIT_CAP])
{
    char number[MR_NUM_CAP];
    struct mr_num_decimal d;
    size_t m = 0;
    const size_t n = mr_num_format_f64(in_unit, number);
    (void)mr_num_scan_decimal(number, n, &d);
    for (; d.digits != 0 && d.digits % 10 == 0; d.digits /= 10)
        d.exp10++;
    char digits[MR_NUM_CAP];
    const int n_int = (int)mr_num_format_u64(d.digits, digits) + d.exp10;
    int exp10 = 0;
    const char *prefix = d.digits != 0 ? best_prefix(unit, n_int, &exp10) : "";
    if (d.digits != 0 && n_int - exp10 >= -3 && n_int - exp10 <= 15) {
        if (d.negative)
            out[m++] = '-';
        m += plain_text(d.digits, d.exp10 - exp10, out + m);
    } else { /* no plain notation: the number as it is */
        memcpy(out, number, n);
        m = n;
        prefix = "";
    }
    const char *blank = unit->symbol[0] != '\0' ? " " : "";
    m += (size_t)snprintf(out + m, MR_UNIT_CAP - m, "%s%s%s", blank, prefix, unit->symbol);
    return m;
}

static const struct unit *base_unit(enum mr_quantity q)
{
    size_t i = 0;
    while (units[i].q != q)
        i++;
    return &units[i];
}

size_t mr_unit_format(double value, enum mr_quantity q, char out[MR_UNIT_CAP])
{
    const struct unit *unit = base_unit(q);
    if (!isfinite(value))
        return (size_t)snprintf(out, MR_UNIT_CAP, "%s",
                                isnan(value) ? "nan"
                                : value > 0  ? "inf"
                                             : "-inf");
    return write_scaled(value, unit, out);
}

size_t mr_unit_human(double value, enum mr_quantity q, int digits, char out[MR_UNIT_CAP])
{
    const struct unit *unit = base_unit(q);
    char number[MR_NUM_CAP];
    if (!isfinite(value))
        return mr_unit_format(value, q, out);
    for (size_t i = 0; i < n_unit; i++)
        if (units[i].q == q && units[i].for_people)
            unit = &units[i];
    double in_unit = value * unit->div / unit->mul;
    for (int e = unit->exp10; e < 0; e++)
        in_unit *= 10;
    for (int e = unit->exp10; e > 0; e--)
        in_unit /= 10;
    /* round first, so that 999.96 kW becomes 1 MW and not 1000 kW */
    const size_t n = mr_num_format_human(in_unit, digits, number);
    if (mr_num_scan_f64(number, n, &in_unit) == 0)
        return mr_unit_format(value, q, out);
    return write_scaled(in_unit, unit, out);
}

void mr_unit_list(enum mr_quantity q, struct mr_buf *out)
{
    bool is_first = true;
    for (size_t i = 0; i < n_unit; i++) {
        if (units[i].q != q)
            continue;
        mr_buf_text(out, is_first ? "" : ", ");
        is_first = false;
        bool has_prefix = false;
        for (size_t p = 0; p < n_prefix; p++) {
            if ((prefixes[p].sets & units[i].prefixes) == 0)
                continue;
            mr_buf_printf(out, "%s%s", has_prefix ? " " : "[", prefixes[p].text);
            has_prefix = true;
        }
        mr_buf_printf(out, "%s%s", has_prefix ? "]" : "",
                      units[i].symbol[0] != '\0' ? units[i].symbol : "a plain number");
    }
}
