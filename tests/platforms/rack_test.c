/* SPDX-License-Identifier: Apache-2.0 */
/* platforms/rack, cdu, switch, reject, library: every shipped card, sums from the fact tables,
 * sources. */
#include "platforms/rack.h"

#include "engine/base/csv.h"
#include "engine/base/xml.h"
#include "platforms/library.h"
#include "platforms/site.h"
#include "tests/test.h"

#include <dirent.h>

static const struct {
    const struct mr_card_kind *kind;
    const char *folder;
    int n_min;
} shelves[] = {{&mr_rack_kind, "racks", 16},
               {&mr_cdu_kind, "cdus", 3},
               {&mr_switch_kind, "switches", 9},
               {&mr_reject_kind, "rejects", 6}};

static void shelf_path(char out[1024], const char *folder, const char *file)
{
    snprintf(out, 1024, "%s/platforms/%s/%s", MR_SOURCE_DIR, folder, file);
}

/* Call for each shipped card of a shelf. @return how many there are */
static int each_card(size_t shelf, void (*visit)(const struct mr_card *card, void *context),
                     void *context)
{
    char path[1024];
    int n = 0;
    shelf_path(path, shelves[shelf].folder, "");
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        struct mr_card *card;
        struct mr_diags diags = {0};
        if (strstr(e->d_name, ".xml") == NULL)
            continue;
        shelf_path(path, shelves[shelf].folder, e->d_name);
        if (mr_card_load(path, shelves[shelf].kind, &card, &diags) != MR_OK || diags.n_item > 0) {
            char line[1024];
            mr_diag_print(&diags.item[0], line, sizeof line);
            fail_msg("%s", line);
        }
        assert_int_equal(strncmp(card->id, e->d_name, strlen(e->d_name) - 4), 0);
        visit(card, context);
        mr_card_destroy(card);
        n++;
    }
    closedir(dir);
    return n;
}

static void check_sources(const struct mr_card *card, void *context)
{
    const struct mr_xml_node *sources = context;
    for (size_t i = 0; i < card->kind->table->n; i++) {
        const char *key = card->figure[i].source;
        while (*key != '\0') {
            const size_t n = strcspn(key, " ");
            const struct mr_xml_node *source = mr_xml_child(sources, "source");
            while (source != NULL &&
                   !mr_str_is((struct mr_str){key, n}, mr_xml_value(source, "key")))
                source = mr_xml_next(source, "source");
            if (source == NULL)
                fail_msg("%s: source \"%.*s\" of %s is not in sources.xml", card->path, (int)n, key,
                         card->kind->table->row[i].name);
            key += n + strspn(key + n, " ");
        }
        if (card->figure[i].confidence != MR_CONFIDENCE_ASSUMPTION)
            assert_true(strcmp(card->figure[i].source, "unsourced") != 0);
    }
}

MR_TEST(every_shipped_card_loads_and_names_known_sources)
{
    struct mr_xml_doc *doc;
    struct mr_err err = {0};
    char path[1024];
    snprintf(path, sizeof path, "%s/platforms/sources.xml", MR_SOURCE_DIR);
    assert_int_equal(mr_xml_load(path, NULL, &doc, &err), MR_OK);
    union {
        const struct mr_xml_node *root;
        void *context;
    } sources = {mr_xml_root(doc)};
    for (size_t i = 0; i < sizeof shelves / sizeof *shelves; i++)
        assert_true(each_card(i, check_sources, sources.context) >= shelves[i].n_min);
    mr_xml_destroy(doc);
}

static struct mr_library *library;

static const struct mr_rack_card *rack(const char *id)
{
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    if (library == NULL)
        assert_int_equal(mr_library_create(&library, &err), MR_OK);
    const struct mr_rack_card *card = mr_library_rack(library, id, MR_NOWHERE, &diags);
    if (card == NULL)
        fail_msg("%s: %s", id, diags.item[0].err.text);
    return card;
}

static void close_library(void)
{
    mr_library_destroy(library);
    library = NULL;
    assert_int_equal(mr_test_live_allocations(), 0);
}

#define SUM(card, field) ((double)(card)->n_package * (card)->field)

MR_TEST(sums_of_the_fact_tables)
{
    const struct mr_rack_card *vr = rack("vr_nvl72"), *kyber = rack("vr_nvl144_kyber");
    const struct mr_rack_card *gb200 = rack("gb200_nvl72"), *gb300 = rack("gb300_nvl72");
    const struct mr_rack_card *lpx = rack("lpx"), *h100 = rack("hgx_h100_rack");
    const struct mr_rack_card *nvl576 = rack("vr_nvl576_oberon"), *vera = rack("vera_256");
    mr_assert_near(SUM(vr, package_memory_bytes), 72 * 288e9, 1e-15, 0);
    mr_assert_near(SUM(vr, package_fp4_flop_s), 2520e15, 1e-15, 0);
    mr_assert_near(SUM(vr, package_fp8_flop_s), 1260e15, 1e-15, 0);
    mr_assert_near((double)vr->n_port * vr->scaleout_bytes_s, 14.4e12, 1e-15, 0);
    mr_assert_near(2 * SUM(vr, nvlink_bytes_s), 260e12, 0.005, 0); /* printed, both ways */
    mr_assert_near(SUM(gb200, package_fp4_flop_s), 720e15, 1e-15, 0);
    mr_assert_near(SUM(gb300, package_fp4_flop_s), 1080e15, 1e-15, 0);
    mr_assert_near(SUM(gb200, package_memory_bytes), 13.4e12, 0.005, 0);
    mr_assert_near(SUM(gb300, package_memory_bytes), 20.1e12, 0.005, 0);
    assert_int_equal(kyber->n_package, 144);
    mr_assert_near(2 * SUM(kyber, nvlink_bytes_s), 518.4e12, 1e-12, 0);
    assert_int_equal(kyber->bus_v, 800);
    assert_int_equal(8 * nvl576->n_package, nvl576->domain_packages);
    mr_assert_near(8 * SUM(nvl576, package_fp4_flop_s), 20160e15, 1e-12, 0);
    mr_assert_near(SUM(lpx, package_memory_bytes), 128e9, 1e-12, 0);
    mr_assert_near(SUM(lpx, package_fp8_flop_s), 307.2e15, 1e-12, 0);
    mr_assert_near(2 * SUM(lpx, nvlink_bytes_s), 640e12, 1e-12, 0);
    assert_true(lpx->package_fp4_flop_s == 0 && h100->package_fp4_flop_s == 0);
    assert_int_equal(h100->n_package, 32);
    assert_int_equal(mr_rack_n_domain(h100), 4);
    assert_int_equal(mr_rack_n_domain(nvl576), 1);
    assert_int_equal(mr_rack_n_domain(vera), 0);
    assert_int_equal(vera->n_cpu * vera->n_core, 22528);
    assert_true(mr_rack_package_flop_s(h100) == 1979e12 && mr_rack_package_flop_s(vr) == 35e15);
    close_library();
}

/* The figures a card and racks.csv share must agree; confidence is the card's business. */
MR_TEST(cards_agree_with_the_fact_table)
{
    static const struct {
        const char *id, *card;
        double racks; /* cards per row of the table */
    } rows[] = {{"hgx_h100_rack", "hgx_h100_rack", 1},
                {"gb200_nvl72", "gb200_nvl72", 1},
                {"gb300_nvl72", "gb300_nvl72", 1},
                {"vr_nvl72", "vr_nvl72", 1},
                {"vr_nvl144_kyber", "vr_nvl144_kyber", 1},
                {"vr_nvl576_oberon", "vr_nvl576_oberon", 8},
                {"lpx", "lpx", 1},
                {"vera_256", "vera_256", 1},
                {"bf4_stx", "bf4_stx", 1},
                {"dgx_b200_node", "dgx_b200_rack", 0.25},
                {"dgx_b300_node", "dgx_b300_rack", 0.25}};
    const char *path = mr_test_data("../facts/racks.csv");
    if (path == NULL)
        mr_test_skip("facts/racks.csv is not beside MILLRACE_DATA");
    struct mr_csv *csv;
    struct mr_err err = {0};
    assert_int_equal(mr_csv_open(path, NULL, &csv, &err), MR_OK);
    size_t id, accelerators, power, mass, bus, n_seen = 0;
    assert_int_equal(mr_csv_column(csv, "id", &id, &err), MR_OK);
    assert_int_equal(mr_csv_column(csv, "accelerators", &accelerators, &err), MR_OK);
    assert_int_equal(mr_csv_column(csv, "power_kw_maxp", &power, &err), MR_OK);
    assert_int_equal(mr_csv_column(csv, "mass_kg", &mass, &err), MR_OK);
    assert_int_equal(mr_csv_column(csv, "bus_vdc", &bus, &err), MR_OK);
    for (bool has_row = true; has_row;) {
        assert_int_equal(mr_csv_next(csv, &has_row, &err), MR_OK);
        for (size_t i = 0; has_row && i < sizeof rows / sizeof *rows; i++) {
            if (!mr_str_is(mr_csv_field(csv, id), rows[i].id))
                continue;
            const struct mr_rack_card *card = rack(rows[i].card);
            double n = 0, kw = 0, kg = 0, volts = 0;
            n_seen++;
            assert_int_equal(mr_csv_f64(csv, accelerators, &n, &err), MR_OK);
            mr_assert_near((double)card->n_package * rows[i].racks, n, 1e-12, 0);
            if (mr_csv_field(csv, power).n > 0) {
                assert_int_equal(mr_csv_f64(csv, power, &kw, &err), MR_OK);
                mr_assert_near(card->max_p_w * rows[i].racks, kw * 1e3, 1e-12, 0);
            }
            if (mr_csv_field(csv, mass).n > 0) {
                assert_int_equal(mr_csv_f64(csv, mass, &kg, &err), MR_OK);
                mr_assert_near(card->mass_kg * rows[i].racks, kg, 1e-12, 0);
            }
            if (mr_csv_field(csv, bus).n > 0) {
                assert_int_equal(mr_csv_f64(csv, bus, &volts, &err), MR_OK);
                assert_int_equal(card->bus_v, (uint64_t)volts);
            }
        }
    }
    assert_int_equal(n_seen, sizeof rows / sizeof *rows);
    mr_csv_close(csv);
    close_library();
}

MR_TEST(unknown_cards_are_told_once_with_the_nearest)
{
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    const struct mr_place at = {"a.layout.xml", 3, 9};
    assert_int_equal(mr_library_create(&library, &err), MR_OK);
    assert_null(mr_library_rack(library, "vr_nvl27", at, &diags));
    assert_null(mr_library_rack(library, "vr_nvl27", at, &diags));
    assert_int_equal(diags.n_error, 1);
    char line[1024];
    mr_diag_print(&diags.item[0], line, sizeof line);
    assert_string_equal(
        line, "a.layout.xml:3:9: error: no rack card \"vr_nvl27\" (did you mean \"vr_nvl72\"?)");
    assert_null(mr_library_cdu(library, "../racks/vr_nvl72", at, &diags));
    assert_null(mr_library_switch(library, "", at, &diags));
    assert_non_null(mr_library_cdu(library, "deschutes", at, &diags));
    assert_ptr_equal(mr_library_cdu(library, "deschutes", at, &diags),
                     mr_library_cdu(library, "deschutes", at, &diags));
    const struct mr_reject_card *cooler = mr_library_reject(library, "trillium_2931", at, &diags);
    assert_int_equal(cooler->kind, MR_SITE_REJECT_DRY_COOLER);
    assert_true(cooler->capacity_w == 2931e3);
    const struct mr_switch_card *leaf = mr_library_switch(library, "spectrum6_sn6810", at, &diags);
    mr_assert_near(mr_switch_bytes_s(leaf), 12.8e12, 1e-12, 0);
    const struct mr_cdu_card *cdu = mr_library_cdu(library, "deschutes", at, &diags);
    mr_assert_near(mr_cdu_it_flow_m3_s(cdu), 31.48 / 1010, 1e-12, 0);
    close_library();
}

static mr_status load_two(void *context, struct mr_err *err)
{
    struct mr_library *lib = NULL;
    struct mr_diags diags = {0};
    (void)context;
    MR_TRY(mr_library_create(&lib, err));
    const bool both = mr_library_rack(lib, "vr_nvl72", MR_NOWHERE, &diags) != NULL &&
                      mr_library_cdu(lib, "deschutes", MR_NOWHERE, &diags) != NULL;
    mr_library_destroy(lib);
    if (both)
        return MR_OK;
    *err = diags.item[0].err;
    return diags.first_error;
}

MR_TEST(every_failing_allocation)
{
    mr_test_every_nomem(load_two, NULL);
}

MR_TEST_MAIN(MR_TEST_ENTRY(every_shipped_card_loads_and_names_known_sources),
             MR_TEST_ENTRY(sums_of_the_fact_tables), MR_TEST_ENTRY(cards_agree_with_the_fact_table),
             MR_TEST_ENTRY(unknown_cards_are_told_once_with_the_nearest),
             MR_TEST_ENTRY(every_failing_allocation))
