/* SPDX-License-Identifier: Apache-2.0 */
/* What a pattern of a grammar holds, reduced to names: how often each occurs at least and at most,
 * and which patterns it may mean. Internal to the xml pairs. */
#ifndef MR_ENGINE_BASE_XML_CONTENT_H
#define MR_ENGINE_BASE_XML_CONTENT_H

#include "engine/base/xml.h"

#define MR_XML_MANY 2 /* as a maximum: any number */

/* How often a name occurs. */
struct mr_xml_content_count {
    const char *name;
    bool is_attribute;
    uint8_t min, max;
};

/* A pattern that a name (NULL: any) may mean. */
struct mr_xml_content_use {
    const char *name;
    bool is_attribute;
    uint32_t element;                  /* its element pattern */
    const struct mr_xml_node *pattern; /* its attribute pattern */
};

/** Whether the pattern takes a name; NULL: a name the grammar does not list. */
static inline bool mr_xml_content_may_mean(const struct mr_xml_content_use *use, const char *name)
{
    return use->name == NULL || (name != NULL && strcmp(use->name, name) == 0);
}

/* Zero-initialized: empty. */
struct mr_xml_content {
    struct mr_xml_content_count *count;
    size_t n_count, cap_count;
    struct mr_xml_content_use *use;
    size_t n_use, cap_use;
    bool has_text;
};

void mr_xml_content_fini(struct mr_xml_content *content);

/** The count of a name, or NULL. */
struct mr_xml_content_count *mr_xml_content_find(const struct mr_xml_content *content,
                                                 const char *name, bool is_attribute);

MR_CHECKED mr_status mr_xml_content_add_count(struct mr_xml_content *content,
                                              struct mr_xml_content_count count,
                                              struct mr_err *err);
MR_CHECKED mr_status mr_xml_content_add_use(struct mr_xml_content *content,
                                            struct mr_xml_content_use use, struct mr_err *err);

/** Both, in any order. */
MR_CHECKED mr_status mr_xml_content_group(struct mr_xml_content *into,
                                          const struct mr_xml_content *from, struct mr_err *err);

/** One or the other. */
MR_CHECKED mr_status mr_xml_content_choice(struct mr_xml_content *into,
                                           const struct mr_xml_content *from, struct mr_err *err);

void mr_xml_content_repeat(struct mr_xml_content *content, bool may_be_absent, bool is_many);

#endif
