/* SPDX-License-Identifier: Apache-2.0 */
/* File names in the effective scenario are replaced by the hashes of what is in them. */
#include "engine/cli/confighash.h"

#include "engine/base/mem.h"
#include "engine/cli/run_repeat.h"
#include "revision.h"

/* Beyond the room for hashes, files are read again. */
static mr_status hash_file(struct mr_confighash *files, const char *path, char out[MR_SHA256_HEX],
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

mr_status mr_confighash_of(struct mr_confighash *files, const struct mr_scenario *scenario,
                           const struct mr_confighash_options *options, char out[MR_SHA256_HEX],
                           struct mr_err *err)
{
    struct mr_scenario copy = *scenario; /* texts stay the scenario's */
    char hash[MR_RUN_REPEAT_FILES][MR_SHA256_HEX];
    uint8_t digest[MR_SHA256_BYTES];
    struct mr_buf text = {0};
    for (size_t i = 0; i < MR_RUN_REPEAT_FILES; i++) {
        const char **file = mr_run_repeat_file(&copy, i);
        if (*file == NULL)
            continue;
        MR_TRY(hash_file(files, *file, hash[i], err));
        *file = hash[i];
    }
    mr_scenario_write(&copy, &text);
    mr_buf_printf(&text, "steps_singly %d record_every %.17g millrace %s %s dirty %d\n",
                  options->steps_singly, options->record_every_s, MR_VERSION, MR_GIT_HASH,
                  MR_GIT_DIRTY);
    mr_status st = mr_buf_check(&text, err);
    if (st == MR_OK) {
        mr_sha256(text.text, text.n, digest);
        mr_sha256_hex(digest, out);
    }
    mr_buf_fini(&text);
    return st;
}

void mr_confighash_fini(struct mr_confighash *files)
{
    for (size_t i = 0; i < files->n; i++)
        mr_free(files->path[i]);
    *files = (struct mr_confighash){0};
}
