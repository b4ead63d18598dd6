/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a platform. What belongs to a zone is found once, as linked lists through parallel arrays
 * (one pass from the back keeps file order); then zones are written from the outside in: props,
 * children or hosts, links, routes, which is the order SimGrid enforces. */
#include "platforms/emit.h"

#include "engine/base/mem.h"
#include "engine/base/xmlw.h"
#include "platforms/prop.h"
#include "platforms/sgunit.h"

/* One list per zone: first[zone], then next[i]. MR_SITE_NONE ends it. */
struct list {
    uint32_t *first, *next;
};

/* Props of zones: entities of several kinds. */
struct item {
    int kind;
    uint32_t index;
};

struct emitter {
    const struct mr_site *site;
    struct mr_xmlw w;
    struct list zone, host, router, link, route, prop;
    struct item *item; /* behind prop */
    struct mr_prop_place *place;
    size_t n_item;
    struct mr_prop_defaults defaults;
    struct mr_buf value; /* scratch */
};

/* ---- lists ---- */

static bool list_init(struct list *list, size_t n_zone, size_t n)
{
    list->first = mr_alloc(n_zone, sizeof *list->first);
    list->next = mr_alloc(n, sizeof *list->next);
    for (size_t i = 0; list->first != NULL && i < n_zone; i++)
        list->first[i] = MR_SITE_NONE;
    return list->first != NULL && list->next != NULL;
}

static void list_fini(struct list *list)
{
    mr_free(list->first);
    mr_free(list->next);
}

/* In front of what is there: call from the last to the first. */
static void list_push(struct list *list, uint32_t zone, size_t i)
{
    list->next[i] = list->first[zone];
    list->first[zone] = (uint32_t)i;
}

static uint32_t zone_of(const struct mr_site *site, struct mr_prop_place place)
{
    if (place.row != MR_SITE_NONE)
        return site->row[place.row].zone;
    return place.hall != MR_SITE_NONE ? site->hall[place.hall].zone : 0;
}

/* A rack that is a zone carries the zone's name; otherwise its host carries the prop. */
static bool is_rack_zone(const struct mr_site *site, const struct mr_rack *rack)
{
    return strcmp(site->zone[rack->zone].name, rack->name) == 0;
}

static void push_props(struct emitter *e)
{
    const struct mr_site *site = e->site;
    size_t i = e->n_item;
    for (int kind = MR_N_PROP - 1; kind >= 0; kind--) {
        const size_t n = mr_prop_n(site, kind);
        const bool is_single = !mr_prop_kind_has_name(kind) && kind != MR_PROP_RACK;
        if (!is_single && kind != MR_PROP_RACK)
            mr_prop_places(site, kind, e->place);
        for (size_t k = n; k-- > 0;) {
            uint32_t zone = 0;
            if (kind == MR_PROP_RACK && !is_rack_zone(site, &site->rack[k]))
                continue;
            if (kind == MR_PROP_RACK)
                zone = site->rack[k].zone;
            else if (!is_single)
                zone = zone_of(site, e->place[k]);
            e->item[--i] = (struct item){kind, (uint32_t)k};
            list_push(&e->prop, zone, i);
        }
    }
}

static bool emitter_init(struct emitter *e, const struct mr_site *site)
{
    size_t most = 1;
    e->site = site;
    for (int kind = 0; kind < MR_N_PROP; kind++) {
        const size_t n = mr_prop_n(site, kind);
        e->n_item += n;
        most = n > most ? n : most;
    }
    e->item = mr_alloc(e->n_item, sizeof *e->item);
    e->place = mr_alloc(most, sizeof *e->place);
    if (!list_init(&e->zone, site->n_zone, site->n_zone) ||
        !list_init(&e->host, site->n_zone, site->n_host) ||
        !list_init(&e->router, site->n_zone, site->n_router) ||
        !list_init(&e->link, site->n_zone, site->n_link) ||
        !list_init(&e->route, site->n_zone, site->n_route) ||
        !list_init(&e->prop, site->n_zone, e->n_item) || e->item == NULL || e->place == NULL)
        return false;
    for (size_t i = site->n_zone; i-- > 0;)
        if (site->zone[i].parent != MR_SITE_NONE)
            list_push(&e->zone, site->zone[i].parent, i);
#define PUSH_ALL(array)                        \
    for (size_t i = site->n_##array; i-- > 0;) \
        list_push(&e->array, site->array[i].zone, i);
    PUSH_ALL(host)
    PUSH_ALL(router)
    PUSH_ALL(link)
    PUSH_ALL(route)
#undef PUSH_ALL
    push_props(e);
    mr_prop_defaults(&e->defaults);
    return true;
}

static void emitter_fini(struct emitter *e)
{
    list_fini(&e->zone);
    list_fini(&e->host);
    list_fini(&e->router);
    list_fini(&e->link);
    list_fini(&e->route);
    list_fini(&e->prop);
    mr_free(e->item);
    mr_free(e->place);
    mr_buf_fini(&e->value);
}

/* ---- elements ---- */

static void write_prop(struct emitter *e, const char *id, const char *value)
{
    mr_xmlw_open(&e->w, "prop");
    mr_xmlw_attr(&e->w, "id", id);
    mr_xmlw_attr(&e->w, "value", value);
    mr_xmlw_close(&e->w, "prop");
}

static void write_entity(struct emitter *e, int kind, uint32_t index)
{
    struct mr_buf *value = &e->value;
    mr_buf_clear(value);
    mr_buf_text(value, mr_prop_kind_name(kind));
    if (mr_prop_kind_has_name(kind)) {
        mr_buf_char(value, '.');
        mr_buf_text(value, mr_prop_name(e->site, kind, index));
    }
    const size_t n_id = value->n;
    mr_prop_write(&e->defaults, e->site, kind, index, value);
    if (value->status != MR_OK) {
        e->w.buf->status = value->status;
        return;
    }
    mr_xmlw_open(&e->w, "prop");
    mr_xmlw_attr_str(&e->w, "id", (struct mr_str){value->text, n_id});
    mr_xmlw_attr_str(&e->w, "value", (struct mr_str){value->text + n_id, value->n - n_id});
    mr_xmlw_close(&e->w, "prop");
}

static void write_host(struct emitter *e, uint32_t i)
{
    const struct mr_host *host = &e->site->host[i];
    mr_xmlw_open(&e->w, "host");
    mr_xmlw_attr(&e->w, "id", host->name);
    mr_xmlw_attr(&e->w, "speed", host->speed);
    if (host->n_core != 1)
        mr_xmlw_attr_u64(&e->w, "core", host->n_core);
    if (host->rack != MR_SITE_NONE && !is_rack_zone(e->site, &e->site->rack[host->rack]))
        write_entity(e, MR_PROP_RACK, host->rack);
    mr_xmlw_close(&e->w, "host");
}

static void write_link(struct emitter *e, uint32_t i)
{
    const struct mr_link *link = &e->site->link[i];
    char text[MR_UNIT_CAP];
    mr_xmlw_open(&e->w, "link");
    mr_xmlw_attr(&e->w, "id", link->name);
    mr_sgunit_format(link->bandwidth_bytes_s, MR_Q_DATA_RATE, text);
    mr_xmlw_attr(&e->w, "bandwidth", text);
    mr_sgunit_format(link->latency_s, MR_Q_TIME, text);
    mr_xmlw_attr(&e->w, "latency", text);
    if (link->is_split || link->is_fatpipe)
        mr_xmlw_attr(&e->w, "sharing_policy", link->is_split ? "SPLITDUPLEX" : "FATPIPE");
    mr_xmlw_close(&e->w, "link");
}

static void write_host_link(struct emitter *e, uint32_t i)
{
    const struct mr_host *host = &e->site->host[i];
    if (host->uplink == MR_SITE_NONE)
        return;
    const struct mr_link *link = &e->site->link[host->uplink];
    const char *const ends[] = {"up", "down"}, *const suffixes[] = {"_UP", "_DOWN"};
    mr_xmlw_open(&e->w, "host_link");
    mr_xmlw_attr(&e->w, "id", host->name);
    for (int k = 0; k < 2; k++) {
        mr_buf_clear(&e->value);
        mr_buf_text(&e->value, link->name);
        mr_buf_text(&e->value, link->is_split ? suffixes[k] : "");
        mr_xmlw_attr_str(&e->w, ends[k], (struct mr_str){e->value.text, e->value.n});
    }
    if (e->value.status != MR_OK)
        e->w.buf->status = e->value.status;
    mr_xmlw_close(&e->w, "host_link");
}

static void write_route(struct emitter *e, uint32_t i)
{
    static const char *const directions[] = {NULL, "UP", "DOWN"};
    const struct mr_route *route = &e->site->route[i];
    const bool is_zone = route->gw_src[0] != '\0';
    const char *element = is_zone ? "zoneRoute" : "route";
    mr_xmlw_open(&e->w, element);
    mr_xmlw_attr(&e->w, "src", route->src);
    mr_xmlw_attr(&e->w, "dst", route->dst);
    if (is_zone) {
        mr_xmlw_attr(&e->w, "gw_src", route->gw_src);
        mr_xmlw_attr(&e->w, "gw_dst", route->gw_dst);
    }
    if (route->is_one_way)
        mr_xmlw_attr(&e->w, "symmetrical", "NO");
    for (uint32_t k = 0; k < route->n_link; k++) {
        const struct mr_route_link *hop = &e->site->route_link[route->first_link + k];
        mr_xmlw_open(&e->w, "link_ctn");
        mr_xmlw_attr(&e->w, "id", e->site->link[hop->link].name);
        if (directions[hop->direction] != NULL)
            mr_xmlw_attr(&e->w, "direction", directions[hop->direction]);
        mr_xmlw_close(&e->w, "link_ctn");
    }
    mr_xmlw_close(&e->w, element);
}

/* The switch a router stands for, for people who read the file. */
static void write_switch(struct emitter *e, uint32_t router)
{
    const struct mr_fabric_params *f = e->site->fabric;
    const char *name = e->site->router[router].name, *dot = strrchr(name, '.');
    if (f == NULL)
        return;
    const char *card = dot == NULL                  ? f->core
                       : strcmp(dot, ".spine") == 0 ? f->spine
                       : strcmp(dot, ".leaf") == 0  ? f->leaf
                                                    : NULL;
    if (card != NULL && card[0] != '\0')
        write_prop(e, "switch.card", card);
}

#define EACH(list, zone, i) \
    for (uint32_t i = (list).first[zone]; i != MR_SITE_NONE; i = (list).next[i])

static void write_zone(struct emitter *e, uint32_t zone)
{
    const struct mr_zone *z = &e->site->zone[zone];
    mr_xmlw_open(&e->w, "zone");
    mr_xmlw_attr(&e->w, "id", z->name);
    mr_xmlw_attr(&e->w, "routing", z->routing);
    EACH(e->prop, zone, i)
    write_entity(e, e->item[i].kind, e->item[i].index);
    if (e->router.first[zone] != MR_SITE_NONE && strcmp(z->routing, "Full") == 0)
        write_switch(e, e->router.first[zone]);
    EACH(e->zone, zone, i)
    write_zone(e, i);
    EACH(e->host, zone, i)
    write_host(e, i);
    EACH(e->router, zone, i)
    {
        mr_xmlw_open(&e->w, "router");
        mr_xmlw_attr(&e->w, "id", e->site->router[i].name);
        mr_xmlw_close(&e->w, "router");
    }
    EACH(e->link, zone, i)
    write_link(e, i);
    EACH(e->host, zone, i)
    write_host_link(e, i);
    EACH(e->route, zone, i)
    write_route(e, i);
    mr_xmlw_close(&e->w, "zone");
}

static void write_config(struct emitter *e)
{
    mr_xmlw_open(&e->w, "config");
    mr_xmlw_attr(&e->w, "id", "net");
    write_prop(e, "network/model", "CM02");
    write_prop(e, "network/crosstraffic", "no");
    write_prop(e, "network/TCP-gamma", "0");
    mr_xmlw_close(&e->w, "config");
}

void mr_emit_site(const struct mr_site *site, struct mr_buf *out)
{
    struct emitter e = {0};
    if (emitter_init(&e, site)) {
        mr_xmlw_init(&e.w, out, 1);
        mr_xmlw_prolog(&e.w, "platform", NULL, "https://simgrid.org/simgrid.dtd");
        mr_xmlw_open(&e.w, "platform");
        mr_xmlw_attr(&e.w, "version", "4.1");
        write_config(&e);
        if (site->n_zone > 0)
            write_zone(&e, 0);
        mr_xmlw_close(&e.w, "platform");
        mr_xmlw_end(&e.w);
    } else {
        out->status = MR_NOMEM;
    }
    emitter_fini(&e);
}
