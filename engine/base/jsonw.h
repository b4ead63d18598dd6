/* SPDX-License-Identifier: Apache-2.0 */
/* JSON writer onto a growing buffer. Commas and escapes are its business; nesting is asserted.
 * Doubles are written shortest round-trip, NaN and infinities as null; text that is not UTF-8 has
 * its bad bytes replaced by U+FFFD. */
#ifndef MR_ENGINE_BASE_JSONW_H
#define MR_ENGINE_BASE_JSONW_H

#include "engine/base/text.h"

enum {
    mr_jsonw_depth_max = 64
};

struct mr_jsonw {
    struct mr_buf *buf; /* lent */
    int indent;         /* spaces per level; 0: everything on one line */
    int depth;
    bool is_array[mr_jsonw_depth_max], has_item[mr_jsonw_depth_max], after_key;
};

void mr_jsonw_init(struct mr_jsonw *w, struct mr_buf *buf, int indent);

void mr_jsonw_object(struct mr_jsonw *w); /* { */
void mr_jsonw_array(struct mr_jsonw *w);  /* [ */
void mr_jsonw_end(struct mr_jsonw *w);    /* closes the innermost } or ] */
void mr_jsonw_key(struct mr_jsonw *w, const char *key);

void mr_jsonw_str(struct mr_jsonw *w, struct mr_str s);
void mr_jsonw_text(struct mr_jsonw *w, const char *text); /* NULL gives null */
void mr_jsonw_f64(struct mr_jsonw *w, double value);
void mr_jsonw_u64(struct mr_jsonw *w, uint64_t value);
void mr_jsonw_i64(struct mr_jsonw *w, int64_t value);
void mr_jsonw_bool(struct mr_jsonw *w, bool value);
void mr_jsonw_null(struct mr_jsonw *w);

/* "key": value in one call */
void mr_jsonw_key_text(struct mr_jsonw *w, const char *key, const char *text);
void mr_jsonw_key_f64(struct mr_jsonw *w, const char *key, double value);
void mr_jsonw_key_u64(struct mr_jsonw *w, const char *key, uint64_t value);
void mr_jsonw_key_bool(struct mr_jsonw *w, const char *key, bool value);

struct mr_jsonw_figure {
    const char *key;
    double value;
};

/** "key": {an object of n figures, in order} */
void mr_jsonw_key_figures(struct mr_jsonw *w, const char *key, const struct mr_jsonw_figure *figure,
                          size_t n);

#endif
