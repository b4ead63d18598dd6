/* SPDX-License-Identifier: Apache-2.0 */
/* A layout as one text however it is spelled: no comments, attributes by name, values as their
 * kinds write them ("20000 kW" is "20 MW"), and those of the top's elements first that stand
 * alone, for where they are put says nothing. What is not said stays so: what a layout decides
 * where nothing is said may differ from any value. */
#include "platforms/layout_text.h"

#include "engine/base/mem.h"
#include "engine/base/xml.h"
#include "platforms/layout_impl.h"

#include <stddef.h>
#include <string.h>

static const struct mr_param_table *table_of(const char *element)
{
    const struct mr_param_table *table;
    const char *name;
    for (size_t i = 0; (table = mr_layout_table(i, &name)) != NULL; i++)
        if (strcmp(name, element) == 0)
            return table;
    return mr_layout_table(MR_LAYOUT_NODE, &name); /* named by its kind */
}

enum {
    object_bytes = 1 << 12,
    row_max = 64
};

/* Bytes of an object of the table, no more than the scratch has? */
static bool fits(const struct mr_param_table *table)
{
    for (size_t i = 0; i < table->n; i++)
        if (table->row[i].offset + sizeof(struct mr_param_list) > object_bytes)
            return false;
    return table->n <= row_max;
}

/* The value of a mistake is the text. */
static void put_value(const struct mr_param_table *table, const struct mr_xml_attribute *attribute,
                      struct mr_buf *out)
{
    _Alignas(max_align_t) unsigned char object[object_bytes];
    uint8_t origin[row_max] = {0};
    struct mr_err ignored = {0};
    const struct mr_str name = mr_str_of(attribute->name);
    const struct mr_param_target target = {table, object, origin, NULL, ""};
    if (!fits(table) || mr_param_find(table, name) == table->n) {
        mr_buf_text(out, attribute->value);
        return;
    }
    memset(object, 0, sizeof object);
    mr_param_defaults(&target);
    if (mr_param_set(&target, name, mr_str_of(attribute->value), MR_PARAM_GIVEN, MR_NOWHERE,
                     &ignored) == MR_OK)
        mr_param_value(&table->row[mr_param_find(table, name)], object, out);
    else
        mr_buf_text(out, attribute->value);
    mr_param_fini(&target);
}

static bool is_plain(const char *name)
{
    return strcmp(name, "xmlns") != 0 && strchr(name, ':') == NULL;
}

static void put_attributes(const struct mr_xml_node *node, struct mr_buf *out)
{
    const struct mr_param_table *table = table_of(node->name);
    const char *last = "";
    for (uint32_t n = 0; n < node->n_attribute; n++) {
        const struct mr_xml_attribute *next = NULL; /* names are there once each */
        for (uint32_t i = 0; i < node->n_attribute; i++) {
            const struct mr_xml_attribute *a = &node->attribute[i];
            if (is_plain(a->name) && strcmp(a->name, last) > 0 &&
                (next == NULL || strcmp(a->name, next->name) < 0))
                next = a;
        }
        if (next == NULL)
            return;
        mr_buf_printf(out, " %s=\"", next->name);
        put_value(table, next, out);
        mr_buf_char(out, '"');
        last = next->name;
    }
}

static void put(const struct mr_xml_node *node, struct mr_buf *out)
{
    mr_buf_printf(out, "<%s", node->name);
    put_attributes(node, out);
    mr_buf_printf(out, ">%s", node->text);
    for (const struct mr_xml_node *c = node->child; c != NULL; c = c->next)
        put(c, out);
    mr_buf_text(out, "</>\n");
}

static void put_top(const struct mr_xml_node *top, struct mr_buf *out)
{
    static const char *const alone[] = {"grid", "provision", "power", "cooling", "fabric"};
    enum {
        n_alone = sizeof alone / sizeof *alone
    };
    mr_buf_printf(out, "<%s", top->name);
    put_attributes(top, out);
    mr_buf_printf(out, ">%s\n", top->text);
    for (size_t i = 0; i <= n_alone; i++) /* the others last */
        for (const struct mr_xml_node *c = top->child; c != NULL; c = c->next) {
            size_t k = 0;
            while (k < n_alone && strcmp(c->name, alone[k]) != 0)
                k++;
            if (k == i)
                put(c, out);
        }
}

mr_status mr_layout_text(const char *name, struct mr_str text, bool *is_layout, struct mr_buf *out,
                         struct mr_err *err)
{
    struct mr_xml_doc *doc = NULL;
    *is_layout = false;
    MR_TRY(mr_xml_load_text(name, text, NULL, &doc, err));
    *is_layout = strcmp(mr_xml_root(doc)->name, "layout") == 0;
    if (*is_layout)
        put_top(mr_xml_root(doc), out);
    mr_xml_destroy(doc);
    return mr_buf_check(out, err);
}
