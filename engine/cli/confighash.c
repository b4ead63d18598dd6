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
#include "platforms/layout.h"
#include "platforms/library.h"
#include "platforms/open.h"
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

/* ---- sites ---- */

static void put_hash(const struct mr_buf *text, char out[MR_SHA256_HEX])
{
    uint8_t digest[MR_SHA256_BYTES];
    mr_sha256(text->text != NULL ? text->text : "", text->n, digest);
    mr_sha256_hex(digest, out);
}

/* All cards that a site could name. */
static mr_status add_nameable(struct mr_confighash *files, const char *site, struct mr_buf *text,
                              struct mr_err *err)
{
    enum {
        n_kind = 4
    };
    static const struct mr_card_kind *const kinds[n_kind] = {&mr_rack_kind, &mr_cdu_kind,
                                                             &mr_switch_kind, &mr_reject_kind};
    mr_status st = MR_OK;
    for (int k = 0; k < n_kind && st == MR_OK; k++) {
        struct mr_shelf_list list = {0};
        st = mr_shelf_list_add(&list, kinds[k], site, err);
        for (size_t i = 0; i < list.n && st == MR_OK; i++)
            st = add_card(files, kinds[k], list.id[i], site, text, err);
        mr_shelf_list_fini(&list);
    }
    return st;
}

/* Those that it does name, and of its racks their hosts. @param[out] is_good it can be read */
static mr_status add_named(struct mr_confighash *files, const char *site, struct mr_str layout,
                           bool *is_good, struct mr_buf *text, struct mr_err *err)
{
    struct mr_layout_reader *reader;
    struct mr_site *built = NULL;
    struct mr_diags ignored = {0};
    char hash[MR_SHA256_HEX];
    const struct mr_card *card;
    MR_TRY(mr_layout_reader_create(&reader, err));
    *is_good = mr_layout_read(reader, site, layout, &built, &ignored) == MR_OK;
    mr_site_destroy(built);
    mr_status st = MR_OK;
    for (size_t i = 0; (card = mr_layout_reader_card(reader, i)) != NULL && st == MR_OK; i++) {
        st = mr_confighash_file(files, card->path, hash, err);
        mr_buf_printf(text, "%s %s %s\n", card->kind->element, card->id, hash);
        if (st == MR_OK && card->kind == &mr_rack_kind)
            st = add_card(files, &mr_cpu_kind, mr_rack_of(card)->cpu_card, site, text, err);
    }
    mr_layout_reader_destroy(reader);
    return st;
}

/* A layout is what it says with its changes. One that cannot be read, and any platform, is its
 * bytes. */
struct site {
    const char *path; /* NULL: none */
    bool is_layout;
    struct mr_buf changed, same;
};

static void read_site(const struct mr_scenario *s, struct site *site)
{
    struct mr_err ignored = {0};
    *site = (struct site){.path = s->site.file};
    if (site->path != NULL &&
        mr_open_layout_text(site->path, s->layout, s->n_layout, &site->is_layout, &site->changed,
                            &site->same, &ignored) != MR_OK)
        site->is_layout = false;
}

static void site_fini(struct site *site)
{
    mr_buf_fini(&site->changed);
    mr_buf_fini(&site->same);
}

static mr_status hash_site(struct mr_confighash *files, const struct site *site, struct mr_err *err)
{
    struct mr_buf text = {0};
    bool is_good = false;
    mr_status st = MR_OK;
    if (site->is_layout)
        st = add_named(files, site->path, (struct mr_str){site->changed.text, site->changed.n},
                       &is_good, &text, err);
    if (st == MR_OK && !is_good)
        st = add_nameable(files, site->path, &text, err);
    if (st == MR_OK)
        st = mr_buf_check(&text, err);
    if (st == MR_OK)
        put_hash(&text, files->of_site);
    mr_buf_fini(&text);
    return st;
}

/* Once for all rows of a sweep that play on it. */
static mr_status add_site(struct mr_confighash *files, const struct site *site, struct mr_buf *text,
                          struct mr_err *err)
{
    struct mr_buf key = {0};
    if (site->path == NULL)
        return MR_OK;
    if (files->list != NULL)
        return add_nameable(files, site->path, text, err);
    mr_buf_printf(&key, "%s\n%s", site->path, site->is_layout ? site->same.text : "");
    mr_status st = mr_buf_check(&key, err);
    if (st == MR_OK && (files->site == NULL || strcmp(files->site, key.text) != 0)) {
        mr_free(files->site);
        files->site = mr_alloc_text(key.text, key.n);
        st = files->site != NULL ? hash_site(files, site, err) : mr_err_nomem(err, key.n + 1);
    }
    mr_buf_fini(&key);
    mr_buf_printf(text, "cards of the site %s\n", files->of_site);
    return st;
}

static mr_status add_cards(struct mr_confighash *files, const struct mr_scenario *s,
                           const struct site *site, struct mr_buf *text, struct mr_err *err)
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
    return add_site(files, site, text, err);
}

mr_status mr_confighash_list(struct mr_confighash *files, const struct mr_scenario *scenario,
                             struct mr_jsonw *list, struct mr_err *err)
{
    const struct site site = {.path = scenario->site.file};
    struct mr_buf text = {0};
    files->list = list;
    const mr_status st = add_cards(files, scenario, &site, &text, err);
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
    char hash[MR_RUN_REPEAT_FILES][MR_SHA256_HEX], layout[MR_SHA256_HEX];
    struct mr_buf text = {0}, every = {0};
    struct site site;
    mr_status st = MR_OK;
    read_site(scenario, &site);
    if (site.is_layout) {
        put_hash(&site.same, layout);
        copy.site.file = layout;
        copy.n_layout = 0;
    }
    for (size_t i = 0; i < MR_RUN_REPEAT_FILES && st == MR_OK; i++) {
        const char **file = mr_run_repeat_file(&copy, i);
        if (*file == NULL || *file == layout)
            continue;
        st = mr_confighash_file(files, *file, hash[i], err);
        *file = hash[i];
    }
    if (st == MR_OK)
        st = record_as_one(&copy.record, &every, err);
    if (options == NULL) {
        copy.top.seed = 0;
        copy.record = (struct mr_scenario_record){0};
    }
    if (st == MR_OK)
        mr_scenario_write(&copy, &text);
    if (options != NULL)
        mr_buf_printf(&text, "steps_singly %d millrace %s %s dirty %d\n", options->steps_singly,
                      MR_VERSION, MR_GIT_HASH, MR_GIT_DIRTY);
    if (st == MR_OK)
        st = add_cards(files, scenario, &site, &text, err);
    if (st == MR_OK)
        st = mr_buf_check(&text, err);
    if (st == MR_OK)
        put_hash(&text, out);
    site_fini(&site);
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
