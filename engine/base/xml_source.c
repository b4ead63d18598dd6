/* SPDX-License-Identifier: Apache-2.0 */
/* The checks here are those that libxml2 makes late, makes slowly or words badly. Offsets are found
 * in the text itself: a raw "<" can stand neither in an attribute nor in character data, so the
 * last one before the parser's position opens the tag it has just read. */
#include "engine/base/xml_source.h"

#include "engine/base/mem.h"
#include "engine/base/xml.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

/* ---- loading ---- */

static mr_status too_long(const struct mr_xml_source *source, size_t limit_bytes,
                          struct mr_err *err)
{
    return mr_err_set(err, MR_LIMIT, (struct mr_place){source->file, 0, 0},
                      "more than %zu bytes of XML", limit_bytes);
}

static mr_status io_error(const struct mr_xml_source *source, const char *doing, struct mr_err *err)
{
    const int error = errno;
    return mr_err_set(err, MR_IO, (struct mr_place){source->file, 0, 0}, "cannot %s: %s", doing,
                      strerror(error));
}

/* Everything up to the end of the file; its size is a hint, a pipe has none. */
static mr_status read_all(struct mr_xml_source *source, FILE *f, size_t hint_bytes,
                          size_t limit_bytes, struct mr_err *err)
{
    size_t cap = 0;
    MR_TRY(mr_grow(&source->memory, &cap, 1, 1, err));
    if (hint_bytes > 0 && hint_bytes <= limit_bytes) { /* exactly: files may be large */
        mr_free(source->memory);
        cap = hint_bytes + 2;
        source->memory = mr_alloc(cap, 1);
        if (source->memory == NULL)
            return mr_err_nomem(err, cap);
    }
    for (;;) {
        const size_t want = cap - 1 - source->n;
        if (want > 0) {
            const size_t got = fread(source->memory + source->n, 1, want, f);
            source->n += got;
            if (source->n > limit_bytes)
                return too_long(source, limit_bytes, err);
            if (got < want && ferror(f))
                return io_error(source, "read", err);
            if (got < want)
                break;
        }
        MR_TRY(mr_grow(&source->memory, &cap, cap + 1, 1, err));
    }
    source->memory[source->n] = '\0';
    return MR_OK;
}

static void start(struct mr_xml_source *source, const char *file)
{
    *source = (struct mr_xml_source){.file = file, .line = 1};
}

mr_status mr_xml_source_read(struct mr_xml_source *source, const char *file, size_t limit_bytes,
                             struct mr_err *err)
{
    start(source, file);
    const bool is_stdin = strcmp(file, "-") == 0;
    FILE *f = is_stdin ? stdin : fopen(file, "rb");
    if (f == NULL)
        return io_error(source, "open", err);
    struct stat st;
    mr_status status = MR_OK;
    if (fstat(fileno(f), &st) != 0)
        status = io_error(source, "read", err);
    else if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode) && !is_stdin) /* /dev/zero never ends */
        status = mr_err_set(err, MR_IO, (struct mr_place){file, 0, 0}, "cannot read: %s",
                            S_ISDIR(st.st_mode) ? "a folder" : "neither a file nor a pipe");
    if (status == MR_OK) {
        const bool is_regular = S_ISREG(st.st_mode) && st.st_size > 0;
        const uint64_t size_bytes = is_regular ? (uint64_t)st.st_size : 0;
        source->device = (uint64_t)st.st_dev;
        source->inode = (uint64_t)st.st_ino;
        if (size_bytes > limit_bytes)
            status = too_long(source, limit_bytes, err);
        else
            status = read_all(source, f, (size_t)size_bytes, limit_bytes, err);
    }
    if (!is_stdin)
        (void)fclose(f);
    source->text = source->memory;
    if (status != MR_OK)
        mr_xml_source_fini(source);
    return status;
}

mr_status mr_xml_source_copy(struct mr_xml_source *source, const char *file, struct mr_str text,
                             size_t limit_bytes, struct mr_err *err)
{
    start(source, file);
    if (text.n > limit_bytes)
        return too_long(source, limit_bytes, err);
    source->memory = mr_alloc_text(text.p, text.n);
    if (source->memory == NULL)
        return mr_err_nomem(err, text.n);
    source->text = source->memory;
    source->n = text.n;
    return MR_OK;
}

void mr_xml_source_fini(struct mr_xml_source *source)
{
    mr_free(source->memory);
    *source = (struct mr_xml_source){0};
}

/* ---- checks ---- */

/* Length of the pure ASCII start, looked at eight bytes at a time. */
static size_t ascii_len(const char *p, size_t n)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t eight;
        memcpy(&eight, p + i, 8);
        if ((eight & UINT64_C(0x8080808080808080)) != 0)
            break;
    }
    while (i < n && (unsigned char)p[i] < 0x80)
        i++;
    return i;
}

static bool has_prefix(const struct mr_xml_source *source, const char *bytes, size_t n)
{
    return source->n >= n && memcmp(source->text, bytes, n) == 0;
}

static mr_status check_utf16(const struct mr_xml_source *source, struct mr_err *err)
{
    if (!has_prefix(source, "\xFE\xFF", 2) && !has_prefix(source, "\xFF\xFE", 2) &&
        !has_prefix(source, "\0<", 2) && !has_prefix(source, "<\0", 2) &&
        !has_prefix(source, "\0\0", 2))
        return MR_OK;
    return mr_err_set(err, MR_PARSE, (struct mr_place){source->file, 1, 1},
                      "encoding UTF-16 or UTF-32: only UTF-8 is read (save the file as UTF-8)");
}

/* <?xml version="1.0" encoding="NAME"?> may only say what we read anyway. */
static mr_status check_declared(struct mr_xml_source *source, struct mr_err *err)
{
    if (!has_prefix(source, "<?xml", 5) || source->n < 6 || !mr_char_is_space(source->text[5]))
        return MR_OK;
    const char *end = strstr(source->text, "?>");
    const char *key = strstr(source->text, "encoding");
    if (end == NULL || key == NULL || key > end)
        return MR_OK;
    const char *quote = key + strcspn(key, "\"'");
    if (quote >= end)
        return MR_OK; /* malformed: the parser says so */
    const char *close = strchr(quote + 1, *quote);
    if (close == NULL || close > end)
        return MR_OK;
    const struct mr_str name = {quote + 1, (size_t)(close - quote - 1)};
    if (mr_str_eq_nocase(name, MR_STR("UTF-8")) || mr_str_eq_nocase(name, MR_STR("US-ASCII")) ||
        mr_str_eq_nocase(name, MR_STR("ASCII")))
        return MR_OK;
    char shown[MR_QUOTE_CAP];
    return mr_err_set(err, MR_PARSE, mr_xml_source_place(source, (size_t)(name.p - source->text)),
                      "encoding \"%s\": only UTF-8 is read (save the file as UTF-8)",
                      mr_text_quote(name, shown));
}

/* libxml2 compares each attribute of a tag with all others, so their number is bounded first. An
 * attribute takes five bytes, so only long gaps between two "<" need a closer look. A commented
 * element counts as well. */
static mr_status check_attributes(struct mr_xml_source *source, struct mr_err *err)
{
    const char *const end = source->text + source->n;
    const char *tag = memchr(source->text, '<', source->n);
    while (tag != NULL) {
        const char *next = memchr(tag + 1, '<', (size_t)(end - tag - 1));
        const char *const stop = next != NULL ? next : end;
        const bool is_long = stop - tag >= 5 * mr_xml_attribute_max;
        int n = 0;
        for (const char *p = tag + 1; is_long && p < stop && *p != '>'; p++) {
            if (tag[1] == '!' || tag[1] == '?')
                break;
            if (*p != '"' && *p != '\'')
                continue;
            if (++n > mr_xml_attribute_max)
                return mr_err_set(err, MR_LIMIT,
                                  mr_xml_source_place(source, (size_t)(tag - source->text)),
                                  "element with more than %d attributes", mr_xml_attribute_max);
            p = memchr(p + 1, *p, (size_t)(stop - p - 1));
            if (p == NULL)
                break;
        }
        tag = next;
    }
    return MR_OK;
}

mr_status mr_xml_source_check(struct mr_xml_source *source, struct mr_err *err)
{
    if (has_prefix(source, "\xEF\xBB\xBF", 3)) {
        source->text += 3;
        source->n -= 3;
    }
    const char *const p = source->text;
    if (source->n == 0)
        return mr_err_set(err, MR_PARSE, (struct mr_place){source->file, 1, 1},
                          "empty file: expected an XML document");
    MR_TRY(check_utf16(source, err));
    MR_TRY(check_declared(source, err));
    const char *nul = memchr(p, '\0', source->n);
    if (nul != NULL)
        return mr_err_set(err, MR_PARSE, mr_xml_source_place(source, (size_t)(nul - p)),
                          "NUL byte: this is not a text file");
    size_t valid = ascii_len(p, source->n);
    if (valid < source->n)
        valid += mr_utf8_valid_len(p + valid, source->n - valid);
    if (valid < source->n)
        return mr_err_set(err, MR_PARSE, mr_xml_source_place(source, valid),
                          "byte 0x%02X is not UTF-8 (save the file as UTF-8)",
                          (unsigned)(unsigned char)p[valid]);
    return check_attributes(source, err);
}

/* ---- offsets ---- */

struct mr_place mr_xml_source_place(struct mr_xml_source *source, size_t offset)
{
    if (offset > source->n)
        offset = source->n;
    while (source->at < offset) {
        const char *const from = source->text + source->at;
        const char *newline = memchr(from, '\n', offset - source->at);
        if (newline == NULL) {
            source->at = offset;
            break;
        }
        source->line++;
        source->at = source->line_start = (size_t)(newline + 1 - source->text);
    }
    return (struct mr_place){source->file, source->line,
                             (int)(source->at - source->line_start) + 1};
}

size_t mr_xml_source_before(const struct mr_xml_source *source, size_t end, char c)
{
    if (end > source->n)
        end = source->n;
    while (end > 0 && source->text[end - 1] != c)
        end--;
    return end > 0 ? end - 1 : 0;
}

size_t mr_xml_source_name_end(const struct mr_xml_source *source, size_t offset)
{
    const char *const p = source->text;
    size_t i = offset;
    while (i < source->n && !mr_char_is_space(p[i]) && p[i] != '/' && p[i] != '>' && p[i] != '=')
        i++;
    return i;
}

bool mr_xml_source_attribute(const struct mr_xml_source *source, size_t offset,
                             struct mr_xml_span *span)
{
    const char *const p = source->text;
    size_t i = offset;
    while (i < source->n && mr_char_is_space(p[i]))
        i++;
    span->name = i;
    span->name_end = i = mr_xml_source_name_end(source, i);
    if (span->name_end == span->name)
        return false;
    while (i < source->n && p[i] != '"' && p[i] != '\'')
        i++;
    if (i >= source->n)
        return false;
    span->value = i + 1;
    const char *close = memchr(p + i + 1, p[i], source->n - i - 1);
    if (close == NULL)
        return false;
    span->value_end = (size_t)(close - p);
    return true;
}
