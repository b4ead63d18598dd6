/* SPDX-License-Identifier: Apache-2.0 */
/* Scale-up domains. */
#include "engine/base/arena.h"
#include "platforms/check_impl.h"

/* ---- scale-up domains ---- */

static mr_status check_domains(const struct mr_check *c, struct mr_err *err)
{
    const struct mr_site *site = c->site;
    struct mr_arena arena = {0};
    uint32_t *row = mr_arena_alloc(&arena, site->n_domain * sizeof *row, err);
    uint64_t *n_package = mr_arena_zero(&arena, site->n_domain, sizeof *n_package, err);
    if (row == NULL || n_package == NULL) {
        mr_arena_fini(&arena);
        return MR_NOMEM;
    }
    for (size_t i = 0; i < site->n_domain; i++)
        row[i] = MR_SITE_NONE;
    for (size_t i = 0; i < site->n_rack; i++) {
        const struct mr_rack *rack = &site->rack[i];
        if (rack->domain == MR_SITE_NONE || rack->domain >= site->n_domain)
            continue;
        for (uint32_t d = 0; d < (rack->n_domain > 0 ? rack->n_domain : 1); d++)
            if (rack->domain + d < site->n_domain)
                n_package[rack->domain + d] +=
                    rack->n_package / (rack->n_domain > 0 ? rack->n_domain : 1);
        if (row[rack->domain] == MR_SITE_NONE)
            row[rack->domain] = rack->row;
        else if (row[rack->domain] != rack->row)
            mr_check_tell(
                c, MR_SEVERITY_ERROR, rack->at, "rack", rack->name,
                "its scale-up domain has racks in another row (keep a domain in one zone)");
    }
    for (size_t i = 0; i < site->n_domain; i++) {
        const struct mr_domain *domain = &site->domain[i];
        if (n_package[i] == domain->n_package || domain->n_package == 0)
            continue;
        mr_check_tell(c, n_package[i] > domain->n_package ? MR_SEVERITY_ERROR : MR_SEVERITY_WARNING,
                      domain->at, "domain", domain->name,
                      "%llu packages are wired to it, it has %llu ports",
                      (unsigned long long)n_package[i], (unsigned long long)domain->n_package);
    }
    mr_arena_fini(&arena);
    return MR_OK;
}

mr_status mr_check_network(const struct mr_check *c, struct mr_err *err)
{
    MR_TRY(check_domains(c, err));
    return mr_check_reach(c, err);
}
