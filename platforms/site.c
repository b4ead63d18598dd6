/* SPDX-License-Identifier: Apache-2.0 */
/* The site's life and its canonical text. The text names every field of every entity once, numbers
 * in base units and shortest form, references as indices; it leaves out files and lines, so that
 * the same site read from two places is the same text. */
#include "platforms/site.h"

#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "platforms/fabric.h"

#include <math.h>

struct mr_site *mr_site_create(struct mr_err *err)
{
    struct mr_site *site = mr_alloc_zero(1, sizeof *site);
    if (site == NULL) {
        (void)mr_err_nomem(err, sizeof *site);
        return NULL;
    }
    site->name = site->path = site->layout_path = site->layout_sha256 = "";
    site->wet_bulb_c = 25;
    return site;
}

void mr_site_destroy(struct mr_site *site)
{
    if (site == NULL)
        return;
#define FREE_ARRAY(name, type) mr_free(site->name);
    MR_SITE_ENTITY_LIST(FREE_ARRAY)
#undef FREE_ARRAY
    mr_arena_fini(&site->arena);
    mr_free(site);
}

/* ---- names of kinds ---- */

size_t mr_site_power_order(const struct mr_site *site, uint32_t *order, uint32_t *n_child)
{
    size_t n = 0;
    memset(n_child, 0, site->n_power * sizeof *n_child);
    for (size_t i = 0; i < site->n_power; i++)
        for (int p = 0; p < 2; p++)
            if (site->power[i].parent[p] != MR_SITE_NONE)
                n_child[site->power[i].parent[p]]++;
    for (uint32_t i = 0; i < site->n_power; i++)
        if (n_child[i] == 0)
            order[n++] = i;
    for (size_t i = 0; i < n; i++)
        for (int p = 0; p < 2; p++) {
            const uint32_t parent = site->power[order[i]].parent[p];
            if (parent != MR_SITE_NONE && --n_child[parent] == 0)
                order[n++] = parent;
        }
    return n;
}

double mr_site_power_grants_w(const struct mr_power_node *node)
{
    const uint64_t n = node->n_unit > node->n_spare ? node->n_unit - node->n_spare : 0;
    return node->rating_w * (double)n * fmax(1, node->oversubscribe);
}

bool mr_site_power_shares(int kind)
{
    return kind == MR_SITE_POWER_UPS || kind == MR_SITE_POWER_SIDECAR ||
           kind == MR_SITE_POWER_SST || kind == MR_SITE_POWER_RECTIFIER;
}

struct mr_site_loss mr_site_power_loss(int kind, double rating_w)
{
    /* published or estimated; row distribution is an assumption */
    static const struct mr_site_loss loss[MR_SITE_N_POWER_KIND] = {
        [MR_SITE_POWER_UNIT] = {0.0010, 0, 0.0070},
        [MR_SITE_POWER_UPS] = {0.0076, 0.0080, 0.0261},
        [MR_SITE_POWER_UPS_ECO] = {0.0025, 0.0040, 0.0020},
        [MR_SITE_POWER_RPP] = {0, 0, 0.0050},
        [MR_SITE_POWER_BUSWAY] = {0, 0, 0.0050},
        [MR_SITE_POWER_SIDECAR] = {0.0035, 0.0030, 0.0105},
        [MR_SITE_POWER_SST] = {0.0035, 0.0030, 0.0105},
        [MR_SITE_POWER_RECTIFIER] = {0.0035, 0.0030, 0.0105}};
    /* grid transformers, the record nearest in ratio: iron over rating, copper */
    static const struct {
        double below_w;
        struct mr_site_loss loss;
    } transformer[] = {{31.6e6, {14e3 / 25e6, 0, 0.0041}},
                       {50.2e6, {18e3 / 40e6, 0, 0.0034}},
                       {100.4e6, {22e3 / 63e6, 0, 0.0032}},
                       {(double)INFINITY, {60e3 / 160e6, 0, 0.0025}}};
    size_t i = 0;
    if (kind != MR_SITE_POWER_SUBSTATION)
        return loss[kind];
    while (i + 1 < sizeof transformer / sizeof *transformer && rating_w >= transformer[i].below_w)
        i++;
    return transformer[i].loss;
}

double mr_site_power_efficiency(int kind)
{
    const double common_w = 63e6; /* of grid transformers */
    const struct mr_site_loss loss = mr_site_power_loss(kind, common_w);
    return 1 / (1 + loss.standing + loss.linear + loss.square);
}

double mr_site_reject_power(int kind)
{
    static const double power[MR_SITE_N_REJECT_KIND] = {
        [MR_SITE_REJECT_DRY_COOLER] = 0.0402, [MR_SITE_REJECT_ADIABATIC] = 0.01,
        [MR_SITE_REJECT_TOWER] = 0.01,        [MR_SITE_REJECT_CHILLER] = 0.18,
        [MR_SITE_REJECT_CRAH] = 0.03,
    };
    return power[kind];
}

double mr_site_cdu_power(void)
{
    return 0.037;
}

const char *mr_site_power_kind_name(int kind)
{
    static const char *const names[] = {
#define KIND_NAME(name, text, doc) text,
        MR_SITE_POWER_LIST(KIND_NAME)};
    return kind >= 0 && kind < MR_SITE_N_POWER_KIND ? names[kind] : "unknown";
}

const char *mr_site_reject_kind_name(int kind)
{
    static const char *const names[] = {MR_SITE_REJECT_LIST(KIND_NAME)};
#undef KIND_NAME
    return kind >= 0 && kind < MR_SITE_N_REJECT_KIND ? names[kind] : "unknown";
}

const char *mr_site_level_name(int level)
{
    static const char *const names[] = {
#define LEVEL_NAME(name, text) text,
        MR_SITE_LEVEL_LIST(LEVEL_NAME)
#undef LEVEL_NAME
    };
    return level >= 0 && level < (int)(sizeof names / sizeof *names) ? names[level] : "unknown";
}

/* ---- canonical text ---- */

static void text(struct mr_buf *out, const char *key, const char *value)
{
    mr_buf_char(out, ' ');
    mr_buf_text(out, key);
    mr_buf_text(out, "=\"");
    for (const char *p = value != NULL ? value : ""; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\')
            mr_buf_char(out, '\\');
        if ((unsigned char)*p < ' ')
            mr_buf_printf(out, "\\x%02x", (unsigned)(unsigned char)*p);
        else
            mr_buf_char(out, *p);
    }
    mr_buf_char(out, '"');
}

static void number(struct mr_buf *out, const char *key, double value)
{
    char digits[MR_NUM_CAP];
    const size_t n = mr_num_format_f64(value, digits);
    mr_buf_char(out, ' ');
    mr_buf_text(out, key);
    mr_buf_char(out, '=');
    mr_buf_add(out, digits, n);
}

static void count(struct mr_buf *out, const char *key, uint64_t value)
{
    char digits[MR_NUM_CAP];
    const size_t n = mr_num_format_u64(value, digits);
    mr_buf_char(out, ' ');
    mr_buf_text(out, key);
    mr_buf_char(out, '=');
    mr_buf_add(out, digits, n);
}

static void ref(struct mr_buf *out, const char *key, uint32_t index)
{
    if (index != MR_SITE_NONE) {
        count(out, key, index);
        return;
    }
    mr_buf_char(out, ' ');
    mr_buf_text(out, key);
    mr_buf_text(out, "=-");
}

static void dump_fabric(const struct mr_fabric_params *params, struct mr_buf *out)
{
    const struct mr_param_table *table = mr_fabric_table();
    struct mr_fabric_params defaults;
    mr_fabric_defaults(&defaults);
    mr_buf_text(out, "fabric");
    for (size_t i = 0; i < table->n; i++) {
        struct mr_buf value = {0};
        mr_param_value(&table->row[i], params != NULL ? params : &defaults, &value);
        if (value.status != MR_OK)
            out->status = value.status;
        text(out, table->row[i].name, value.text);
        mr_buf_fini(&value);
    }
    mr_buf_char(out, '\n');
}

static void dump_site(const struct mr_site *site, struct mr_buf *out)
{
    const struct mr_grid *grid = &site->grid;
    mr_buf_text(out, "site");
    text(out, "name", site->name);
    text(out, "sha256", site->layout_sha256);
    text(out, "level", mr_site_level_name(site->level));
    count(out, "has_props", site->has_props);
    count(out, "n_package", site->n_package);
    number(out, "wet_bulb_c", site->wet_bulb_c);
    number(out, "dry_bulb_c", site->dry_bulb_c);
    mr_buf_text(out, "\ngrid");
    number(out, "limit_w", grid->limit_w);
    number(out, "ramp_w_s", grid->ramp_w_s);
    number(out, "voltage_v", grid->voltage_v);
    number(out, "curtail_frac", grid->curtail_frac);
    number(out, "curtail_h_year", grid->curtail_h_year);
    count(out, "interconnect", (uint64_t)grid->interconnect);
    mr_buf_char(out, '\n');
    dump_fabric(site->fabric, out);
}

static void dump_hall(const struct mr_hall *hall, struct mr_buf *out)
{
    ref(out, "first_row", hall->first_row);
    count(out, "n_row", hall->n_row);
    ref(out, "zone", hall->zone);
    number(out, "floor_limit_kg_m2", hall->floor_limit_kg_m2);
}

static void dump_row(const struct mr_row *row, struct mr_buf *out)
{
    ref(out, "hall", row->hall);
    ref(out, "first_rack", row->first_rack);
    count(out, "n_rack", row->n_rack);
    ref(out, "zone", row->zone);
}

static void dump_rack(const struct mr_rack *rack, struct mr_buf *out)
{
    text(out, "card", rack->card);
    text(out, "package", rack->package);
    ref(out, "hall", rack->hall);
    ref(out, "row", rack->row);
    ref(out, "cdu", rack->cdu);
    ref(out, "domain", rack->domain);
    count(out, "n_domain", rack->n_domain);
    ref(out, "pod", rack->pod);
    ref(out, "feed_a", rack->feed[0]);
    ref(out, "feed_b", rack->feed[1]);
    count(out, "has_standby", rack->has_standby);
    ref(out, "first_package", rack->first_package);
    count(out, "n_package", rack->n_package);
    ref(out, "zone", rack->zone);
    ref(out, "first_host", rack->first_host);
    count(out, "n_host", rack->n_host);
    ref(out, "uplink", rack->uplink);
    number(out, "limit_w", rack->limit_w);
    number(out, "rated_w", rack->rated_w);
    number(out, "max_q_w", rack->max_q_w);
    number(out, "liquid_frac", rack->liquid_frac);
    number(out, "flow_m3_s", rack->flow_m3_s);
    number(out, "inlet_max_c", rack->inlet_max_c);
    number(out, "mass_kg", rack->mass_kg);
    number(out, "footprint_m2", rack->footprint_m2);
    number(out, "nic_latency_s", rack->nic_latency_s);
    number(out, "x_m", rack->x_m);
    number(out, "y_m", rack->y_m);
    count(out, "n_tray", rack->n_tray);
    number(out, "flop_s", rack->flop_s);
    number(out, "memory_bytes", rack->memory_bytes);
    count(out, "n_port", rack->n_port);
    number(out, "port_bytes_s", rack->port_bytes_s);
    count(out, "bus_v", rack->bus_v);
    number(out, "shelf_j", rack->shelf_j);
    count(out, "n_cpu", rack->n_cpu);
}

static void dump_domain(const struct mr_domain *domain, struct mr_buf *out)
{
    count(out, "generation", domain->generation);
    count(out, "n_package", domain->n_package);
    number(out, "bandwidth_bytes_s", domain->bandwidth_bytes_s);
    number(out, "latency_s", domain->latency_s);
    count(out, "is_optical", domain->is_optical);
}

static void dump_pod(const struct mr_pod *pod, struct mr_buf *out)
{
    count(out, "n_rack", pod->n_rack);
}

static void dump_cdu(const struct mr_cdu *cdu, struct mr_buf *out)
{
    text(out, "card", cdu->card);
    count(out, "n_unit", cdu->n_unit);
    count(out, "n_spare", cdu->n_spare);
    number(out, "capacity_w", cdu->capacity_w);
    number(out, "approach_k", cdu->approach_k);
    number(out, "supply_c", cdu->supply_c);
    number(out, "flow_m3_s", cdu->flow_m3_s);
    ref(out, "loop", cdu->loop);
    ref(out, "hall", cdu->hall);
    ref(out, "row", cdu->row);
}

static void dump_loop(const struct mr_loop *loop, struct mr_buf *out)
{
    number(out, "supply_c", loop->supply_c);
    number(out, "volume_m3", loop->volume_m3);
    ref(out, "hall", loop->hall);
}

static void dump_rejector(const struct mr_rejector *rejector, struct mr_buf *out)
{
    text(out, "card", rejector->card);
    text(out, "kind", mr_site_reject_kind_name(rejector->kind));
    count(out, "n_unit", rejector->n_unit);
    count(out, "n_spare", rejector->n_spare);
    number(out, "capacity_w", rejector->capacity_w);
    number(out, "area_m2", rejector->area_m2);
    ref(out, "loop", rejector->loop);
}

static void dump_power(const struct mr_power_node *power, struct mr_buf *out)
{
    text(out, "kind", mr_site_power_kind_name(power->kind));
    number(out, "rating_w", power->rating_w);
    count(out, "n_unit", power->n_unit);
    count(out, "n_spare", power->n_spare);
    number(out, "voltage_v", power->voltage_v);
    number(out, "energy_j", power->energy_j);
    if (power->oversubscribe > 1)
        number(out, "oversubscribe", power->oversubscribe);
    ref(out, "parent_a", power->parent[0]);
    ref(out, "parent_b", power->parent[1]);
    ref(out, "hall", power->hall);
    ref(out, "row", power->row);
}

static void dump_zone(const struct mr_zone *zone, struct mr_buf *out)
{
    text(out, "routing", zone->routing);
    ref(out, "parent", zone->parent);
}

static void dump_host(const struct mr_host *host, struct mr_buf *out)
{
    text(out, "speed", host->speed);
    number(out, "speed_flop_s", host->speed_flop_s);
    count(out, "n_core", host->n_core);
    ref(out, "zone", host->zone);
    ref(out, "rack", host->rack);
    ref(out, "uplink", host->uplink);
}

static void dump_router(const struct mr_site_router *router, struct mr_buf *out)
{
    ref(out, "zone", router->zone);
}

static void dump_link(const struct mr_link *link, struct mr_buf *out)
{
    number(out, "bandwidth_bytes_s", link->bandwidth_bytes_s);
    number(out, "latency_s", link->latency_s);
    count(out, "is_split", link->is_split);
    count(out, "is_fatpipe", link->is_fatpipe);
    ref(out, "zone", link->zone);
}

static void dump_routes(const struct mr_site *site, struct mr_buf *out)
{
    for (size_t i = 0; i < site->n_route; i++) {
        const struct mr_route *route = &site->route[i];
        mr_buf_text(out, "route");
        ref(out, "zone", route->zone);
        text(out, "src", route->src);
        text(out, "dst", route->dst);
        text(out, "gw_src", route->gw_src);
        text(out, "gw_dst", route->gw_dst);
        count(out, "is_one_way", route->is_one_way);
        for (uint32_t k = 0; k < route->n_link; k++) {
            const struct mr_route_link *hop = &site->route_link[route->first_link + k];
            ref(out, "link", hop->link);
            count(out, "direction", (uint64_t)hop->direction);
        }
        mr_buf_char(out, '\n');
    }
}

void mr_site_dump(const struct mr_site *site, struct mr_buf *out)
{
    dump_site(site, out);
    /* kind, index, name, fields */
#define DUMP(array)                                \
    for (size_t i = 0; i < site->n_##array; i++) { \
        mr_buf_text(out, #array " ");              \
        mr_buf_printf(out, "%zu", i);              \
        text(out, "name", site->array[i].name);    \
        dump_##array(&site->array[i], out);        \
        mr_buf_char(out, '\n');                    \
    }
    DUMP(hall)
    DUMP(row)
    DUMP(rack)
    DUMP(domain)
    DUMP(pod)
    DUMP(cdu)
    DUMP(loop)
    DUMP(rejector)
    DUMP(power)
    DUMP(zone)
    DUMP(host)
    DUMP(router)
    DUMP(link)
#undef DUMP
    dump_routes(site, out);
}
