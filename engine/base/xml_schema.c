/* SPDX-License-Identifier: Apache-2.0 */
/* Compiler of a RELAX NG grammar into states (xml_schema_impl.h). Each element pattern's content is
 * reduced to which names occur in it, how often at least and at most (group adds, choice takes the
 * wider bounds, repetition lifts them), and which element patterns a name may mean; order is left
 * to libxml2. States are then made for every set of element patterns one name can lead to, as a
 * finite automaton is made deterministic.
 *
 * Map: the grammar's tree - values - patterns (collect_*) - defines - states - public functions. */
#include "engine/base/xml_schema.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/base/xml_content.h"
#include "engine/base/xml_schema_impl.h"

#define RNG_URI "http://relaxng.org/ns/structure/1.0"

enum {
    state_max = 10000, /* a grammar made by people has a few dozen */
    name_class_max = 64
};

struct define {
    const char *name;
    const struct mr_xml_node *node;
    struct mr_xml_content content; /* of all defines of this name; in the first of them */
    enum {
        define_new,
        define_open,
        define_done
    } state;
};

struct element {
    const struct mr_xml_node *pattern;
    struct mr_xml_content content;
};

struct compiler {
    struct mr_xml_schema *schema;
    struct define *define;
    size_t n_define, cap_define;
    struct element *element; /* [0] stands for <start> */
    size_t n_element, cap_element;
    struct mr_err *err;
};

/* ---- the grammar's own tree ---- */

static bool is_rng(const struct mr_xml_node *node)
{
    return strcmp(mr_xml_namespace(node), RNG_URI) == 0;
}

/* First pattern of the list that is RELAX NG; annotations are skipped. */
static const struct mr_xml_node *pattern_from(const struct mr_xml_node *node)
{
    while (node != NULL && !is_rng(node))
        node = node->next;
    return node;
}

static bool is_kind(const struct mr_xml_node *node, const char *kind)
{
    return strcmp(mr_xml_local_name(node), kind) == 0;
}

/* First pattern of an element or attribute, behind its name class. */
static const struct mr_xml_node *content_of(const struct mr_xml_node *node)
{
    const struct mr_xml_node *first = pattern_from(node->child);
    const bool is_named = is_kind(node, "element") || is_kind(node, "attribute");
    if (is_named && mr_xml_value(node, "name") == NULL && first != NULL)
        first = pattern_from(first->next);
    return first;
}

struct names {
    const char *name[name_class_max];
    size_t n;
    bool has_any;
};

static const char *local(const char *name)
{
    const char *colon = strchr(name, ':');
    return colon != NULL ? colon + 1 : name;
}

/* The names of a name class; exceptions from "any" are left to libxml2. */
static void read_name_class(const struct mr_xml_node *node, struct names *names)
{
    if (node != NULL && is_kind(node, "name") && names->n < name_class_max) {
        names->name[names->n++] = local(node->text);
    } else if (node != NULL && is_kind(node, "choice")) {
        for (const struct mr_xml_node *n = pattern_from(node->child); n != NULL;
             n = pattern_from(n->next))
            read_name_class(n, names);
    } else {
        names->has_any = true;
    }
}

static void read_names(const struct mr_xml_node *node, struct names *names)
{
    const char *name = mr_xml_value(node, "name");
    *names = (struct names){.n = 0};
    if (name != NULL)
        names->name[names->n++] = local(name);
    else
        read_name_class(pattern_from(node->child), names);
}

static struct define *find_define(const struct compiler *c, const char *name)
{
    for (size_t i = 0; name != NULL && i < c->n_define; i++)
        if (strcmp(c->define[i].name, name) == 0)
            return &c->define[i];
    return NULL;
}

/* ---- values: which texts an attribute or an element without children may hold ---- */

enum value_kind {
    value_none,
    value_known,
    value_open
};

static mr_status add_choice(struct compiler *c, struct mr_xml_schema_values *values,
                            struct mr_xml_schema_choice choice)
{
    if (values->n_choice == values->cap_choice) { /* doubled within the arena */
        const size_t cap = values->cap_choice == 0 ? 4 : 2 * values->cap_choice;
        struct mr_xml_schema_choice *more =
            mr_arena_alloc(&c->schema->arena, cap * sizeof *more, c->err);
        if (more == NULL)
            return MR_NOMEM;
        if (values->n_choice > 0)
            memcpy(more, values->choice, values->n_choice * sizeof *more);
        values->choice = more;
        values->cap_choice = cap;
    }
    values->choice[values->n_choice++] = choice;
    return MR_OK;
}

static mr_status add_type(struct compiler *c, const struct mr_xml_node *data,
                          struct mr_xml_schema_values *values, enum value_kind *kind)
{
    struct mr_xml_schema_type *owned = mr_arena_alloc(&c->schema->arena, sizeof *owned, c->err);
    if (owned == NULL)
        return MR_NOMEM;
    MR_TRY(mr_xml_datatype_create(data, &owned->type, c->err));
    owned->next = c->schema->type;
    c->schema->type = owned;
    bool has_except = false;
    for (const struct mr_xml_node *n = pattern_from(data->child); n != NULL;
         n = pattern_from(n->next))
        has_except = has_except || is_kind(n, "except");
    *kind = owned->type != NULL && !has_except ? value_known : value_open;
    return *kind == value_known
               ? add_choice(c, values, (struct mr_xml_schema_choice){.type = owned->type})
               : MR_OK;
}

static mr_status values_of_list(struct compiler *c, const struct mr_xml_node *first, bool is_choice,
                                struct mr_xml_schema_values *values, enum value_kind *kind);

static mr_status values_of(struct compiler *c, const struct mr_xml_node *node,
                           struct mr_xml_schema_values *values, enum value_kind *kind)
{
    *kind = value_open;
    if (is_kind(node, "value")) {
        *kind = value_known;
        return add_choice(c, values, (struct mr_xml_schema_choice){.word = node->text});
    }
    if (is_kind(node, "data"))
        return add_type(c, node, values, kind);
    if (is_kind(node, "attribute"))
        *kind = value_none;
    if (is_kind(node, "choice"))
        return values_of_list(c, pattern_from(node->child), true, values, kind);
    if (is_kind(node, "group") || is_kind(node, "interleave"))
        return values_of_list(c, pattern_from(node->child), false, values, kind);
    if (is_kind(node, "optional")) { /* of attributes: nothing; of text: left to libxml2 */
        MR_TRY(values_of_list(c, pattern_from(node->child), false, values, kind));
        *kind = *kind == value_none ? value_none : value_open;
    }
    const struct define *define =
        is_kind(node, "ref") ? find_define(c, mr_xml_value(node, "name")) : NULL;
    if (define != NULL && mr_xml_value(define->node, "combine") == NULL)
        return values_of_list(c, pattern_from(define->node->child), false, values, kind);
    return MR_OK;
}

static mr_status values_of_list(struct compiler *c, const struct mr_xml_node *first, bool is_choice,
                                struct mr_xml_schema_values *values, enum value_kind *kind)
{
    enum value_kind all = value_none;
    for (const struct mr_xml_node *n = first; n != NULL; n = pattern_from(n->next)) {
        enum value_kind one;
        MR_TRY(values_of(c, n, values, &one));
        if (n == first)
            all = one;
        else if (is_choice)
            all = all == one ? one : value_open;
        else if (all != value_none && one != value_none)
            all = value_open;
        else
            all = all != value_none ? all : one;
    }
    *kind = all;
    return MR_OK;
}

/* Values of several patterns of one name together. */
struct value_union {
    struct mr_xml_schema_values values;
    size_t n_pattern;
    bool is_open;
};

static mr_status add_pattern(struct compiler *c, const struct mr_xml_node *pattern,
                             struct value_union *all)
{
    enum value_kind kind;
    if (all->is_open)
        return MR_OK;
    MR_TRY(values_of_list(c, content_of(pattern), false, &all->values, &kind));
    all->is_open = kind != value_known;
    all->n_pattern++;
    return MR_OK;
}

/* NULL when any text may stand there. */
static mr_status keep_values(struct compiler *c, const struct value_union *all,
                             const struct mr_xml_schema_values **out)
{
    *out = NULL;
    if (all->is_open || all->n_pattern == 0)
        return MR_OK;
    struct mr_xml_schema_values *kept = mr_arena_alloc(&c->schema->arena, sizeof *kept, c->err);
    if (kept == NULL)
        return MR_NOMEM;
    *kept = all->values;
    *out = kept;
    return MR_OK;
}

/* ---- patterns ---- */

static mr_status collect(struct compiler *c, const struct mr_xml_node *node,
                         struct mr_xml_content *out);

/* A list of patterns as one. `out` must be empty. */
static mr_status collect_list(struct compiler *c, const struct mr_xml_node *first, bool is_choice,
                              struct mr_xml_content *out)
{
    mr_status status = MR_OK;
    for (const struct mr_xml_node *n = first; n != NULL && status == MR_OK;
         n = pattern_from(n->next)) {
        struct mr_xml_content one = {0};
        status = collect(c, n, &one);
        if (status == MR_OK)
            status = is_choice && n != first ? mr_xml_content_choice(out, &one, c->err)
                                             : mr_xml_content_group(out, &one, c->err);
        mr_xml_content_fini(&one);
    }
    return status;
}

static mr_status element_index(struct compiler *c, const struct mr_xml_node *pattern, uint32_t *i)
{
    for (size_t k = 1; k < c->n_element; k++)
        if (c->element[k].pattern == pattern) {
            *i = (uint32_t)k;
            return MR_OK;
        }
    MR_TRY(mr_grow(&c->element, &c->cap_element, c->n_element + 1, sizeof *c->element, c->err));
    *i = (uint32_t)c->n_element;
    c->element[c->n_element++] = (struct element){.pattern = pattern};
    return MR_OK;
}

static mr_status collect_named(struct compiler *c, const struct mr_xml_node *node,
                               struct mr_xml_content *out)
{
    struct names names;
    struct mr_xml_content_use use = {.is_attribute = is_kind(node, "attribute"),
                                     .element = MR_XML_SCHEMA_NONE};
    read_names(node, &names);
    if (use.is_attribute)
        use.pattern = node;
    else
        MR_TRY(element_index(c, node, &use.element));
    for (size_t i = 0; i < names.n; i++) {
        const struct mr_xml_content_count count = {.name = names.name[i],
                                                   .is_attribute = use.is_attribute,
                                                   .min = names.n == 1 && !names.has_any,
                                                   .max = 1};
        use.name = names.name[i];
        MR_TRY(mr_xml_content_add_use(out, use, c->err));
        if (mr_xml_content_find(out, count.name, count.is_attribute) == NULL)
            MR_TRY(mr_xml_content_add_count(out, count, c->err));
    }
    use.name = NULL;
    return names.has_any ? mr_xml_content_add_use(out, use, c->err) : MR_OK;
}

static mr_status collect_define(struct compiler *c, struct define *define)
{
    bool is_choice = false;
    for (size_t i = 0; i < c->n_define; i++) {
        const char *combine = mr_xml_value(c->define[i].node, "combine");
        if (strcmp(c->define[i].name, define->name) == 0 && combine != NULL)
            is_choice = strcmp(combine, "choice") == 0;
    }
    mr_status status = MR_OK;
    bool is_first = true;
    for (size_t i = 0; i < c->n_define && status == MR_OK; i++) {
        if (strcmp(c->define[i].name, define->name) != 0)
            continue;
        struct mr_xml_content one = {0};
        status = collect_list(c, pattern_from(c->define[i].node->child), false, &one);
        if (status == MR_OK)
            status = is_choice && !is_first ? mr_xml_content_choice(&define->content, &one, c->err)
                                            : mr_xml_content_group(&define->content, &one, c->err);
        mr_xml_content_fini(&one);
        is_first = false;
    }
    return status;
}

static mr_status collect_ref(struct compiler *c, const struct mr_xml_node *node,
                             struct mr_xml_content *out)
{
    const char *name = mr_xml_value(node, "name");
    struct define *define = find_define(c, name);
    char shown[MR_QUOTE_CAP];
    if (define == NULL || define->state == define_open)
        return mr_err_set(c->err, MR_SCHEMA, mr_xml_place(node), "element <ref>: \"%s\": %s",
                          mr_text_quote(mr_str_of(name != NULL ? name : ""), shown),
                          define == NULL ? "no such define"
                                         : "refers to itself outside of an element");
    if (define->state == define_new) {
        define->state = define_open;
        MR_TRY(collect_define(c, define));
        define->state = define_done;
    }
    return mr_xml_content_group(out, &define->content, c->err);
}

/* What a pattern adds to an element. `out` must be empty. */
static mr_status collect(struct compiler *c, const struct mr_xml_node *node,
                         struct mr_xml_content *out)
{
    const struct mr_xml_node *first = pattern_from(node->child);
    const bool is_optional = is_kind(node, "optional");
    if (is_kind(node, "element") || is_kind(node, "attribute"))
        return collect_named(c, node, out);
    if (is_kind(node, "ref"))
        return collect_ref(c, node, out);
    if (is_kind(node, "choice"))
        return collect_list(c, first, true, out);
    if (is_kind(node, "group") || is_kind(node, "interleave"))
        return collect_list(c, first, false, out);
    if (is_optional || is_kind(node, "zeroOrMore") || is_kind(node, "oneOrMore")) {
        MR_TRY(collect_list(c, first, false, out));
        mr_xml_content_repeat(out, !is_kind(node, "oneOrMore"), !is_optional);
        return MR_OK;
    }
    if (is_kind(node, "mixed")) {
        out->has_text = true;
        return collect_list(c, first, false, out);
    }
    if (is_kind(node, "text") || is_kind(node, "data") || is_kind(node, "value") ||
        is_kind(node, "list")) {
        out->has_text = true;
        return MR_OK;
    }
    if (is_kind(node, "empty") || is_kind(node, "notAllowed"))
        return MR_OK;
    return mr_err_set(c->err, MR_SCHEMA, mr_xml_place(node),
                      "element <%s>: not a pattern this reader knows", node->name);
}

/* ---- defines ---- */

static mr_status read_grammar(struct compiler *c, const struct mr_xml_node *grammar)
{
    for (const struct mr_xml_node *n = pattern_from(grammar->child); n != NULL;
         n = pattern_from(n->next)) {
        const char *name = mr_xml_value(n, "name");
        if (is_kind(n, "div")) {
            MR_TRY(read_grammar(c, n));
        } else if (is_kind(n, "start")) {
            if (c->element[0].pattern != NULL)
                return mr_err_set(c->err, MR_SCHEMA, mr_xml_place(n), "a second <start>");
            c->element[0].pattern = n;
        } else if (is_kind(n, "define") && name != NULL) {
            MR_TRY(mr_grow(&c->define, &c->cap_define, c->n_define + 1, sizeof *c->define, c->err));
            c->define[c->n_define++] = (struct define){.name = name, .node = n};
        } else {
            return mr_err_set(c->err, MR_SCHEMA, mr_xml_place(n),
                              "element <%s>: not read here (expected start, define or div)",
                              n->name);
        }
    }
    return MR_OK;
}

/* ---- states ---- */

static mr_status state_index(struct compiler *c, const uint32_t *element, size_t n, uint32_t *out)
{
    struct mr_xml_schema *schema = c->schema;
    for (size_t i = 0; i < schema->n_state; i++)
        if (schema->state[i].n_element == n &&
            memcmp(schema->state[i].element, element, n * sizeof *element) == 0) {
            *out = (uint32_t)i;
            return MR_OK;
        }
    if (schema->n_state == state_max)
        return mr_err_set(c->err, MR_LIMIT, mr_xml_place(mr_xml_root(schema->grammar)),
                          "ambiguous grammar: more than %d states", state_max);
    MR_TRY(mr_grow(&schema->state, &schema->cap_state, schema->n_state + 1, sizeof *schema->state,
                   c->err));
    uint32_t *kept = mr_arena_alloc(&schema->arena, n * sizeof *kept, c->err);
    if (kept == NULL)
        return MR_NOMEM;
    memcpy(kept, element, n * sizeof *kept);
    *out = (uint32_t)schema->n_state;
    schema->state[schema->n_state++] = (struct mr_xml_schema_state){
        .element = kept, .n_element = n, .any_next = MR_XML_SCHEMA_NONE};
    return MR_OK;
}

/* State of all element patterns that `name` (NULL: a name not listed) may mean in `all`. */
static mr_status next_state(struct compiler *c, const struct mr_xml_content *all, const char *name,
                            uint32_t *out)
{
    uint32_t *set = mr_alloc(c->n_element, sizeof *set);
    size_t n = 0;
    if (set == NULL)
        return mr_err_nomem(c->err, c->n_element * sizeof *set);
    for (uint32_t i = 0; i < c->n_element; i++) { /* ascending, each once */
        bool is_meant = false;
        for (size_t k = 0; k < all->n_use && !is_meant; k++)
            is_meant = !all->use[k].is_attribute && all->use[k].element == i &&
                       mr_xml_content_may_mean(&all->use[k], name);
        if (is_meant)
            set[n++] = i;
    }
    *out = MR_XML_SCHEMA_NONE;
    const mr_status status = n > 0 ? state_index(c, set, n, out) : MR_OK;
    mr_free(set);
    return status;
}

static mr_status attribute_values(struct compiler *c, const struct mr_xml_content *all,
                                  const char *name, const struct mr_xml_schema_values **out)
{
    struct value_union values = {0};
    for (size_t i = 0; i < all->n_use; i++)
        if (all->use[i].is_attribute && mr_xml_content_may_mean(&all->use[i], name))
            MR_TRY(add_pattern(c, all->use[i].pattern, &values));
    return keep_values(c, &values, out);
}

static mr_status text_values(struct compiler *c, const struct mr_xml_schema_state *state,
                             const struct mr_xml_schema_values **out)
{
    struct value_union values = {0};
    for (size_t i = 0; i < state->n_element; i++)
        MR_TRY(add_pattern(c, c->element[state->element[i]].pattern, &values));
    return keep_values(c, &values, out);
}

/* `all` is what the state's element patterns hold, as a choice between them. */
static mr_status fill_state(struct compiler *c, struct mr_xml_schema_state *state,
                            const struct mr_xml_content *all)
{
    struct mr_xml_schema_slot *slot =
        mr_arena_zero(&c->schema->arena, all->n_count, sizeof *slot, c->err);
    if (slot == NULL)
        return MR_NOMEM;
    for (size_t i = 0; i < all->n_use; i++)
        if (all->use[i].is_attribute && all->use[i].name == NULL)
            state->has_any_attribute = true;
    MR_TRY(next_state(c, all, NULL, &state->any_next));
    for (size_t i = 0; i < all->n_count; i++) {
        const struct mr_xml_content_count *count = &all->count[i];
        slot[i] = (struct mr_xml_schema_slot){.name = count->name,
                                              .is_attribute = count->is_attribute,
                                              .min = count->min,
                                              .max = count->max,
                                              .next = MR_XML_SCHEMA_NONE};
        if (count->is_attribute) {
            MR_TRY(attribute_values(c, all, count->name, &slot[i].values));
            continue;
        }
        if (state->any_next != MR_XML_SCHEMA_NONE)
            slot[i].max = MR_XML_MANY;
        MR_TRY(next_state(c, all, count->name, &slot[i].next));
    }
    state->slot = slot;
    state->n_slot = all->n_count;
    state->has_text = all->has_text;
    if (all->n_count > c->schema->n_slot_max)
        c->schema->n_slot_max = all->n_count;
    return all->has_text ? text_values(c, state, &state->values) : MR_OK;
}

static mr_status make_states(struct compiler *c)
{
    struct mr_xml_schema *schema = c->schema;
    uint32_t start;
    MR_TRY(state_index(c, (const uint32_t[]){0}, 1, &start));
    for (size_t i = 0; i < schema->n_state; i++) { /* grows as it goes */
        struct mr_xml_schema_state state = schema->state[i];
        struct mr_xml_content all = {0};
        mr_status status = MR_OK;
        for (size_t k = 0; k < state.n_element && status == MR_OK; k++) {
            const struct mr_xml_content *one = &c->element[state.element[k]].content;
            status = k > 0 ? mr_xml_content_choice(&all, one, c->err)
                           : mr_xml_content_group(&all, one, c->err);
        }
        if (status == MR_OK)
            status = fill_state(c, &state, &all);
        mr_xml_content_fini(&all);
        MR_TRY(status);
        schema->state[i] = state;
    }
    return MR_OK;
}

/* ---- public ---- */

static mr_status compile_grammar(struct compiler *c, const struct mr_xml_node *root)
{
    MR_TRY(mr_grow(&c->element, &c->cap_element, 1, sizeof *c->element, c->err));
    c->element[0] = (struct element){0};
    c->n_element = 1;
    if (!is_rng(root) || !is_kind(root, "grammar"))
        return mr_err_set(c->err, MR_SCHEMA, mr_xml_place(root),
                          "element <%s>: expected <grammar> of RELAX NG (%s)", root->name, RNG_URI);
    MR_TRY(read_grammar(c, root));
    if (c->element[0].pattern == NULL)
        return mr_err_set(c->err, MR_SCHEMA, mr_xml_place(root), "element <grammar>: no <start>");
    for (size_t i = 0; i < c->n_element; i++) { /* grows as it goes */
        struct mr_xml_content content = {0};
        const mr_status status =
            collect_list(c, content_of(c->element[i].pattern), false, &content);
        c->element[i].content = content;
        MR_TRY(status);
    }
    return make_states(c);
}

/* `take_grammar` is destroyed with the schema, or at once on failure. */
static mr_status create(struct mr_xml_doc *take_grammar, struct mr_xml_schema **out,
                        struct mr_err *err)
{
    struct mr_xml_schema *schema = mr_alloc_zero(1, sizeof *schema);
    if (schema == NULL) {
        mr_xml_destroy(take_grammar);
        return mr_err_nomem(err, sizeof *schema);
    }
    schema->grammar = take_grammar;
    struct compiler c = {.schema = schema, .err = err};
    mr_status status = compile_grammar(&c, mr_xml_root(take_grammar));
    for (size_t i = 0; i < c.n_element; i++)
        mr_xml_content_fini(&c.element[i].content);
    for (size_t i = 0; i < c.n_define; i++)
        mr_xml_content_fini(&c.define[i].content);
    mr_free(c.element);
    mr_free(c.define);
    if (status == MR_OK)
        status = mr_xml_relaxng_create(mr_xml_root(take_grammar), &schema->relaxng, err);
    if (status != MR_OK) {
        mr_xml_schema_destroy(schema);
        return status;
    }
    *out = schema;
    return MR_OK;
}

mr_status mr_xml_schema_load(const char *path, struct mr_xml_schema **out, struct mr_err *err)
{
    struct mr_xml_doc *grammar;
    MR_TRY(mr_xml_load(path, NULL, &grammar, err));
    return create(grammar, out, err);
}

mr_status mr_xml_schema_load_text(const char *name, struct mr_str text, struct mr_xml_schema **out,
                                  struct mr_err *err)
{
    struct mr_xml_doc *grammar;
    MR_TRY(mr_xml_load_text(name, text, NULL, &grammar, err));
    return create(grammar, out, err);
}

void mr_xml_schema_destroy(struct mr_xml_schema *schema)
{
    if (schema == NULL)
        return;
    for (const struct mr_xml_schema_type *t = schema->type; t != NULL; t = t->next)
        mr_xml_datatype_destroy(t->type);
    mr_free(schema->state);
    mr_xml_relaxng_destroy(schema->relaxng);
    mr_xml_destroy(schema->grammar);
    mr_arena_fini(&schema->arena);
    mr_free(schema);
}

mr_status mr_xml_schema_check_by(const char *name, void (*print)(struct mr_buf *out),
                                 const struct mr_xml_doc *doc, struct mr_diags *diags)
{
    struct mr_buf text = {0};
    struct mr_xml_schema *grammar = NULL;
    struct mr_err err = {0};
    print(&text);
    mr_status st = mr_buf_check(&text, &err);
    if (st == MR_OK)
        st = mr_xml_schema_load_text(name, (struct mr_str){text.text, text.n}, &grammar, &err);
    if (st == MR_OK)
        st = mr_xml_schema_check(grammar, doc, diags);
    else
        (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    mr_xml_schema_destroy(grammar);
    mr_buf_fini(&text);
    return st;
}
