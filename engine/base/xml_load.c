/* SPDX-License-Identifier: Apache-2.0 */
/* The loader: libxml2 checks the text and announces elements, we keep them. Nothing of libxml2's
 * own tree is built. No entity but the predefined ones is ever defined, no file or address is
 * opened but by our own reader, and every message goes through on_error, so libxml2 prints nothing
 * (short of running out of memory inside it).
 *
 * Map: errors (fail, on_error) - names and attributes (fill_node) - elements (on_start, on_end)
 *      - XInclude (start_include) - one file (parse) - public functions. */
#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/base/xml.h"
#include "engine/base/xml_impl.h"
#include "engine/base/xml_message.h"
#include "engine/base/xml_source.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>

enum frame_kind {
    frame_element,
    frame_included, /* xi:include that was replaced; what it holds is skipped */
    frame_missing,  /* xi:include whose file cannot be read: needs a fallback */
    frame_fallback, /* transparent: its children go to the element around the xi:include */
    frame_skipped
};

struct frame {
    enum frame_kind kind;
    struct mr_xml_node *node, *last; /* frame_element; its last child */
    size_t text_start;               /* of its character data in loader.text */
    struct mr_place at;
    const char *name;
    const char *why;   /* frame_missing: why the file could not be read */
    bool has_fallback; /* frame_missing */
};

/* One file being read. An include starts another loader on top of it. */
struct loader {
    struct mr_xml_doc *doc;
    const struct mr_xml_options *options;
    const struct loader *outer; /* who includes us */
    struct mr_xml_node *outer_node;
    int include_depth;
    struct mr_xml_source source;
    size_t fed; /* bytes handed to the parser */
    xmlParserCtxt *ctxt;
    struct mr_xml_node *root;
    struct frame *frame;
    size_t n_frame, cap_frame;
    int depth;          /* elements open, those around the include counted in */
    struct mr_buf text; /* character data of all open elements, innermost last */
    struct mr_err *err;
    mr_status status;
};

/* ---- errors ---- */

static size_t offset_now(const struct loader *loader)
{
    const xmlParserInput *input = loader->ctxt->input;
    if (input == NULL || input->cur == NULL || input->base == NULL)
        return loader->source.n;
    const size_t offset = (size_t)input->consumed + (size_t)(input->cur - input->base);
    return offset < loader->source.n ? offset : loader->source.n;
}

/* Only SAX callbacks call this: the parser may be stopped there, not inside an error report. */
static void stop(struct loader *loader, mr_status status)
{
    loader->status = status;
    xmlStopParser(loader->ctxt);
}

MR_PRINTF(4, 5)
static void fail(struct loader *loader, mr_status status, struct mr_place at, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)mr_err_vset(loader->err, status, at, fmt, args);
    va_end(args);
    stop(loader, status);
}

static mr_status parse_error(struct loader *loader, const xmlError *error)
{
    const struct frame *top = loader->n_frame > 0 ? &loader->frame[loader->n_frame - 1] : NULL;
    const struct mr_xml_message message = {.code = error->code,
                                           .text = error->message,
                                           .name = error->str1,
                                           .offset = offset_now(loader),
                                           .open_name = top != NULL ? top->name : NULL,
                                           .open_at = top != NULL ? top->at : MR_NOWHERE};
    return mr_xml_message_set(&message, &loader->source, loader->err);
}

/* The first error counts; `read_source` then ends the input, so the parser ends by itself. */
static void on_error(void *user, xmlErrorPtr error)
{
    struct loader *loader = user;
    if (loader->status == MR_OK && error->level >= XML_ERR_ERROR)
        loader->status = parse_error(loader, error);
}

/* ---- names and attributes ---- */

static const char *intern(struct loader *loader, size_t from, size_t to)
{
    uint32_t id;
    const struct mr_str s = {loader->source.text + from, to - from};
    const mr_status status = mr_intern_add(&loader->doc->names, s, &id, loader->err);
    if (status == MR_OK)
        return mr_intern_text(&loader->doc->names, id);
    stop(loader, status);
    return NULL;
}

/* The parser's decoded value goes where the raw one stood: decoding never makes it longer. */
static const char *put_value(struct loader *loader, const struct mr_xml_span *span,
                             const xmlChar *value, size_t n)
{
    char *const place = loader->source.text + span->value;
    MR_ASSERT(n <= span->value_end - span->value);
    (void)mr_xml_source_place(&loader->source, span->value_end); /* count its newlines first */
    if (n > 0)
        memcpy(place, value, n);
    place[n] = '\0';
    return place;
}

/* What SAX2 hands over of one start tag. */
struct tag {
    int n_namespace, n_attribute;
    const xmlChar **namespaces,
        **attributes; /* (prefix, URI) and (local, prefix, URI, value, end) */
};

/* URI the tag binds to a prefix (NULL: the default), or NULL. */
static const xmlChar *bound_uri(const struct tag *tag, struct mr_str prefix)
{
    for (int i = 0; i < tag->n_namespace; i++) {
        const char *p = (const char *)tag->namespaces[2 * i];
        if (mr_str_eq(prefix, p != NULL ? mr_str_of(p) : MR_STR("")))
            return tag->namespaces[2 * i + 1];
    }
    return NULL;
}

/* Attributes are found in the text in the order the parser gives them; xmlns ones come apart. */
static void fill_attributes(struct loader *loader, struct mr_xml_node *node, size_t offset,
                            const struct tag *tag)
{
    struct mr_xml_source *source = &loader->source;
    struct mr_xml_span span = {.value_end = offset - 1};
    int i_attribute = 0;
    while (mr_xml_source_attribute(source, span.value_end + 1, &span)) {
        const struct mr_str name = {source->text + span.name, span.name_end - span.name};
        const xmlChar *value, *end;
        if (mr_str_is(name, "xmlns") || (name.n > 6 && memcmp(name.p, "xmlns:", 6) == 0)) {
            const struct mr_str prefix = {name.p + (name.n > 6 ? 6 : 5),
                                          name.n > 6 ? name.n - 6 : 0};
            value = bound_uri(tag, prefix);
            if (value == NULL)
                continue; /* xmlns:xml says nothing */
            end = value + xmlStrlen(value);
        } else {
            if (i_attribute >= tag->n_attribute)
                break;
            value = tag->attributes[5 * i_attribute + 3];
            end = tag->attributes[5 * i_attribute + 4];
            i_attribute++;
        }
        struct mr_xml_attribute *attribute = &node->attribute[node->n_attribute];
        const struct mr_place at = mr_xml_source_place(source, span.name);
        attribute->name = intern(loader, span.name, span.name_end);
        if (attribute->name == NULL)
            return;
        attribute->value = put_value(loader, &span, value, (size_t)(end - value));
        attribute->line = at.line;
        attribute->col = at.col;
        node->n_attribute++;
    }
}

static struct mr_xml_node *make_node(struct loader *loader, size_t offset, const struct tag *tag)
{
    const size_t n = (size_t)tag->n_namespace + (size_t)tag->n_attribute;
    struct mr_xml_node *node = mr_arena_alloc(
        &loader->doc->arena, sizeof *node + n * sizeof node->attribute[0], loader->err);
    if (node == NULL) {
        stop(loader, MR_NOMEM);
        return NULL;
    }
    const struct mr_place at = mr_xml_source_place(&loader->source, offset);
    const size_t name_end = mr_xml_source_name_end(&loader->source, offset + 1);
    *node = (struct mr_xml_node){
        .text = "", .file = loader->source.file, .line = at.line, .col = at.col};
    node->name = intern(loader, offset + 1, name_end);
    if (node->name == NULL)
        return NULL;
    fill_attributes(loader, node, name_end, tag);
    return loader->status == MR_OK ? node : NULL;
}

/* ---- elements ---- */

/* The element that takes children now: the innermost that is kept. NULL: the document. */
static struct frame *container(const struct loader *loader)
{
    for (size_t i = loader->n_frame; i > 0; i--)
        if (loader->frame[i - 1].kind == frame_element)
            return &loader->frame[i - 1];
    return NULL;
}

static struct mr_xml_node *container_node(const struct loader *loader)
{
    const struct frame *frame = container(loader);
    return frame != NULL ? frame->node : loader->outer_node;
}

static void append(struct loader *loader, struct mr_xml_node *node)
{
    struct frame *frame = container(loader);
    if (frame == NULL) {
        if (loader->root != NULL) { /* only a fallback or an include can do this */
            fail(loader, MR_PARSE, mr_xml_place(node),
                 "element <%s>: a second root (the first is at line %d)", node->name,
                 loader->root->line);
            return;
        }
        loader->root = node;
        return;
    }
    if (frame->last != NULL)
        frame->last->next = node;
    else
        frame->node->child = node;
    frame->last = node;
    frame->node->n_child++;
}

static struct frame *push(struct loader *loader, enum frame_kind kind, size_t offset)
{
    const mr_status status = mr_grow(&loader->frame, &loader->cap_frame, loader->n_frame + 1,
                                     sizeof *loader->frame, loader->err);
    if (status != MR_OK) {
        stop(loader, status);
        return NULL;
    }
    struct frame *frame = &loader->frame[loader->n_frame];
    *frame = (struct frame){.kind = kind,
                            .at = mr_xml_source_place(&loader->source, offset),
                            .text_start = loader->text.n,
                            .name = "xi:include"};
    loader->n_frame++;
    return frame;
}

static void start_include(struct loader *loader, size_t offset, const struct tag *tag);

/* Elements inside an xi:include; everything but its fallback is an error or skipped. */
static bool start_inside_include(struct loader *loader, size_t offset, bool is_fallback)
{
    struct frame *top = loader->n_frame > 0 ? &loader->frame[loader->n_frame - 1] : NULL;
    if (top == NULL || top->kind == frame_element || top->kind == frame_fallback) {
        if (is_fallback)
            fail(loader, MR_PARSE, mr_xml_source_place(&loader->source, offset),
                 "element <xi:fallback> outside of <xi:include>");
        return is_fallback;
    }
    enum frame_kind kind = frame_skipped;
    if (top->kind != frame_skipped) {
        if (!is_fallback || top->has_fallback) {
            fail(loader, MR_PARSE, mr_xml_source_place(&loader->source, offset),
                 "element <xi:include>: only one <xi:fallback> may stand inside");
            return true;
        }
        top->has_fallback = true;
        if (top->kind == frame_missing)
            kind = frame_fallback;
    }
    struct frame *frame = push(loader, kind, offset);
    if (frame != NULL)
        frame->name = "xi:fallback";
    return true;
}

static bool is_named(const xmlChar *text, const char *name)
{
    return text != NULL && strcmp((const char *)text, name) == 0;
}

static void on_start(void *user, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri,
                     int n_namespace, const xmlChar **namespaces, int n_attribute, int n_defaulted,
                     const xmlChar **attributes)
{
    struct loader *loader = user;
    (void)prefix;
    (void)n_defaulted; /* 0: there are no declarations */
    if (loader->status != MR_OK)
        return;
    const struct tag tag = {n_namespace, n_attribute, namespaces, attributes};
    const size_t offset = mr_xml_source_before(&loader->source, offset_now(loader), '<');
    if (++loader->depth > mr_xml_depth_max) {
        fail(loader, MR_LIMIT, mr_xml_source_place(&loader->source, offset),
             "elements nested deeper than %d", mr_xml_depth_max);
        return;
    }
    const bool is_xi = loader->options->xinclude && is_named(uri, MR_XML_XINCLUDE_URI);
    if (start_inside_include(loader, offset, is_xi && is_named(local, "fallback")))
        return;
    if (is_xi && is_named(local, "include")) {
        start_include(loader, offset, &tag);
        return;
    }
    struct mr_xml_node *node = make_node(loader, offset, &tag);
    if (node == NULL)
        return;
    node->parent = container_node(loader);
    append(loader, node);
    struct frame *frame = loader->status == MR_OK ? push(loader, frame_element, offset) : NULL;
    if (frame == NULL)
        return;
    frame->node = node;
    frame->name = node->name;
}

static void take_text(struct loader *loader, const struct frame *frame)
{
    const struct mr_str s = mr_str_trim(
        (struct mr_str){loader->text.text + frame->text_start, loader->text.n - frame->text_start});
    if (s.n > 0) {
        frame->node->text = mr_arena_text(&loader->doc->arena, s, loader->err);
        if (frame->node->text == NULL)
            stop(loader, MR_NOMEM);
    }
    loader->text.n = frame->text_start;
}

static void on_end(void *user, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri)
{
    struct loader *loader = user;
    (void)local;
    (void)prefix;
    (void)uri;
    if (loader->status != MR_OK)
        return;
    const struct frame *frame = &loader->frame[--loader->n_frame];
    loader->depth--;
    if (frame->kind == frame_missing && !frame->has_fallback)
        fail(loader, MR_REF, frame->at, "element <xi:include>: %s", frame->why);
    if (frame->kind == frame_element && loader->text.n > frame->text_start)
        take_text(loader, frame);
}

static void on_text(void *user, const xmlChar *text, int n)
{
    struct loader *loader = user;
    if (loader->status != MR_OK || loader->n_frame == 0)
        return;
    const struct frame *top = &loader->frame[loader->n_frame - 1];
    const struct frame *owner = container(loader);
    if ((top->kind != frame_element && top->kind != frame_fallback) || owner == NULL)
        return;
    const struct mr_str s = {(const char *)text, (size_t)n};
    if (loader->text.n == owner->text_start && mr_str_trim(s).n == 0)
        return; /* indentation: the start is trimmed anyway */
    mr_buf_add(&loader->text, s.p, s.n);
    if (loader->text.status != MR_OK)
        stop(loader, mr_buf_check(&loader->text, loader->err));
}

/* ---- DOCTYPE and entities ---- */

static const char *keep(struct loader *loader, const xmlChar *text)
{
    if (text == NULL)
        return NULL;
    const char *copy =
        mr_arena_text(&loader->doc->arena, mr_str_of((const char *)text), loader->err);
    if (copy == NULL)
        stop(loader, MR_NOMEM);
    return copy;
}

static void on_doctype(void *user, const xmlChar *name, const xmlChar *public_id,
                       const xmlChar *system_id)
{
    struct loader *loader = user;
    if (loader->status != MR_OK)
        return;
    size_t at = offset_now(loader);
    while (mr_char_is_space(loader->source.text[at]))
        at++;
    if (loader->source.text[at] == '[') {
        fail(loader, MR_PARSE, mr_xml_source_place(&loader->source, at),
             "declarations inside <!DOCTYPE> (entities, defaults) are not accepted");
        return;
    }
    if (loader->outer != NULL)
        return;
    loader->doc->doctype_name = keep(loader, name);
    loader->doc->doctype_public = keep(loader, public_id);
    loader->doc->doctype_system = keep(loader, system_id);
}

/* libxml2 lets an unknown entity pass when a DTD is named; we know that nothing defines it. */
static xmlEntity *on_entity(void *user, const xmlChar *name)
{
    struct loader *loader = user;
    xmlEntity *entity = xmlGetPredefinedEntity(name);
    if (entity != NULL || loader->status != MR_OK)
        return entity;
    const size_t at = mr_xml_source_before(&loader->source, offset_now(loader), '&');
    char shown[MR_QUOTE_CAP];
    fail(loader, MR_PARSE, mr_xml_source_place(&loader->source, at),
         "unknown entity \"&%s;\" (only amp, lt, gt, quot and apos are known)",
         mr_text_quote(mr_str_of((const char *)name), shown));
    return NULL;
}

/* ---- XInclude ---- */

static mr_status parse(struct loader *loader);

/* Value of an attribute of the tag, copied, or NULL. */
static const char *tag_value(struct loader *loader, const struct tag *tag, const char *name)
{
    for (int i = 0; i < tag->n_attribute; i++) {
        const xmlChar **a = &tag->attributes[5 * i];
        if (a[1] != NULL || strcmp((const char *)a[0], name) != 0)
            continue;
        const struct mr_str s = {(const char *)a[3], (size_t)(a[4] - a[3])};
        const char *copy = mr_arena_text(&loader->doc->arena, s, loader->err);
        if (copy == NULL)
            stop(loader, MR_NOMEM);
        return copy;
    }
    return NULL;
}

/* Path of `href` seen from the folder of the including file, in the arena. */
static const char *include_path(struct loader *loader, const char *href)
{
    const char *slash = strrchr(loader->source.file, '/');
    const size_t n_folder =
        href[0] != '/' && slash != NULL ? (size_t)(slash + 1 - loader->source.file) : 0;
    const size_t n_href = strlen(href);
    char *path = mr_arena_alloc(&loader->doc->arena, n_folder + n_href + 1, loader->err);
    if (path == NULL) {
        stop(loader, MR_NOMEM);
        return NULL;
    }
    memcpy(path, loader->source.file, n_folder);
    memcpy(path + n_folder, href, n_href + 1);
    return path;
}

static bool is_open(const struct loader *loader, const struct mr_xml_source *source)
{
    for (; loader != NULL; loader = loader->outer)
        if (loader->source.inode == source->inode && loader->source.device == source->device &&
            (source->inode != 0 || source->device != 0))
            return true;
    return false;
}

static size_t bytes_left(const struct mr_xml_doc *doc, const struct mr_xml_options *options)
{
    const size_t limit = options->limit_bytes > 0 ? options->limit_bytes : MR_XML_LIMIT_BYTES;
    return limit > doc->text_bytes ? limit - doc->text_bytes : 0;
}

/* Read the included file and hang its root where the xi:include stands. */
static void include_file(struct loader *loader, struct frame *frame, const char *path)
{
    struct loader inner = {.doc = loader->doc,
                           .options = loader->options,
                           .outer = loader,
                           .outer_node = container_node(loader),
                           .include_depth = loader->include_depth + 1,
                           .depth = loader->depth - 1, /* its root replaces the xi:include */
                           .err = loader->err};
    struct mr_err read_err = {0};
    const mr_status st = mr_xml_source_read(&inner.source, path,
                                            bytes_left(loader->doc, loader->options), &read_err);
    if (st == MR_IO) {
        frame->kind = frame_missing;
        frame->why = "";
        char why[sizeof read_err.text + sizeof read_err.file];
        const int n = snprintf(why, sizeof why, "\"%s\": %s", read_err.file, read_err.text);
        frame->why =
            mr_arena_text(&loader->doc->arena, (struct mr_str){why, (size_t)n}, loader->err);
        if (frame->why == NULL)
            stop(loader, MR_NOMEM);
        return;
    }
    if (st != MR_OK) {
        if (loader->err != NULL && loader->err->status == MR_OK)
            *loader->err = read_err;
        stop(loader, st);
        return;
    }
    if (is_open(loader, &inner.source)) {
        char shown[MR_QUOTE_CAP];
        fail(loader, MR_REF, frame->at, "element <xi:include>: \"%s\" includes itself",
             mr_text_quote(mr_str_of(path), shown));
        mr_xml_source_fini(&inner.source);
        return;
    }
    const mr_status status = parse(&inner); /* takes the source */
    if (status != MR_OK)
        stop(loader, status);
    else
        append(loader, inner.root);
}

static void start_include(struct loader *loader, size_t offset, const struct tag *tag)
{
    const char *href = tag_value(loader, tag, "href"), *kind = tag_value(loader, tag, "parse");
    const char *pointer = tag_value(loader, tag, "xpointer");
    struct frame *frame = loader->status == MR_OK ? push(loader, frame_included, offset) : NULL;
    if (frame == NULL)
        return;
    if (href == NULL || href[0] == '\0')
        fail(loader, MR_SCHEMA, frame->at, "element <xi:include>: missing attribute \"href\"");
    else if (strstr(href, "://") != NULL)
        fail(loader, MR_REF, frame->at, "element <xi:include>: href must be the path of a file");
    else if ((kind != NULL && strcmp(kind, "xml") != 0) || pointer != NULL)
        fail(loader, MR_SCHEMA, frame->at,
             "element <xi:include>: only whole files with parse=\"xml\" can be included");
    else if (loader->include_depth >= mr_xml_include_depth_max)
        fail(loader, MR_LIMIT, frame->at, "element <xi:include>: nested deeper than %d",
             mr_xml_include_depth_max);
    else if (loader->doc->n_text >= mr_xml_file_max)
        fail(loader, MR_LIMIT, frame->at, "element <xi:include>: more than %d files included",
             mr_xml_file_max);
    if (loader->status != MR_OK)
        return;
    const char *path = include_path(loader, href);
    if (path != NULL)
        include_file(loader, frame, path);
}

/* ---- one file ---- */

static int read_source(void *user, char *buffer, int cap)
{
    struct loader *loader = user;
    if (loader->status != MR_OK)
        return 0;
    const size_t left = loader->source.n - loader->fed;
    const size_t n = left < (size_t)cap ? left : (size_t)cap;
    memcpy(buffer, loader->source.text + loader->fed, n);
    loader->fed += n;
    return (int)n;
}

static int close_source(void *user)
{
    (void)user;
    return 0;
}

/* The document takes the text, for the values in it, and remembers the path. */
static mr_status give_text(struct loader *loader)
{
    struct mr_xml_doc *doc = loader->doc;
    MR_TRY(mr_grow(&doc->text, &doc->cap_text, doc->n_text + 1, sizeof *doc->text, loader->err));
    MR_TRY(mr_grow(&doc->file, &doc->cap_file, doc->n_file + 1, sizeof *doc->file, loader->err));
    doc->text[doc->n_text++] = loader->source.memory;
    loader->source.memory = NULL;
    doc->text_bytes += loader->source.n;
    size_t i = 0;
    while (i < doc->n_file && strcmp(doc->file[i], loader->source.file) != 0)
        i++;
    if (i == doc->n_file)
        doc->file[doc->n_file++] = loader->source.file;
    return MR_OK;
}

static mr_status run_parser(struct loader *loader)
{
    xmlParserCtxt *ctxt = xmlNewParserCtxt();
    if (ctxt == NULL)
        return mr_err_set(loader->err, MR_NOMEM, MR_NOWHERE, "out of memory (XML parser)");
    *ctxt->sax = (xmlSAXHandler){.initialized = XML_SAX2_MAGIC,
                                 .internalSubset = on_doctype,
                                 .getEntity = on_entity,
                                 .startElementNs = on_start,
                                 .endElementNs = on_end,
                                 .characters = on_text,
                                 .ignorableWhitespace = on_text,
                                 .cdataBlock = on_text,
                                 .serror = on_error};
    ctxt->userData = loader;
    loader->ctxt = ctxt;
    /* NOENT: predefined entities and character references arrive as the characters they mean */
    const int options = XML_PARSE_NONET | XML_PARSE_NOENT | XML_PARSE_IGNORE_ENC;
    xmlFreeDoc(xmlCtxtReadIO(ctxt, read_source, close_source, loader, NULL, NULL, options));
    const bool is_complete = ctxt->wellFormed && ctxt->nsWellFormed;
    xmlFreeParserCtxt(ctxt);
    loader->ctxt = NULL;
    MR_TRY(loader->status);
    if (!is_complete || loader->root == NULL) /* it fails silently only when memory ran out */
        return mr_err_set(loader->err, MR_NOMEM, MR_NOWHERE, "out of memory (XML parser)");
    return MR_OK;
}

/* Parse the loaded source, which this takes. */
static mr_status parse(struct loader *loader)
{
    mr_status status = mr_xml_source_check(&loader->source, loader->err);
    if (status == MR_OK)
        status = give_text(loader);
    if (status == MR_OK)
        status = run_parser(loader);
    mr_buf_fini(&loader->text);
    mr_free(loader->frame);
    mr_xml_source_fini(&loader->source);
    return status;
}

/* ---- public ---- */

static mr_status load(const char *name, const struct mr_str *text,
                      const struct mr_xml_options *options, struct mr_xml_doc **out,
                      struct mr_err *err)
{
    static const struct mr_xml_options defaults = {0};
    struct mr_xml_doc *doc = mr_alloc_zero(1, sizeof *doc);
    if (doc == NULL)
        return mr_err_nomem(err, sizeof *doc);
    struct loader loader = {
        .doc = doc, .options = options != NULL ? options : &defaults, .err = err};
    const size_t limit_bytes = bytes_left(doc, loader.options);
    const char *file = mr_arena_text(&doc->arena, mr_str_of(name), err);
    mr_status status = file != NULL ? MR_OK : MR_NOMEM;
    if (status == MR_OK)
        status = text != NULL ? mr_xml_source_copy(&loader.source, file, *text, limit_bytes, err)
                              : mr_xml_source_read(&loader.source, file, limit_bytes, err);
    if (status == MR_OK)
        status = parse(&loader);
    if (status != MR_OK) {
        mr_xml_destroy(doc);
        return status;
    }
    doc->root = loader.root;
    *out = doc;
    return MR_OK;
}

mr_status mr_xml_load(const char *path, const struct mr_xml_options *options,
                      struct mr_xml_doc **out, struct mr_err *err)
{
    return load(path, NULL, options, out, err);
}

mr_status mr_xml_load_text(const char *name, struct mr_str text,
                           const struct mr_xml_options *options, struct mr_xml_doc **out,
                           struct mr_err *err)
{
    return load(name, &text, options, out, err);
}
