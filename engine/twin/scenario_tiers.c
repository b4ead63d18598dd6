/* SPDX-License-Identifier: Apache-2.0 */
/* Tiers that a file of sessions brings along. A tier is of the class of its price, the dearest
 * first, where the scenario does not say any itself; no session is dealt to it that does not name
 * it. */
#include "engine/base/assert.h"
#include "engine/twin/agents_file.h"
#include "engine/twin/scenario_impl.h"
#include "engine/work/trace.h"

#include <math.h>
#include <string.h>

enum {
    n_row_max = 64
};

static double or_nothing(double usd_mtok)
{
    return isnan(usd_mtok) ? 0 : usd_mtok;
}

static mr_status tier_named(struct mr_scenario *scenario, const char *name,
                            struct mr_scenario_tier **out, size_t *i, struct mr_err *err)
{
    for (*i = 0; *i < scenario->n_tier; ++*i)
        if (strcmp(scenario->tier[*i].name, name) == 0) {
            *out = &scenario->tier[*i];
            return MR_OK;
        }
    if (scenario->n_tier == MR_SCENARIO_TIERS)
        return mr_err_set(err, MR_LIMIT, (struct mr_place){scenario->agents.file, 1, 0},
                          "tier \"%.64s\": more than %d tiers with those of the scenario", name,
                          MR_SCENARIO_TIERS);
    struct mr_scenario_tier *tier = &scenario->tier[scenario->n_tier];
    uint8_t origin[n_row_max];
    const struct mr_param_table *table = mr_scenario_part(MR_SCENARIO_PART_TIER).table;
    const struct mr_param_target target = {table, tier, origin, &scenario->texts, "tier"};
    MR_ASSERT(table->n <= n_row_max);
    mr_param_defaults(&target);
    tier->name = mr_arena_text(&scenario->texts, mr_str_of(name), err);
    tier->share = 0;
    if (tier->name == NULL)
        return MR_NOMEM;
    scenario->n_tier++;
    *out = tier;
    return MR_OK;
}

static mr_status take(struct mr_scenario *scenario, const struct mr_session_book *book,
                      size_t n_given, struct mr_err *err)
{
    for (uint32_t k = 0; k < book->tier.n; k++) {
        const struct mr_session_tier *price = &book->tier_price[k];
        struct mr_scenario_tier *tier = NULL;
        size_t i = 0;
        if (isnan(price->input) && isnan(price->cache_write) && isnan(price->cache_read) &&
            isnan(price->output))
            continue; /* a name, no more */
        const mr_status st = tier_named(scenario, mr_intern_text(&book->tier, k), &tier, &i, err);
        if (tier == NULL)
            return st;
        if (i < n_given)
            continue;
        tier->input_usd_mtok = or_nothing(price->input);
        tier->write_usd_mtok = or_nothing(price->cache_write);
        tier->cached_usd_mtok = or_nothing(price->cache_read);
        tier->output_usd_mtok = or_nothing(price->output);
    }
    return MR_OK;
}

static void class_by_price(struct mr_scenario *scenario)
{
    for (size_t i = 0; i < scenario->n_tier; i++) {
        struct mr_scenario_tier *own = &scenario->tier[i];
        own->n_class = 0;
        for (size_t k = 0; k < scenario->n_tier; k++)
            own->n_class += scenario->tier[k].output_usd_mtok > own->output_usd_mtok;
    }
}

mr_status mr_scenario_take_tiers(struct mr_scenario *scenario, size_t n_given, struct mr_err *err)
{
    const char *path = scenario->agents.file;
    const struct mr_trace_options options = mr_agents_file_options(&scenario->agents);
    struct mr_trace *trace = NULL;
    struct mr_err later = {0};
    mr_status st = MR_OK;
    if (!scenario->has_agents || path == NULL || strcmp(path, "-") == 0 ||
        mr_trace_open(path, &options, &trace, &later) != MR_OK)
        return MR_OK;
    const struct mr_session_book *book = mr_trace_book(trace);
    if (book->tier.n > 0)
        st = take(scenario, book, n_given, err);
    if (book->tier.n > 0 && n_given == 0)
        class_by_price(scenario);
    mr_trace_close(trace);
    return st;
}
