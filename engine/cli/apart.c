/* SPDX-License-Identifier: Apache-2.0 */
/* Files that exist are compared by device and inode, which sees through links; of others the folder
 * is, and the name. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "engine/cli/apart.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool folder_of(const char *path, char full[PATH_MAX])
{
    char folder[PATH_MAX] = ".";
    const char *slash = strrchr(path, '/');
    const size_t n = slash != NULL ? (size_t)(slash - path) + 1 : 0;
    if (n >= sizeof folder)
        return false;
    if (n > 0) {
        memcpy(folder, path, n);
        folder[n] = '\0';
    }
    return realpath(folder, full) != NULL;
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static bool is_same(const char *a, const char *b)
{
    char folder_a[PATH_MAX], folder_b[PATH_MAX];
    struct stat is_a, is_b;
    const bool has_a = stat(a, &is_a) == 0, has_b = stat(b, &is_b) == 0;
    if (has_a && has_b) /* many may write to a pipe, or to nowhere */
        return S_ISREG(is_a.st_mode) && is_a.st_dev == is_b.st_dev && is_a.st_ino == is_b.st_ino;
    if (has_a != has_b)
        return false;
    return strcmp(name_of(a), name_of(b)) == 0 && folder_of(a, folder_a) &&
           folder_of(b, folder_b) && strcmp(folder_a, folder_b) == 0;
}

static bool is_file(const struct mr_apart_file *file)
{
    return file->path != NULL && strcmp(file->path, "-") != 0;
}

mr_status mr_apart_check(const struct mr_apart_file *file, size_t n, struct mr_err *err)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i && is_file(&file[i]); k++) {
            if (!is_file(&file[k]) || (file[i].is_read && file[k].is_read) ||
                !is_same(file[i].path, file[k].path))
                continue;
            const bool reads = file[i].is_read || file[k].is_read;
            return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                              reads ? "%s '%s' is the file of %s, which is read: it would be lost"
                                    : "%s '%s' is the file of %s, too: give each its own",
                              file[i].is_read ? file[k].option : file[i].option,
                              file[i].is_read ? file[k].path : file[i].path,
                              file[i].is_read ? file[i].option : file[k].option);
        }
    return MR_OK;
}
