/* SPDX-License-Identifier: Apache-2.0 */
/* Elements and attributes know their line and column, which lead back into the text: a value is
 * replaced between its quotes, an attribute put behind its element's name, an element in front of
 * the root's first child. Every change reads the text anew, for the one before has moved things. */
#include "platforms/layout_change.h"

#include "engine/base/num.h"
#include "engine/base/xml.h"
#include "platforms/layout.h"

#include <stdio.h>

enum {
    name_max = 40
};

/* One change on its way. */
struct place {
    const char *file, *path;
    const char *attribute;
    const struct mr_xml_node *root, *node; /* node NULL: `missing` is to be made */
    char missing[name_max];
};

static mr_status refuse(const struct place *p, mr_status st, struct mr_err *err, const char *what,
                        struct mr_str name, const char *hint)
{
    char quoted[MR_QUOTE_CAP], path[MR_QUOTE_CAP];
    return mr_err_set(err, st, (struct mr_place){p->file, 0, 0}, "layout/%s: %s \"%s\"%s",
                      mr_text_quote(mr_str_of(p->path), path), what, mr_text_quote(name, quoted),
                      hint);
}

/* ---- from a path to a place ---- */

/* "rack[1]" to its name and number; none: -1. */
static bool split_step(struct mr_str step, struct mr_str *name, long *number)
{
    const char *open = memchr(step.p, '[', step.n);
    uint64_t n = 0;
    *number = -1;
    *name = step;
    if (open == NULL)
        return step.n > 0;
    const size_t at = (size_t)(open - step.p);
    *name = (struct mr_str){step.p, at};
    const struct mr_str inside = {open + 1, step.n - at - 2};
    if (step.n < at + 3 || step.p[step.n - 1] != ']' || mr_num_parse_u64(inside, &n) != MR_OK ||
        n > 1000000)
        return false;
    *number = (long)n;
    return at > 0;
}

static bool may_be_made(struct mr_str name)
{
    static const char *const names[] = {"grid", "provision", "power", "cooling", "fabric"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (mr_str_is(name, names[i]))
            return true;
    return false;
}

static mr_status not_found(const struct place *p, struct mr_str name, long number,
                           struct mr_err *err)
{
    const char *names[64];
    char hint[96] = "";
    size_t n = 0, n_same = 0;
    for (const struct mr_xml_node *c = p->node->child; c != NULL; c = c->next) {
        n_same += mr_str_is(name, c->name);
        if (n < sizeof names / sizeof *names)
            names[n++] = c->name;
    }
    if (n_same == 0)
        mr_text_hint(name, names, n, hint, sizeof hint);
    else if (number >= 0)
        snprintf(hint, sizeof hint, ": there are %zu, numbered from 0 on", n_same);
    return refuse(p, MR_REF, err, "there is no such element here:", name, hint);
}

/* One element further down. */
static mr_status descend(struct place *p, struct mr_str step, bool is_last, struct mr_err *err)
{
    const struct mr_xml_node *found = NULL;
    struct mr_str name;
    size_t n = 0;
    long number;
    if (!split_step(step, &name, &number))
        return refuse(p, MR_PARSE, err, "not an element, as in rack or rack[1]:", step, "");
    for (const struct mr_xml_node *c = p->node->child; c != NULL; c = c->next) {
        if (!mr_str_is(name, c->name))
            continue;
        if (number < 0 || (size_t)number == n)
            found = c;
        n++;
    }
    if (found == NULL && p->node == p->root && is_last && number < 0 && may_be_made(name)) {
        p->node = NULL;
        snprintf(p->missing, sizeof p->missing, "%.*s", (int)name.n, name.p);
        return MR_OK;
    }
    if (found == NULL)
        return not_found(p, name, number, err);
    if (n > 1 && number < 0) {
        char hint[96];
        snprintf(hint, sizeof hint, ": which of the %zu? say %.*s[0] to [%zu]", n,
                 name.n < name_max ? (int)name.n : name_max, name.p, n - 1);
        return refuse(p, MR_REF, err, "several elements", name, hint);
    }
    p->node = found;
    return MR_OK;
}

static mr_status walk(struct place *p, struct mr_err *err)
{
    const char *last = strrchr(p->path, '/');
    p->node = p->root;
    p->attribute = last != NULL ? last + 1 : p->path;
    if (p->attribute[0] == '\0' || strcspn(p->attribute, " =\"'<>&") != strlen(p->attribute))
        return refuse(p, MR_PARSE, err, "not an attribute:", mr_str_of(p->attribute), "");
    for (const char *from = p->path; last != NULL && from <= last;) {
        const char *slash = strchr(from, '/');
        MR_TRY(descend(p, (struct mr_str){from, (size_t)(slash - from)}, slash == last, err));
        from = slash + 1;
    }
    return MR_OK;
}

static mr_status load(struct place *p, struct mr_str text, struct mr_xml_doc **doc,
                      struct mr_err *err)
{
    MR_TRY(mr_xml_load_text(p->file, text, NULL, doc, err));
    p->root = mr_xml_root(*doc);
    if (strcmp(p->root->name, "layout") == 0)
        return walk(p, err);
    return refuse(p, MR_SCHEMA, err, "the site is no layout, its root is", mr_str_of(p->root->name),
                  "");
}

/* ---- in the text ---- */

static size_t offset_of(struct mr_str text, int line, int col)
{
    size_t at = text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    for (int i = 1; i < line; i++)
        at += strcspn(text.p + at, "\n") + 1;
    return at + (size_t)col - 1;
}

static void put_attribute(const char *name, struct mr_str value, struct mr_buf *out)
{
    mr_buf_printf(out, " %s=\"", name);
    mr_buf_xml(out, value);
    mr_buf_char(out, '"');
}

/* @param[in] first child of the root: an element that is made stands in front of it
 * @param[in] text terminated */
static void change(const struct place *p, const struct mr_xml_node *first, struct mr_str text,
                   struct mr_str value, struct mr_buf *out)
{
    const struct mr_xml_attribute *old =
        p->node != NULL ? mr_xml_attribute(p->node, p->attribute) : NULL;
    size_t to = 0;
    if (old != NULL) {
        size_t from = offset_of(text, old->line, old->col);
        from += strcspn(text.p + from, "\"'");
        const char quote[] = {text.p[from], '\0'};
        to = from + 1 + strcspn(text.p + from + 1, quote) + 1;
        mr_buf_add(out, text.p, from);
        mr_buf_char(out, '"');
        mr_buf_xml(out, value);
        mr_buf_char(out, '"');
    } else if (p->node != NULL) {
        to = offset_of(text, p->node->line, p->node->col) + 1 + strlen(p->node->name);
        mr_buf_add(out, text.p, to);
        put_attribute(p->attribute, value, out);
    } else if (first != NULL) {
        to = offset_of(text, first->line, first->col);
        mr_buf_add(out, text.p, to);
        mr_buf_printf(out, "<%s", p->missing);
        put_attribute(p->attribute, value, out);
        mr_buf_text(out, "/>");
    }
    mr_buf_add(out, text.p + to, text.n - to);
}

static mr_status change_one(const char *name, const struct mr_layout_change *one,
                            struct mr_str text, struct mr_buf *out, struct mr_err *err)
{
    struct place p = {.file = name, .path = one->path};
    struct mr_xml_doc *doc = NULL;
    mr_status st = load(&p, text, &doc, err);
    const struct mr_xml_node *first = st == MR_OK ? p.root->child : NULL;
    if (st == MR_OK && p.node == NULL && first == NULL)
        st = refuse(&p, MR_REF, err, "the layout is empty:", mr_str_of(name), "");
    if (st == MR_OK) {
        change(&p, first, text, mr_str_of(one->value), out);
        st = mr_buf_check(out, err);
    }
    mr_xml_destroy(doc);
    return st;
}

mr_status mr_layout_change_text(const char *name, struct mr_str text,
                                const struct mr_layout_change *changes, size_t n,
                                struct mr_buf *out, struct mr_err *err)
{
    struct mr_buf other = {0};
    mr_buf_clear(out);
    mr_buf_add(out, text.p, text.n);
    mr_status st = mr_buf_check(out, err);
    for (size_t i = 0; i < n && st == MR_OK; i++) {
        mr_buf_clear(&other);
        st = change_one(name, &changes[i], (struct mr_str){out->text, out->n}, &other, err);
        const struct mr_buf swap = *out;
        *out = other;
        other = swap;
    }
    mr_buf_fini(&other);
    return st;
}
