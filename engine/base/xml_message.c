/* SPDX-License-Identifier: Apache-2.0 */
/* The parser reports where it stopped and what it was looking for; a user needs to know where the
 * mistake is and what to do. Codes not listed keep libxml2's own words. */
#include "engine/base/xml_message.h"

#include <libxml/xmlerror.h>

/* The errors people make, in words about the file and not about the parser. */
static const struct {
    int code;
    const char *text;
} plain_errors[] = {
    {XML_ERR_DOCUMENT_EMPTY, "expected \"<\" of the root element"},
    {XML_ERR_DOCUMENT_END, "nothing may follow the root element"},
    {XML_ERR_INVALID_CHAR, "a character that XML does not allow"},
    {XML_ERR_INVALID_CHARREF, "a character reference must be &#NUMBER; or &#xHEX;"},
    {XML_ERR_INVALID_HEX_CHARREF, "a character reference must be &#NUMBER; or &#xHEX;"},
    {XML_ERR_INVALID_DEC_CHARREF, "a character reference must be &#NUMBER; or &#xHEX;"},
    {XML_ERR_ENTITYREF_SEMICOL_MISSING,
     "\";\" is missing behind an entity (a plain \"&\" must be written \"&amp;\")"},
    {XML_ERR_LT_IN_ATTRIBUTE,
     "\"<\" in an attribute must be written \"&lt;\" (or a quote is missing)"},
    {XML_ERR_ATTRIBUTE_NOT_STARTED, "the value of an attribute must stand in quotes"},
    {XML_ERR_ATTRIBUTE_NOT_FINISHED, "the value of an attribute is never closed by its quote"},
    {XML_ERR_ATTRIBUTE_WITHOUT_VALUE, "an attribute needs a value: =\"...\""},
    {XML_ERR_SPACE_REQUIRED, "white space is missing here"},
    {XML_ERR_GT_REQUIRED, "a tag is not closed by \">\""},
    {XML_ERR_COMMENT_NOT_FINISHED, "a comment is never closed by \"-->\""},
    {XML_ERR_CDATA_NOT_FINISHED, "a CDATA section is never closed by \"]]>\""},
    {XML_ERR_MISPLACED_CDATA_END, "\"]]>\" in text must be written \"]]&gt;\""},
    {XML_ERR_RESERVED_XML_NAME, "<?xml ...?> may stand only at the very start of the file"},
};

/* Where the second of two equal attributes stands in the tag before `end`. */
static size_t repeated_attribute(const struct mr_xml_source *source, size_t end, const char *name)
{
    const size_t tag = mr_xml_source_before(source, end, '<');
    struct mr_xml_span span = {.value_end = mr_xml_source_name_end(source, tag + 1) - 1};
    int n_seen = 0;
    while (name != NULL && mr_xml_source_attribute(source, span.value_end + 1, &span)) {
        const struct mr_str found = {source->text + span.name, span.name_end - span.name};
        const char *colon = memchr(found.p, ':', found.n);
        const size_t skip = colon != NULL ? (size_t)(colon + 1 - found.p) : 0;
        if (mr_str_is((struct mr_str){found.p + skip, found.n - skip}, name) && ++n_seen == 2)
            return span.name;
    }
    return end;
}

/* Elements that are not closed, or not by their own name. @return false for any other error */
static bool is_nesting_error(const struct mr_xml_message *message, struct mr_xml_source *source,
                             struct mr_err *err)
{
    const struct mr_place open_at = message->open_at;
    if (message->open_name == NULL)
        return false;
    if (message->code == XML_ERR_TAG_NAME_MISMATCH) {
        const size_t tag = mr_xml_source_before(source, message->offset, '<');
        const size_t end = mr_xml_source_name_end(source, tag + 2);
        char shown[MR_QUOTE_CAP];
        if (end <= tag + 2)
            return false;
        mr_text_quote((struct mr_str){source->text + tag + 2, end - tag - 2}, shown);
        (void)mr_err_set(err, MR_PARSE, mr_xml_source_place(source, tag),
                         "element <%s> opened at %d:%d is closed by </%s>", message->open_name,
                         open_at.line, open_at.col, shown);
        return true;
    }
    if (message->code != XML_ERR_TAG_NOT_FINISHED)
        return false;
    (void)mr_err_set(err, MR_PARSE, mr_xml_source_place(source, message->offset),
                     "element <%s> opened at %d:%d is never closed", message->open_name,
                     open_at.line, open_at.col);
    return true;
}

void mr_xml_message_clean(const char *text, char out[mr_xml_message_cap])
{
    size_t n = 0;
    struct mr_str s = mr_str_trim(mr_str_of(text != NULL ? text : "invalid"));
    if (s.n > 3 && memcmp(s.p, "xml", 3) == 0) {
        const char *colon = memchr(s.p, ':', s.n);
        const char *space = memchr(s.p, ' ', s.n);
        if (colon != NULL && (space == NULL || colon < space))
            s = mr_str_trim((struct mr_str){colon + 1, (size_t)(s.p + s.n - colon - 1)});
    }
    const size_t valid =
        mr_utf8_valid_len(s.p, s.n < mr_xml_message_cap - 1 ? s.n : mr_xml_message_cap - 1);
    for (size_t i = 0; i < valid; i++)
        out[n++] = (unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7F ? ' ' : s.p[i];
    out[n] = '\0';
}

mr_status mr_xml_message_set(const struct mr_xml_message *message, struct mr_xml_source *source,
                             struct mr_err *err)
{
    const size_t now = message->offset;
    const char *name = message->name != NULL ? message->name : "";
    char text[mr_xml_message_cap], shown[MR_QUOTE_CAP];
    if (message->code == XML_ERR_NO_MEMORY || message->text == NULL) /* no room for the text */
        return mr_err_set(err, MR_NOMEM, MR_NOWHERE, "out of memory (XML parser)");
    if (is_nesting_error(message, source, err))
        return MR_PARSE;
    mr_text_quote(mr_str_of(name), shown);
    if (message->code == XML_ERR_ATTRIBUTE_REDEFINED ||
        message->code == XML_NS_ERR_ATTRIBUTE_REDEFINED)
        return mr_err_set(err, MR_PARSE,
                          mr_xml_source_place(source, repeated_attribute(source, now, name)),
                          "attribute \"%s\" is given twice", shown);
    if (message->code == XML_ERR_NAME_REQUIRED && now > 0 && source->text[now - 1] == '&')
        return mr_err_set(err, MR_PARSE, mr_xml_source_place(source, now - 1),
                          "a plain \"&\" must be written \"&amp;\"");
    if (message->code == XML_ERR_INVALID_CHAR && strstr(message->text, "CharRef") != NULL)
        return mr_err_set(err, MR_PARSE,
                          mr_xml_source_place(source, mr_xml_source_before(source, now, '&')),
                          "a character reference that XML does not allow");
    if (message->code == XML_NS_ERR_UNDEFINED_NAMESPACE)
        return mr_err_set(err, MR_PARSE,
                          mr_xml_source_place(source, mr_xml_source_before(source, now, '<')),
                          "prefix \"%s\" is not bound to a namespace", shown);
    if (message->code == XML_ERR_NAME_TOO_LONG || strstr(message->text, "too long") != NULL ||
        strstr(message->text, "too big") != NULL)
        return mr_err_set(err, MR_LIMIT, mr_xml_source_place(source, now),
                          "a name, attribute or text of more than 50,000 or 10,000,000 bytes");
    for (size_t i = 0; i < sizeof plain_errors / sizeof *plain_errors; i++)
        if (plain_errors[i].code == message->code)
            return mr_err_set(err, MR_PARSE, mr_xml_source_place(source, now), "%s",
                              plain_errors[i].text);
    mr_xml_message_clean(message->text, text);
    return mr_err_set(err, MR_PARSE, mr_xml_source_place(source, now), "not well-formed: %s", text);
}
