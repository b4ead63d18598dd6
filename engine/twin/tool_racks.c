/* SPDX-License-Identifier: Apache-2.0 */
/* Cards of racks say which processors they have; cards of processors, what those draw. */
#include "engine/twin/tool_racks.h"

#include "engine/base/arena.h"
#include "engine/base/shelf.h"
#include "models/cpu.h"
#include "platforms/rack.h"

#include <string.h>

static const void *card_of(struct mr_shelf *shelf, const struct mr_card_kind *kind, const char *id,
                           struct mr_place at, struct mr_diags *diags)
{
    const struct mr_card *card = mr_shelf_card(shelf, kind, id, at, diags);
    return card != NULL ? card->object : NULL;
}

/* Storage and network racks have processors as well, which are not for tools. */
static struct mr_exchange_tools tools_of(struct mr_shelf *shelf, const struct mr_site *site,
                                         const struct mr_rack *rack, const char *cpu,
                                         struct mr_diags *diags)
{
    const struct mr_exchange_tools none = {0};
    const struct mr_place at = {site->path, rack->at.line, 0};
    if (rack->card == NULL || rack->n_package > 0 || rack->n_cpu == 0)
        return none;
    const struct mr_rack_card *card = card_of(shelf, &mr_rack_kind, rack->card, at, diags);
    if (card == NULL || card->cpu_card == NULL || (cpu != NULL && strcmp(cpu, card->cpu_card) != 0))
        return none;
    const struct mr_cpu_card *one = card_of(shelf, &mr_cpu_kind, card->cpu_card, at, diags);
    const double n = (double)rack->n_cpu;
    if (one == NULL || n * one->max_w <= 0.5 * rack->rated_w)
        return none;
    return (struct mr_exchange_tools){n * (double)one->n_core, n * one->min_w, n * one->max_w};
}

mr_status mr_tool_racks_find(const struct mr_site *site, const char *cpu, struct mr_arena *arena,
                             const struct mr_exchange_tools **out, struct mr_diags *diags,
                             struct mr_err *err)
{
    struct mr_shelf *shelf = NULL;
    double n_core = 0;
    *out = NULL;
    struct mr_exchange_tools *tools = mr_arena_zero(arena, site->n_rack + 1, sizeof *tools, err);
    if (tools == NULL)
        return MR_NOMEM;
    MR_TRY(mr_shelf_create(&shelf, err));
    for (uint32_t r = 0; r < site->n_rack; r++) {
        tools[r] = tools_of(shelf, site, &site->rack[r], cpu, diags);
        n_core += tools[r].n_core;
    }
    mr_shelf_destroy(shelf);
    *out = n_core > 0 ? tools : NULL;
    return MR_OK;
}
