/* SPDX-License-Identifier: Apache-2.0 */
/* What a layout takes from cards: figures of racks, CDUs, heat rejection and switches, copied into
 * the site so that nothing needs the cards again. */
#include "platforms/layout_build.h"

#include <math.h>

static struct mr_place place_of(const struct mr_layout_plan *plan, const struct mr_xml_node *node,
                                const char *attribute)
{
    const struct mr_xml_attribute *it = node != NULL ? mr_xml_attribute(node, attribute) : NULL;
    if (it != NULL)
        return mr_xml_attribute_place(node, it);
    return mr_xml_place(node != NULL ? node : plan->top.node);
}

/* Mistakes in a card's own file have been told by the library. */
static mr_status out_of_memory(const struct mr_layout_plan *plan)
{
    return plan->diags->first_error == MR_NOMEM ? MR_NOMEM : MR_OK;
}

mr_status mr_layout_card_rack(struct mr_layout_plan *plan, struct mr_layout_rack *rack)
{
    if (rack->card_id == NULL)
        return MR_OK; /* the grammar has complained */
    rack->card = mr_library_rack(plan->library, rack->card_id, place_of(plan, rack->node, "card"),
                                 plan->diags);
    return out_of_memory(plan);
}

uint32_t mr_layout_card_domain(const struct mr_rack_card *card, struct mr_domain *domain)
{
    const uint64_t n = mr_rack_n_domain(card);
    const uint64_t n_package = card->domain_packages > 0 && card->domain_packages < card->n_package
                                   ? card->domain_packages
                                   : card->n_package;
    *domain =
        (struct mr_domain){.generation = card->nvlink_generation,
                           .n_package = n_package,
                           .bandwidth_bytes_s = card->nvlink_bytes_s,
                           .latency_s = card->nvlink_latency_s / 2 /* to the switch, and from it */,
                           .is_optical = card->nvlink_media == MR_RACK_MEDIA_OPTICAL};
    return (uint32_t)n;
}

double mr_layout_card_width(const struct mr_rack_card *card)
{
    return card->width_m;
}

uint64_t mr_layout_card_span(const struct mr_rack_card *card)
{
    return card->n_package > 0 ? card->domain_packages / card->n_package : 0;
}

mr_status mr_layout_card_fill(struct mr_layout_build *build, const struct mr_layout_rack *spec,
                              struct mr_rack *rack)
{
    const struct mr_rack_card *card = spec->card;
    rack->card = mr_arena_text(&build->site->arena, mr_str_of(spec->card_id), &build->plan->err);
    rack->package = mr_arena_text(&build->site->arena,
                                  mr_str_of(card->package_card != NULL ? card->package_card : ""),
                                  &build->plan->err);
    if (rack->card == NULL || rack->package == NULL)
        return MR_NOMEM;
    rack->n_package = (uint32_t)card->n_package;
    rack->rated_w = card->max_p_w;
    rack->max_q_w = card->max_q_w;
    rack->liquid_frac = card->liquid_frac;
    rack->flow_m3_s = card->liquid_flow_m3_s;
    rack->inlet_max_c = card->inlet_max_c;
    rack->mass_kg = card->mass_kg;
    rack->n_tray = card->n_tray;
    rack->flop_s = mr_rack_package_flop_s(card);
    rack->memory_bytes = card->package_memory_bytes * (double)card->n_package;
    rack->n_port = card->n_port;
    rack->port_bytes_s = card->scaleout_bytes_s;
    rack->bus_v = card->bus_v;
    rack->shelf_j = card->shelf_j;
    rack->n_cpu = card->n_cpu;
    rack->nic_latency_s = card->scaleout_latency_s / 2; /* a message passes two */
    return MR_OK;
}

mr_status mr_layout_card_cdu(struct mr_layout_plan *plan, const char *id,
                             const struct mr_xml_node *node, struct mr_layout_cdu_figures *out)
{
    const char *attribute = node != NULL && mr_xml_attribute(node, "cdu") != NULL ? "cdu" : "card";
    const struct mr_cdu_card *card =
        mr_library_cdu(plan->library, id, place_of(plan, node, attribute), plan->diags);
    *out = (struct mr_layout_cdu_figures){HUGE_VAL, HUGE_VAL, 0};
    if (card != NULL)
        *out = (struct mr_layout_cdu_figures){card->capacity_w, mr_cdu_it_flow_m3_s(card),
                                              card->approach_k};
    return out_of_memory(plan);
}

mr_status mr_layout_card_reject(struct mr_layout_plan *plan, const char *id,
                                const struct mr_xml_node *node, int kind, double *capacity_w,
                                double *design_k)
{
    const struct mr_reject_card *card =
        mr_library_reject(plan->library, id, place_of(plan, node, "card"), plan->diags);
    if (card == NULL)
        return out_of_memory(plan);
    if (card->kind != kind)
        mr_layout_plan_error(plan, MR_SCHEMA, node != NULL ? node : plan->top.node, "card",
                             "reject: card \"%s\" is a %s, not a %s", id,
                             mr_site_reject_kind_name(card->kind), mr_site_reject_kind_name(kind));
    *capacity_w = card->capacity_w;
    *design_k = fmax(1, card->leaving_c - card->air_c);
    return MR_OK;
}

/* ---- fabric ---- */

static void check_switch(const struct mr_layout_plan *plan, const struct mr_fabric_params *fabric,
                         const struct mr_switch_card *card, const char *id, const char *attribute)
{
    const int wanted = fabric->kind == MR_FABRIC_KIND_INFINIBAND ? MR_SWITCH_TECHNOLOGY_INFINIBAND
                                                                 : MR_SWITCH_TECHNOLOGY_ETHERNET;
    const struct mr_place at = place_of(plan, plan->fabric, attribute);
    if (card->technology != wanted)
        mr_diags_add(plan->diags, MR_SEVERITY_WARNING, MR_RANGE, at,
                     "fabric: %s \"%s\" is no switch of this kind of network (kind=\"%s\")",
                     attribute, id,
                     fabric->kind == MR_FABRIC_KIND_INFINIBAND ? "infiniband" : "ethernet");
    if (card->has_cpo != (fabric->optics == MR_FABRIC_OPTICS_CPO))
        mr_diags_add(plan->diags, MR_SEVERITY_WARNING, MR_RANGE, at,
                     "fabric: the optics of %s \"%s\" are %s (optics=\"%s\")", attribute, id,
                     card->has_cpo ? "co-packaged" : "not co-packaged",
                     card->has_cpo ? "cpo" : "pluggable");
}

mr_status mr_layout_card_fabric(struct mr_layout_build *build)
{
    struct mr_layout_plan *plan = build->plan;
    struct mr_fabric_params *fabric = build->site->fabric;
    if (fabric == NULL)
        return MR_OK;
    const struct {
        const char *id, *attribute, *latency;
        double *latency_s;
    } layers[] = {
        {fabric->leaf, "leaf", "leaf_latency", &fabric->leaf_latency_s},
        {fabric->spine, "spine", "spine_latency", &fabric->spine_latency_s},
        {fabric->core, "core", "core_latency", &fabric->core_latency_s},
    };
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        if (layers[i].id == NULL)
            continue;
        const struct mr_switch_card *card =
            mr_library_switch(plan->library, layers[i].id,
                              place_of(plan, plan->fabric, layers[i].attribute), plan->diags);
        if (card == NULL)
            continue;
        if (!mr_layout_plan_has(plan->fabric, layers[i].latency))
            *layers[i].latency_s = card->latency_s;
        if (i == 0 && !mr_layout_plan_has(plan->fabric, "optics"))
            fabric->optics = card->has_cpo ? MR_FABRIC_OPTICS_CPO : MR_FABRIC_OPTICS_PLUGGABLE;
        check_switch(plan, fabric, card, layers[i].id, layers[i].attribute);
    }
    return out_of_memory(plan);
}
