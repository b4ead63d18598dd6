/* SPDX-License-Identifier: Apache-2.0 */
/* Outages as words: kind, whom, when, how long, how much. A duration makes two dates of one. */
#include "thermal/outage.h"

#include "engine/base/mem.h"
#include "engine/base/num.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const outage_names[] = {
#define OUTAGE_NAME(name, text, doc) text,
    MR_OUTAGE_LIST(OUTAGE_NAME)
#undef OUTAGE_NAME
};
static const char *const scope_names[] = {
#define SCOPE_NAME(name, text, doc) text,
    MR_LEAK_SCOPE_LIST(SCOPE_NAME)
#undef SCOPE_NAME
};

static uint32_t rack_by_name(const struct mr_site *site, struct mr_str name)
{
    for (uint32_t i = 0; i < site->n_rack; i++)
        if (mr_str_is(name, site->rack[i].name))
            return i;
    return MR_SITE_NONE;
}

static mr_status wrong(struct mr_err *err, const char *text, const char *what)
{
    return mr_err_set(err, MR_PARSE, MR_NOWHERE,
                      "outage '%s': %s (KIND[:NAME]@TIME[+DURATION][=VALUE], as in "
                      "cdu:H0.R0.C0@1h+30min=1; kinds: pumps, cdu, fans, leak, utility)",
                      text, what);
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
    char subject[96];
    (void)snprintf(subject, sizeof subject, "outage '%.60s': time", text);
    return mr_unit_parse(s, MR_Q_TIME, subject, MR_NOWHERE, t_s, err);
}

static mr_status read_target(struct mr_str name, const char *text, const struct mr_site *site,
                             struct mr_outage *o, struct mr_err *err)
{
    o->which = MR_SITE_NONE;
    if (o->kind == MR_OUTAGE_UTILITY)
        return name.p == NULL ? MR_OK : wrong(err, text, "the utility has no name");
    if (name.p == NULL) {
        if (o->kind == MR_OUTAGE_PUMPS || o->kind == MR_OUTAGE_FANS)
            return MR_OK;
        return wrong(err, text, "names nothing");
    }
    if (o->kind == MR_OUTAGE_LEAK)
        o->which = rack_by_name(site, name);
    for (uint32_t i = 0; o->kind == MR_OUTAGE_FANS && i < site->n_loop; i++)
        if (mr_str_is(name, site->loop[i].name))
            o->which = i;
    for (uint32_t i = 0; o->kind <= MR_OUTAGE_CDU && i < site->n_cdu; i++)
        if (mr_str_is(name, site->cdu[i].name))
            o->which = i;
    if (o->which == MR_SITE_NONE)
        return mr_err_set(err, MR_REF, MR_NOWHERE, "outage '%s': site '%s' has no %s '%.*s'", text,
                          site->name,
                          o->kind == MR_OUTAGE_LEAK   ? "rack"
                          : o->kind == MR_OUTAGE_FANS ? "loop"
                                                      : "CDU group",
                          (int)name.n, name.p);
    return MR_OK;
}

static mr_status read_value(struct mr_str value, const char *text, struct mr_outage *o,
                            struct mr_err *err)
{
    o->value = o->kind == MR_OUTAGE_LEAK ? MR_LEAK_SCOPE_TRAY : 1;
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
    if (o->kind == MR_OUTAGE_FANS && o->value > 1)
        return wrong(err, text, "a share of fans is at most 1");
    if (o->kind == MR_OUTAGE_CDU && o->value != (double)(int)o->value)
        return wrong(err, text, "units are whole");
    return MR_OK;
}

static mr_status read_outage(const char *text, const struct mr_site *site,
                             struct mr_outage_list *outages, struct mr_err *err)
{
    struct mr_str head = mr_str_of(text), when = cut(&head, '@');
    const struct mr_str name = cut(&head, ':');
    struct mr_outage o = {0};
    if (when.p == NULL)
        return wrong(err, text, "says no time");
    const struct mr_str value = cut(&when, '=');
    const struct mr_str duration = cut(&when, '+');
    while (o.kind < MR_N_OUTAGE && !mr_str_is(head, outage_names[o.kind]))
        o.kind++;
    if (o.kind == MR_N_OUTAGE)
        return wrong(err, text, "is of no kind known");
    MR_TRY(read_target(name, text, site, &o, err));
    MR_TRY(read_value(value, text, &o, err));
    MR_TRY(read_time(when, text, &o.t_s, err));
    if (!(o.t_s >= 0))
        return wrong(err, text, "begins before the run");
    MR_TRY(mr_grow(&outages->item, &outages->cap, outages->n + 2, sizeof o, err));
    outages->item[outages->n++] = o;
    if (duration.p == NULL)
        return MR_OK;
    if (o.kind == MR_OUTAGE_LEAK)
        return wrong(err, text, "a leak ends by repair: --set leak.repair=2h");
    double lasts_s;
    MR_TRY(read_time(duration, text, &lasts_s, err));
    if (!(lasts_s > 0))
        return wrong(err, text, "lasts no time");
    o.t_s += lasts_s;
    o.is_end = true;
    outages->item[outages->n++] = o;
    return MR_OK;
}

static int by_date(const void *a, const void *b)
{
    const struct mr_outage *x = a, *y = b;
    if (x->t_s != y->t_s)
        return x->t_s < y->t_s ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->which != y->which)
        return x->which < y->which ? -1 : 1;
    if (x->is_end != y->is_end)
        return x->is_end ? -1 : 1;
    return (x->value > y->value) - (x->value < y->value);
}

mr_status mr_outage_read(const struct mr_param_list *text, const struct mr_site *site,
                         struct mr_outage_list *outages, struct mr_err *err)
{
    *outages = (struct mr_outage_list){0};
    for (size_t i = 0; i < text->n; i++)
        MR_TRY(read_outage(text->item[i], site, outages, err));
    if (outages->n > 1)
        qsort(outages->item, outages->n, sizeof *outages->item, by_date);
    return MR_OK;
}

void mr_outage_apply(const struct mr_outage *outage, const struct mr_plant *plant,
                     struct mr_plant_state *state)
{
    const bool is_all = outage->which == MR_SITE_NONE;
    const uint32_t which = is_all ? 0 : outage->which;
    switch ((enum mr_outage_kind)outage->kind) {
    case MR_OUTAGE_PUMPS:
        for (uint32_t i = which; i < (is_all ? plant->n_group : which + 1); i++)
            mr_plant_set_pumps(plant, state, i, outage->is_end);
        break;
    case MR_OUTAGE_CDU:
        mr_plant_lose_units(plant, state, which,
                            outage->is_end ? -(int)outage->value : (int)outage->value);
        break;
    case MR_OUTAGE_FANS:
        for (uint32_t i = which; i < (is_all ? plant->n_loop : which + 1); i++)
            mr_plant_set_fans(plant, state, i, outage->is_end ? 1 : 1 - outage->value);
        break;
    case MR_OUTAGE_LEAK:
        mr_plant_leak(plant, state, which, (enum mr_leak_scope)(int)outage->value);
        break;
    case MR_OUTAGE_UTILITY:
        mr_plant_set_utility(plant, state, outage->is_end);
        break;
    case MR_N_OUTAGE:
        break;
    }
}
