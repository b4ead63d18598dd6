/* SPDX-License-Identifier: Apache-2.0 */
/* From elements to specs. The grammar has been checked before, so that an element that is not
 * expected here has been reported and is passed over; what is left to find are values: units,
 * bounds, words, names, cards. A place that has been complained about is not complained about
 * again.
 */
#include "platforms/layout_plan.h"

#include "platforms/fabric.h"
#include "platforms/prop.h"

#include <math.h>
#include <stdio.h>

enum {
    row_max = 32, /* rows of the longest table */
    name_max = 40
};

/* stands for an element that the file leaves out */
static const struct mr_xml_node absent = {.name = "", .text = "", .file = ""};

/* ---- mistakes ---- */

void mr_layout_plan_complain(struct mr_layout_plan *plan, const struct mr_err *err)
{
    for (size_t i = 0; i < plan->diags->n_item; i++) {
        const struct mr_diag *diag = &plan->diags->item[i];
        if (diag->severity == MR_SEVERITY_ERROR && diag->err.line == err->line &&
            diag->err.col == err->col && strcmp(diag->err.file, err->file) == 0)
            return;
    }
    (void)mr_diags_add_err(plan->diags, MR_SEVERITY_ERROR, err);
}

static struct mr_place place_of(const struct mr_xml_node *node, const char *name)
{
    const struct mr_xml_attribute *attribute = name != NULL ? mr_xml_attribute(node, name) : NULL;
    return attribute != NULL ? mr_xml_attribute_place(node, attribute) : mr_xml_place(node);
}

void mr_layout_plan_error(struct mr_layout_plan *plan, mr_status st, const struct mr_xml_node *node,
                          const char *attribute, const char *fmt, ...)
{
    struct mr_err err = {0};
    va_list args;
    va_start(args, fmt);
    (void)mr_err_vset(&err, st, place_of(node, attribute), fmt, args);
    va_end(args);
    mr_layout_plan_complain(plan, &err);
}

bool mr_layout_plan_has(const struct mr_xml_node *node, const char *attribute)
{
    return node != NULL && mr_xml_attribute(node, attribute) != NULL;
}

struct mr_spot mr_layout_plan_spot(const struct mr_xml_node *node)
{
    return node != NULL ? (struct mr_spot){node->line, node->col} : (struct mr_spot){0, 0};
}

/* ---- units ---- */

uint64_t mr_layout_plan_need(struct mr_layout_plan *plan, const struct mr_xml_node *node,
                             double load, double size)
{
    const double n = ceil(load / size - 1e-9);
    if (n <= mr_layout_unit_max)
        return n >= 1 ? (uint64_t)n : 1;
    mr_layout_plan_error(plan, MR_LIMIT, node, NULL,
                         "%s: takes more than %d units, each a tiny part of the load", node->name,
                         mr_layout_unit_max);
    return 1;
}

void mr_layout_plan_units(struct mr_layout_plan *plan, const struct mr_layout_stock *stock,
                          uint64_t *n_unit, uint64_t *n_spare)
{
    *n_spare = 0;
    if (mr_layout_plan_has(stock->node, "spare"))
        *n_spare = stock->n_spare;
    else if (stock->n_unit > stock->n_need)
        *n_spare = stock->n_unit - stock->n_need;
    else if (stock->n_unit == 0)
        *n_spare = stock->n_spare_normal;
    *n_unit = stock->n_unit > 0 ? stock->n_unit : stock->n_need + *n_spare;
    if (stock->is_asked && stock->n_unit > 0 && *n_spare < stock->n_spare_normal &&
        !mr_layout_plan_has(stock->node, "spare"))
        mr_diags_add(plan->diags, MR_SEVERITY_WARNING, MR_RANGE, mr_xml_place(stock->node),
                     "%s: %llu units for a load of %llu leave no spare, which the redundancy asks "
                     "for",
                     stock->node->name, (unsigned long long)stock->n_unit,
                     (unsigned long long)stock->n_need);
    if (*n_spare < *n_unit)
        return;
    mr_layout_plan_error(plan, MR_RANGE, stock->node, "spare",
                         "%s: spare \"%llu\": of %llu units none is left to work",
                         stock->node->name, (unsigned long long)*n_spare,
                         (unsigned long long)*n_unit);
    *n_spare = 0;
}

/* ---- attributes ---- */

/* `rack "vr_nvl72"`: the element and the first of its name, card or kind */
static const char *describe(const struct mr_xml_node *node, char out[160])
{
    static const char *const keys[] = {"name", "card", "kind"};
    char quoted[MR_QUOTE_CAP];
    (void)snprintf(out, 160, "%.40s", node->name);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *value = mr_xml_value(node, keys[i]);
        if (value == NULL)
            continue;
        (void)snprintf(out, 160, "%.40s \"%s\"", node->name,
                       mr_text_quote(mr_str_of(value), quoted));
        break;
    }
    return out;
}

struct attributes {
    const struct mr_xml_node *node;
    int element;
    bool is_inherited;      /* the object holds the values of the element it refines */
    const char *key, *word; /* set first: the kind of a power node that is named by it */
    struct mr_arena *texts; /* NULL: lent by the document */
};

static mr_status read_attributes(struct mr_layout_plan *plan, const struct attributes *from,
                                 void *object)
{
    char what[160];
    uint8_t origin[row_max] = {0};
    const char *element;
    const struct mr_param_table *table = mr_layout_table((size_t)from->element, &element);
    const struct mr_param_target target = {table, object, origin, from->texts,
                                           describe(from->node, what)};
    if (!from->is_inherited)
        mr_param_defaults(&target);
    struct mr_err err = {0};
    if (from->key != NULL && mr_param_set(&target, mr_str_of(from->key), mr_str_of(from->word),
                                          MR_PARAM_GIVEN, mr_xml_place(from->node), &err) != MR_OK)
        mr_layout_plan_complain(plan, &err);
    for (uint32_t i = 0; i < from->node->n_attribute; i++) {
        const struct mr_xml_attribute *attribute = &from->node->attribute[i];
        if (strcmp(attribute->name, "xmlns") == 0 || strchr(attribute->name, ':') != NULL)
            continue;
        err = (struct mr_err){0};
        const mr_status st =
            mr_param_set(&target, mr_str_of(attribute->name), mr_str_of(attribute->value),
                         MR_PARAM_GIVEN, mr_xml_attribute_place(from->node, attribute), &err);
        if (st == MR_NOMEM)
            return mr_err_nomem(&plan->err, 0);
        if (st != MR_OK)
            mr_layout_plan_complain(plan, &err);
    }
    err = (struct mr_err){0};
    if (!from->is_inherited && mr_param_complete(&target, mr_xml_place(from->node), &err) != MR_OK)
        mr_layout_plan_complain(plan, &err);
    return MR_OK;
}

/* Names become parts of "H0.R2.K7.g13": letters, digits, "_" and "-", and not one of the words that
 * the fabric puts at such places. */
static void check_name(struct mr_layout_plan *plan, const struct mr_xml_node *node,
                       const char *attribute, const char *name)
{
    static const char *const taken[] = {"S",    "all", "core", "gw",    "leaf", "nvlsw",
                                        "nvsw", "up",  "port", "spine", "site", "sw"};
    char quoted[MR_QUOTE_CAP];
    bool is_good = name[0] != '\0' && strlen(name) <= name_max;
    for (const char *p = name; *p != '\0' && is_good; p++)
        is_good = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || mr_char_is_digit(*p) ||
                  *p == '_' || (*p == '-' && p > name);
    if (!is_good) {
        mr_layout_plan_error(plan, MR_SCHEMA, node, attribute,
                             "%s: %s \"%s\": not a name: at most %d letters, digits, \"_\" and "
                             "\"-\", which may not come first",
                             node->name, attribute, mr_text_quote(mr_str_of(name), quoted),
                             name_max);
        return;
    }
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (strcmp(name, taken[i]) == 0)
            mr_layout_plan_error(plan, MR_SCHEMA, node, attribute,
                                 "%s: %s \"%s\": the fabric uses this name (take another)",
                                 node->name, attribute, name);
}

/* A spec with its attributes at the end of a list, which `end` walks along. */
static mr_status new_spec(struct mr_layout_plan *plan, const struct attributes *from, size_t bytes,
                          void **out)
{
    *out = mr_arena_zero(&plan->arena, 1, bytes, &plan->err);
    if (*out == NULL)
        return MR_NOMEM;
    MR_TRY(read_attributes(plan, from, *out));
    const char *name = mr_xml_value(from->node, "name");
    if (name != NULL)
        check_name(plan, from->node, "name", name);
    return MR_OK;
}

/* ---- rows ---- */

static mr_status read_row(struct mr_layout_plan *plan, const struct mr_xml_node *node,
                          struct mr_layout_row **out)
{
    void *spec;
    MR_TRY(new_spec(plan, &(struct attributes){.node = node, .element = MR_LAYOUT_ROW},
                    sizeof **out, &spec));
    struct mr_layout_row *row = *out = spec;
    row->node = node;
    struct mr_layout_rack **rack = &row->rack;
    struct mr_layout_cdu **cdu = &row->cdu;
    struct mr_layout_domain **domain = &row->domain;
    for (const struct mr_xml_node *n = node->child; n != NULL; n = n->next) {
        struct attributes from = {.node = n};
        if (strcmp(n->name, "rack") == 0) {
            from.element = MR_LAYOUT_RACK;
            MR_TRY(new_spec(plan, &from, sizeof **rack, &spec));
            *rack = spec;
            (*rack)->node = n;
            MR_TRY(mr_layout_card_rack(plan, *rack));
            rack = &(*rack)->next;
        } else if (strcmp(n->name, "cdu") == 0) {
            from.element = MR_LAYOUT_CDU;
            MR_TRY(new_spec(plan, &from, sizeof **cdu, &spec));
            *cdu = spec;
            (*cdu)->node = n;
            cdu = &(*cdu)->next;
        } else if (strcmp(n->name, "domain") == 0) {
            from.element = MR_LAYOUT_DOMAIN;
            MR_TRY(new_spec(plan, &from, sizeof **domain, &spec));
            *domain = spec;
            (*domain)->node = n;
            domain = &(*domain)->next;
        }
    }
    if (row->pod_name == NULL)
        return MR_OK;
    const char *names[64];
    size_t n_name = 0;
    for (const struct mr_layout_pod *pod = plan->pod; pod != NULL; pod = pod->next) {
        if (strcmp(pod->name, row->pod_name) == 0)
            row->pod = pod;
        if (n_name < sizeof names / sizeof *names)
            names[n_name++] = pod->name;
    }
    if (row->pod == NULL) {
        char quoted[MR_QUOTE_CAP], hint[96];
        mr_text_hint(mr_str_of(row->pod_name), names, n_name, hint, sizeof hint);
        mr_layout_plan_error(plan, MR_REF, node, "pod",
                             "row: pod \"%s\" is not declared: no <pod name=\"...\"/> of that name "
                             "outside of the halls%s",
                             mr_text_quote(mr_str_of(row->pod_name), quoted), hint);
    }
    return MR_OK;
}

static mr_status read_group(struct mr_layout_plan *plan, const struct mr_xml_node *node,
                            struct mr_layout_group **out)
{
    struct mr_layout_group *group = mr_arena_zero(&plan->arena, 1, sizeof *group, &plan->err);
    if (group == NULL)
        return MR_NOMEM;
    *out = group;
    group->pod.n_count = 1;
    if (strcmp(node->name, "row") == 0)
        return read_row(plan, node, &group->row);
    MR_TRY(read_attributes(plan, &(struct attributes){.node = node, .element = MR_LAYOUT_POD},
                           &group->pod));
    group->pod.node = node;
    if (group->pod.name != NULL)
        check_name(plan, node, "name", group->pod.name);
    struct mr_layout_row **row = &group->row;
    for (const struct mr_xml_node *n = mr_xml_child(node, "row"); n != NULL;
         n = mr_xml_next(n, "row")) {
        MR_TRY(read_row(plan, n, row));
        if ((*row)->pod != NULL)
            mr_layout_plan_error(plan, MR_SCHEMA, n, "pod",
                                 "row: pod \"%s\": the row already stands in a <pod>",
                                 (*row)->pod_name);
        row = &(*row)->next;
    }
    return MR_OK;
}

/* ---- power and cooling ---- */

static int power_kind_of(const char *name)
{
    for (int kind = 0; kind < MR_SITE_N_POWER_KIND; kind++)
        if (strcmp(mr_site_power_kind_name(kind), name) == 0)
            return kind;
    return MR_SITE_N_POWER_KIND;
}

/* `up` NULL: the layout's own element, else a hall's, which starts from it. node NULL: there is no
 * such element. */
static mr_status read_power(struct mr_layout_plan *plan, const struct mr_xml_node *node,
                            const struct mr_layout_power *up, struct mr_layout_power *power)
{
    const struct attributes from = {.node = node != NULL ? node : &absent,
                                    .element = MR_LAYOUT_POWER,
                                    .is_inherited = up != NULL};
    if (up != NULL)
        *power = *up;
    power->node = node;
    power->up = up;
    power->first = NULL;
    MR_TRY(read_attributes(plan, &from, power));
    struct mr_layout_node **end = &power->first;
    for (const struct mr_xml_node *n = node != NULL ? node->child : NULL; n != NULL; n = n->next) {
        void *spec;
        const bool is_node = strcmp(n->name, "node") == 0;
        if (!is_node && power_kind_of(n->name) == MR_SITE_N_POWER_KIND)
            continue;
        MR_TRY(new_spec(plan,
                        &(struct attributes){.node = n,
                                             .element = MR_LAYOUT_NODE,
                                             .key = is_node ? NULL : "kind",
                                             .word = n->name},
                        sizeof **end, &spec));
        *end = spec;
        (*end)->node = n;
        if (up != NULL && (*end)->per == MR_LAYOUT_PER_SITE)
            mr_layout_plan_error(plan, MR_SCHEMA, n, "per",
                                 "%s: per \"site\" in a hall (move it to the layout's <power>)",
                                 n->name);
        end = &(*end)->next;
    }
    return MR_OK;
}

static mr_status read_cooling(struct mr_layout_plan *plan, const struct mr_xml_node *node,
                              const struct mr_layout_cooling *up, struct mr_layout_cooling *cooling)
{
    const struct attributes from = {.node = node != NULL ? node : &absent,
                                    .element = MR_LAYOUT_COOLING,
                                    .is_inherited = up != NULL};
    if (up != NULL)
        *cooling = *up;
    cooling->node = node;
    cooling->up = up;
    cooling->first = NULL;
    MR_TRY(read_attributes(plan, &from, cooling));
    struct mr_layout_reject **end = &cooling->first;
    for (const struct mr_xml_node *n = node != NULL ? mr_xml_child(node, "reject") : NULL;
         n != NULL; n = mr_xml_next(n, "reject")) {
        void *spec;
        MR_TRY(new_spec(plan, &(struct attributes){.node = n, .element = MR_LAYOUT_REJECT},
                        sizeof **end, &spec));
        *end = spec;
        (*end)->node = n;
        if ((*end)->kind == MR_SITE_REJECT_CRAH && !mr_layout_plan_has(n, "loop"))
            (*end)->loop = MR_LAYOUT_LOOP_AIR;
        end = &(*end)->next;
    }
    return MR_OK;
}

/* ---- the layout ---- */

static mr_status read_hall(struct mr_layout_plan *plan, const struct mr_xml_node *node,
                           struct mr_layout_hall **out)
{
    void *spec;
    MR_TRY(new_spec(plan, &(struct attributes){.node = node, .element = MR_LAYOUT_HALL},
                    sizeof **out, &spec));
    struct mr_layout_hall *hall = *out = spec;
    hall->node = node;
    MR_TRY(read_power(plan, mr_xml_child(node, "power"), &plan->power, &hall->power));
    MR_TRY(read_cooling(plan, mr_xml_child(node, "cooling"), &plan->cooling, &hall->cooling));
    struct mr_layout_group **group = &hall->group;
    for (const struct mr_xml_node *n = node->child; n != NULL; n = n->next) {
        if (strcmp(n->name, "row") == 0 || strcmp(n->name, "pod") == 0) {
            MR_TRY(read_group(plan, n, group));
            group = &(*group)->next;
        } else if (strcmp(n->name, "cdu") == 0 && hall->cdu == NULL) {
            MR_TRY(new_spec(plan, &(struct attributes){.node = n, .element = MR_LAYOUT_CDU},
                            sizeof *hall->cdu, &spec));
            hall->cdu = spec;
            hall->cdu->node = n;
        }
    }
    return MR_OK;
}

/* Does something on the site make power, so that no grid is needed? */
static bool makes_power(const struct mr_layout_node *node)
{
    for (; node != NULL; node = node->next)
        if (node->kind == MR_SITE_POWER_TURBINE || node->kind == MR_SITE_POWER_SOLAR)
            return true;
    return false;
}

/* Everything but halls, which refer to it. */
static mr_status read_surroundings(struct mr_layout_plan *plan, const struct mr_xml_node *root)
{
    const struct mr_xml_node *grid = mr_xml_child(root, "grid");
    const struct mr_xml_node *provision = mr_xml_child(root, "provision");
    MR_TRY(read_power(plan, mr_xml_child(root, "power"), NULL, &plan->power));
    const char *kind = grid != NULL                     ? mr_xml_value(grid, "interconnect")
                       : makes_power(plan->power.first) ? "island"
                                                        : "firm";
    const size_t n_error = plan->diags->n_error;
    MR_TRY(read_attributes(plan,
                           &(struct attributes){.node = grid != NULL ? grid : &absent,
                                                .element = MR_LAYOUT_GRID,
                                                .key = grid != NULL ? NULL : "interconnect",
                                                .word = kind},
                           &plan->grid));
    const struct mr_xml_attribute *ramp = grid != NULL ? mr_xml_attribute(grid, "ramp") : NULL;
    if (ramp != NULL && plan->diags->n_error == n_error)
        mr_prop_check_ramp(&plan->grid, mr_xml_attribute_place(grid, ramp), plan->diags);
    plan->has_grid = kind == NULL || strcmp(kind, "island") != 0;
    plan->provision.node = provision;
    MR_TRY(read_attributes(plan,
                           &(struct attributes){.node = provision != NULL ? provision : &absent,
                                                .element = MR_LAYOUT_PROVISION},
                           &plan->provision));
    MR_TRY(read_cooling(plan, mr_xml_child(root, "cooling"), NULL, &plan->cooling));
    plan->fabric = mr_xml_child(root, "fabric");
    if (plan->fabric != NULL) {
        plan->site->fabric =
            mr_arena_zero(&plan->site->arena, 1, sizeof *plan->site->fabric, &plan->err);
        if (plan->site->fabric == NULL)
            return MR_NOMEM;
        MR_TRY(read_attributes(plan,
                               &(struct attributes){.node = plan->fabric,
                                                    .element = MR_LAYOUT_FABRIC,
                                                    .texts = &plan->site->arena},
                               plan->site->fabric));
    }
    return MR_OK;
}

static mr_status read_pods(struct mr_layout_plan *plan, const struct mr_xml_node *root)
{
    struct mr_layout_pod **end = &plan->pod;
    for (const struct mr_xml_node *n = mr_xml_child(root, "pod"); n != NULL;
         n = mr_xml_next(n, "pod")) {
        void *spec;
        MR_TRY(new_spec(plan, &(struct attributes){.node = n, .element = MR_LAYOUT_POD},
                        sizeof **end, &spec));
        struct mr_layout_pod *pod = spec;
        pod->node = n;
        if (pod->name == NULL || pod->n_count != 1) {
            mr_layout_plan_error(plan, MR_SCHEMA, n, "count",
                                 "pod: outside of halls it is a name for rows to take: give it a "
                                 "name and no count");
            continue;
        }
        *end = pod;
        end = &pod->next;
    }
    return MR_OK;
}

mr_status mr_layout_plan_read(struct mr_layout_plan *plan, const struct mr_xml_node *root)
{
    MR_TRY(read_attributes(plan, &(struct attributes){.node = root, .element = MR_LAYOUT_TOP},
                           &plan->top));
    plan->top.node = root;
    if (plan->top.name != NULL)
        check_name(plan, root, "name", plan->top.name);
    MR_TRY(read_surroundings(plan, root));
    MR_TRY(read_pods(plan, root));
    struct mr_layout_hall **hall = &plan->hall;
    for (const struct mr_xml_node *n = mr_xml_child(root, "hall"); n != NULL;
         n = mr_xml_next(n, "hall")) {
        MR_TRY(read_hall(plan, n, hall));
        hall = &(*hall)->next;
    }
    return MR_OK;
}
