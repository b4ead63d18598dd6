/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a layout. Held: either there are errors, each with a text on one line and those of
 * the layout itself with a place, or a site whose invariants hold. One reader serves all inputs, so
 * that what one layout leaves behind meets the next. Layouts whose counts multiply to much are
 * passed over unless they must be refused: expanding them is only slow. */
#include "engine/base/num.h"
#include "engine/base/xml.h"
#include "platforms/layout.h"
#include "tests/platforms/layout_holds.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* of libxml2: where it prints what no structured handler takes */
void xmlSetGenericErrorFunc(void *context, void (*handler)(void *context, const char *fmt, ...));

static const double most = 2000, absurd = 1e9; /* product of all counts */

static void fail(const char *what)
{
    fprintf(stderr, "layout: %s\n", what);
    abort();
}

static void on_print(void *context, const char *fmt, ...)
{
    (void)context;
    (void)fmt;
    fail("libxml2 printed");
}

static bool is_slow(struct mr_str text)
{
    struct mr_xml_doc *doc = NULL;
    struct mr_err err = {0};
    double product = 1;
    if (mr_xml_load_text("fuzz.xml", text, NULL, &doc, &err) != MR_OK)
        return false;
    for (const struct mr_xml_node *n = mr_xml_root(doc); n != NULL;
         n = mr_xml_walk(mr_xml_root(doc), n)) {
        uint64_t count;
        const char *value = mr_xml_value(n, "count");
        if (value != NULL && mr_num_parse_u64(mr_str_trim(mr_str_of(value)), &count) == MR_OK &&
            count > 0)
            product *= (double)count;
    }
    mr_xml_destroy(doc);
    return product > most && product < absurd;
}

static void check_errors(const struct mr_diags *diags)
{
    if (diags->n_error == 0 || diags->first_error == MR_OK)
        fail("no site and no error");
    for (size_t i = 0; i < diags->n_item; i++) {
        const struct mr_err *err = &diags->item[i].err;
        if (err->text[0] == '\0' || strchr(err->text, '\n') != NULL)
            fail("an error has no text on one line");
        if (err->line < 1 || err->col < 1)
            fail("an error has no place");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mr_layout_reader *reader;
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    struct mr_site *site = NULL;
    const struct mr_str text = {(const char *)data, size};
    xmlSetGenericErrorFunc(NULL, on_print);
    if (reader == NULL && mr_layout_reader_create(&reader, &err) != MR_OK)
        fail(err.text);
    if (is_slow(text))
        return 0;
    const mr_status st = mr_layout_read(reader, "fuzz.xml", text, &site, &diags);
    if ((st == MR_OK) != (site != NULL))
        fail("a site and an error, or neither");
    if (site == NULL) {
        check_errors(&diags);
        return 0;
    }
    const char *broken = layout_holds(site);
    if (broken != NULL)
        fail(broken);
    mr_site_destroy(site);
    return 0;
}
