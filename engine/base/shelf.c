/* SPDX-License-Identifier: Apache-2.0 */
/* A list of what was asked for; linear look-up, for a run names a few dozen cards. */
#include "engine/base/shelf.h"

#include "engine/base/mem.h"
#include "engine/base/share.h"

#include <dirent.h>
#include <stdlib.h>

enum {
    id_cap = 128
};

struct entry {
    const struct mr_card_kind *kind;
    char *id;
    struct mr_card *card; /* NULL: looked for in vain */
};

struct mr_shelf {
    struct entry *entry;
    size_t n, cap;
};

mr_status mr_shelf_create(struct mr_shelf **out, struct mr_err *err)
{
    *out = mr_alloc_zero(1, sizeof **out);
    return *out != NULL ? MR_OK : mr_err_nomem(err, sizeof **out);
}

void mr_shelf_destroy(struct mr_shelf *shelf)
{
    if (shelf == NULL)
        return;
    for (size_t i = 0; i < shelf->n; i++) {
        mr_card_destroy(shelf->entry[i].card);
        mr_free(shelf->entry[i].id);
    }
    mr_free(shelf->entry);
    mr_free(shelf);
}

void mr_shelf_forget_misses(struct mr_shelf *shelf)
{
    size_t n = 0;
    for (size_t i = 0; i < shelf->n; i++)
        if (shelf->entry[i].card != NULL)
            shelf->entry[n++] = shelf->entry[i];
        else
            mr_free(shelf->entry[i].id);
    shelf->n = n;
}

/* ---- lists ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static mr_status list_file(struct mr_shelf_list *list, const char *file, struct mr_err *err)
{
    const size_t end = strlen(file);
    if (file[0] == '.' || end < 5 || strcmp(file + end - 4, ".xml") != 0)
        return MR_OK;
    MR_TRY(mr_grow(&list->id, &list->cap, list->n + 1, sizeof *list->id, err));
    char *id = mr_alloc_text(file, end - 4);
    if (id == NULL)
        return mr_err_nomem(err, end);
    list->id[list->n++] = id;
    return MR_OK;
}

static mr_status list_folder(struct mr_shelf_list *list, const char *folder, struct mr_err *err)
{
    mr_status st = MR_OK;
    DIR *dir = opendir(folder); /* most share folders have no such kind */
    if (dir == NULL)
        return MR_OK;
    for (const struct dirent *e = readdir(dir); e != NULL && st == MR_OK; e = readdir(dir))
        st = list_file(list, e->d_name, err);
    closedir(dir);
    return st;
}

static void sort_distinct(struct mr_shelf_list *list)
{
    size_t n = 0;
    if (list->n > 1) /* folders have no order of their own */
        qsort(list->id, list->n, sizeof *list->id, by_text);
    for (size_t i = 0; i < list->n; i++)
        if (n > 0 && strcmp(list->id[n - 1], list->id[i]) == 0)
            mr_free(list->id[i]);
        else
            list->id[n++] = list->id[i];
    list->n = n;
}

mr_status mr_shelf_list_add(struct mr_shelf_list *list, const struct mr_card_kind *kind,
                            const char *naming_file, struct mr_err *err)
{
    struct mr_buf folders = {0}, path = {0};
    mr_share_folders(naming_file, &folders);
    mr_status st = mr_buf_check(&folders, err);
    for (const char *p = folders.text; st == MR_OK && p != NULL && *p != '\0';) {
        const size_t length = strcspn(p, ":");
        mr_buf_clear(&path);
        mr_buf_add(&path, p, length);
        mr_buf_printf(&path, "/%s", kind->folder);
        p += length + strspn(p + length, ":");
        st = mr_buf_check(&path, err);
        if (st == MR_OK)
            st = list_folder(list, path.text, err);
    }
    sort_distinct(list);
    mr_buf_fini(&path);
    mr_buf_fini(&folders);
    return st;
}

void mr_shelf_list_fini(struct mr_shelf_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        mr_free(list->id[i]);
    mr_free(list->id);
    *list = (struct mr_shelf_list){0};
}

/* ---- one card ---- */

static mr_status tell_missing(const struct mr_card_kind *kind, const char *id, struct mr_place at,
                              struct mr_diags *diags)
{
    struct mr_shelf_list list = {0};
    struct mr_err err = {0};
    char near_text[96] = "", quoted[MR_QUOTE_CAP];
    const mr_status st = mr_shelf_list_add(&list, kind, at.file, &err);
    if (st == MR_OK) {
        mr_text_hint(mr_str_of(id), (const char *const *)list.id, list.n, near_text,
                     sizeof near_text);
        mr_diags_add(diags, MR_SEVERITY_ERROR, MR_REF, at, "no %s card \"%s\"%s", kind->element,
                     mr_text_quote(mr_str_of(id), quoted), near_text);
    } else {
        (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    }
    mr_shelf_list_fini(&list);
    return st == MR_OK ? MR_REF : st;
}

static mr_status load(const struct mr_card_kind *kind, const char *id, struct mr_place at,
                      struct mr_card **card, struct mr_diags *diags)
{
    struct mr_buf file = {0}, path = {0};
    struct mr_err err = {0};
    *card = NULL;
    /* an id is a name, not a path */
    const bool is_name = strlen(id) < id_cap && id[0] != '\0' && strpbrk(id, "/\\") == NULL;
    mr_buf_printf(&file, "%s/%s.xml", kind->folder, is_name ? id : "");
    mr_status st = mr_buf_check(&file, &err);
    if (st == MR_OK)
        st = is_name ? mr_share_find(file.text, at.file, &path, &err) : MR_REF;
    if (st == MR_REF)
        st = tell_missing(kind, id, at, diags);
    else if (st == MR_OK)
        st = mr_card_load(path.text, kind, card, diags);
    else
        (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    if (*card != NULL && strcmp((*card)->id, id) != 0)
        mr_diags_add(diags, MR_SEVERITY_WARNING, MR_SCHEMA, (struct mr_place){path.text, 1, 1},
                     "the card calls itself \"%s\"", (*card)->id);
    mr_buf_fini(&file);
    mr_buf_fini(&path);
    return st;
}

const struct mr_card *mr_shelf_card(struct mr_shelf *shelf, const struct mr_card_kind *kind,
                                    const char *id, struct mr_place at, struct mr_diags *diags)
{
    struct mr_err err = {0};
    for (size_t i = 0; i < shelf->n; i++)
        if (shelf->entry[i].kind == kind && strcmp(shelf->entry[i].id, id) == 0)
            return shelf->entry[i].card;
    struct entry entry = {.kind = kind, .id = mr_alloc_text(id, strlen(id))};
    if (entry.id == NULL)
        (void)mr_err_nomem(&err, strlen(id));
    else if (mr_grow(&shelf->entry, &shelf->cap, shelf->n + 1, sizeof entry, &err) == MR_OK &&
             load(kind, id, at, &entry.card, diags) != MR_NOMEM) {
        shelf->entry[shelf->n++] = entry;
        return entry.card;
    }
    mr_free(entry.id);
    (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    return NULL;
}

const struct mr_card *mr_shelf_nth(const struct mr_shelf *shelf, size_t i)
{
    for (size_t k = 0; k < shelf->n; k++)
        if (shelf->entry[k].card != NULL && i-- == 0)
            return shelf->entry[k].card;
    return NULL;
}
