/* SPDX-License-Identifier: Apache-2.0 */
/* Reading: elements fill the objects of their tables. Overrides are kept per element and set after
 * the file's attributes, so they are checked like them. */
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/share.h"
#include "engine/base/xml.h"
#include "engine/twin/record_every.h"
#include "engine/twin/scenario_impl.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

enum {
    n_row_max = 64
};

struct reading {
    struct mr_scenario *scenario;
    struct mr_diags *diags;
    const char *const *set;
    const struct mr_place *set_at; /* [n_set]; NULL: the command line */
    size_t n_set;
    bool *is_used;                     /* [n_set] */
    const struct mr_xml_node *prefill; /* NULL: none in the file */
    const struct mr_xml_node *record;  /* likewise */
    size_t n_tier;                     /* in the file */
};

/* Where what is set from outside is written. */
static struct mr_place set_at(const struct reading *r, size_t i)
{
    return r->set_at != NULL ? r->set_at[i] : (struct mr_place){"--set", 0, 0};
}

static const size_t any_item = SIZE_MAX;

/* "tenant", which all of them are, or "tenant[1]", the second: as elements of layouts count. */
static bool is_element(const char *text, size_t n, const char *element, size_t item)
{
    const size_t n_name = strlen(element);
    char own[32];
    if (n < n_name || strncmp(text, element, n_name) != 0)
        return false;
    const int n_own = snprintf(own, sizeof own, "[%zu]", item);
    return n == n_name || (item != any_item && n == n_name + (size_t)n_own &&
                           strncmp(text + n_name, own, (size_t)n_own) == 0);
}

/* "deployment/tp=4" for this element: its attribute and value.
 * @param[in] item counts those of its name; any_item: there is one, or none yet */
static bool is_for(const char *set, const char *element, size_t item, struct mr_str *name,
                   struct mr_str *value)
{
    const char *equals = strchr(set, '='), *slash = strchr(set, '/');
    const bool is_top = strcmp(element, "scenario") == 0;
    if (equals == NULL || strcmp(element, "layout") == 0) /* its paths go on: change_layout */
        return false;
    const char *from = set;
    if (slash != NULL && slash < equals) {
        if (!is_element(set, (size_t)(slash - set), element, item))
            return false;
        from = slash + 1;
    } else if (!is_top) {
        return false;
    }
    *name = (struct mr_str){from, (size_t)(equals - from)};
    *value = mr_str_of(equals + 1);
    return true;
}

/* "deployment/tp deployment/pp ...": where the values of the effective scenario come from. */
static void tell_origins(struct reading *r, const struct mr_param_target *target)
{
    struct mr_buf *const list[] = {[MR_PARAM_ABSENT] = NULL,
                                   [MR_PARAM_DEFAULTED] = &r->scenario->defaulted,
                                   [MR_PARAM_GIVEN] = &r->scenario->given,
                                   [MR_PARAM_OVERRIDDEN] = &r->scenario->overridden};
    for (size_t i = 0; i < target->table->n; i++) {
        struct mr_buf *out = list[target->origin[i]];
        if (out != NULL)
            mr_buf_printf(out, "%s%s/%s", out->n > 0 ? " " : "", target->table->name,
                          target->table->row[i].name);
    }
}

/* "layout/hall/row/count=4": a path into the layout, which is not looked at here. One that the file
 * of the scenario changes, too, has the value from outside. */
static void change_layout(struct reading *r)
{
    static const char prefix[] = "layout/";
    struct mr_scenario *s = r->scenario;
    for (size_t i = 0; i < r->n_set; i++) {
        const char *equals = strchr(r->set[i], '=');
        struct mr_err err = {0};
        if (equals == NULL || strncmp(r->set[i], prefix, sizeof prefix - 1) != 0)
            continue;
        const char *from = r->set[i] + sizeof prefix - 1;
        const struct mr_str path = {from, (size_t)(equals - from)};
        size_t k = 0;
        while (k < s->n_layout && !mr_str_is(path, s->layout[k].path))
            k++;
        r->is_used[i] = true;
        if (k == MR_SCENARIO_CHANGES) {
            mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_LIMIT, set_at(r, i),
                         "layout: more than %d changes", MR_SCENARIO_CHANGES);
            return;
        }
        s->layout[k].path = mr_arena_text(&s->texts, path, &err);
        s->layout[k].value = mr_arena_text(&s->texts, mr_str_of(equals + 1), &err);
        if (err.status != MR_OK)
            (void)mr_diags_add_err(r->diags, MR_SEVERITY_ERROR, &err);
        s->n_layout += k == s->n_layout;
        mr_buf_printf(&s->overridden, "%slayout/%s", s->overridden.n > 0 ? " " : "",
                      err.status == MR_OK ? s->layout[k].path : "");
    }
}

/* Another object of the kind, whose values go before the table's defaults. */
struct usual {
    const void *object;
    size_t n_byte;
};

/* A name that is near none of the table's is answered with where they all are. */
static void tell_unset(struct reading *r, const struct mr_param_table *table, struct mr_str name,
                       const struct mr_err *err)
{
    if (mr_param_find(table, name) < table->n || strstr(err->text, "did you mean") != NULL)
        (void)mr_diags_add_err(r->diags, MR_SEVERITY_ERROR, err);
    else
        (void)mr_diags_add(r->diags, MR_SEVERITY_ERROR, err->status,
                           (struct mr_place){err->file, err->line, err->col},
                           "%s (millrace schema scenario lists them)", err->text);
}

/* One element: its attributes, then what is set from outside, then what must be there.
 * @param[in] usual NULL: the table's defaults */
static void fill_item(struct reading *r, const struct mr_param_table *table, void *object,
                      size_t item, const struct usual *usual, const struct mr_xml_node *node)
{
    uint8_t origin[n_row_max] = {0};
    char what[64];
    snprintf(what, sizeof what, "<%s>", table->name);
    const struct mr_param_target target = {table, object, origin, &r->scenario->texts, what};
    const struct mr_place at = node != NULL ? mr_xml_place(node) : MR_NOWHERE;
    mr_param_defaults(&target);
    if (usual != NULL)
        memcpy(object, usual->object, usual->n_byte);
    for (uint32_t i = 0; node != NULL && i < node->n_attribute; i++) {
        const struct mr_xml_attribute *a = &node->attribute[i];
        struct mr_err err = {0};
        if (mr_param_set(&target, mr_str_of(a->name), mr_str_of(a->value), MR_PARAM_GIVEN,
                         mr_xml_attribute_place(node, a), &err) != MR_OK)
            tell_unset(r, table, mr_str_of(a->name), &err);
    }
    for (size_t i = 0; i < r->n_set; i++) {
        struct mr_str name, value;
        if (!is_for(r->set[i], table->name, item, &name, &value))
            continue;
        struct mr_err err = {0};
        r->is_used[i] = true;
        if (mr_param_set(&target, name, value, MR_PARAM_OVERRIDDEN, set_at(r, i), &err) != MR_OK)
            tell_unset(r, table, name, &err);
    }
    struct mr_err err = {0};
    if (mr_param_complete(&target, at, &err) != MR_OK)
        (void)mr_diags_add_err(r->diags, MR_SEVERITY_ERROR, &err);
    tell_origins(r, &target);
}

static void fill(struct reading *r, const struct mr_param_table *table, void *object,
                 const struct mr_xml_node *node)
{
    fill_item(r, table, object, any_item, NULL, node);
}

static void unknown(struct reading *r, const struct mr_xml_node *node)
{
    const char *names[MR_SCENARIO_PARTS];
    char quoted[MR_QUOTE_CAP], hint[96];
    for (int i = 0; i < MR_SCENARIO_PARTS; i++)
        names[i] = mr_scenario_part(i).table->name;
    mr_text_hint(mr_str_of(node->name), names, MR_SCENARIO_PARTS, hint, sizeof hint);
    mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_SCHEMA, mr_xml_place(node),
                 "<scenario>: unknown element \"%s\"%s",
                 mr_text_quote(mr_str_of(node->name), quoted), hint);
}

static void read_element(struct reading *r, const struct mr_xml_node *node,
                         bool seen[MR_SCENARIO_PARTS])
{
    struct mr_scenario *scenario = r->scenario;
    int k = 0;
    while (k < MR_SCENARIO_PARTS && strcmp(mr_scenario_part(k).table->name, node->name) != 0)
        k++;
    if (k == MR_SCENARIO_PARTS) {
        unknown(r, node);
        return;
    }
    const struct mr_scenario_part own = mr_scenario_part(k), *part = &own;
    if (seen[k] && part->n_offset == 0) {
        mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_SCHEMA, mr_xml_place(node),
                     "<%s>: given twice", node->name);
        return;
    }
    if (node->n_child > 0 || node->text[0] != '\0')
        mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_SCHEMA, mr_xml_place(node),
                     "<%s>: has attributes only", node->name);
    seen[k] = true;
    char *object = (char *)scenario + part->offset;
    size_t item = any_item;
    if (part->n_offset != 0) {
        size_t *n = (size_t *)(void *)((char *)scenario + part->n_offset);
        if (*n == part->n_max) {
            mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_LIMIT, mr_xml_place(node),
                         "<%s>: more than %zu", node->name, part->n_max);
            return;
        }
        item = (*n)++;
        object += item * part->item_bytes;
    }
    if (k == MR_SCENARIO_PART_RECORD)
        r->record = node;
    if (k == MR_SCENARIO_PART_PREFILL)
        r->prefill = node; /* when the deployment is known */
    else
        fill_item(r, part->table, object, item, NULL, node);
}

static bool is_set(const struct reading *r, const char *element)
{
    struct mr_str name, value;
    for (size_t i = 0; i < r->n_set; i++)
        if (is_for(r->set[i], element, any_item, &name, &value))
            return true;
    return false;
}

/* Five tiers by their price of output, USD per Mtok. Input, cache writes and cache reads cost what
 * they do on published price sheets: 1 : 1.25 : 0.1 to output's 5. Shares of sessions, objectives
 * and classes are assumptions. */
static void add_usual_tiers(struct reading *r)
{
    static const struct {
        const char *name;
        double output_usd_mtok, share, ttft_s, tpot_s;
    } usual[] = {{"free", 0, 50, 0, 0},
                 {"3", 3, 25, 10, 0.050},
                 {"6", 6, 15, 5, 0.030},
                 {"45", 45, 8, 2, 0.020},
                 {"150", 150, 2, 1, 0.010}};
    const struct mr_param_table *table = mr_scenario_part(MR_SCENARIO_PART_TIER).table;
    struct mr_scenario *scenario = r->scenario;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        struct mr_scenario_tier tier;
        uint8_t origin[n_row_max] = {0};
        mr_param_defaults(&(struct mr_param_target){table, &tier, origin, &scenario->texts, ""});
        tier.name = usual[i].name;
        tier.output_usd_mtok = usual[i].output_usd_mtok;
        tier.input_usd_mtok = usual[i].output_usd_mtok / 5;
        tier.write_usd_mtok = usual[i].output_usd_mtok / 4;
        tier.cached_usd_mtok = usual[i].output_usd_mtok / 50;
        tier.share = usual[i].share;
        tier.ttft_s = usual[i].ttft_s;
        tier.tpot_s = usual[i].tpot_s;
        tier.n_class = sizeof usual / sizeof *usual - 1 - i;
        fill_item(r, table, &scenario->tier[scenario->n_tier++], i,
                  &(struct usual){&tier, sizeof tier}, NULL);
    }
}

/* There is always one, and all have names. */
static void name_tiers(struct reading *r)
{
    struct mr_scenario *scenario = r->scenario;
    r->n_tier = scenario->n_tier;
    if (scenario->n_tier == 0 && scenario->has_agents) {
        add_usual_tiers(r);
    } else if (scenario->n_tier == 0) {
        fill(r, mr_scenario_part(MR_SCENARIO_PART_TIER).table, &scenario->tier[0], NULL);
        scenario->n_tier = 1;
        if (scenario->tier[0].name == NULL)
            scenario->tier[0].name = "all";
    }
    for (size_t i = 0; i < scenario->n_tier; i++) {
        char name[32];
        struct mr_err err = {0};
        if (scenario->tier[i].name != NULL)
            continue;
        snprintf(name, sizeof name, "tier %zu", i);
        scenario->tier[i].name = mr_arena_text(&scenario->texts, mr_str_of(name), &err);
        (void)mr_diags_add_err(r->diags, MR_SEVERITY_ERROR, &err);
    }
}

/* Only downwards: nobody comes back to a tier that has refused. */
static void check_downgrades(struct reading *r)
{
    const struct mr_scenario *scenario = r->scenario;
    for (size_t i = 0; i < scenario->n_tier; i++) {
        const struct mr_scenario_tier *own = &scenario->tier[i];
        const uint8_t to = mr_scenario_cheaper(scenario, i);
        if (own->downgrade == NULL ||
            (to > 0 && scenario->tier[to - 1].output_usd_mtok < own->output_usd_mtok))
            continue;
        mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_REF, (struct mr_place){scenario->path, 0, 0},
                     to > 0 ? "<tier name=\"%s\">: downgrade: the output of \"%s\" is not cheaper"
                            : "<tier name=\"%s\">: downgrade: there is no tier \"%s\"",
                     own->name, own->downgrade);
    }
}

/* Only one policy stops calls for the sake of others. */
static void check_yields(struct reading *r)
{
    const struct mr_scenario *s = r->scenario;
    const bool is_fit = s->deployment.policy == 0 && (!s->has_prefill || s->prefill.policy == 0);
    for (size_t i = 0; i < s->n_tier && !is_fit; i++)
        if (s->tier[i].yields)
            mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_RANGE, (struct mr_place){s->path, 0, 0},
                         "<tier name=\"%s\">: yields: only policy=\"vllm1\" stops its calls for "
                         "others",
                         s->tier[i].name);
}

/* Calls of a <workload> say their tier, or are of the first one. */
static void check_shares(struct reading *r)
{
    const struct mr_scenario *s = r->scenario;
    for (size_t i = 0; i < s->n_tier && !s->has_agents; i++)
        if (s->tier[i].share != 1) { /* the usual one says nothing */
            mr_diags_add(r->diags, MR_SEVERITY_WARNING, MR_SCHEMA, (struct mr_place){s->path, 0, 0},
                         "<tier name=\"%s\">: share: is for <agents>: calls of a <workload> are "
                         "of the tier that its file says, drawn ones of the first",
                         s->tier[i].name);
            return;
        }
}

/* One that begins behind the end is a slip of who wrote it, or what --until cut off. */
static void check_outages(struct reading *r)
{
    const struct mr_scenario *s = r->scenario;
    for (size_t i = 0; i < s->n_outage && s->top.until_s > 0; i++)
        if (s->outage[i].at_s > s->top.until_s)
            (void)mr_diags_add(r->diags, MR_SEVERITY_WARNING, MR_RANGE,
                               (struct mr_place){s->path, 0, 0},
                               "<outage> %zu: at: does not happen: the run ends at %.17g s", i + 1,
                               s->top.until_s);
}

/* Where an attribute of <record> got its value. */
static struct mr_place record_place(const struct reading *r, const char *name)
{
    struct mr_place at = {r->scenario->path, 0, 0};
    for (uint32_t i = 0; r->record != NULL && i < r->record->n_attribute; i++)
        if (strcmp(r->record->attribute[i].name, name) == 0)
            at = mr_xml_attribute_place(r->record, &r->record->attribute[i]);
    for (size_t i = 0; i < r->n_set; i++) {
        struct mr_str set, value;
        if (is_for(r->set[i], "record", any_item, &set, &value) && mr_str_is(set, name))
            at = set_at(r, i);
    }
    return at;
}

/* Lists that the options of run have, too. Racks are looked up where the site is known. */
static void check_record(struct reading *r)
{
    const struct mr_scenario_record *record = &r->scenario->record;
    struct mr_record_every every;
    struct mr_record_level level;
    struct mr_err err = {0};
    if (mr_record_level_parse(record->what, &level, &err) != MR_OK)
        mr_diags_add(r->diags, MR_SEVERITY_ERROR, err.status, record_place(r, "what"), "%s",
                     err.text);
    err = (struct mr_err){0};
    if (mr_record_every_parse(record->every, &every, &err) != MR_OK)
        mr_diags_add(r->diags, MR_SEVERITY_ERROR, err.status, record_place(r, "every"), "%s",
                     err.text);
}

/* Each memory once, and somebody has blocks to give. */
static void check_kv(struct reading *r)
{
    struct mr_scenario *scenario = r->scenario;
    const struct mr_place at = {scenario->path, 0, 0};
    const bool has_cache =
        scenario->deployment.has_cache || (scenario->has_prefill && scenario->prefill.has_cache);
    bool is_there[MR_SCENARIO_MEMORIES] = {false};
    for (size_t i = 0; i < scenario->n_kv; i++) {
        const int memory = scenario->kv[i].memory;
        if (memory == MR_SCENARIO_NO_MEMORY)
            continue;
        if (is_there[memory])
            mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_SCHEMA, at, "<kv>: memory given twice");
        if (!has_cache)
            mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_SCHEMA, at,
                         "<kv>: no pool keeps KV blocks of ended calls: say cache=\"yes\"");
        is_there[memory] = true;
    }
}

/* Calls come from <workload> or from <agents>. */
static void choose_workload(struct reading *r, const bool seen[MR_SCENARIO_PARTS])
{
    static const int of_agents[] = {MR_SCENARIO_PART_TOOLS, MR_SCENARIO_PART_TENANT};
    struct mr_scenario *scenario = r->scenario;
    const struct mr_place at = {scenario->path, 0, 0};
    scenario->has_agents = seen[MR_SCENARIO_PART_AGENTS] ||
                           is_set(r, mr_scenario_part(MR_SCENARIO_PART_AGENTS).table->name);
    if (scenario->has_agents && seen[MR_SCENARIO_PART_WORKLOAD])
        mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_SCHEMA, at,
                     "<agents>: there is a <workload> already: calls come from one of them");
    for (size_t i = 0; i < 2 && !scenario->has_agents; i++) {
        const char *name = mr_scenario_part(of_agents[i]).table->name;
        if (seen[of_agents[i]] || is_set(r, name))
            mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_SCHEMA, at,
                         "<%s>: means nothing without <agents>", name);
    }
    const struct mr_arrivals_spec *w = &scenario->workload;
    if (w->file != NULL && (w->windows != NULL || w->lengths != NULL))
        mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_SCHEMA, at,
                     "<workload>: calls of a file have their times and lengths: windows and "
                     "lengths are of drawn ones");
    const bool is_drawn = !scenario->has_agents && w->file == NULL && w->windows == NULL;
    if (is_drawn && w->rate_s > 0 && w->n_call == 0 && !(scenario->top.until_s > 0) &&
        r->diags->n_error == 0)
        mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_RANGE, at,
                     "<workload>: calls never end to come: say \"until\" when the run ends, or "
                     "how many \"calls\" there are");
    if (!scenario->has_agents)
        return;
    const bool ends =
        scenario->agents.mode == MR_DEMAND_OPEN || scenario->agents.mode == MR_DEMAND_CLOSED ||
        (scenario->agents.mode == MR_DEMAND_ARRIVALS && scenario->agents.n_session > 0);
    if (!ends && !(scenario->top.until_s > 0))
        mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_RANGE, at,
                     "<agents>: sessions never end to come: say \"until\" when the run ends");
}

/* A path that no element took: one of a name near it is meant, or one more than there are. */
static void tell_stray(struct reading *r, size_t i)
{
    const char *set = r->set[i], *names[MR_SCENARIO_PARTS + 1];
    const struct mr_str element = {set, strcspn(set, "[./=")};
    const bool is_path = strchr(set, '/') != NULL && strchr(set, '=') != NULL;
    char why[160] = "ELEMENT/ATTRIBUTE=VALUE, as in deployment/tp=4";
    int own = MR_SCENARIO_PARTS;
    for (int k = 0; k < MR_SCENARIO_PARTS; k++) {
        names[k] = mr_scenario_part(k).table->name;
        own = mr_str_is(element, names[k]) ? k : own;
    }
    names[MR_SCENARIO_PARTS] = "layout";
    const char *near = is_path ? mr_text_nearest(element, names, MR_SCENARIO_PARTS + 1) : NULL;
    if (near != NULL && own == MR_SCENARIO_PARTS)
        snprintf(why, sizeof why, "did you mean \"%s%.80s\"?", near, set + element.n);
    else if (near != NULL && mr_scenario_part(own).n_offset == 0)
        snprintf(why, sizeof why, "there is one <%s>", near);
    else if (near != NULL)
        snprintf(why, sizeof why, "of several <%s> the first is %s[0], and all are %s", near, near,
                 near);
    mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_SCHEMA, set_at(r, i), "\"%s\": no such path (%s)",
                 set, why);
}

static void read_root(struct reading *r, const struct mr_xml_node *root)
{
    struct mr_scenario *scenario = r->scenario;
    bool seen[MR_SCENARIO_PARTS] = {false};
    if (strcmp(root->name, "scenario") != 0) {
        mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_SCHEMA, mr_xml_place(root),
                     "the root is <%s>, a scenario's is <scenario>", root->name);
        return;
    }
    fill(r, &mr_scenario_top_table, &scenario->top, root);
    for (const struct mr_xml_node *n = root->child; n != NULL; n = n->next)
        read_element(r, n, seen);
    for (int k = 0; k < MR_SCENARIO_PARTS; k++)
        if (!seen[k] && mr_scenario_part(k).n_offset == 0 && k != MR_SCENARIO_PART_PREFILL)
            fill(r, mr_scenario_part(k).table, (char *)scenario + mr_scenario_part(k).offset, NULL);
    scenario->has_prefill = seen[MR_SCENARIO_PART_PREFILL] ||
                            is_set(r, mr_scenario_part(MR_SCENARIO_PART_PREFILL).table->name);
    if (scenario->has_prefill)
        fill_item(r, mr_scenario_part(MR_SCENARIO_PART_PREFILL).table, &scenario->prefill, any_item,
                  &(struct usual){&scenario->deployment, sizeof scenario->deployment}, r->prefill);
    else if (seen[MR_SCENARIO_PART_TRANSFER] ||
             is_set(r, mr_scenario_part(MR_SCENARIO_PART_TRANSFER).table->name))
        mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_SCHEMA, mr_xml_place(root),
                     "<transfer>: nothing is sent without a <prefill> pool");
    for (int k = MR_SCENARIO_PART_TWIN; k < MR_SCENARIO_PARTS; k++)
        if (scenario->site.file == NULL && (seen[k] || is_set(r, mr_scenario_part(k).table->name)))
            mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_SCHEMA, mr_xml_place(root),
                         "<%s>: means nothing without a site (<site file=\"...\"/>)",
                         mr_scenario_part(k).table->name);
    choose_workload(r, seen);
    name_tiers(r);
    change_layout(r);
    for (size_t i = 0; scenario->site.file == NULL && i < r->n_set; i++)
        if (strncmp(r->set[i], "layout/", strlen("layout/")) == 0)
            mr_diags_add(r->diags, MR_SEVERITY_ERROR, MR_SCHEMA, set_at(r, i),
                         "%.*s: means nothing without a site (<site file=\"...\"/>)",
                         (int)strcspn(r->set[i], "="), r->set[i]);
    check_downgrades(r);
    check_kv(r);
    check_yields(r);
    check_shares(r);
    check_outages(r);
    check_record(r);
    for (size_t i = 0; i < r->n_set; i++)
        if (!r->is_used[i])
            tell_stray(r, i);
}

/* Files are named from the scenario's folder; what is not there may be where the program looks for
 * its own files, a platform that is shipped with it. */
static mr_status join(struct mr_scenario *scenario, const char **file, struct mr_err *err)
{
    struct mr_buf path = {0};
    struct mr_err nowhere = {0};
    if (*file == NULL)
        return MR_OK;
    mr_file_join(scenario->path, *file, &path);
    if (path.status == MR_OK && access(path.text, F_OK) != 0 &&
        mr_share_find(*file, NULL, &path, &nowhere) != MR_OK) {
        mr_buf_clear(&path); /* told by whoever opens it */
        mr_file_join(scenario->path, *file, &path);
    }
    mr_status st = mr_buf_check(&path, err);
    if (st == MR_OK) {
        *file = mr_arena_text(&scenario->texts, (struct mr_str){path.text, path.n}, err);
        st = *file != NULL ? MR_OK : MR_NOMEM;
    }
    mr_buf_fini(&path);
    return st;
}

static mr_status load(const char *path, const struct mr_str *text, const char *const *set,
                      const struct mr_place *at, size_t n_set, struct mr_scenario *scenario,
                      struct mr_diags *diags)
{
    struct reading r = {
        .scenario = scenario, .diags = diags, .set = set, .set_at = at, .n_set = n_set};
    struct mr_xml_doc *doc = NULL;
    struct mr_err err = {0};
    *scenario = (struct mr_scenario){0};
    r.is_used = mr_alloc_zero(n_set + 1, sizeof *r.is_used);
    if (r.is_used == NULL) {
        (void)mr_err_nomem(&err, n_set + 1);
        return mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    }
    mr_status st = text != NULL ? mr_xml_load_text(path, *text, NULL, &doc, &err)
                                : mr_xml_load(path, NULL, &doc, &err);
    if (st == MR_OK) {
        scenario->path = mr_arena_text(&scenario->texts, mr_str_of(path), &err);
        st = scenario->path != NULL ? MR_OK : MR_NOMEM;
    }
    if (st == MR_OK) {
        read_root(&r, mr_xml_root(doc));
        const char **const files[] = {
            &scenario->site.file,        &scenario->workload.file, &scenario->weather.file,
            &scenario->grid.price,       &scenario->grid.carbon,   &scenario->grid.sun,
            &scenario->grid.frequency,   &scenario->agents.file,   &scenario->workload.windows,
            &scenario->workload.lengths, &scenario->grid.targets};
        for (size_t i = 0; text == NULL && i < sizeof files / sizeof *files && st == MR_OK; i++)
            st = join(scenario, files[i], &err);
        if (st == MR_OK)
            st = mr_scenario_take_tiers(scenario, r.n_tier, &err);
    }
    if (st != MR_OK)
        (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    mr_xml_destroy(doc);
    mr_free(r.is_used);
    return diags->first_error;
}

mr_status mr_scenario_load(const char *path, const char *const *set, size_t n_set,
                           struct mr_scenario *scenario, struct mr_diags *diags)
{
    return load(path, NULL, set, NULL, n_set, scenario, diags);
}

mr_status mr_scenario_load_at(const char *path, const char *const *set, const struct mr_place *at,
                              size_t n_set, struct mr_scenario *scenario, struct mr_diags *diags)
{
    return load(path, NULL, set, at, n_set, scenario, diags);
}

mr_status mr_scenario_load_text(const char *name, struct mr_str text, const char *const *set,
                                size_t n_set, struct mr_scenario *scenario, struct mr_diags *diags)
{
    return load(name, &text, set, NULL, n_set, scenario, diags);
}

void mr_scenario_fini(struct mr_scenario *scenario)
{
    mr_arena_fini(&scenario->texts);
    mr_buf_fini(&scenario->given);
    mr_buf_fini(&scenario->defaulted);
    mr_buf_fini(&scenario->overridden);
    *scenario = (struct mr_scenario){0};
}

/* Does the scenario have a tier before `tier` with the price of its output? */
static bool is_priced_before(const struct mr_scenario *scenario, size_t tier)
{
    bool is_before = false;
    for (size_t i = 0; i < tier; i++)
        is_before |= scenario->tier[i].output_usd_mtok == scenario->tier[tier].output_usd_mtok;
    return is_before;
}

uint64_t mr_scenario_shed_at(const struct mr_scenario *scenario, size_t tier)
{
    const struct mr_scenario_tier *own = &scenario->tier[tier];
    uint64_t n = 1;
    for (size_t i = 0; i < scenario->n_tier; i++) {
        const double usd = scenario->tier[i].output_usd_mtok;
        n += usd < own->output_usd_mtok && !is_priced_before(scenario, i);
    }
    return own->n_wait > 0 ? own->n_wait : n * scenario->deployment.n_shed;
}

static double shorter_s(double s, double promised_s)
{
    return promised_s > 0 && (s == 0 || promised_s < s) ? promised_s : s;
}

/* The cheapest gives way at `short_at` of what was promised, the others at even steps from there to
 * all of it. Whoever goes before it in the queue need not wait for it. */
struct mr_scenario_spared mr_scenario_spared(const struct mr_scenario *scenario, size_t tier)
{
    const double usd_mtok = scenario->tier[tier].output_usd_mtok;
    const double least = scenario->deployment.short_frac;
    struct mr_scenario_spared spared = {0, 0};
    uint32_t n_dearer = 0, n_price = 0;
    for (size_t i = 0; i < scenario->n_tier && scenario->site.file != NULL && least > 0; i++) {
        const struct mr_scenario_tier *t = &scenario->tier[i];
        const bool is_dearer = t->output_usd_mtok > usd_mtok;
        n_price += !is_priced_before(scenario, i);
        n_dearer += is_dearer && !is_priced_before(scenario, i);
        if (!is_dearer || t->yields)
            continue;
        spared.tpot_s = shorter_s(spared.tpot_s, t->tpot_s);
        if (mr_scenario_rank(scenario, i) >= mr_scenario_rank(scenario, tier))
            spared.ttft_s = shorter_s(spared.ttft_s, t->ttft_s);
    }
    const double share = n_price > 1 ? 1 - (1 - least) * n_dearer / (n_price - 1) : 1;
    return (struct mr_scenario_spared){share * spared.ttft_s, share * spared.tpot_s};
}

uint8_t mr_scenario_cheaper(const struct mr_scenario *scenario, size_t tier)
{
    const char *name = scenario->tier[tier].downgrade;
    for (size_t i = 0; i < scenario->n_tier && name != NULL; i++)
        if (strcmp(scenario->tier[i].name, name) == 0)
            return (uint8_t)(i + 1);
    return 0;
}

uint32_t mr_scenario_rank(const struct mr_scenario *scenario, size_t tier)
{
    const struct mr_scenario_tier *own = &scenario->tier[tier];
    uint32_t n = 0;
    for (const struct mr_scenario_tier *t = scenario->tier; t < scenario->tier + scenario->n_tier;
         t++)
        n += t->yields != own->yields
                 ? own->yields
                 : t->n_class < own->n_class ||
                       (scenario->deployment.scheduling == 1 && t->n_class == own->n_class &&
                        t->n_priority > own->n_priority);
    return n;
}

/* Drawn ones come at their rate until the end of the run or until there are enough. */
double mr_scenario_guess_calls(const struct mr_scenario *scenario)
{
    const struct mr_arrivals_spec *w = &scenario->workload;
    const double until_s = scenario->top.until_s > 0 ? scenario->top.until_s : (double)INFINITY;
    const double most = w->n_call > 0 ? (double)w->n_call : (double)INFINITY;
    const bool is_drawn =
        !scenario->has_agents && w->file == NULL && w->windows == NULL && w->rate_s > 0;
    const double n = is_drawn ? fmin(most, until_s * w->rate_s) : (double)NAN;
    return isfinite(n) ? n : (double)NAN;
}

double mr_scenario_guess_s(const struct mr_scenario *scenario)
{
    return scenario->top.until_s > 0
               ? scenario->top.until_s
               : mr_scenario_guess_calls(scenario) / scenario->workload.rate_s;
}
