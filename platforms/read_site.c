/* SPDX-License-Identifier: Apache-2.0 */
/* What follows from a file once all of it is known: which rack a host is in, which row and hall a
 * zone stands for when no prop says so, ranges and counts, and the defaults of plain SimGrid
 * platforms.
 * Without props a rack's row is the zone around it, and a row's hall the outermost but one.
 * Map: racks - rows and halls - where things stand - packages and domains - plain platforms. */
#include "engine/base/mem.h"
#include "platforms/read_impl.h"

/* ---- racks ---- */

static uint32_t parent_of(const struct mr_read *r, uint32_t zone)
{
    return r->site->zone[zone].parent;
}

/* Nearest zone from `zone` outwards that carries a rack. */
static uint32_t rack_zone(const struct mr_read *r, uint32_t zone)
{
    while (zone != MR_SITE_NONE && r->zone[zone].rack == MR_SITE_NONE)
        zone = parent_of(r, zone);
    return zone;
}

static struct mr_place file_place(const struct mr_read *r)
{
    return (struct mr_place){r->site->path, 0, 0};
}

static struct mr_place zone_place(const struct mr_read *r, uint32_t zone)
{
    return r->zone[zone].at;
}

static void rack_in_rack(struct mr_read *r, uint32_t rack, uint32_t outer)
{
    char a[MR_QUOTE_CAP], b[MR_QUOTE_CAP];
    const struct mr_rack *racks = r->site->rack;
    MR_READ_ERROR(r, MR_SCHEMA, zone_place(r, racks[rack].zone),
                  "rack \"%s\" stands in rack \"%s\"",
                  mr_text_quote(mr_str_of(racks[rack].name), a),
                  mr_text_quote(mr_str_of(racks[outer].name), b));
}

static void check_nesting(struct mr_read *r)
{
    for (uint32_t i = 0; i < r->site->n_rack; i++) {
        const uint32_t zone = r->site->rack[i].zone;
        const bool is_zone = r->zone[zone].rack == i;
        const uint32_t outer = rack_zone(r, is_zone ? parent_of(r, zone) : zone);
        if (outer != MR_SITE_NONE)
            rack_in_rack(r, i, r->zone[outer].rack);
    }
}

/* Hosts of a rack are consecutive: they are in its zone, or it is the only one. */
static void give_hosts(struct mr_read *r)
{
    struct mr_site *site = r->site;
    for (uint32_t i = 0; i < site->n_rack; i++)
        site->rack[i].n_host = 0;
    for (uint32_t h = 0; h < site->n_host; h++) {
        struct mr_host *host = &site->host[h];
        const uint32_t zone = rack_zone(r, host->zone);
        if (host->rack == MR_SITE_NONE && zone != MR_SITE_NONE)
            host->rack = r->zone[zone].rack;
        if (host->rack == MR_SITE_NONE)
            continue;
        struct mr_rack *rack = &site->rack[host->rack];
        if (rack->n_host++ == 0)
            rack->first_host = h;
    }
}

static void check_hosts(struct mr_read *r)
{
    const struct mr_site *site = r->site;
    size_t n = 0;
    const char *first = "";
    char quoted[MR_QUOTE_CAP];
    for (size_t h = site->n_host; h-- > 0;)
        if (site->host[h].rack == MR_SITE_NONE) {
            first = site->host[h].name;
            n++;
        }
    if (n > 0)
        MR_READ_WARNING(r, MR_SCHEMA, file_place(r),
                        "%zu hosts belong to no rack, the first is \"%s\"", n,
                        mr_text_quote(mr_str_of(first), quoted));
    for (size_t i = 0; i < site->n_rack; i++)
        if (site->rack[i].n_host == 0)
            MR_READ_ERROR(r, MR_SCHEMA, zone_place(r, site->rack[i].zone),
                          "rack \"%s\" has no host",
                          mr_text_quote(mr_str_of(site->rack[i].name), quoted));
}

/* ---- rows and halls ---- */

/* The zone a rack's row is, declared or by default. */
static uint32_t row_zone_of(const struct mr_read *r, uint32_t rack)
{
    const uint32_t zone = r->site->rack[rack].zone;
    for (uint32_t z = zone; z != MR_SITE_NONE; z = parent_of(r, z))
        if (r->zone[z].row != MR_SITE_NONE)
            return z;
    const bool is_zone = r->zone[zone].rack == rack;
    return is_zone && parent_of(r, zone) != MR_SITE_NONE ? parent_of(r, zone) : zone;
}

static uint32_t hall_zone_of(const struct mr_read *r, uint32_t zone)
{
    uint32_t outer = zone;
    for (uint32_t z = zone; z != MR_SITE_NONE; z = parent_of(r, z)) {
        if (r->zone[z].hall != MR_SITE_NONE)
            return z;
        if (parent_of(r, z) != MR_SITE_NONE)
            outer = z;
    }
    return outer;
}

enum {
    WANTED = 0x7fffffff /* a row or hall that a zone is to become; smaller: declared */
};

static struct mr_spot spot_of(const struct mr_read *r, uint32_t zone)
{
    return (struct mr_spot){r->zone[zone].at.line, r->zone[zone].at.col};
}

/* Rows in the order of their zones: declared ones, and those a zone is to become. */
static mr_status order_rows(struct mr_read *r)
{
    struct mr_site *site = r->site;
    size_t n = 0;
    for (uint32_t z = 0; z < site->n_zone; z++)
        n += r->zone[z].row != MR_SITE_NONE;
    struct mr_row *sorted = mr_alloc(n, sizeof *sorted);
    if (sorted == NULL)
        return MR_NOMEM;
    uint32_t i = 0;
    for (uint32_t z = 0; z < site->n_zone; z++) {
        uint32_t *const row = &r->zone[z].row;
        if (*row == MR_SITE_NONE)
            continue;
        sorted[i] = *row == WANTED
                        ? (struct mr_row){.name = site->zone[z].name, .at = spot_of(r, z)}
                        : site->row[*row];
        sorted[i].zone = z;
        *row = i++;
    }
    mr_free(site->row);
    site->row = sorted;
    site->n_row = site->cap_row = n;
    return MR_OK;
}

static mr_status order_halls(struct mr_read *r)
{
    struct mr_site *site = r->site;
    size_t n = 0;
    for (uint32_t z = 0; z < site->n_zone; z++)
        n += r->zone[z].hall != MR_SITE_NONE;
    struct mr_hall *sorted = mr_alloc(n, sizeof *sorted);
    if (sorted == NULL)
        return MR_NOMEM;
    uint32_t i = 0;
    for (uint32_t z = 0; z < site->n_zone; z++) {
        uint32_t *const hall = &r->zone[z].hall;
        if (*hall == MR_SITE_NONE)
            continue;
        sorted[i] = *hall == WANTED
                        ? (struct mr_hall){.name = site->zone[z].name, .at = spot_of(r, z)}
                        : site->hall[*hall];
        sorted[i].zone = z;
        *hall = i++;
    }
    mr_free(site->hall);
    site->hall = sorted;
    site->n_hall = site->cap_hall = n;
    return MR_OK;
}

static void nested(struct mr_read *r, const char *what, uint32_t zone)
{
    char quoted[MR_QUOTE_CAP];
    MR_READ_ERROR(r, MR_SCHEMA, zone_place(r, zone), "zone \"%s\": a %s inside another",
                  mr_text_quote(mr_str_of(r->site->zone[zone].name), quoted), what);
}

/* Neither rows nor halls stand in their own kind: their zones would overlap. */
static void check_overlap(struct mr_read *r)
{
    for (uint32_t z = 1; z < r->site->n_zone; z++)
        for (uint32_t p = parent_of(r, z); p != MR_SITE_NONE; p = parent_of(r, p)) {
            const struct mr_read_zone *inner = &r->zone[z], *outer = &r->zone[p];
            if (inner->row != MR_SITE_NONE && outer->row != MR_SITE_NONE)
                nested(r, "row", z);
            if (inner->hall != MR_SITE_NONE && outer->hall != MR_SITE_NONE)
                nested(r, "hall", z);
            if (inner->hall != MR_SITE_NONE && outer->row != MR_SITE_NONE)
                nested(r, "hall in a row, that is", z);
        }
}

static mr_status find_rows(struct mr_read *r)
{
    struct mr_site *site = r->site;
    for (uint32_t i = 0; i < site->n_rack; i++) {
        const uint32_t zone = row_zone_of(r, i);
        if (r->zone[zone].row == MR_SITE_NONE)
            r->zone[zone].row = WANTED;
    }
    MR_TRY(order_rows(r));
    for (uint32_t i = 0; i < site->n_row; i++) {
        const uint32_t zone = hall_zone_of(r, site->row[i].zone);
        if (r->zone[zone].hall == MR_SITE_NONE)
            r->zone[zone].hall = WANTED;
    }
    MR_TRY(order_halls(r));
    check_overlap(r);
    return MR_OK;
}

/* Ranges; things of a row are consecutive because their zones are. */
static void count_rows(struct mr_read *r)
{
    struct mr_site *site = r->site;
    uint32_t hall = 0, row = 0;
    for (uint32_t i = 0; i < site->n_row; i++) {
        site->row[i].hall = r->zone[hall_zone_of(r, site->row[i].zone)].hall;
        site->row[i].n_rack = 0;
        for (; hall <= site->row[i].hall && hall < site->n_hall; hall++)
            site->hall[hall].first_row = i;
        site->hall[site->row[i].hall].n_row++;
    }
    for (; hall < site->n_hall; hall++)
        site->hall[hall].first_row = (uint32_t)site->n_row;
    for (uint32_t i = 0; i < site->n_rack; i++) {
        struct mr_rack *rack = &site->rack[i];
        rack->row = r->zone[row_zone_of(r, i)].row;
        rack->hall = site->row[rack->row].hall;
        for (; row <= rack->row; row++)
            site->row[row].first_rack = i;
        site->row[rack->row].n_rack++;
    }
    for (; row < site->n_row; row++)
        site->row[row].first_rack = (uint32_t)site->n_rack;
}

/* ---- where things stand ---- */

struct place {
    uint32_t hall, row;
};

static struct place place_of(const struct mr_read *r, uint32_t zone)
{
    struct place place = {MR_SITE_NONE, MR_SITE_NONE};
    for (; zone != MR_SITE_NONE; zone = parent_of(r, zone)) {
        if (place.row == MR_SITE_NONE)
            place.row = r->zone[zone].row;
        if (place.hall == MR_SITE_NONE)
            place.hall = r->zone[zone].hall;
    }
    return place;
}

static void place_entities(struct mr_read *r)
{
    struct mr_site *site = r->site;
    for (size_t i = 0; i < site->n_loop; i++)
        site->loop[i].hall = place_of(r, site->loop[i].hall).hall;
    for (size_t i = 0; i < site->n_cdu; i++) {
        const struct place place = place_of(r, site->cdu[i].hall);
        site->cdu[i].hall = place.hall;
        site->cdu[i].row = place.row;
    }
    for (size_t i = 0; i < site->n_power; i++) {
        const struct place place = place_of(r, site->power[i].hall);
        site->power[i].hall = place.hall;
        site->power[i].row = place.row;
    }
}

/* A rack without a feed hangs on the busway of the zone around it ("busway.limit"). */
static void give_busways(struct mr_read *r)
{
    for (size_t i = 0; i < r->site->n_rack; i++) {
        struct mr_rack *rack = &r->site->rack[i];
        uint32_t zone = rack->zone;
        while (zone != MR_SITE_NONE && r->zone[zone].busway == MR_SITE_NONE)
            zone = parent_of(r, zone);
        if (rack->feed[0] == MR_SITE_NONE && zone != MR_SITE_NONE)
            rack->feed[0] = r->zone[zone].busway;
    }
}

/* The first link on the way out. */
static void give_uplinks(struct mr_read *r)
{
    struct mr_site *site = r->site;
    for (uint32_t i = 0; i < site->n_rack; i++) {
        struct mr_rack *rack = &site->rack[i];
        if (r->zone[rack->zone].rack == i) {
            rack->uplink = r->zone[rack->zone].uplink;
            continue;
        }
        const struct mr_host *host = &site->host[rack->first_host];
        const uint32_t id = mr_intern_find(&r->node_names, mr_str_of(host->name));
        rack->uplink = host->uplink != MR_SITE_NONE || id == MR_INTERN_NONE ? host->uplink
                                                                            : r->node[id].uplink;
    }
}

/* ---- packages and domains ---- */

/* A rack that shows other packages than its card has: the memory is that of the shown ones. */
static void compare_with_card(struct mr_read *r, struct mr_rack *rack)
{
    const struct mr_place at = {r->site->path, rack->at.line, rack->at.col};
    const struct mr_rack_card *card = mr_read_rack_card(r, rack->card, at);
    char quoted[MR_QUOTE_CAP];
    if (card == NULL || card->n_package == rack->n_package)
        return;
    if (rack->memory_bytes == card->package_memory_bytes * (double)card->n_package)
        rack->memory_bytes = card->package_memory_bytes * rack->n_package;
    MR_READ_WARNING(r, MR_RANGE, at, "rack \"%s\": shows %u packages, its card \"%s\" has %llu",
                    mr_text_quote(mr_str_of(rack->name), quoted), rack->n_package, rack->card,
                    (unsigned long long)card->n_package);
}

static void count_packages(struct mr_read *r)
{
    struct mr_site *site = r->site;
    uint64_t package = 0;
    for (uint32_t i = 0; i < site->n_rack; i++) {
        struct mr_rack *rack = &site->rack[i];
        uint64_t n_core = 0;
        for (uint32_t h = 0; h < rack->n_host; h++)
            n_core += site->host[rack->first_host + h].n_core;
        if (rack->n_package == UINT32_MAX) {
            rack->n_package = n_core < UINT32_MAX ? (uint32_t)n_core : UINT32_MAX - 1;
            compare_with_card(r, rack);
        }
        rack->first_package = (uint32_t)package;
        package += rack->n_package;
        if (rack->pod != MR_SITE_NONE)
            site->pod[rack->pod].n_rack++;
    }
    if (package >= MR_SITE_NONE)
        MR_READ_ERROR(r, MR_LIMIT, file_place(r), "more than 4,294,967,294 packages");
    site->n_package = (uint32_t)package;
}

static void check_domains(struct mr_read *r, size_t n_declared)
{
    struct mr_site *site = r->site;
    char quoted[MR_QUOTE_CAP];
    for (size_t i = 0; i < site->n_rack; i++) {
        struct mr_rack *rack = &site->rack[i];
        if (rack->domain == MR_SITE_NONE)
            continue;
        if (rack->domain >= n_declared)
            site->domain[rack->domain].n_package += rack->n_package;
        if (rack->n_domain == 0 || rack->n_domain > site->n_domain - rack->domain)
            MR_READ_ERROR(r, MR_REF, zone_place(r, rack->zone),
                          "rack \"%s\": domains=%u: so many do not follow \"%s\"",
                          mr_text_quote(mr_str_of(rack->name), quoted), rack->n_domain,
                          site->domain[rack->domain].name);
    }
}

/* ---- plain platforms ---- */

static mr_status racks_of_hosts(struct mr_read *r)
{
    struct mr_site *site = r->site;
    const struct mr_place at = file_place(r);
    MR_TRY(mr_grow(&site->rack, &site->cap_rack, site->n_host, sizeof *site->rack, NULL));
    for (uint32_t h = 0; h < site->n_host; h++) {
        struct mr_rack *rack = &site->rack[h];
        *rack = r->defaults.form[MR_PROP_RACK].rack.it;
        rack->name = site->host[h].name;
        rack->zone = site->host[h].zone;
        rack->n_package = rack->n_domain = 1;
        rack->at = site->host[h].at;
        site->host[h].rack = h;
    }
    site->n_rack = site->n_host;
    r->zone[0].row = r->zone[0].hall = WANTED;
    MR_READ_WARNING(r, MR_SCHEMA, at,
                    "no rack is described: each of the %zu hosts counts as a rack of one package, "
                    "all in one row of one hall",
                    site->n_host);
    MR_READ_WARNING(r, MR_SCHEMA, at,
                    "no power is described: racks have no rating and hang on nothing");
    MR_READ_WARNING(r, MR_SCHEMA, at, "no cooling is described: there are no coolant loops");
    MR_READ_WARNING(r, MR_SCHEMA, at, "no grid connection is described: there is no limit");
    return MR_OK;
}

/* Without a word from the file: what most of it looks like. */
static int level_of(const struct mr_site *site)
{
    bool is_rack = true;
    for (size_t i = 0; i < site->n_rack; i++) {
        const struct mr_rack *rack = &site->rack[i];
        if (rack->n_host > 1 && site->host[rack->first_host].n_core == 1)
            return MR_SITE_LEVEL_GPU;
        is_rack = is_rack && rack->n_host <= 1;
    }
    return is_rack ? MR_SITE_LEVEL_RACK : MR_SITE_LEVEL_TRAY;
}

static mr_status take_forms(struct mr_read *r)
{
    struct mr_site *site = r->site;
    const struct mr_prop_site *form = &r->form[MR_PROP_SITE].site;
    site->name = form->name != NULL ? form->name : site->zone[0].name;
    site->layout_path = form->layout != NULL ? form->layout : "";
    site->layout_sha256 = form->sha256 != NULL ? form->sha256 : "";
    site->wet_bulb_c = form->wet_bulb_c;
    site->dry_bulb_c = form->dry_bulb_c;
    site->level = r->has_site ? form->level : level_of(site);
    site->grid = r->form[MR_PROP_GRID].grid;
    site->fabric = mr_arena_alloc(&site->arena, sizeof *site->fabric, NULL);
    if (site->fabric == NULL)
        return MR_NOMEM;
    *site->fabric = r->form[MR_PROP_FABRIC].fabric;
    return MR_OK;
}

mr_status mr_read_finish(struct mr_read *r)
{
    struct mr_site *site = r->site;
    const size_t n_error = r->diags->n_error, n_declared = site->n_domain;
    if (site->n_host == 0)
        MR_READ_ERROR(r, MR_SCHEMA, file_place(r), "the platform has no host");
    if (!site->has_props)
        MR_TRY(racks_of_hosts(r));
    MR_TRY(mr_read_references(r));
    check_nesting(r);
    if (r->diags->n_error > n_error)
        return MR_OK;
    give_hosts(r);
    check_hosts(r);
    MR_TRY(find_rows(r));
    if (r->diags->n_error > n_error)
        return MR_OK;
    count_rows(r);
    place_entities(r);
    give_busways(r);
    give_uplinks(r);
    count_packages(r);
    check_domains(r, n_declared);
    return take_forms(r);
}
