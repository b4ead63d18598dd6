/* SPDX-License-Identifier: Apache-2.0 */
/* Outages as words: kind, whom, when, how long, how much. A duration makes two dates of one; what
 * holds at a date is looked up among all that began before, so overlaps need no state.
 * Map: words - dates - what a plant has - what holds. */
#include "thermal/outage.h"

#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "engine/base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const scope_names[] = {
#define SCOPE_NAME(name, text, doc) text,
    MR_LEAK_SCOPE_LIST(SCOPE_NAME)
#undef SCOPE_NAME
};

static const char leak_name[] = "leak";

static const char *kind_name(int kind)
{
    return kind == MR_OUTAGE_LEAK ? leak_name : mr_plant_outage_kind(kind)->name;
}

int mr_outage_kind_of(struct mr_str name)
{
    for (int i = 0; i <= MR_OUTAGE_LEAK; i++)
        if (mr_str_is(name, kind_name(i)))
            return i;
    return -1;
}

static int part_of(int kind)
{
    return kind == MR_OUTAGE_LEAK ? MR_PLANT_PART_RACK : mr_plant_outage_kind(kind)->part;
}

static mr_status wrong(struct mr_err *err, const char *text, const char *what)
{
    struct mr_buf kinds = {0};
    for (int i = 0; i <= MR_OUTAGE_LEAK; i++)
        mr_buf_printf(&kinds, "%s%s", i > 0 ? ", " : "", kind_name(i));
    const mr_status st = mr_err_set(err, MR_PARSE, MR_NOWHERE,
                                    "outage '%s': %s (KIND[:NAME]@TIME[+DURATION][=VALUE], as in "
                                    "cdu:H0.R0.C0@1h+30min=1; kinds: %s)",
                                    text, what, kinds.text != NULL ? kinds.text : "");
    mr_buf_fini(&kinds);
    return st;
}

static size_t find(struct mr_str s, char c)
{
    size_t i = 0;
    while (i < s.n && s.p[i] != c)
        i++;
    return i;
}

/* Cut off what follows the first `c`. @return it, without the character; p NULL: none */
static struct mr_str cut(struct mr_str *s, char c)
{
    const size_t i = find(*s, c);
    if (i == s->n)
        return (struct mr_str){NULL, 0};
    const struct mr_str rest = {s->p + i + 1, s->n - i - 1};
    s->n = i;
    return rest;
}

/* "1h", "90 s" */
static mr_status read_time(struct mr_str s, const char *text, double *t_s, struct mr_err *err)
{
    static const double most_s = 1e10; /* as --until */
    char subject[96];
    (void)snprintf(subject, sizeof subject, "outage '%.60s': time", text);
    MR_TRY(mr_unit_parse(s, MR_Q_TIME, subject, MR_NOWHERE, t_s, err));
    return *t_s <= most_s ? MR_OK : wrong(err, text, "a time is at most 1e10 s");
}

static size_t n_part(const struct mr_site *site, int part)
{
    const size_t n[] = {[MR_PLANT_PART_SITE] = 1,
                        [MR_PLANT_PART_CDU] = site->n_cdu,
                        [MR_PLANT_PART_LOOP] = site->n_loop,
                        [MR_PLANT_PART_HALL] = site->n_hall,
                        [MR_PLANT_PART_RACK] = site->n_rack};
    return n[part];
}

static const char *part_name(const struct mr_site *site, int part, uint32_t i)
{
    switch ((enum mr_plant_part)part) {
    case MR_PLANT_PART_CDU:
        return site->cdu[i].name;
    case MR_PLANT_PART_LOOP:
        return site->loop[i].name;
    case MR_PLANT_PART_HALL:
        return site->hall[i].name;
    case MR_PLANT_PART_RACK:
        return site->rack[i].name;
    case MR_PLANT_PART_SITE:
        break;
    }
    return site->name;
}

static mr_status no_such(const struct mr_site *site, int part, struct mr_str name, const char *text,
                         struct mr_err *err)
{
    char hint[160] = "", quoted[MR_QUOTE_CAP];
    const size_t n = n_part(site, part);
    const char **names = mr_alloc_zero(n + 1, sizeof *names);
    for (uint32_t i = 0; names != NULL && i < n; i++)
        names[i] = part_name(site, part, i);
    if (names != NULL)
        mr_text_hint(name, names, n, hint, sizeof hint);
    mr_free(names);
    return mr_err_set(err, MR_REF, MR_NOWHERE, "outage '%s': site '%s' has no %s '%s'%s", text,
                      site->name, mr_plant_part_name(part), mr_text_quote(name, quoted), hint);
}

/* One of a group's units where no number is given, and of a group that is named. */
static bool counts_units(int kind)
{
    return kind == MR_PLANT_OUT_UNITS || kind == MR_PLANT_OUT_UNIT_LEAK;
}

static mr_status read_target(struct mr_str name, const char *text, const struct mr_site *site,
                             struct mr_outage *o, struct mr_err *err)
{
    const int part = part_of(o->kind);
    o->which = MR_SITE_NONE;
    if (part == MR_PLANT_PART_SITE)
        return name.p == NULL ? MR_OK : wrong(err, text, "the utility has no name");
    if (name.p == NULL)
        return counts_units(o->kind) || part == MR_PLANT_PART_RACK
                   ? wrong(err, text, "names nothing")
                   : MR_OK;
    for (uint32_t i = 0; i < n_part(site, part) && o->which == MR_SITE_NONE; i++)
        if (mr_str_is(name, part_name(site, part, i)))
            o->which = i;
    return o->which != MR_SITE_NONE ? MR_OK : no_such(site, part, name, text, err);
}

static mr_status read_value(struct mr_str value, const char *text, struct mr_outage *o,
                            struct mr_err *err)
{
    o->value = o->kind == MR_OUTAGE_LEAK ? MR_LEAK_SCOPE_TRAY
               : counts_units(o->kind)   ? 1
                                         : (double)NAN;
    if (value.p == NULL)
        return MR_OK;
    if (o->kind == MR_OUTAGE_LEAK) {
        for (int i = 0; i < MR_LEAK_N_SCOPE; i++)
            if (mr_str_is(value, scope_names[i])) {
                o->value = i;
                return MR_OK;
            }
        return wrong(err, text, "a leak is of a tray, a rack or a row");
    }
    if (mr_num_parse_f64(value, &o->value) != MR_OK || !(o->value > 0))
        return wrong(err, text, "its value is not a number above 0");
    if (o->kind == MR_PLANT_OUT_FANS)
        return o->value <= 1 ? MR_OK : wrong(err, text, "a share of fans is at most 1");
    if (o->kind == MR_PLANT_OUT_VALVE)
        return o->value <= 1 ? MR_OK : wrong(err, text, "a share closed is at most 1");
    if (!mr_plant_outage_kind(o->kind)->adds)
        return wrong(err, text, "has no value");
    return o->value == floor(o->value) ? MR_OK : wrong(err, text, "units are whole");
}

static mr_status read_outage(const char *text, const struct mr_site *site,
                             struct mr_outage_list *outages, struct mr_err *err)
{
    struct mr_str head = mr_str_of(text), when = cut(&head, '@');
    const struct mr_str name = cut(&head, ':');
    struct mr_outage o = {.text = text, .end_s = HUGE_VAL};
    if (when.p == NULL)
        return wrong(err, text, "says no time");
    const struct mr_str value = cut(&when, '=');
    const struct mr_str duration = cut(&when, '+');
    o.kind = mr_outage_kind_of(head);
    if (o.kind < 0)
        return wrong(err, text, "is of no kind known");
    MR_TRY(read_target(name, text, site, &o, err));
    MR_TRY(read_value(value, text, &o, err));
    MR_TRY(read_time(when, text, &o.t_s, err));
    if (!(o.t_s >= 0))
        return wrong(err, text, "begins before the run");
    if (duration.p != NULL) {
        double lasts_s;
        if (o.kind == MR_OUTAGE_LEAK)
            return wrong(err, text, "a leak ends by repair: --set leak.repair=2h");
        MR_TRY(read_time(duration, text, &lasts_s, err));
        if (!(lasts_s > 0))
            return wrong(err, text, "lasts no time");
        o.end_s = o.t_s + lasts_s;
    }
    MR_TRY(mr_grow(&outages->item, &outages->cap, outages->n + 1, sizeof o, err));
    outages->item[outages->n++] = o;
    return MR_OK;
}

static mr_status add_change(struct mr_outage_list *outages, size_t i, bool is_end,
                            struct mr_err *err)
{
    const double t_s = is_end ? outages->item[i].end_s : outages->item[i].t_s;
    if (!(t_s < HUGE_VAL))
        return MR_OK;
    MR_TRY(mr_grow(&outages->change, &outages->cap_change, outages->n_change + 1,
                   sizeof *outages->change, err));
    outages->change[outages->n_change++] = (struct mr_outage_change){t_s, i, is_end};
    return MR_OK;
}

static int by_date(const void *a, const void *b)
{
    const struct mr_outage_change *x = a, *y = b;
    if (x->t_s != y->t_s)
        return x->t_s < y->t_s ? -1 : 1;
    if (x->is_end != y->is_end)
        return x->is_end ? -1 : 1;
    return (x->i_outage > y->i_outage) - (x->i_outage < y->i_outage);
}

mr_status mr_outage_read(const struct mr_param_list *text, const struct mr_site *site,
                         struct mr_outage_list *outages, struct mr_err *err)
{
    *outages = (struct mr_outage_list){0};
    if (text->n > MR_OUTAGES_MAX)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE, "%zu outages: at most %d in one run", text->n,
                          MR_OUTAGES_MAX);
    for (size_t i = 0; i < text->n; i++)
        MR_TRY(read_outage(text->item[i], site, outages, err));
    for (size_t i = 0; i < outages->n; i++) {
        MR_TRY(add_change(outages, i, false, err));
        MR_TRY(add_change(outages, i, true, err));
    }
    if (outages->n_change > 1)
        qsort(outages->change, outages->n_change, sizeof *outages->change, by_date);
    return MR_OK;
}

void mr_outage_fini(struct mr_outage_list *outages)
{
    mr_free(outages->item);
    mr_free(outages->change);
    *outages = (struct mr_outage_list){0};
}

/* Of all parts, those that have it; a named one must. */
static double most_of(const struct mr_plant *plant, const struct mr_outage *o)
{
    const int kind = o->kind == MR_OUTAGE_LEAK ? MR_PLANT_OUT_VALVE : o->kind;
    if (o->which != MR_SITE_NONE)
        return mr_plant_outage_most(plant, kind, o->which);
    double most = 0;
    for (uint32_t i = 0; i < mr_plant_n_part(plant, part_of(kind)); i++)
        most = fmax(most, mr_plant_outage_most(plant, kind, i));
    return most;
}

mr_status mr_outage_check(struct mr_outage_list *outages, const struct mr_plant *plant,
                          struct mr_err *err)
{
    for (size_t i = 0; i < outages->n; i++) {
        struct mr_outage *o = &outages->item[i];
        const double most = most_of(plant, o);
        const char *part = o->which == MR_SITE_NONE
                               ? plant->site->name
                               : part_name(plant->site, part_of(o->kind), o->which);
        if (!(most > 0))
            return mr_err_set(err, MR_REF, MR_NOWHERE, "outage '%s': '%s' has no %s to fail",
                              o->text, part,
                              o->kind == MR_OUTAGE_LEAK ? "coolant"
                              : counts_units(o->kind)   ? "units"
                                                        : kind_name(o->kind));
        if (o->kind != MR_OUTAGE_LEAK && o->value > most)
            return mr_err_set(err, MR_RANGE, MR_NOWHERE, "outage '%s': '%s' has %g %s, not %g",
                              o->text, part, most,
                              counts_units(o->kind) ? "units" : kind_name(o->kind), o->value);
    }
    return MR_OK;
}

/* What all outages of a kind that hold now take from a part. An end comes before what begins. */
static double lost_of(const struct mr_outage_list *outages, const struct mr_plant *plant, int kind,
                      uint32_t part, size_t i_change)
{
    const double most = mr_plant_outage_most(plant, kind, part);
    double lost = 0;
    for (size_t i = 0; i <= i_change; i++) {
        const struct mr_outage_change *c = &outages->change[i];
        const struct mr_outage *o = &outages->item[c->i_outage];
        if (c->is_end || o->kind != kind || (o->which != MR_SITE_NONE && o->which != part) ||
            o->end_s <= outages->change[i_change].t_s)
            continue;
        const double value = isnan(o->value) ? most : o->value;
        lost = mr_plant_outage_kind(kind)->adds ? lost + value : fmax(lost, value);
    }
    return fmin(lost, most);
}

mr_status mr_outage_apply(const struct mr_outage_list *outages, size_t i,
                          const struct mr_plant *plant, struct mr_plant_state *state,
                          struct mr_err *err)
{
    const struct mr_outage *o = &outages->item[outages->change[i].i_outage];
    if (o->kind == MR_OUTAGE_LEAK)
        return mr_plant_leak(plant, state, o->which, (enum mr_leak_scope)(int)o->value, err);
    const bool is_all = o->which == MR_SITE_NONE;
    const size_t n = is_all ? mr_plant_n_part(plant, part_of(o->kind)) : (size_t)o->which + 1;
    for (uint32_t part = is_all ? 0 : o->which; part < n; part++)
        mr_plant_set_outage(plant, state, o->kind, part, lost_of(outages, plant, o->kind, part, i));
    return MR_OK;
}
