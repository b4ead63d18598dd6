/* SPDX-License-Identifier: Apache-2.0 */
/* Zones, hosts, links and routes at one level of detail, in the order a file lists them: a zone,
 * then its children, its links, its routes (fabric.h says what they stand for). SimGrid's parser
 * wants them so, and a link before the route that uses it. A layer (site, hall, row) is one shape:
 * children, a zone of one router, one uplink per child; more children than SimGrid likes get a
 * layer of groups in between. Map: adding to the arrays - racks - scale-up zones - layers - rows,
 * halls, site. */
#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "platforms/fabric_impl.h"
#include "platforms/sgunit.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

/* a rack without scale-out ports is still managed, and so is an empty row: 10 Gb/s */
#define MANAGEMENT_BYTES_S 1.25e9

/* Racks of a domain: more than one, all in one group of one row, get a scale-up zone. */
struct span {
    uint32_t first, last, n;
    uint32_t zone; /* while its group is built */
};

struct builder {
    struct mr_site *site;
    const struct mr_fabric_params *fabric;
    int level;
    struct span *span; /* per domain */
    mr_status status;  /* sticky: after a failure every add is a no-op */
    struct mr_err *err;
};

/* ---- adding to the arrays ---- */

static const char *join(struct builder *b, const char *base, const char *suffix)
{
    const size_t cap = strlen(base) + strlen(suffix) + 1;
    char *text = NULL;
    if (b->status == MR_OK) {
        text = mr_arena_alloc(&b->site->arena, cap, b->err);
        if (text == NULL)
            b->status = MR_NOMEM;
    }
    if (text == NULL)
        return "";
    snprintf(text, cap, "%s%s", base, suffix);
    return text;
}

static const char *join_number(struct builder *b, const char *base, const char *suffix, uint64_t i)
{
    char text[64];
    snprintf(text, sizeof text, "%s%llu", suffix, (unsigned long long)i);
    return join(b, base, text);
}

/* Room for one more element of an array of the site. */
#define MORE(b, array)                                                                            \
    ((b)->status == MR_OK &&                                                                      \
     ((b)->status = mr_grow(&(b)->site->array, &(b)->site->cap_##array, (b)->site->n_##array + 1, \
                            sizeof *(b)->site->array, (b)->err)) == MR_OK)

static uint32_t add_zone(struct builder *b, const char *name, const char *routing, uint32_t parent)
{
    if (!MORE(b, zone))
        return 0;
    b->site->zone[b->site->n_zone] = (struct mr_zone){name, routing, parent, 0};
    return (uint32_t)b->site->n_zone++;
}

static void add_router(struct builder *b, const char *name, uint32_t zone)
{
    if (MORE(b, router))
        b->site->router[b->site->n_router++] = (struct mr_site_router){name, zone};
}

enum sharing {
    SPLIT,
    FATPIPE
};

static uint32_t add_link(struct builder *b, const char *name, uint32_t zone, double bytes_s,
                         double latency_s, enum sharing sharing)
{
    /* products of extreme figures; SimGrid reads no subnormal numbers either */
    const bool is_good = bytes_s >= DBL_MIN && bytes_s <= DBL_MAX &&
                         (latency_s == 0 || (latency_s >= DBL_MIN && latency_s <= DBL_MAX));
    if (!is_good && b->status == MR_OK)
        b->status = mr_err_set(b->err, MR_RANGE, MR_NOWHERE,
                               "link \"%s\": %g B/s and %g s are not what a link can have", name,
                               bytes_s, latency_s);
    if (!MORE(b, link))
        return 0;
    latency_s = floor(latency_s * 1e15 + 0.5) / 1e15; /* sums of figures, to the femtosecond */
    b->site->link[b->site->n_link] =
        (struct mr_link){name, bytes_s, latency_s, sharing == SPLIT, sharing == FATPIPE, zone};
    return (uint32_t)b->site->n_link++;
}

static void add_route(struct builder *b, struct mr_route route)
{
    if (!MORE(b, route))
        return;
    route.first_link = (uint32_t)b->site->n_route_link;
    b->site->route[b->site->n_route++] = route;
}

/* One more link on the last route. */
static void add_hop(struct builder *b, uint32_t link)
{
    if (!MORE(b, route_link))
        return;
    const int direction = b->site->link[link].is_split ? MR_LINK_UP : MR_LINK_BOTH;
    b->site->route_link[b->site->n_route_link++] = (struct mr_route_link){link, direction};
    b->site->route[b->site->n_route - 1].n_link++;
}

static void add_host(struct builder *b, struct mr_host host)
{
    if (MORE(b, host))
        b->site->host[b->site->n_host++] = host;
}

/* ---- racks ---- */

static double rack_bytes_s(const struct mr_rack *rack)
{
    const double bytes_s = (double)rack->n_port * rack->port_bytes_s;
    return bytes_s > 0 ? bytes_s : MANAGEMENT_BYTES_S;
}

static double optics_s(const struct mr_fabric_params *fabric)
{
    static const double latency_s[] = {
#define OPTICS_LATENCY(name, text, latency_s, power_w, doc) latency_s,
        MR_FABRIC_OPTICS_LIST(OPTICS_LATENCY)
#undef OPTICS_LATENCY
    };
    return latency_s[fabric->optics];
}

/* "35Pf,28Pf,21Pf": peak and, as power states 1 and 2, the clocks of Max-Q at 0.8 and 0.6 of it
 * (assumption). Racks of unknown speed get 1 Gf, so that SimGrid has something to divide by. */
static const char *speed_text(struct builder *b, double flop_s)
{
    static const double states[] = {1, 0.8, 0.6};
    char text[3 * MR_UNIT_CAP + 3];
    size_t n = 0;
    if (!(flop_s > 0))
        return "1Gf";
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        if (i > 0)
            text[n++] = ',';
        n += mr_sgunit_format(flop_s * states[i], MR_Q_FLOP_RATE, text + n);
    }
    return join(b, text, "");
}

/* The hosts one rack is made of at this level. */
struct units {
    uint64_t n, n_core; /* hosts; cores of all of them */
    const char *suffix; /* of a host's name, before its number */
};

static struct units units_of(const struct builder *b, const struct mr_rack *rack)
{
    const uint64_t n_core = rack->n_package > 0 ? rack->n_package
                            : rack->n_cpu > 0   ? rack->n_cpu
                                                : 1;
    const bool by_tray = b->level == MR_SITE_LEVEL_TRAY || rack->n_package == 0;
    if (b->level == MR_SITE_LEVEL_RACK)
        return (struct units){1, n_core, ""};
    if (by_tray && rack->n_tray > 0)
        return (struct units){rack->n_tray, n_core > rack->n_tray ? n_core : rack->n_tray, ".t"};
    if (rack->n_package > 0)
        return (struct units){rack->n_package, rack->n_package, ".g"};
    return (struct units){1, n_core, ".t"};
}

/* Cores are spread as evenly as whole numbers allow. */
static uint64_t cores_of(const struct units *units, uint64_t i)
{
    return (i + 1) * units->n_core / units->n - i * units->n_core / units->n;
}

/* A finished child as its parent sees it. */
struct door {
    const char *name, *gateway; /* of the child; the router its uplink starts at */
    double bytes_s;             /* of all uplinks below */
    uint32_t rack;              /* MR_SITE_NONE: not a rack */
};

/* Packages of a rack form one scale-up switch, or one per node when domains are smaller. */
static uint64_t n_switch_of(const struct builder *b, const struct mr_rack *rack)
{
    if (rack->domain == MR_SITE_NONE || !(b->site->domain[rack->domain].bandwidth_bytes_s > 0))
        return 0;
    const uint64_t n_package = b->site->domain[rack->domain].n_package;
    const uint64_t n_node = rack->n_domain > 1 ? rack->n_domain
                            : n_package > 0 && n_package < rack->n_package
                                ? rack->n_package / n_package
                                : 1;
    const uint64_t n_host = units_of(b, rack).n;
    return n_node < n_host ? n_node : n_host;
}

static const char *switch_name(struct builder *b, const struct mr_rack *rack, uint64_t n_switch,
                               uint64_t i)
{
    return n_switch == 1 ? join(b, rack->name, ".nvsw") : join_number(b, rack->name, ".nvsw", i);
}

static void add_rack_hosts(struct builder *b, struct mr_rack *rack, const struct units *units)
{
    double flop_s = 1e9;
    const char *speed = speed_text(b, rack->flop_s);
    bool has_unit;
    const mr_status st = mr_sgunit_parse((struct mr_str){speed, strcspn(speed, ",")},
                                         MR_Q_FLOP_RATE, "", MR_NOWHERE, &flop_s, &has_unit, NULL);
    MR_ASSERT(st == MR_OK || b->status != MR_OK);
    rack->first_host = (uint32_t)b->site->n_host;
    rack->n_host = (uint32_t)units->n;
    for (uint64_t i = 0; i < units->n && b->status == MR_OK; i++)
        add_host(b, (struct mr_host){.name = units->suffix[0] == '\0'
                                                 ? rack->name
                                                 : join_number(b, rack->name, units->suffix, i),
                                     .speed = speed,
                                     .speed_flop_s = flop_s,
                                     .n_core = cores_of(units, i),
                                     .zone = rack->zone,
                                     .rack = (uint32_t)(rack - b->site->rack),
                                     .uplink = MR_SITE_NONE});
}

/* Host i to a router of the rack over its own link and, with `port`, one more. */
static void add_host_route(struct builder *b, const struct mr_rack *rack, uint64_t i,
                           const char *router, uint32_t link, uint32_t port)
{
    if (b->status != MR_OK)
        return;
    const char *host = b->site->host[rack->first_host + i].name;
    add_route(b, (struct mr_route){
                     .zone = rack->zone, .src = host, .dst = router, .gw_src = "", .gw_dst = ""});
    add_hop(b, link);
    if (port != MR_SITE_NONE)
        add_hop(b, port);
}

static double nic_s(const struct builder *b, const struct mr_rack *rack)
{
    return rack->nic_latency_s > 0 ? rack->nic_latency_s : b->fabric->nic_latency_s;
}

static uint32_t add_host_link(struct builder *b, const struct mr_rack *rack, uint64_t i,
                              const char *suffix, double bytes_s, double latency_s)
{
    if (b->status != MR_OK)
        return 0;
    const char *name = join(b, b->site->host[rack->first_host + i].name, suffix);
    return add_link(b, name, rack->zone, bytes_s, latency_s, SPLIT);
}

/* One zone with two links per host: to the scale-up switch of its node, and over the port to the
 * rack's door. Floyd counts links, so the port keeps traffic inside the rack on the switch. */
static struct door build_rack(struct builder *b, uint32_t index, uint32_t parent)
{
    struct mr_rack *rack = &b->site->rack[index];
    const struct units units = units_of(b, rack);
    const uint64_t n_switch = n_switch_of(b, rack);
    const double bytes_s = rack_bytes_s(rack);
    const struct door door = {rack->name, join(b, rack->name, ".gw"), bytes_s, index};
    rack->zone = add_zone(b, rack->name, "Floyd", parent);
    add_rack_hosts(b, rack, &units);
    const size_t first_switch = b->site->n_router;
    for (uint64_t i = 0; i < n_switch && b->status == MR_OK; i++)
        add_router(b, switch_name(b, rack, n_switch, i), rack->zone);
    add_router(b, door.gateway, rack->zone);
    const uint32_t first_nv = (uint32_t)b->site->n_link;
    for (uint64_t i = 0; i < units.n && n_switch > 0 && b->status == MR_OK; i++) {
        const struct mr_domain *domain = &b->site->domain[rack->domain];
        add_host_link(b, rack, i, ".nv", (double)cores_of(&units, i) * domain->bandwidth_bytes_s,
                      domain->latency_s);
    }
    const uint32_t first_nic = (uint32_t)b->site->n_link;
    for (uint64_t i = 0; i < units.n && b->status == MR_OK; i++)
        add_host_link(b, rack, i, ".nic",
                      bytes_s * (double)cores_of(&units, i) / (double)units.n_core, nic_s(b, rack));
    const uint32_t port = add_link(b, join(b, rack->name, ".port"), rack->zone, bytes_s,
                                   b->fabric->port_latency_s, FATPIPE);
    for (uint64_t i = 0; i < units.n && n_switch > 0 && b->status == MR_OK; i++)
        add_host_route(b, rack, i, b->site->router[first_switch + i * n_switch / units.n].name,
                       first_nv + (uint32_t)i, MR_SITE_NONE);
    for (uint64_t i = 0; i < units.n; i++)
        add_host_route(b, rack, i, door.gateway, first_nic + (uint32_t)i, port);
    return door;
}

/* ---- scale-up zones ---- */

static mr_status find_spans(struct builder *b)
{
    struct mr_site *site = b->site;
    b->span = mr_alloc(site->n_domain, sizeof *b->span);
    if (b->span == NULL)
        return mr_err_nomem(b->err, site->n_domain * sizeof *b->span);
    for (size_t i = 0; i < site->n_domain; i++)
        b->span[i] = (struct span){0, 0, 0, MR_SITE_NONE};
    for (uint32_t r = 0; r < site->n_rack; r++) {
        if (site->rack[r].domain == MR_SITE_NONE || site->rack[r].n_domain != 1)
            continue;
        struct span *span = &b->span[site->rack[r].domain];
        if (span->n++ == 0)
            span->first = r;
        span->last = r;
    }
    return MR_OK;
}

/* The domain's span when all its racks are among n from `first` on, else NULL. */
static struct span *span_within(struct builder *b, uint32_t rack, uint32_t first, uint32_t n)
{
    const struct mr_rack *its = &b->site->rack[rack];
    if (its->domain == MR_SITE_NONE || its->n_domain != 1 || n_switch_of(b, its) != 1)
        return NULL;
    struct span *span = &b->span[its->domain];
    return span->n > 1 && span->first >= first && span->last < first + n ? span : NULL;
}

/* Zones with one router nvlsw, for the domains whose racks are all here. @return how many */
static uint32_t add_scale_up_zones(struct builder *b, uint32_t first, uint32_t n, uint32_t parent)
{
    uint32_t n_zone = 0;
    for (uint32_t r = first; r < first + n && b->status == MR_OK; r++) {
        struct span *span = span_within(b, r, first, n);
        if (span == NULL || span->first != r)
            continue;
        const char *name = join(b, b->site->domain[b->site->rack[r].domain].name, ".nvl");
        span->zone = add_zone(b, name, "Full", parent);
        add_router(b, join(b, name, "sw"), span->zone);
        n_zone++;
    }
    return n_zone;
}

static void add_scale_up(struct builder *b, uint32_t rack, const struct span *span, uint32_t zone,
                         uint32_t link)
{
    const struct mr_rack *its = &b->site->rack[rack];
    if (b->status != MR_OK)
        return;
    const char *name = b->site->zone[span->zone].name;
    add_route(b, (struct mr_route){.zone = zone,
                                   .src = its->name,
                                   .dst = name,
                                   .gw_src = switch_name(b, its, 1, 0),
                                   .gw_dst = join(b, name, "sw")});
    add_hop(b, link);
}

/* ---- layers ---- */

struct layer {
    const char *router;    /* last part of a group's router's name */
    double up_s;           /* latency of a child's uplink */
    double oversubscribed; /* a child's uplink is what stands below it divided by this */
    bool has_racks;        /* children are racks */
    struct door (*child)(struct builder *b, uint32_t index, uint32_t parent);
};

/* Children of a zone that are done, and the router they are to be joined at. */
struct joint {
    uint32_t zone, n;
    const struct door *door;
    const char *sw, *router;
    bool has_scale_up;
};

static double uplink_bytes_s(const struct layer *layer, const struct door *door)
{
    return door->bytes_s > 0 ? door->bytes_s / layer->oversubscribed : MANAGEMENT_BYTES_S;
}

static void add_uplinks(struct builder *b, const struct layer *layer, const struct joint *joint)
{
    for (uint32_t i = 0; i < joint->n; i++) {
        const struct door *door = &joint->door[i];
        const uint32_t up = add_link(b, join(b, door->name, ".up"), joint->zone,
                                     uplink_bytes_s(layer, door), layer->up_s, SPLIT);
        if (layer->has_racks)
            b->site->rack[door->rack].uplink = up;
    }
}

static void add_scale_up_links(struct builder *b, const struct joint *joint)
{
    for (uint32_t i = 0; i < joint->n && b->status == MR_OK; i++) {
        const struct mr_rack *rack = &b->site->rack[joint->door[i].rack];
        if (span_within(b, joint->door[i].rack, joint->door[0].rack, joint->n) == NULL)
            continue;
        const struct mr_domain *domain = &b->site->domain[rack->domain];
        add_link(b, join(b, rack->name, ".nvup"), joint->zone,
                 (double)rack->n_package * domain->bandwidth_bytes_s, domain->latency_s, SPLIT);
    }
}

/* A second link on the way to the leaf keeps scale-up the shorter one. Never a bottleneck. */
static uint32_t add_detour(struct builder *b, const struct layer *layer, const struct joint *joint)
{
    double widest = 0;
    for (uint32_t i = 0; i < joint->n; i++)
        if (uplink_bytes_s(layer, &joint->door[i]) > widest)
            widest = uplink_bytes_s(layer, &joint->door[i]);
    if (b->status != MR_OK)
        return 0;
    const char *name = join(b, b->site->zone[joint->zone].name, ".hop");
    return add_link(b, name, joint->zone, widest, 0, FATPIPE);
}

static void connect(struct builder *b, const struct layer *layer, struct joint *joint)
{
    joint->has_scale_up = layer->has_racks && joint->n > 0 &&
                          add_scale_up_zones(b, joint->door[0].rack, joint->n, joint->zone) > 0;
    const uint32_t sw_zone = add_zone(b, joint->sw, "Full", joint->zone);
    add_router(b, joint->router, sw_zone);
    const uint32_t first_up = (uint32_t)b->site->n_link;
    add_uplinks(b, layer, joint);
    uint32_t nv = (uint32_t)b->site->n_link, detour = MR_SITE_NONE;
    if (joint->has_scale_up) {
        add_scale_up_links(b, joint);
        detour = add_detour(b, layer, joint);
    }
    for (uint32_t i = 0; i < joint->n && b->status == MR_OK; i++) {
        const struct door *door = &joint->door[i];
        add_route(b, (struct mr_route){.zone = joint->zone,
                                       .src = door->name,
                                       .dst = joint->sw,
                                       .gw_src = door->gateway,
                                       .gw_dst = joint->router});
        add_hop(b, first_up + i);
        if (!joint->has_scale_up)
            continue;
        add_hop(b, detour);
        const struct span *span = span_within(b, door->rack, joint->door[0].rack, joint->n);
        if (span != NULL)
            add_scale_up(b, door->rack, span, joint->zone, nv++);
    }
}

/* End of a group that begins at `first`: balanced sizes, but racks of one domain stay together. */
static uint32_t group_end(const struct builder *b, const struct layer *layer, uint32_t first,
                          uint32_t end, uint32_t n_group)
{
    const uint32_t even = first + (end - first + n_group - 1) / n_group;
    const struct mr_rack *rack = b->site->rack;
    uint32_t i = even;
    while (layer->has_racks && i < end && i > first && rack[i].domain != MR_SITE_NONE &&
           rack[i].domain == rack[i - 1].domain)
        i--;
    return i > first ? i : even;
}

/* A layer and the children [first, end) it is to have. */
struct stack {
    const struct layer *layer;
    uint32_t zone, first, end;
    const char *name, *router;
};

static double build_layer(struct builder *b, const struct stack *stack);

/* Groups stand for the same switches as their parent's router: their uplinks are neither narrow nor
 * slow. */
static double build_groups(struct builder *b, const struct stack *stack, uint32_t n_group,
                           struct joint *joint, struct door *door)
{
    const struct layer straight = {.oversubscribed = 1};
    double sum = 0;
    for (uint32_t i = stack->first, left = n_group; i < stack->end && b->status == MR_OK;) {
        const char *name = join_number(b, stack->name, ".G", joint->n);
        const struct stack group = {.layer = stack->layer,
                                    .zone = add_zone(b, name, "Floyd", stack->zone),
                                    .first = i,
                                    .end = group_end(b, stack->layer, i, stack->end, left),
                                    .name = name,
                                    .router = join(b, name, stack->layer->router)};
        const double bytes_s = build_layer(b, &group);
        door[joint->n++] = (struct door){name, group.router, bytes_s, MR_SITE_NONE};
        sum += bytes_s;
        i = group.end;
        left = left > 1 ? left - 1 : 1;
    }
    connect(b, &straight, joint);
    return sum;
}

/* @return what all uplinks of the children offer together */
static double build_layer(struct builder *b, const struct stack *stack)
{
    /* a row may need a scale-up zone for every two racks */
    const uint32_t most =
        stack->layer->has_racks ? (MR_FABRIC_CHILDREN - 2) / 3 * 2 : MR_FABRIC_CHILDREN - 2;
    const uint32_t n = stack->end - stack->first;
    struct door *door = mr_alloc(n, sizeof *door);
    struct joint joint = {.zone = stack->zone,
                          .door = door,
                          .sw = join(b, stack->name, ".sw"),
                          .router = stack->router};
    double sum = 0;
    if (door == NULL) {
        if (b->status == MR_OK)
            b->status = mr_err_nomem(b->err, n * sizeof *door);
        return 0;
    }
    if (b->status == MR_OK && n > most) {
        sum = build_groups(b, stack, (n + most - 1) / most, &joint, door);
    } else if (b->status == MR_OK) {
        for (; joint.n < n; joint.n++) {
            door[joint.n] = stack->layer->child(b, stack->first + joint.n, stack->zone);
            sum += uplink_bytes_s(stack->layer, &door[joint.n]);
        }
        connect(b, stack->layer, &joint);
    }
    mr_free(door);
    return sum;
}

/* ---- rows, halls, site ---- */

/* One host per rack, straight in the row's zone: its link is the rack's way to the leaf. */
static struct door build_cluster_row(struct builder *b, uint32_t index, uint32_t parent)
{
    struct mr_row *row = &b->site->row[index];
    struct door door = {row->name, join(b, row->name, ".leaf"), 0, MR_SITE_NONE};
    const struct mr_fabric_params *f = b->fabric;
    const double cable_s =
        f->port_latency_s + f->rack_cable_s + optics_s(f) + f->leaf_latency_s / 2;
    row->zone = add_zone(b, row->name, "Cluster", parent);
    for (uint32_t r = row->first_rack; r < row->first_rack + row->n_rack; r++) {
        struct mr_rack *rack = &b->site->rack[r];
        const struct units units = units_of(b, rack);
        rack->zone = row->zone;
        add_rack_hosts(b, rack, &units);
        door.bytes_s += rack_bytes_s(rack);
    }
    add_router(b, door.gateway, row->zone);
    for (uint32_t r = row->first_rack; r < row->first_rack + row->n_rack && b->status == MR_OK;
         r++) {
        struct mr_rack *rack = &b->site->rack[r];
        rack->uplink = add_link(b, join(b, rack->name, ".up"), row->zone, rack_bytes_s(rack),
                                nic_s(b, rack) + cable_s, SPLIT);
        b->site->host[rack->first_host].uplink = rack->uplink;
    }
    return door;
}

static struct door build_row(struct builder *b, uint32_t index, uint32_t parent)
{
    struct mr_row *row = &b->site->row[index];
    const struct mr_fabric_params *f = b->fabric;
    struct door door = {row->name, join(b, row->name, ".leaf"), 0, MR_SITE_NONE};
    if (b->level == MR_SITE_LEVEL_RACK)
        return build_cluster_row(b, index, parent);
    const struct layer layer = {.router = ".leaf",
                                .up_s = f->rack_cable_s + optics_s(f) + f->leaf_latency_s / 2,
                                .oversubscribed = 1,
                                .has_racks = true,
                                .child = build_rack};
    row->zone = add_zone(b, row->name, "Floyd", parent);
    const struct stack stack = {.layer = &layer,
                                .zone = row->zone,
                                .first = row->first_rack,
                                .end = row->first_rack + row->n_rack,
                                .name = row->name,
                                .router = door.gateway};
    door.bytes_s = build_layer(b, &stack);
    return door;
}

static struct door build_hall(struct builder *b, uint32_t index, uint32_t parent)
{
    struct mr_hall *hall = &b->site->hall[index];
    const struct mr_fabric_params *f = b->fabric;
    struct door door = {hall->name, join(b, hall->name, ".spine"), 0, MR_SITE_NONE};
    const struct layer layer = {.router = ".spine",
                                .up_s = f->row_cable_s + optics_s(f) +
                                        (f->leaf_latency_s + f->spine_latency_s) / 2,
                                .oversubscribed = f->row_oversubscription,
                                .child = build_row};
    hall->zone = add_zone(b, hall->name, "Floyd", parent);
    const struct stack stack = {.layer = &layer,
                                .zone = hall->zone,
                                .first = hall->first_row,
                                .end = hall->first_row + hall->n_row,
                                .name = hall->name,
                                .router = door.gateway};
    door.bytes_s = build_layer(b, &stack);
    return door;
}

mr_status mr_fabric_zones(struct mr_site *site, int level, struct mr_err *err)
{
    const struct mr_fabric_params *f = site->fabric;
    struct builder b = {.site = site, .fabric = f, .level = level, .err = err};
    const struct layer layer = {.router = ".core",
                                .up_s = f->hall_cable_s + optics_s(f) +
                                        (f->spine_latency_s + f->core_latency_s) / 2,
                                .oversubscribed = f->hall_oversubscription,
                                .child = build_hall};
    MR_ASSERT(site->n_zone == 0 && site->n_host == 0 && site->n_link == 0);
    MR_TRY(find_spans(&b));
    const struct stack stack = {.layer = &layer,
                                .zone = add_zone(&b, "site", "Floyd", MR_SITE_NONE),
                                .end = (uint32_t)site->n_hall,
                                .name = "core",
                                .router = "core"};
    (void)build_layer(&b, &stack);
    mr_free(b.span);
    return b.status;
}
