/* SPDX-License-Identifier: Apache-2.0 */
/* engine/base/card: figures with source and confidence, located mistakes, failing allocator. */
#include "engine/base/card.h"

#include "tests/test.h"

struct fan {
    double power_w;
    uint64_t n_blade;
};

static const struct mr_param rows[] = {
    MR_PARAM(struct fan, power_w, "power", MR_Q_POWER, NULL, 0, 1e6,
             "Electric power at full speed"),
    MR_PARAM_N(struct fan, n_blade, "blades", "5", 1, 99, "Number of blades"),
};
static const struct mr_param_table table = {"fan", "A fan.", rows, 2};
static const struct mr_card_kind kind = {"fan", "fans", &table, sizeof(struct fan), NULL};

static mr_status load(const char *text, struct mr_card **card, struct mr_diags *diags)
{
    return mr_card_load_text("fan.xml", mr_str_of(text), &kind, card, diags);
}

MR_TEST(figures_with_their_origin)
{
    struct mr_card *card;
    struct mr_diags diags = {0};
    assert_int_equal(
        load("<fan id=\"f1\" name=\"Fan one\">\n <figure name=\"power\" value=\"1.5 kW\" "
             "confidence=\"press\" source=\"somebody\" note=\"quoted range 1-2\"/>\n</fan>",
             &card, &diags),
        MR_OK);
    assert_int_equal(diags.n_item, 0);
    const struct fan *fan = card->object;
    assert_true(fan->power_w == 1500);
    assert_int_equal(fan->n_blade, 5);
    assert_string_equal(card->id, "f1");
    assert_string_equal(card->name, "Fan one");
    assert_int_equal(card->figure[0].confidence, MR_CONFIDENCE_PRESS);
    assert_string_equal(card->figure[0].source, "somebody");
    assert_string_equal(card->figure[0].note, "quoted range 1-2");
    assert_int_equal(card->figure[0].line, 2);
    assert_int_equal(card->figure[1].confidence, MR_CONFIDENCE_ASSUMPTION);
    assert_int_equal(mr_card_weakest(card), MR_CONFIDENCE_ASSUMPTION);
    struct mr_buf md = {0};
    mr_card_print_md(card, &md);
    mr_assert_contains(md.text, "| power | 1.5 kW | press | somebody | quoted range 1-2 |");
    mr_assert_contains(md.text, "| blades | 5 | assumption |  | default |");
    mr_buf_fini(&md);
    mr_card_destroy(card);
    mr_card_destroy(NULL);
}

MR_TEST(every_mistake_in_one_pass)
{
    struct mr_card *card;
    struct mr_diags diags = {0};
    char line[1024];
    assert_int_equal(
        load("<fan id=\"f1\" name=\"x\" colour=\"red\">\n"
             "<figure name=\"powr\" value=\"1 kW\" confidence=\"press\" source=\"s\"/>\n"
             "<figure name=\"blades\" value=\"0\" confidence=\"press\" source=\"s\"/>\n"
             "<figure name=\"blades\" value=\"7\" confidence=\"sure\" source=\"s\"/>\n"
             "<figure name=\"blades\" value=\"7\" source=\"s\"/>\n"
             "<figur/>\n"
             "</fan>",
             &card, &diags),
        MR_SCHEMA);
    assert_null(card);
    static const char *const expected[] = {
        "fan.xml:1:23: error: fan: unknown attribute \"colour\"",
        "fan.xml:2:",
        "unknown parameter \"powr\" (did you mean \"power\"?)",
        "fan.xml:3:",
        "blades \"0\": out of range: 1 .. 99",
        "fan.xml:4:",
        "unknown confidence \"sure\"",
        "fan.xml:5:1: error: fan \"f1\": <figure> has no confidence",
        "fan.xml:6:1: error: fan \"f1\": unknown element \"figur\" (did you mean \"figure\"?)",
        "\"power\" is missing",
    };
    char all[8192] = "";
    for (size_t i = 0; i < diags.n_item; i++) {
        mr_diag_print(&diags.item[i], line, sizeof line);
        strncat(all, line, sizeof all - strlen(all) - 2);
        strcat(all, "\n");
    }
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        mr_assert_contains(all, expected[i]);
    assert_int_equal(diags.n_error, 7);
}

MR_TEST(a_fact_needs_a_source)
{
    struct mr_card *card;
    struct mr_diags diags = {0};
    assert_int_equal(load("<fan id=\"f\" name=\"x\"><figure name=\"power\" value=\"1 W\" "
                          "confidence=\"published\" source=\"\"/></fan>",
                          &card, &diags),
                     MR_SCHEMA);
    mr_assert_contains(diags.item[0].err.text, "power is called published but names no source");
}

MR_TEST(another_kind_is_refused)
{
    struct mr_card *card;
    struct mr_diags diags = {0};
    assert_int_equal(load("<pump id=\"f\" name=\"x\"/>", &card, &diags), MR_SCHEMA);
    mr_assert_contains(diags.item[0].err.text, "this is a <pump>, a card <fan> is expected");
    struct mr_diags none = {0};
    assert_int_equal(mr_card_load("/no/such/card.xml", &kind, &card, &none), MR_IO);
    assert_null(card);
}

static mr_status load_once(void *context, struct mr_err *err)
{
    struct mr_card *card;
    struct mr_diags diags = {0};
    const mr_status st = load(context, &card, &diags);
    if (st != MR_OK)
        *err = diags.item[0].err;
    mr_card_destroy(card);
    return st;
}

MR_TEST(every_failing_allocation)
{
    static char text[] = "<fan id=\"f1\" name=\"x\"><figure name=\"power\" value=\"1 kW\" "
                         "confidence=\"press\" source=\"s\"/></fan>";
    mr_test_every_nomem(load_once, text);
}

MR_TEST_MAIN(MR_TEST_ENTRY(figures_with_their_origin), MR_TEST_ENTRY(every_mistake_in_one_pass),
             MR_TEST_ENTRY(a_fact_needs_a_source), MR_TEST_ENTRY(another_kind_is_refused),
             MR_TEST_ENTRY(every_failing_allocation))
