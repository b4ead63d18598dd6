/* SPDX-License-Identifier: Apache-2.0 */
/* XML as a const tree in which every element and attribute knows its file, line and column.
 * Accepted: UTF-8, predefined entities and character references, a DOCTYPE that only names a DTD
 * (it is never fetched). Refused with a place: declarations inside a DOCTYPE, other encodings,
 * anything not well-formed, and what exceeds the limits below. Comments and processing instructions
 * are dropped. A document belongs to one thread at a time; documents of different threads are
 * independent. libxml2 does the parsing and never shows in this header. */
#ifndef MR_ENGINE_BASE_XML_H
#define MR_ENGINE_BASE_XML_H

#include "engine/base/text.h"

#define MR_XML_LIMIT_BYTES ((size_t)1 << 30)

enum {
    mr_xml_depth_max = 256,     /* elements inside each other, includes counted in */
    mr_xml_attribute_max = 256, /* of one element */
    mr_xml_include_depth_max = 16,
    mr_xml_file_max = 1024 /* file readings of one document, repeated ones counted */
};

struct mr_xml_attribute {
    const char *name, *value; /* name as written, xmlns and xmlns:x included; value decoded */
    int line, col;            /* of the name */
};

/* 64 bytes and 24 per attribute. All strings are terminated and live as long as the document. */
struct mr_xml_node {
    const char *name; /* as written, prefix included */
    const char *text; /* character data outside of the children, trimmed; "" when there is none */
    const char *file;
    const struct mr_xml_node *parent, *child, *next; /* first child, next sibling */
    int line, col;                                   /* of the "<" */
    uint32_t n_child, n_attribute;
    struct mr_xml_attribute attribute[];
};

struct mr_xml_doc;

/* Zero-initialize for the defaults. */
struct mr_xml_options {
    bool xinclude;      /* replace <xi:include href="..."/> by the root of that file */
    size_t limit_bytes; /* of all files together; 0: MR_XML_LIMIT_BYTES */
};

/** Read a file, or text under a name that messages and relative includes use.
 *  @param[in] options NULL: defaults
 *  @param[out] out the document, yours to destroy; untouched on failure
 *  @return MR_OK, MR_IO, MR_PARSE, MR_LIMIT, MR_NOMEM; for a bad xi:include MR_REF or MR_SCHEMA */
MR_CHECKED mr_status mr_xml_load(const char *path, const struct mr_xml_options *options,
                                 struct mr_xml_doc **out, struct mr_err *err);
MR_CHECKED mr_status mr_xml_load_text(const char *name, struct mr_str text,
                                      const struct mr_xml_options *options, struct mr_xml_doc **out,
                                      struct mr_err *err);
void mr_xml_destroy(struct mr_xml_doc *doc);

const struct mr_xml_node *mr_xml_root(const struct mr_xml_doc *doc);

/** Files read, each once, in order of first reading; the first is the document's own. */
size_t mr_xml_n_file(const struct mr_xml_doc *doc);
const char *mr_xml_file(const struct mr_xml_doc *doc, size_t i);

/** System identifier of the DOCTYPE ("" when it has none), or NULL without a DOCTYPE. */
const char *mr_xml_doctype(const struct mr_xml_doc *doc);

/** Memory the document holds, texts and tree [bytes]. */
size_t mr_xml_size_bytes(const struct mr_xml_doc *doc);

/* ---- the tree ---- */

struct mr_place mr_xml_place(const struct mr_xml_node *node);
struct mr_place mr_xml_attribute_place(const struct mr_xml_node *node,
                                       const struct mr_xml_attribute *attribute);

/** First child, or next sibling, of that name, or NULL:
 *  for (const struct mr_xml_node *n = mr_xml_child(zone, "host"); n; n = mr_xml_next(n, "host")) */
const struct mr_xml_node *mr_xml_child(const struct mr_xml_node *node, const char *name);
const struct mr_xml_node *mr_xml_next(const struct mr_xml_node *node, const char *name);
size_t mr_xml_n_child(const struct mr_xml_node *node, const char *name);

/** The next element in document order within the subtree of `top`, or NULL at its end. */
const struct mr_xml_node *mr_xml_walk(const struct mr_xml_node *top,
                                      const struct mr_xml_node *node);

/** The attribute, or NULL. */
const struct mr_xml_attribute *mr_xml_attribute(const struct mr_xml_node *node, const char *name);

/** Its value, or NULL. */
const char *mr_xml_value(const struct mr_xml_node *node, const char *name);

/** Name without its prefix, and the namespace it stands in ("" when in none). */
const char *mr_xml_local_name(const struct mr_xml_node *node);
const char *mr_xml_namespace(const struct mr_xml_node *node);

/** Equal names, attributes in order, texts and children; places do not count. */
bool mr_xml_equal(const struct mr_xml_node *a, const struct mr_xml_node *b);

/* ---- back to text ---- */

/** Append the subtree, or the document with its declaration and DOCTYPE. Attributes keep their
 *  order, an element's text stands before its children. Look at buf->status afterwards.
 *  @param[in] indent spaces per level; 0: everything on one line */
void mr_xml_write(const struct mr_xml_node *node, int indent, struct mr_buf *buf);
void mr_xml_doc_write(const struct mr_xml_doc *doc, int indent, struct mr_buf *buf);

/* ---- the library below ---- */

/** Version of libxml2 this was built with, for example "2.9.14". */
const char *mr_xml_library_version(void);

/** Release what libxml2 keeps for the whole process. For leak checkers only: afterwards nothing of
 *  this header may be called again, by any thread. */
void mr_xml_library_fini(void);

#endif
