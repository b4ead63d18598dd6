/* SPDX-License-Identifier: Apache-2.0 */
/* Our props. An id is one of: a single figure of a hand-written file ("rack.limit"), a kind of
 * which there is one ("grid", "rack"), KIND.NAME, or somebody else's. Entities are added in file
 * order; references wait until the whole file is known. Until mr_read_finish the `hall` of what
 * stands somewhere holds the index of its zone. Map: entities - racks - single figures - sorting
 * props out - references. */
#include "engine/base/mem.h"
#include "platforms/read_impl.h"

#include <stdio.h>

/* One prop being read. */
struct prop {
    const char *id, *value;
    struct mr_place id_at, at;
    uint32_t zone, host; /* host MR_SITE_NONE: on the zone */
};

/* ---- entities ---- */

static void *entity_of(struct mr_site *site, int kind, uint32_t index)
{
    switch (kind) {
    case MR_PROP_CDU:
        return &site->cdu[index];
    case MR_PROP_REJECT:
        return &site->rejector[index];
    case MR_PROP_POWER:
        return &site->power[index];
    default:
        return &site->rack[index];
    }
}

/* References of an entity that was just added. */
static mr_status add_pending(struct mr_read *r, int kind, uint32_t index,
                             const union mr_prop_form *form, struct mr_place at, bool is_made)
{
    const struct mr_prop_ref *ref;
    const size_t n = mr_prop_refs(kind, &ref);
    for (size_t i = 0; i < n; i++) {
        const char *text;
        memcpy(&text, (const char *)form + ref[i].text_offset, sizeof text);
        if (text == NULL || text[0] == '\0')
            continue;
        MR_TRY(mr_grow(&r->pending, &r->cap_pending, r->n_pending + 1, sizeof *r->pending, NULL));
        r->pending[r->n_pending++] = (struct mr_read_pending){
            &ref[i], index, text, at, is_made && ref[i].target == MR_PROP_DOMAIN};
    }
    return MR_OK;
}

#define PUSH(r, array, value)                                                      \
    (mr_grow(&(r)->site->array, &(r)->site->cap_##array, (r)->site->n_##array + 1, \
             sizeof *(r)->site->array, NULL) == MR_OK                              \
         ? ((r)->site->array[(r)->site->n_##array++] = (value), MR_OK)             \
         : MR_NOMEM)

static struct mr_spot spot_of(struct mr_place at)
{
    return (struct mr_spot){at.line, at.col};
}

/* Where it stands goes into `hall` as a zone. */
static mr_status push_entity(struct mr_read *r, int kind, union mr_prop_form *form,
                             const char *name, const struct prop *prop)
{
    const uint32_t zone = prop->zone;
    const struct mr_spot at = spot_of(prop->id_at);
    struct mr_read_zone *its = &r->zone[zone];
    switch (kind) {
    case MR_PROP_HALL:
        form->hall.name = name;
        form->hall.at = at;
        form->hall.zone = zone;
        its->hall = (uint32_t)r->site->n_hall;
        return PUSH(r, hall, form->hall);
    case MR_PROP_ROW:
        form->row.name = name;
        form->row.at = at;
        form->row.zone = zone;
        its->row = (uint32_t)r->site->n_row;
        return PUSH(r, row, form->row);
    case MR_PROP_POD:
        form->pod.name = name;
        return PUSH(r, pod, form->pod);
    case MR_PROP_LOOP:
        form->loop.it.name = name;
        form->loop.it.at = at;
        form->loop.it.hall = zone;
        return PUSH(r, loop, form->loop.it);
    case MR_PROP_CDU:
        form->cdu.it.name = name;
        form->cdu.it.at = at;
        form->cdu.it.hall = zone;
        return PUSH(r, cdu, form->cdu.it);
    case MR_PROP_REJECT:
        form->reject.it.name = name;
        form->reject.it.at = at;
        return PUSH(r, rejector, form->reject.it);
    case MR_PROP_POWER:
        form->power.it.name = name;
        form->power.it.at = at;
        form->power.it.hall = zone;
        return PUSH(r, power, form->power.it);
    default:
        form->domain.name = name;
        form->domain.at = at;
        return PUSH(r, domain, form->domain);
    }
}

/* The name's id is the entity's index; an error when it is taken. */
static mr_status claim_name(struct mr_read *r, int kind, const char *name, struct mr_place at,
                            bool *is_new)
{
    const size_t n = r->names[kind].n;
    uint32_t id;
    char quoted[MR_QUOTE_CAP];
    MR_TRY(mr_intern_add(&r->names[kind], mr_str_of(name), &id, NULL));
    *is_new = id == n;
    if (!*is_new)
        MR_READ_ERROR(r, MR_SCHEMA, at, "%s \"%s\": there is a %s of this name already",
                      mr_prop_kind_name(kind), mr_text_quote(mr_str_of(name), quoted),
                      mr_prop_kind_name(kind));
    return MR_OK;
}

static void defaults_of(const struct mr_read *r, int kind, union mr_prop_form *form,
                        uint8_t origin[mr_prop_row_max])
{
    *form = r->defaults.form[kind];
    memcpy(origin, r->defaults.origin[kind], mr_prop_row_max);
}

static mr_status read_named(struct mr_read *r, const struct prop *prop, int kind)
{
    const char *given = prop->id + strlen(mr_prop_kind_name(kind)) + 1;
    union mr_prop_form form;
    uint8_t origin[mr_prop_row_max];
    char quoted[MR_QUOTE_CAP], what[128];
    bool is_new = false;
    struct mr_err missing = {0};
    if (!mr_prop_is_name(given)) {
        MR_READ_ERROR(
            r, MR_SCHEMA, prop->id_at,
            "prop \"%s\": what follows \"%s.\" is not a name (no white space, semicolons, "
            "single quotes)",
            mr_text_quote(mr_str_of(prop->id), quoted), mr_prop_kind_name(kind));
        return MR_OK;
    }
    const char *name = mr_read_keep(r, mr_str_of(given));
    if (name == NULL)
        return MR_NOMEM;
    MR_TRY(claim_name(r, kind, name, prop->id_at, &is_new));
    if (!is_new)
        return MR_OK;
    snprintf(what, sizeof what, "%s \"%s\"", mr_prop_kind_name(kind),
             mr_text_quote(mr_str_of(name), quoted));
    defaults_of(r, kind, &form, origin);
    const struct mr_param_target target = {mr_prop_table(kind), &form, origin, &r->site->arena,
                                           what};
    MR_TRY(mr_prop_read(&target, mr_str_of(prop->value), prop->at, r->diags));
    if (kind == MR_PROP_CDU)
        MR_TRY(mr_read_from_card(r, kind, &target, form.cdu.it.card, prop->at));
    if (kind == MR_PROP_REJECT)
        MR_TRY(mr_read_from_card(r, kind, &target, form.reject.it.card, prop->at));
    if (mr_param_complete(&target, prop->at, &missing) != MR_OK)
        (void)mr_diags_add_err(r->diags, MR_SEVERITY_ERROR, &missing);
    MR_TRY(push_entity(r, kind, &form, name, prop));
    return add_pending(r, kind, (uint32_t)r->names[kind].n - 1, &form, prop->at, false);
}

/* site, grid, fabric */
static mr_status read_only_one(struct mr_read *r, const struct prop *prop, int kind)
{
    const struct mr_param_target target = {mr_prop_table(kind), &r->form[kind], r->origin[kind],
                                           &r->site->arena, mr_prop_kind_name(kind)};
    if (prop->zone != 0) {
        MR_READ_ERROR(r, MR_SCHEMA, prop->id_at, "prop \"%s\": belongs on the outermost zone",
                      prop->id);
        return MR_OK;
    }
    r->has_site = r->has_site || kind == MR_PROP_SITE;
    if (kind == MR_PROP_GRID)
        r->form[kind].grid.at = spot_of(prop->id_at);
    MR_TRY(mr_prop_read(&target, mr_str_of(prop->value), prop->at, r->diags));
    if (kind == MR_PROP_GRID &&
        target.origin[mr_param_find(target.table, mr_str_of("ramp"))] == MR_PARAM_GIVEN)
        mr_prop_check_ramp(&r->form[kind].grid, prop->at, r->diags);
    return MR_OK;
}

/* ---- racks ---- */

/* What the props of one zone or host say about a rack. */
struct rack {
    bool is_there;
    bool is_domain_made;
    struct mr_place at;
    union mr_prop_form form;
    uint8_t origin[mr_prop_row_max];
    char what[128];
    struct mr_param_target target;
};

static void begin_rack(struct mr_read *r, struct rack *rack, const struct prop *prop)
{
    const struct mr_site *site = r->site;
    const char *name =
        prop->host != MR_SITE_NONE ? site->host[prop->host].name : site->zone[prop->zone].name;
    char quoted[MR_QUOTE_CAP];
    if (rack->is_there)
        return;
    rack->is_there = true;
    rack->at = prop->at;
    defaults_of(r, MR_PROP_RACK, &rack->form, rack->origin);
    rack->form.rack.it.name = name;
    snprintf(rack->what, sizeof rack->what, "rack \"%s\"", mr_text_quote(mr_str_of(name), quoted));
    rack->target = (struct mr_param_target){mr_prop_table(MR_PROP_RACK), &rack->form, rack->origin,
                                            &r->site->arena, rack->what};
}

static bool is_given(const struct rack *rack, const char *key)
{
    const size_t i = mr_param_find(rack->target.table, mr_str_of(key));
    return rack->origin[i] == MR_PARAM_GIVEN;
}

static mr_status end_rack(struct mr_read *r, struct rack *rack, uint32_t zone, uint32_t host)
{
    struct mr_site *site = r->site;
    struct mr_prop_rack *form = &rack->form.rack;
    const uint32_t index = (uint32_t)site->n_rack;
    MR_TRY(mr_read_from_card(r, MR_PROP_RACK, &rack->target, form->it.card, rack->at));
    if (!is_given(rack, "limit"))
        form->it.limit_w = form->it.rated_w;
    form->it.n_domain = (uint32_t)form->n_domain;
    /* not said: the cores of its hosts, counted when they are known */
    form->it.n_package = is_given(rack, "packages") ? (uint32_t)form->n_package : UINT32_MAX;
    form->it.zone = zone;
    form->it.at = spot_of(rack->at);
    if (host != MR_SITE_NONE)
        site->host[host].rack = index;
    else
        r->zone[zone].rack = index;
    MR_TRY(PUSH(r, rack, form->it));
    return add_pending(r, MR_PROP_RACK, index, &rack->form, rack->at, rack->is_domain_made);
}

/* ---- single figures ---- */

static mr_status set_one(struct mr_read *r, const struct mr_param_target *target, const char *key,
                         const struct prop *prop)
{
    struct mr_err err = {0};
    const mr_status st = mr_param_set(target, mr_str_of(key), mr_str_of(prop->value),
                                      MR_PARAM_GIVEN, prop->at, &err);
    (void)mr_diags_add_err(r->diags, MR_SEVERITY_ERROR, &err);
    return st == MR_NOMEM ? MR_NOMEM : MR_OK;
}

/* An entity named after its zone, made for one figure of it. */
static mr_status make_one(struct mr_read *r, const struct prop *prop, int kind, const char *suffix,
                          const char *key, uint32_t *index)
{
    union mr_prop_form form;
    uint8_t origin[mr_prop_row_max];
    struct mr_buf text = {0};
    bool is_new = false;
    defaults_of(r, kind, &form, origin);
    const struct mr_param_target target = {mr_prop_table(kind), &form, origin, &r->site->arena,
                                           prop->id};
    MR_TRY(set_one(r, &target, key, prop));
    mr_buf_text(&text, r->site->zone[prop->zone].name);
    mr_buf_text(&text, suffix);
    const char *name =
        text.status == MR_OK ? mr_read_keep(r, (struct mr_str){text.text, text.n}) : NULL;
    mr_buf_fini(&text);
    if (name == NULL)
        return MR_NOMEM;
    MR_TRY(claim_name(r, kind, name, prop->id_at, &is_new));
    if (!is_new)
        return MR_OK;
    if (kind == MR_PROP_POWER)
        form.power.it.kind = MR_SITE_POWER_BUSWAY;
    *index = (uint32_t)r->names[kind].n - 1;
    return push_entity(r, kind, &form, name, prop);
}

static mr_status check_only(struct mr_read *r, const struct prop *prop, enum mr_quantity q)
{
    struct mr_err err = {0};
    double value;
    const mr_status st = mr_unit_parse(mr_str_of(prop->value), q, prop->id, prop->at, &value, &err);
    (void)mr_diags_add_err(r->diags, MR_SEVERITY_ERROR, &err);
    return st == MR_NOMEM ? MR_NOMEM : MR_OK;
}

/* @return is it a single figure that belongs to the zone (or host, "tray")? */
static bool read_single(struct mr_read *r, const struct prop *prop, mr_status *st)
{
    const char *id = prop->id;
    const struct mr_param_target grid = {mr_prop_table(MR_PROP_GRID), &r->form[MR_PROP_GRID],
                                         r->origin[MR_PROP_GRID], &r->site->arena, "grid"},
                                 site = {mr_prop_table(MR_PROP_SITE), &r->form[MR_PROP_SITE],
                                         r->origin[MR_PROP_SITE], &r->site->arena, "site"};
    struct mr_read_zone *zone = &r->zone[prop->zone];
    if (strcmp(id, "loop.supply") == 0)
        *st = make_one(r, prop, MR_PROP_LOOP, ".loop", "supply", &zone->loop);
    else if (strcmp(id, "busway.limit") == 0)
        *st = make_one(r, prop, MR_PROP_POWER, ".busway", "rating", &zone->busway);
    else if (strcmp(id, "loop.flow") == 0)
        *st = check_only(r, prop, MR_Q_MASS_FLOW);
    else if (strcmp(id, "tray") == 0)
        *st = check_only(r, prop, MR_Q_COUNT);
    else if (strcmp(id, "grid.feed") == 0) {
        r->form[MR_PROP_GRID].grid.at = spot_of(prop->id_at);
        *st = set_one(r, &grid, "limit", prop);
    } else if (strcmp(id, "grid.ramp") == 0) {
        *st = set_one(r, &grid, "ramp", prop);
        if (grid.origin[mr_param_find(grid.table, mr_str_of("ramp"))] == MR_PARAM_GIVEN)
            mr_prop_check_ramp(&r->form[MR_PROP_GRID].grid, prop->at, r->diags);
    } else if (strcmp(id, "site.wet_bulb") == 0)
        *st = set_one(r, &site, "wet_bulb", prop);
    else
        return strcmp(id, "switch.card") == 0;
    return true;
}

/* @return does the prop say something about a rack? */
static bool read_rack_prop(struct mr_read *r, const struct prop *prop, struct rack *rack,
                           mr_status *st)
{
    const bool is_whole = strcmp(prop->id, "rack") == 0,
               is_domain = strcmp(prop->id, "nvl.domain") == 0;
    if (!is_whole && !is_domain && strncmp(prop->id, "rack.", 5) != 0)
        return false;
    begin_rack(r, rack, prop);
    rack->is_domain_made = rack->is_domain_made || is_domain;
    *st = is_whole ? mr_prop_read(&rack->target, mr_str_of(prop->value), prop->at, r->diags)
                   : set_one(r, &rack->target, is_domain ? "domain" : prop->id + 5, prop);
    return true;
}

/* ---- sorting props out ---- */

/* "KIND", or "KIND." and a name; MR_N_PROP when it is neither. */
static int kind_of(const char *id, bool *has_name)
{
    for (int kind = 0; kind < MR_N_PROP; kind++) {
        const char *text = mr_prop_kind_name(kind);
        const size_t n = strlen(text);
        if (strncmp(id, text, n) != 0 || (id[n] != '\0' && id[n] != '.'))
            continue;
        *has_name = id[n] == '.';
        return kind;
    }
    return MR_N_PROP;
}

/* Not ours. A slip of the pen is likely where the whole id, or the part before its dot, is near to
 * one of ours; props of other tools ("wattage_per_state") are not. */
static void foreign(struct mr_read *r, const struct prop *prop)
{
#define SINGLE_ID(id, on, doc) id,
    static const char *const singles[] = {MR_PROP_SINGLE_LIST(SINGLE_ID)};
#undef SINGLE_ID
    enum {
        n_single = sizeof singles / sizeof *singles
    };
    const char *names[n_single + MR_N_PROP], *kinds[MR_N_PROP + n_single];
    char quoted[MR_QUOTE_CAP], before[n_single][32];
    const size_t n_before = strcspn(prop->id, ".");
    size_t n = 0, n_kind = 0;
    for (size_t i = 0; i < n_single; i++) {
        names[n++] = singles[i];
        snprintf(before[i], sizeof before[i], "%.*s", (int)strcspn(singles[i], "."), singles[i]);
        if (singles[i][strlen(before[i])] == '.')
            kinds[n_kind++] = before[i];
    }
    for (int kind = 0; kind < MR_N_PROP; kind++)
        kinds[n_kind++] = names[n++] = mr_prop_kind_name(kind);
    const char *near = mr_text_nearest(mr_str_of(prop->id), names, n);
    const bool has_dot = prop->id[n_before] == '.';
    if (near == NULL && has_dot)
        near = mr_text_nearest((struct mr_str){prop->id, n_before}, kinds, n_kind);
    if (near == NULL)
        return;
    int kind = 0;
    while (kind < MR_N_PROP && strcmp(near, mr_prop_kind_name(kind)) != 0)
        kind++;
    MR_READ_WARNING(r, MR_SCHEMA, prop->id_at,
                    "prop \"%s\" is none of ours and left alone (did you mean \"%s%s\"?)",
                    mr_text_quote(mr_str_of(prop->id), quoted), near,
                    kind < MR_N_PROP && mr_prop_kind_has_name(kind) ? ".NAME" : "");
}

static mr_status read_one(struct mr_read *r, const struct prop *prop, struct rack *rack)
{
    mr_status st = MR_OK;
    bool has_name = false;
    char quoted[MR_QUOTE_CAP];
    if (read_rack_prop(r, prop, rack, &st) || read_single(r, prop, &st)) {
        r->site->has_props = true;
        return st;
    }
    const int kind = kind_of(prop->id, &has_name);
    if (kind == MR_N_PROP || has_name != mr_prop_kind_has_name(kind)) {
        foreign(r, prop);
        return MR_OK;
    }
    r->site->has_props = true;
    if (prop->host != MR_SITE_NONE) {
        MR_READ_ERROR(r, MR_SCHEMA, prop->id_at, "prop \"%s\": belongs on a zone, not on a host",
                      mr_text_quote(mr_str_of(prop->id), quoted));
        return MR_OK;
    }
    return has_name ? read_named(r, prop, kind) : read_only_one(r, prop, kind);
}

mr_status mr_read_props(struct mr_read *r, const struct mr_xml_node *node, uint32_t zone,
                        uint32_t host)
{
    static const char *const required[] = {"id", "value", NULL}, *const none[] = {NULL};
    const struct mr_read_shape shape = {required, none};
    struct rack rack;
    rack.is_there = rack.is_domain_made = false;
    for (const struct mr_xml_node *child = mr_xml_child(node, "prop"); child != NULL;
         child = mr_xml_next(child, "prop")) {
        if (!mr_read_attributes(r, child, &shape))
            continue;
        mr_read_empty(r, child);
        const struct mr_xml_attribute *id = mr_xml_attribute(child, "id"),
                                      *value = mr_xml_attribute(child, "value");
        const struct prop prop = {id->value,
                                  value->value,
                                  mr_xml_attribute_place(child, id),
                                  mr_xml_attribute_place(child, value),
                                  zone,
                                  host};
        MR_TRY(read_one(r, &prop, &rack));
    }
    return rack.is_there ? end_rack(r, &rack, zone, host) : MR_OK;
}

/* ---- references ---- */

/* A domain that "nvl.domain" names and nobody declares. */
static mr_status make_domain(struct mr_read *r, const struct mr_read_pending *pending,
                             struct mr_str name, uint32_t *index)
{
    struct mr_domain domain = r->defaults.form[MR_PROP_DOMAIN].domain;
    const struct mr_rack_card *card =
        mr_read_rack_card(r, r->site->rack[pending->index].card, pending->at);
    MR_TRY(mr_intern_add(&r->names[MR_PROP_DOMAIN], name, index, NULL));
    domain.name = mr_read_keep(r, name);
    if (domain.name == NULL)
        return MR_NOMEM;
    domain.n_package = 0; /* its racks add theirs */
    if (card != NULL) {
        domain.generation = card->nvlink_generation;
        domain.bandwidth_bytes_s = card->nvlink_bytes_s;
        domain.latency_s = card->nvlink_latency_s / 2; /* to the switch, and from it */
        domain.is_optical = card->nvlink_media == MR_RACK_MEDIA_OPTICAL;
    }
    return PUSH(r, domain, domain);
}

static mr_status resolve_name(struct mr_read *r, const struct mr_read_pending *pending,
                              struct mr_str name, uint32_t *index)
{
    const struct mr_prop_ref *ref = pending->ref;
    const struct mr_intern *names = &r->names[ref->target];
    char quoted[MR_QUOTE_CAP], subject[MR_QUOTE_CAP], hint[128];
    *index = mr_intern_find(names, name);
    if (*index != MR_INTERN_NONE)
        return MR_OK;
    if (pending->is_made)
        return make_domain(r, pending, name, index);
    MR_READ_ERROR(
        r, MR_REF, pending->at, "%s \"%s\": %s \"%s\": there is no such %s%s",
        mr_prop_kind_name(ref->kind),
        mr_text_quote(mr_str_of(mr_prop_name(r->site, ref->kind, pending->index)), subject),
        ref->key, mr_text_quote(name, quoted), mr_prop_kind_name(ref->target),
        mr_read_hint(r, names, name, hint));
    *index = MR_SITE_NONE;
    return MR_OK;
}

static mr_status resolve(struct mr_read *r, const struct mr_read_pending *pending)
{
    const struct mr_prop_ref *ref = pending->ref;
    struct mr_str rest = mr_str_trim(mr_str_of(pending->text));
    char quoted[MR_QUOTE_CAP];
    for (uint32_t k = 0; rest.n > 0; k++) {
        size_t n = 0;
        uint32_t index;
        while (n < rest.n && !mr_char_is_space(rest.p[n]))
            n++;
        if (k == ref->n_max) {
            MR_READ_ERROR(
                r, MR_SCHEMA, pending->at, "%s \"%s\": %s: more than %u name%s",
                mr_prop_kind_name(ref->kind),
                mr_text_quote(mr_str_of(mr_prop_name(r->site, ref->kind, pending->index)), quoted),
                ref->key, ref->n_max, ref->n_max > 1 ? "s" : "");
            return MR_OK;
        }
        MR_TRY(resolve_name(r, pending, (struct mr_str){rest.p, n}, &index));
        char *entity = entity_of(r->site, ref->kind, pending->index);
        memcpy(entity + ref->index_offset + k * sizeof index, &index, sizeof index);
        rest = mr_str_trim((struct mr_str){rest.p + n, rest.n - n});
    }
    return MR_OK;
}

mr_status mr_read_references(struct mr_read *r)
{
    for (size_t i = 0; i < r->n_pending; i++)
        MR_TRY(resolve(r, &r->pending[i]));
    return MR_OK;
}
