/* SPDX-License-Identifier: Apache-2.0 */
/* libxml2's XML Schema types, used one at a time so that a bad value is reported where it stands,
 * with what was expected. Parameters are checked here first: libxml2 would print its complaint. */
#include "engine/base/xml_datatype.h"

#include "engine/base/mem.h"

#include <libxml/xmlschemas.h>
#include <libxml/xmlschemastypes.h>

#define XSD_LIBRARY "http://www.w3.org/2001/XMLSchema-datatypes"
#define XSD_URI     "http://www.w3.org/2001/XMLSchema"

struct mr_xml_datatype {
    xmlSchemaType *type;   /* libxml2's own, lent */
    xmlSchemaFacet *facet; /* linked list, owned */
    struct mr_buf text;
};

static const struct {
    const char *type, *words;
} type_words[] = {
    {"double", "a number"},
    {"float", "a number"},
    {"decimal", "a number without exponent"},
    {"integer", "a whole number"},
    {"long", "a whole number"},
    {"int", "a whole number"},
    {"short", "a whole number"},
    {"unsignedLong", "a whole number of at least 0"},
    {"unsignedInt", "a whole number of at least 0"},
    {"unsignedShort", "a whole number from 0 to 65535"},
    {"unsignedByte", "a whole number from 0 to 255"},
    {"nonNegativeInteger", "a whole number of at least 0"},
    {"positiveInteger", "a whole number of at least 1"},
    {"boolean", "true or false"},
    {"NCName", "a name"},
    {"Name", "a name"},
    {"ID", "a name"},
    {"IDREF", "a name"},
    {"NMTOKEN", "a word"},
    {"string", "a text"},
    {"token", "a text"},
    {"normalizedString", "a text"},
};

enum facet_kind {
    facet_bound,
    facet_count,
    facet_pattern
};

static const struct {
    const char *param, *words;
    xmlSchemaTypeType type;
    enum facet_kind kind;
} facets[] = {
    {"minInclusive", "of at least", XML_SCHEMA_FACET_MININCLUSIVE, facet_bound},
    {"minExclusive", "above", XML_SCHEMA_FACET_MINEXCLUSIVE, facet_bound},
    {"maxInclusive", "of at most", XML_SCHEMA_FACET_MAXINCLUSIVE, facet_bound},
    {"maxExclusive", "below", XML_SCHEMA_FACET_MAXEXCLUSIVE, facet_bound},
    {"totalDigits", "with a number of digits up to", XML_SCHEMA_FACET_TOTALDIGITS, facet_count},
    {"fractionDigits", "with a number of decimals up to", XML_SCHEMA_FACET_FRACTIONDIGITS,
     facet_count},
    {"pattern", "that matches", XML_SCHEMA_FACET_PATTERN, facet_pattern},
    {"length", "with a length of", XML_SCHEMA_FACET_LENGTH, facet_count},
    {"minLength", "with a length of at least", XML_SCHEMA_FACET_MINLENGTH, facet_count},
    {"maxLength", "with a length of at most", XML_SCHEMA_FACET_MAXLENGTH, facet_count},
};

/* datatypeLibrary of the pattern or of the nearest element around it. */
static const char *library_of(const struct mr_xml_node *node)
{
    const char *library = NULL;
    for (; node != NULL && library == NULL; node = node->parent)
        library = mr_xml_value(node, "datatypeLibrary");
    return library != NULL ? library : "";
}

static const xmlChar *chars(const char *text)
{
    return (const xmlChar *)text;
}

/* Value of a bound in the type's own space; 0 when it is one. */
static bool is_of_type(xmlSchemaType *type, const char *text)
{
    xmlSchemaVal *value = NULL;
    const int bad = xmlSchemaValPredefTypeNodeNoNorm(type, chars(text), &value, NULL);
    xmlSchemaFreeValue(value);
    return bad == 0;
}

static mr_status add_facet(struct mr_xml_datatype *type, const struct mr_xml_node *param,
                           struct mr_err *err)
{
    const char *name = mr_xml_value(param, "name");
    char shown[MR_QUOTE_CAP];
    size_t i = 0;
    while (i < sizeof facets / sizeof *facets &&
           (name == NULL || strcmp(facets[i].param, name) != 0))
        i++;
    if (i == sizeof facets / sizeof *facets)
        return mr_err_set(err, MR_SCHEMA, mr_xml_place(param), "element <param>: unknown name");
    const bool is_good =
        facets[i].kind == facet_bound ? is_of_type(type->type, param->text)
        : facets[i].kind == facet_count
            ? param->text[0] != '\0' && strspn(param->text, "0123456789") == strlen(param->text)
            : true;
    if (!is_good)
        return mr_err_set(err, MR_SCHEMA, mr_xml_place(param), "element <param>: bad value \"%s\"",
                          mr_text_quote(mr_str_of(param->text), shown));
    xmlSchemaFacet *facet = xmlSchemaNewFacet();
    if (facet == NULL)
        return mr_err_nomem(err, sizeof *facet);
    facet->next = type->facet;
    type->facet = facet;
    facet->type = facets[i].type;
    facet->value = chars(param->text);
    if (xmlSchemaCheckFacet(facet, type->type, NULL, chars("data")) != 0)
        return mr_err_set(err, MR_SCHEMA, mr_xml_place(param),
                          "element <param>: \"%s\" does not go with this type", name);
    mr_buf_printf(&type->text, "%s %s %s", facet->next != NULL ? " and" : "", facets[i].words,
                  param->text);
    return MR_OK;
}

static void describe(struct mr_xml_datatype *type, const char *name)
{
    for (size_t i = 0; i < sizeof type_words / sizeof *type_words; i++)
        if (strcmp(type_words[i].type, name) == 0) {
            mr_buf_text(&type->text, type_words[i].words);
            return;
        }
    mr_buf_printf(&type->text, "a value of type %s", name);
}

static mr_status fill(struct mr_xml_datatype *type, const struct mr_xml_node *data,
                      const char *name, struct mr_err *err)
{
    describe(type, name);
    for (const struct mr_xml_node *param = data->child; param != NULL; param = param->next)
        if (strcmp(mr_xml_local_name(param), "param") == 0)
            MR_TRY(add_facet(type, param, err));
    return mr_buf_check(&type->text, err);
}

mr_status mr_xml_datatype_create(const struct mr_xml_node *data, struct mr_xml_datatype **out,
                                 struct mr_err *err)
{
    /* these need the namespaces or the DTD around the value */
    static const char *const contextual[] = {"QName", "NOTATION", "ENTITY", "ENTITIES"};
    const char *name = mr_xml_value(data, "type");
    char shown[MR_QUOTE_CAP];
    *out = NULL;
    if (name == NULL)
        return mr_err_set(err, MR_SCHEMA, mr_xml_place(data), "element <data>: missing type");
    const bool is_xsd = strcmp(library_of(data), XSD_LIBRARY) == 0;
    if (!is_xsd && (strcmp(name, "string") == 0 || strcmp(name, "token") == 0))
        return MR_OK;
    for (size_t i = 0; i < sizeof contextual / sizeof *contextual; i++)
        if (strcmp(contextual[i], name) == 0)
            return MR_OK;
    xmlSchemaType *predefined =
        is_xsd ? xmlSchemaGetPredefinedType(chars(name), chars(XSD_URI)) : NULL;
    if (predefined == NULL)
        return mr_err_set(err, MR_SCHEMA, mr_xml_place(data),
                          "element <data>: unknown type \"%s\" of data type library \"%s\"",
                          mr_text_quote(mr_str_of(name), shown), library_of(data));
    struct mr_xml_datatype *type = mr_alloc_zero(1, sizeof *type);
    if (type == NULL)
        return mr_err_nomem(err, sizeof *type);
    type->type = predefined;
    const mr_status status = fill(type, data, name, err);
    if (status != MR_OK) {
        mr_xml_datatype_destroy(type);
        return status;
    }
    *out = type;
    return MR_OK;
}

void mr_xml_datatype_destroy(struct mr_xml_datatype *type)
{
    if (type == NULL)
        return;
    while (type->facet != NULL) {
        xmlSchemaFacet *next = type->facet->next;
        xmlSchemaFreeFacet(type->facet);
        type->facet = next;
    }
    mr_buf_fini(&type->text);
    mr_free(type);
}

bool mr_xml_datatype_accepts(const struct mr_xml_datatype *type, const char *value)
{
    xmlSchemaVal *parsed = NULL;
    bool is_good = xmlSchemaValPredefTypeNodeNoNorm(type->type, chars(value), &parsed, NULL) == 0;
    for (xmlSchemaFacet *facet = type->facet; is_good && facet != NULL; facet = facet->next)
        is_good = xmlSchemaValidateFacet(type->type, facet, chars(value), parsed) == 0;
    xmlSchemaFreeValue(parsed);
    return is_good;
}

const char *mr_xml_datatype_text(const struct mr_xml_datatype *type)
{
    return type->text.text;
}
