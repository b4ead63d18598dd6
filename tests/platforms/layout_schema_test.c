/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar of layouts (platforms/schema/layout.rng) and the tables that read them have the same
 * elements, attributes, words to choose from and opinion on what may be left out. */
#include "engine/base/mem.h"
#include "engine/base/xml.h"
#include "platforms/layout.h"
#include "tests/test.h"

enum {
    rng_max = 64
};

struct rng_attributes {
    const struct mr_xml_node *node[rng_max]; /* <attribute> */
    bool is_optional[rng_max];
    size_t n;
};

static bool has_elements(const struct mr_xml_node *top)
{
    for (const struct mr_xml_node *n = top; n != NULL; n = mr_xml_walk(top, n))
        if (strcmp(n->name, "element") == 0)
            return true;
    return false;
}

static const struct mr_xml_node *define_of(const struct mr_xml_node *grammar, const char *name)
{
    for (const struct mr_xml_node *n = mr_xml_child(grammar, "define"); n != NULL;
         n = mr_xml_next(n, "define"))
        if (strcmp(mr_xml_value(n, "name"), name) == 0)
            return n;
    fail_msg("no <define name=\"%s\">", name);
    return NULL;
}

/* Attributes of an <element>, not those of the elements in it. */
static void gather(const struct mr_xml_node *grammar, const struct mr_xml_node *top,
                   bool is_optional, struct rng_attributes *out)
{
    for (const struct mr_xml_node *n = top->child; n != NULL; n = n->next) {
        if (strcmp(n->name, "attribute") == 0) {
            assert_true(out->n < rng_max);
            out->is_optional[out->n] = is_optional;
            out->node[out->n++] = n;
        } else if (strcmp(n->name, "ref") == 0) {
            const struct mr_xml_node *define = define_of(grammar, mr_xml_value(n, "name"));
            if (!has_elements(define))
                gather(grammar, define, is_optional, out);
        } else if (strcmp(n->name, "element") != 0) {
            gather(grammar, n, is_optional || strcmp(n->name, "optional") == 0, out);
        }
    }
}

static const struct mr_param_table *table_of(const char *element, bool *is_kind)
{
    const struct mr_param_table *table;
    const char *name;
    *is_kind = false;
    for (int kind = 0; kind < MR_SITE_N_POWER_KIND; kind++)
        *is_kind |= strcmp(mr_site_power_kind_name(kind), element) == 0;
    if (*is_kind)
        element = "node";
    for (size_t i = 0; (table = mr_layout_table(i, &name)) != NULL; i++)
        if (strcmp(name, element) == 0)
            return table;
    fail_msg("the grammar has an element <%s>, the tables have not", element);
    return NULL;
}

static void compare_choices(const char *element, const struct mr_param *row,
                            const struct mr_xml_node *attribute)
{
    size_t n = 0;
    for (const struct mr_xml_node *v = attribute; v != NULL; v = mr_xml_walk(attribute, v)) {
        if (strcmp(v->name, "value") != 0)
            continue;
        if (n >= row->n_choice || strcmp(v->text, row->choices[n]) != 0)
            fail_msg("<%s %s>: the grammar's value \"%s\" is not the table's", element, row->name,
                     v->text);
        n++;
    }
    assert_int_equal(n, row->n_choice);
}

static void compare_element(const struct mr_xml_node *grammar, const struct mr_xml_node *element)
{
    bool is_kind;
    struct rng_attributes rng = {.n = 0};
    const char *name = mr_xml_value(element, "name");
    const struct mr_param_table *table = table_of(name, &is_kind);
    gather(grammar, element, false, &rng);
    for (size_t i = 0; i < rng.n; i++) {
        const char *attribute = mr_xml_value(rng.node[i], "name");
        const size_t r = mr_param_find(table, mr_str_of(attribute));
        if (r == table->n)
            fail_msg("<%s>: the table has no attribute \"%s\"", name, attribute);
        const struct mr_param *row = &table->row[r];
        if (row->kind != MR_PARAM_TEXT && rng.is_optional[i] != (row->fallback != NULL))
            fail_msg("<%s %s>: grammar and table differ about being optional", name, attribute);
        compare_choices(name, row, rng.node[i]);
    }
    for (size_t r = 0; r < table->n; r++) {
        size_t n = 0;
        for (size_t i = 0; i < rng.n; i++)
            n += strcmp(mr_xml_value(rng.node[i], "name"), table->row[r].name) == 0;
        if (n != (is_kind && strcmp(table->row[r].name, "kind") == 0 ? 0 : 1))
            fail_msg("<%s>: the grammar has the attribute \"%s\" %zu times", name,
                     table->row[r].name, n);
    }
}

MR_TEST(tables_and_grammar_agree)
{
    struct mr_xml_doc *doc;
    struct mr_err err = {0};
    const char *name;
    size_t n_kind = 0;
    assert_int_equal(mr_xml_load(MR_SOURCE_DIR "/platforms/schema/layout.rng", NULL, &doc, &err),
                     MR_OK);
    const struct mr_xml_node *grammar = mr_xml_root(doc);
    for (const struct mr_xml_node *n = grammar; n != NULL; n = mr_xml_walk(grammar, n))
        if (strcmp(n->name, "element") == 0) {
            bool is_kind;
            compare_element(grammar, n);
            (void)table_of(mr_xml_value(n, "name"), &is_kind);
            n_kind += is_kind;
        }
    assert_int_equal(n_kind, MR_SITE_N_POWER_KIND);
    for (size_t i = 0; mr_layout_table(i, &name) != NULL; i++) {
        bool is_found = false;
        for (const struct mr_xml_node *n = grammar; n != NULL; n = mr_xml_walk(grammar, n))
            is_found |=
                strcmp(n->name, "element") == 0 && strcmp(mr_xml_value(n, "name"), name) == 0;
        if (!is_found)
            fail_msg("the tables have an element <%s>, the grammar has not", name);
    }
    mr_xml_destroy(doc);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(tables_and_grammar_agree))
