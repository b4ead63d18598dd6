/* SPDX-License-Identifier: Apache-2.0 */
/* A key with [] stands for one name per tier or tenant, one of times for its quantiles and mean.
 * Some groups are there with a site or with agents alone; which limits were passed is no figure,
 * how many were is `violations`. */
#include "engine/cli/sweep_names.h"

#include "engine/base/mem.h"
#include "engine/twin/play_keys.h"
#include "postprocess/formula.h"

#include <stdio.h>

static const char *const of_times[] = {"p50", "p90", "p99", "mean"};

/* Figures that need a site; of the same groups these do not. */
static const char *const of_site[] = {"power.", "energy.", "losses_j.", "thermal.", "economy."};
static const char *const of_any[] = {"power.packages_", "energy.packages_", "economy.revenue_"};

static bool begins_with_one_of(const char *name, const char *const *start, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strncmp(name, start[i], strlen(start[i])) == 0)
            return true;
    return false;
}

/* Why no run has the figure; NULL: one may. */
static const char *why_not(const struct mr_sweep_names *names, const char *name)
{
    if (!names->has_agents && strncmp(name, "sessions.", 9) == 0)
        return "the scenario has no agents";
    if (!names->has_site && begins_with_one_of(name, of_site, sizeof of_site / sizeof *of_site) &&
        !begins_with_one_of(name, of_any, sizeof of_any / sizeof *of_any))
        return "the scenario has no site";
    return NULL;
}

/* ---- names ---- */

static mr_status add_name(struct mr_sweep_names *names, const char *text, struct mr_err *err)
{
    MR_TRY(mr_grow(&names->name, &names->cap_name, names->n_name + 1, sizeof *names->name, err));
    const char *own = mr_arena_text(&names->texts, mr_str_of(text), err);
    if (own == NULL)
        return MR_NOMEM;
    names->name[names->n_name++] = own;
    return MR_OK;
}

static mr_status add_key(struct mr_sweep_names *names, const struct mr_play_key *key,
                         const char *path, struct mr_err *err)
{
    if (!mr_play_key_is_times(key))
        return add_name(names, path, err);
    for (size_t i = 0; i < sizeof of_times / sizeof *of_times; i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "%s.%s", path, of_times[i]);
        MR_TRY(add_name(names, text, err));
    }
    return MR_OK;
}

static mr_status add_plain(struct mr_sweep_names *names, struct mr_err *err)
{
    const struct mr_play_key *key;
    for (size_t i = 0; (key = mr_play_key(i)) != NULL; i++)
        if (strchr(key->path, '[') == NULL && key->unit[0] != '\0' &&
            strcmp(key->path, "schema") != 0 && strcmp(key->path, "seed") != 0)
            MR_TRY(add_key(names, key, key->path, err));
    names->has_plain = true;
    return add_name(names, "violations", err);
}

/* The keys of a list, `list` being "tiers[]", of its member of that name. */
static mr_status add_member(struct mr_sweep_names *names, const char *list, const char *name,
                            struct mr_err *err)
{
    const struct mr_play_key *key;
    const size_t n = strlen(list);
    for (size_t i = 0; (key = mr_play_key(i)) != NULL; i++) {
        char path[256];
        if (strncmp(key->path, list, n) != 0 || key->unit[0] == '\0')
            continue;
        (void)snprintf(path, sizeof path, "%.*s.%s%s", (int)(n - 2), list, name, key->path + n);
        MR_TRY(add_key(names, key, path, err));
    }
    return MR_OK;
}

/* @param[out] is_new */
static mr_status note_once(struct mr_sweep_names *names, const char ***list, size_t *n, size_t *cap,
                           const char *name, bool *is_new, struct mr_err *err)
{
    *is_new = false;
    for (size_t i = 0; i < *n; i++)
        if (strcmp((*list)[i], name) == 0)
            return MR_OK;
    MR_TRY(mr_grow(list, cap, *n + 1, sizeof **list, err));
    const char *own = mr_arena_text(&names->texts, mr_str_of(name), err);
    if (own == NULL)
        return MR_NOMEM;
    (*list)[(*n)++] = own;
    *is_new = true;
    return MR_OK;
}

mr_status mr_sweep_names_add(struct mr_sweep_names *names, const struct mr_scenario *scenario,
                             struct mr_err *err)
{
    bool is_new;
    names->has_site = names->has_site || scenario->site.file != NULL;
    names->has_agents = names->has_agents || scenario->has_agents;
    if (!names->has_plain)
        MR_TRY(add_plain(names, err));
    for (size_t i = 0; i < scenario->n_tier; i++) {
        MR_TRY(note_once(names, &names->tier, &names->n_tier, &names->cap_tier,
                         scenario->tier[i].name, &is_new, err));
        if (is_new)
            MR_TRY(add_member(names, "tiers[]", scenario->tier[i].name, err));
    }
    for (size_t i = 0; i < scenario->n_tenant; i++) {
        MR_TRY(note_once(names, &names->tenant, &names->n_tenant, &names->cap_tenant,
                         scenario->tenant[i].name, &is_new, err));
        if (is_new)
            MR_TRY(add_member(names, "tenants[]", scenario->tenant[i].name, err));
    }
    return MR_OK;
}

void mr_sweep_names_fini(struct mr_sweep_names *names)
{
    mr_free(names->name);
    mr_free(names->tier);
    mr_free(names->tenant);
    mr_arena_fini(&names->texts);
    *names = (struct mr_sweep_names){0};
}

/* ---- the check ---- */

struct checking {
    struct mr_sweep_names *names;
    struct mr_diags *diags;
    struct mr_place at;
    const char *what; /* "output", "kpi \"x\"" */
};

static bool is_name(const struct mr_sweep_names *names, struct mr_str text)
{
    for (size_t i = 0; i < names->n_name; i++)
        if (mr_str_is(text, names->name[i]))
            return true;
    return false;
}

static void check(const struct checking *c, struct mr_str text)
{
    char hint[200] = "", quoted[MR_QUOTE_CAP], plain[200];
    (void)snprintf(plain, sizeof plain, "%.*s", (int)(text.n < 199 ? text.n : 199), text.p);
    if (!is_name(c->names, text)) {
        mr_text_hint(text, c->names->name, c->names->n_name, hint, sizeof hint);
        mr_diags_add(c->diags, MR_SEVERITY_ERROR, MR_REF, c->at, "%s: no figure \"%s\"%s", c->what,
                     mr_text_quote(text, quoted), hint);
    } else if (why_not(c->names, plain) != NULL) {
        mr_diags_add(c->diags, MR_SEVERITY_ERROR, MR_REF, c->at, "%s: no run has \"%s\": %s",
                     c->what, plain, why_not(c->names, plain));
    }
}

static double see(const void *context, struct mr_str path)
{
    check(context, path);
    return 1;
}

static void check_kpi(struct checking *c, const struct mr_asked_kpi *kpi, struct mr_err *err)
{
    char what[MR_QUOTE_CAP + 16], quoted[MR_QUOTE_CAP];
    const char *ignored;
    double value;
    (void)snprintf(what, sizeof what, "kpi \"%s\"", mr_text_quote(mr_str_of(kpi->name), quoted));
    c->at = kpi->at;
    c->what = what;
    if (is_name(c->names, mr_str_of(kpi->name)))
        mr_diags_add(c->diags, MR_SEVERITY_ERROR, MR_SCHEMA, c->at,
                     "%s: every run has a figure of this name", what);
    if (mr_formula_value(kpi->formula, see, c, &value, &ignored, err) == MR_OK)
        (void)!add_name(c->names, kpi->name, err);
}

mr_status mr_sweep_names_check(struct mr_sweep_names *names, const struct mr_asked *asked,
                               struct mr_diags *diags)
{
    struct checking c = {names, diags, MR_NOWHERE, "output"};
    const size_t n_error = diags->n_error;
    struct mr_err err = {0};
    for (size_t i = 0; i < asked->n_output; i++) {
        c.at = asked->output[i].at;
        check(&c, mr_str_of(asked->output[i].path));
    }
    for (size_t i = 0; i < asked->n_kpi && err.status == MR_OK; i++)
        check_kpi(&c, &asked->kpi[i], &err);
    c.what = "constraint";
    for (size_t i = 0; i < asked->n_constraint; i++) {
        c.at = asked->constraint[i].at;
        check(&c, mr_str_of(asked->constraint[i].path));
    }
    c.what = "rank";
    c.at = asked->rank.at;
    if (asked->rank.path != NULL)
        check(&c, mr_str_of(asked->rank.path));
    if (asked->rank.against != NULL)
        check(&c, mr_str_of(asked->rank.against));
    (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    return diags->n_error > n_error ? diags->first_error : MR_OK;
}
