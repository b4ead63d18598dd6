/* SPDX-License-Identifier: Apache-2.0 */
/* Walks a document along the states of a compiled grammar and reports what is certainly wrong:
 * names that nothing allows, names that are missing or too many, values and texts that no
 * alternative takes. One finding does not hide the next; only the inside of an unknown element is
 * left out. */
#include "engine/base/mem.h"
#include "engine/base/xml_schema_impl.h"

#include <stdio.h>

enum {
    hint_names_max = 256,
    hint_listed_max = 6 /* this many names are listed when none is near */
};

struct check {
    const struct mr_xml_schema *schema;
    struct mr_diags *diags;
    uint8_t *seen; /* per slot of the open elements: 0, 1, MANY; innermost last */
};

MR_PRINTF(4, 5)
static void report(struct check *check, const struct mr_xml_node *node, struct mr_place at,
                   const char *fmt, ...)
{
    struct mr_err err = {0}, text = {0};
    va_list args;
    va_start(args, fmt);
    (void)mr_err_vset(&text, MR_SCHEMA, at, fmt, args);
    va_end(args);
    char shown[MR_QUOTE_CAP];
    (void)mr_err_set(&err, MR_SCHEMA, at, "element <%s>: %.380s",
                     mr_text_quote(mr_str_of(node->name), shown), text.text);
    (void)mr_diags_add_err(check->diags, MR_SEVERITY_ERROR, &err);
}

static const struct mr_xml_schema_slot *find_slot(const struct mr_xml_schema_state *state,
                                                  const char *name, bool is_attribute)
{
    for (size_t i = 0; i < state->n_slot; i++)
        if (state->slot[i].is_attribute == is_attribute && strcmp(state->slot[i].name, name) == 0)
            return &state->slot[i];
    return NULL;
}

/* ---- hints ---- */

/* " (did you mean "x"?)", else " (expected one of: a, b)" while that is short. */
static void hint(const char *word, const char *const *names, size_t n, char *out, size_t cap)
{
    mr_text_hint(mr_str_of(word), names, n, out, cap);
    if (out[0] != '\0' || n == 0 || n > hint_listed_max)
        return;
    size_t used = (size_t)snprintf(out, cap, n == 1 ? " (expected: " : " (expected one of: ");
    for (size_t i = 0; i < n && used < cap; i++)
        used += (size_t)snprintf(out + used, cap - used, "%s%s", i > 0 ? ", " : "", names[i]);
    if (used < cap)
        (void)snprintf(out + used, cap - used, ")");
}

/* Hint for a name. The nearest one counts as seen: it is misspelled, not missing. */
static void hint_name(const struct mr_xml_schema_state *state, uint8_t *seen, const char *word,
                      bool is_attribute, char *out, size_t cap)
{
    const char *names[hint_names_max];
    size_t n = 0;
    for (size_t i = 0; i < state->n_slot && n < hint_names_max; i++)
        if (state->slot[i].is_attribute == is_attribute)
            names[n++] = state->slot[i].name;
    const char *nearest = mr_text_nearest(mr_str_of(word), names, n);
    if (nearest != NULL)
        seen[find_slot(state, nearest, is_attribute) - state->slot] |= 1;
    hint(word, names, n, out, cap);
}

/* ---- values ---- */

/* Next byte of a text whose white space runs count as one blank; 0 at the end. */
static char collapsed(const char **p)
{
    char c = **p;
    if (mr_char_is_space(c)) {
        while (mr_char_is_space(**p))
            (*p)++;
        return **p == '\0' ? '\0' : ' ';
    }
    if (c != '\0')
        (*p)++;
    return c;
}

static bool is_same_token(const char *a, const char *b)
{
    while (mr_char_is_space(*a))
        a++;
    while (mr_char_is_space(*b))
        b++;
    for (;;) {
        const char x = collapsed(&a), y = collapsed(&b);
        if (x != y)
            return false;
        if (x == '\0')
            return true;
    }
}

static bool is_accepted(const struct mr_xml_schema_values *values, const char *text)
{
    for (size_t i = 0; i < values->n_choice; i++) {
        const struct mr_xml_schema_choice *choice = &values->choice[i];
        if (choice->word != NULL ? is_same_token(choice->word, text)
                                 : mr_xml_datatype_accepts(choice->type, text))
            return true;
    }
    return false;
}

/* ": expected a number above 0 or "auto"" */
static void describe(const struct mr_xml_schema_values *values, const char *text, char *out,
                     size_t cap)
{
    const char *words[hint_names_max];
    size_t n_word = 0, used = 0;
    const char *between = ": expected ";
    out[0] = '\0';
    for (size_t i = 0; i < values->n_choice && used < cap; i++) {
        const struct mr_xml_schema_choice *choice = &values->choice[i];
        if (choice->word != NULL) {
            if (n_word < hint_names_max)
                words[n_word++] = choice->word;
            continue;
        }
        used += (size_t)snprintf(out + used, cap - used, "%s%s", between,
                                 mr_xml_datatype_text(choice->type));
        between = " or ";
    }
    if (n_word > 0 && used < cap)
        hint(text, words, n_word, out + used, cap - used);
}

/* ---- elements ---- */

static void check_attributes(struct check *check, const struct mr_xml_node *node,
                             const struct mr_xml_schema_state *state, uint8_t *seen)
{
    char text[300], shown[MR_QUOTE_CAP];
    for (uint32_t i = 0; i < node->n_attribute; i++) {
        const struct mr_xml_attribute *attribute = &node->attribute[i];
        if (strcmp(attribute->name, "xmlns") == 0 || strchr(attribute->name, ':') != NULL)
            continue; /* namespaces are libxml2's business */
        const struct mr_place at = mr_xml_attribute_place(node, attribute);
        const struct mr_xml_schema_slot *slot = find_slot(state, attribute->name, true);
        if (slot != NULL) {
            seen[slot - state->slot] = 1;
            if (slot->values == NULL || is_accepted(slot->values, attribute->value))
                continue;
            describe(slot->values, attribute->value, text, sizeof text);
            report(check, node, at, "attribute \"%s\": bad value \"%s\"%s", attribute->name,
                   mr_text_quote(mr_str_of(attribute->value), shown), text);
        } else if (!state->has_any_attribute) {
            hint_name(state, seen, attribute->name, true, text, sizeof text);
            report(check, node, at, "unknown attribute \"%s\"%s",
                   mr_text_quote(mr_str_of(attribute->name), shown), text);
        }
    }
}

static void check_text(struct check *check, const struct mr_xml_node *node,
                       const struct mr_xml_schema_state *state)
{
    char text[300], shown[MR_QUOTE_CAP];
    mr_text_quote(mr_str_of(node->text), shown);
    if (!state->has_text && node->text[0] != '\0') {
        report(check, node, mr_xml_place(node), "text \"%s\" is not allowed here", shown);
    } else if (state->values != NULL && !is_accepted(state->values, node->text)) {
        describe(state->values, node->text, text, sizeof text);
        report(check, node, mr_xml_place(node), "bad value \"%s\"%s", shown, text);
    }
}

static void check_missing(struct check *check, const struct mr_xml_node *node,
                          const struct mr_xml_schema_state *state, const uint8_t *seen)
{
    for (size_t i = 0; i < state->n_slot; i++) {
        const struct mr_xml_schema_slot *slot = &state->slot[i];
        if (slot->min == 0 || seen[i] != 0)
            continue;
        if (slot->is_attribute)
            report(check, node, mr_xml_place(node), "missing attribute \"%s\"", slot->name);
        else
            report(check, node, mr_xml_place(node), "missing element <%s>", slot->name);
    }
}

static void check_element(struct check *check, const struct mr_xml_node *node, uint32_t i_state);

/* `parent` is NULL for the root. */
static void check_child(struct check *check, const struct mr_xml_node *parent,
                        const struct mr_xml_node *node, const struct mr_xml_schema_state *state,
                        uint8_t *seen)
{
    char text[300], shown[MR_QUOTE_CAP];
    const struct mr_xml_schema_slot *slot = find_slot(state, mr_xml_local_name(node), false);
    const uint32_t next = slot != NULL ? slot->next : state->any_next;
    if (next == MR_XML_SCHEMA_NONE) {
        hint_name(state, seen, mr_xml_local_name(node), false, text, sizeof text);
        mr_text_quote(mr_str_of(node->name), shown);
        if (parent != NULL)
            report(check, parent, mr_xml_place(node), "unknown element <%s>%s", shown, text);
        else
            report(check, node, mr_xml_place(node), "not the root of such a file%s", text);
        return;
    }
    if (slot != NULL) {
        uint8_t *n = &seen[slot - state->slot];
        *n = *n < MR_XML_MANY ? (uint8_t)(*n + 1) : *n;
        if (*n > slot->max && parent != NULL)
            report(check, parent, mr_xml_place(node), "a second <%s> (the first is at line %d)",
                   slot->name, mr_xml_child(parent, node->name)->line);
    }
    check_element(check, node, next);
}

/* Depth is bounded by the reader. */
static void check_element(struct check *check, const struct mr_xml_node *node, uint32_t i_state)
{
    const struct mr_xml_schema_state *state = &check->schema->state[i_state];
    uint8_t *const seen = check->seen;
    memset(seen, 0, state->n_slot);
    check->seen += state->n_slot;
    check_attributes(check, node, state, seen);
    check_text(check, node, state);
    for (const struct mr_xml_node *child = node->child; child != NULL; child = child->next)
        check_child(check, node, child, state, seen);
    check_missing(check, node, state, seen);
    check->seen -= state->n_slot;
}

mr_status mr_xml_schema_check(const struct mr_xml_schema *schema, const struct mr_xml_doc *doc,
                              struct mr_diags *diags)
{
    const size_t n_error = diags->n_error;
    const size_t n_seen = (mr_xml_depth_max + 1) * (schema->n_slot_max + 1);
    uint8_t *seen = mr_alloc_zero(n_seen, 1);
    if (seen == NULL)
        return mr_diags_add(diags, MR_SEVERITY_ERROR, MR_NOMEM, MR_NOWHERE, "out of memory");
    const struct mr_xml_schema_state *start = &schema->state[0];
    struct check check = {schema, diags, seen + start->n_slot};
    check_child(&check, NULL, mr_xml_root(doc), start, seen);
    mr_free(seen);
    if (diags->n_error > n_error)
        return MR_SCHEMA;
    return mr_xml_relaxng_check(schema->relaxng, mr_xml_root(doc), diags);
}
