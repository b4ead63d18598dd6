/* SPDX-License-Identifier: Apache-2.0 */
/* File order. A platform file lists what stands at the site first, then a hall, what stands in it,
 * its rows and what stands in those, then the next hall. The index of an entity is its row in the
 * results, so a site built in memory is put in that order before anything else: reading the written
 * file gives the same indices. The order does not depend on the level of detail.
 * Map: what a file can hold - derived counts - sorting. */
#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "platforms/fabric_impl.h"
#include "platforms/prop.h"

#include <stdlib.h>

/* ---- what a file can hold ---- */

static mr_status check_text(int kind, const char *name, const char *key, const char *value,
                            struct mr_err *err)
{
    if (value == NULL)
        return MR_OK;
    const size_t n = strlen(value);
    bool is_good = mr_utf8_valid_len(value, n) == n;
    for (size_t i = 0; i < n; i++)
        is_good = is_good && (unsigned char)value[i] >= ' ' && value[i] != 0x7f;
    char quoted[MR_QUOTE_CAP], subject[MR_QUOTE_CAP];
    if (!is_good)
        return mr_err_set(err, MR_SCHEMA, MR_NOWHERE,
                          "%s \"%s\": %s \"%s\": control characters and bytes that are not UTF-8 "
                          "cannot stand in a file",
                          mr_prop_kind_name(kind), mr_text_quote(mr_str_of(name), subject), key,
                          mr_text_quote((struct mr_str){value, n}, quoted));
    return MR_OK;
}

static mr_status check_form(int kind, const char *name, const union mr_prop_form *form,
                            struct mr_err *err)
{
    const struct mr_param_table *table = mr_prop_table(kind);
    for (size_t i = 0; i < table->n; i++) {
        const struct mr_param *row = &table->row[i];
        const void *field = (const char *)form + row->offset;
        double value = row->min;
        if (row->kind == MR_PARAM_TEXT)
            MR_TRY(check_text(kind, name, row->name, *(const char *const *)field, err));
        else if (row->kind == MR_PARAM_QUANTITY)
            value = *(const double *)field;
        else if (row->kind == MR_PARAM_COUNT)
            value = (double)*(const uint64_t *)field;
        if (row->kind != MR_PARAM_TEXT && !(value >= row->min && value <= row->max)) {
            struct mr_buf bounds = {0};
            mr_param_bounds(row, &bounds);
            const mr_status st =
                mr_err_set(err, MR_RANGE, MR_NOWHERE, "%s \"%s\": %s is out of range: %s",
                           mr_prop_kind_name(kind), name, row->name,
                           bounds.text != NULL ? bounds.text : "not finite");
            mr_buf_fini(&bounds);
            return st;
        }
    }
    return MR_OK;
}

/* "loop.supply" is also a single prop of hand-written files */
static bool is_taken(int kind, const char *name)
{
    return kind == MR_PROP_LOOP && (strcmp(name, "supply") == 0 || strcmp(name, "flow") == 0);
}

static mr_status check_entities(const struct mr_site *site, struct mr_err *err)
{
    struct mr_prop_defaults defaults;
    mr_prop_defaults(&defaults);
    for (int kind = 0; kind < MR_N_PROP; kind++) {
        const size_t n = mr_prop_n(site, kind);
        for (size_t i = 0; i < n; i++) {
            const char *name = mr_prop_name(site, kind, i);
            char quoted[MR_QUOTE_CAP];
            if ((mr_prop_kind_has_name(kind) || kind == MR_PROP_RACK) &&
                (!mr_prop_is_name(name) || is_taken(kind, name)))
                return mr_err_set(err, MR_SCHEMA, MR_NOWHERE,
                                  "%s \"%s\": cannot be a name: no white space, semicolons, single "
                                  "quotes or control characters",
                                  mr_prop_kind_name(kind),
                                  mr_text_quote(mr_str_of(name != NULL ? name : ""), quoted));
            union mr_prop_form form;
            mr_prop_form(&defaults, site, kind, i, &form);
            MR_TRY(check_form(kind, name, &form, err));
        }
    }
    return MR_OK;
}

/* ---- derived counts ---- */

static void count_rows(struct mr_site *site)
{
    uint32_t row = 0;
    for (uint32_t h = 0; h < site->n_hall; h++) {
        struct mr_hall *hall = &site->hall[h];
        hall->first_row = row;
        while (row < site->n_row && site->row[row].hall == h)
            row++;
        hall->n_row = row - hall->first_row;
    }
    MR_ASSERT(row == site->n_row); /* rows come hall by hall */
}

static void count_racks(struct mr_site *site)
{
    uint32_t rack = 0, package = 0;
    for (uint32_t i = 0; i < site->n_pod; i++)
        site->pod[i].n_rack = 0;
    for (uint32_t r = 0; r < site->n_row; r++) {
        struct mr_row *row = &site->row[r];
        row->first_rack = rack;
        while (rack < site->n_rack && site->rack[rack].row == r) {
            struct mr_rack *its = &site->rack[rack++];
            its->hall = row->hall;
            its->first_package = package;
            package += its->n_package;
            if (its->pod != MR_SITE_NONE)
                site->pod[its->pod].n_rack++;
            if (its->domain == MR_SITE_NONE || its->n_domain == 0)
                its->n_domain = 1;
            MR_ASSERT(its->domain == MR_SITE_NONE || its->domain + its->n_domain <= site->n_domain);
        }
        row->n_rack = rack - row->first_rack;
    }
    MR_ASSERT(rack == site->n_rack); /* racks come row by row */
    site->n_package = package;
}

/* What stands in a row stands in its hall. */
static void fill_halls(struct mr_site *site)
{
    for (size_t i = 0; i < site->n_cdu; i++)
        if (site->cdu[i].row != MR_SITE_NONE)
            site->cdu[i].hall = site->row[site->cdu[i].row].hall;
    for (size_t i = 0; i < site->n_power; i++)
        if (site->power[i].row != MR_SITE_NONE)
            site->power[i].hall = site->row[site->power[i].row].hall;
}

/* ---- sorting ---- */

struct position {
    uint32_t key, old;
};

static int by_position(const void *a, const void *b)
{
    const struct position *p = a, *q = b;
    if (p->key != q->key)
        return p->key < q->key ? -1 : 1;
    return p->old < q->old ? -1 : p->old > q->old;
}

/* Halls and rows in the order their zones begin. */
static uint32_t place_key(const struct mr_site *site, struct mr_prop_place place)
{
    if (place.row != MR_SITE_NONE)
        return 2 + site->row[place.row].hall + place.row;
    if (place.hall != MR_SITE_NONE)
        return 1 + place.hall + site->hall[place.hall].first_row;
    return 0;
}

static void renumber(void *entities, size_t n, size_t bytes, const struct mr_prop_ref *ref,
                     const uint32_t *new_index)
{
    for (size_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < ref->n_max; k++) {
            char *at = (char *)entities + i * bytes + ref->index_offset + k * sizeof(uint32_t);
            uint32_t index;
            memcpy(&index, at, sizeof index);
            if (index != MR_SITE_NONE)
                index = new_index[index];
            memcpy(at, &index, sizeof index);
        }
}

/* The kinds that are sorted and the arrays whose references follow. */
struct sorted {
    int kind;
    void *item;
    size_t n, bytes;
};

static mr_status sort_kind(const struct mr_site *site, const struct sorted *all, size_t n_all,
                           const struct sorted *one, struct mr_err *err)
{
    if (one->n == 0)
        return MR_OK;
    struct mr_prop_place *place = mr_alloc(one->n, sizeof *place);
    struct position *position = mr_alloc(one->n, sizeof *position);
    uint32_t *new_index = mr_alloc(one->n, sizeof *new_index);
    char *old = mr_alloc(one->n, one->bytes);
    mr_status st = MR_OK;
    if (place == NULL || position == NULL || new_index == NULL || old == NULL) {
        st = mr_err_nomem(err, one->n * one->bytes);
        goto out;
    }
    mr_prop_places(site, one->kind, place);
    for (uint32_t i = 0; i < one->n; i++)
        position[i] = (struct position){place_key(site, place[i]), i};
    qsort(position, one->n, sizeof *position, by_position);
    memcpy(old, one->item, one->n * one->bytes);
    for (uint32_t i = 0; i < one->n; i++) {
        new_index[position[i].old] = i;
        memcpy((char *)one->item + i * one->bytes, old + position[i].old * one->bytes, one->bytes);
    }
    for (size_t k = 0; k < n_all; k++) {
        const struct mr_prop_ref *ref;
        const size_t n_ref = mr_prop_refs(all[k].kind, &ref);
        for (size_t i = 0; i < n_ref; i++)
            if (ref[i].target == one->kind)
                renumber(all[k].item, all[k].n, all[k].bytes, &ref[i], new_index);
    }
out:
    mr_free(place);
    mr_free(position);
    mr_free(new_index);
    mr_free(old);
    return st;
}

mr_status mr_fabric_order(struct mr_site *site, struct mr_err *err)
{
    count_rows(site);
    count_racks(site);
    fill_halls(site);
    MR_TRY(check_entities(site, err));
    const struct sorted sorted[] = {
        {MR_PROP_LOOP, site->loop, site->n_loop, sizeof *site->loop},
        {MR_PROP_CDU, site->cdu, site->n_cdu, sizeof *site->cdu},
        {MR_PROP_REJECT, site->rejector, site->n_rejector, sizeof *site->rejector},
        {MR_PROP_POWER, site->power, site->n_power, sizeof *site->power},
        {MR_PROP_DOMAIN, site->domain, site->n_domain, sizeof *site->domain},
        {MR_PROP_RACK, site->rack, site->n_rack, sizeof *site->rack}, /* is sorted already */
    };
    const size_t n = sizeof sorted / sizeof *sorted;
    for (size_t i = 0; i + 1 < n; i++)
        MR_TRY(sort_kind(site, sorted, n, &sorted[i], err));
    return MR_OK;
}
