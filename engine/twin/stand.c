/* SPDX-License-Identifier: Apache-2.0 */
/* Racks are walked once per pool, next fit: instances of a pool are equal. Map: life - placing. */
#include "engine/twin/stand.h"

#include "engine/base/mem.h"

#include <string.h>

/* Packages that share one NVLink domain of the rack: nodes have their own. */
static uint32_t domain_of(const struct mr_rack *rack)
{
    return rack->n_domain > 1 ? rack->n_package / rack->n_domain : rack->n_package;
}

static bool is_of(const struct mr_rack *rack, const char *card)
{
    return rack->n_package > 0 && rack->package != NULL && strcmp(rack->package, card) == 0;
}

mr_status mr_stand_init(struct mr_stand *stand, const struct mr_site *site, struct mr_err *err)
{
    *stand = (struct mr_stand){0};
    stand->n_taken = mr_alloc_zero(site->n_rack + 1, sizeof *stand->n_taken);
    if (stand->n_taken == NULL)
        return mr_err_nomem(err, (site->n_rack + 1) * sizeof *stand->n_taken);
    MR_TRY(mr_grow(&stand->begin, &stand->begin_cap, 1, sizeof *stand->begin, err));
    stand->begin[0] = 0;
    return MR_OK;
}

void mr_stand_fini(struct mr_stand *stand)
{
    mr_free(stand->span);
    mr_free(stand->begin);
    mr_free(stand->n_taken);
    *stand = (struct mr_stand){0};
}

/* ---- placing ---- */

static mr_status add_span(struct mr_stand *stand, uint32_t rack, uint32_t n, struct mr_err *err)
{
    MR_TRY(mr_grow(&stand->span, &stand->span_cap, stand->n_span + 1, sizeof *stand->span, err));
    stand->span[stand->n_span++] = (struct mr_stand_span){rack, stand->n_taken[rack], n};
    stand->n_taken[rack] += n;
    return MR_OK;
}

/* Does an instance of n packages fit into this rack? It does not straddle domains it fits into:
 * what is left of one before it stays free. */
static bool fits(struct mr_stand *stand, const struct mr_rack *rack, uint32_t i, uint32_t n)
{
    const uint32_t domain = domain_of(rack);
    uint32_t from = stand->n_taken[i];
    if (n <= domain && from / domain != (from + n - 1) / domain)
        from = (from / domain + 1) * domain;
    if (n > rack->n_package || from + n > rack->n_package)
        return false;
    stand->n_taken[i] = from;
    return true;
}

/* One instance, from rack *at on. @return MR_LIMIT, without a message, when no rack is left */
static mr_status place_one(struct mr_stand *stand, const struct mr_site *site, const char *card,
                           uint32_t n, uint32_t *at, struct mr_err *err)
{
    for (; *at < site->n_rack; ++*at) {
        const struct mr_rack *rack = &site->rack[*at];
        if (!is_of(rack, card))
            continue;
        if (fits(stand, rack, *at, n))
            return add_span(stand, *at, n, err);
        if (n <= rack->n_package || stand->n_taken[*at] > 0)
            continue; /* the next rack is empty; larger ones begin with an empty rack */
        for (uint32_t left = n; left > 0 && *at < site->n_rack; ++*at) {
            rack = &site->rack[*at];
            if (!is_of(rack, card) || stand->n_taken[*at] > 0)
                continue;
            const uint32_t part = left < rack->n_package ? left : rack->n_package;
            MR_TRY(add_span(stand, *at, part, err));
            left -= part;
            if (left == 0)
                return MR_OK;
        }
        break;
    }
    return MR_LIMIT;
}

static mr_status refuse(const struct mr_site *site, const char *card, uint32_t n_package,
                        uint32_t n_instance, uint32_t n_placed, const char *element,
                        struct mr_err *err)
{
    uint64_t n_all = 0, n_rack = 0;
    for (size_t i = 0; i < site->n_rack; i++)
        if (is_of(&site->rack[i], card)) {
            n_all += site->rack[i].n_package;
            n_rack++;
        }
    if (n_all == 0)
        return mr_err_set(err, MR_REF, MR_NOWHERE,
                          "%s: site \"%s\" has no rack with packages \"%s\"", element, site->name,
                          card);
    return mr_err_set(err, MR_LIMIT, MR_NOWHERE,
                      "%s: %u instances of %u packages, but only %u fit beside each other into the "
                      "%llu racks with %llu packages \"%s\" of site \"%s\"",
                      element, n_instance, n_package, n_placed, (unsigned long long)n_rack,
                      (unsigned long long)n_all, card, site->name);
}

mr_status mr_stand_pool(struct mr_stand *stand, const struct mr_site *site, const char *card,
                        uint32_t n_package, uint32_t n_instance, const char *element,
                        struct mr_err *err)
{
    uint32_t at = 0;
    for (uint32_t k = 0; k < n_instance; k++) {
        const mr_status st = place_one(stand, site, card, n_package, &at, err);
        if (st == MR_LIMIT)
            return refuse(site, card, n_package, n_instance, k, element, err);
        MR_TRY(st);
        const uint32_t n = ++stand->n_instance;
        MR_TRY(mr_grow(&stand->begin, &stand->begin_cap, n + 1, sizeof *stand->begin, err));
        stand->begin[n] = (uint32_t)stand->n_span;
    }
    return MR_OK;
}

bool mr_stand_is_hit(const struct mr_stand *stand, uint32_t instance, uint32_t rack,
                     uint32_t n_dark)
{
    for (uint32_t k = stand->begin[instance]; k < stand->begin[instance + 1]; k++)
        if (stand->span[k].rack == rack && stand->span[k].first < n_dark)
            return true;
    return false;
}
