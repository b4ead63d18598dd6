/* SPDX-License-Identifier: Apache-2.0 */
/* engine/base/param: defaults, settings of every kind, messages, printing. */
#include "engine/base/param.h"

#include "engine/base/mem.h"
#include "tests/test.h"

struct pump {
    double supply_c, flow_m3_s;
    uint64_t n_unit;
    bool has_ups;
    const char *name;
    int mode;
    struct mr_param_list tags;
};

static const char *const modes[] = {"fixed", "variable"};

static const struct mr_param rows[] = {
    MR_PARAM(struct pump, supply_c, "supply", MR_Q_TEMPERATURE, "45 degC", 5, 80,
             "Set point of the water"),
    MR_PARAM(struct pump, flow_m3_s, "flow", MR_Q_VOLUME_FLOW, NULL, 0, MR_UNBOUNDED,
             "Design flow of one unit"),
    MR_PARAM_N(struct pump, n_unit, "units", "2", 1, 16, "Pumps on the header"),
    MR_PARAM_YES(struct pump, has_ups, "ups", "no", "Pumps run on when the utility fails"),
    MR_PARAM_STR(struct pump, name, "name", NULL, "What people call it"),
    MR_PARAM_ONE_OF(struct pump, mode, "mode", modes, "variable", "How the speed is set"),
    MR_PARAM_MANY(struct pump, tags, "tag", "Free words for searches"),
};
static const struct mr_param_table table = {"pump", "A pump group.", rows,
                                            sizeof rows / sizeof *rows};

struct fixture {
    struct pump pump;
    uint8_t origin[sizeof rows / sizeof *rows];
    struct mr_arena texts;
    struct mr_param_target target;
};

static void begin(struct fixture *f)
{
    *f = (struct fixture){0};
    f->target = (struct mr_param_target){&table, &f->pump, f->origin, &f->texts, "pump \"P1\""};
    mr_param_defaults(&f->target);
}

static void end(struct fixture *f)
{
    mr_param_fini(&f->target);
    mr_arena_fini(&f->texts);
    assert_int_equal(mr_test_live_allocations(), 0);
}

static mr_status set(struct fixture *f, const char *name, const char *value, struct mr_err *err)
{
    return mr_param_set(&f->target, mr_str_of(name), mr_str_of(value), MR_PARAM_GIVEN,
                        (struct mr_place){"a.xml", 3, 9}, err);
}

MR_TEST(defaults_fill_every_field)
{
    struct fixture f;
    begin(&f);
    assert_true(f.pump.supply_c == 45);
    assert_int_equal(f.pump.n_unit, 2);
    assert_false(f.pump.has_ups);
    assert_null(f.pump.name);
    assert_int_equal(f.pump.mode, 1);
    assert_int_equal(f.origin[0], MR_PARAM_DEFAULTED);
    assert_int_equal(f.origin[1], MR_PARAM_ABSENT);
    end(&f);
}

MR_TEST(settings_of_every_kind)
{
    struct fixture f;
    struct mr_err err = {0};
    begin(&f);
    assert_int_equal(set(&f, "supply", "318.15 K", &err), MR_OK);
    assert_int_equal(set(&f, "flow", "600 L/min", &err), MR_OK);
    assert_int_equal(set(&f, "units", "16", &err), MR_OK);
    assert_int_equal(set(&f, "ups", "yes", &err), MR_OK);
    assert_int_equal(set(&f, "name", "north", &err), MR_OK);
    assert_int_equal(set(&f, "mode", "fixed", &err), MR_OK);
    assert_int_equal(set(&f, "tag", "a", &err), MR_OK);
    assert_int_equal(set(&f, "tag", "b", &err), MR_OK);
    mr_assert_near(f.pump.supply_c, 45, 1e-15, 0);
    mr_assert_near(f.pump.flow_m3_s, 0.01, 1e-15, 0);
    assert_int_equal(f.pump.n_unit, 16);
    assert_true(f.pump.has_ups);
    assert_string_equal(f.pump.name, "north");
    assert_int_equal(f.pump.mode, 0);
    assert_int_equal(f.pump.tags.n, 2);
    assert_string_equal(f.pump.tags.item[1], "b");
    assert_int_equal(mr_param_complete(&f.target, MR_NOWHERE, &err), MR_OK);
    end(&f);
}

MR_TEST(messages_name_place_value_and_cure)
{
    static const struct {
        const char *name, *value;
        mr_status status;
        const char *text;
    } cases[] = {
        {"suply", "45 degC", MR_SCHEMA,
         "pump \"P1\": unknown parameter \"suply\" (did you mean \"supply\"?)"},
        {"supply", "200 degC", MR_RANGE,
         "pump \"P1\": supply \"200 degC\": out of range: 5 degC .. 80 degC"},
        {"supply", "45", MR_UNIT, "pump \"P1\": supply \"45\": "},
        {"units", "0", MR_RANGE, "pump \"P1\": units \"0\": out of range: 1 .. 16"},
        {"units", "-1", MR_PARSE, "pump \"P1\": units \"-1\": not a whole number"},
        {"units", "2.5", MR_PARSE, "pump \"P1\": units \"2.5\": not a whole number"},
        {"units", "99999999999999999999", MR_RANGE, "out of range: 1 .. 16"},
        {"ups", "maybe", MR_RANGE, "pump \"P1\": ups \"maybe\": neither yes nor no"},
        {"mode", "fixd", MR_RANGE,
         "pump \"P1\": mode \"fixd\": not one of fixed, variable (did you mean \"fixed\"?)"},
    };
    struct fixture f;
    begin(&f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_err err = {0};
        assert_int_equal(set(&f, cases[i].name, cases[i].value, &err), cases[i].status);
        mr_assert_contains(err.text, cases[i].text);
        assert_string_equal(err.file, "a.xml");
        assert_int_equal(err.line, 3);
    }
    assert_true(f.pump.supply_c == 45); /* a refused value changes nothing */
    assert_int_equal(f.pump.n_unit, 2);
    end(&f);
}

MR_TEST(twice_is_an_error_overriding_is_not)
{
    struct fixture f;
    struct mr_err err = {0}, none = {0};
    begin(&f);
    assert_int_equal(set(&f, "units", "3", &none), MR_OK);
    assert_int_equal(set(&f, "units", "4", &err), MR_SCHEMA);
    mr_assert_contains(err.text, "given twice");
    assert_int_equal(mr_param_set(&f.target, MR_STR("units"), MR_STR("5"), MR_PARAM_OVERRIDDEN,
                                  MR_NOWHERE, &none),
                     MR_OK);
    assert_int_equal(f.pump.n_unit, 5);
    assert_int_equal(f.origin[2], MR_PARAM_OVERRIDDEN);
    end(&f);
}

MR_TEST(what_must_be_given_is_missed)
{
    struct fixture f;
    struct mr_err err = {0};
    begin(&f);
    assert_int_equal(mr_param_complete(&f.target, MR_NOWHERE, &err), MR_SCHEMA);
    assert_string_equal(err.text, "pump \"P1\": \"flow\" is missing: Design flow of one unit");
    end(&f);
}

MR_TEST(values_written_read_back_to_the_same_bits)
{
    struct fixture f, g;
    begin(&f);
    struct mr_err err = {0};
    assert_int_equal(set(&f, "supply", "44.30000000000001 degC", &err), MR_OK);
    assert_int_equal(set(&f, "flow", "0.1234567890123 L/min", &err), MR_OK);
    assert_int_equal(set(&f, "name", "x y", &err), MR_OK);
    begin(&g);
    for (size_t i = 0; i < table.n; i++) {
        struct mr_buf text = {0};
        mr_param_value(&rows[i], &f.pump, &text);
        if (text.n > 0)
            assert_int_equal(set(&g, rows[i].name, text.text, &err), MR_OK);
        mr_buf_fini(&text);
    }
    assert_memory_equal(&f.pump.supply_c, &g.pump.supply_c, sizeof(double));
    assert_memory_equal(&f.pump.flow_m3_s, &g.pump.flow_m3_s, sizeof(double));
    assert_int_equal(f.pump.n_unit, g.pump.n_unit);
    assert_string_equal(f.pump.name, g.pump.name);
    mr_param_fini(&f.target);
    mr_arena_fini(&f.texts);
    end(&g);
}

MR_TEST(reference_page_and_schema)
{
    struct mr_buf out = {0};
    mr_param_print_md(&table, &out);
    mr_assert_contains(out.text, "## pump\n\nA pump group.\n");
    mr_assert_contains(
        out.text,
        "| `supply` | temperature | 45 degC | 5 degC .. 80 degC | Set point of the water |");
    mr_assert_contains(out.text, "| `flow` | volume flow | must be given | >= 0 ");
    mr_assert_contains(out.text, "| `name` | text | none |  | What people call it |");
    mr_assert_contains(out.text, "one of fixed, variable");
    mr_buf_clear(&out);
    mr_param_print_rng(&table, 2, &out);
    mr_assert_contains(out.text,
                       "  <optional><attribute name=\"supply\"><text/></attribute></optional>\n");
    mr_assert_contains(out.text, "  <attribute name=\"flow\"><text/></attribute>\n");
    mr_assert_contains(out.text, "<choice><value>fixed</value><value>variable</value></choice>");
    mr_buf_fini(&out);
}

static mr_status fill(void *context, struct mr_err *err)
{
    struct fixture f;
    (void)context;
    begin(&f);
    mr_status st = set(&f, "name", "north", err);
    for (int i = 0; i < 40 && st == MR_OK; i++)
        st = set(&f, "tag", "word", err);
    mr_param_fini(&f.target);
    mr_arena_fini(&f.texts);
    return st;
}

MR_TEST(every_failing_allocation)
{
    mr_test_every_nomem(fill, NULL);
}

MR_TEST_MAIN(MR_TEST_ENTRY(defaults_fill_every_field), MR_TEST_ENTRY(settings_of_every_kind),
             MR_TEST_ENTRY(messages_name_place_value_and_cure),
             MR_TEST_ENTRY(twice_is_an_error_overriding_is_not),
             MR_TEST_ENTRY(what_must_be_given_is_missed),
             MR_TEST_ENTRY(values_written_read_back_to_the_same_bits),
             MR_TEST_ENTRY(reference_page_and_schema), MR_TEST_ENTRY(every_failing_allocation))
