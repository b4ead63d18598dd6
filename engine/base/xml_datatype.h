/* SPDX-License-Identifier: Apache-2.0 */
/* One <data> pattern of a RELAX NG schema: an XML Schema type with its parameters, and what it
 * expects in words. Internal to the xml pairs. */
#ifndef MR_ENGINE_BASE_XML_DATATYPE_H
#define MR_ENGINE_BASE_XML_DATATYPE_H

#include "engine/base/xml.h"

struct mr_xml_datatype;

/** @param[in] data the pattern; it must outlive the type
 *  @param[out] out NULL when the type takes any text or cannot be checked by itself
 *  @return MR_OK, MR_SCHEMA (unknown type or bad parameter), MR_NOMEM */
MR_CHECKED mr_status mr_xml_datatype_create(const struct mr_xml_node *data,
                                            struct mr_xml_datatype **out, struct mr_err *err);
void mr_xml_datatype_destroy(struct mr_xml_datatype *type);

bool mr_xml_datatype_accepts(const struct mr_xml_datatype *type, const char *value);

/** "a number of at least 0 and at most 1". Lent. */
const char *mr_xml_datatype_text(const struct mr_xml_datatype *type);

#endif
