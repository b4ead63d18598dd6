/* SPDX-License-Identifier: Apache-2.0 */
/* Any text into the platform reader. Held: an error has a text of one line and, inside the text, a
 * place; a site's references are inside its arrays; and a site that a file of ours could hold can
 * be written and read, and from then on stays the same, byte by byte. Includes stay off the disk:
 * texts that name some are left out. */
#include "platforms/emit.h"
#include "platforms/prop.h"
#include "platforms/read.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static bool has(struct mr_str text, const char *part)
{
    const size_t n = strlen(part);
    for (size_t i = 0; i + n <= text.n; i++)
        if (memcmp(text.p + i, part, n) == 0)
            return true;
    return false;
}

static bool is_inside(struct mr_str text, int line, int col)
{
    const char *p = text.p, *const end = text.p + text.n;
    for (int i = 1; i < line; i++) {
        p = memchr(p, '\n', (size_t)(end - p));
        if (p == NULL)
            return false;
        p++;
    }
    return col >= 0 && col - 1 <= end - p;
}

static void check_diags(struct mr_str text, const struct mr_diags *diags)
{
    if (text.n >= 3 && memcmp(text.p, "\xEF\xBB\xBF", 3) == 0)
        text = (struct mr_str){text.p + 3, text.n - 3};
    for (size_t i = 0; i < diags->n_item; i++) {
        const struct mr_err *err = &diags->item[i].err;
        must(err->text[0] != '\0' && strchr(err->text, '\n') == NULL, "one line of text");
        must(is_inside(text, err->line, err->col), "a place inside the text");
    }
}

static bool is_index(uint32_t i, size_t n)
{
    return i == MR_SITE_NONE || i < n;
}

static void check_site(const struct mr_site *site)
{
    must(site->n_host > 0 && site->n_zone > 0, "a host in a zone");
    must(site->n_hall > 0 || site->n_row == 0, "rows stand in halls");
    for (size_t i = 0; i < site->n_rack; i++) {
        const struct mr_rack *it = &site->rack[i];
        must(it->row < site->n_row && it->hall < site->n_hall, "a rack stands in a row of a hall");
        must(it->n_host > 0 && it->first_host + it->n_host <= site->n_host, "hosts of a rack");
        must(it->first_package + it->n_package <= site->n_package, "packages of a rack");
        must(is_index(it->cdu, site->n_cdu) && is_index(it->pod, site->n_pod) &&
                 is_index(it->feed[0], site->n_power) && is_index(it->feed[1], site->n_power) &&
                 is_index(it->uplink, site->n_link),
             "references of a rack");
        must(it->domain == MR_SITE_NONE || it->domain + it->n_domain <= site->n_domain,
             "domains of a rack");
    }
    for (size_t i = 0; i < site->n_power; i++)
        must(is_index(site->power[i].parent[0], site->n_power) &&
                 is_index(site->power[i].parent[1], site->n_power),
             "parents");
    for (size_t i = 0; i < site->n_route; i++)
        must(site->route[i].first_link + site->route[i].n_link <= site->n_route_link,
             "links of a route");
    for (size_t i = 0; i < site->n_host; i++)
        must(is_index(site->host[i].rack, site->n_rack) && site->host[i].zone < site->n_zone &&
                 is_index(site->host[i].uplink, site->n_link),
             "references of a host");
}

/* What the writer is for: zones of our own kinds (platforms/fabric.h) with props of ours. */
static bool is_ours(const struct mr_site *site, struct mr_str text)
{
    static const char *const others[] = {"<cluster", "<cabinet", "<peer",  "<backbone",
                                         "<bypass",  "Wifi",     "Vivaldi"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (has(text, others[i]))
            return false;
    return site->has_props;
}

static void must_read(const struct mr_buf *text, struct mr_site **site)
{
    struct mr_diags diags = {0};
    must(text->status == MR_OK, "written");
    const mr_status st =
        mr_read_site_text("again.xml", (struct mr_str){text->text, text->n}, site, &diags);
    if (st != MR_OK)
        fprintf(stderr, "%s\n%s", diags.item[0].err.text, text->text);
    must(st == MR_OK, "what is written can be read");
}

/* Entities that single props make come in the order of their first mention, in written files in
 * that of the zones: the first writing may sort them, the second changes nothing. */
static void check_written(const struct mr_site *site)
{
    struct mr_site *again = NULL, *third = NULL;
    struct mr_buf text = {0}, text_again = {0}, text_third = {0}, a = {0}, b = {0};
    mr_emit_site(site, &text);
    must_read(&text, &again);
#define SAME_NUMBER(array, type) must(site->n_##array == again->n_##array, "as many: " #array);
    MR_SITE_ENTITY_LIST(SAME_NUMBER)
#undef SAME_NUMBER
    must(site->n_package == again->n_package, "as many packages");
    mr_emit_site(again, &text_again);
    must_read(&text_again, &third);
    mr_site_dump(again, &a);
    mr_site_dump(third, &b);
    mr_emit_site(third, &text_third);
    must(strcmp(a.text, b.text) == 0, "the same site");
    must(strcmp(text_again.text, text_third.text) == 0, "the same text");
    mr_buf_fini(&a);
    mr_buf_fini(&b);
    mr_buf_fini(&text);
    mr_buf_fini(&text_again);
    mr_buf_fini(&text_third);
    mr_site_destroy(again);
    mr_site_destroy(third);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct mr_str text = {(const char *)data, size};
    struct mr_diags diags = {0};
    struct mr_site *site = NULL;
    if (has(text, "XInclude") || has(text, "_file"))
        return 0;
    const mr_status st = mr_read_site_text("fuzz.xml", text, &site, &diags);
    check_diags(text, &diags);
    must((st == MR_OK) == (site != NULL) && (st == MR_OK) == (diags.n_error == 0),
         "a site or an error");
    if (site == NULL)
        return 0;
    check_site(site);
    if (is_ours(site, text))
        check_written(site);
    mr_site_destroy(site);
    return 0;
}
