/* SPDX-License-Identifier: Apache-2.0 */
/* File names in the effective scenario are replaced by the hashes of what is in them; cards follow
 * by kind and id. */
#include "engine/cli/confighash.h"

#include "engine/base/mem.h"
#include "engine/base/share.h"
#include "engine/base/shelf.h"
#include "engine/cli/run_repeat.h"
#include "engine/twin/record_every.h"
#include "models/cpu.h"
#include "models/gpu.h"
#include "models/llm.h"
#include "models/lpu.h"
#include "models/profile.h"
#include "models/software.h"
#include "platforms/library.h"
#include "revision.h"

/* Beyond the room for hashes, files are read again. */
mr_status mr_confighash_file(struct mr_confighash *files, const char *path, char out[MR_SHA256_HEX],
                             struct mr_err *err)
{
    for (size_t i = 0; i < files->n; i++)
        if (strcmp(files->path[i], path) == 0) {
            memcpy(out, files->hash[i], MR_SHA256_HEX);
            return MR_OK;
        }
    MR_TRY(mr_run_repeat_hash(path, out, err));
    if (files->n == MR_CONFIGHASH_FILES)
        return MR_OK;
    files->path[files->n] = mr_alloc_text(path, strlen(path));
    if (files->path[files->n] == NULL)
        return mr_err_nomem(err, strlen(path) + 1);
    memcpy(files->hash[files->n++], out, MR_SHA256_HEX);
    return MR_OK;
}

/* ---- cards ---- */

/* "gpu gb300 HASH", found as whoever reads it finds it; one that is absent is for the run to tell.
 */
static mr_status add_card(struct mr_confighash *files, const struct mr_card_kind *kind,
                          const char *id, const char *naming_file, struct mr_buf *text,
                          struct mr_err *err)
{
    struct mr_buf file = {0}, path = {0};
    struct mr_err absent = {0};
    char hash[MR_SHA256_HEX] = "";
    if (id == NULL)
        return MR_OK;
    mr_buf_printf(&file, "%s/%s.xml", kind->folder, id);
    mr_status st = mr_buf_check(&file, err);
    if (st == MR_OK && mr_share_find(file.text, naming_file, &path, &absent) == MR_OK)
        st = mr_confighash_file(files, path.text, hash, err);
    if (st == MR_OK && files->list != NULL && hash[0] != '\0') {
        mr_jsonw_object(files->list);
        mr_jsonw_key_text(files->list, "name", file.text);
        mr_jsonw_key_text(files->list, "role", kind->element);
        mr_jsonw_key_text(files->list, "path", path.text);
        mr_jsonw_key_text(files->list, "sha256", hash);
        mr_jsonw_end(files->list);
    }
    mr_buf_fini(&file);
    mr_buf_fini(&path);
    mr_buf_printf(text, "%s %s %s\n", kind->element, id, hash);
    return st;
}

static mr_status add_pool(struct mr_confighash *files, const struct mr_scenario_deployment *d,
                          const char *naming_file, struct mr_buf *text, struct mr_err *err)
{
    MR_TRY(add_card(files, &mr_gpu_kind, d->gpu, naming_file, text, err));
    MR_TRY(add_card(files, &mr_llm_kind, d->llm, naming_file, text, err));
    MR_TRY(add_card(files, &mr_software_kind, d->software, naming_file, text, err));
    return add_card(files, &mr_profile_kind, d->profile, naming_file, text, err);
}

static mr_status hash_site(struct mr_confighash *files, const char *site, char out[MR_SHA256_HEX],
                           struct mr_err *err)
{
    enum {
        n_kind = 4
    };
    static const struct mr_card_kind *const kinds[n_kind] = {&mr_rack_kind, &mr_cdu_kind,
                                                             &mr_switch_kind, &mr_reject_kind};
    uint8_t digest[MR_SHA256_BYTES];
    struct mr_buf text = {0};
    mr_status st = MR_OK;
    for (int k = 0; k < n_kind && st == MR_OK; k++) {
        struct mr_shelf_list list = {0};
        st = mr_shelf_list_add(&list, kinds[k], site, err);
        for (size_t i = 0; i < list.n && st == MR_OK; i++)
            st = add_card(files, kinds[k], list.id[i], site, &text, err);
        mr_shelf_list_fini(&list);
    }
    if (st == MR_OK)
        st = mr_buf_check(&text, err);
    if (st == MR_OK) {
        mr_sha256(text.text != NULL ? text.text : "", text.n, digest);
        mr_sha256_hex(digest, out);
    }
    mr_buf_fini(&text);
    return st;
}

/* Once for all rows of a sweep that play on it. */
static mr_status add_site(struct mr_confighash *files, const char *site, struct mr_buf *text,
                          struct mr_err *err)
{
    if (site == NULL)
        return MR_OK;
    if (files->site == NULL || strcmp(files->site, site) != 0 || files->list != NULL) {
        mr_free(files->site);
        files->site = mr_alloc_text(site, strlen(site));
        if (files->site == NULL)
            return mr_err_nomem(err, strlen(site) + 1);
        MR_TRY(hash_site(files, site, files->of_site, err));
    }
    mr_buf_printf(text, "cards of the site %s\n", files->of_site);
    return MR_OK;
}

static mr_status add_cards(struct mr_confighash *files, const struct mr_scenario *s,
                           struct mr_buf *text, struct mr_err *err)
{
    MR_TRY(add_pool(files, &s->deployment, s->path, text, err));
    if (s->has_prefill)
        MR_TRY(add_pool(files, &s->prefill, s->path, text, err));
    if (s->lpx.way > 0) {
        MR_TRY(add_card(files, &mr_lpu_kind, s->lpx.lpu, s->path, text, err));
        MR_TRY(add_card(files, &mr_llm_kind, s->lpx.llm, s->path, text, err));
    }
    if (s->has_agents)
        MR_TRY(add_card(files, &mr_cpu_kind, s->tools.cpu, s->path, text, err));
    return add_site(files, s->site.file, text, err);
}

mr_status mr_confighash_list(struct mr_confighash *files, const struct mr_scenario *scenario,
                             struct mr_jsonw *list, struct mr_err *err)
{
    struct mr_buf text = {0};
    files->list = list;
    const mr_status st = add_cards(files, scenario, &text, err);
    files->list = NULL;
    mr_buf_fini(&text);
    return st;
}

/* However it is spelled, and flushed. */
static mr_status record_as_one(struct mr_scenario_record *record, struct mr_buf *every_text,
                               struct mr_err *err)
{
    struct mr_record_every every;
    MR_TRY(mr_record_every_parse(record->every, &every, err));
    mr_record_every_write(&every, every_text);
    MR_TRY(mr_buf_check(every_text, err));
    *record = (struct mr_scenario_record){.what = record->what, .every = every_text->text};
    return MR_OK;
}

mr_status mr_confighash_of(struct mr_confighash *files, const struct mr_scenario *scenario,
                           const struct mr_confighash_options *options, char out[MR_SHA256_HEX],
                           struct mr_err *err)
{
    struct mr_scenario copy = *scenario; /* texts stay the scenario's */
    char hash[MR_RUN_REPEAT_FILES][MR_SHA256_HEX];
    uint8_t digest[MR_SHA256_BYTES];
    struct mr_buf text = {0}, every = {0};
    for (size_t i = 0; i < MR_RUN_REPEAT_FILES; i++) {
        const char **file = mr_run_repeat_file(&copy, i);
        if (*file == NULL)
            continue;
        MR_TRY(mr_confighash_file(files, *file, hash[i], err));
        *file = hash[i];
    }
    mr_status st = record_as_one(&copy.record, &every, err);
    if (options == NULL) {
        copy.top.seed = 0;
        copy.record = (struct mr_scenario_record){0};
    }
    mr_scenario_write(&copy, &text);
    if (options != NULL)
        mr_buf_printf(&text, "steps_singly %d millrace %s %s dirty %d\n", options->steps_singly,
                      MR_VERSION, MR_GIT_HASH, MR_GIT_DIRTY);
    if (st == MR_OK)
        st = add_cards(files, scenario, &text, err);
    if (st == MR_OK)
        st = mr_buf_check(&text, err);
    if (st == MR_OK) {
        mr_sha256(text.text, text.n, digest);
        mr_sha256_hex(digest, out);
    }
    mr_buf_fini(&text);
    mr_buf_fini(&every);
    return st;
}

void mr_confighash_fini(struct mr_confighash *files)
{
    for (size_t i = 0; i < files->n; i++)
        mr_free(files->path[i]);
    mr_free(files->site);
    *files = (struct mr_confighash){0};
}
