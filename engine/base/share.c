/* SPDX-License-Identifier: Apache-2.0 */
/* The search path. The program finds itself through /proc/self/exe, so an installed tree may be
 * moved; where no /proc is mounted, by the path it was started under. */
#include "engine/base/share.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

static void add_folder(struct mr_buf *folders, const char *p, size_t n)
{
    if (n == 0)
        return;
    if (folders->n > 0)
        mr_buf_char(folders, ':');
    mr_buf_add(folders, p, n);
}

static void add_joined(struct mr_buf *folders, const char *folder, size_t n, const char *tail)
{
    add_folder(folders, folder, n);
    mr_buf_char(folders, '/');
    mr_buf_text(folders, tail);
}

static const char landmark[] = "platforms/schema/layout.rng"; /* is in every tree of ours */

static bool has_landmark(struct mr_buf *folders, const char *folder, size_t n)
{
    struct mr_buf file = {0};
    mr_buf_add(&file, folder, n);
    mr_buf_char(&file, '/');
    mr_buf_text(&file, landmark);
    if (file.status != MR_OK)
        folders->status = file.status;
    const bool is_there = file.status == MR_OK && access(file.text, R_OK) == 0;
    mr_buf_fini(&file);
    return is_there;
}

/* An installed tree, PREFIX/share/millrace beside PREFIX/bin, and the source tree that a build
 * folder, however deep, stands in. */
static void add_beside_program(struct mr_buf *folders)
{
    char exe[PATH_MAX];
    const ssize_t got = readlink("/proc/self/exe", exe, sizeof exe - 1);
    const char *started = (const char *)getauxval(AT_EXECFN); // NOLINT(performance-no-int-to-ptr)
    size_t n = got > 0 ? (size_t)got : 0;
    if (n == 0 && started != NULL && started[0] == '/' && strlen(started) < sizeof exe) {
        n = strlen(started);
        memcpy(exe, started, n);
    }
    if (n == 0)
        return;
    exe[n] = '\0';
    for (int up = 0; n > 0; up++) {
        do
            n--;
        while (n > 0 && exe[n] != '/');
        if (up == 1)
            add_joined(folders, exe, n, "share/millrace");
        if (has_landmark(folders, exe, n))
            add_folder(folders, exe, n);
    }
}

void mr_share_folders(const char *naming_file, struct mr_buf *folders)
{
    const char *slash = naming_file != NULL ? strrchr(naming_file, '/') : NULL;
    mr_buf_clear(folders);
    if (slash != NULL)
        add_folder(folders, naming_file, slash == naming_file ? 1 : (size_t)(slash - naming_file));
    else if (naming_file != NULL)
        add_folder(folders, ".", 1);
    const char *path = getenv("MILLRACE_PATH");
    if (path != NULL)
        add_folder(folders, path, strlen(path));
    add_beside_program(folders);
}

mr_status mr_share_find(const char *file, const char *naming_file, struct mr_buf *path,
                        struct mr_err *err)
{
    struct mr_buf folders = {0};
    mr_buf_clear(path);
    if (file[0] == '/') {
        mr_buf_text(path, file);
        MR_TRY(mr_buf_check(path, err));
        return access(path->text, R_OK) == 0
                   ? MR_OK
                   : mr_err_set(err, MR_REF, MR_NOWHERE, "\"%s\" is not a readable file", file);
    }
    mr_share_folders(naming_file, &folders);
    mr_status st = mr_buf_check(&folders, err);
    for (const char *p = folders.text; st == MR_OK && p != NULL && *p != '\0';) {
        const size_t n = strcspn(p, ":");
        mr_buf_clear(path);
        mr_buf_add(path, p, n);
        mr_buf_char(path, '/');
        mr_buf_text(path, file);
        st = mr_buf_check(path, err);
        if (st == MR_OK && n > 0 && access(path->text, R_OK) == 0) {
            mr_buf_fini(&folders);
            return MR_OK;
        }
        p += n + strspn(p + n, ":");
    }
    if (st == MR_OK)
        st = mr_err_set(err, MR_REF, MR_NOWHERE,
                        "\"%s\" is in none of %s (MILLRACE_PATH adds "
                        "folders)",
                        file, folders.text != NULL ? folders.text : "");
    mr_buf_fini(&folders);
    return st;
}
