/* SPDX-License-Identifier: Apache-2.0 */
/* libxml2's complaints in our words and at our places. Internal to the xml pairs. */
#ifndef MR_ENGINE_BASE_XML_MESSAGE_H
#define MR_ENGINE_BASE_XML_MESSAGE_H

#include "engine/base/xml_source.h"

enum {
    mr_xml_message_cap = 256
};

/* What the parser says, where it stands, and the innermost open element. Lent texts. */
struct mr_xml_message {
    int code;
    const char *text, *name; /* of the error; may be NULL */
    size_t offset;
    const char *open_name; /* NULL: none is open */
    struct mr_place open_at;
};

/** Fill the error. @return MR_PARSE or MR_NOMEM */
mr_status mr_xml_message_set(const struct mr_xml_message *message, struct mr_xml_source *source,
                             struct mr_err *err);

/** libxml2's text on one line, without the name of its function and the final newline. */
void mr_xml_message_clean(const char *text, char out[mr_xml_message_cap]);

#endif
