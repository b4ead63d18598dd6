/* SPDX-License-Identifier: Apache-2.0 */
/* Row by row: racks' bandwidth in leaf ports down, that over the oversubscription up; hall by hall
 * the same with spines; the site's cores take what halls send up. Rails: every rail has leaves of
 * its own in a row, so that their number is a multiple of the rails. */
#include "platforms/network.h"

#include "platforms/fabric.h"

#include <math.h>

struct count {
    const struct mr_site *site;
    const struct mr_fabric_params *fabric;
    const struct mr_switch_card *card[MR_NETWORK_LAYERS];
    struct mr_network *network;
};

/* Ports of a layer's switches for a bandwidth; a hair above a whole number is that number. */
static uint64_t ports(const struct mr_switch_card *card, double bytes_s)
{
    return (uint64_t)ceil(bytes_s / card->port_bytes_s * (1 - 1e-9));
}

/* @return what goes up from here */
static double add_group(struct count *c, int layer, double down_bytes_s, double up_bytes_s,
                        uint64_t n_rail)
{
    const struct mr_switch_card *card = c->card[layer];
    struct mr_network_layer *out = &c->network->layer[layer];
    if (card == NULL || down_bytes_s <= 0)
        return up_bytes_s;
    const uint64_t n_down = ports(card, down_bytes_s), n_up = ports(card, up_bytes_s);
    uint64_t n = (n_down + n_up + card->n_port - 1) / card->n_port;
    if (n_rail > 1)
        n = (n + n_rail - 1) / n_rail * n_rail;
    out->n_down += n_down;
    out->n_up += n_up;
    out->n_switch += n;
    out->power_w += (double)n * card->power_w;
    /* both ends of every cable to the layer below */
    c->network->n_optic += 2 * n_down;
    c->network->optic_w += 2 * (double)n_down * mr_fabric_port_w(c->fabric->optics) *
                           card->port_bytes_s / 200e9; /* of a port of 1.6 Tb/s */
    return up_bytes_s;
}

static void count_all(struct count *c)
{
    const struct mr_site *site = c->site;
    double site_up = 0;
    for (size_t h = 0; h < site->n_hall; h++) {
        const struct mr_hall *hall = &site->hall[h];
        double hall_down = 0;
        for (uint32_t r = hall->first_row; r < hall->first_row + hall->n_row; r++) {
            const struct mr_row *row = &site->row[r];
            double down = 0;
            for (uint32_t k = row->first_rack; k < row->first_rack + row->n_rack; k++)
                down += (double)site->rack[k].n_port * site->rack[k].port_bytes_s;
            const bool is_alone = site->n_hall == 1 && hall->n_row == 1;
            const double up = is_alone ? 0 : down / c->fabric->row_oversubscription;
            hall_down += add_group(c, MR_NETWORK_LEAF, down, up, c->fabric->n_rail);
        }
        const double up = site->n_hall > 1 ? hall_down / c->fabric->hall_oversubscription : 0;
        site_up += add_group(c, MR_NETWORK_SPINE, hall_down, up, 0);
    }
    (void)add_group(c, MR_NETWORK_CORE, site_up, 0, 0);
}

mr_status mr_network_of(const struct mr_site *site, struct mr_network *network,
                        struct mr_diags *diags)
{
    struct mr_fabric_params defaults;
    struct mr_diags missing = {0};
    struct mr_library *library;
    const struct mr_place at = {site->path, 0, 0};
    mr_fabric_defaults(&defaults);
    struct count c = {.site = site,
                      .fabric = site->fabric != NULL ? site->fabric : &defaults,
                      .network = network};
    const char *const ids[MR_NETWORK_LAYERS] = {c.fabric->leaf, c.fabric->spine, c.fabric->core};
    *network = (struct mr_network){0};
    MR_TRY(mr_library_create(&library, NULL));
    for (int i = 0; i < MR_NETWORK_LAYERS; i++) {
        if (ids[i] == NULL || ids[i][0] == '\0')
            continue;
        c.card[i] = mr_library_switch(library, ids[i], at, &missing);
        network->layer[i].card = c.card[i] != NULL ? ids[i] : NULL;
    }
    for (size_t i = 0; i < missing.n_item; i++)
        (void)mr_diags_add_err(diags, MR_SEVERITY_WARNING, &missing.item[i].err);
    count_all(&c);
    mr_library_destroy(library);
    return missing.first_error == MR_NOMEM ? MR_NOMEM : MR_OK;
}
