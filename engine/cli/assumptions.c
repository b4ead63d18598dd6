/* SPDX-License-Identifier: Apache-2.0 */
/* Cards by the names that scenario and site give, each once. Cards that are not there have been
 * told of by whoever opened them. */
#include "engine/cli/assumptions.h"

#include "engine/base/shelf.h"
#include "engine/base/unit.h"
#include "models/cpu.h"
#include "models/gpu.h"
#include "models/llm.h"
#include "models/software.h"
#include "platforms/cdu.h"
#include "platforms/rack.h"
#include "platforms/reject.h"

#include <string.h>

enum {
    n_seen_max = 64
};

struct work {
    struct mr_shelf *shelf;
    const struct mr_card *seen[n_seen_max];
    size_t n_seen;
    struct mr_buf *out;
    const char *path;
};

bool mr_assumptions_is(const struct mr_card *card, size_t row)
{
    const struct mr_card_figure *figure = &card->figure[row];
    const char *fallback = card->kind->table->row[row].fallback;
    if (figure->line > 0)
        return figure->confidence == MR_CONFIDENCE_ASSUMPTION;
    return fallback != NULL && strcmp(fallback, "0") != 0 && strncmp(fallback, "0 ", 2) != 0 &&
           strcmp(fallback, "no") != 0 && strcmp(fallback, "none") != 0;
}

static bool is_estimated(const struct mr_card *card, size_t row)
{
    return card->figure[row].line > 0 && card->figure[row].confidence == MR_CONFIDENCE_ESTIMATED;
}

static void write_figure(const struct mr_card *card, size_t row, struct mr_buf *out)
{
    const struct mr_param *param = &card->kind->table->row[row];
    const struct mr_card_figure *figure = &card->figure[row];
    const char *field = (const char *)card->object + param->offset;
    char text[MR_UNIT_CAP];
    mr_buf_printf(out, "%s %s: %s ", card->kind->element, card->id, param->name);
    if (param->kind == MR_PARAM_QUANTITY) {
        (void)mr_unit_human(*(const double *)(const void *)field, param->quantity, 6, text);
        mr_buf_text(out, text);
    } else {
        mr_param_value(param, card->object, out);
    }
    if (figure->line > 0)
        mr_buf_printf(out, ", %s%s%s\n", mr_card_confidence_name(figure->confidence),
                      figure->note[0] != '\0' ? ": " : "", figure->note);
    else
        mr_buf_text(out, ", default\n");
}

static void look_at(struct work *w, const struct mr_card_kind *kind, const char *id)
{
    struct mr_diags told = {0};
    const struct mr_place at = {w->path, 0, 0};
    if (id == NULL || w->n_seen == n_seen_max)
        return;
    const struct mr_card *card = mr_shelf_card(w->shelf, kind, id, at, &told);
    for (size_t i = 0; i < w->n_seen; i++)
        if (w->seen[i] == card)
            return;
    if (card == NULL)
        return;
    w->seen[w->n_seen++] = card;
    for (size_t row = 0; row < kind->table->n; row++)
        if (mr_assumptions_is(card, row) || is_estimated(card, row))
            write_figure(card, row, w->out);
}

static void look_at_pool(struct work *w, const struct mr_scenario_deployment *pool)
{
    look_at(w, &mr_gpu_kind, pool->gpu);
    look_at(w, &mr_llm_kind, pool->llm);
    look_at(w, &mr_software_kind, pool->software);
}

static void look_at_site(struct work *w, const struct mr_site *site)
{
    w->path = site->path;
    for (uint32_t i = 0; i < site->n_rack; i++)
        look_at(w, &mr_rack_kind, site->rack[i].card);
    for (uint32_t i = 0; i < site->n_cdu; i++)
        look_at(w, &mr_cdu_kind, site->cdu[i].card);
}

mr_status mr_assumptions_write(const struct mr_scenario *scenario, const struct mr_site *site,
                               struct mr_buf *out, struct mr_err *err)
{
    struct work w = {.out = out, .path = scenario->path};
    MR_TRY(mr_shelf_create(&w.shelf, err));
    look_at_pool(&w, &scenario->deployment);
    if (scenario->has_prefill)
        look_at_pool(&w, &scenario->prefill);
    if (scenario->has_agents)
        look_at(&w, &mr_cpu_kind, scenario->tools.cpu);
    if (site != NULL)
        look_at_site(&w, site);
    mr_shelf_destroy(w.shelf);
    return mr_buf_check(out, err);
}
