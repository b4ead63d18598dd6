/* SPDX-License-Identifier: Apache-2.0 */
/* A compiled grammar: which names may, must and may not stand where. Shared by xml_schema.c, which
 * makes it, and xml_schema_check.c, which walks a document along it. */
#ifndef MR_ENGINE_BASE_XML_SCHEMA_IMPL_H
#define MR_ENGINE_BASE_XML_SCHEMA_IMPL_H

#include "engine/base/arena.h"
#include "engine/base/xml_content.h"
#include "engine/base/xml_datatype.h"
#include "engine/base/xml_relaxng.h"
#include "engine/base/xml_schema.h"

#define MR_XML_SCHEMA_NONE UINT32_MAX

/* One of the texts a value may be: a word, or anything of a type. */
struct mr_xml_schema_choice {
    const char *word;                   /* NULL: see type */
    const struct mr_xml_datatype *type; /* NULL: see word */
};

struct mr_xml_schema_values {
    size_t n_choice, cap_choice;
    struct mr_xml_schema_choice *choice;
};

struct mr_xml_schema_slot {
    const char *name;
    bool is_attribute;
    uint8_t min, max;                          /* certain bounds of how often: 0, 1, MANY */
    uint32_t next;                             /* state inside the element */
    const struct mr_xml_schema_values *values; /* of the attribute; NULL: not checked here */
};

/* What may stand inside an element, given the names of the elements around it. Several element
 * patterns of one name (in a choice) share one state, which then knows less for certain. */
struct mr_xml_schema_state {
    const uint32_t *element; /* its element patterns, ascending */
    size_t n_element;
    const struct mr_xml_schema_slot *slot; /* in order of the grammar */
    size_t n_slot;
    uint32_t any_next; /* state inside an element of any other name, or NONE */
    bool has_any_attribute, has_text;
    const struct mr_xml_schema_values *values; /* of its text; NULL: not checked here */
};

/* In the schema's arena; the type itself is not. */
struct mr_xml_schema_type {
    struct mr_xml_datatype *type; /* NULL: takes any text */
    struct mr_xml_schema_type *next;
};

struct mr_xml_schema {
    struct mr_xml_doc *grammar;
    struct mr_xml_relaxng *relaxng;
    struct mr_arena arena;
    struct mr_xml_schema_state *state; /* [0] holds the root */
    size_t n_state, cap_state;
    size_t n_slot_max;
    struct mr_xml_schema_type *type; /* all of them, owned */
};

#endif
