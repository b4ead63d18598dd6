/* SPDX-License-Identifier: Apache-2.0 */
/* Each file is {"name", "role", "sha256", "text"}, or "packed" for "text" (run_pack.h): the name of
 * a card is where share folders have it ("models/gpus/b200.xml"), so that an unpacked folder is one
 * of those; that of a site its own, so that cards beside it are found first; that of another input
 * is in a folder of its role. Names come out of a file that anybody may have made: none
 * leaves the folder. Map: writing - items - unpacking. */
#define _XOPEN_SOURCE 700 /* mkdtemp, nftw */
#include "engine/cli/run_files.h"

#include "engine/base/file.h"
#include "engine/base/gz.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/base/share.h"
#include "engine/cli/run_pack.h"
#include "engine/cli/run_repeat.h"
#include "engine/record/rundata.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char dataset[] = "/config/files", role_site[] = "site";

/* ---- writing ---- */

/* Where texts go, and what is known of them. */
struct writer {
    struct mr_jsonw *w;
    struct mr_confighash *hashes;
};

static mr_status put_packed(struct mr_jsonw *w, const char *bytes, size_t n, struct mr_err *err)
{
    struct mr_buf packed = {0};
    const mr_status st = mr_run_pack(bytes, n, &packed, err);
    if (st == MR_OK) {
        mr_jsonw_key(w, "packed");
        mr_jsonw_str(w, (struct mr_str){packed.text, packed.n});
    }
    mr_buf_fini(&packed);
    return st;
}

static mr_status put_text(const struct writer *to, const char *name, const char *role,
                          const char *path, bool is_packed, struct mr_err *err)
{
    struct mr_jsonw *w = to->w;
    struct mr_gz *gz = NULL;
    char *bytes = NULL, hash[MR_SHA256_HEX];
    size_t n = 0;
    MR_TRY(mr_confighash_file(to->hashes, path, hash, err));
    mr_status st = mr_gz_open(path, &gz, err);
    if (st == MR_OK)
        st = mr_gz_read_all(gz, is_packed ? MR_RUN_FILES_INPUT_BYTES : MR_RUN_FILES_MAX_BYTES,
                            &bytes, &n, err);
    mr_gz_close(gz);
    if (st == MR_LIMIT || (st == MR_OK && !is_packed && mr_utf8_valid_len(bytes, n) != n)) {
        *err = (struct mr_err){0}; /* by path and hash alone */
        mr_free(bytes);
        return MR_OK;
    }
    if (st == MR_OK) {
        mr_jsonw_object(w);
        mr_jsonw_key_text(w, "name", name);
        mr_jsonw_key_text(w, "role", role);
        mr_jsonw_key_text(w, "sha256", hash);
        if (is_packed) {
            st = put_packed(w, bytes, n, err);
        } else {
            mr_jsonw_key(w, "text");
            mr_jsonw_str(w, (struct mr_str){bytes, n});
        }
        mr_jsonw_end(w);
    }
    mr_free(bytes);
    return st;
}

struct item {
    char name[PATH_MAX], role[64], path[PATH_MAX], sha256[MR_SHA256_HEX];
    struct mr_str text; /* of the reader: until it reads on */
    bool is_packed;
};

/* The text of an item comes last. */
static mr_status read_item(struct mr_json *r, struct item *item, struct mr_err *err)
{
    struct mr_str key, text;
    bool has_more;
    *item = (struct item){.text = {NULL, 0}};
    MR_TRY(mr_json_enter_object(r, err));
    for (;;) {
        MR_TRY(mr_json_key(r, &key, &has_more, err));
        if (!has_more)
            return MR_OK;
        const bool is_name = mr_str_is(key, "name"), is_role = mr_str_is(key, "role");
        const bool is_path = mr_str_is(key, "path"), is_hash = mr_str_is(key, "sha256");
        MR_TRY(mr_json_str(r, &text, err));
        if (is_name)
            mr_str_copy(text, item->name, sizeof item->name);
        else if (is_role)
            mr_str_copy(text, item->role, sizeof item->role);
        else if (is_path)
            mr_str_copy(text, item->path, sizeof item->path);
        else if (is_hash)
            mr_str_copy(text, item->sha256, sizeof item->sha256);
        else {
            item->is_packed = mr_str_is(key, "packed");
            item->text = text;
        }
    }
}

typedef mr_status take_item(void *context, const struct item *item, struct mr_err *err);

static mr_status each_item(const struct mr_buf *json, const char *name, take_item *take,
                           void *context, struct mr_err *err)
{
    struct mr_json *r = NULL;
    struct item *item = mr_alloc(1, sizeof *item);
    bool has_more = false;
    if (item == NULL)
        return mr_err_nomem(err, sizeof *item);
    mr_status st = mr_json_open_memory(json->text, json->n, name, NULL, &r, err);
    if (st == MR_OK)
        st = mr_json_document(r, &has_more, err);
    if (st == MR_OK)
        st = mr_json_enter_array(r, err);
    while (st == MR_OK) {
        st = mr_json_array_more(r, &has_more, err);
        if (st != MR_OK || !has_more)
            break;
        st = read_item(r, item, err);
        if (st == MR_OK)
            st = take(context, item, err);
    }
    mr_json_close(r);
    mr_free(item);
    return st;
}

static mr_status write_card(void *context, const struct item *item, struct mr_err *err)
{
    return put_text(context, item->name, item->role, item->path, false, err);
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* All but the site, where they are small enough. */
static mr_status write_inputs(const struct writer *to, const struct mr_scenario *scenario,
                              struct mr_err *err)
{
    struct mr_scenario copy = *scenario;
    struct mr_buf name = {0};
    mr_status st = MR_OK;
    for (size_t i = 0; i < MR_RUN_FILES_INPUTS && st == MR_OK; i++) {
        const char *role = mr_run_repeat_role(i), *path = *mr_run_repeat_file(&copy, i);
        if (path == NULL || strcmp(role, role_site) == 0)
            continue;
        mr_buf_clear(&name);
        mr_buf_printf(&name, "inputs/%s/%s", role, name_of(path));
        st = mr_buf_check(&name, err);
        if (st == MR_OK)
            st = put_text(to, name.text, role, path, true, err);
    }
    mr_buf_fini(&name);
    return st;
}

mr_status mr_run_files_write(const struct mr_scenario *scenario, struct mr_confighash *hashes,
                             struct mr_buf *out, struct mr_err *err)
{
    struct mr_buf list = {0};
    struct mr_jsonw w;
    struct writer to = {&w, hashes};
    mr_status st = MR_OK;
    mr_jsonw_init(&w, &list, 0);
    mr_jsonw_array(&w);
    st = mr_confighash_list(hashes, scenario, &w, err);
    mr_jsonw_end(&w);
    mr_jsonw_init(&w, out, 0);
    mr_jsonw_array(&w);
    if (st == MR_OK && scenario->site.file != NULL)
        st =
            put_text(&to, name_of(scenario->site.file), role_site, scenario->site.file, false, err);
    if (st == MR_OK)
        st = mr_buf_check(&list, err);
    if (st == MR_OK)
        st = each_item(&list, "cards", write_card, &to, err);
    if (st == MR_OK)
        st = write_inputs(&to, scenario, err);
    mr_jsonw_end(&w);
    mr_buf_fini(&list);
    return st == MR_OK ? mr_buf_check(out, err) : st;
}

/* ---- unpacking ---- */

/* @return MR_RUN_FILES_INPUTS: it is a card */
static size_t input_of(const struct item *item)
{
    size_t i = 0;
    while (i < MR_RUN_FILES_INPUTS && strcmp(item->role, mr_run_repeat_role(i)) != 0)
        i++;
    return i;
}

static mr_status see(void *context, const struct item *item, struct mr_err *err)
{
    struct mr_run_files *files = context;
    (void)err;
    if (input_of(item) < MR_RUN_FILES_INPUTS)
        files->is_kept[input_of(item)] = true;
    return MR_OK;
}

mr_status mr_run_files_kept(struct mr_run_files *files, const char *run, struct mr_err *err)
{
    struct mr_buf json = {0};
    if (!mr_rundata_has(run, dataset))
        return MR_OK;
    mr_status st = mr_rundata_text(run, dataset, &json, err);
    if (st == MR_OK)
        st = each_item(&json, run, see, files, err);
    mr_buf_fini(&json);
    return st;
}

struct restore {
    struct mr_run_files *files;
    const char *run;
    struct mr_scenario *scenario;
    bool is_needed;
};

/* @param[in] by whoever names the card; NULL: nobody @return is it what it was? */
static bool is_same_card(const struct item *item, const char *by)
{
    struct mr_buf path = {0};
    struct mr_err err = {0};
    char hash[MR_SHA256_HEX];
    const bool is_good = by == NULL || (mr_share_find(item->name, by, &path, &err) == MR_OK &&
                                        mr_run_repeat_hash(path.text, hash, &err) == MR_OK &&
                                        strcmp(hash, item->sha256) == 0);
    mr_buf_fini(&path);
    return is_good;
}

/* Where it is looked for, by all who do. One that another was set for is nobody's. */
static bool is_same_for_all(const struct restore *r, const struct item *item)
{
    struct mr_err err = {0};
    char hash[MR_SHA256_HEX];
    const size_t input = input_of(item);
    if (input == MR_RUN_FILES_INPUTS)
        return is_same_card(item, r->scenario->site.file) && is_same_card(item, r->run);
    const char *path = *mr_run_repeat_file(r->scenario, input);
    return path == NULL || r->files->origin[input] == NULL ||
           (mr_run_repeat_hash(path, hash, &err) == MR_OK && strcmp(hash, item->sha256) == 0);
}

static mr_status look(void *context, const struct item *item, struct mr_err *err)
{
    struct restore *r = context;
    (void)err;
    r->is_needed = r->is_needed || !is_same_for_all(r, item);
    return MR_OK;
}

static mr_status look_again(void *context, const struct item *item, struct mr_err *err)
{
    const struct restore *r = context;
    if (is_same_for_all(r, item))
        return MR_OK;
    return mr_err_set(err, MR_REF, (struct mr_place){r->run, 0, 0},
                      "%s: another file of that name is found before the one that the run read "
                      "(SHA-256 %.12s): take it away from beside %s",
                      item->name, item->sha256, r->run);
}

/* Folders of a name within the one of all. No part of it is "..", or empty. */
static mr_status make_folders(const struct restore *r, const char *name, struct mr_buf *path,
                              struct mr_err *err)
{
    mr_buf_clear(path);
    mr_buf_text(path, r->files->folder.text);
    for (const char *part = name;;) {
        const size_t n = strcspn(part, "/");
        if (n == 0 || (n == 1 && part[0] == '.') || (n == 2 && memcmp(part, "..", 2) == 0))
            return mr_err_set(err, MR_SCHEMA, (struct mr_place){r->run, 0, 0},
                              "dataset %s: \"%s\" is no name of a file", dataset, name);
        mr_buf_char(path, '/');
        mr_buf_add(path, part, n);
        MR_TRY(mr_buf_check(path, err));
        if (part[n] == '\0')
            return MR_OK;
        if (mkdir(path->text, 0700) != 0 && errno != EEXIST)
            return mr_err_set(err, MR_IO, (struct mr_place){path->text, 0, 0},
                              "cannot be created: %s", strerror(errno));
        part += n + 1;
    }
}

static mr_status write_item(const struct restore *r, const struct item *item, const char *path,
                            struct mr_err *err)
{
    char *bytes = NULL;
    size_t n = 0;
    if (!item->is_packed)
        return mr_file_write(path, true, item->text, err);
    MR_TRY(mr_run_unpack(item->text, r->run, MR_RUN_FILES_INPUT_BYTES, &bytes, &n, err));
    const mr_status st = mr_file_write(path, true, (struct mr_str){bytes, n}, err);
    mr_free(bytes);
    return st;
}

static mr_status unpack(void *context, const struct item *item, struct mr_err *err)
{
    struct restore *r = context;
    struct mr_buf path = {0};
    const size_t input = input_of(item);
    mr_status st = make_folders(r, item->name, &path, err);
    if (st == MR_OK)
        st = write_item(r, item, path.text, err);
    if (st == MR_OK && input < MR_RUN_FILES_INPUTS && r->files->origin[input] != NULL) {
        const char **file = mr_run_repeat_file(r->scenario, input);
        *file = mr_arena_text(&r->scenario->texts, mr_str_of(path.text), err);
        st = *file != NULL ? MR_OK : MR_NOMEM;
    }
    mr_buf_fini(&path);
    return st;
}

static mr_status make_folder(struct mr_run_files *files, struct mr_err *err)
{
    const char *folder = getenv("TMPDIR");
    mr_buf_printf(&files->folder, "%s/millrace-run-XXXXXX",
                  folder != NULL && folder[0] != '\0' ? folder : "/tmp");
    MR_TRY(mr_buf_check(&files->folder, err));
    if (mkdtemp(files->folder.text) != NULL)
        return MR_OK;
    const mr_status st = mr_err_set(err, MR_IO, (struct mr_place){files->folder.text, 0, 0},
                                    "cannot be created: %s", strerror(errno));
    mr_buf_fini(&files->folder);
    return st;
}

/* Cards are looked for there before all folders but that of the file that names them. */
static mr_status search_there(const struct mr_run_files *files, struct mr_err *err)
{
    const char *before = getenv("MILLRACE_PATH");
    struct mr_buf path = {0};
    mr_buf_text(&path, files->folder.text);
    if (before != NULL && before[0] != '\0')
        mr_buf_printf(&path, ":%s", before);
    mr_status st = mr_buf_check(&path, err);
    if (st == MR_OK && setenv("MILLRACE_PATH", path.text, 1) != 0)
        st = mr_err_nomem(err, path.n);
    mr_buf_fini(&path);
    return st;
}

mr_status mr_run_files_restore(struct mr_run_files *files, const char *run,
                               struct mr_scenario *scenario, struct mr_err *err)
{
    struct restore r = {.files = files, .run = run, .scenario = scenario};
    struct mr_buf json = {0};
    if (!mr_rundata_has(run, dataset))
        return MR_OK;
    mr_status st = mr_rundata_text(run, dataset, &json, err);
    if (st == MR_OK)
        st = each_item(&json, run, look, &r, err);
    if (st == MR_OK && r.is_needed) {
        st = make_folder(files, err);
        if (st == MR_OK)
            st = each_item(&json, run, unpack, &r, err);
        if (st == MR_OK)
            st = search_there(files, err);
        if (st == MR_OK)
            st = each_item(&json, run, look_again, &r, err);
    }
    mr_buf_fini(&json);
    return st;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

void mr_run_files_forget(struct mr_run_files *files)
{
    enum {
        n_open = 16
    };
    if (files->folder.n > 0)
        (void)nftw(files->folder.text, remove_one, n_open, FTW_DEPTH | FTW_PHYS);
    mr_buf_fini(&files->folder);
}
