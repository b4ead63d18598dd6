/* SPDX-License-Identifier: Apache-2.0 */
/* Items are read from left to right; an interval that is given twice is a mistake. */
#include "engine/twin/record_every.h"

#include "engine/base/unit.h"
#include "engine/twin/play.h"

_Static_assert((int)MR_RECORD_KINDS < (int)MR_PLAY_INTERVALS,
               "every kind may have its own, and looks");

static const char *const names[MR_RECORD_KINDS] = {
#define KIND_NAME(name, text, group) text,
    MR_RECORD_EVERY_LIST(KIND_NAME)
#undef KIND_NAME
};

static const double least_s = 1e-6, most_s = 1e9;
static const double look_s = 1; /* as everywhere, a peak is that of seconds */

struct mr_record_every mr_record_every_all(double every_s)
{
    struct mr_record_every every;
    for (int k = 0; k < MR_RECORD_KINDS; k++)
        every.every_s[k] = every_s;
    return every;
}

static mr_status refuse(struct mr_str item, const char *why, struct mr_err *err)
{
    char quoted[MR_QUOTE_CAP];
    struct mr_buf text = {0};
    for (size_t i = 0; i < MR_RECORD_KINDS; i++)
        mr_buf_printf(&text, "%s%s", i > 0 ? ", " : "", names[i]);
    const mr_status st = mr_err_set(
        err, MR_RANGE, MR_NOWHERE,
        "record-every \"%s\": %s: a list of a time for all and of KIND=TIME, kinds are %s",
        mr_text_quote(item, quoted), why, text.text != NULL ? text.text : "kinds");
    mr_buf_fini(&text);
    return st;
}

static mr_status read_time(struct mr_str item, struct mr_str time, double *every_s,
                           struct mr_err *err)
{
    MR_TRY(mr_unit_parse(time, MR_Q_TIME, "record-every", MR_NOWHERE, every_s, err));
    return *every_s >= least_s && *every_s <= most_s
               ? MR_OK
               : refuse(item, "out of range (1 us to 1e9 s)", err);
}

/* @param[in,out] given kinds that were */
static mr_status read_item(struct mr_str item, bool is_first, struct mr_record_every *every,
                           bool *given, struct mr_err *err)
{
    const char *equals = memchr(item.p, '=', item.n);
    double every_s;
    if (equals == NULL && !is_first)
        return refuse(item, "a time for all comes first", err);
    if (equals == NULL) {
        MR_TRY(read_time(item, item, &every_s, err));
        *every = mr_record_every_all(every_s);
        return MR_OK;
    }
    const struct mr_str name = {item.p, (size_t)(equals - item.p)};
    size_t k = 0;
    while (k < MR_RECORD_KINDS && !mr_str_is(name, names[k]))
        k++;
    if (k == MR_RECORD_KINDS)
        return refuse(item, "no such kind", err);
    if (given[k])
        return refuse(item, "given twice", err);
    given[k] = true;
    return read_time(item, (struct mr_str){equals + 1, item.n - name.n - 1}, &every->every_s[k],
                     err);
}

mr_status mr_record_every_parse(const char *text, struct mr_record_every *every, struct mr_err *err)
{
    bool given[MR_RECORD_KINDS] = {false};
    *every = mr_record_every_all(1);
    for (const char *from = text;;) {
        const char *comma = strchr(from, ',');
        const struct mr_str item = {from, comma != NULL ? (size_t)(comma - from) : strlen(from)};
        MR_TRY(read_item(item, from == text, every, given, err));
        if (comma == NULL)
            return MR_OK;
        from = comma + 1;
    }
}

bool mr_record_kind_of(const char *group, enum mr_record_kind *kind)
{
    static const char *const groups[MR_RECORD_KINDS] = {
#define KIND_GROUP(name, text, group) group,
        MR_RECORD_EVERY_LIST(KIND_GROUP)
#undef KIND_GROUP
    };
    for (int k = 0; k < MR_RECORD_KINDS; k++) {
        const size_t n = strlen(groups[k]);
        if (strncmp(group, groups[k], n) == 0 && (group[n] == '\0' || group[n] == '/')) {
            *kind = (enum mr_record_kind)k;
            return true;
        }
    }
    return false;
}

bool mr_record_has(const struct mr_record_level *level, enum mr_record_kind kind)
{
    if (kind == MR_RECORD_RACKS)
        return level->has_racks;
    return kind == MR_RECORD_DIES ? level->has_dies : level->has_site;
}

/* @return 1 << place of an interval */
static uint32_t date_of(struct mr_record_dates *dates, double every_s)
{
    uint32_t i = 0;
    while (i < dates->n && dates->every_s[i] != every_s)
        i++;
    if (i == dates->n)
        dates->every_s[dates->n++] = every_s;
    return (uint32_t)1 << i;
}

void mr_record_every_dates(const struct mr_record_every *every, const struct mr_record_level *level,
                           struct mr_record_dates *dates)
{
    *dates = (struct mr_record_dates){.n = 0};
    for (int k = 0; k < MR_RECORD_KINDS; k++)
        if (mr_record_has(level, (enum mr_record_kind)k))
            dates->due[k] = date_of(dates, every->every_s[k]);
    if (level->has_site)
        dates->look = date_of(dates, look_s);
}

void mr_record_every_write(const struct mr_record_every *every, struct mr_buf *out)
{
    const double first_s = every->every_s[0];
    mr_buf_printf(out, "%.17g", first_s);
    for (int k = 1; k < MR_RECORD_KINDS; k++)
        if (every->every_s[k] != first_s)
            mr_buf_printf(out, ",%s=%.17g", names[k], every->every_s[k]);
}
