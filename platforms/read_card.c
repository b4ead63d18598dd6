/* SPDX-License-Identifier: Apache-2.0 */
/* What a hand-written prop leaves to its card: "card=vr_nvl72; limit=190 kW" is a whole rack. Files
 * that we write say every such figure, so that they stand alone. */
#include "platforms/read_impl.h"

enum {
    figures_max = 17
};

struct figure {
    const char *key;
    double value; /* counts too: all are small */
};

static mr_status open_library(struct mr_read *r)
{
    struct mr_err err = {0};
    if (r->library != NULL || mr_library_create(&r->library, &err) == MR_OK)
        return MR_OK;
    return mr_diags_add_err(r->diags, MR_SEVERITY_ERROR, &err);
}

const struct mr_rack_card *mr_read_rack_card(struct mr_read *r, const char *id, struct mr_place at)
{
    if (id == NULL || id[0] == '\0' || open_library(r) != MR_OK)
        return NULL;
    return mr_library_rack(r->library, id, at, r->diags);
}

static size_t rack_figures(struct mr_read *r, const char *id, struct mr_place at,
                           struct figure out[figures_max], const char **package)
{
    const struct mr_rack_card *card = mr_library_rack(r->library, id, at, r->diags);
    if (card == NULL)
        return 0;
    *package = card->package_card;
    const struct figure figures[] = {
        {"flops", mr_rack_package_flop_s(card)},
        {"memory", card->package_memory_bytes * (double)card->n_package},
        {"rated", card->max_p_w},
        {"max_q", card->max_q_w},
        {"liquid", card->liquid_frac},
        {"flow", card->liquid_flow_m3_s},
        {"inlet", card->inlet_max_c},
        {"mass", card->mass_kg},
        {"port", card->scaleout_bytes_s},
        {"trays", (double)card->n_tray},
        {"cpus", (double)card->n_cpu},
        {"ports", (double)card->n_port},
        {"bus", (double)card->bus_v},
        {"shelf", card->shelf_j},
        {"footprint", card->width_m * card->depth_m},
        {"nic", card->scaleout_latency_s / 2}, /* a message passes two */
    };
    memcpy(out, figures, sizeof figures);
    return sizeof figures / sizeof *figures;
}

static size_t cdu_figures(struct mr_read *r, const char *id, struct mr_place at,
                          struct figure out[figures_max])
{
    const struct mr_cdu_card *card = mr_library_cdu(r->library, id, at, r->diags);
    if (card == NULL)
        return 0;
    out[0] = (struct figure){"capacity", card->capacity_w};
    out[1] = (struct figure){"flow", mr_cdu_it_flow_m3_s(card)};
    out[2] = (struct figure){"approach", card->approach_k};
    return 3;
}

static size_t reject_figures(struct mr_read *r, const char *id, struct mr_place at,
                             struct figure out[figures_max])
{
    const struct mr_reject_card *card = mr_library_reject(r->library, id, at, r->diags);
    if (card == NULL)
        return 0;
    out[0] = (struct figure){"capacity", card->capacity_w};
    out[1] = (struct figure){"area", card->area_m2};
    return 2;
}

/* Is every figure given that the card could give? */
static bool is_whole(const struct mr_param_target *target, int kind)
{
    for (size_t i = 0; i < target->table->n; i++)
        if (target->origin[i] != MR_PARAM_GIVEN && mr_prop_is_of_card(kind, i))
            return false;
    return true;
}

mr_status mr_read_from_card(struct mr_read *r, int kind, const struct mr_param_target *target,
                            const char *id, struct mr_place at)
{
    struct figure figure[figures_max];
    const char *package = NULL;
    size_t n = 0;
    if (id == NULL || id[0] == '\0' || is_whole(target, kind) || open_library(r) != MR_OK)
        return MR_OK;
    if (kind == MR_PROP_RACK)
        n = rack_figures(r, id, at, figure, &package);
    else if (kind == MR_PROP_CDU)
        n = cdu_figures(r, id, at, figure);
    else
        n = reject_figures(r, id, at, figure);
    for (size_t i = 0; i < n; i++) {
        const size_t row = mr_param_find(target->table, mr_str_of(figure[i].key));
        char *field = (char *)target->object + target->table->row[row].offset;
        if (target->origin[row] == MR_PARAM_GIVEN)
            continue;
        if (target->table->row[row].kind == MR_PARAM_COUNT)
            *(uint64_t *)(void *)field = (uint64_t)figure[i].value;
        else
            *(double *)(void *)field = figure[i].value;
    }
    if (package == NULL)
        return MR_OK;
    struct mr_prop_rack *rack = target->object; /* only racks have packages */
    if (rack->it.package == NULL)
        rack->it.package = mr_read_keep(r, mr_str_of(package));
    return rack->it.package != NULL ? MR_OK : MR_NOMEM;
}
