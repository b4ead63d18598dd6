/* SPDX-License-Identifier: Apache-2.0 */
/* libxml2's RELAX NG validator over our trees. Internal to the xml pairs. */
#ifndef MR_ENGINE_BASE_XML_RELAXNG_H
#define MR_ENGINE_BASE_XML_RELAXNG_H

#include "engine/base/xml.h"

struct mr_xml_relaxng;

/** Compile a schema; its tree is not needed afterwards. @return MR_OK, MR_SCHEMA, MR_NOMEM */
MR_CHECKED mr_status mr_xml_relaxng_create(const struct mr_xml_node *grammar,
                                           struct mr_xml_relaxng **out, struct mr_err *err);
void mr_xml_relaxng_destroy(struct mr_xml_relaxng *relaxng);

/** Validate; the most telling of libxml2's messages is added to `diags`, with a place in our tree.
 *  @return MR_OK, MR_SCHEMA, MR_NOMEM */
mr_status mr_xml_relaxng_check(const struct mr_xml_relaxng *relaxng, const struct mr_xml_node *root,
                               struct mr_diags *diags);

#endif
