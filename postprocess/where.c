/* SPDX-License-Identifier: Apache-2.0 */
/* Names are those of the axis, so that they are the ones of series beside the events. */
#include "postprocess/where.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *kind, *axis;
} axes[] = {{"rack", "/racks/rack"},           {"cdu", "/cdus/cdu"},
            {"loop", "/plant/rejection/loop"}, {"hall", "/plant/hall"},
            {"node", "/power/nodes/node"},     {"tier", "/tiers/tier"},
            {"pool", "/pools/pool"},           {"source", "/power/sources/source"}};

/* The name on the axis. @param[in] beyond for places that it does not have */
static mr_status axis_text(struct mr_runread *run, const char *path, double place,
                           const char *beyond, char out[96], struct mr_err *err)
{
    const struct mr_runread_set *set = mr_runread_find(run, path);
    const char *const *name = NULL;
    size_t n = 0;
    if (set != NULL && set->is_text && set->rank == 1) {
        MR_TRY(mr_runread_texts(run, set, &name, err));
        n = set->dim[0];
    }
    (void)snprintf(out, 96, "%s", place >= 0 && place < (double)n ? name[(size_t)place] : beyond);
    return MR_OK;
}

mr_status mr_where_text(struct mr_runread *run, const struct mr_where *where, char out[96],
                        struct mr_err *err)
{
    const struct mr_runread_set *set = mr_runread_find(run, "/events/entity");
    out[0] = '\0';
    if (where->node >= 0) { /* beyond the nodes: the site, then the sources */
        const struct mr_runread_set *nodes = mr_runread_find(run, "/power/nodes/node");
        const double beyond = where->node - (nodes != NULL ? (double)nodes->dim[0] : 0);
        return beyond >= 1 ? axis_text(run, "/power/sources/source", beyond - 1, "site", out, err)
                           : axis_text(run, "/power/nodes/node", where->node, "site", out, err);
    }
    if (set == NULL || !(where->entity >= 0))
        return MR_OK;
    if (where->entity >= (double)set->n_flag) {
        (void)snprintf(out, 96, "%.0f", where->entity);
        return MR_OK;
    }
    const char *kind = set->flag[(size_t)where->entity];
    char numbered[96];
    if (where->index >= 0 && strcmp(kind, "site") != 0)
        (void)snprintf(numbered, sizeof numbered, "%s %.0f", kind, where->index);
    else
        (void)snprintf(numbered, sizeof numbered, "%s", kind);
    for (size_t k = 0; k < sizeof axes / sizeof *axes; k++)
        if (strcmp(kind, axes[k].kind) == 0)
            return axis_text(run, axes[k].axis, where->index, numbered, out, err);
    memcpy(out, numbered, sizeof numbered);
    return MR_OK;
}
