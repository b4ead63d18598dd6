/* SPDX-License-Identifier: Apache-2.0 */
/* Layout or platform: the name's ending tells, otherwise the root element. */
#include "engine/cli/open.h"

#include "engine/base/xml.h"
#include "platforms/fabric.h"
#include "platforms/layout.h"
#include "platforms/read.h"

static bool ends_with(const char *text, const char *ending)
{
    const size_t n = strlen(text), m = strlen(ending);
    return n >= m && strcmp(text + n - m, ending) == 0;
}

/* @param[out] is_layout set on MR_OK */
static mr_status look(const char *path, bool *is_layout, struct mr_diags *diags)
{
    static const char *const roots[] = {"layout", "platform"};
    struct mr_xml_doc *doc;
    struct mr_err err = {0};
    *is_layout = ends_with(path, ".layout.xml");
    if (*is_layout || ends_with(path, ".platform.xml"))
        return MR_OK;
    mr_status st = mr_xml_load(path, NULL, &doc, &err);
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

mr_status mr_open_site(const char *path, int level, struct mr_site **out, struct mr_diags *diags)
{
    bool is_layout;
    struct mr_err err = {0};
    *out = NULL;
    MR_TRY(look(path, &is_layout, diags));
    if (!is_layout)
        return mr_read_site(path, out, diags);
    MR_TRY(mr_layout_load(path, out, diags));
    const mr_status st = mr_fabric_build(*out, level, &err);
    if (st == MR_OK)
        return st;
    mr_site_destroy(*out);
    *out = NULL;
    return mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
}
