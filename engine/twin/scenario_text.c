/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios as text: the effective one, and the grammar of all of them, both out of the tables. */
#include "engine/base/xml_schema.h"
#include "engine/twin/scenario_impl.h"

/* ---- the effective one ---- */

static void write_element(const struct mr_param_table *table, const void *object, const char *end,
                          struct mr_buf *out)
{
    struct mr_buf value = {0};
    mr_buf_printf(out, "<%s", table->name);
    for (size_t i = 0; i < table->n; i++) {
        value.n = 0;
        mr_param_value(&table->row[i], object, &value);
        if (value.n == 0)
            continue;
        mr_buf_printf(out, " %s=\"", table->row[i].name);
        for (size_t k = 0; k < value.n; k++) {
            const char c = value.text[k];
            mr_buf_text(out, c == '&'   ? "&amp;"
                             : c == '<' ? "&lt;"
                             : c == '"' ? "&quot;"
                                        : (const char[]){c, '\0'});
        }
        mr_buf_char(out, '"');
    }
    mr_buf_text(out, end);
    if (value.status != MR_OK)
        out->status = value.status;
    mr_buf_fini(&value);
}

void mr_scenario_write(const struct mr_scenario *scenario, struct mr_buf *out)
{
    mr_buf_text(out, "<?xml version=\"1.0\"?>\n");
    write_element(&mr_scenario_top_table, &scenario->top, ">\n", out);
    for (int k = 0; k < MR_SCENARIO_PARTS; k++) {
        const struct mr_scenario_part own = mr_scenario_part(k), *part = &own;
        const char *object = (const char *)scenario + part->offset;
        const size_t n =
            part->n_offset != 0
                ? *(const size_t *)(const void *)((const char *)scenario + part->n_offset)
                : (size_t)mr_scenario_has(scenario, k);
        for (size_t i = 0; i < n; i++) {
            mr_buf_char(out, ' ');
            write_element(part->table, object + i * part->item_bytes, "/>\n", out);
        }
    }
    mr_buf_text(out, "</scenario>\n");
}

/* ---- the grammar ---- */

void mr_scenario_print_rng(struct mr_buf *out)
{
    mr_buf_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                     "<!-- Scenarios. Units, bounds and what must fit together are checked by the "
                     "reader. -->\n"
                     "<grammar xmlns=\"http://relaxng.org/ns/structure/1.0\">\n"
                     " <start><ref name=\"scenario\"/></start>\n\n"
                     " <define name=\"scenario\">\n  <element name=\"scenario\">\n");
    mr_param_print_rng(&mr_scenario_top_table, 3, out);
    mr_buf_text(out, "   <interleave>\n");
    for (int k = 0; k < MR_SCENARIO_PARTS; k++) {
        const struct mr_scenario_part own = mr_scenario_part(k), *part = &own;
        const char *often = part->n_offset != 0 ? "zeroOrMore" : "optional";
        mr_buf_printf(out, "    <%s><ref name=\"%s\"/></%s>\n", often, part->table->name, often);
    }
    mr_buf_text(out, "   </interleave>\n  </element>\n </define>\n");
    for (int k = 0; k < MR_SCENARIO_PARTS; k++) {
        const struct mr_param_table *table = mr_scenario_part(k).table;
        mr_buf_printf(out, "\n <define name=\"%s\">\n  <element name=\"%s\">\n", table->name,
                      table->name);
        mr_param_print_rng(table, 3, out);
        mr_buf_text(out, "   <empty/>\n  </element>\n </define>\n");
    }
    mr_buf_text(out, "</grammar>\n");
}

mr_status mr_scenario_check_grammar(const char *path, struct mr_diags *diags)
{
    struct mr_xml_doc *doc = NULL;
    struct mr_err err = {0};
    mr_status st = mr_xml_load(path, NULL, &doc, &err);
    if (st == MR_OK)
        st = mr_xml_schema_check_by("scenario.rng", mr_scenario_print_rng, doc, diags);
    else
        (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    mr_xml_destroy(doc);
    return st;
}
