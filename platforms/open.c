/* SPDX-License-Identifier: Apache-2.0 */
/* Layout or platform: the name's ending tells, otherwise the root element. */
#include "platforms/open.h"

#include "engine/base/gz.h"
#include "engine/base/mem.h"
#include "engine/base/xml.h"
#include "platforms/fabric.h"
#include "platforms/layout.h"
#include "platforms/layout_text.h"
#include "platforms/read.h"

static bool ends_with(const char *text, const char *ending)
{
    const size_t n = strlen(text), m = strlen(ending);
    return n >= m && strcmp(text + n - m, ending) == 0;
}

bool mr_open_is_platform(const char *path)
{
    return ends_with(path, ".platform.xml");
}

bool mr_open_is_scenario(const char *path)
{
    return ends_with(path, ".scenario.xml");
}

enum {
    file_max_bytes = 1 << 30
};

/* The root element tells. @param[out] is_layout set on MR_OK */
static mr_status look(const char *path, struct mr_str text, bool *is_layout, struct mr_diags *diags)
{
    static const char *const roots[] = {"layout", "platform"};
    struct mr_xml_doc *doc;
    struct mr_err err = {0};
    mr_status st = mr_xml_load_text(path, text, NULL, &doc, &err);
    if (st != MR_OK)
        return mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    const struct mr_xml_node *root = mr_xml_root(doc);
    *is_layout = strcmp(root->name, roots[0]) == 0;
    if (!*is_layout && strcmp(root->name, roots[1]) != 0) {
        char hint[96], quoted[MR_QUOTE_CAP];
        mr_text_hint(mr_str_of(root->name), roots, 2, hint, sizeof hint);
        st = mr_diags_add(diags, MR_SEVERITY_ERROR, MR_SCHEMA, mr_xml_place(root),
                          "<%s> is neither a layout nor a platform%s",
                          mr_text_quote(mr_str_of(root->name), quoted), hint);
    }
    mr_xml_destroy(doc);
    return st;
}

/* A pipe can be read once: what it gives is kept until the reader has had it. */
static mr_status read_unknown(const char *path, bool *is_layout, struct mr_site **out,
                              struct mr_diags *diags)
{
    struct mr_err err = {0};
    struct mr_gz *file = NULL;
    char *bytes = NULL;
    size_t n = 0;
    mr_status st = mr_gz_open(path, &file, &err);
    if (st == MR_OK)
        st = mr_gz_read_all(file, file_max_bytes, &bytes, &n, &err);
    mr_gz_close(file);
    const struct mr_str text = {bytes, n};
    if (st != MR_OK)
        st = mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    else
        st = look(path, text, is_layout, diags);
    if (st == MR_OK)
        st = *is_layout ? mr_layout_load_text(path, text, out, diags)
                        : mr_read_site_text(path, text, out, diags);
    mr_free(bytes);
    return st;
}

/* The layout's text, changed. @param[out] text mr_buf_fini, after errors too */
static mr_status read_changed(const char *path, const struct mr_layout_change *change, size_t n,
                              struct mr_buf *text, struct mr_err *err)
{
    struct mr_gz *file = NULL;
    char *bytes = NULL;
    size_t n_byte = 0;
    mr_status st = mr_gz_open(path, &file, err);
    if (st == MR_OK)
        st = mr_gz_read_all(file, file_max_bytes, &bytes, &n_byte, err);
    mr_gz_close(file);
    if (st == MR_OK)
        st = mr_layout_change_text(path, (struct mr_str){bytes, n_byte}, change, n, text, err);
    mr_free(bytes);
    return st;
}

mr_status mr_open_layout_text(const char *path, const struct mr_layout_change *change, size_t n,
                              bool *is_layout, struct mr_buf *changed, struct mr_buf *same,
                              struct mr_err *err)
{
    *is_layout = false;
    if (mr_open_is_platform(path))
        return MR_OK;
    MR_TRY(read_changed(path, change, n, changed, err));
    return mr_layout_text(path, (struct mr_str){changed->text, changed->n}, is_layout, same, err);
}

mr_status mr_open_check_changes(const char *path, const struct mr_layout_change *change, size_t n,
                                struct mr_err *err)
{
    struct mr_buf text = {0};
    const mr_status st = n > 0 ? read_changed(path, change, n, &text, err) : MR_OK;
    mr_buf_fini(&text);
    return st;
}

static mr_status load_changed(const char *path, const struct mr_layout_change *change, size_t n,
                              struct mr_site **out, struct mr_diags *diags)
{
    struct mr_err err = {0};
    struct mr_buf text = {0};
    mr_status st = read_changed(path, change, n, &text, &err);
    if (st != MR_OK)
        (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    else
        st = mr_layout_load_text(path, (struct mr_str){text.text, text.n}, out, diags);
    mr_buf_fini(&text);
    return st;
}

static mr_status with_fabric(int level, struct mr_site **out, struct mr_diags *diags)
{
    struct mr_err err = {0};
    if (mr_fabric_build(*out, level, &err) == MR_OK)
        return MR_OK;
    mr_site_destroy(*out);
    *out = NULL;
    return mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
}

mr_status mr_open_site_changed(const char *path, const struct mr_layout_change *change, size_t n,
                               int level, struct mr_site **out, struct mr_diags *diags)
{
    *out = NULL;
    if (n == 0)
        return mr_open_site(path, level, out, diags);
    MR_TRY(load_changed(path, change, n, out, diags));
    return with_fabric(level, out, diags);
}

mr_status mr_open_site(const char *path, int level, struct mr_site **out, struct mr_diags *diags)
{
    mr_status st;
    bool is_layout = ends_with(path, ".layout.xml");
    *out = NULL;
    if (path[0] == '\0')
        return mr_diags_add(diags, MR_SEVERITY_ERROR, MR_IO, MR_NOWHERE, "an empty file name");
    if (is_layout)
        st = mr_layout_load(path, out, diags);
    else if (ends_with(path, ".platform.xml"))
        st = mr_read_site(path, out, diags);
    else
        st = read_unknown(path, &is_layout, out, diags);
    if (st != MR_OK || !is_layout)
        return st;
    return with_fabric(level, out, diags);
}
