/* SPDX-License-Identifier: Apache-2.0 */
/* The document, its settings and the tree of zones. SimGrid's own parser is stricter than XML: it
 * wants a fixed order of elements, knows every attribute, and aborts at the first surprise; the
 * tables here are its content model.
 * Map: helpers - attributes - settings - zones - platform. */
#include "platforms/read.h"

#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "platforms/read_impl.h"

#include <stdio.h>
#include <strings.h>

enum {
    hint_names_max = 4096 /* names looked through for a hint */
};

static const char *const routings[] = {
    [MR_READ_FULL] = "Full",         [MR_READ_FLOYD] = "Floyd",
    [MR_READ_DIJKSTRA] = "Dijkstra", [MR_READ_DIJKSTRA_CACHE] = "DijkstraCache",
    [MR_READ_NONE] = "None",         [MR_READ_CLUSTER] = "Cluster",
    [MR_READ_VIVALDI] = "Vivaldi",   [MR_READ_WIFI] = "Wifi",
};

const char *mr_read_routing_name(int routing)
{
    return routings[routing];
}

/* ---- helpers ---- */

struct mr_place mr_read_place(const struct mr_xml_node *node, const char *attribute)
{
    const struct mr_xml_attribute *found = mr_xml_attribute(node, attribute);
    return found != NULL ? mr_xml_attribute_place(node, found) : mr_xml_place(node);
}

const char *mr_read_value(const struct mr_xml_node *node, const char *attribute,
                          const char *fallback)
{
    const char *value = mr_xml_value(node, attribute);
    return value != NULL ? value : fallback;
}

const char *mr_read_keep(struct mr_read *r, struct mr_str text)
{
    return mr_arena_text(&r->site->arena, text, NULL);
}

const char *mr_read_hint(struct mr_read *r, const struct mr_intern *names, struct mr_str word,
                         char out[128])
{
    const size_t n = names->n < hint_names_max ? names->n : hint_names_max;
    out[0] = '\0';
    if (r->diags->n_error >= MR_DIAGS_CAP)
        return out;
    const char **list = mr_alloc(n, sizeof *list);
    if (list == NULL)
        return out;
    for (size_t i = 0; i < n; i++)
        list[i] = mr_intern_text(names, (uint32_t)i);
    mr_text_hint(word, list, n, out, 128);
    mr_free(list);
    return out;
}

void mr_read_empty(struct mr_read *r, const struct mr_xml_node *node)
{
    char quoted[MR_QUOTE_CAP];
    if (node->child != NULL)
        MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(node->child), "<%s> cannot stand in <%s>",
                      mr_text_quote(mr_str_of(node->child->name), quoted), node->name);
    if (node->text[0] != '\0')
        MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(node), "<%s>: no text is allowed", node->name);
}

/* ---- attributes ---- */

static bool is_among(const char *name, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static void unknown_attribute(struct mr_read *r, const struct mr_xml_node *node,
                              const struct mr_xml_attribute *attribute,
                              const struct mr_read_shape *shape)
{
    const char *names[32];
    char quoted[MR_QUOTE_CAP], hint[96];
    size_t n = 0;
    for (size_t i = 0; shape->required[i] != NULL; i++)
        names[n++] = shape->required[i];
    for (size_t i = 0; shape->optional[i] != NULL; i++)
        names[n++] = shape->optional[i];
    mr_text_hint(mr_str_of(attribute->name), names, n, hint, sizeof hint);
    MR_READ_ERROR(r, MR_SCHEMA, mr_xml_attribute_place(node, attribute),
                  "<%s>: unknown attribute \"%s\"%s", node->name,
                  mr_text_quote(mr_str_of(attribute->name), quoted), hint);
}

bool mr_read_attributes(struct mr_read *r, const struct mr_xml_node *node,
                        const struct mr_read_shape *shape)
{
    uint32_t n_required = 0, n_found = 0;
    for (uint32_t i = 0; i < node->n_attribute; i++) {
        const struct mr_xml_attribute *attribute = &node->attribute[i];
        if (is_among(attribute->name, shape->required))
            n_found++;
        else if (!is_among(attribute->name, shape->optional) &&
                 !(r->has_includes && strncmp(attribute->name, "xmlns", 5) == 0))
            unknown_attribute(r, node, attribute, shape);
    }
    while (shape->required[n_required] != NULL)
        n_required++;
    char quoted[MR_QUOTE_CAP];
    for (size_t i = 0; n_found < n_required && shape->required[i] != NULL; i++)
        if (mr_xml_attribute(node, shape->required[i]) == NULL)
            MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(node), "%s \"%s\": has no %s", node->name,
                          mr_text_quote(mr_str_of(mr_read_value(node, "id", "")), quoted),
                          shape->required[i]);
    return n_found == n_required;
}

/* ---- settings ---- */

enum setting {
    TEXT,
    NUMBER,
    WHOLE,
    YES_NO
};

/* SimGrid 3.32's own list; smpi/ and tracing/ are looked at by their first part only. */
static const struct {
    const char *name;
    enum setting kind;
} settings[] = {
    {"bmf/max-iterations", WHOLE},
    {"bmf/precision", NUMBER},
    {"contexts/factory", TEXT},
    {"contexts/guard-size", WHOLE},
    {"contexts/nthreads", WHOLE},
    {"contexts/stack-size", WHOLE},
    {"contexts/synchro", TEXT},
    {"cpu/maxmin-selective-update", YES_NO},
    {"cpu/model", TEXT},
    {"cpu/optim", TEXT},
    {"cpu/solver", TEXT},
    {"debug/clean-atexit", YES_NO},
    {"debug/verbose-exit", YES_NO},
    {"disk/model", TEXT},
    {"disk/solver", TEXT},
    {"exception/cutpath", YES_NO},
    {"host/model", TEXT},
    {"host/solver", TEXT},
    {"maxmin/concurrency-limit", WHOLE},
    {"maxmin/precision", NUMBER},
    {"network/TCP-gamma", NUMBER},
    {"network/bandwidth-factor", TEXT},
    {"network/crosstraffic", YES_NO},
    {"network/latency-factor", TEXT},
    {"network/loopback-bw", NUMBER},
    {"network/loopback-lat", NUMBER},
    {"network/maxmin-selective-update", YES_NO},
    {"network/model", TEXT},
    {"network/optim", TEXT},
    {"network/solver", TEXT},
    {"network/weight-S", NUMBER},
    {"path", TEXT},
    {"plugin", TEXT},
    {"surf/precision", NUMBER},
    {"tracing", YES_NO},
};

enum {
    n_setting = sizeof settings / sizeof *settings
};

static bool is_setting(enum setting kind, struct mr_str text)
{
    static const char *const words[] = {"yes", "no", "on", "off", "true", "false", "1", "0"};
    double number;
    int64_t whole;
    switch (kind) {
    case TEXT:
        return true;
    case NUMBER:
        return mr_num_parse_f64(text, &number) == MR_OK;
    case WHOLE:
        return mr_num_parse_i64(text, &whole) == MR_OK && whole >= INT32_MIN && whole <= INT32_MAX;
    case YES_NO:
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (mr_str_eq_nocase(text, mr_str_of(words[i])))
                return true;
        return false;
    }
    return false;
}

/* Plain max-min sharing: cross traffic and the TCP window would slow a single flow below its link.
 * Another value is legal and is overruled when SimGrid is started. */
static void check_required(struct mr_read *r, const struct mr_xml_node *node, const char *name,
                           const char *value)
{
    static const char *const required[][2] = {
        {"network/model", "CM02"}, {"network/crosstraffic", "no"}, {"network/TCP-gamma", "0"}};
    static const char *const models[] = {"CM02", "LV08", "Constant", "SMPI", "IB", NULL};
    char quoted[MR_QUOTE_CAP];
    if (strcmp(name, "network/model") == 0 && !is_among(value, models)) {
        MR_READ_ERROR(r, MR_RANGE, mr_read_place(node, "value"),
                      "network/model \"%s\": SimGrid has no such model (CM02 is what is needed)",
                      mr_text_quote(mr_str_of(value), quoted));
        return;
    }
    for (size_t i = 0; i < 3; i++)
        if (strcmp(name, required[i][0]) == 0 && strcmp(value, required[i][1]) != 0)
            MR_READ_WARNING(r, MR_RANGE, mr_read_place(node, "value"),
                            "%s \"%s\": Millrace sets %s", name,
                            mr_text_quote(mr_str_of(value), quoted), required[i][1]);
}

static void check_setting(struct mr_read *r, const struct mr_xml_node *node)
{
    const char *name = mr_xml_value(node, "id"), *value = mr_xml_value(node, "value");
    const char *names[n_setting];
    char quoted[MR_QUOTE_CAP], hint[96];
    size_t i = 0;
    if (strncmp(name, "smpi/", 5) == 0 || strncmp(name, "tracing/", 8) == 0)
        return;
    while (i < n_setting && strcmp(settings[i].name, name) != 0)
        i++;
    if (i == n_setting) {
        for (i = 0; i < n_setting; i++)
            names[i] = settings[i].name;
        mr_text_hint(mr_str_of(name), names, n_setting, hint, sizeof hint);
        MR_READ_ERROR(r, MR_SCHEMA, mr_read_place(node, "id"), "config: unknown setting \"%s\"%s",
                      mr_text_quote(mr_str_of(name), quoted), hint);
    } else if (!is_setting(settings[i].kind, mr_str_of(value))) {
        MR_READ_ERROR(r, MR_RANGE, mr_read_place(node, "value"), "config: %s \"%s\": not %s", name,
                      mr_text_quote(mr_str_of(value), quoted),
                      settings[i].kind == YES_NO ? "yes or no" : "a number");
    } else {
        check_required(r, node, name, value);
    }
}

static void read_config(struct mr_read *r, const struct mr_xml_node *node)
{
    static const char *const none[] = {NULL}, *const id[] = {"id", NULL},
                             *const both[] = {"id", "value", NULL};
    (void)mr_read_attributes(r, node, &(struct mr_read_shape){none, id});
    for (const struct mr_xml_node *child = node->child; child != NULL; child = child->next) {
        if (strcmp(child->name, "prop") != 0)
            MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(child), "only <prop> can stand in a config");
        else if (mr_read_attributes(r, child, &(struct mr_read_shape){both, none}))
            check_setting(r, child);
    }
}

/* ---- zones ---- */

mr_status mr_read_new_zone(struct mr_read *r, const struct mr_xml_node *node, const char *name,
                           int routing, uint32_t parent, uint32_t *index)
{
    struct mr_site *site = r->site;
    const size_t n = site->n_zone;
    uint32_t id;
    MR_TRY(mr_grow(&site->zone, &site->cap_zone, n + 1, sizeof *site->zone, NULL));
    MR_TRY(mr_grow(&r->zone, &r->cap_zone, n + 1, sizeof *r->zone, NULL));
    MR_TRY(mr_intern_add(&r->zone_names, mr_str_of(name), &id, NULL));
    if (id < n) {
        char quoted[MR_QUOTE_CAP];
        MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(node),
                      "%s \"%s\": there is a zone of this name already", node->name,
                      mr_text_quote(mr_str_of(name), quoted));
        /* ids stay indices: the second one gets a name nobody can write */
        const uint32_t other[] = {0, (uint32_t)n};
        MR_TRY(mr_intern_add(&r->zone_names, (struct mr_str){(const char *)other, sizeof other},
                             &id, NULL));
    }
    site->zone[n] = (struct mr_zone){name, routings[routing], parent, node->line};
    r->zone[n] = (struct mr_read_zone){.at = mr_xml_place(node),
                                       .routing = routing,
                                       .rack = MR_SITE_NONE,
                                       .row = MR_SITE_NONE,
                                       .hall = MR_SITE_NONE,
                                       .busway = MR_SITE_NONE,
                                       .loop = MR_SITE_NONE,
                                       .uplink = MR_SITE_NONE,
                                       .last = (uint32_t)n};
    site->n_zone++;
    *index = (uint32_t)n;
    return MR_OK;
}

static mr_status read_zone(struct mr_read *r, const struct mr_xml_node *node, uint32_t parent);

/* What a zone holds: zones and what counts as such, or hosts and their like; never both. */
enum content {
    EITHER,
    ZONES,
    HOSTS
};

enum phase {
    PROPS,
    PARTS,
    ROUTES,
    ANYWHERE
};

static const struct {
    const char *name;
    enum phase phase;
    enum content content;
    mr_status (*read)(struct mr_read *r, const struct mr_xml_node *node, uint32_t zone);
} parts[] = {
    {"route", ROUTES, HOSTS, mr_read_route},
    {"link", PARTS, EITHER, mr_read_link},
    {"host", PARTS, HOSTS, mr_read_host},
    {"router", PARTS, HOSTS, mr_read_router},
    {"prop", PROPS, EITHER, NULL},
    {"host_link", PARTS, HOSTS, mr_read_host_link},
    {"zone", PARTS, ZONES, read_zone},
    {"AS", PARTS, ZONES, read_zone},
    {"zoneRoute", ROUTES, ZONES, mr_read_zone_route},
    {"ASroute", ROUTES, ZONES, mr_read_zone_route},
    {"cluster", PARTS, ZONES, mr_read_cluster},
    {"cabinet", PARTS, HOSTS, mr_read_cabinet},
    {"peer", PARTS, ZONES, mr_read_peer},
    {"backbone", PARTS, EITHER, mr_read_backbone},
    {"bypassRoute", ROUTES, HOSTS, mr_read_route},
    {"bypassZoneRoute", ROUTES, ZONES, mr_read_zone_route},
    {"bypassASroute", ROUTES, ZONES, mr_read_zone_route},
    {"trace", ANYWHERE, EITHER, mr_read_trace},
    {"trace_connect", ANYWHERE, EITHER, mr_read_trace},
};

enum {
    n_part = sizeof parts / sizeof *parts
};

static void unknown_element(struct mr_read *r, const struct mr_xml_node *node, const char *where)
{
    const char *names[n_part];
    char quoted[MR_QUOTE_CAP], hint[96];
    mr_text_quote(mr_str_of(node->name), quoted);
    if (strcmp(node->name, "include") == 0) {
        MR_READ_ERROR(
            r, MR_SCHEMA, mr_xml_place(node),
            "<include>: SimGrid has removed it: use XInclude, <xi:include href=\"...\"/>");
        return;
    }
    if (strncmp(node->name, "storage", 7) == 0) {
        MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(node), "<%s>: SimGrid has removed it: use <disk>",
                      quoted);
        return;
    }
    for (size_t i = 0; i < n_part; i++)
        names[i] = parts[i].name;
    mr_text_hint(mr_str_of(node->name), names, n_part, hint, sizeof hint);
    MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(node), "<%s> cannot stand in %s%s", quoted, where,
                  hint);
}

/* Where the reading of a zone's children stands. */
struct progress {
    enum phase phase;
    enum content content;
    const char *decided_by; /* first element that said what the zone holds */
    bool has_link;          /* before anything said so */
};

static bool is_in_order(struct mr_read *r, const struct mr_xml_node *node, uint32_t zone, size_t i,
                        struct progress *progress)
{
    char quoted[MR_QUOTE_CAP];
    const char *name = mr_text_quote(mr_str_of(r->site->zone[zone].name), quoted);
    if (parts[i].content != EITHER && progress->content == EITHER) {
        progress->content = parts[i].content;
        progress->decided_by = parts[i].name;
    }
    if (parts[i].content != EITHER && parts[i].content != progress->content) {
        MR_READ_ERROR(
            r, MR_SCHEMA, mr_xml_place(node),
            "zone \"%s\": <%s> after <%s>: a zone holds zones or hosts, not both (put the "
            "hosts or routers in a zone of their own)",
            name, node->name, progress->decided_by);
        return false;
    }
    if (parts[i].phase == ANYWHERE) {
        progress->phase = progress->phase == PROPS ? PARTS : progress->phase;
        return true;
    }
    if (parts[i].phase < progress->phase) {
        MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(node),
                      "zone \"%s\": <%s> after %s: the order is props, then %s and links, then "
                      "routes",
                      name, node->name, progress->phase == ROUTES ? "a route" : "other elements",
                      progress->content == ZONES ? "zones" : "hosts");
        return false;
    }
    if (progress->has_link && parts[i].content == ZONES && parts[i].phase == PARTS) {
        MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(node),
                      "zone \"%s\": <%s> after a link: zones come before the first link", name,
                      node->name);
        return false;
    }
    if (progress->content == EITHER &&
        (parts[i].read == mr_read_link || parts[i].read == mr_read_backbone))
        progress->has_link = true;
    progress->phase = parts[i].phase;
    return true;
}

static mr_status read_children(struct mr_read *r, const struct mr_xml_node *node, uint32_t zone)
{
    struct progress progress = {PROPS, EITHER, "", false};
    for (const struct mr_xml_node *child = node->child; child != NULL; child = child->next) {
        size_t i = 0;
        while (i < n_part && strcmp(parts[i].name, child->name) != 0)
            i++;
        if (i == n_part)
            unknown_element(r, child, "a zone");
        else if (is_in_order(r, child, zone, i, &progress) && parts[i].read != NULL)
            MR_TRY(parts[i].read(r, child, zone));
    }
    return MR_OK;
}

static void check_access_point(struct mr_read *r, const struct mr_xml_node *node)
{
    for (const struct mr_xml_node *prop = mr_xml_child(node, "prop"); prop != NULL;
         prop = mr_xml_next(prop, "prop")) {
        const struct mr_str name = mr_str_of(mr_read_value(prop, "value", ""));
        char quoted[MR_QUOTE_CAP];
        if (strcmp(mr_read_value(prop, "id", ""), "access_point") == 0 &&
            mr_intern_find(&r->node_names, name) == MR_INTERN_NONE)
            MR_READ_ERROR(r, MR_REF, mr_read_place(prop, "value"),
                          "access_point \"%s\": no host or router of this name",
                          mr_text_quote(name, quoted));
    }
}

static mr_status read_zone(struct mr_read *r, const struct mr_xml_node *node, uint32_t parent)
{
    static const char *const required[] = {"id", "routing", NULL}, *const none[] = {NULL};
    char quoted[MR_QUOTE_CAP], hint[96];
    uint32_t zone;
    if (!mr_read_attributes(r, node, &(struct mr_read_shape){required, none}))
        return MR_OK;
    const char *routing = mr_xml_value(node, "routing");
    int kind = 0;
    while (kind < MR_READ_N_ROUTING && strcasecmp(routings[kind], routing) != 0)
        kind++;
    if (kind == MR_READ_N_ROUTING) {
        mr_text_hint(mr_str_of(routing), routings, MR_READ_N_ROUTING, hint, sizeof hint);
        MR_READ_ERROR(r, MR_RANGE, mr_read_place(node, "routing"),
                      "zone \"%s\": unknown routing%s%s",
                      mr_text_quote(mr_str_of(mr_xml_value(node, "id")), quoted),
                      hint[0] == '\0' ? ": expected Full, Floyd, Dijkstra, DijkstraCache, None, "
                                        "Cluster, Vivaldi or Wifi"
                                      : "",
                      hint);
        kind = MR_READ_FULL;
    }
    if (node->text[0] != '\0')
        MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(node), "zone \"%s\": no text is allowed",
                      mr_text_quote(mr_str_of(mr_xml_value(node, "id")), quoted));
    const char *name = mr_read_keep(r, mr_str_of(mr_xml_value(node, "id")));
    if (name == NULL)
        return MR_NOMEM;
    MR_TRY(mr_read_new_zone(r, node, name, kind, parent, &zone));
    MR_TRY(mr_read_props(r, node, zone, MR_SITE_NONE));
    MR_TRY(read_children(r, node, zone));
    r->zone[zone].last = (uint32_t)r->site->n_zone - 1;
    if (kind == MR_READ_WIFI)
        check_access_point(r, node);
    return MR_OK;
}

/* ---- platform ---- */

static void check_version(struct mr_read *r, const struct mr_xml_node *root)
{
    static const char *const required[] = {"version", NULL}, *const none[] = {NULL};
    double version = 0;
    char quoted[MR_QUOTE_CAP];
    if (!mr_read_attributes(r, root, &(struct mr_read_shape){required, none}))
        return;
    const struct mr_str text = mr_str_of(mr_xml_value(root, "version"));
    if (mr_num_parse_f64(text, &version) != MR_OK || version < 4 || version > 4.1)
        MR_READ_ERROR(r, MR_RANGE, mr_read_place(root, "version"),
                      "platform: version \"%s\": SimGrid reads 4 and 4.1 (older files: "
                      "simgrid_update_xml)",
                      mr_text_quote(text, quoted));
}

/* SimGrid never fetches the DTD but insists on being shown one of two addresses. */
static void check_doctype(struct mr_read *r, const struct mr_xml_doc *doc)
{
    static const char *const known[] = {"https://simgrid.org/simgrid.dtd",
                                        "http://simgrid.gforge.inria.fr/simgrid/simgrid.dtd", NULL};
    const char *doctype = mr_xml_doctype(doc);
    if (doctype != NULL && is_among(doctype, known))
        return;
    MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(mr_xml_root(doc)),
                  "platform: %s: SimGrid wants <!DOCTYPE platform SYSTEM \"%s\"> before it",
                  doctype == NULL ? "no DOCTYPE" : "another DOCTYPE", known[0]);
}

static mr_status read_platform(struct mr_read *r, const struct mr_xml_doc *doc)
{
    const struct mr_xml_node *root = mr_xml_root(doc);
    char quoted[MR_QUOTE_CAP];
    if (strcmp(root->name, "platform") != 0) {
        MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(root),
                      "this is a <%s>, a <platform> of SimGrid is expected",
                      mr_text_quote(mr_str_of(root->name), quoted));
        return MR_OK;
    }
    check_doctype(r, doc);
    check_version(r, root);
    if (root->text[0] != '\0')
        MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(root), "platform: no text is allowed");
    for (const struct mr_xml_node *child = root->child; child != NULL; child = child->next) {
        const char *name = child->name;
        const bool is_zone = strcmp(name, "zone") == 0 || strcmp(name, "AS") == 0,
                   is_cluster = strcmp(name, "cluster") == 0;
        if ((is_zone || is_cluster) && r->site->n_zone > 0)
            MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(child),
                          "<%s> beside the outermost zone: there is one, put both inside it", name);
        else if (is_zone)
            MR_TRY(read_zone(r, child, MR_SITE_NONE));
        else if (is_cluster)
            MR_TRY(mr_read_cluster(r, child, MR_SITE_NONE));
        else if (strcmp(name, "config") == 0 && r->site->n_zone == 0)
            read_config(r, child);
        else if (strcmp(name, "config") == 0)
            MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(child), "<config> after the zone");
        else if (strcmp(name, "trace") == 0 || strcmp(name, "trace_connect") == 0)
            MR_TRY(mr_read_trace(r, child, 0));
        else if (strcmp(name, "actor") == 0 || strcmp(name, "process") == 0)
            MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(child),
                          "<%s>: Millrace runs no actors of yours: a platform holds places only",
                          name);
        else
            unknown_element(r, child, "a platform");
    }
    if (r->site->n_zone == 0 && r->diags->n_error == 0)
        MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(root), "platform: has no zone");
    return MR_OK;
}

static void reader_fini(struct mr_read *r)
{
    mr_intern_fini(&r->zone_names);
    mr_intern_fini(&r->node_names);
    mr_intern_fini(&r->link_names);
    mr_intern_fini(&r->trace_names);
    mr_intern_fini(&r->route_names);
    for (int kind = 0; kind < MR_N_PROP; kind++)
        mr_intern_fini(&r->names[kind]);
    mr_free(r->node);
    mr_free(r->zone);
    mr_free(r->pending);
    mr_library_destroy(r->library);
}

static mr_status read_all(struct mr_read *r, const struct mr_xml_doc *doc, const char *path)
{
    r->site->path = mr_read_keep(r, mr_str_of(path));
    if (r->site->path == NULL)
        return MR_NOMEM;
    r->folder = r->site->path;
    r->has_includes = mr_xml_n_file(doc) > 1;
    mr_prop_defaults(&r->defaults);
    memcpy(r->form, r->defaults.form, sizeof r->form);
    memcpy(r->origin, r->defaults.origin, sizeof r->origin);
    MR_TRY(read_platform(r, doc));
    if (r->site->n_zone == 0)
        return MR_OK;
    return mr_read_finish(r);
}

static mr_status read_document(struct mr_xml_doc *doc, const char *path, struct mr_site **out,
                               struct mr_diags *diags)
{
    const size_t n_error = diags->n_error;
    struct mr_err err = {0};
    struct mr_read r = {.site = mr_site_create(&err), .diags = diags};
    mr_status st = r.site != NULL ? read_all(&r, doc, path) : MR_NOMEM;
    if (st == MR_NOMEM)
        (void)mr_err_nomem(&err, 0);
    (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    if (st == MR_OK && diags->n_error > n_error)
        st = diags->first_error;
    reader_fini(&r);
    mr_xml_destroy(doc);
    if (st != MR_OK) {
        mr_site_destroy(r.site);
        r.site = NULL;
    }
    *out = r.site;
    return st;
}

static const struct mr_xml_options options = {.xinclude = true};

mr_status mr_read_site(const char *path, struct mr_site **out, struct mr_diags *diags)
{
    struct mr_xml_doc *doc;
    struct mr_err err = {0};
    *out = NULL;
    if (mr_xml_load(path, &options, &doc, &err) != MR_OK)
        return mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    return read_document(doc, path, out, diags);
}

mr_status mr_read_site_text(const char *name, struct mr_str text, struct mr_site **out,
                            struct mr_diags *diags)
{
    struct mr_xml_doc *doc;
    struct mr_err err = {0};
    *out = NULL;
    if (mr_xml_load_text(name, text, &options, &doc, &err) != MR_OK)
        return mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    return read_document(doc, name, out, diags);
}
