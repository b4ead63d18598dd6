/* SPDX-License-Identifier: Apache-2.0 */
/* Sites that no layout would give: every field at random within what its prop's table allows, the
 * smallest and largest doubles among them, names and texts of any characters a file can hold. What
 * is written must read back as the same site, and be written again byte by byte. Fields are found
 * through the tables, so a new row is covered the day it is added. */
#include "engine/base/mem.h"
#include "platforms/emit.h"
#include "platforms/fabric.h"
#include "platforms/prop.h"
#include "platforms/read.h"
#include "tests/test.h"

#include <float.h>

#define NONE MR_SITE_NONE

struct maker {
    struct mr_site *site;
    uint64_t state;
    struct mr_prop_defaults defaults;
};

static uint64_t draw(struct maker *m, uint64_t n)
{
    m->state ^= m->state << 13;
    m->state ^= m->state >> 7;
    m->state ^= m->state << 17;
    return (m->state >> 11) % n;
}

static uint32_t draw_index(struct maker *m, size_t n)
{
    return n == 0 || draw(m, 3) == 0 ? NONE : (uint32_t)draw(m, n);
}

/* ---- texts ---- */

static const char *keep(struct maker *m, const char *text)
{
    const char *kept = mr_arena_text(&m->site->arena, mr_str_of(text), NULL);
    assert_non_null(kept);
    return kept;
}

static void add_letters(struct maker *m, const char *const *letters, size_t n, char text[256])
{
    for (uint64_t i = draw(m, 9); i > 0; i--)
        strcat(text, letters[draw(m, n)]);
}

/* Anything but white space, semicolons, single quotes and control characters; unique by its number.
 */
static const char *draw_name(struct maker *m, const char *prefix, size_t number)
{
    static const char *const letters[] = {"<",
                                          "&",
                                          ">",
                                          "\"",
                                          "a",
                                          "=",
                                          ",",
                                          "\xC3\xA9",
                                          ".",
                                          "-",
                                          "\xE2\x82\xAC",
                                          "#",
                                          "/",
                                          "&amp",
                                          "]]>",
                                          "%",
                                          "\xF0\x9F\x94\xA5",
                                          "\\"};
    char text[256];
    snprintf(text, sizeof text, "%s%zu", prefix, number);
    if (draw(m, 2) == 0)
        add_letters(m, letters, sizeof letters / sizeof *letters, text);
    return keep(m, text);
}

static const char *draw_text(struct maker *m)
{
    static const char *const letters[] = {"<", "&",  ">",  "\"", "'",        ";",  " ",
                                          "=", "''", "; ", "x",  "\xC3\xA9", "--", "\\n"};
    char text[256] = "";
    add_letters(m, letters, sizeof letters / sizeof *letters, text);
    return keep(m, text);
}

/* ---- values ---- */

/* Any bits between the bounds; the bounds, zeros and the ends of the range of doubles often. */
static double draw_double(struct maker *m, const struct mr_param *row)
{
    const double ends[] = {row->min, row->max, 0,       DBL_TRUE_MIN, DBL_MIN, -DBL_MIN,
                           DBL_MAX,  -DBL_MAX, 1,       0.1,          1e21,    1e-21,
                           1.8e12,   1 / 3.0,  9.999e5, 1e15 + 0.125, -273.15, 45,
                           1e22,     1e23,     5e-5,    123456.789e3, -0.0,    DBL_EPSILON};
    for (;;) {
        double x = ends[draw(m, sizeof ends / sizeof *ends)];
        const uint64_t kind = draw(m, 3),
                       bits = draw(m, 1u << 30) << 34 ^ draw(m, 1u << 30) << 15 ^ draw(m, 1u << 30);
        if (kind == 0)
            memcpy(&x, &bits, sizeof x);
        else if (kind == 1 && isfinite(row->min) && isfinite(row->max))
            x = row->min + (row->max - row->min) * (double)draw(m, 1000003) / 1000003;
        if (isfinite(x) && x >= row->min && x <= row->max)
            return x;
    }
}

static uint64_t draw_count(struct maker *m, const struct mr_param *row)
{
    const uint64_t low = (uint64_t)row->min, high = (uint64_t)row->max;
    const uint64_t kind = draw(m, 4);
    return kind == 0 ? low : kind == 1 ? high : low + draw(m, kind == 2 ? 8 : high - low + 1);
}

/* Every row of the kind's table, except texts that are names of others. */
static void draw_form(struct maker *m, int kind, void *form)
{
    const struct mr_param_table *table = mr_prop_table(kind);
    const struct mr_prop_ref *ref;
    const size_t n_ref = mr_prop_refs(kind, &ref);
    memcpy(form, &m->defaults.form[kind], sizeof m->defaults.form[kind]);
    for (size_t i = 0; i < table->n; i++) {
        const struct mr_param *row = &table->row[i];
        char *field = (char *)form + row->offset;
        bool is_ref = false;
        for (size_t k = 0; k < n_ref; k++)
            is_ref = is_ref || strcmp(ref[k].key, row->name) == 0;
        if (is_ref || (row->fallback != NULL && draw(m, 4) == 0))
            continue;
        if (row->kind == MR_PARAM_TEXT) {
            const char *text = draw_text(m);
            memcpy(field, &text, sizeof text);
        } else if (row->kind == MR_PARAM_CHOICE) {
            const int choice = (int)draw(m, row->n_choice);
            memcpy(field, &choice, sizeof choice);
        } else if (row->kind == MR_PARAM_BOOL) {
            const bool yes = draw(m, 2) == 0;
            memcpy(field, &yes, sizeof yes);
        } else if (row->kind == MR_PARAM_COUNT) {
            const uint64_t count = draw_count(m, row);
            memcpy(field, &count, sizeof count);
        } else {
            const double x = draw_double(m, row);
            memcpy(field, &x, sizeof x);
        }
    }
}

/* ---- entities ---- */

/* The element is made before the array grows by it. */
#define PUSH(m, array, ...)                                                                 \
    do {                                                                                    \
        const __typeof__(*(m)->site->array) it_ = __VA_ARGS__;                              \
        assert_int_equal(mr_grow(&(m)->site->array, &(m)->site->cap_##array,                \
                                 (m)->site->n_##array + 1, sizeof *(m)->site->array, NULL), \
                         MR_OK);                                                            \
        (m)->site->array[(m)->site->n_##array++] = it_;                                     \
    } while (0)

static void add_site(struct maker *m)
{
    struct mr_site *site = m->site;
    union mr_prop_form form;
    draw_form(m, MR_PROP_SITE, &form);
    /* a site without a name gets that of its outermost zone when it is read */
    site->name = form.site.name != NULL && form.site.name[0] != '\0' ? form.site.name : "<&>";
    site->layout_path = form.site.layout;
    site->layout_sha256 = form.site.sha256;
    site->wet_bulb_c = form.site.wet_bulb_c;
    site->dry_bulb_c = form.site.dry_bulb_c;
    draw_form(m, MR_PROP_GRID, &form);
    site->grid = form.grid;
    site->grid.ramp_w_s += 0; /* -0 would be written, and readers refuse a ramp of 0 */
}

static void add_rooms(struct maker *m)
{
    struct mr_site *site = m->site;
    union mr_prop_form form;
    const size_t n_hall = 1 + draw(m, 4);
    for (size_t h = 0; h < n_hall; h++) {
        draw_form(m, MR_PROP_HALL, &form);
        form.hall.name = draw_name(m, "H", h);
        PUSH(m, hall, form.hall);
        for (uint64_t n = draw(m, 4); n > 0; n--) {
            draw_form(m, MR_PROP_ROW, &form);
            form.row.name = draw_name(m, "R", site->n_row);
            form.row.hall = (uint32_t)h;
            PUSH(m, row, form.row);
        }
    }
    if (site->n_row == 0)
        PUSH(m, row, ((struct mr_row){.name = "R", .hall = 0}));
}

static void draw_place(struct maker *m, uint32_t *hall, uint32_t *row)
{
    *row = draw_index(m, m->site->n_row);
    *hall = *row != NONE ? m->site->row[*row].hall : draw_index(m, m->site->n_hall);
}

static void add_water(struct maker *m)
{
    struct mr_site *site = m->site;
    union mr_prop_form form;
    for (uint64_t n = draw(m, 5); n > 0; n--) {
        draw_form(m, MR_PROP_LOOP, &form);
        form.loop.it.name = draw_name(m, "L", site->n_loop);
        form.loop.it.hall = draw_index(m, site->n_hall);
        PUSH(m, loop, form.loop.it);
    }
    for (uint64_t n = draw(m, 7); n > 0; n--) {
        draw_form(m, MR_PROP_CDU, &form);
        form.cdu.it.name = draw_name(m, "C", site->n_cdu);
        form.cdu.it.loop = draw_index(m, site->n_loop);
        draw_place(m, &form.cdu.it.hall, &form.cdu.it.row);
        PUSH(m, cdu, form.cdu.it);
    }
    for (uint64_t n = draw(m, 5); n > 0; n--) {
        draw_form(m, MR_PROP_REJECT, &form);
        form.reject.it.name = draw_name(m, "X", site->n_rejector);
        form.reject.it.loop = draw_index(m, site->n_loop);
        PUSH(m, rejector, form.reject.it);
    }
}

/* The second of two names cannot stand alone. */
static void draw_two(struct maker *m, size_t n, uint32_t two[2])
{
    two[0] = draw_index(m, n);
    two[1] = two[0] != NONE ? draw_index(m, n) : NONE;
}

static void add_domain(struct maker *m)
{
    union mr_prop_form form;
    draw_form(m, MR_PROP_DOMAIN, &form);
    form.domain.name = draw_name(m, "D", m->site->n_domain);
    PUSH(m, domain, form.domain);
}

static void add_power(struct maker *m)
{
    struct mr_site *site = m->site;
    union mr_prop_form form;
    const size_t n_power = draw(m, 14);
    for (size_t i = 0; i < n_power; i++) {
        draw_form(m, MR_PROP_POWER, &form);
        form.power.it.name = draw_name(m, "N", i);
        draw_two(m, n_power, form.power.it.parent); /* circles too: checks find them, not readers */
        draw_place(m, &form.power.it.hall, &form.power.it.row);
        PUSH(m, power, form.power.it);
    }
    for (uint64_t n = draw(m, 3); n > 0; n--)
        PUSH(m, pod, ((struct mr_pod){.name = draw_name(m, "P", site->n_pod)}));
    for (uint64_t n = draw(m, 8); n > 0; n--)
        add_domain(m);
}

/* Several domains of one rack are its own: file order would tear apart what others share. */
static void add_nodes(struct maker *m, struct mr_rack *rack)
{
    rack->domain = (uint32_t)m->site->n_domain;
    rack->n_domain = 1 + (uint32_t)draw(m, 4);
    for (uint32_t i = 0; i < rack->n_domain; i++)
        add_domain(m);
}

static void add_racks(struct maker *m)
{
    struct mr_site *site = m->site;
    const size_t n_shared = site->n_domain;
    for (uint32_t row = 0; row < site->n_row; row++)
        for (uint64_t n = draw(m, 5) + (row == 0); n > 0; n--) {
            union mr_prop_form form;
            draw_form(m, MR_PROP_RACK, &form);
            struct mr_rack *it = &form.rack.it;
            it->name = draw_name(m, "K", site->n_rack);
            it->row = row;
            it->n_package = (uint32_t)draw(m, 12);
            it->n_tray = draw(m, 4) == 0 ? 0 : draw(m, 20);
            it->domain = draw_index(m, n_shared);
            it->n_domain = 1;
            if (draw(m, 3) == 0)
                add_nodes(m, it);
            it->cdu = draw_index(m, site->n_cdu);
            it->pod = draw_index(m, site->n_pod);
            draw_two(m, site->n_power, it->feed);
            PUSH(m, rack, *it);
        }
}

static void add_fabric(struct maker *m)
{
    union mr_prop_form form;
    if (draw(m, 2) == 0)
        return;
    draw_form(m, MR_PROP_FABRIC, &form);
    m->site->fabric = mr_arena_alloc(&m->site->arena, sizeof *m->site->fabric, NULL);
    assert_non_null(m->site->fabric);
    *m->site->fabric = form.fabric;
}

static struct mr_site *make(uint64_t seed)
{
    struct maker m = {.state = seed * 0x9e3779b97f4a7c15u + 1, .site = mr_site_create(NULL)};
    assert_non_null(m.site);
    mr_prop_defaults(&m.defaults);
    add_site(&m);
    add_rooms(&m);
    add_water(&m);
    add_power(&m);
    add_racks(&m);
    add_fabric(&m);
    return m.site;
}

/* ---- the property ---- */

static void same(uint64_t seed, int level, const char *what, const struct mr_buf *x,
                 const struct mr_buf *y)
{
    const char *a = x->text, *b = y->text;
    while (*a != '\0' || *b != '\0') {
        const size_t n = strcspn(a, "\n"), k = strcspn(b, "\n");
        if (n != k || memcmp(a, b, n) != 0)
            fail_msg("seed %llu level %d: %s:\n%.*s\n%.*s", (unsigned long long)seed, level, what,
                     (int)n, a, (int)k, b);
        a += n + (a[n] != '\0');
        b += k + (b[k] != '\0');
    }
}

/* @return was the site one that a file can hold? */
static bool round_trip(uint64_t seed, int level)
{
    struct mr_site *site = make(seed), *again = NULL;
    struct mr_buf dump = {0}, dump_again = {0}, text = {0}, text_again = {0};
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    const mr_status built = mr_fabric_build(site, level, &err);
    if (built != MR_OK) {
        /* figures that no link can have, such as 12 times the largest double */
        if (built != MR_RANGE && built != MR_LIMIT)
            fail_msg("seed %llu level %d: %s", (unsigned long long)seed, level, err.text);
        mr_site_destroy(site);
        return false;
    }
    mr_site_dump(site, &dump);
    mr_emit_site(site, &text);
    assert_int_equal(text.status, MR_OK);
    if (mr_read_site_text("again.xml", (struct mr_str){text.text, text.n}, &again, &diags) !=
            MR_OK ||
        diags.n_item > 0)
        fail_msg("seed %llu level %d: %d:%d: %s", (unsigned long long)seed, level,
                 diags.item[0].err.line, diags.item[0].err.col, diags.item[0].err.text);
    mr_site_dump(again, &dump_again);
    mr_emit_site(again, &text_again);
    same(seed, level, "the site", &dump, &dump_again);
    same(seed, level, "the text", &text, &text_again);
    mr_buf_fini(&dump);
    mr_buf_fini(&dump_again);
    mr_buf_fini(&text);
    mr_buf_fini(&text_again);
    mr_site_destroy(again);
    mr_site_destroy(site);
    return true;
}

MR_TEST(extreme_sites_read_back_the_same)
{
    enum {
        n_wanted = 200,
        n_seed = 3 * n_wanted
    };
    size_t n_built = 0;
    for (uint64_t seed = 1; seed <= n_seed && n_built < n_wanted; seed++)
        n_built += round_trip(seed, (int)(seed % 4) + MR_FABRIC_LEVEL_AUTO);
    assert_int_equal(n_built, n_wanted);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(extreme_sites_read_back_the_same))
