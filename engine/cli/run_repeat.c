/* SPDX-License-Identifier: Apache-2.0 */
/* What is written here is read back here. The scenario's own file and cards are listed for people:
 * the effective scenario is in the file, and cards belong to the program, whose version is. */
#define _XOPEN_SOURCE 700 /* realpath */

#include "engine/cli/run_repeat.h"

#include "engine/base/gz.h"
#include "engine/base/json.h"
#include "engine/base/jsonw.h"
#include "engine/base/mem.h"
#include "engine/cli/confighash.h"
#include "engine/record/rundata.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

enum {
    n_role = MR_RUN_REPEAT_FILES
};

static const char *const roles[n_role] = {"workload", "site",    "weather",   "price",
                                          "carbon",   "sun",     "frequency", "agents",
                                          "windows",  "lengths", "targets"};

/* What --set calls them. */
static const char *const settings[n_role] = {"workload/file",    "site/file",   "weather/file",
                                             "grid/price",       "grid/carbon", "grid/sun",
                                             "grid/frequency",   "agents/file", "workload/windows",
                                             "workload/lengths", "grid/targets"};

const char *mr_run_repeat_role(size_t i)
{
    return roles[i];
}

const char **mr_run_repeat_file(struct mr_scenario *scenario, size_t role)
{
    const char **const files[n_role] = {
        &scenario->workload.file,    &scenario->site.file,   &scenario->weather.file,
        &scenario->grid.price,       &scenario->grid.carbon, &scenario->grid.sun,
        &scenario->grid.frequency,   &scenario->agents.file, &scenario->workload.windows,
        &scenario->workload.lengths, &scenario->grid.targets};
    return files[role];
}

mr_status mr_run_repeat_hash(const char *path, char out[MR_SHA256_HEX], struct mr_err *err)
{
    struct mr_gz *file = NULL;
    struct mr_sha256 sha;
    static const size_t n_max = 1 << 16;
    uint8_t digest[MR_SHA256_BYTES];
    unsigned char *bytes = mr_alloc(n_max, 1);
    size_t n = 0;
    if (bytes == NULL)
        return mr_err_nomem(err, n_max);
    mr_sha256_init(&sha);
    mr_status st = mr_gz_open(path, &file, err);
    while (st == MR_OK) {
        st = mr_gz_read(file, bytes, n_max, &n, err);
        if (st != MR_OK || n == 0)
            break;
        mr_sha256_add(&sha, bytes, n);
    }
    mr_gz_close(file);
    mr_free(bytes);
    mr_sha256_finish(&sha, digest);
    mr_sha256_hex(digest, out);
    return st;
}

/* @param[in] first where it was first; NULL: there */
static mr_status put_input(struct mr_jsonw *w, const char *role, const char *path,
                           const char *first, struct mr_confighash *hashes, struct mr_err *err)
{
    char hash[MR_SHA256_HEX];
    struct stat info;
    MR_TRY(mr_confighash_file(hashes, path, hash, err));
    char full[PATH_MAX];
    const bool is_known = realpath(path, full) != NULL;
    mr_jsonw_object(w);
    mr_jsonw_key_text(w, "role", role);
    mr_jsonw_key_text(w, "path", first != NULL ? first : is_known ? full : path);
    mr_jsonw_key_text(w, "sha256", hash);
    if (stat(path, &info) == 0)
        mr_jsonw_key_u64(w, "bytes", (uint64_t)info.st_size);
    mr_jsonw_end(w);
    return MR_OK;
}

struct mr_scenario mr_run_repeat_shown(const struct mr_scenario *scenario,
                                       const struct mr_run_files *files)
{
    struct mr_scenario shown = *scenario;
    for (size_t i = 0; i < n_role; i++)
        if (files->shown[i] != NULL)
            *mr_run_repeat_file(&shown, i) = files->shown[i];
    return shown;
}

mr_status mr_run_repeat_inputs(const struct mr_scenario *scenario, const struct mr_run_files *files,
                               struct mr_confighash *hashes, bool steps_singly, struct mr_buf *out,
                               struct mr_err *err)
{
    struct mr_jsonw w;
    struct mr_scenario copy = *scenario;
    mr_jsonw_init(&w, out, 0);
    mr_jsonw_object(&w);
    mr_jsonw_key_bool(&w, "steps_singly", steps_singly);
    mr_jsonw_key(&w, "files");
    mr_jsonw_array(&w);
    for (size_t i = 0; i < n_role; i++)
        if (*mr_run_repeat_file(&copy, i) != NULL)
            MR_TRY(put_input(&w, roles[i], *mr_run_repeat_file(&copy, i), files->origin[i], hashes,
                             err));
    if (scenario->path != NULL && !mr_rundata_is(scenario->path))
        MR_TRY(put_input(&w, "scenario", scenario->path, NULL, hashes, err));
    MR_TRY(mr_confighash_list(hashes, scenario, &w, err));
    mr_jsonw_end(&w);
    mr_jsonw_end(&w);
    return mr_buf_check(out, err);
}

/* ---- back ---- */

struct input {
    size_t role;
    uint64_t n_byte;
    char path[PATH_MAX], sha256[MR_SHA256_HEX];
};

static mr_status read_input(struct mr_json *r, struct input *input, struct mr_err *err)
{
    struct mr_str key, text;
    bool has_more;
    *input = (struct input){.role = n_role};
    MR_TRY(mr_json_enter_object(r, err));
    for (;;) {
        MR_TRY(mr_json_key(r, &key, &has_more, err));
        if (!has_more)
            return MR_OK;
        const bool is_role = mr_str_is(key, "role"), is_path = mr_str_is(key, "path");
        const bool is_hash = mr_str_is(key, "sha256");
        if (mr_str_is(key, "bytes")) {
            MR_TRY(mr_json_u64(r, &input->n_byte, err));
            continue;
        }
        if (!is_role && !is_path && !is_hash) {
            MR_TRY(mr_json_skip(r, err));
            continue;
        }
        MR_TRY(mr_json_str(r, &text, err));
        if (is_role)
            input->role = mr_json_key_index(text, roles, n_role);
        else if (is_path)
            mr_str_copy(text, input->path, sizeof input->path);
        else
            mr_str_copy(text, input->sha256, sizeof input->sha256);
    }
}

static mr_status check_input(const struct input *input, const char *path, struct mr_err *err)
{
    char hash[MR_SHA256_HEX];
    struct mr_err gone = {0};
    const struct mr_place at = {path, 0, 0};
    if (mr_run_repeat_hash(input->path, hash, &gone) != MR_OK)
        return mr_err_set(err, MR_REF, at,
                          "%s, the %s of this run, cannot be read (%s): it was %llu bytes of "
                          "SHA-256 %s, and is too large for a result file to keep: put it back "
                          "there",
                          input->path, roles[input->role], gone.text,
                          (unsigned long long)input->n_byte, input->sha256);
    if (strcmp(hash, input->sha256) == 0)
        return MR_OK;
    return mr_err_set(err, MR_REF, at,
                      "%s has changed since this run (SHA-256 %.12s, now %.12s): the run cannot be "
                      "repeated; play its scenario instead",
                      input->path, input->sha256, hash);
}

static bool has_word(const struct mr_buf *list, struct mr_str word)
{
    for (size_t at = 0; list->text != NULL && at < list->n; at++) {
        size_t n = 0;
        while (at + n < list->n && list->text[at + n] != ' ')
            n++;
        if (n == word.n && memcmp(list->text + at, word.p, n) == 0)
            return true;
        at += n;
    }
    return false;
}

/* A file as the effective scenario names it: what was found is that, behind a folder or not. */
static const char *shown_of(const struct mr_buf *effective, const char *found)
{
    const size_t n_all = strlen(found);
    for (const char *at = found; at != NULL;
         at = strchr(at, '/') != NULL ? strchr(at, '/') + 1 : NULL)
        for (const char *p = effective->text; (p = strstr(p, at)) != NULL; p++)
            if (p > effective->text && p[-1] == '"' && p[n_all - (size_t)(at - found)] == '"')
                return at;
    return found;
}

/* One that --set names is not the run's. */
static mr_status take_input(const struct input *input, const char *path,
                            const struct mr_buf *effective, struct mr_scenario *scenario,
                            struct mr_run_files *files, struct mr_err *err)
{
    const char **file = mr_run_repeat_file(scenario, input->role);
    if (*file == NULL || has_word(&scenario->overridden, mr_str_of(settings[input->role])))
        return MR_OK;
    if (!files->is_kept[input->role])
        MR_TRY(check_input(input, path, err));
    files->shown[input->role] = shown_of(effective, *file);
    *file = mr_arena_text(&scenario->texts, mr_str_of(input->path), err);
    files->origin[input->role] = *file;
    return *file != NULL ? MR_OK : MR_NOMEM;
}

static mr_status read_files(struct mr_json *r, const char *path, const struct mr_buf *effective,
                            struct mr_scenario *scenario, struct mr_run_files *files,
                            struct mr_err *err)
{
    struct input input;
    bool has_more;
    MR_TRY(mr_json_enter_array(r, err));
    for (;;) {
        MR_TRY(mr_json_array_more(r, &has_more, err));
        if (!has_more)
            return MR_OK;
        MR_TRY(read_input(r, &input, err));
        if (input.role < n_role)
            MR_TRY(take_input(&input, path, effective, scenario, files, err));
    }
}

static mr_status read_inputs(struct mr_json *r, const char *path, const struct mr_buf *effective,
                             struct mr_scenario *scenario, bool *steps_singly,
                             struct mr_run_files *files, struct mr_err *err)
{
    struct mr_str key;
    bool has_more;
    MR_TRY(mr_run_files_kept(files, path, err));
    MR_TRY(mr_json_document(r, &has_more, err));
    MR_TRY(mr_json_enter_object(r, err));
    for (;;) {
        MR_TRY(mr_json_key(r, &key, &has_more, err));
        if (!has_more)
            return MR_OK;
        if (mr_str_is(key, "steps_singly"))
            MR_TRY(mr_json_bool(r, steps_singly, err));
        else if (mr_str_is(key, "files"))
            MR_TRY(read_files(r, path, effective, scenario, files, err));
        else
            MR_TRY(mr_json_skip(r, err));
    }
}

/* ---- where values come from ---- */

/* Words of `from` that are not in `but`, after those that are there. */
static void add_words(struct mr_buf *out, const struct mr_buf *from, const struct mr_buf *but)
{
    for (size_t at = 0; from->text != NULL && at < from->n; at++) {
        struct mr_str word = {from->text + at, 0};
        while (at + word.n < from->n && word.p[word.n] != ' ')
            word.n++;
        at += word.n;
        if (word.n > 0 && !has_word(but, word))
            mr_buf_printf(out, "%s%.*s", out->n > 0 ? " " : "", (int)word.n, word.p);
    }
}

/* The effective scenario gives everything; who gave it at first is told by the file. */
static mr_status restore_origins(const char *path, struct mr_scenario *scenario, struct mr_err *err)
{
    const struct mr_buf now = scenario->overridden; /* by this command line */
    struct {
        const char *name;
        struct mr_buf *list, old, text;
    } part[] = {{.name = "/config/used", .list = &scenario->given},
                {.name = "/config/defaulted", .list = &scenario->defaulted},
                {.name = "/config/overridden", .list = &scenario->overridden}};
    mr_status st = MR_OK;
    for (size_t i = 0; i < sizeof part / sizeof *part && st == MR_OK; i++) {
        st = mr_rundata_text(path, part[i].name, &part[i].old, err);
        add_words(&part[i].text, &part[i].old, &now);
        if (part[i].list == &scenario->overridden)
            add_words(&part[i].text, &now, &(struct mr_buf){0});
        if (st == MR_OK)
            st = mr_buf_check(&part[i].text, err);
        mr_buf_fini(&part[i].old);
    }
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        struct mr_buf *gone = st == MR_OK ? part[i].list : &part[i].text;
        struct mr_buf kept = part[i].text;
        mr_buf_fini(gone);
        if (st == MR_OK)
            *part[i].list = kept;
    }
    return st;
}

mr_status mr_run_repeat_load(const char *path, const char *const *set, size_t n_set,
                             struct mr_scenario *scenario, bool *steps_singly,
                             struct mr_run_files *files, struct mr_diags *diags)
{
    struct mr_buf effective = {0}, inputs = {0};
    struct mr_json *r = NULL;
    struct mr_err err = {0};
    *scenario = (struct mr_scenario){0};
    mr_status st = mr_rundata_check(path, &err);
    if (st == MR_OK)
        st = mr_rundata_text(path, "/config/effective", &effective, &err);
    if (st == MR_OK)
        st = mr_rundata_text(path, "/provenance/inputs", &inputs, &err);
    if (st == MR_OK && mr_scenario_load_text(path, (struct mr_str){effective.text, effective.n},
                                             set, n_set, scenario, diags) == MR_OK) {
        st = mr_json_open_memory(inputs.text, inputs.n, path, NULL, &r, &err);
        if (st == MR_OK)
            st = read_inputs(r, path, &effective, scenario, steps_singly, files, &err);
        if (st == MR_OK)
            st = restore_origins(path, scenario, &err);
        if (st == MR_OK)
            st = mr_run_files_restore(files, path, scenario, &err);
        mr_json_close(r);
    }
    (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    mr_buf_fini(&effective);
    mr_buf_fini(&inputs);
    return st != MR_OK ? st : diags->first_error;
}
