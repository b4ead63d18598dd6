/* SPDX-License-Identifier: Apache-2.0 */
/* RELAX NG with messages a user can act on. A document is first walked along the grammar's
 * vocabulary by our own code, which reports every unknown, missing or repeated name and every bad
 * value with its place and a hint; only if that finds nothing does libxml2's validator look for the
 * rest (order, choices), of which the first finding is reported.
 * Read: one grammar per file with start, define (combine too), div, ref and all patterns but nested
 * grammars, include and externalRef; XML Schema data types. Names are compared without namespaces
 * in our pass; libxml2 checks those. One schema per thread at a time. Load the first schema of the
 * process before starting threads: libxml2 then sets up its data types. libxml2's tree of the
 * document takes about fourteen times the file while it validates. */
#ifndef MR_ENGINE_BASE_XML_SCHEMA_H
#define MR_ENGINE_BASE_XML_SCHEMA_H

#include "engine/base/xml.h"

struct mr_xml_schema;

/** @return MR_OK, what mr_xml_load returns, or MR_SCHEMA when it is not a grammar we read */
MR_CHECKED mr_status mr_xml_schema_load(const char *path, struct mr_xml_schema **out,
                                        struct mr_err *err);
MR_CHECKED mr_status mr_xml_schema_load_text(const char *name, struct mr_str text,
                                             struct mr_xml_schema **out, struct mr_err *err);
void mr_xml_schema_destroy(struct mr_xml_schema *schema);

/** Add every finding to `diags`. @return MR_OK, MR_SCHEMA or MR_NOMEM */
mr_status mr_xml_schema_check(const struct mr_xml_schema *schema, const struct mr_xml_doc *doc,
                              struct mr_diags *diags);

/** The same with a grammar that is printed for it. @param[in] name of the grammar, for messages */
mr_status mr_xml_schema_check_by(const char *name, void (*print)(struct mr_buf *out),
                                 const struct mr_xml_doc *doc, struct mr_diags *diags);

#endif
