/* SPDX-License-Identifier: Apache-2.0 */
/* Routes of a zone: between its nodes, between zones below it, host_links.
 * Map: links of routes - routes. */
#include "engine/base/mem.h"
#include "platforms/read_impl.h"

/* ---- links of routes ---- */

/* A link by the name a route or host_link gives it; halves of split links too. */
static bool find_link(struct mr_read *r, const struct mr_xml_node *node, const char *attribute,
                      struct mr_route_link *hop)
{
    const char *name = mr_xml_value(node, attribute);
    struct mr_str base;
    hop->direction = MR_LINK_BOTH;
    hop->link = mr_intern_find(&r->link_names, mr_str_of(name));
    if (hop->link != MR_INTERN_NONE)
        return true;
    if (mr_read_half_name(name, &base, &hop->direction)) {
        hop->link = mr_intern_find(&r->link_names, base);
        if (hop->link != MR_INTERN_NONE && r->site->link[hop->link].is_split)
            return true;
    }
    char quoted[MR_QUOTE_CAP], hint[128];
    MR_READ_ERROR(r, MR_REF, mr_read_place(node, attribute),
                  "%s: no link \"%s\" is defined before this%s", node->name,
                  mr_text_quote(mr_str_of(name), quoted),
                  mr_read_hint(r, &r->link_names, mr_str_of(name), hint));
    return false;
}

static bool is_direction(const char *text, int *direction)
{
    static const char *const names[] = {"NONE", "UP", "DOWN"};
    for (int i = 0; i < 3; i++)
        if (strcmp(text, names[i]) == 0) {
            *direction = i;
            return true;
        }
    return false;
}

static mr_status read_hop(struct mr_read *r, const struct mr_xml_node *node, struct mr_route *route)
{
    static const char *const required[] = {"id", NULL}, *const optional[] = {"direction", NULL};
    const struct mr_read_shape shape = {required, optional};
    struct mr_site *site = r->site;
    struct mr_route_link hop;
    int direction = MR_LINK_BOTH;
    char quoted[MR_QUOTE_CAP];
    if (strcmp(node->name, "link_ctn") != 0) {
        MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(node), "only <link_ctn> can stand in a route");
        return MR_OK;
    }
    if (!mr_read_attributes(r, node, &shape) || !find_link(r, node, "id", &hop))
        return MR_OK;
    mr_read_empty(r, node);
    const struct mr_link *link = &site->link[hop.link];
    const char *text = mr_read_value(node, "direction", "NONE");
    if (!is_direction(text, &direction))
        MR_READ_ERROR(r, MR_RANGE, mr_read_place(node, "direction"),
                      "link_ctn: direction \"%s\": not UP, DOWN or NONE",
                      mr_text_quote(mr_str_of(text), quoted));
    else if (direction != MR_LINK_BOTH && (!link->is_split || hop.direction != MR_LINK_BOTH))
        MR_READ_ERROR(r, MR_REF, mr_read_place(node, "direction"),
                      "link_ctn: link \"%s\" has no direction: it is not SPLITDUPLEX",
                      mr_text_quote(mr_str_of(mr_xml_value(node, "id")), quoted));
    else if (direction == MR_LINK_BOTH && link->is_split && hop.direction == MR_LINK_BOTH)
        MR_READ_ERROR(r, MR_REF, mr_xml_place(node),
                      "link_ctn: link \"%s\" is SPLITDUPLEX: direction=\"UP\" or \"DOWN\" is "
                      "needed",
                      mr_text_quote(mr_str_of(link->name), quoted));
    if (hop.direction == MR_LINK_BOTH)
        hop.direction = direction;
    MR_TRY(mr_grow(&site->route_link, &site->cap_route_link, site->n_route_link + 1,
                   sizeof *site->route_link, NULL));
    site->route_link[site->n_route_link++] = hop;
    route->n_link++;
    return MR_OK;
}

/* Links, symmetry; remembers the route unless it is a bypass. */
static mr_status finish_route(struct mr_read *r, const struct mr_xml_node *node,
                              struct mr_route *route)
{
    struct mr_site *site = r->site;
    const size_t n_error = r->diags->n_error;
    char quoted[MR_QUOTE_CAP];
    const char *symmetrical = mr_read_value(node, "symmetrical", "YES");
    route->first_link = (uint32_t)site->n_route_link;
    for (const struct mr_xml_node *child = node->child; child != NULL; child = child->next)
        MR_TRY(read_hop(r, child, route));
    if (route->n_link == 0 && r->diags->n_error == n_error)
        MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(node), "%s \"%s\" -> \"%s\": has no link",
                      node->name, route->src, mr_text_quote(mr_str_of(route->dst), quoted));
    route->is_one_way = strcmp(symmetrical, "NO") == 0 || strcmp(symmetrical, "no") == 0;
    if (!route->is_one_way && strcmp(symmetrical, "YES") != 0 && strcmp(symmetrical, "yes") != 0)
        MR_READ_ERROR(r, MR_RANGE, mr_read_place(node, "symmetrical"),
                      "%s: symmetrical \"%s\": neither YES nor NO", node->name,
                      mr_text_quote(mr_str_of(symmetrical), quoted));
    if (strncmp(node->name, "bypass", 6) == 0) {
        site->n_route_link = route->first_link;
        return MR_OK;
    }
    MR_TRY(mr_grow(&site->route, &site->cap_route, site->n_route + 1, sizeof *site->route, NULL));
    site->route[site->n_route++] = *route;
    return MR_OK;
}

/* ---- routes ---- */

/* Is there such a route already? A symmetric one takes both ways. */
static mr_status claim(struct mr_read *r, const struct mr_xml_node *node, uint32_t zone,
                       uint32_t src, uint32_t dst)
{
    const bool is_bypass = strncmp(node->name, "bypass", 6) == 0;
    const char *symmetrical = mr_read_value(node, "symmetrical", "YES");
    const bool is_one_way =
        is_bypass || src == dst || symmetrical[0] == 'N' || symmetrical[0] == 'n';
    const int routing = r->zone[zone].routing;
    char a[MR_QUOTE_CAP], b[MR_QUOTE_CAP];
    if (src == dst && !is_bypass && symmetrical[0] != 'N' && symmetrical[0] != 'n' &&
        routing >= MR_READ_FLOYD && routing <= MR_READ_DIJKSTRA_CACHE)
        MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(node),
                      "%s \"%s\" to itself: routing %s needs symmetrical=\"NO\"", node->name,
                      mr_text_quote(mr_str_of(mr_xml_value(node, "src")), a),
                      mr_read_routing_name(routing));
    for (int way = 0; way < (is_one_way ? 1 : 2); way++) {
        const uint32_t key[] = {is_bypass, zone, way == 0 ? src : dst, way == 0 ? dst : src};
        const size_t n = r->route_names.n;
        uint32_t id;
        MR_TRY(mr_intern_add(&r->route_names, (struct mr_str){(const char *)key, sizeof key}, &id,
                             NULL));
        if (id == n)
            continue;
        MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(node),
                      "%s \"%s\" -> \"%s\": there is such a route already%s", node->name,
                      mr_text_quote(mr_str_of(mr_xml_value(node, "src")), a),
                      mr_text_quote(mr_str_of(mr_xml_value(node, "dst")), b),
                      way > 0 ? " in the other direction (routes count for both)" : "");
        break;
    }
    return MR_OK;
}

static bool may_have_route(struct mr_read *r, const struct mr_xml_node *node, uint32_t zone,
                           bool is_loopback)
{
    const int routing = r->zone[zone].routing;
    char quoted[MR_QUOTE_CAP];
    if (routing <= MR_READ_DIJKSTRA_CACHE || strncmp(node->name, "bypass", 6) == 0 ||
        (is_loopback && (routing == MR_READ_CLUSTER || routing == MR_READ_VIVALDI)))
        return true;
    MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(node),
                  "zone \"%s\": routing %s takes no <%s>: Full, Floyd or Dijkstra do",
                  mr_text_quote(mr_str_of(r->site->zone[zone].name), quoted),
                  mr_read_routing_name(routing), node->name);
    return false;
}

static const char *node_name(const struct mr_read *r, uint32_t id)
{
    const struct mr_read_node *node = &r->node[id];
    return node->is_host ? r->site->host[node->index].name : r->site->router[node->index].name;
}

static uint32_t find_node(struct mr_read *r, const struct mr_xml_node *node, const char *attribute)
{
    const struct mr_str name = mr_str_of(mr_xml_value(node, attribute));
    const uint32_t id = mr_intern_find(&r->node_names, name);
    char quoted[MR_QUOTE_CAP], hint[128];
    if (id == MR_INTERN_NONE)
        MR_READ_ERROR(r, MR_REF, mr_read_place(node, attribute),
                      "%s: %s \"%s\": no host or router of this name%s", node->name, attribute,
                      mr_text_quote(name, quoted), mr_read_hint(r, &r->node_names, name, hint));
    return id;
}

static void set_node_uplink(struct mr_read *r, uint32_t id, uint32_t link)
{
    if (r->node[id].uplink == MR_SITE_NONE)
        r->node[id].uplink = link;
}

mr_status mr_read_route(struct mr_read *r, const struct mr_xml_node *node, uint32_t zone)
{
    static const char *const required[] = {"src", "dst", NULL}, *const optional[] = {"symmetrical",
                                                                                     NULL};
    static const char *const ends[] = {"src", "dst"};
    const bool is_bypass = strcmp(node->name, "bypassRoute") == 0;
    uint32_t id[2];
    char quoted[MR_QUOTE_CAP], place[MR_QUOTE_CAP];
    bool is_good = true;
    const struct mr_read_shape shape = {required, is_bypass ? MR_READ_NO_NAMES : optional};
    if (!mr_read_attributes(r, node, &shape))
        return MR_OK;
    for (int k = 0; k < 2; k++) {
        id[k] = find_node(r, node, ends[k]);
        is_good = is_good && id[k] != MR_INTERN_NONE;
        if (id[k] == MR_INTERN_NONE || r->node[id[k]].zone == zone || is_bypass)
            continue;
        MR_READ_ERROR(r, MR_REF, mr_read_place(node, ends[k]),
                      "route: %s \"%s\" stands in zone \"%s\", not in this one", ends[k],
                      mr_text_quote(mr_str_of(node_name(r, id[k])), quoted),
                      mr_text_quote(mr_str_of(r->site->zone[r->node[id[k]].zone].name), place));
        is_good = false;
    }
    if (!is_good || !may_have_route(r, node, zone, id[0] == id[1]))
        return MR_OK;
    MR_TRY(claim(r, node, zone, id[0], id[1]));
    struct mr_route route = {.zone = zone,
                             .src = node_name(r, id[0]),
                             .dst = node_name(r, id[1]),
                             .gw_src = "",
                             .gw_dst = ""};
    MR_TRY(finish_route(r, node, &route));
    if (route.n_link > 0 && strcmp(node->name, "route") == 0) {
        const struct mr_route_link *hop = &r->site->route_link[route.first_link];
        set_node_uplink(r, id[0], hop[0].link);
        set_node_uplink(r, id[1], hop[route.n_link - 1].link);
    }
    return MR_OK;
}

static uint32_t find_zone(struct mr_read *r, const struct mr_xml_node *node, const char *attribute,
                          uint32_t parent)
{
    const struct mr_str name = mr_str_of(mr_xml_value(node, attribute));
    const uint32_t zone = mr_intern_find(&r->zone_names, name);
    const struct mr_place at = mr_read_place(node, attribute);
    const bool is_bypass = strncmp(node->name, "bypass", 6) == 0;
    char quoted[MR_QUOTE_CAP], hint[128];
    if (zone == MR_INTERN_NONE)
        MR_READ_ERROR(r, MR_REF, at, "%s: %s \"%s\": no zone of this name%s", node->name, attribute,
                      mr_text_quote(name, quoted), mr_read_hint(r, &r->zone_names, name, hint));
    else if (mr_intern_find(&r->node_names, name) != MR_INTERN_NONE)
        MR_READ_ERROR(
            r, MR_SCHEMA, at,
            "%s: %s \"%s\" is a zone and a host or router: SimGrid cannot tell them apart",
            node->name, attribute, mr_text_quote(name, quoted));
    else if (r->site->zone[zone].parent != parent && !is_bypass)
        MR_READ_ERROR(r, MR_REF, at, "%s: %s \"%s\" is not a child of this zone", node->name,
                      attribute, mr_text_quote(name, quoted));
    else
        return zone;
    return MR_INTERN_NONE;
}

static void check_gateway(struct mr_read *r, const struct mr_xml_node *node, const char *attribute,
                          uint32_t id, uint32_t zone)
{
    char quoted[MR_QUOTE_CAP], place[MR_QUOTE_CAP];
    if (id == MR_INTERN_NONE || zone == MR_INTERN_NONE)
        return;
    const uint32_t its = r->node[id].zone;
    if (its < zone || its > r->zone[zone].last)
        MR_READ_ERROR(r, MR_REF, mr_read_place(node, attribute),
                      "%s: %s \"%s\" does not stand in zone \"%s\"", node->name, attribute,
                      mr_text_quote(mr_str_of(node_name(r, id)), quoted),
                      mr_text_quote(mr_str_of(r->site->zone[zone].name), place));
}

static void set_zone_uplink(struct mr_read *r, uint32_t zone, uint32_t link)
{
    if (r->zone[zone].uplink == MR_SITE_NONE)
        r->zone[zone].uplink = link;
}

mr_status mr_read_zone_route(struct mr_read *r, const struct mr_xml_node *node, uint32_t zone)
{
    static const char *const required[] = {"src", "dst", "gw_src", "gw_dst", NULL},
                             *const optional[] = {"symmetrical", NULL};
    const bool is_bypass = strncmp(node->name, "bypass", 6) == 0;
    const struct mr_read_shape shape = {required, is_bypass ? MR_READ_NO_NAMES : optional};
    if (!mr_read_attributes(r, node, &shape))
        return MR_OK;
    const size_t n_error = r->diags->n_error;
    const uint32_t src = find_zone(r, node, "src", zone), dst = find_zone(r, node, "dst", zone);
    const uint32_t gw_src = find_node(r, node, "gw_src"), gw_dst = find_node(r, node, "gw_dst");
    check_gateway(r, node, "gw_src", gw_src, src);
    check_gateway(r, node, "gw_dst", gw_dst, dst);
    if (r->diags->n_error > n_error || !may_have_route(r, node, zone, false))
        return MR_OK;
    if (src == dst) {
        MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(node), "%s: a zone has no route to itself",
                      node->name);
        return MR_OK;
    }
    MR_TRY(claim(r, node, zone, src, dst));
    struct mr_route route = {.zone = zone,
                             .src = r->site->zone[src].name,
                             .dst = r->site->zone[dst].name,
                             .gw_src = node_name(r, gw_src),
                             .gw_dst = node_name(r, gw_dst)};
    MR_TRY(finish_route(r, node, &route));
    if (route.n_link > 0 && !is_bypass) {
        const struct mr_route_link *hop = &r->site->route_link[route.first_link];
        set_zone_uplink(r, src, hop[0].link);
        set_zone_uplink(r, dst, hop[route.n_link - 1].link);
    }
    return MR_OK;
}

mr_status mr_read_host_link(struct mr_read *r, const struct mr_xml_node *node, uint32_t zone)
{
    const struct mr_read_shape shape = {MR_READ_NAMES("id", "up", "down"), MR_READ_NO_NAMES};
    struct mr_route_link up, down;
    char quoted[MR_QUOTE_CAP];
    if (!mr_read_attributes(r, node, &shape))
        return MR_OK;
    mr_read_empty(r, node);
    if (r->zone[zone].routing != MR_READ_CLUSTER) {
        MR_READ_ERROR(r, MR_SCHEMA, mr_xml_place(node), "<host_link> outside of a Cluster zone");
        return MR_OK;
    }
    const uint32_t id = find_node(r, node, "id");
    const bool has_up = find_link(r, node, "up", &up), has_down = find_link(r, node, "down", &down);
    if (id == MR_INTERN_NONE || !has_up || !has_down)
        return MR_OK;
    const struct mr_link *link = r->site->link;
    if (!r->node[id].is_host || r->node[id].zone != zone)
        MR_READ_ERROR(r, MR_REF, mr_read_place(node, "id"),
                      "host_link: \"%s\" is not a host of this zone",
                      mr_text_quote(mr_str_of(node_name(r, id)), quoted));
    else if ((link[up.link].is_split && up.direction == MR_LINK_BOTH) ||
             (link[down.link].is_split && down.direction == MR_LINK_BOTH))
        MR_READ_ERROR(r, MR_REF, mr_xml_place(node),
                      "host_link \"%s\": a SPLITDUPLEX link X is used as X_UP and X_DOWN",
                      mr_text_quote(mr_str_of(node_name(r, id)), quoted));
    else
        r->site->host[r->node[id].index].uplink = up.link;
    return MR_OK;
}
