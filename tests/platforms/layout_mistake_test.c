/* SPDX-License-Identifier: Apache-2.0 */
/* Mistakes in layouts: every kind a user makes is told once, at its place, with what to write
 * instead where that can be known. One reader serves all of a table, so that a mistake of one
 * layout does not hide the same mistake in the next. */
#include "engine/base/mem.h"
#include "platforms/layout.h"
#include "tests/test.h"

#include <time.h>

/* A layout on one line; what is wrong begins at column 18 or behind. */
#define LAYOUT(inside) "<layout name='a'>" inside "</layout>"
#define HALL           "<hall><row><rack card='vr_nvl72'/></row></hall>"
#define ROW(inside)    LAYOUT("<hall><row>" inside "</row></hall>")
#define POWER(inside)  LAYOUT("<power>" inside "</power>" HALL)
#define NAMED(name)    LAYOUT("<hall name='" name "'><row><rack card='lpx'/></row></hall>")
#define NAME_RULE      "not a name: at most 40 letters, digits, \"_\" and \"-\""

struct mistake {
    const char *text, *place, *part;
    mr_status status;
};

/* Each is the only error of its layout. */
static void expect_each(const struct mistake *mistakes, size_t n)
{
    struct mr_layout_reader *reader;
    struct mr_err err = {0};
    assert_int_equal(mr_layout_reader_create(&reader, &err), MR_OK);
    for (size_t i = 0; i < n; i++) {
        const struct mistake *it = &mistakes[i];
        struct mr_diags diags = {0};
        struct mr_site *site;
        char line[1024] = "", place[64];
        const mr_status st = mr_layout_read(reader, "a.xml", mr_str_of(it->text), &site, &diags);
        if (diags.n_item > 0)
            mr_diag_print(&diags.item[0], line, sizeof line);
        snprintf(place, sizeof place, "a.xml:%s: error: ", it->place);
        if (st != it->status || site != NULL || diags.n_error != 1 || diags.n_item != 1 ||
            strncmp(line, place, strlen(place)) != 0 || strstr(line, it->part) == NULL)
            fail_msg("%s\n  status %d, %zu errors: %s\n  expected %s ... %s", it->text, st,
                     diags.n_error, line, place, it->part);
    }
    mr_layout_reader_destroy(reader);
    assert_int_equal(mr_test_live_allocations(), 0);
}

#define EXPECT_EACH(mistakes) expect_each((mistakes), sizeof(mistakes) / sizeof *(mistakes))

MR_TEST(what_is_not_a_layout)
{
    static const struct mistake mistakes[] = {
        {"", "1:1", "empty file: expected an XML document", MR_PARSE},
        {"  \n ", "2:2", "expected \"<\" of the root element", MR_PARSE},
        {"hello", "1:1", "expected \"<\" of the root element", MR_PARSE},
        {"<layout name='a'>", "1:18", "opened at 1:16 is never closed", MR_PARSE},
        {"<layuot name='a'>" HALL "</layuot>", "1:1", "(did you mean \"layout\"?)", MR_SCHEMA},
        {"<layout>" HALL "</layout>", "1:1", "missing attribute \"name\"", MR_SCHEMA},
        {LAYOUT(""), "1:1", "missing element <hall>", MR_SCHEMA},
        {LAYOUT("<hall/>"), "1:18", "missing element <row>", MR_SCHEMA},
        {LAYOUT("<hall><pod/></hall>"), "1:24", "missing element <row>", MR_SCHEMA},
        {ROW(""), "1:24", "missing element <rack>", MR_SCHEMA},
        {LAYOUT("text" HALL), "1:1", "text \"text\" is not allowed here", MR_SCHEMA},
        {LAYOUT("<grid/><grid/>" HALL), "1:25", "a second <grid>", MR_SCHEMA},
    };
    EXPECT_EACH(mistakes);
}

MR_TEST(unknown_elements_and_attributes)
{
    static const struct mistake mistakes[] = {
        {LAYOUT("<cool/>" HALL), "1:18", "<cool> (did you mean \"cooling\"?)", MR_SCHEMA},
        {LAYOUT("<hal/>"), "1:18", "<hal> (did you mean \"hall\"?)", MR_SCHEMA},
        {LAYOUT("<grid limt='1 MW'/>" HALL), "1:24", "\"limt\" (did you mean \"limit\"?)",
         MR_SCHEMA},
        {ROW("<rack card='lpx'/><rak card='lpx'/>"), "1:47", "<rak> (did you mean \"rack\"?)",
         MR_SCHEMA},
        {ROW("<rack/>"), "1:29", "missing attribute \"card\"", MR_SCHEMA},
        {POWER("<upz/>"), "1:25", "<upz> (did you mean \"ups\"?)", MR_SCHEMA},
        {POWER("<node/>"), "1:25", "missing attribute \"kind\"", MR_SCHEMA},
        {LAYOUT("<cooling><reject card='york_tower'/></cooling>" HALL), "1:27",
         "missing attribute \"kind\"", MR_SCHEMA},
        {LAYOUT("<power chain='sts'/>" HALL), "1:25", "\"sts\" (did you mean \"sst\"?)", MR_SCHEMA},
        {LAYOUT("<power redundancy='N+2'/>" HALL), "1:25", "\"N+2\" (did you mean \"N+1\"?)",
         MR_SCHEMA},
        {LAYOUT("<provision policy='max'/>" HALL), "1:29", "bad value \"max\"", MR_SCHEMA},
    };
    EXPECT_EACH(mistakes);
}

MR_TEST(values_that_are_none)
{
#define GRID(limit) LAYOUT("<grid limit='" limit "'/>" HALL), "1:24"
    static const struct mistake mistakes[] = {
        {GRID("20"), "no unit (write e.g. \"600 kW\")", MR_UNIT},
        {GRID("20 K"), "unknown unit \"K\"", MR_UNIT},
        {GRID("20 MWs"), "unknown unit \"MWs\" (did you mean \"MW\"?)", MR_UNIT},
        {GRID(""), "not a number with a unit", MR_PARSE},
        {GRID("nan W"), "not a number with a unit", MR_PARSE},
        {GRID("inf W"), "not a number with a unit", MR_PARSE},
        {GRID("-1 W"), "out of range: >= 0 W", MR_RANGE},
        {GRID("1e400 W"), "too large", MR_RANGE},
        {LAYOUT("<power fill='5 %'/>" HALL), "1:25", "out of range: 0.1 .. 1", MR_RANGE},
        {LAYOUT("<power fill='120 %'/>" HALL), "1:25", "out of range: 0.1 .. 1", MR_RANGE},
        {LAYOUT("<cooling supply='130 degC'/>" HALL), "1:27", "-60 degC .. 120 degC", MR_RANGE},
        {LAYOUT("<fabric rails='65'/>" HALL), "1:26", "out of range: 0 .. 64", MR_RANGE},
        {LAYOUT("<fabric row_oversubscription='0'/>" HALL), "1:26", "0.01 .. 1000", MR_RANGE},
        {ROW("<rack card='lpx' liquid='-1 %'/>"), "1:46", "out of range: 0 .. 1", MR_RANGE},
        {ROW("<rack card='lpx'/><cdu capacity='1 mW'/>"), "1:52", "(did you mean \"MW\"?)",
         MR_UNIT},
        {ROW("<rack card='lpx'/><domain optical='maybe' racks='1'/>"), "1:55", "neither yes nor no",
         MR_RANGE},
        {ROW("<rack card='lpx'/><domain bandwidth='1e308 B/s' racks='1'/>"), "1:55", "out of range",
         MR_RANGE},
        /* finite one by one, but not in the figures that come of them */
        {ROW("<rack card='lpx' rated='1e308 W' limit='1 kW' count='2'/>"), "1:1",
         "the sum of all rated power is out of range", MR_RANGE},
        {POWER("<bess rating='1e305 W' units='100'/>"), "1:25", "energy is out of range", MR_RANGE},
        {LAYOUT("<cooling><reject kind='radiator' area='1e308 m2'/></cooling>" HALL), "1:51",
         "capacity is out of range", MR_RANGE},
    };
#undef GRID
    EXPECT_EACH(mistakes);
}

/* Refused from the counts alone: none of these may take the memory or the time of what it asks. */
MR_TEST(absurd_counts)
{
#define COUNT(n) ROW("<rack card='lpx' count='" n "'/>"), "1:46"
    static const struct mistake mistakes[] = {
        {COUNT("0"), "out of range: 1 .. 10000", MR_RANGE},
        {COUNT("10001"), "out of range: 1 .. 10000", MR_RANGE},
        {COUNT("1000000000000"), "out of range: 1 .. 10000", MR_RANGE},
        {COUNT("99999999999999999999999"), "out of range: 1 .. 10000", MR_RANGE},
        {COUNT("-1"), "not a whole number", MR_PARSE},
        {COUNT("1.5"), "not a whole number", MR_PARSE},
        {LAYOUT("<hall count='10000'><row count='10000'><rack card='spx' count='10000'/></row>"
                "</hall>"),
         "1:1", "1000100020000 halls, rows, racks and domains: at most 250000", MR_LIMIT},
        {LAYOUT("<hall count='100'><pod count='100'><row><rack card='lpx' count='13'/></row>"
                "</pod></hall>"),
         "1:1", "280100 halls, rows, racks and domains", MR_LIMIT},
        {LAYOUT("<hall><row count='10000'><rack card='hgx_h100_rack' count='5'/></row></hall>"),
         "1:1", "260002 halls", MR_LIMIT}, /* four domains in every rack */
        {LAYOUT("<power><rpp count='1000'/></power>"
                "<hall><row count='300'><rack card='lpx'/></row></hall>"),
         "1:25", "rpp: more than 250000 power nodes", MR_LIMIT},
        {POWER("<unit rating='1 W'/>"), "1:25", "takes more than 100000 units", MR_LIMIT},
    };
#undef COUNT
    const clock_t start = clock();
    EXPECT_EACH(mistakes);
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 10); /* in the slowest build */
}

MR_TEST(cards_that_are_not_there)
{
    static const struct mistake mistakes[] = {
        {ROW("<rack card='vr_nvl7'/>"), "1:35", "(did you mean \"vr_nvl72\"?)", MR_REF},
        {ROW("<rack card='vr_nvl7'/>"), "1:35", "(did you mean \"vr_nvl72\"?)", MR_REF}, /* again */
        {ROW("<rack card='../racks/lpx'/>"), "1:35", "no rack card \"../racks/lpx\"", MR_REF},
        {ROW("<rack card=''/>"), "1:35", "no rack card \"\"", MR_REF},
        {LAYOUT("<cooling cdu='deshutes'/>" HALL), "1:27", "(did you mean \"deschutes\"?)", MR_REF},
        {LAYOUT("<cooling cdu='deshutes'/>" HALL), "1:27", "(did you mean \"deschutes\"?)", MR_REF},
        {ROW("<rack card='lpx'/><cdu card='deshutes'/>"), "1:52", "no cdu card", MR_REF},
        {LAYOUT("<cooling><reject kind='tower' card='york'/></cooling>" HALL), "1:48",
         "(did you mean \"york_tower\"?)", MR_REF},
        {LAYOUT("<cooling><reject kind='tower' card='york'/></cooling>" HALL), "1:48",
         "(did you mean \"york_tower\"?)", MR_REF},
        {LAYOUT("<cooling><reject kind='tower' card='crah_300'/></cooling>" HALL), "1:48",
         "is a crah, not a tower", MR_SCHEMA},
        {LAYOUT("<fabric leaf='spectrum6'/>" HALL), "1:26", "no switch card \"spectrum6\"", MR_REF},
        {LAYOUT("<fabric leaf='spectrum6'/>" HALL), "1:26", "no switch card \"spectrum6\"", MR_REF},
    };
    EXPECT_EACH(mistakes);
}

MR_TEST(names)
{
#define LONG "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" /* 41 */
    static const struct mistake mistakes[] = {
        {"<layout name='a b'>" HALL "</layout>", "1:9", "name \"a b\": " NAME_RULE, MR_SCHEMA},
        {NAMED("-x"), "1:24", NAME_RULE, MR_SCHEMA},
        {NAMED("x.y"), "1:24", NAME_RULE, MR_SCHEMA},
        {NAMED(""), "1:24", NAME_RULE, MR_SCHEMA},
        {NAMED("h\xC3\xA4l"), "1:24", NAME_RULE, MR_SCHEMA},
        {NAMED(LONG), "1:24", NAME_RULE, MR_SCHEMA},
        {NAMED("all"), "1:24", "the fabric uses this name", MR_SCHEMA},
        {LAYOUT("<hall name='x'><row><rack card='lpx'/></row></hall>"
                "<hall name='x'><row><rack card='lpx'/></row></hall>"),
         "1:75", "hall: the name \"x\" is taken", MR_SCHEMA},
        {LAYOUT("<hall><row name='x'><rack card='lpx'/></row>"
                "<row name='x'><rack card='lpx'/></row></hall>"),
         "1:67", "row: the name \"H0.x\" is taken", MR_SCHEMA},
        {ROW("<rack card='lpx' name='x'/><rack card='lpx' name='x'/>"), "1:73",
         "rack: the name \"H0.R0.x\" is taken", MR_SCHEMA},
        {LAYOUT("<pod name='x'/><pod name='x'/>" HALL), "1:38", "pod: the name \"x\" is taken",
         MR_SCHEMA},
        {POWER("<ups/><ups/>"), "1:31", "ups: the name \"H0.upsA\" is taken", MR_SCHEMA},
    };
#undef LONG
    EXPECT_EACH(mistakes);
}

MR_TEST(references_to_nothing)
{
#define PODS(pods, row) LAYOUT(pods "<hall>" row "<rack card='lpx'/></row></hall>")
    static const struct mistake mistakes[] = {
        {PODS("", "<row pod='red'>"), "1:29", "pod \"red\" is not declared", MR_REF},
        {PODS("<pod name='red'/>", "<row pod='rde'>"), "1:46", "(did you mean \"red\"?)", MR_REF},
        {PODS("<pod/>", "<row>"), "1:18", "give it a name and no count", MR_SCHEMA},
        {PODS("<pod name='x' count='2'/>", "<row>"), "1:32", "give it a name and no count",
         MR_SCHEMA},
        {LAYOUT("<pod name='x'/><hall><pod><row pod='x'><rack card='lpx'/></row></pod></hall>"),
         "1:49", "the row already stands in a <pod>", MR_SCHEMA},
        {POWER("<unit parent='nobody'/>"), "1:31", "parent \"nobody\": no such node before it",
         MR_REF},
        {POWER("<ups name='one'/><lv parent='oen'/>"), "1:46", "(did you mean \"one\"?)", MR_REF},
        {POWER("<mv name='m' parent='m'/>"), "1:38", "no such node before it", MR_REF},
        {POWER("<lv name='l'/><ups parent='l'/>"), "1:44", "no such node before it", MR_REF},
        {POWER("<unit name='u'/><ups parent='u u u'/>"), "1:46", "more than two names", MR_SCHEMA},
    };
#undef PODS
    EXPECT_EACH(mistakes);
}

MR_TEST(what_does_not_go_together)
{
    static const struct mistake mistakes[] = {
        {ROW("<rack card='vr_nvl576_oberon' count='9'/><domain racks='8'/>"), "1:78",
         "row H0.R0 has 9 such racks, which are not whole groups", MR_RANGE},
        {ROW("<rack card='spx' count='8'/><domain/>"), "1:57", "has 0 such racks", MR_RANGE},
        {ROW("<rack card='lpx'/><domain racks='1' card='vr_nvl72'/>"), "1:55", "has 0 such racks",
         MR_RANGE},
        {ROW("<rack card='vr_nvl72' count='2'/><rack card='lpx' count='2'/><domain racks='4'/>"),
         "1:90", "a group of vr_nvl72 and lpx", MR_SCHEMA},
        {ROW("<rack card='lpx' count='3'/><cdu racks='2'/>"), "1:24",
         "rack H0.R0.K2 needs liquid and no <cdu>", MR_REF},
        {ROW("<rack card='lpx'/><cdu/><cdu/>"), "1:53", "no liquid-cooled rack of row H0.R0",
         MR_REF},
        {LAYOUT("<hall><row><rack card='hgx_h100_rack'/></row><cdu/></hall>"), "1:63",
         "no liquid-cooled rack of hall H0", MR_REF},
        {LAYOUT("<provision policy='maxlps'/>" HALL), "1:29", "shares the grid limit", MR_SCHEMA},
        {LAYOUT("<grid limit='1 MW'/><provision policy='maxlps'/><hall><row>"
                "<rack card='lpx' limit='2 MW'/><rack card='lpx'/></row></hall>"),
         "1:49", "leave nothing of the grid limit to share", MR_RANGE},
        {LAYOUT("<power chain='sst'/><hall><row><rack card='hgx_h100_rack'/></row></hall>"), "1:55",
         "takes alternating current, row H0.R0 brings 800 VDC", MR_SCHEMA},
        {LAYOUT("<hall><power><ups per='site'/></power><row><rack card='lpx'/></row></hall>"),
         "1:36", "per \"site\" in a hall", MR_SCHEMA},
        {POWER("<sidecar count='2'/>"), "1:25", "one element, no count", MR_SCHEMA},
        {POWER("<sidecar/><sidecar name='x'/>"), "1:25", "one element, no count", MR_SCHEMA},
        {POWER("<solar/>"), "1:25", "\"rating\" is missing", MR_SCHEMA},
        {POWER("<unit units='2' spare='3'/>"), "1:41", "of 2 units none is left to work", MR_RANGE},
        {LAYOUT("<cooling><reject kind='tower' units='2' spare='2'/></cooling>" HALL), "1:58",
         "of 2 units none is left to work", MR_RANGE},
    };
    EXPECT_EACH(mistakes);
}

/* One reading tells them all: grammar first, then values, each in file order. */
MR_TEST(all_mistakes_of_a_file_at_once)
{
    static const char text[] = "<layout name='a b' wet_bulb='99 degC'>\n"
                               " <grid limit='20 parsec'/>\n"
                               " <power chain='ac'><upps/></power>\n"
                               " <hall><row pod='p' count='0'>\n"
                               "  <rack card='vr_nvl7' limit='nan W'/></row></hall>\n"
                               "</layout>\n";
    static const char *const expected[] = {
        "a.xml:3:9: error: ",  "a.xml:3:20: error: ", "a.xml:1:20: error: ",
        "a.xml:1:9: error: ",  "a.xml:2:8: error: ",  "a.xml:4:21: error: ",
        "a.xml:5:24: error: ", "a.xml:5:9: error: ",  "a.xml:4:13: error: ",
    };
    struct mr_diags diags = {0};
    struct mr_site *site;
    assert_int_equal(mr_layout_load_text("a.xml", mr_str_of(text), &site, &diags), MR_SCHEMA);
    assert_null(site);
    for (size_t i = 0; i < diags.n_item; i++) {
        char line[1024];
        mr_diag_print(&diags.item[i], line, sizeof line);
        if (i >= sizeof expected / sizeof *expected ||
            strncmp(line, expected[i], strlen(expected[i])) != 0)
            fail_msg("finding %zu: %s", i, line);
    }
    assert_int_equal(diags.n_error, sizeof expected / sizeof *expected);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(what_is_not_a_layout), MR_TEST_ENTRY(unknown_elements_and_attributes),
             MR_TEST_ENTRY(values_that_are_none), MR_TEST_ENTRY(absurd_counts),
             MR_TEST_ENTRY(cards_that_are_not_there), MR_TEST_ENTRY(names),
             MR_TEST_ENTRY(references_to_nothing), MR_TEST_ENTRY(what_does_not_go_together),
             MR_TEST_ENTRY(all_mistakes_of_a_file_at_once))
