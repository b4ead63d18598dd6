/* SPDX-License-Identifier: Apache-2.0 */
/* Outages and grid events out of words, applied at their dates. */
#include "power/plan.h"

#include "engine/base/mem.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *name;
    bool has_name;
} kinds[] = {
#define PLAN_KIND(name, text, has_name, doc) {text, has_name},
    MR_PLAN_LIST(PLAN_KIND)
#undef PLAN_KIND
};
static const char *const policies[] = {
#define PLAN_POLICY(name, text, doc) text,
    MR_GOVERN_POLICY_LIST(PLAN_POLICY)
#undef PLAN_POLICY
};

static mr_status refuse(struct mr_err *err, const char *text, const char *why)
{
    return mr_err_set(
        err, MR_PARSE, MR_NOWHERE,
        "event '%s': %s (KIND[:NAME]@TIME[+DURATION][~NOTICE][=VALUE]; utility, node, "
        "units, close, curtail, policy)",
        text, why);
}

static mr_status refuse_kind(struct mr_err *err, const char *text, struct mr_str kind)
{
    const char *name[MR_N_PLAN];
    char hint[MR_QUOTE_CAP], why[MR_QUOTE_CAP + 32];
    for (int i = 0; i < MR_N_PLAN; i++)
        name[i] = kinds[i].name;
    mr_text_hint(kind, name, MR_N_PLAN, hint, sizeof hint);
    snprintf(why, sizeof why, "no such kind%s", hint);
    return refuse(err, text, why);
}

static mr_status refuse_node(struct mr_err *err, const char *text, struct mr_str node,
                             const struct mr_site *site)
{
    char hint[MR_QUOTE_CAP] = "";
    const char **name = mr_alloc_zero(site->n_power, sizeof *name);
    for (size_t i = 0; name != NULL && i < site->n_power; i++)
        name[i] = site->power[i].name;
    if (name != NULL)
        mr_text_hint(node, name, site->n_power, hint, sizeof hint);
    mr_free(name);
    return mr_err_set(err, MR_REF, MR_NOWHERE, "event '%s': site '%s' has no such power node%s",
                      text, site->name, hint);
}

/* The parts of the text; empty where they are not there. */
struct parts {
    struct mr_str kind, name, time, duration, notice, value;
    bool has_notice;
};

static struct mr_str cut(struct mr_str *rest, char mark)
{
    const char *at = memchr(rest->p, mark, rest->n);
    struct mr_str tail = {rest->p + rest->n, 0};
    if (at != NULL) {
        tail = (struct mr_str){at + 1, rest->n - (size_t)(at - rest->p) - 1};
        rest->n = (size_t)(at - rest->p);
    }
    return tail;
}

static struct parts parts_of(const char *text)
{
    struct parts p = {.kind = mr_str_of(text)};
    p.value = cut(&p.kind, '=');
    p.has_notice = memchr(p.kind.p, '~', p.kind.n) != NULL;
    p.notice = cut(&p.kind, '~');
    p.time = cut(&p.kind, '@');
    p.duration = cut(&p.time, '+');
    p.name = cut(&p.kind, ':');
    return p;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* Cuts the word off the end of a text, and the space before it. @return whether it stands there */
static bool cut_word(struct mr_str *text, const char *word)
{
    const size_t n = strlen(word);
    if (text->n <= n || memcmp(text->p + text->n - n, word, n) != 0 ||
        !is_space(text->p[text->n - n - 1]))
        return false;
    for (text->n -= n; text->n > 0 && is_space(text->p[text->n - 1]);)
        text->n--;
    return true;
}

/* Watts, a share, or none: what held is released. */
static mr_status read_target(struct mr_str value, const char *text, struct mr_plan_item *item,
                             struct mr_err *err)
{
    struct mr_err no_power = {0};
    item->is_best_effort = cut_word(&value, "best_effort");
    if (mr_str_is(value, "none")) {
        item->value = HUGE_VAL;
        return item->is_best_effort ? refuse(err, text, "a release has no effort") : MR_OK;
    }
    const mr_status st =
        mr_unit_parse(value, MR_Q_POWER, text, MR_NOWHERE, &item->value, &no_power);
    item->is_share = st == MR_UNIT; /* a share has no watts */
    if (st != MR_OK && !item->is_share)
        return mr_err_set(err, st, MR_NOWHERE, "%s", no_power.text);
    if (item->is_share)
        MR_TRY(mr_unit_parse(value, MR_Q_FRACTION, text, MR_NOWHERE, &item->value, err));
    if (item->is_share && item->value > 1)
        return refuse(err, text, "more than all that is drawn is no curtailment");
    return item->value >= 0 ? MR_OK : refuse(err, text, "the value is out of range");
}

static mr_status read_value(const struct parts *p, const char *text, struct mr_plan_item *item,
                            struct mr_err *err)
{
    const enum mr_quantity quantity = item->kind == MR_PLAN_UNITS ? MR_Q_COUNT : MR_Q_FRACTION;
    item->value = item->kind == MR_PLAN_UNITS || item->kind == MR_PLAN_NODE ? 1 : 0;
    if (item->kind == MR_PLAN_POLICY) {
        while (item->value < 3 && !mr_str_is(p->value, policies[(int)item->value]))
            item->value++;
        return item->value < 3 ? MR_OK : refuse(err, text, "no such policy");
    }
    if (item->kind == MR_PLAN_CURTAIL)
        return read_target(p->value, text, item, err);
    if (p->value.n == 0)
        return MR_OK;
    MR_TRY(mr_unit_parse(p->value, quantity, text, MR_NOWHERE, &item->value, err));
    if (!(item->value >= 0) || (quantity == MR_Q_FRACTION && item->value > 1.5))
        return refuse(err, text, "the value is out of range");
    return MR_OK;
}

/* A target is known so long before it begins, at the start of time at the earliest. */
static mr_status read_notice(const struct parts *p, const char *text, struct mr_plan_item *item,
                             struct mr_err *err)
{
    double notice_s = 0;
    item->start_s = item->t_s;
    if (!p->has_notice)
        return MR_OK;
    if (item->kind != MR_PLAN_CURTAIL)
        return refuse(err, text, "only curtail has a notice");
    if (p->notice.n == 0)
        return refuse(err, text, "how long before is not said");
    MR_TRY(mr_unit_parse(p->notice, MR_Q_TIME, text, MR_NOWHERE, &notice_s, err));
    if (!(notice_s >= 0))
        return refuse(err, text, "a notice is 0 or more");
    item->t_s = fmax(0, item->t_s - notice_s);
    return MR_OK;
}

static mr_status read_item(const char *text, const struct mr_site *site, struct mr_plan_item *item,
                           struct mr_err *err)
{
    const struct parts p = parts_of(text);
    *item = (struct mr_plan_item){.power = MR_SITE_NONE, .end_s = HUGE_VAL};
    while (item->kind < MR_N_PLAN && !mr_str_is(p.kind, kinds[item->kind].name))
        item->kind++;
    if (item->kind == MR_N_PLAN)
        return refuse_kind(err, text, p.kind);
    if (p.time.n == 0)
        return refuse(err, text, "when is not said");
    MR_TRY(mr_unit_parse(p.time, MR_Q_TIME, text, MR_NOWHERE, &item->t_s, err));
    if (p.duration.n > 0) {
        MR_TRY(mr_unit_parse(p.duration, MR_Q_TIME, text, MR_NOWHERE, &item->end_s, err));
        item->end_s += item->t_s;
    }
    if (!(item->t_s >= 0) || !(item->end_s > item->t_s))
        return refuse(err, text, "times must be 0 or more, durations above 0");
    if (kinds[item->kind].has_name != (p.name.n > 0))
        return refuse(err, text, p.name.n > 0 ? "takes no name" : "which power node is not said");
    for (uint32_t i = 0; p.name.n > 0 && i < site->n_power; i++)
        if (mr_str_is(p.name, site->power[i].name))
            item->power = i;
    if (p.name.n > 0 && item->power == MR_SITE_NONE)
        return refuse_node(err, text, p.name, site);
    if (p.duration.n > 0 && item->kind == MR_PLAN_CLOSE)
        return refuse(err, text, "takes no duration");
    MR_TRY(read_notice(&p, text, item, err));
    return read_value(&p, text, item, err);
}

/* Units are whole and there; batteries, the sun and single nodes have none that fail alone. */
static mr_status check_units(const char *text, const struct mr_site *site,
                             const struct mr_plan_item *item, struct mr_err *err)
{
    const struct mr_power_node *node = &site->power[item->power];
    if (node->kind == MR_SITE_POWER_BESS || node->kind == MR_SITE_POWER_BBU ||
        node->kind == MR_SITE_POWER_SOLAR)
        return mr_err_set(err, MR_REF, MR_NOWHERE,
                          "event '%s': units of batteries and solar fields do not fail here "
                          "(generators, turbines, and nodes of the chain)",
                          text);
    if (item->value != floor(item->value) || item->value > (double)node->n_unit)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "event '%s': %g units lost: %s has %llu (a whole number up to that)",
                          text, item->value, node->name, (unsigned long long)node->n_unit);
    return MR_OK;
}

static mr_status add(struct mr_plan *plan, const struct mr_plan_item *item, struct mr_err *err)
{
    MR_TRY(mr_grow(&plan->item, &plan->cap, plan->n + 1, sizeof *plan->item, err));
    plan->item[plan->n++] = *item;
    return MR_OK;
}

/* By date, ends before beginnings, then as written: an insertion sort is stable. */
static void sort(struct mr_plan *plan)
{
    for (size_t i = 1; i < plan->n; i++) {
        const struct mr_plan_item item = plan->item[i];
        size_t k = i;
        for (; k > 0 &&
               (plan->item[k - 1].t_s > item.t_s ||
                (plan->item[k - 1].t_s == item.t_s && item.is_end && !plan->item[k - 1].is_end));
             k--)
            plan->item[k] = plan->item[k - 1];
        plan->item[k] = item;
    }
}

/* ---- what holds ---- */

/* What is said for good counts from its date; what has a duration counts while it lasts, beside
 * others: the deepest dip, all units that are lost (no more than there are), the policy that began
 * last. Ends come before beginnings, so at equal dates the last item says what is true. */
static double held(const struct mr_plan *plan, const struct mr_plan_item *said, size_t i,
                   const struct mr_site *site)
{
    const struct mr_plan_item *at = &plan->item[i];
    double base = at->kind == MR_PLAN_UTILITY ? 1 : at->kind == MR_PLAN_POLICY ? mr_plan_own : 0;
    double lost = 0, least = HUGE_VAL, policy = mr_plan_own;
    for (size_t k = 0; k <= i; k++) {
        if (said[k].kind != at->kind || said[k].power != at->power || said[k].is_end)
            continue;
        if (said[k].end_s == HUGE_VAL) {
            base = said[k].value;
        } else if (said[k].end_s > at->t_s) {
            lost += said[k].value;
            least = fmin(least, said[k].value);
            policy = said[k].value;
        }
    }
    switch (at->kind) {
    case MR_PLAN_UTILITY:
        return fmin(base, least);
    case MR_PLAN_POLICY:
        return policy != mr_plan_own ? policy : base;
    case MR_PLAN_UNITS:
        return fmin(base + lost, (double)site->power[at->power].n_unit);
    default:
        return fmin(base + lost, 1);
    }
}

static mr_status resolve(struct mr_plan *plan, const struct mr_site *site, struct mr_err *err)
{
    struct mr_plan_item *said = mr_alloc_zero(plan->n, sizeof *said);
    if (plan->n > 0 && said == NULL)
        return mr_err_nomem(err, plan->n * sizeof *said);
    for (size_t i = 0; i < plan->n; i++)
        said[i] = plan->item[i];
    for (size_t i = 0; i < plan->n; i++)
        if (plan->item[i].kind != MR_PLAN_CURTAIL && plan->item[i].kind != MR_PLAN_CLOSE)
            plan->item[i].value = held(plan, said, i, site);
    mr_free(said);
    return MR_OK;
}

mr_status mr_plan_read(const struct mr_param_list *text, const struct mr_site *site,
                       struct mr_plan *plan, struct mr_err *err)
{
    *plan = (struct mr_plan){0};
    for (size_t i = 0; i < text->n; i++) {
        struct mr_plan_item item;
        MR_TRY(read_item(text->item[i], site, &item, err));
        if (item.kind == MR_PLAN_UNITS)
            MR_TRY(check_units(text->item[i], site, &item, err));
        MR_TRY(add(plan, &item, err));
        if (item.end_s < HUGE_VAL && item.kind != MR_PLAN_CURTAIL) {
            item.t_s = item.end_s;
            item.is_end = true;
            MR_TRY(add(plan, &item, err));
        }
    }
    sort(plan);
    return resolve(plan, site, err);
}

mr_status mr_plan_insert(struct mr_plan *plan, const struct mr_plan_item *item, struct mr_err *err)
{
    MR_TRY(add(plan, item, err));
    size_t at = plan->n - 1;
    for (; at > 0 && plan->item[at - 1].t_s > item->t_s; at--)
        plan->item[at] = plan->item[at - 1];
    plan->item[at] = *item;
    return MR_OK;
}

static mr_status curtail(const struct mr_plan_item *item, struct mr_supply *supply,
                         struct mr_err *err)
{
    const double base_w = item->is_share ? mr_supply_target_base_w(supply) : 1;
    const struct mr_feed_target target = {.start_s = item->start_s,
                                          .end_s = item->end_s,
                                          .limit_w = item->value * base_w,
                                          .is_best_effort = item->is_best_effort};
    return mr_supply_set_target(supply, &target, err);
}

mr_status mr_plan_apply(const struct mr_plan_item *item, struct mr_supply *supply,
                        struct mr_err *err)
{
    switch (item->kind) {
    case MR_PLAN_UTILITY:
        mr_supply_set_voltage(supply, item->value);
        return MR_OK;
    case MR_PLAN_NODE:
        mr_supply_set_failed(supply, item->power, item->value > 0);
        return MR_OK;
    case MR_PLAN_UNITS:
        mr_supply_set_units_failed(supply, item->power, (uint32_t)item->value);
        return MR_OK;
    case MR_PLAN_CLOSE:
        mr_supply_close(supply, item->power);
        return MR_OK;
    case MR_PLAN_POLICY:
        mr_supply_set_policy(supply, (int)item->value);
        return MR_OK;
    default:
        return curtail(item, supply, err);
    }
}
