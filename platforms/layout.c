/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a layout: text, grammar, specs, site. The grammar finds unknown and missing names, the
 * tables bad values, and only a layout without mistakes is expanded, so that every mistake of a
 * file is told at once and the expansion may trust its specs. */
#include "platforms/layout.h"

#include "engine/base/gz.h"
#include "engine/base/mem.h"
#include "engine/base/sha256.h"
#include "engine/base/share.h"
#include "engine/base/xml_schema.h"
#include "platforms/layout_build.h"

enum {
    text_max_bytes = 64 << 20
};

struct mr_layout_reader {
    struct mr_xml_schema *schema;
    struct mr_library *library;
};

mr_status mr_layout_reader_create(struct mr_layout_reader **out, struct mr_err *err)
{
    struct mr_buf path = {0};
    struct mr_layout_reader *reader = *out = mr_alloc_zero(1, sizeof *reader);
    if (reader == NULL)
        return mr_err_nomem(err, sizeof *reader);
    mr_status st = mr_library_create(&reader->library, err);
    if (st == MR_OK)
        st = mr_share_find("platforms/schema/layout.rng", NULL, &path, err);
    if (st == MR_OK)
        st = mr_xml_schema_load(path.text, &reader->schema, err);
    mr_buf_fini(&path);
    if (st != MR_OK) {
        mr_layout_reader_destroy(reader);
        *out = NULL;
    }
    return st;
}

void mr_layout_reader_destroy(struct mr_layout_reader *reader)
{
    if (reader == NULL)
        return;
    mr_xml_schema_destroy(reader->schema);
    mr_library_destroy(reader->library);
    mr_free(reader);
}

/* ---- expansion ---- */

static mr_status describe_site(struct mr_layout_build *build, struct mr_str text)
{
    struct mr_layout_plan *plan = build->plan;
    struct mr_site *site = build->site;
    uint8_t digest[MR_SHA256_BYTES];
    char hex[MR_SHA256_HEX];
    mr_sha256(text.p, text.n, digest);
    mr_sha256_hex(digest, hex);
    site->name = mr_arena_text(&site->arena, mr_str_of(plan->top.name), &plan->err);
    site->path = mr_arena_text(&site->arena, mr_str_of(plan->file), &plan->err);
    site->layout_sha256 = mr_arena_text(&site->arena, mr_str_of(hex), &plan->err);
    if (site->name == NULL || site->path == NULL || site->layout_sha256 == NULL)
        return MR_NOMEM;
    site->layout_path = site->path;
    site->has_props = true;
    site->wet_bulb_c = plan->top.wet_bulb_c;
    site->dry_bulb_c = plan->top.dry_bulb_c;
    site->grid = plan->grid;
    site->grid.at = mr_layout_plan_spot(mr_xml_child(plan->top.node, "grid"));
    return MR_OK;
}

static mr_status expand(struct mr_layout_build *build, struct mr_str text)
{
    static mr_status (*const steps[])(struct mr_layout_build *) = {
        mr_layout_room_build,    mr_layout_cooling_decide, mr_layout_grant_build,
        mr_layout_cooling_build, mr_layout_power_build,    mr_layout_card_fabric,
    };
    const struct mr_diags *diags = build->plan->diags;
    const size_t n_error = diags->n_error;
    MR_TRY(describe_site(build, text));
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        MR_TRY(steps[i](build));
        if (i == 0 && diags->n_error > n_error)
            break; /* rooms that are not whole cannot be cooled */
    }
    return MR_OK;
}

/* Takes a site that is NULL or empty; *out is it, or NULL on error. */
static mr_status plan_and_expand(struct mr_layout_reader *reader, const struct mr_xml_doc *doc,
                                 struct mr_str text, struct mr_layout_plan *plan)
{
    struct mr_layout_build build = {.plan = plan, .site = plan->site};
    const size_t n_error = plan->diags->n_error;
    mr_status st = mr_xml_schema_check(reader->schema, doc, plan->diags);
    if (st == MR_NOMEM)
        return st;
    if (strcmp(mr_xml_root(doc)->name, "layout") != 0)
        return MR_OK; /* another kind of file: the grammar has said so */
    st = mr_layout_plan_read(plan, mr_xml_root(doc));
    if (st == MR_OK && plan->diags->n_error == n_error)
        st = expand(&build, text);
    mr_intern_fini(&build.names);
    mr_free(build.rack);
    mr_free(build.row);
    mr_free(build.hall);
    mr_free(build.power_of);
    return st;
}

mr_status mr_layout_read(struct mr_layout_reader *reader, const char *name, struct mr_str text,
                         struct mr_site **out, struct mr_diags *diags)
{
    struct mr_xml_doc *doc = NULL;
    struct mr_layout_plan plan = {.file = name, .library = reader->library, .diags = diags};
    const size_t n_error = diags->n_error;
    *out = NULL;
    mr_library_forget_misses(reader->library);
    mr_status st = mr_xml_load_text(name, text, NULL, &doc, &plan.err);
    if (st == MR_OK) {
        plan.site = mr_site_create(&plan.err);
        st = plan.site != NULL ? plan_and_expand(reader, doc, text, &plan) : MR_NOMEM;
    }
    if (st == MR_NOMEM && plan.err.status == MR_OK)
        (void)mr_err_nomem(&plan.err, 0);
    if (st != MR_OK)
        (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &plan.err);
    if (diags->n_error > n_error) {
        mr_site_destroy(plan.site);
        plan.site = NULL;
        st = diags->first_error;
    }
    mr_arena_fini(&plan.arena);
    mr_xml_destroy(doc);
    *out = plan.site;
    return st;
}

const struct mr_card *mr_layout_reader_card(const struct mr_layout_reader *reader, size_t i)
{
    return mr_library_nth(reader->library, i);
}

mr_status mr_layout_load_text(const char *name, struct mr_str text, struct mr_site **out,
                              struct mr_diags *diags)
{
    struct mr_layout_reader *reader;
    struct mr_err err = {0};
    *out = NULL;
    if (mr_layout_reader_create(&reader, &err) != MR_OK)
        return mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    const mr_status st = mr_layout_read(reader, name, text, out, diags);
    mr_layout_reader_destroy(reader);
    return st;
}

mr_status mr_layout_load(const char *path, struct mr_site **out, struct mr_diags *diags)
{
    struct mr_gz *file = NULL;
    struct mr_err err = {0};
    char *text = NULL;
    size_t n = 0;
    *out = NULL;
    mr_status st = mr_gz_open(path, &file, &err);
    if (st == MR_OK)
        st = mr_gz_read_all(file, text_max_bytes, &text, &n, &err);
    mr_gz_close(file);
    if (st == MR_OK)
        st = mr_layout_load_text(path, (struct mr_str){text, n}, out, diags);
    else
        (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    mr_free(text);
    return st;
}
