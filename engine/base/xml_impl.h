/* SPDX-License-Identifier: Apache-2.0 */
/* What the xml_*.c files share and nobody else sees. */
#ifndef MR_ENGINE_BASE_XML_IMPL_H
#define MR_ENGINE_BASE_XML_IMPL_H

#include "engine/base/intern.h"
#include "engine/base/xml.h"

#define MR_XML_XINCLUDE_URI "http://www.w3.org/2001/XInclude"

/* Attribute values lie in the texts themselves (decoded in place, a value never grows), so that a
 * platform of hundreds of MB costs its own size plus its nodes. */
struct mr_xml_doc {
    struct mr_arena arena; /* nodes, element texts, paths */
    struct mr_intern names;
    const struct mr_xml_node *root;
    char **text; /* one per reading, owned */
    size_t n_text, cap_text;
    const char **file; /* distinct paths, in the arena */
    size_t n_file, cap_file;
    size_t text_bytes;
    const char *doctype_name, *doctype_public, *doctype_system; /* NULL: not given */
};

#endif
