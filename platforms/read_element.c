/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts, routers, links, traces: what a zone lists one by one and what its routes (read_route.c) go
 * over. Map: values - adding - hosts and routers - links - traces. */
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "platforms/read_impl.h"
#include "platforms/sgunit.h"

#include <stdio.h>
#include <unistd.h>

/* ---- values ---- */

static const char *subject(const struct mr_xml_node *node, const char *attribute, char out[320])
{
    char name[MR_QUOTE_CAP], value[MR_QUOTE_CAP];
    snprintf(out, 320, "%s \"%s\": %s \"%s\"", node->name,
             mr_text_quote(mr_str_of(mr_read_value(node, "id", "")), name), attribute,
             mr_text_quote(mr_str_of(mr_read_value(node, attribute, "")), value));
    return out;
}

/* The message is made only when there is something to say: files have many values. */
static bool parse(struct mr_read *r, const struct mr_xml_node *node, const char *attribute,
                  struct mr_str text, enum mr_quantity q, double *value)
{
    char start[320];
    bool has_unit;
    const struct mr_place at = mr_read_place(node, attribute);
    if (mr_sgunit_parse(text, q, "", at, value, &has_unit, NULL) == MR_OK) {
        if (!has_unit && *value != 0 && !r->has_told_units) {
            MR_READ_WARNING(r, MR_UNIT, at, "%s: no unit: taken as %s (told once)",
                            subject(node, attribute, start), mr_unit_quantity_base(q));
            r->has_told_units = true;
        }
        return true;
    }
    struct mr_err err = {0};
    const mr_status st =
        mr_sgunit_parse(text, q, subject(node, attribute, start), at, value, &has_unit, &err);
    (void)mr_diags_add_err(r->diags, MR_SEVERITY_ERROR, &err);
    return st == MR_OK;
}

double mr_read_quantity(struct mr_read *r, const struct mr_xml_node *node, const char *attribute,
                        enum mr_quantity q, bool may_be_zero)
{
    char start[320];
    double value = 0;
    if (!parse(r, node, attribute, mr_str_of(mr_read_value(node, attribute, "")), q, &value))
        return 0;
    if (value < 0 || (value == 0 && !may_be_zero))
        MR_READ_ERROR(r, MR_RANGE, mr_read_place(node, attribute), "%s: out of range: %s 0",
                      subject(node, attribute, start), may_be_zero ? ">=" : ">");
    return value;
}

size_t mr_read_speeds(struct mr_read *r, const struct mr_xml_node *node, double *first_flop_s)
{
    struct mr_str rest = mr_str_of(mr_read_value(node, "speed", ""));
    char start[320];
    size_t n = 0;
    for (bool is_last = false; !is_last; n++) {
        const char *comma = memchr(rest.p, ',', rest.n);
        const size_t len = comma != NULL ? (size_t)(comma - rest.p) : rest.n;
        double value = 0;
        is_last = comma == NULL;
        if (!parse(r, node, "speed", mr_str_trim((struct mr_str){rest.p, len}), MR_Q_FLOP_RATE,
                   &value))
            return 0;
        if (!(value > 0)) {
            MR_READ_ERROR(r, MR_RANGE, mr_read_place(node, "speed"), "%s: out of range: > 0",
                          subject(node, "speed", start));
            return 0;
        }
        if (n == 0)
            *first_flop_s = value;
        if (!is_last)
            rest = (struct mr_str){comma + 1, rest.n - len - 1};
    }
    return n;
}

bool mr_read_count(struct mr_read *r, const struct mr_xml_node *node, const char *attribute,
                   const char *fallback, uint64_t *value)
{
    char start[320];
    const struct mr_str text = mr_str_of(mr_read_value(node, attribute, fallback));
    if (mr_num_parse_u64(text, value) == MR_OK && *value <= INT32_MAX)
        return true;
    MR_READ_ERROR(r, MR_RANGE, mr_read_place(node, attribute), "%s: not a whole number",
                  subject(node, attribute, start));
    return false;
}

/* A profile that is not there makes SimGrid abort. It looks beside the platform and in the current
 * folder. */
static mr_status check_file(struct mr_read *r, const struct mr_xml_node *node,
                            const char *attribute)
{
    const char *file = mr_read_value(node, attribute, "");
    char start[320];
    struct mr_buf path = {0};
    if (file[0] == '\0')
        return MR_OK;
    mr_file_join(r->folder, file, &path);
    if (path.status == MR_OK && access(path.text, R_OK) != 0 && access(file, R_OK) != 0)
        MR_READ_ERROR(r, MR_IO, mr_read_place(node, attribute), "%s: no such file",
                      subject(node, attribute, start));
    const mr_status st = path.status;
    mr_buf_fini(&path);
    return st;
}

mr_status mr_read_files(struct mr_read *r, const struct mr_xml_node *node)
{
    static const char *const names[] = {"speed_file",     "state_file",   "availability_file",
                                        "bandwidth_file", "latency_file", "file"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        MR_TRY(check_file(r, node, names[i]));
    return MR_OK;
}

void mr_read_coordinates(struct mr_read *r, const struct mr_xml_node *node, uint32_t zone)
{
    struct mr_str rest = mr_str_of(mr_read_value(node, "coordinates", ""));
    char start[320];
    int n = 0;
    if (rest.n == 0 && r->zone[zone].routing != MR_READ_VIVALDI)
        return;
    while (rest.n > 0) { /* SimGrid splits at every single blank */
        double value;
        const size_t len = mr_num_scan_f64(rest.p, rest.n, &value);
        const size_t n_blank = len > 0 && len + 1 < rest.n && rest.p[len] == ' ';
        if (len == 0)
            break;
        rest = (struct mr_str){rest.p + len + n_blank, rest.n - len - n_blank};
        n++;
        if (n_blank == 0)
            break;
    }
    if (n != 3 || rest.n > 0)
        MR_READ_ERROR(r, MR_RANGE, mr_read_place(node, "coordinates"),
                      "%s: three numbers, a blank between each, are needed%s",
                      subject(node, "coordinates", start),
                      r->zone[zone].routing == MR_READ_VIVALDI ? " in a Vivaldi zone" : "");
}

/* ---- adding ---- */

/* Hosts and routers share one set of names. */
static mr_status add_node(struct mr_read *r, struct mr_place at, const char *kind, const char *name,
                          struct mr_read_node node)
{
    const size_t n = r->node_names.n;
    uint32_t id;
    MR_TRY(mr_intern_add(&r->node_names, mr_str_of(name), &id, NULL));
    if (id < n) {
        char quoted[MR_QUOTE_CAP];
        MR_READ_ERROR(r, MR_SCHEMA, at, "%s \"%s\": there is a %s of this name already", kind,
                      mr_text_quote(mr_str_of(name), quoted),
                      r->node[id].is_host ? "host" : "router");
        return MR_OK;
    }
    MR_TRY(mr_grow(&r->node, &r->cap_node, n + 1, sizeof *r->node, NULL));
    r->node[id] = node;
    return MR_OK;
}

mr_status mr_read_add_host(struct mr_read *r, const struct mr_read_new_host *host)
{
    struct mr_site *site = r->site;
    MR_TRY(mr_grow(&site->host, &site->cap_host, site->n_host + 1, sizeof *site->host, NULL));
    const struct mr_read_node node = {(uint32_t)site->n_host, host->zone, host->uplink, true};
    site->host[site->n_host++] = (struct mr_host){.name = host->name,
                                                  .speed = host->speed,
                                                  .speed_flop_s = host->speed_flop_s,
                                                  .n_core = host->n_core,
                                                  .zone = host->zone,
                                                  .rack = MR_SITE_NONE,
                                                  .uplink = host->uplink,
                                                  .at = {host->at.line, host->at.col}};
    return add_node(r, host->at, "host", host->name, node);
}

mr_status mr_read_add_router(struct mr_read *r, struct mr_place at, const char *name, uint32_t zone)
{
    struct mr_site *site = r->site;
    MR_TRY(
        mr_grow(&site->router, &site->cap_router, site->n_router + 1, sizeof *site->router, NULL));
    const struct mr_read_node node = {(uint32_t)site->n_router, zone, MR_SITE_NONE, false};
    if (mr_intern_find(&r->zone_names, mr_str_of(name)) != MR_INTERN_NONE) {
        char quoted[MR_QUOTE_CAP];
        MR_READ_ERROR(r, MR_SCHEMA, at, "router \"%s\": there is a zone of this name already",
                      mr_text_quote(mr_str_of(name), quoted));
    }
    site->router[site->n_router++] = (struct mr_site_router){name, zone};
    return add_node(r, at, "router", name, node);
}

bool mr_read_half_name(const char *name, struct mr_str *base, int *direction)
{
    static const struct {
        const char *suffix;
        int direction;
    } ends[] = {{"_UP", MR_LINK_UP}, {"_DOWN", MR_LINK_DOWN}};
    const size_t n = strlen(name);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        const size_t n_suffix = strlen(ends[i].suffix);
        if (n > n_suffix && strcmp(name + n - n_suffix, ends[i].suffix) == 0) {
            *base = (struct mr_str){name, n - n_suffix};
            *direction = ends[i].direction;
            return true;
        }
    }
    return false;
}

/* Is there a link with a name that a split link of this name takes? */
static bool is_half_taken(const struct mr_read *r, const char *name)
{
    static const char *const suffixes[] = {"_UP", "_DOWN"};
    char half[1024];
    bool is_found = false;
    for (size_t i = 0; i < 2 && !is_found; i++) {
        const int n = snprintf(half, sizeof half, "%s%s", name, suffixes[i]);
        is_found = n < (int)sizeof half &&
                   mr_intern_find(&r->link_names, mr_str_of(half)) != MR_INTERN_NONE;
    }
    return is_found;
}

static bool is_taken(const struct mr_read *r, const struct mr_link *link)
{
    struct mr_str base;
    int direction;
    if (mr_intern_find(&r->link_names, mr_str_of(link->name)) != MR_INTERN_NONE ||
        (link->is_split && is_half_taken(r, link->name)))
        return true;
    if (link->is_split || !mr_read_half_name(link->name, &base, &direction))
        return false;
    const uint32_t split = mr_intern_find(&r->link_names, base);
    return split != MR_INTERN_NONE && r->site->link[split].is_split;
}

mr_status mr_read_add_link(struct mr_read *r, struct mr_place at, struct mr_link link,
                           uint32_t *index)
{
    struct mr_site *site = r->site;
    char quoted[MR_QUOTE_CAP];
    if (is_taken(r, &link)) {
        MR_READ_ERROR(r, MR_SCHEMA, at, "link \"%s\": there is a link of this name already",
                      mr_text_quote(mr_str_of(link.name), quoted));
        return MR_OK;
    }
    MR_TRY(mr_grow(&site->link, &site->cap_link, site->n_link + 1, sizeof *site->link, NULL));
    MR_TRY(mr_intern_add(&r->link_names, mr_str_of(link.name), index, NULL));
    site->link[site->n_link++] = link;
    return MR_OK;
}

/* ---- hosts and routers ---- */

static mr_status check_disk(struct mr_read *r, const struct mr_xml_node *node)
{
    const struct mr_read_shape shape = {MR_READ_NAMES("read_bw", "write_bw"), MR_READ_NAMES("id")};
    if (!mr_read_attributes(r, node, &shape))
        return MR_OK;
    (void)mr_read_quantity(r, node, "read_bw", MR_Q_DATA_RATE, true);
    (void)mr_read_quantity(r, node, "write_bw", MR_Q_DATA_RATE, true);
    for (const struct mr_xml_node *child = node->child; child != NULL; child = child->next)
        if (strcmp(child->name, "prop") != 0)
            MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(child), "only <prop> can stand in a disk");
    return MR_OK;
}

static mr_status check_host_children(struct mr_read *r, const struct mr_xml_node *node)
{
    for (const struct mr_xml_node *child = node->child; child != NULL; child = child->next) {
        if (strcmp(child->name, "prop") == 0)
            continue;
        if (strcmp(child->name, "disk") == 0) {
            MR_TRY(check_disk(r, child));
            continue;
        }
        char quoted[MR_QUOTE_CAP];
        MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(child), "<%s> cannot stand in a host%s",
                      mr_text_quote(mr_str_of(child->name), quoted),
                      strcmp(child->name, "mount") == 0 ? ": SimGrid has removed it" : "");
    }
    return MR_OK;
}

mr_status mr_read_host(struct mr_read *r, const struct mr_xml_node *node, uint32_t zone)
{
    const struct mr_read_shape shape = {MR_READ_NAMES("id", "speed"),
                                        MR_READ_NAMES("core", "coordinates", "speed_file",
                                                      "state_file", "availability_file", "pstate")};
    struct mr_read_new_host host = {.at = mr_xml_place(node), .zone = zone, .uplink = MR_SITE_NONE};
    uint64_t state = 0;
    char start[320];
    if (!mr_read_attributes(r, node, &shape))
        return MR_OK;
    const size_t n_state = mr_read_speeds(r, node, &host.speed_flop_s);
    if (mr_read_count(r, node, "core", "1", &host.n_core) && host.n_core == 0)
        MR_READ_ERROR(r, MR_RANGE, mr_read_place(node, "core"), "%s: out of range: >= 1",
                      subject(node, "core", start));
    const struct mr_xml_attribute *pstate = mr_xml_attribute(node, "pstate");
    if (pstate != NULL && mr_read_count(r, node, "pstate", "0", &state) && n_state > 0 &&
        state >= n_state)
        MR_READ_ERROR(r, MR_RANGE, mr_read_place(node, "pstate"),
                      "%s: out of range: %zu speeds are given", subject(node, "pstate", start),
                      n_state);
    if (node->n_attribute > 2) {
        mr_read_coordinates(r, node, zone);
        MR_TRY(mr_read_files(r, node));
    } else if (r->zone[zone].routing == MR_READ_VIVALDI) {
        mr_read_coordinates(r, node, zone);
    }
    host.name = mr_read_keep(r, mr_str_of(mr_xml_value(node, "id")));
    const char *speed = mr_xml_value(node, "speed");
    /* racks repeat the text of the host before */
    const struct mr_site *site = r->site;
    host.speed = site->n_host > 0 && strcmp(site->host[site->n_host - 1].speed, speed) == 0
                     ? site->host[site->n_host - 1].speed
                     : mr_read_keep(r, mr_str_of(speed));
    if (host.name == NULL || host.speed == NULL)
        return MR_NOMEM;
    const uint32_t index = (uint32_t)site->n_host;
    MR_TRY(mr_read_add_host(r, &host));
    if (node->text[0] != '\0')
        MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(node), "<host>: no text is allowed");
    if (node->child == NULL)
        return MR_OK;
    MR_TRY(check_host_children(r, node));
    return mr_read_props(r, node, zone, index);
}

mr_status mr_read_router(struct mr_read *r, const struct mr_xml_node *node, uint32_t zone)
{
    const struct mr_read_shape shape = {MR_READ_NAMES("id"), MR_READ_NAMES("coordinates")};
    if (!mr_read_attributes(r, node, &shape))
        return MR_OK;
    mr_read_empty(r, node);
    mr_read_coordinates(r, node, zone);
    const char *name = mr_read_keep(r, mr_str_of(mr_xml_value(node, "id")));
    return name != NULL ? mr_read_add_router(r, mr_xml_place(node), name, zone) : MR_NOMEM;
}

/* ---- links ---- */

/* Wireless links: rates by distance, and what SimGrid makes of them is its own. Their names count.
 */
static mr_status wireless(struct mr_read *r, const struct mr_xml_node *node, uint32_t zone,
                          double latency_s, bool is_wifi)
{
    char quoted[MR_QUOTE_CAP];
    const char *id = mr_xml_value(node, "id");
    if (r->zone[zone].routing != MR_READ_WIFI)
        MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(node),
                      "link \"%s\": sharing_policy WIFI outside of a Wifi zone",
                      mr_text_quote(mr_str_of(id), quoted));
    if (latency_s > 0)
        MR_READ_ERROR(r, MR_RANGE, mr_read_place(node, "latency"),
                      "link \"%s\": a wireless link has no latency: 0 is needed",
                      mr_text_quote(mr_str_of(id), quoted));
    struct mr_str rest = mr_str_of(mr_xml_value(node, "bandwidth"));
    for (;;) {
        const char *comma = is_wifi ? memchr(rest.p, ',', rest.n) : NULL;
        const size_t n = comma != NULL ? (size_t)(comma - rest.p) : rest.n;
        double value;
        if (!parse(r, node, "bandwidth", mr_str_trim((struct mr_str){rest.p, n}), MR_Q_DATA_RATE,
                   &value) ||
            comma == NULL)
            break;
        rest = (struct mr_str){comma + 1, rest.n - n - 1};
    }
    return MR_OK;
}

mr_status mr_read_link(struct mr_read *r, const struct mr_xml_node *node, uint32_t zone)
{
    static const char *const policies[] = {"SHARED", "SPLITDUPLEX", "FULLDUPLEX", "FATPIPE",
                                           "WIFI"};
    const struct mr_read_shape shape = {
        MR_READ_NAMES("id", "bandwidth", "latency"),
        MR_READ_NAMES("sharing_policy", "bandwidth_file", "latency_file", "state_file")};
    if (!mr_read_attributes(r, node, &shape))
        return MR_OK;
    const char *policy = mr_read_value(node, "sharing_policy", "SHARED");
    size_t p = 0;
    while (p < 5 && strcmp(policy, policies[p]) != 0)
        p++;
    if (p == 5) {
        char start[320], hint[96];
        mr_text_hint(mr_str_of(policy), policies, 5, hint, sizeof hint);
        MR_READ_ERROR(r, MR_RANGE, mr_read_place(node, "sharing_policy"),
                      "%s: not one of SHARED, SPLITDUPLEX, FATPIPE, WIFI%s",
                      subject(node, "sharing_policy", start), hint);
    }
    for (const struct mr_xml_node *child = node->child; child != NULL; child = child->next)
        if (strcmp(child->name, "prop") != 0)
            MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(child), "only <prop> can stand in a link");
    if (node->n_attribute > 3)
        MR_TRY(mr_read_files(r, node));
    struct mr_link link = {.latency_s = mr_read_quantity(r, node, "latency", MR_Q_TIME, true),
                           .is_split = p == 1 || p == 2,
                           .is_fatpipe = p == 3,
                           .zone = zone};
    if (p == 4 || r->zone[zone].routing == MR_READ_WIFI)
        return wireless(r, node, zone, link.latency_s, p == 4);
    link.bandwidth_bytes_s = mr_read_quantity(r, node, "bandwidth", MR_Q_DATA_RATE, false);
    link.name = mr_read_keep(r, mr_str_of(mr_xml_value(node, "id")));
    uint32_t index;
    return link.name != NULL ? mr_read_add_link(r, mr_xml_place(node), link, &index) : MR_NOMEM;
}

mr_status mr_read_backbone(struct mr_read *r, const struct mr_xml_node *node, uint32_t zone)
{
    const struct mr_read_shape shape = {MR_READ_NAMES("id", "bandwidth", "latency"),
                                        MR_READ_NO_NAMES};
    if (!mr_read_attributes(r, node, &shape))
        return MR_OK;
    mr_read_empty(r, node);
    if (r->zone[zone].routing != MR_READ_CLUSTER)
        MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(node), "<backbone> outside of a Cluster zone");
    const struct mr_link link = {.name = mr_read_keep(r, mr_str_of(mr_xml_value(node, "id"))),
                                 .bandwidth_bytes_s =
                                     mr_read_quantity(r, node, "bandwidth", MR_Q_DATA_RATE, false),
                                 .latency_s = mr_read_quantity(r, node, "latency", MR_Q_TIME, true),
                                 .zone = zone};
    uint32_t index;
    return link.name != NULL ? mr_read_add_link(r, mr_xml_place(node), link, &index) : MR_NOMEM;
}

/* ---- traces ---- */

mr_status mr_read_trace(struct mr_read *r, const struct mr_xml_node *node, uint32_t zone)
{
    const struct mr_read_shape trace = {MR_READ_NAMES("id", "periodicity"), MR_READ_NAMES("file")},
                               link = {MR_READ_NAMES("trace", "element"), MR_READ_NAMES("kind")};
    char quoted[MR_QUOTE_CAP];
    uint32_t id;
    (void)zone;
    if (strcmp(node->name, "trace_connect") == 0) {
        if (!mr_read_attributes(r, node, &link))
            return MR_OK;
        const struct mr_str name = mr_str_of(mr_xml_value(node, "trace"));
        if (mr_intern_find(&r->trace_names, name) == MR_INTERN_NONE)
            MR_READ_ERROR(r, MR_REF, mr_read_place(node, "trace"),
                          "trace_connect: no trace \"%s\" is defined before this",
                          mr_text_quote(name, quoted));
        const struct mr_str element = mr_str_of(mr_xml_value(node, "element"));
        if (mr_intern_find(&r->node_names, element) == MR_INTERN_NONE &&
            mr_intern_find(&r->link_names, element) == MR_INTERN_NONE)
            MR_READ_ERROR(r, MR_REF, mr_read_place(node, "element"),
                          "trace_connect: no host or link \"%s\" is defined before this",
                          mr_text_quote(element, quoted));
        return MR_OK;
    }
    if (!mr_read_attributes(r, node, &trace))
        return MR_OK;
    if (mr_read_value(node, "file", "")[0] == '\0' && node->text[0] == '\0')
        MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(node), "trace: neither a file nor content");
    MR_TRY(mr_read_files(r, node));
    return mr_intern_add(&r->trace_names, mr_str_of(mr_xml_value(node, "id")), &id, NULL);
}
