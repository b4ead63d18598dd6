/* SPDX-License-Identifier: Apache-2.0 */
/* Where the answer comes from: values that were assumed, program, inputs, and the files themselves
 * by their hashes. */
#include "engine/base/sha256.h"
#include "postprocess/report_impl.h"

#include <stdio.h>

/* Lists that a run may keep about its configuration, one name per line. */
static mr_status list_of(const struct mr_report_file *file, const char *path,
                         const char *const **text, size_t *n, struct mr_err *err)
{
    const struct mr_runread_set *set = file->run != NULL ? mr_runread_find(file->run, path) : NULL;
    *n = 0;
    if (set == NULL || !set->is_text || set->rank > 1)
        return MR_OK;
    *n = set->rank == 0 ? 1 : set->dim[0];
    return mr_runread_texts(file->run, set, text, err);
}

static bool has_line(const char *const *text, size_t n, struct mr_str line)
{
    for (size_t k = 0; k < n; k++)
        for (const char *p = text[k]; *p != '\0'; p += *p == '\n') {
            const size_t length = strcspn(p, "\n");
            if (length == line.n && memcmp(p, line.p, length) == 0)
                return true;
            p += length;
        }
    return false;
}

/* What every other file has, too, stands once, before what only this one has. */
enum share {
    SHARED,
    OWN
};

static mr_status is_shared(const struct mr_report *report, size_t but, const char *path,
                           struct mr_str line, bool *is_it, struct mr_err *err)
{
    *is_it = report->n > 1;
    for (size_t i = 0; i < report->n && *is_it; i++) {
        const char *const *text = NULL;
        size_t n;
        if (i == but)
            continue;
        MR_TRY(list_of(&report->file[i], path, &text, &n, err));
        *is_it = has_line(text, n, line);
    }
    return MR_OK;
}

static mr_status put_lines(const struct mr_report *report, size_t i, const char *path,
                           const char *title, enum share which, struct mr_page *page,
                           struct mr_err *err)
{
    const char *const *text = NULL;
    size_t n, n_line = 0;
    char named[96];
    MR_TRY(list_of(&report->file[i], path, &text, &n, err));
    for (size_t k = 0; k < n; k++)
        for (const char *p = text[k]; *p != '\0'; p += *p == '\n') {
            const struct mr_str line = {p, strcspn(p, "\n")};
            bool is_it;
            p += line.n;
            MR_TRY(is_shared(report, i, path, line, &is_it, err));
            if (is_it != (which == SHARED))
                continue;
            if (n_line++ == 0) {
                if (which == SHARED)
                    mr_page_say(page, "%s, in every file:", title);
                else
                    mr_page_say(page, "%s", mr_report_named(&report->file[i], title, named));
                mr_buf_text(&page->out, "<ul>");
            }
            mr_buf_text(&page->out, "<li>");
            mr_buf_xml(&page->out, line);
            mr_buf_text(&page->out, "</li>\n");
        }
    if (n_line > 0)
        mr_buf_text(&page->out, "</ul>\n");
    return MR_OK;
}

static bool has_list(const struct mr_report *report, const char *path)
{
    for (size_t i = 0; i < report->n; i++)
        if (report->file[i].run != NULL && mr_runread_find(report->file[i].run, path) != NULL)
            return true;
    return false;
}

static mr_status put_list(const struct mr_report *report, const char *path, const char *title,
                          struct mr_page *page, struct mr_err *err)
{
    if (report->n > 1)
        MR_TRY(put_lines(report, 0, path, title, SHARED, page, err));
    for (size_t i = 0; i < report->n; i++)
        MR_TRY(put_lines(report, i, path, title, OWN, page, err));
    return MR_OK;
}

static mr_status hash_of(const char *path, char out[MR_SHA256_HEX], struct mr_err *err)
{
    unsigned char bytes[1 << 14], digest[MR_SHA256_BYTES];
    struct mr_sha256 sha;
    size_t n;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return mr_err_set(err, MR_IO, (struct mr_place){path, 0, 0}, "cannot be read again");
    mr_sha256_init(&sha);
    while ((n = fread(bytes, 1, sizeof bytes, file)) > 0)
        mr_sha256_add(&sha, bytes, n);
    (void)fclose(file);
    mr_sha256_finish(&sha, digest);
    mr_sha256_hex(digest, out);
    return MR_OK;
}

static const char *origin_of(const struct mr_report_file *file, const char *group, const char *name)
{
    for (size_t k = 0; file->run != NULL && k < mr_runread_n_attr(file->run); k++) {
        const struct mr_runread_attr *attr = mr_runread_attr_at(file->run, k);
        if (strcmp(attr->group, group) == 0 && strcmp(attr->name, name) == 0)
            return attr->text;
    }
    return NULL;
}

/* What several files say alike stands once, with all of their letters. */
static mr_status put_origin(const struct mr_report *report, size_t first,
                            const struct mr_runread_attr *attr, struct mr_page_table *table,
                            struct mr_err *err)
{
    struct mr_buf who = {0};
    for (size_t i = 0; i < report->n; i++) {
        const char *text = origin_of(&report->file[i], attr->group, attr->name);
        if (text == NULL || strcmp(text, attr->text) != 0)
            continue;
        if (i < first) {
            mr_buf_fini(&who);
            return MR_OK;
        }
        mr_buf_printf(&who, "%s%s", who.n > 0 ? " " : "", report->file[i].label);
    }
    const mr_status st = mr_buf_check(&who, err);
    if (st == MR_OK) {
        mr_page_row(table);
        if (report->n > 1)
            mr_page_cell(table, who.text);
        mr_page_cell(table, attr->name);
        mr_page_cell(table, attr->text);
    }
    mr_buf_fini(&who);
    return st;
}

static mr_status put_provenance(const struct mr_report *report, struct mr_page *page,
                                struct mr_err *err)
{
    static const char *const head[] = {"file", "what", "value"};
    const size_t skip = report->n > 1 ? 0 : 1;
    struct mr_page_table table;
    mr_page_table(&table, page, "provenance", head + skip, sizeof head / sizeof *head - skip);
    for (size_t i = 0; i < report->n; i++) {
        const struct mr_report_file *file = &report->file[i];
        char hash[MR_SHA256_HEX];
        MR_TRY(hash_of(file->figures.file, hash, err));
        const char *const facts[][2] = {{"file", file->figures.file},
                                        {"SHA-256 of the file", hash}};
        for (size_t k = 0; k < sizeof facts / sizeof *facts; k++) {
            mr_page_row(&table);
            if (skip == 0)
                mr_page_cell(&table, file->label);
            mr_page_cell(&table, facts[k][0]);
            mr_page_cell(&table, facts[k][1]);
        }
    }
    for (size_t i = 0; i < report->n; i++)
        for (size_t k = 0;
             report->file[i].run != NULL && k < mr_runread_n_attr(report->file[i].run); k++) {
            const struct mr_runread_attr *attr = mr_runread_attr_at(report->file[i].run, k);
            if (strcmp(attr->group, "/") == 0 || strcmp(attr->group, "/provenance") == 0)
                MR_TRY(put_origin(report, i, attr, &table, err));
        }
    mr_page_table_end(&table);
    return MR_OK;
}

static mr_status put_configuration(const struct mr_report *report, struct mr_page *page,
                                   struct mr_err *err)
{
    for (size_t i = 0; i < report->n; i++) {
        struct mr_runread *run = report->file[i].run;
        const struct mr_runread_set *set =
            run != NULL ? mr_runread_find(run, "/config/effective") : NULL;
        const char *const *text;
        char named[96];
        if (set == NULL || !set->is_text || set->rank != 0)
            continue;
        MR_TRY(mr_runread_texts(run, set, &text, err));
        mr_buf_text(&page->out, "<details><summary>");
        mr_buf_xml(&page->out,
                   mr_str_of(mr_report_named(&report->file[i], "effective configuration", named)));
        mr_buf_text(&page->out, "</summary><pre class=\"wide\">");
        mr_buf_xml(&page->out, mr_str_of(text[0]));
        mr_buf_text(&page->out, "</pre></details>\n");
    }
    return MR_OK;
}

mr_status mr_report_source(const struct mr_report *report, struct mr_page *page, struct mr_err *err)
{
    static const char *const lists[] = {"/config/assumptions", "/config/assumed"};
    static const char nobody[] = "/config/defaulted";
    mr_buf_text(&page->out, "<h3>Assumptions in force</h3>\n");
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        MR_TRY(put_list(report, lists[i], "Values marked as assumption or estimate", page, err));
    if (has_list(report, nobody)) {
        mr_buf_text(&page->out, "<details><summary>Values that nobody set</summary>\n");
        MR_TRY(put_list(report, nobody, "Values that nobody set", page, err));
        mr_buf_text(&page->out, "</details>\n");
    }
    if (!has_list(report, lists[0]) && !has_list(report, lists[1]) && !has_list(report, nobody))
        mr_page_missing(page, "The file does not list the assumptions behind it; millrace models "
                              "--assumptions has those of all cards.");
    mr_buf_text(&page->out, "<h3>Provenance</h3>\n");
    MR_TRY(put_provenance(report, page, err));
    return put_configuration(report, page, err);
}
