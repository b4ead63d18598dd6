/* SPDX-License-Identifier: Apache-2.0 */
/* A list of cards per kind; linear look-up, for a site names a dozen of them. */
#include "platforms/library.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/base/share.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

/* kind, folder */
#define KIND_LIST(X)      \
    X(rack, "racks")      \
    X(cdu, "cdus")        \
    X(switch, "switches") \
    X(reject, "rejects")

enum kind {
#define KIND_ENUM(name, folder) kind_##name,
    KIND_LIST(KIND_ENUM)
#undef KIND_ENUM
    n_kind
};

static const struct {
    const struct mr_card_kind *kind;
    const char *folder;
} kinds[] = {
#define KIND_ROW(name, folder) {&mr_##name##_kind, folder},
    KIND_LIST(KIND_ROW)
#undef KIND_ROW
};

enum {
    id_cap = 128,
    hint_max = 64
};

struct entry {
    enum kind kind;
    char *id;
    struct mr_card *card; /* NULL: looked for in vain */
};

struct mr_library {
    struct entry *entry;
    size_t n, cap;
};

mr_status mr_library_create(struct mr_library **out, struct mr_err *err)
{
    *out = mr_alloc_zero(1, sizeof **out);
    return *out != NULL ? MR_OK : mr_err_nomem(err, sizeof **out);
}

void mr_library_destroy(struct mr_library *library)
{
    if (library == NULL)
        return;
    for (size_t i = 0; i < library->n; i++) {
        mr_card_destroy(library->entry[i].card);
        mr_free(library->entry[i].id);
    }
    mr_free(library->entry);
    mr_free(library);
}

void mr_library_forget_misses(struct mr_library *library)
{
    size_t n = 0;
    for (size_t i = 0; i < library->n; i++)
        if (library->entry[i].card != NULL)
            library->entry[n++] = library->entry[i];
        else
            mr_free(library->entry[i].id);
    library->n = n;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* ` (did you mean "X"?)` among the files of the first folder of that kind that exists. */
static void hint(enum kind kind, const char *id, const char *naming_file, char *out, size_t cap)
{
    struct mr_buf folders = {0}, path = {0};
    char *names[hint_max] = {NULL};
    size_t n = 0;
    out[0] = '\0';
    mr_share_folders(naming_file, &folders);
    for (const char *p = folders.text; n == 0 && p != NULL && *p != '\0';) {
        const size_t length = strcspn(p, ":");
        mr_buf_clear(&path);
        mr_buf_add(&path, p, length);
        mr_buf_printf(&path, "/platforms/%s", kinds[kind].folder);
        p += length + strspn(p + length, ":");
        DIR *dir = path.status == MR_OK ? opendir(path.text) : NULL;
        for (const struct dirent *e = dir != NULL ? readdir(dir) : NULL; e != NULL && n < hint_max;
             e = readdir(dir)) {
            const size_t end = strlen(e->d_name);
            if (end < 5 || strcmp(e->d_name + end - 4, ".xml") != 0)
                continue;
            names[n] = mr_alloc_text(e->d_name, end - 4);
            n += names[n] != NULL;
        }
        if (dir != NULL)
            closedir(dir);
    }
    qsort(names, n, sizeof *names, by_text); /* folders have no order of their own */
    mr_text_hint(mr_str_of(id), (const char *const *)names, n, out, cap);
    for (size_t i = 0; i < n; i++)
        mr_free(names[i]);
    mr_buf_fini(&path);
    mr_buf_fini(&folders);
}

static mr_status load(enum kind kind, const char *id, struct mr_place at, struct mr_card **card,
                      struct mr_diags *diags)
{
    struct mr_buf path = {0};
    struct mr_err err = {0};
    char file[id_cap + 64], near_text[96], quoted[MR_QUOTE_CAP];
    *card = NULL;
    /* an id is a name, not a path */
    const bool is_name = strlen(id) < id_cap && id[0] != '\0' && strpbrk(id, "/\\") == NULL;
    snprintf(file, sizeof file, "platforms/%s/%.*s.xml", kinds[kind].folder, id_cap, id);
    mr_status st = is_name ? mr_share_find(file, at.file, &path, &err) : MR_REF;
    if (st == MR_REF) {
        hint(kind, id, at.file, near_text, sizeof near_text);
        mr_diags_add(diags, MR_SEVERITY_ERROR, MR_REF, at, "no %s card \"%s\"%s",
                     kinds[kind].kind->element, mr_text_quote(mr_str_of(id), quoted), near_text);
    } else if (st == MR_OK) {
        st = mr_card_load(path.text, kinds[kind].kind, card, diags);
    } else {
        (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    }
    if (*card != NULL && strcmp((*card)->id, id) != 0)
        mr_diags_add(diags, MR_SEVERITY_WARNING, MR_SCHEMA, (struct mr_place){path.text, 1, 1},
                     "the card calls itself \"%s\"", (*card)->id);
    mr_buf_fini(&path);
    return st;
}

static const struct mr_card *find(struct mr_library *library, enum kind kind, const char *id,
                                  struct mr_place at, struct mr_diags *diags)
{
    struct mr_err err = {0};
    for (size_t i = 0; i < library->n; i++)
        if (library->entry[i].kind == kind && strcmp(library->entry[i].id, id) == 0)
            return library->entry[i].card;
    struct entry entry = {.kind = kind, .id = mr_alloc_text(id, strlen(id))};
    if (entry.id == NULL)
        (void)mr_err_nomem(&err, strlen(id));
    else if (mr_grow(&library->entry, &library->cap, library->n + 1, sizeof entry, &err) == MR_OK &&
             load(kind, id, at, &entry.card, diags) != MR_NOMEM) {
        library->entry[library->n++] = entry;
        return entry.card;
    }
    mr_free(entry.id);
    (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    return NULL;
}

const struct mr_card *mr_library_card(struct mr_library *library, const struct mr_card_kind *kind,
                                      const char *id, struct mr_place at, struct mr_diags *diags)
{
    enum kind k = 0;
    while (k < n_kind && kinds[k].kind != kind)
        k++;
    MR_ASSERT(k < n_kind);
    return find(library, k, id, at, diags);
}

#define LOOKUP(name, folder)                                                                     \
    const struct mr_##name##_card *mr_library_##name(struct mr_library *library, const char *id, \
                                                     struct mr_place at, struct mr_diags *diags) \
    {                                                                                            \
        const struct mr_card *card = find(library, kind_##name, id, at, diags);                  \
        return card != NULL ? mr_##name##_of(card) : NULL;                                       \
    }
KIND_LIST(LOOKUP)
