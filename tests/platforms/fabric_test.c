/* SPDX-License-Identifier: Apache-2.0 */
/* platforms/fabric, emit, site: the shape of what is built at each level, and the property that a
 * written platform reads back as the same site, for random sites. */
#include "platforms/fabric.h"

#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "platforms/emit.h"
#include "platforms/read.h"
#include "tests/test.h"

/* ---- making sites ---- */

struct maker {
    struct mr_site *site;
    uint64_t state;
    mr_status status;
    struct mr_err *err;
};

static uint64_t draw(struct maker *m, uint64_t n)
{
    m->state ^= m->state << 13;
    m->state ^= m->state >> 7;
    m->state ^= m->state << 17;
    return m->state % n;
}

/* Positive, any mantissa, from 1e-9 to 1e9 times `scale`; sometimes exactly 0. */
static double draw_value(struct maker *m, double scale)
{
    const double mantissa = 1 + (double)draw(m, (uint64_t)1 << 52) / 4503599627370496.0;
    const uint64_t kind = draw(m, 10);
    if (kind == 0)
        return 0;
    return kind < 6 ? scale * (double)draw(m, 1000) / 8
                    : mantissa * scale *
                          (kind == 9   ? 1e-9
                           : kind == 8 ? 1e9
                                       : 1);
}

static const char *keep(struct maker *m, const char *fmt, ...) MR_PRINTF(2, 3);

static const char *keep(struct maker *m, const char *fmt, ...)
{
    va_list args;
    char text[256];
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    const char *kept = mr_arena_text(&m->site->arena, mr_str_of(text), m->err);
    if (kept == NULL)
        m->status = MR_NOMEM;
    return kept != NULL ? kept : "";
}

/* The element is made before the array grows by it. */
#define PUSH(m, array, ...)                                                                      \
    do {                                                                                         \
        __typeof__(*(m)->site->array) it = __VA_ARGS__;                                          \
        if ((m)->status == MR_OK)                                                                \
            (m)->status = mr_grow(&(m)->site->array, &(m)->site->cap_##array,                    \
                                  (m)->site->n_##array + 1, sizeof *(m)->site->array, (m)->err); \
        if ((m)->status == MR_OK)                                                                \
            (m)->site->array[(m)->site->n_##array++] = it;                                       \
    } while (0)

#define NONE MR_SITE_NONE

static uint32_t draw_index(struct maker *m, size_t n)
{
    return n == 0 || draw(m, 4) == 0 ? NONE : (uint32_t)draw(m, n);
}

static void add_hall(struct maker *m, const char *odd)
{
    PUSH(m, hall, (struct mr_hall){.name = keep(m, "H%zu%s", m->site->n_hall, odd)});
}

static void add_row(struct maker *m)
{
    const uint32_t hall = (uint32_t)m->site->n_hall - 1;
    if (m->status == MR_OK)
        PUSH(m, row,
             (struct mr_row){.name = keep(m, "%s.R%zu", m->site->hall[hall].name, m->site->n_row),
                             .hall = hall});
}

static struct mr_rack plain_rack(struct maker *m, uint32_t domain)
{
    const uint32_t row = (uint32_t)m->site->n_row - 1;
    return (struct mr_rack){
        .name =
            m->status == MR_OK ? keep(m, "%s.K%zu", m->site->row[row].name, m->site->n_rack) : "",
        .card = "vr_nvl72",
        .row = row,
        .cdu = NONE,
        .domain = domain,
        .n_domain = 1,
        .pod = NONE,
        .feed = {NONE, NONE},
        .uplink = NONE,
        .n_package = 72,
        .n_tray = 18,
        .flop_s = 35e15,
        .n_port = 144,
        .port_bytes_s = 100e9,
        .bus_v = 54,
        .inlet_max_c = 45};
}

static uint32_t add_domain(struct maker *m, uint64_t n_package)
{
    PUSH(m, domain,
         (struct mr_domain){.name = keep(m, "D%zu", m->site->n_domain),
                            .generation = 6,
                            .n_package = n_package,
                            .bandwidth_bytes_s = 1.8e12,
                            .latency_s = 250e-9});
    return (uint32_t)m->site->n_domain - 1;
}

static void begin(struct maker *m, uint64_t seed, struct mr_err *err)
{
    *m = (struct maker){.state = seed * 0x9e3779b97f4a7c15u + 1, .err = err};
    m->site = mr_site_create(err);
    m->status = m->site != NULL ? MR_OK : MR_NOMEM;
}

/* Things beside rows and racks, in any order. */
static void add_plant(struct maker *m)
{
    struct mr_site *site = m->site;
    for (uint64_t i = draw(m, 3); i > 0; i--)
        PUSH(m, pod, (struct mr_pod){.name = keep(m, "P%zu", site->n_pod)});
    for (uint64_t i = draw(m, 5); i > 0; i--)
        PUSH(m, loop,
             (struct mr_loop){.name = keep(m, "L%zu", site->n_loop),
                              .supply_c = draw_value(m, 0.1) < 100 ? 17.25 : 45,
                              .volume_m3 = draw_value(m, 1),
                              .hall = draw_index(m, site->n_hall)});
    for (uint64_t i = draw(m, 8); i > 0; i--)
        PUSH(m, cdu,
             (struct mr_cdu){.name = keep(m, "C<&>%zu", site->n_cdu),
                             .card = draw(m, 2) == 0 ? NULL : "deschutes; 'gen 5'",
                             .n_unit = 1 + draw(m, 5),
                             .n_spare = draw(m, 2),
                             .capacity_w = draw_value(m, 1e6),
                             .supply_c = 20 + (double)draw(m, 1000) / 37,
                             .flow_m3_s = draw_value(m, 0.01),
                             .loop = draw_index(m, site->n_loop),
                             .hall = NONE,
                             .row = draw_index(m, site->n_row)});
    for (uint64_t i = draw(m, 5); i > 0; i--)
        PUSH(m, rejector,
             (struct mr_rejector){.name = keep(m, "X%zu", site->n_rejector),
                                  .kind = (int)draw(m, MR_SITE_N_REJECT_KIND),
                                  .n_unit = 1 + draw(m, 5),
                                  .capacity_w = draw_value(m, 1e6),
                                  .area_m2 = draw_value(m, 10),
                                  .loop = draw_index(m, site->n_loop)});
    for (uint64_t i = draw(m, 12); i > 0; i--)
        PUSH(m, power,
             (struct mr_power_node){.name = keep(m, "N=%zu", site->n_power),
                                    .kind = (int)draw(m, MR_SITE_N_POWER_KIND),
                                    .rating_w = draw_value(m, 1e6),
                                    .n_unit = 1 + draw(m, 9),
                                    .voltage_v = draw_value(m, 400),
                                    .energy_j = draw_value(m, 1e9),
                                    .oversubscribe = 1 + (double)draw(m, 3) / 2,
                                    .parent = {draw_index(m, site->n_power), NONE},
                                    .hall = draw_index(m, site->n_hall),
                                    .row = draw_index(m, site->n_row)});
}

/* One rack of a random kind, or the racks of one domain. */
static void add_random_racks(struct maker *m)
{
    struct mr_site *site = m->site;
    const uint64_t kind = draw(m, 6);
    const uint32_t shared = kind == 0 ? add_domain(m, 8) : NONE;
    for (uint64_t i = kind == 0 ? 2 + draw(m, 3) : 1; i > 0; i--) {
        struct mr_rack rack = plain_rack(m, NONE);
        rack.n_package = kind == 3 ? 0 : (uint32_t)(1 + draw(m, 9));
        rack.n_tray = draw(m, 5);
        rack.n_cpu = draw(m, 5);
        rack.flop_s = kind == 3 ? 0 : draw_value(m, 1e15);
        rack.memory_bytes = draw_value(m, 1e12);
        rack.limit_w = draw_value(m, 1e5);
        rack.rated_w = draw_value(m, 1e5);
        rack.max_q_w = draw_value(m, 1e5);
        rack.liquid_frac = (double)draw(m, 101) / 100;
        rack.flow_m3_s = draw_value(m, 0.001);
        rack.mass_kg = draw_value(m, 1000);
        rack.x_m = draw_value(m, 1) - 3;
        rack.y_m = -draw_value(m, 1);
        rack.n_port = draw(m, 9);
        rack.port_bytes_s = draw_value(m, 1e9);
        rack.bus_v = draw(m, 2) == 0 ? 0 : 800;
        rack.card = draw(m, 3) == 0 ? "" : "card \"x\" & y";
        rack.pod = draw_index(m, site->n_pod);
        rack.cdu = draw_index(m, site->n_cdu);
        rack.feed[0] = draw_index(m, site->n_power);
        rack.feed[1] = rack.feed[0] != NONE ? draw_index(m, site->n_power) : NONE;
        if (kind == 0) {
            rack.domain = shared;
        } else if (kind == 1 || kind == 2) {
            rack.domain = add_domain(m, rack.n_package);
        } else if (kind == 4) { /* nodes */
            rack.n_package = 32;
            rack.n_tray = 4;
            rack.domain = add_domain(m, 8);
            for (rack.n_domain = 1; rack.n_domain < 4; rack.n_domain++)
                (void)add_domain(m, 8);
        } else if (kind == 5 && site->n_domain > 0 && site->domain[0].n_package == 8) {
            rack.domain = 0; /* over rows and halls */
        }
        PUSH(m, rack, rack);
    }
}

static void make_random(struct maker *m)
{
    static const char *const odd[] = {"", "", "\"<&>", "\xC3\xA9", "=,:"};
    struct mr_site *site = m->site;
    for (uint64_t h = 1 + draw(m, 3); h > 0; h--) {
        add_hall(m, odd[draw(m, 5)]);
        if (m->status == MR_OK)
            site->hall[site->n_hall - 1].floor_limit_kg_m2 = draw_value(m, 100);
        for (uint64_t r = draw(m, 4); r > 0; r--)
            add_row(m);
    }
    add_plant(m);
    /* racks come row by row: rows were made first so that plants can stand in them */
    const size_t n_row = site->n_row;
    for (site->n_row = 1; m->status == MR_OK && site->n_row <= n_row; site->n_row++)
        for (uint64_t k = draw(m, 5); k > 0; k--)
            add_random_racks(m);
    site->n_row = n_row;
    if (site->n_rack == 0 && m->status == MR_OK) {
        if (n_row == 0)
            add_row(m);
        PUSH(m, rack, plain_rack(m, NONE));
    }
    site->name = "Halls & \"more\" <x>; it's ' odd";
    site->layout_path = "a b.layout.xml";
    site->layout_sha256 = "00ff";
    site->wet_bulb_c = 18.3;
    site->dry_bulb_c = 31.5;
    site->grid = (struct mr_grid){.limit_w = draw_value(m, 1e6),
                                  .ramp_w_s = draw_value(m, 1e3),
                                  .voltage_v = 110e3,
                                  .curtail_frac = 0.25,
                                  .curtail_h_year = 88,
                                  .interconnect = (int)draw(m, 3)};
    if (draw(m, 2) == 0 || m->status != MR_OK)
        return;
    site->fabric = mr_arena_alloc(&site->arena, sizeof *site->fabric, m->err);
    if (site->fabric == NULL) {
        m->status = MR_NOMEM;
        return;
    }
    mr_fabric_defaults(site->fabric);
    site->fabric->leaf = "spectrum6_sn6810";
    site->fabric->core = "x; y";
    site->fabric->row_oversubscription = 2;
    site->fabric->hall_oversubscription = 1.5;
    site->fabric->optics = (int)draw(m, 3);
    site->fabric->n_rail = draw(m, 9);
}

/* ---- the property ---- */

static mr_status dump(const struct mr_site *site, struct mr_buf *out, struct mr_err *err)
{
    mr_site_dump(site, out);
    return mr_buf_check(out, err);
}

static mr_status emit(const struct mr_site *site, struct mr_buf *out, struct mr_err *err)
{
    mr_emit_site(site, out);
    return mr_buf_check(out, err);
}

/* Fails with the first line that differs. */
static void same_text(uint64_t seed, const char *a, const char *b)
{
    while (*a != '\0' || *b != '\0') {
        const size_t n = strcspn(a, "\n"), k = strcspn(b, "\n");
        if (n != k || memcmp(a, b, n) != 0)
            fail_msg("seed %llu:\n%.*s\n%.*s", (unsigned long long)seed, (int)n, a, (int)k, b);
        a += n + (a[n] != '\0');
        b += k + (b[k] != '\0');
    }
}

/* build -> emit -> read: same dump; emit again: same text. */
static mr_status round_trip(uint64_t seed, int level, struct mr_err *err)
{
    struct maker m;
    struct mr_site *again = NULL;
    struct mr_buf a = {0}, b = {0}, text = {0}, text_again = {0};
    struct mr_diags diags = {0};
    begin(&m, seed, err);
    mr_status st = m.status;
    if (st == MR_OK) {
        make_random(&m);
        st = m.status;
    }
    if (st == MR_OK)
        st = mr_fabric_build(m.site, level, err);
    if (st == MR_OK)
        st = dump(m.site, &a, err);
    if (st == MR_OK)
        st = emit(m.site, &text, err);
    if (st == MR_OK) {
        st = mr_read_site_text("again.xml", (struct mr_str){text.text, text.n}, &again, &diags);
        if (diags.n_item > 0)
            *err = diags.item[0].err;
    }
    if (st == MR_OK)
        st = dump(again, &b, err);
    if (st == MR_OK)
        st = emit(again, &text_again, err);
    if (st == MR_OK) {
        if (diags.n_item > 0)
            fail_msg("seed %llu: %s", (unsigned long long)seed, err->text);
        same_text(seed, a.text, b.text);
        same_text(seed, text.text, text_again.text);
    }
    mr_buf_fini(&a);
    mr_buf_fini(&b);
    mr_buf_fini(&text);
    mr_buf_fini(&text_again);
    mr_site_destroy(again);
    mr_site_destroy(m.site);
    return st;
}

MR_TEST(random_sites_read_back_the_same)
{
    for (uint64_t seed = 1; seed <= 300; seed++)
        for (int level = MR_SITE_LEVEL_GPU; level <= MR_SITE_LEVEL_RACK; level++) {
            struct mr_err err = {0};
            if (round_trip(seed, level, &err) != MR_OK)
                fail_msg("seed %llu level %d: %d:%d: %s", (unsigned long long)seed, level, err.line,
                         err.col, err.text);
        }
    assert_int_equal(mr_test_live_allocations(), 0);
}

static mr_status starve(void *context, struct mr_err *err)
{
    return round_trip(*(const uint64_t *)context, MR_SITE_LEVEL_GPU, err);
}

MR_TEST(out_of_memory)
{
    uint64_t seed = 3;
    mr_test_every_nomem(starve, &seed);
}

/* ---- shapes ---- */

static const struct mr_link *find_link(const struct mr_site *site, const char *name)
{
    for (size_t i = 0; i < site->n_link; i++)
        if (strcmp(site->link[i].name, name) == 0)
            return &site->link[i];
    fail_msg("no link %s", name);
    return NULL;
}

static bool has_router(const struct mr_site *site, const char *name)
{
    for (size_t i = 0; i < site->n_router; i++)
        if (strcmp(site->router[i].name, name) == 0)
            return true;
    return false;
}

/* One hall, `n_row` rows of `n_rack` ordinary racks, a domain each. */
static struct mr_site *make_hall(struct maker *m, int n_row, int n_rack)
{
    static struct mr_err err;
    begin(m, 1, &err);
    add_hall(m, "");
    for (int r = 0; r < n_row; r++) {
        add_row(m);
        for (int k = 0; k < n_rack; k++)
            PUSH(m, rack, plain_rack(m, add_domain(m, 72)));
    }
    assert_int_equal(m->status, MR_OK);
    return m->site;
}

static void build(struct mr_site *site, int level)
{
    struct mr_err err = {0};
    if (mr_fabric_build(site, level, &err) != MR_OK)
        fail_msg("%s", err.text);
}

MR_TEST(gpu_level_has_two_links_per_package)
{
    struct maker m;
    struct mr_site *site = make_hall(&m, 2, 3);
    build(site, MR_FABRIC_LEVEL_AUTO);
    assert_int_equal(site->level, MR_SITE_LEVEL_GPU);
    assert_int_equal(site->n_host, 6 * 72);
    assert_int_equal(site->n_package, 6 * 72);
    assert_int_equal(site->n_zone, 1 + 1 + 2 + 6 + 2 + 1 + 1);
    assert_int_equal(site->n_link, 6 * (2 * 72 + 1) + 6 + 2 + 1);
    const struct mr_rack *rack = &site->rack[4];
    assert_string_equal(site->host[rack->first_host + 13].name, "H0.R1.K4.g13");
    assert_string_equal(site->host[rack->first_host].speed, "35Pf,28Pf,21Pf");
    assert_int_equal(rack->n_host, 72);
    const struct mr_link *nv = find_link(site, "H0.R1.K4.g13.nv"),
                         *nic = find_link(site, "H0.R1.K4.g13.nic"),
                         *port = find_link(site, "H0.R1.K4.port"),
                         *up = find_link(site, "H0.R1.K4.up"), *row = find_link(site, "H0.R1.up");
    assert_true(nv->bandwidth_bytes_s == 1.8e12 && nv->latency_s == 250e-9 && nv->is_split);
    assert_true(nic->bandwidth_bytes_s == 200e9 && nic->latency_s == 400e-9);
    assert_true(port->bandwidth_bytes_s == 14.4e12 && port->is_fatpipe);
    assert_true(up->bandwidth_bytes_s == 14.4e12 && &site->link[rack->uplink] == up);
    assert_true(row->bandwidth_bytes_s == 3 * 14.4e12);
    /* a package in one rack to one in the next: 2.0 us */
    mr_assert_near(2 * (nic->latency_s + port->latency_s + up->latency_s), 2e-6, 1e-12, 0);
    mr_site_destroy(site);
}

MR_TEST(tray_level_adds_up_its_packages)
{
    struct maker m;
    struct mr_site *site = make_hall(&m, 1, 2);
    site->rack[1].n_tray = 5; /* 72 packages: 14 or 15 in a tray */
    build(site, MR_SITE_LEVEL_TRAY);
    assert_int_equal(site->n_host, 18 + 5);
    assert_string_equal(site->host[18].name, "H0.R0.K1.t0");
    uint64_t n_core = 0;
    for (int i = 18; i < 23; i++)
        n_core += site->host[i].n_core;
    assert_int_equal(n_core, 72);
    assert_true(find_link(site, "H0.R0.K0.t3.nv")->bandwidth_bytes_s == 4 * 1.8e12);
    assert_true(find_link(site, "H0.R0.K0.t3.nic")->bandwidth_bytes_s == 8 * 100e9);
    mr_site_destroy(site);
}

MR_TEST(rack_level_has_one_host_per_rack_and_no_zone_for_it)
{
    struct maker m;
    struct mr_site *site = make_hall(&m, 3, 100);
    build(site, MR_FABRIC_LEVEL_AUTO);
    assert_int_equal(site->level, MR_SITE_LEVEL_RACK);
    assert_int_equal(site->n_zone, 1 + 1 + 3 + 1 + 1);
    assert_int_equal(site->n_host, 300);
    assert_string_equal(site->host[150].name, "H0.R1.K150");
    assert_int_equal(site->host[150].n_core, 72);
    assert_string_equal(site->zone[site->row[1].zone].routing, "Cluster");
    const struct mr_link *up = find_link(site, "H0.R1.K150.up");
    assert_true(up->bandwidth_bytes_s == 14.4e12);
    mr_assert_near(up->latency_s, 1e-6, 1e-12, 0); /* the way of a gpu-level package to the leaf */
    assert_true(&site->link[site->rack[150].uplink] == up);
    mr_site_destroy(site);
}

MR_TEST(oversubscription_narrows_uplinks)
{
    struct maker m;
    struct mr_fabric_params fabric;
    struct mr_site *site = make_hall(&m, 2, 4);
    mr_fabric_defaults(&fabric);
    fabric.row_oversubscription = 2;
    fabric.hall_oversubscription = 4;
    fabric.optics = MR_FABRIC_OPTICS_CPO;
    site->fabric = &fabric;
    build(site, MR_SITE_LEVEL_GPU);
    assert_true(find_link(site, "H0.R0.up")->bandwidth_bytes_s == 4 * 14.4e12 / 2);
    assert_true(find_link(site, "H0.up")->bandwidth_bytes_s == 4 * 14.4e12 / 4);
    mr_assert_near(find_link(site, "H0.R0.K0.up")->latency_s, 100e-9 + 20e-9 + 300e-9, 1e-12, 0);
    assert_true(mr_fabric_port_w(MR_FABRIC_OPTICS_CPO) == 9);
    mr_site_destroy(site);
}

MR_TEST(a_domain_over_racks_of_a_row_gets_a_zone)
{
    struct maker m;
    struct mr_site *site = make_hall(&m, 2, 4);
    for (int k = 0; k < 3; k++)
        site->rack[k].domain = 0; /* racks 0..2 of row 0 */
    site->rack[3].domain = 1;
    site->rack[4].domain = 1; /* over two rows: stays analytic */
    build(site, MR_SITE_LEVEL_GPU);
    assert_true(has_router(site, "D0.nvlsw"));
    assert_false(has_router(site, "D1.nvlsw"));
    assert_true(find_link(site, "H0.R0.K2.nvup")->bandwidth_bytes_s == 72 * 1.8e12);
    assert_true(find_link(site, "H0.R0.hop")->is_fatpipe);
    size_t n_detour = 0, n_scale_up = 0;
    for (size_t i = 0; i < site->n_route; i++) {
        n_detour += strcmp(site->route[i].dst, "H0.R0.sw") == 0 && site->route[i].n_link == 2;
        n_scale_up += strcmp(site->route[i].dst, "D0.nvl") == 0 && site->route[i].n_link == 1;
    }
    assert_int_equal(n_detour, 4);
    assert_int_equal(n_scale_up, 3);
    mr_site_destroy(site);
}

MR_TEST(nodes_of_a_rack_have_switches_of_their_own)
{
    struct maker m;
    struct mr_site *site = make_hall(&m, 1, 1);
    site->rack[0].n_package = 32;
    site->rack[0].n_tray = 4;
    site->domain[0].n_package = 8;
    for (site->rack[0].n_domain = 1; site->rack[0].n_domain < 4; site->rack[0].n_domain++)
        (void)add_domain(&m, 8);
    build(site, MR_SITE_LEVEL_GPU);
    assert_true(has_router(site, "H0.R0.K0.nvsw0") && has_router(site, "H0.R0.K0.nvsw3"));
    assert_false(has_router(site, "H0.R0.K0.nvsw4"));
    size_t n[4] = {0};
    for (size_t i = 0; i < site->n_route; i++)
        for (size_t k = 0; k < 4; k++) {
            char name[32];
            snprintf(name, sizeof name, "H0.R0.K0.nvsw%zu", k);
            n[k] += strcmp(site->route[i].dst, name) == 0;
        }
    for (size_t k = 0; k < 4; k++)
        assert_int_equal(n[k], 8);
    mr_site_destroy(site);
}

static size_t most_children(const struct mr_site *site)
{
    size_t most = 0;
    for (uint32_t z = 0; z < site->n_zone; z++) {
        size_t n = 0;
        for (size_t i = 0; i < site->n_zone; i++)
            n += site->zone[i].parent == z;
        most = n > most ? n : most;
    }
    return most;
}

MR_TEST(long_rows_and_halls_are_split)
{
    struct maker m;
    struct mr_err err = {0};
    struct mr_site *site = make_hall(&m, 1, 300);
    for (uint32_t k = 0; k < 300; k++) {
        site->rack[k].n_package = 1;
        site->rack[k].domain = k / 8; /* eight racks of a domain stay together */
    }
    build(site, MR_SITE_LEVEL_GPU);
    assert_true(most_children(site) <= MR_FABRIC_CHILDREN);
    assert_true(has_router(site, "H0.R0.G2.leaf") && !has_router(site, "H0.R0.G3.leaf"));
    for (uint32_t k = 0; k < 296; k++)
        assert_int_equal(site->zone[site->rack[k].zone].parent,
                         site->zone[site->rack[k / 8 * 8].zone].parent);
    assert_true(find_link(site, "H0.R0.up")->bandwidth_bytes_s == 300 * 14.4e12);
    assert_int_equal(site->row[0].n_rack, 300);
    mr_site_destroy(site);
    site = make_hall(&m, 450, 1);
    build(site, MR_SITE_LEVEL_RACK);
    assert_true(most_children(site) <= MR_FABRIC_CHILDREN);
    mr_site_destroy(site);
    begin(&m, 1, &err);
    for (int h = 0; h < 250; h++) {
        add_hall(&m, "");
        add_row(&m);
        PUSH(&m, rack, plain_rack(&m, NONE));
    }
    build(m.site, MR_SITE_LEVEL_RACK);
    assert_true(most_children(m.site) <= MR_FABRIC_CHILDREN);
    mr_site_destroy(m.site);
}

MR_TEST(what_cannot_stand_in_a_file_is_refused)
{
    static const struct {
        const char *part;
        mr_status status;
    } cases[] = {
        {"cannot be a name", MR_SCHEMA},   {"cannot be a name", MR_SCHEMA},
        {"out of range", MR_RANGE},        {"out of range", MR_RANGE},
        {"control characters", MR_SCHEMA}, {"the name is taken", MR_SCHEMA},
        {"the name is taken", MR_SCHEMA},  {"cannot be a name", MR_SCHEMA},
    };
    for (int i = 0; i < 8; i++) {
        struct maker m;
        struct mr_err err = {0};
        struct mr_site *site = make_hall(&m, 1, 2);
        PUSH(&m, loop, (struct mr_loop){.name = "L", .hall = NONE});
        if (i == 0)
            site->domain[0].name = "a b";
        if (i == 1)
            site->rack[0].name = "";
        if (i == 2)
            site->rack[0].mass_kg = (double)NAN;
        if (i == 3)
            site->rack[0].liquid_frac = 1.5;
        if (i == 4)
            site->name = "a\x01z";
        if (i == 5)
            site->rack[1].name = site->rack[0].name;
        if (i == 6)
            site->row[0].name = "H0";
        if (i == 7)
            site->loop[0].name = "supply";
        assert_int_equal(mr_fabric_build(site, MR_SITE_LEVEL_GPU, &err), cases[i].status);
        mr_assert_contains(err.text, cases[i].part);
        mr_site_destroy(site);
    }
}

MR_TEST(entities_are_sorted_into_file_order)
{
    struct maker m;
    struct mr_site *site = make_hall(&m, 2, 1);
    PUSH(&m, cdu, (struct mr_cdu){.name = "C1", .n_unit = 1, .loop = NONE, .hall = NONE, .row = 1});
    PUSH(&m, cdu, (struct mr_cdu){.name = "C0", .n_unit = 1, .loop = NONE, .hall = NONE, .row = 0});
    PUSH(&m, cdu, (struct mr_cdu){.name = "CH", .n_unit = 1, .loop = NONE, .hall = 0, .row = NONE});
    PUSH(&m, cdu,
         (struct mr_cdu){.name = "CS", .n_unit = 1, .loop = NONE, .hall = NONE, .row = NONE});
    site->rack[0].cdu = 1;
    site->rack[1].cdu = 0;
    build(site, MR_SITE_LEVEL_RACK);
    static const char *const order[] = {"CS", "CH", "C0", "C1"};
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(site->cdu[i].name, order[i]);
    assert_int_equal(site->rack[0].cdu, 2);
    assert_int_equal(site->rack[1].cdu, 3);
    assert_int_equal(site->cdu[3].hall, 0); /* of its row */
    mr_site_destroy(site);
}

MR_TEST(the_text_is_what_simgrid_expects)
{
    struct maker m;
    struct mr_buf out = {0};
    struct mr_site *site = make_hall(&m, 1, 1);
    site->rack[0].n_package = 1;
    build(site, MR_SITE_LEVEL_GPU);
    mr_emit_site(site, &out);
    assert_int_equal(out.status, MR_OK);
    static const char *const parts[] = {
        "<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n<platform "
        "version=\"4.1\">",
        "<prop id=\"network/TCP-gamma\" value=\"0\"/>",
        "<prop id=\"domain.D0\" value=\"generation=6; packages=72; bandwidth=1.8 TB/s\"/>",
        "<prop id=\"rack\" value=\"card=vr_nvl72; domain=D0; packages=1; trays=18; cpus=0; "
        "flops=35 "
        "Pflop/s; ",
        "<host id=\"H0.R0.K0.g0\" speed=\"35Pf,28Pf,21Pf\"/>",
        "<link id=\"H0.R0.K0.port\" bandwidth=\"14.4TBps\" latency=\"100ns\" "
        "sharing_policy=\"FATPIPE\"/>",
        "<zoneRoute src=\"H0\" dst=\"core.sw\" gw_src=\"H0.spine\" gw_dst=\"core\">",
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        mr_assert_contains(out.text, parts[i]);
    mr_buf_fini(&out);
    mr_site_destroy(site);
}

MR_TEST_MAIN(MR_TEST_ENTRY(random_sites_read_back_the_same), MR_TEST_ENTRY(out_of_memory),
             MR_TEST_ENTRY(gpu_level_has_two_links_per_package),
             MR_TEST_ENTRY(tray_level_adds_up_its_packages),
             MR_TEST_ENTRY(rack_level_has_one_host_per_rack_and_no_zone_for_it),
             MR_TEST_ENTRY(oversubscription_narrows_uplinks),
             MR_TEST_ENTRY(a_domain_over_racks_of_a_row_gets_a_zone),
             MR_TEST_ENTRY(nodes_of_a_rack_have_switches_of_their_own),
             MR_TEST_ENTRY(long_rows_and_halls_are_split),
             MR_TEST_ENTRY(what_cannot_stand_in_a_file_is_refused),
             MR_TEST_ENTRY(entities_are_sorted_into_file_order),
             MR_TEST_ENTRY(the_text_is_what_simgrid_expects))
