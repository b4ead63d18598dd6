/* SPDX-License-Identifier: Apache-2.0 */
/* power/plan_targets: messages become events, in every form; what is refused, and where. */
#include "power/plan_targets.h"

#include "engine/base/mem.h"
#include "platforms/layout.h"
#include "tests/test.h"

static const double never = HUGE_VAL;
static const double unix_s = 1719835200; /* 2024-07-01T12:00Z */

static mr_status read_text(const char *text, double start_s, struct mr_plan *plan,
                           struct mr_err *err)
{
    static const char *const layout =
        "<layout name=\"hall\"><grid limit=\"6 MW\"/><hall><row count=\"1\"><rack "
        "card=\"gb200_nvl72\" count=\"1\"/></row></hall></layout>";
    struct mr_site *site;
    struct mr_diags diags = {0};
    *plan = (struct mr_plan){0};
    *err = (struct mr_err){0};
    assert_int_equal(mr_layout_load_text("t", mr_str_of(layout), &site, &diags), MR_OK);
    const mr_status st =
        mr_plan_read_targets(mr_test_write("t.json", text, strlen(text)), site, start_s, plan, err);
    mr_site_destroy(site);
    return st;
}

/* @param[in] want t_s, start_s, end_s, value, is_best_effort of each */
static void expect(const char *text, const double (*want)[5], size_t n)
{
    struct mr_plan plan;
    struct mr_err err;
    if (read_text(text, unix_s, &plan, &err) != MR_OK)
        fail_msg("%s:%d: %s", err.file, err.line, err.text);
    assert_int_equal(plan.n, n);
    for (size_t i = 0; i < n; i++) {
        const struct mr_plan_item *item = &plan.item[i];
        assert_int_equal(item->kind, MR_PLAN_CURTAIL);
        assert_true(item->t_s == want[i][0] && item->start_s == want[i][1]);
        assert_true(item->end_s == want[i][2] && item->value == want[i][3]);
        assert_true(item->is_best_effort == (want[i][4] > 0) && !item->is_share);
    }
    mr_free(plan.item);
}

#define KW(value) "\"load_constraint\":{\"value\":" value ",\"unit\":\"kilowatt\"}"

MR_TEST(messages_become_events)
{
    /* the payload alone, in its envelope, lines of both, an array; by date of being known */
    expect("{\"targets\":[{\"interval\":{\"start_time\":600,\"end_time\":700}," KW("300") "}]}",
           (const double[][5]){{600, 600, 700, 300e3, 0}}, 1);
    expect("{\"specversion\":\"1.0.2\",\"type\":\"grid.loadtarget.set.v1\",\"time\":570,"
           "\"data\":{\"targets\":[{\"load_constraint\":{\"unit\":\"megawatt\",\"value\":1.5},"
           "\"strategy\":{\"best_effort\":true},\"interval\":{\"start_time\":600}}]}}\n"
           "{\"time\":20,\"targets\":[{\"interval\":{},\"load_constraint\":{\"value\":7,\"unit\":"
           "\"watt\"}},{\"interval\":{\"start_time\":5,\"end_time\":10}," KW("1") "}]}\n",
           (const double[][5]){{20, 20, never, 7, 0}, {570, 600, never, 1.5e6, 1}}, 2);
    expect("[{\"targets\":[{\"interval\":{\"start_time\":9}," KW(
               "1") "}]},\n"
                    "{\"time\":5,\"targets\":[{\"interval\":{\"start_time\":8},\"load_constraint\":"
                    "null}]}]",
           (const double[][5]){{5, 8, never, never, 0}, {9, 9, never, 1e3, 0}}, 2);
    /* dates, before the run too; a message that comes late counts from then on */
    expect("{\"time\":\"2024-07-01T11:59:00Z\",\"targets\":[{\"interval\":{\"start_time\":"
           "\"2024-07-01T14:01:00+02:00\",\"end_time\":\"2024-07-01T13:00:00Z\"}," KW(
               "2") "},"
                    "{\"interval\":{\"start_time\":\"2024-07-01T11:00Z\",\"end_time\":"
                    "\"2024-07-01T12:00:30Z\"}," KW("3") "}]}",
           (const double[][5]){{0, 60, 3600, 2e3, 0}, {0, 0, 30, 3e3, 0}}, 2);
    expect("{\"time\":50,\"targets\":[{\"interval\":{\"start_time\":10,\"end_time\":90}," KW(
               "2") "}]}",
           (const double[][5]){{50, 50, 90, 2e3, 0}}, 1);
    /* others' messages and feeds are passed over */
    expect("{\"type\":\"grid.powerstate.status.v1\",\"data\":\"a.b.c\"}\n"
           "{\"type\":\"grid.powerstate.status.v1\",\"data\":{\"feeds\":{}}}\n"
           "{\"targets\":[{\"feed_tags\":[\"east\"],\"interval\":{\"start_time\":1}," KW(
               "1") "},"
                    "{\"feed_tags\":[\"east\",\"hall\"],\"interval\":{\"start_time\":2}," KW(
                        "2") "},"
                             "{\"feed_tags\":[],\"interval\":{\"start_time\":0,\"end_time\":1}," KW(
                                 "3") "}]}",
           (const double[][5]){{0, 0, 1, 3e3, 0}, {2, 2, never, 2e3, 0}}, 2);
}

static void refused(const char *text, mr_status status, int line, const char *part)
{
    struct mr_plan plan;
    struct mr_err err;
    const mr_status st = read_text(text, (double)NAN, &plan, &err);
    mr_free(plan.item);
    if (st != status || err.line != line)
        fail_msg("%s: %d line %d: %s", text, (int)st, err.line, err.text);
    mr_assert_contains(err.text, part);
    mr_assert_contains(err.file, "t.json");
}

#define TARGET(body) "{\"targets\":[\n{" body "}]}"
#define WHEN         "\"interval\":{\"start_time\":1}"

MR_TEST(what_is_refused_and_where)
{
    refused("", MR_SCHEMA, 0, "no message grid.loadtarget.set.v1 in it");
    refused("3", MR_SCHEMA, 1, "an object");
    refused("{\"targets\":[", MR_PARSE, 1, "end of the file");
    refused("{}", MR_SCHEMA, 1, "a message without targets");
    refused("{\"data\":\"a.b.c\"}", MR_SCHEMA, 1, "signed (JWS)");
    refused("{\"data\":{\"target\":[]}}", MR_SCHEMA, 1, "data.target: no such key");
    refused("{\"type\":\"grid.loadtarget.set.v2\"}", MR_SCHEMA, 0, "no message");
    refused(TARGET(WHEN), MR_SCHEMA, 2, "a target without load_constraint");
    refused(TARGET(KW("1")), MR_SCHEMA, 2, "a target without interval");
    refused(TARGET("\"interval\":{\"start\":1}," KW("1")), MR_SCHEMA, 2,
            "targets[0].interval.start: no such key");
    refused(TARGET("\"interval\":{}," KW("1")), MR_SCHEMA, 2, "without start_time in a message");
    refused(TARGET("\"interval\":{\"start_time\":\"noon\"}," KW("1")), MR_PARSE, 2,
            "start_time: a date such as");
    refused(TARGET("\"interval\":{\"start_time\":\"2024-07-01\"}," KW("1")), MR_RANGE, 2,
            "when the run starts is not said");
    refused(TARGET("\"interval\":{\"start_time\":5,\"end_time\":5}," KW("1")), MR_RANGE, 2,
            "it must have a length");
    refused(TARGET(WHEN ",\"load_constraint\":{\"value\":1}"), MR_SCHEMA, 2,
            "value and unit are wanted");
    refused(TARGET(WHEN ",\"load_constraint\":{\"value\":1,\"unit\":\"MW\"}"), MR_UNIT, 2,
            "watt, kilowatt or megawatt");
    refused(TARGET(WHEN "," KW("-1")), MR_RANGE, 2, "value: must be 0 or more");
    refused(TARGET(WHEN "," KW("1e308")), MR_RANGE, 2, "too large");
    refused(TARGET(WHEN "," KW("1") ",\"stratgy\":{}"), MR_SCHEMA, 2, "strategy");
    refused(TARGET(WHEN "," KW("1") ",\"strategy\":{\"best_effort\":1}"), MR_SCHEMA, 2,
            "best_effort");
    refused(TARGET(WHEN "," KW("1") ",\"feed_tags\":[\"east\"]"), MR_REF, 0,
            "no target is for feed \"hall\"");
    refused(TARGET(WHEN "," KW("1") "},\n{\"interval\":{\"start_time\":7}," KW("2")), MR_RANGE, 3,
            "overlaps another of its message");
}

static mr_status body(void *context, struct mr_err *err)
{
    struct mr_plan plan = {0};
    const struct mr_site *site = context;
    const mr_status st = mr_plan_read_targets(mr_test_tmp_path("t.json"), site, 0, &plan, err);
    mr_free(plan.item);
    return st;
}

MR_TEST(every_allocation_may_fail)
{
    static const char text[] = "{\"targets\":[{" WHEN "," KW("1") "}]}";
    struct mr_site site = {.name = "hall"};
    mr_test_write("t.json", text, sizeof text - 1);
    mr_test_every_nomem(body, &site);
}

MR_TEST_MAIN(MR_TEST_ENTRY(messages_become_events), MR_TEST_ENTRY(what_is_refused_and_where),
             MR_TEST_ENTRY(every_allocation_may_fail))
