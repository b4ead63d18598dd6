/* SPDX-License-Identifier: Apache-2.0 */
/* Elements that SimGrid expands: <cluster> (flat: hosts, links and a router by SimGrid's own
 * naming; torus, fat tree, dragonfly: their hosts), <cabinet> and <peer>. */
#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "platforms/read_impl.h"

#include <stdio.h>

/* more hosts than this in one element are a slip of the pen */
#define HOSTS_MAX 1048576u

/* ---- numbers of hosts ---- */

/* "0-3,7,9-11" */
struct radical {
    uint64_t *first, *last; /* ranges */
    size_t n, cap_first, cap_last, n_host;
};

static void radical_fini(struct radical *radical)
{
    mr_free(radical->first);
    mr_free(radical->last);
}

static void bad_radical(struct mr_read *r, const struct mr_xml_node *node, mr_status st,
                        const char *why)
{
    char id[MR_QUOTE_CAP], text[MR_QUOTE_CAP];
    MR_READ_ERROR(r, st, mr_read_place(node, "radical"), "%s \"%s\": radical \"%s\": %s",
                  node->name, mr_text_quote(mr_str_of(mr_xml_value(node, "id")), id),
                  mr_text_quote(mr_str_of(mr_xml_value(node, "radical")), text), why);
}

static bool parse_range(struct mr_str group, uint64_t *first, uint64_t *last)
{
    const char *dash = memchr(group.p, '-', group.n);
    const size_t n = dash != NULL ? (size_t)(dash - group.p) : group.n;
    if (mr_num_parse_u64(mr_str_trim((struct mr_str){group.p, n}), first) != MR_OK)
        return false;
    *last = *first;
    return dash == NULL ||
           mr_num_parse_u64(mr_str_trim((struct mr_str){dash + 1, group.n - n - 1}), last) == MR_OK;
}

/* Mistakes leave n_host 0. */
static mr_status parse_radical(struct mr_read *r, const struct mr_xml_node *node,
                               struct radical *radical)
{
    struct mr_str rest = mr_str_of(mr_xml_value(node, "radical"));
    *radical = (struct radical){0};
    for (bool is_last = false; !is_last;) {
        const char *comma = memchr(rest.p, ',', rest.n);
        const size_t n = comma != NULL ? (size_t)(comma - rest.p) : rest.n;
        uint64_t first, last;
        is_last = comma == NULL;
        if (!parse_range((struct mr_str){rest.p, n}, &first, &last) ||
            last >= INT32_MAX) { /* SimGrid counts with int and would never end */
            bad_radical(r, node, MR_PARSE, "expected numbers and ranges: 0-3,7");
            radical->n_host = 0;
            return MR_OK;
        }
        MR_TRY(mr_grow(&radical->first, &radical->cap_first, radical->n + 1, sizeof *radical->first,
                       NULL));
        MR_TRY(mr_grow(&radical->last, &radical->cap_last, radical->n + 1, sizeof *radical->last,
                       NULL));
        radical->first[radical->n] = first;
        radical->last[radical->n++] = last;
        radical->n_host += last >= first ? last - first + 1 : 0;
        if (!is_last)
            rest = (struct mr_str){comma + 1, rest.n - n - 1};
    }
    if (radical->n_host == 0)
        bad_radical(r, node, MR_RANGE, "no host at all");
    else if (radical->n_host + r->site->n_host > HOSTS_MAX) {
        bad_radical(r, node, MR_LIMIT, "more than 1,048,576 hosts");
        radical->n_host = 0;
    }
    return MR_OK;
}

/* Product of the numbers of a list such as "16,8,8"; 0 when there is anything else. */
static uint64_t product(struct mr_str list, size_t only_first)
{
    uint64_t all = 1;
    for (size_t i = 0; list.n > 0; i++) {
        const char *comma = memchr(list.p, ',', list.n);
        const size_t n = comma != NULL ? (size_t)(comma - list.p) : list.n;
        uint64_t value;
        if (mr_num_parse_u64(mr_str_trim((struct mr_str){list.p, n}), &value) != MR_OK ||
            value > HOSTS_MAX)
            return 0;
        if (i < only_first)
            all *= value;
        if (all > HOSTS_MAX)
            return HOSTS_MAX + 1u;
        if (comma == NULL)
            return all;
        list = (struct mr_str){comma + 1, list.n - n - 1};
    }
    return 0;
}

/* Part i of "a;b;c". */
static struct mr_str part(const char *text, size_t i)
{
    const char *end = strchr(text, ';');
    for (; i > 0 && end != NULL; i--) {
        text = end + 1;
        end = strchr(text, ';');
    }
    if (i > 0)
        return (struct mr_str){text, 0};
    return (struct mr_str){text, end != NULL ? (size_t)(end - text) : strlen(text)};
}

static uint64_t n_item(struct mr_str list, char separator)
{
    uint64_t n = 1;
    for (size_t i = 0; i < list.n; i++)
        n += list.p[i] == separator;
    return n;
}

/* Are these n numbers, none of them 0? */
static bool is_list(struct mr_str list, uint64_t n)
{
    return n_item(list, ',') == n && product(list, SIZE_MAX) > 0;
}

/* Hosts a topology makes of its parameters; 0 when they make no sense. */
static uint64_t topology_hosts(const char *topology, const char *text)
{
    if (strcmp(topology, "TORUS") == 0)
        return product(mr_str_of(text), SIZE_MAX);
    if (n_item(mr_str_of(text), ';') != 4)
        return 0;
    if (strcmp(topology, "FAT_TREE") == 0) { /* levels; down links; up links; parallel links */
        const uint64_t n_level = is_list(part(text, 0), 1) ? product(part(text, 0), 1) : 0;
        for (size_t i = 1; i <= 3; i++)
            if (!is_list(part(text, i), n_level))
                return 0;
        return product(part(text, 1), SIZE_MAX);
    }
    /* dragonfly: groups,links; chassis,links; routers,links; nodes */
    for (size_t i = 0; i < 4; i++)
        if (!is_list(part(text, i), i < 3 ? 2 : 1))
            return 0;
    uint64_t n = product(part(text, 3), SIZE_MAX);
    for (size_t i = 0; i < 3 && n > 0 && n <= HOSTS_MAX; i++)
        n *= product(part(text, i), 1);
    return n;
}

/* ---- clusters ---- */

/* What the attributes of one <cluster> or <cabinet> come to. */
struct cluster {
    const struct mr_xml_node *node;
    const char *id, *prefix, *suffix, *speed;
    double speed_flop_s, bytes_s, latency_s;
    double loopback_bytes_s, loopback_s, limiter_bytes_s;
    uint64_t n_core;
    bool is_split, has_loopback, has_limiter;
    uint32_t zone;
};

static const char *keep_printf(struct mr_read *r, const char *fmt, ...) MR_PRINTF(2, 3);

static const char *keep_printf(struct mr_read *r, const char *fmt, ...)
{
    va_list args;
    char text[1024];
    va_start(args, fmt);
    const int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return mr_read_keep(r,
                        (struct mr_str){text, n < (int)sizeof text ? (size_t)n : sizeof text - 1});
}

static mr_status add_extra(struct mr_read *r, const struct cluster *c, const char *name,
                           double bytes_s, double latency_s, bool is_fatpipe)
{
    uint32_t index;
    if (name == NULL)
        return MR_NOMEM;
    return mr_read_add_link(r, mr_xml_place(c->node),
                            (struct mr_link){.name = name,
                                             .bandwidth_bytes_s = bytes_s,
                                             .latency_s = latency_s,
                                             .is_fatpipe = is_fatpipe,
                                             .zone = c->zone},
                            &index);
}

static mr_status add_cluster_host(struct mr_read *r, const struct cluster *c, uint64_t i,
                                  bool has_links)
{
    const unsigned long long number = i;
    const struct mr_place at = mr_xml_place(c->node);
    struct mr_read_new_host host = {.at = at,
                                    .name =
                                        keep_printf(r, "%s%llu%s", c->prefix, number, c->suffix),
                                    .speed = c->speed,
                                    .speed_flop_s = c->speed_flop_s,
                                    .n_core = c->n_core,
                                    .zone = c->zone,
                                    .uplink = MR_SITE_NONE};
    if (host.name == NULL)
        return MR_NOMEM;
    if (has_links) {
        const char *name = keep_printf(r, "%s_link_%llu", c->id, number);
        if (name == NULL)
            return MR_NOMEM;
        host.uplink = MR_SITE_NONE;
        MR_TRY(mr_read_add_link(r, at,
                                (struct mr_link){.name = name,
                                                 .bandwidth_bytes_s = c->bytes_s,
                                                 .latency_s = c->latency_s,
                                                 .is_split = c->is_split,
                                                 .zone = c->zone},
                                &host.uplink));
        if (c->has_loopback)
            MR_TRY(add_extra(r, c, keep_printf(r, "%s_link_%llu_loopback", c->id, number),
                             c->loopback_bytes_s, c->loopback_s, true));
        if (c->has_limiter)
            MR_TRY(add_extra(r, c, keep_printf(r, "%s_link_%llu_limiter", c->id, number),
                             c->limiter_bytes_s, 0, false));
    }
    return mr_read_add_host(r, &host);
}

static bool is_given(const struct mr_xml_node *node, const char *attribute)
{
    return mr_read_value(node, attribute, "")[0] != '\0';
}

/* Backbone and router of a flat cluster. */
static mr_status add_cluster_center(struct mr_read *r, const struct cluster *c)
{
    const struct mr_xml_node *node = c->node;
    const double bytes_s =
        is_given(node, "bb_bw") ? mr_read_quantity(r, node, "bb_bw", MR_Q_DATA_RATE, true) : 0;
    const double latency_s =
        is_given(node, "bb_lat") ? mr_read_quantity(r, node, "bb_lat", MR_Q_TIME, true) : 0;
    if (bytes_s > 0 || latency_s > 0)
        MR_TRY(add_extra(r, c, keep_printf(r, "%s_backbone", c->id), bytes_s, latency_s,
                         strcmp(mr_read_value(node, "bb_sharing_policy", ""), "FATPIPE") == 0));
    const char *router = is_given(node, "router_id")
                             ? mr_read_keep(r, mr_str_of(mr_xml_value(node, "router_id")))
                             : keep_printf(r, "%s%s_router%s", c->prefix, c->id, c->suffix);
    return router != NULL ? mr_read_add_router(r, mr_xml_place(node), router, c->zone) : MR_NOMEM;
}

static void one_of(struct mr_read *r, const struct mr_xml_node *node, const char *attribute,
                   const char *const *names)
{
    const char *value = mr_read_value(node, attribute, names[0]);
    char id[MR_QUOTE_CAP], text[MR_QUOTE_CAP], hint[96];
    size_t n = 0;
    for (; names[n] != NULL; n++)
        if (strcmp(value, names[n]) == 0)
            return;
    mr_text_hint(mr_str_of(value), names, n, hint, sizeof hint);
    MR_READ_ERROR(r, MR_RANGE, mr_read_place(node, attribute), "%s \"%s\": %s \"%s\": unknown%s",
                  node->name, mr_text_quote(mr_str_of(mr_xml_value(node, "id")), id), attribute,
                  mr_text_quote(mr_str_of(value), text), hint);
}

static mr_status read_cluster_values(struct mr_read *r, struct cluster *c)
{
    const struct mr_xml_node *node = c->node;
    one_of(r, node, "topology", MR_READ_NAMES("FLAT", "TORUS", "FAT_TREE", "DRAGONFLY"));
    one_of(r, node, "sharing_policy",
           MR_READ_NAMES("SPLITDUPLEX", "SHARED", "FULLDUPLEX", "FATPIPE"));
    one_of(r, node, "bb_sharing_policy", MR_READ_NAMES("SHARED", "FATPIPE"));
    const char *policy = mr_read_value(node, "sharing_policy", "SPLITDUPLEX");
    c->is_split = strcmp(policy, "SPLITDUPLEX") == 0 || strcmp(policy, "FULLDUPLEX") == 0;
    c->bytes_s = mr_read_quantity(r, node, "bw", MR_Q_DATA_RATE, false);
    c->latency_s = mr_read_quantity(r, node, "lat", MR_Q_TIME, true);
    if (is_given(node, "loopback_bw"))
        c->loopback_bytes_s = mr_read_quantity(r, node, "loopback_bw", MR_Q_DATA_RATE, true);
    if (is_given(node, "loopback_lat"))
        c->loopback_s = mr_read_quantity(r, node, "loopback_lat", MR_Q_TIME, true);
    if (is_given(node, "limiter_link"))
        c->limiter_bytes_s = mr_read_quantity(r, node, "limiter_link", MR_Q_DATA_RATE, true);
    c->has_loopback = c->loopback_bytes_s > 0 || c->loopback_s > 0;
    c->has_limiter = c->limiter_bytes_s > 0;
    if (mr_read_count(r, node, "core", "1", &c->n_core) && c->n_core == 0)
        MR_READ_ERROR(r, MR_RANGE, mr_read_place(node, "core"),
                      "cluster: core: out of range: >= 1");
    for (const struct mr_xml_node *child = node->child; child != NULL; child = child->next)
        if (strcmp(child->name, "prop") != 0)
            MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(child), "only <prop> can stand in a cluster");
    c->id = mr_read_keep(r, mr_str_of(mr_xml_value(node, "id")));
    c->prefix = mr_xml_value(node, "prefix");
    c->suffix = mr_xml_value(node, "suffix");
    c->speed = mr_read_keep(r, mr_str_of(mr_xml_value(node, "speed")));
    return c->id != NULL && c->speed != NULL ? MR_OK : MR_NOMEM;
}

/* All hosts, or the first `most` of them. */
static mr_status add_cluster_hosts(struct mr_read *r, const struct cluster *c,
                                   const struct radical *radical, uint64_t most, bool has_links)
{
    for (size_t k = 0; k < radical->n; k++)
        for (uint64_t i = radical->first[k]; i <= radical->last[k] && most > 0; i++, most--)
            MR_TRY(add_cluster_host(r, c, i, has_links));
    return MR_OK;
}

static mr_status fill_cluster(struct mr_read *r, const struct cluster *c,
                              const struct radical *radical)
{
    const char *topology = mr_read_value(c->node, "topology", "FLAT");
    if (strcmp(topology, "FLAT") == 0) {
        MR_TRY(add_cluster_hosts(r, c, radical, UINT64_MAX, true));
        return add_cluster_center(r, c);
    }
    const char *text = mr_read_value(c->node, "topo_parameters", "");
    const uint64_t n = topology_hosts(topology, text);
    char id[MR_QUOTE_CAP], quoted[MR_QUOTE_CAP];
    if (n == 0 || n > radical->n_host)
        MR_READ_ERROR(r, MR_RANGE, mr_read_place(c->node, "topo_parameters"),
                      "cluster \"%s\": topo_parameters \"%s\": %s",
                      mr_text_quote(mr_str_of(c->id), id), mr_text_quote(mr_str_of(text), quoted),
                      n == 0 ? "not what this topology needs"
                             : "more hosts than the radical names");
    return add_cluster_hosts(r, c, radical, n, false);
}

mr_status mr_read_cluster(struct mr_read *r, const struct mr_xml_node *node, uint32_t zone)
{
    const struct mr_read_shape shape = {
        MR_READ_NAMES("id", "prefix", "suffix", "radical", "speed", "bw", "lat"),
        MR_READ_NAMES("core", "sharing_policy", "topology", "topo_parameters", "bb_bw", "bb_lat",
                      "bb_sharing_policy", "router_id", "limiter_link", "loopback_bw",
                      "loopback_lat")};
    struct cluster c = {.node = node, .n_core = 1};
    struct radical radical = {0};
    if (!mr_read_attributes(r, node, &shape))
        return MR_OK;
    mr_status st = read_cluster_values(r, &c);
    if (st == MR_OK)
        st = mr_read_new_zone(r, node, c.id, MR_READ_CLUSTER, zone, &c.zone);
    if (st == MR_OK)
        st = parse_radical(r, node, &radical);
    if (st == MR_OK && mr_read_speeds(r, node, &c.speed_flop_s) > 0 && radical.n_host > 0)
        st = fill_cluster(r, &c, &radical);
    radical_fini(&radical);
    if (st != MR_OK)
        return st;
    r->zone[c.zone].last = c.zone;
    return mr_read_props(r, node, c.zone, MR_SITE_NONE);
}

/* ---- cabinets and peers ---- */

/* The two one-way links of a host, by SimGrid's naming. */
static mr_status add_pair(struct mr_read *r, const struct cluster *c, const char *host,
                          const double bytes_s[2], uint32_t *up)
{
    static const char *const suffixes[] = {"UP", "DOWN"};
    *up = MR_SITE_NONE;
    for (int k = 0; k < 2; k++) {
        uint32_t index = MR_SITE_NONE;
        const char *name = keep_printf(r, "link_%s_%s", host, suffixes[k]);
        if (name == NULL)
            return MR_NOMEM;
        MR_TRY(mr_read_add_link(r, mr_xml_place(c->node),
                                (struct mr_link){.name = name,
                                                 .bandwidth_bytes_s = bytes_s[k],
                                                 .latency_s = c->latency_s,
                                                 .zone = c->zone},
                                &index));
        if (k == 0)
            *up = index;
    }
    return MR_OK;
}

static mr_status add_cabinet_hosts(struct mr_read *r, const struct cluster *c,
                                   const struct radical *radical)
{
    const double bytes_s[] = {c->bytes_s, c->bytes_s};
    for (size_t k = 0; k < radical->n; k++)
        for (uint64_t i = radical->first[k]; i <= radical->last[k]; i++) {
            struct mr_read_new_host host = {
                .at = mr_xml_place(c->node),
                .name = keep_printf(r, "%s%llu%s", c->prefix, (unsigned long long)i, c->suffix),
                .speed = c->speed,
                .speed_flop_s = c->speed_flop_s,
                .n_core = 1,
                .zone = c->zone};
            if (host.name == NULL)
                return MR_NOMEM;
            MR_TRY(add_pair(r, c, host.name, bytes_s, &host.uplink));
            MR_TRY(mr_read_add_host(r, &host));
        }
    return MR_OK;
}

mr_status mr_read_cabinet(struct mr_read *r, const struct mr_xml_node *node, uint32_t zone)
{
    const struct mr_read_shape shape = {
        MR_READ_NAMES("id", "prefix", "suffix", "radical", "speed", "bw", "lat"), MR_READ_NO_NAMES};
    struct cluster c = {.node = node, .n_core = 1, .zone = zone};
    struct radical radical = {0};
    if (!mr_read_attributes(r, node, &shape))
        return MR_OK;
    mr_read_empty(r, node);
    if (r->zone[zone].routing != MR_READ_CLUSTER) {
        MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(node), "<cabinet> outside of a Cluster zone");
        return MR_OK;
    }
    c.bytes_s = mr_read_quantity(r, node, "bw", MR_Q_DATA_RATE, false);
    c.latency_s = mr_read_quantity(r, node, "lat", MR_Q_TIME, true);
    c.prefix = mr_xml_value(node, "prefix");
    c.suffix = mr_xml_value(node, "suffix");
    c.speed = mr_read_keep(r, mr_str_of(mr_xml_value(node, "speed")));
    const size_t n_speed = mr_read_speeds(r, node, &c.speed_flop_s);
    if (n_speed > 1)
        MR_READ_ERROR(r, MR_RANGE, mr_read_place(node, "speed"), "cabinet: one speed only");
    mr_status st = c.speed != NULL ? parse_radical(r, node, &radical) : MR_NOMEM;
    if (st == MR_OK && radical.n_host > 0)
        st = add_cabinet_hosts(r, &c, &radical);
    radical_fini(&radical);
    return st;
}

mr_status mr_read_peer(struct mr_read *r, const struct mr_xml_node *node, uint32_t zone)
{
    const struct mr_read_shape shape = {
        MR_READ_NAMES("id", "speed", "bw_in", "bw_out", "coordinates"),
        MR_READ_NAMES("lat", "speed_file", "state_file", "availability_file")};
    struct cluster c = {.node = node, .zone = zone};
    struct mr_read_new_host host = {.at = mr_xml_place(node), .n_core = 1, .zone = zone};
    if (!mr_read_attributes(r, node, &shape))
        return MR_OK;
    mr_read_empty(r, node);
    if (r->zone[zone].routing != MR_READ_VIVALDI) {
        MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(node), "<peer> outside of a Vivaldi zone");
        return MR_OK;
    }
    const double bytes_s[] = {mr_read_quantity(r, node, "bw_out", MR_Q_DATA_RATE, false),
                              mr_read_quantity(r, node, "bw_in", MR_Q_DATA_RATE, false)};
    mr_read_coordinates(r, node, zone);
    if (mr_read_speeds(r, node, &host.speed_flop_s) > 1)
        MR_READ_ERROR(r, MR_RANGE, mr_read_place(node, "speed"), "peer: one speed only");
    host.name = mr_read_keep(r, mr_str_of(mr_xml_value(node, "id")));
    host.speed = mr_read_keep(r, mr_str_of(mr_xml_value(node, "speed")));
    if (host.name == NULL || host.speed == NULL)
        return MR_NOMEM;
    MR_TRY(add_pair(r, &c, host.name, bytes_s, &host.uplink));
    MR_TRY(mr_read_files(r, node));
    return mr_read_add_host(r, &host);
}
