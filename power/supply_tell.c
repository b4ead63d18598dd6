/* SPDX-License-Identifier: Apache-2.0 */
/* Events that are changes of state seen from outside: units of generators, bars that change hands,
 * the lowest frequency of a swing, caps that bind. Looked at once a step. */
#include "power/supply_impl.h"

static void count_units(const struct mr_generator *block, uint32_t *n_on, uint32_t *n_failed)
{
    *n_on = *n_failed = 0;
    for (uint32_t u = 0; u < block->n; u++) {
        const int state = block->unit[u].state;
        *n_on += state == MR_GENERATOR_ON || state == MR_GENERATOR_RAMPING;
        *n_failed += state == MR_GENERATOR_FAILED;
    }
}

void mr_supply_tell_failed(struct mr_supply *s, struct mr_supply_source *source, const char *why)
{
    uint32_t n_on, n_failed;
    count_units(&source->block, &n_on, &n_failed);
    if (n_failed > source->n_failed) {
        mr_supply_emit(s, MR_SUPPLY_GEN_FAIL, source->name, why, n_failed, source->block.n);
        source->n_on = n_on < source->n_on ? n_on : source->n_on; /* told herewith */
    } else if (n_failed < source->n_failed) {
        mr_supply_emit(s, MR_SUPPLY_GEN_REPAIRED, source->name, "", n_failed, source->block.n);
    }
    source->n_failed = n_failed;
}

static void look_at_block(struct mr_supply *s, struct mr_supply_source *source)
{
    uint32_t n_on, n_failed;
    mr_supply_tell_failed(s, source, "out of fuel"); /* nothing else fails by itself */
    count_units(&source->block, &n_on, &n_failed);
    if (n_on > source->n_on)
        mr_supply_emit(s, MR_SUPPLY_GEN_ON, source->name, "", n_on, source->block.n);
    else if (n_on < source->n_on)
        mr_supply_emit(s, MR_SUPPLY_GEN_OFF, source->name, "", n_on, source->block.n);
    source->n_on = n_on;
}

static void look_at_group(struct mr_supply *s, struct mr_supply_group *group)
{
    const char *name = s->wire.tree->node[group->at[0]].name;
    if (group->is_own != group->was_own) {
        if (!group->is_own)
            mr_supply_emit(s, MR_SUPPLY_SOURCE_OFF, name, group->is_away ? "dark" : "fed again", 0,
                           0);
        if (group->has_machines)
            mr_supply_emit(s, group->is_own ? MR_SUPPLY_ISLAND : MR_SUPPLY_RECONNECT, name, "",
                           group->is_own ? group->own_w : 0, 0);
    }
    group->was_own = group->is_own;
    if (group->nadir_hz > 0) {
        mr_supply_emit(s, MR_SUPPLY_NADIR, name, "", group->nadir_hz,
                       s->params.frequency.nominal_hz);
        group->nadir_hz = 0;
    }
}

static void look_at_caps(struct mr_supply *s)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        n += s->rack[i].state == MR_SUPPLY_RACK_ON && mr_supply_is_capped(&s->rack[i]);
    if (n > 0 && s->n_capped == 0) {
        s->total.n_cap++;
        mr_supply_emit(s, MR_SUPPLY_CAP_ON, s->site->name, "", n, (double)s->site->n_rack);
    } else if (n == 0 && s->n_capped > 0) {
        mr_supply_emit(s, MR_SUPPLY_CAP_OFF, s->site->name, "", 0, (double)s->site->n_rack);
    }
    s->n_capped = n;
}

void mr_supply_tell_start(struct mr_supply *s)
{
    for (uint32_t i = 0; i < s->n_source; i++)
        if (!s->source[i].is_storage && !s->source[i].is_solar)
            count_units(&s->source[i].block, &s->source[i].n_on, &s->source[i].n_failed);
    for (uint32_t g = 0; g < s->n_group; g++)
        s->group[g].was_own = s->group[g].is_own;
}

void mr_supply_tell(struct mr_supply *s)
{
    for (uint32_t i = 0; i < s->n_source; i++)
        if (!s->source[i].is_storage && !s->source[i].is_solar)
            look_at_block(s, &s->source[i]);
    for (uint32_t g = 0; g < s->n_group; g++)
        look_at_group(s, &s->group[g]);
    look_at_caps(s);
}
