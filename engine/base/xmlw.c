/* SPDX-License-Identifier: Apache-2.0 */
/* A start tag stays open until something other than an attribute follows, so that an empty element
 * ends with "/>". */
#include "engine/base/xmlw.h"

#include "engine/base/assert.h"

#include <stdio.h>

void mr_xmlw_init(struct mr_xmlw *w, struct mr_buf *buf, int indent)
{
    w->buf = buf;
    w->indent = indent;
    w->depth = 0;
    w->is_tag_open = false;
}

static void finish_tag(struct mr_xmlw *w)
{
    if (w->is_tag_open)
        mr_buf_char(w->buf, '>');
    w->is_tag_open = false;
}

static void new_line(struct mr_xmlw *w, int depth)
{
    static const char blanks[] = "                                ";
    if (w->indent <= 0 || w->buf->n == 0)
        return;
    if (w->buf->text[w->buf->n - 1] != '\n')
        mr_buf_char(w->buf, '\n');
    size_t left = (size_t)depth * (size_t)w->indent;
    while (left > 0) {
        const size_t n = left < sizeof blanks - 1 ? left : sizeof blanks - 1;
        mr_buf_add(w->buf, blanks, n);
        left -= n;
    }
}

void mr_xmlw_prolog(struct mr_xmlw *w, const char *root, const char *public_id,
                    const char *system_id)
{
    MR_ASSERT(w->depth == 0);
    mr_buf_text(w->buf, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    if (root == NULL)
        return;
    mr_buf_text(w->buf, "<!DOCTYPE ");
    mr_buf_text(w->buf, root);
    if (public_id != NULL) {
        mr_buf_text(w->buf, " PUBLIC \"");
        mr_buf_text(w->buf, public_id);
        mr_buf_char(w->buf, '"');
    }
    if (system_id != NULL) { /* no escapes exist here: take the quote that does not occur */
        const char quote = strchr(system_id, '"') != NULL ? '\'' : '"';
        mr_buf_text(w->buf, public_id != NULL ? " " : " SYSTEM ");
        mr_buf_char(w->buf, quote);
        mr_buf_text(w->buf, system_id);
        mr_buf_char(w->buf, quote);
    }
    mr_buf_text(w->buf, ">\n");
}

void mr_xmlw_open(struct mr_xmlw *w, const char *name)
{
    MR_ASSERT(w->depth < mr_xmlw_depth_max);
    finish_tag(w);
    new_line(w, w->depth);
    if (w->depth > 0)
        w->has_child[w->depth - 1] = true;
    mr_buf_char(w->buf, '<');
    mr_buf_text(w->buf, name);
    w->name[w->depth] = name;
    w->has_child[w->depth] = false;
    w->depth++;
    w->is_tag_open = true;
}

void mr_xmlw_attr_str(struct mr_xmlw *w, const char *name, struct mr_str value)
{
    MR_ASSERT(w->is_tag_open);
    mr_buf_char(w->buf, ' ');
    mr_buf_text(w->buf, name);
    mr_buf_text(w->buf, "=\"");
    mr_buf_xml(w->buf, value);
    mr_buf_char(w->buf, '"');
}

void mr_xmlw_attr(struct mr_xmlw *w, const char *name, const char *value)
{
    mr_xmlw_attr_str(w, name, mr_str_of(value));
}

void mr_xmlw_attr_printf(struct mr_xmlw *w, const char *name, const char *fmt, ...)
{
    va_list args;
    char text[512];
    va_start(args, fmt);
    const int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    MR_ASSERT(n >= 0 && n < (int)sizeof text);
    mr_xmlw_attr_str(w, name, (struct mr_str){text, (size_t)n});
}

void mr_xmlw_text(struct mr_xmlw *w, struct mr_str text)
{
    MR_ASSERT(w->depth > 0);
    finish_tag(w);
    mr_buf_xml(w->buf, text);
}

void mr_xmlw_comment(struct mr_xmlw *w, const char *text)
{
    finish_tag(w);
    new_line(w, w->depth);
    if (w->depth > 0)
        w->has_child[w->depth - 1] = true;
    mr_buf_text(w->buf, "<!-- ");
    for (const char *p = text; *p != '\0'; p++) {
        mr_buf_char(w->buf, *p);
        if (p[0] == '-' && p[1] == '-')
            mr_buf_char(w->buf, ' ');
    }
    mr_buf_text(w->buf, " -->");
}

void mr_xmlw_close(struct mr_xmlw *w, const char *name)
{
    MR_ASSERT(w->depth > 0 && strcmp(w->name[w->depth - 1], name) == 0);
    w->depth--;
    if (w->is_tag_open) {
        mr_buf_text(w->buf, "/>");
        w->is_tag_open = false;
        return;
    }
    if (w->has_child[w->depth])
        new_line(w, w->depth);
    mr_buf_text(w->buf, "</");
    mr_buf_text(w->buf, name);
    mr_buf_char(w->buf, '>');
}

void mr_xmlw_end(struct mr_xmlw *w)
{
    MR_ASSERT(w->depth == 0 && !w->is_tag_open);
    if (w->buf->n > 0 && w->buf->text[w->buf->n - 1] != '\n')
        mr_buf_char(w->buf, '\n');
}
