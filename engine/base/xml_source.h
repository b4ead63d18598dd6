/* SPDX-License-Identifier: Apache-2.0 */
/* The text of one XML file while it is read: loading, the checks that come before parsing, and
 * the way from byte offsets to line and column. Internal to the xml pairs. */
#ifndef MR_ENGINE_BASE_XML_SOURCE_H
#define MR_ENGINE_BASE_XML_SOURCE_H

#include "engine/base/text.h"

/* Zero-initialize. */
struct mr_xml_source {
    const char *file;       /* lent */
    char *memory;           /* owned: the whole file, terminated */
    char *text;             /* behind a byte order mark */
    size_t n;               /* bytes of text */
    uint64_t device, inode; /* identity of the file; 0, 0 for text from memory */
    size_t at, line_start;  /* cursor of mr_xml_source_place */
    int line;
};

/* One attribute as it stands in the text: offsets of its name and of the value between quotes. */
struct mr_xml_span {
    size_t name, name_end, value, value_end;
};

/** Read a file of at most limit_bytes. `file` is lent. @return MR_OK, MR_IO, MR_LIMIT, MR_NOMEM */
MR_CHECKED mr_status mr_xml_source_read(struct mr_xml_source *source, const char *file,
                                        size_t limit_bytes, struct mr_err *err);
MR_CHECKED mr_status mr_xml_source_copy(struct mr_xml_source *source, const char *file,
                                        struct mr_str text, size_t limit_bytes, struct mr_err *err);
void mr_xml_source_fini(struct mr_xml_source *source);

/** Encoding, NUL bytes and the number of attributes: what must be known before parsing. Skips a
 *  byte order mark. */
MR_CHECKED mr_status mr_xml_source_check(struct mr_xml_source *source, struct mr_err *err);

/** Place of an offset. Offsets must not decrease from call to call: an earlier one gives the place
 *  of the last. */
struct mr_place mr_xml_source_place(struct mr_xml_source *source, size_t offset);

/** Offset of the last `c` before `end`, or 0. */
size_t mr_xml_source_before(const struct mr_xml_source *source, size_t end, char c);

/** End of the name that starts at the offset. */
size_t mr_xml_source_name_end(const struct mr_xml_source *source, size_t offset);

/** The attribute that starts at or after the offset, inside a well-formed tag.
 *  @return false at the end of the tag */
bool mr_xml_source_attribute(const struct mr_xml_source *source, size_t offset,
                             struct mr_xml_span *span);

#endif
