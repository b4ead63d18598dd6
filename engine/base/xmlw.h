/* SPDX-License-Identifier: Apache-2.0 */
/* XML writer onto a growing buffer. Escapes and indentation are its business; nesting is asserted.
 * Text and attribute values must be UTF-8. Look at the buffer's status once at the end. */
#ifndef MR_ENGINE_BASE_XMLW_H
#define MR_ENGINE_BASE_XMLW_H

#include "engine/base/num.h"

enum {
    mr_xmlw_depth_max = 256
};

struct mr_xmlw {
    struct mr_buf *buf; /* lent */
    int indent;         /* spaces per level; 0: everything on one line */
    int depth;
    bool is_tag_open;                    /* "<name a=..." still takes attributes */
    const char *name[mr_xmlw_depth_max]; /* open elements; names are lent until closed */
    bool has_child[mr_xmlw_depth_max];
};

void mr_xmlw_init(struct mr_xmlw *w, struct mr_buf *buf, int indent);

/** <?xml ...?> and, unless `root` is NULL, <!DOCTYPE root ...>. NULL identifiers are left out. */
void mr_xmlw_prolog(struct mr_xmlw *w, const char *root, const char *public_id,
                    const char *system_id);

void mr_xmlw_open(struct mr_xmlw *w, const char *name);
void mr_xmlw_attr(struct mr_xmlw *w, const char *name, const char *value);
void mr_xmlw_attr_str(struct mr_xmlw *w, const char *name, struct mr_str value);
void mr_xmlw_attr_printf(struct mr_xmlw *w, const char *name, const char *fmt, ...) MR_PRINTF(3, 4);

static inline void mr_xmlw_attr_u64(struct mr_xmlw *w, const char *name, uint64_t value)
{
    char text[MR_NUM_CAP];
    const size_t n = mr_num_format_u64(value, text);
    mr_xmlw_attr_str(w, name, (struct mr_str){text, n});
}

/** Shortest text that reads back to the same double. */
static inline void mr_xmlw_attr_f64(struct mr_xmlw *w, const char *name, double value)
{
    char text[MR_NUM_CAP];
    const size_t n = mr_num_format_f64(value, text);
    mr_xmlw_attr_str(w, name, (struct mr_str){text, n});
}

void mr_xmlw_text(struct mr_xmlw *w, struct mr_str text);

/** On a line of its own; "--" is written "- -". */
void mr_xmlw_comment(struct mr_xmlw *w, const char *text);

/** Close the innermost element, which must have this name. */
void mr_xmlw_close(struct mr_xmlw *w, const char *name);

/** Everything must be closed; ends the last line. */
void mr_xmlw_end(struct mr_xmlw *w);

#endif
