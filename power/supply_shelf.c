/* SPDX-License-Identifier: Apache-2.0 */
/* Capacitors in the power shelves of racks. They stand behind the last switch there is: a rack
 * whose feeds have all gone runs on from its own until they are empty,
 *
 *   t = eta_d E / P        65 J a GPU, 72 of them, 128 kW: 36 ms
 *
 * and notices nothing of a gap that is over before; what is left then is its supply's affair. They
 * fill again from the rack's own feed, at a share of its rating, beside its load. A rack that draws
 * nothing is not held up by them. Ignored: what they do to ripple within a cycle, self-discharge,
 * the shelf's losses while they give (they count as the rack's input). */
#include "engine/base/assert.h"
#include "power/supply_impl.h"

#include <math.h>

static const double never = (double)INFINITY;

static const double least_step_s = 1e-6;
static const double pulse = 1.6; /* what shelves deliver for so short, over their rack's rating */

/* ---- making ---- */

static void make(const struct mr_supply *s, uint32_t i, double energy_j)
{
    const struct mr_rack *rack = &s->site->rack[i];
    const double rated_w = rack->rated_w > 0 ? rack->rated_w : rack->limit_w;
    struct mr_supply_shelf *shelf = &s->shelf[i];
    struct mr_buffer_params *p = &shelf->params;
    mr_buffer_defaults(p, MR_BUFFER_SHELF);
    p->n_unit = 1; /* all of a rack */
    p->energy_j = energy_j;
    p->discharge_w = rated_w * pulse;
    p->charge_w = rated_w * s->params.shelf_charge_frac;
    shelf->buffer = mr_buffer_start(p, s->t_s);
    shelf->buffer.uses_reserve = true;
}

/* Of a rack with a bus of its own shelves. */
static double energy_j(const struct mr_supply *s, uint32_t i)
{
    const struct mr_rack *rack = &s->site->rack[i];
    const bool has_shelf = mr_inside_has_shelf(rack) && rack->n_package > 0;
    return has_shelf && s->params.shelf_j > 0 ? s->params.shelf_j * rack->n_package : rack->shelf_j;
}

mr_status mr_supply_shelf_init(struct mr_supply *s, struct mr_err *err)
{
    bool has_any = false;
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        has_any |= energy_j(s, i) > 0;
    if (!has_any)
        return MR_OK;
    s->shelf = mr_arena_zero(&s->arena, s->site->n_rack, sizeof *s->shelf, err);
    if (s->shelf == NULL)
        return MR_NOMEM;
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        if (energy_j(s, i) > 0)
            make(s, i, energy_j(s, i));
    return MR_OK;
}

static struct mr_supply_shelf *shelf_of(const struct mr_supply *s, uint32_t i)
{
    return s->shelf != NULL && s->shelf[i].params.n_unit > 0 ? &s->shelf[i] : NULL;
}

/* ---- who is carried ---- */

static double floor_j(const struct mr_supply_shelf *shelf)
{
    return mr_buffer_floor_j(&shelf->params, true);
}

static bool is_empty(const struct mr_supply_shelf *shelf)
{
    const double ceiling_j = mr_buffer_ceiling_j(&shelf->params);
    return shelf->buffer.energy_j - floor_j(shelf) <= 1e-12 * ceiling_j;
}

static bool is_full(const struct mr_supply_shelf *shelf)
{
    return shelf->buffer.energy_j >= mr_buffer_ceiling_j(&shelf->params) * (1 - 1e-12);
}

static void set_power(struct mr_supply_shelf *shelf, double w)
{
    if (shelf->mean_w != w || shelf->buffer.power_w != w)
        shelf->mean_w = mr_buffer_set(&shelf->params, &shelf->buffer, w);
}

/* @return what it takes from the rack's feed */
static double decide_one(struct mr_supply *s, uint32_t i, struct mr_supply_shelf *shelf)
{
    const uint32_t node = s->wire.of_rack[i];
    const double draw_w = s->rack[i].draw_w;
    const bool was_riding = shelf->is_riding;
    shelf->is_riding = shelf->is_backed && mr_chain_is_own(s->chain, node);
    if (!shelf->is_riding) {
        const bool is_fed = mr_chain_is_live(s->chain, node);
        shelf->is_backed = is_fed && !is_empty(shelf) && s->rack[i].state == MR_SUPPLY_RACK_ON &&
                           draw_w > 0 && draw_w <= shelf->params.discharge_w;
        set_power(shelf, is_fed && !is_full(shelf) ? shelf->params.charge_w : 0);
        return fmax(0, shelf->mean_w);
    }
    set_power(shelf, -draw_w);
    if (!was_riding) {
        s->total.n_ride++;
        mr_supply_emit(s, MR_SUPPLY_RACK_RIDES, s->site->rack[i].name, "", draw_w,
                       (shelf->buffer.energy_j - floor_j(shelf)) * shelf->params.discharge_eff /
                           draw_w);
    }
    shelf->is_backed = !is_empty(shelf) && draw_w > 0 && draw_w <= shelf->params.discharge_w;
    return 0;
}

bool mr_supply_shelf_decide(struct mr_supply *s)
{
    bool has_changed = false;
    for (uint32_t i = 0; s->shelf != NULL && i < s->site->n_rack; i++) {
        struct mr_supply_shelf *shelf = shelf_of(s, i);
        if (shelf == NULL)
            continue;
        const bool was_backed = shelf->is_backed;
        const double taken_w = decide_one(s, i, shelf);
        if (taken_w != shelf->taken_w)
            mr_chain_set_inject(s->chain, s->wire.of_rack[i], -taken_w);
        if (shelf->is_backed != was_backed)
            mr_chain_set_backed(s->chain, s->wire.of_rack[i], shelf->is_backed);
        has_changed |= taken_w != shelf->taken_w || shelf->is_backed != was_backed;
        shelf->taken_w = taken_w;
    }
    return has_changed;
}

/* ---- a step ---- */

double mr_supply_shelf_next_s(const struct mr_supply *s)
{
    double next_s = never;
    for (uint32_t i = 0; s->shelf != NULL && i < s->site->n_rack; i++) {
        const struct mr_supply_shelf *shelf = shelf_of(s, i);
        enum mr_buffer_event event;
        if (shelf != NULL && shelf->mean_w != 0)
            next_s = fmin(next_s, mr_buffer_next_s(&shelf->params, &shelf->buffer, &event));
    }
    return fmax(next_s, s->t_s + least_step_s);
}

void mr_supply_shelf_step(struct mr_supply *s, double t_s)
{
    const double dt_s = t_s - s->t_s;
    for (uint32_t i = 0; s->shelf != NULL && i < s->site->n_rack; i++) {
        struct mr_supply_shelf *shelf = shelf_of(s, i);
        if (shelf == NULL)
            continue;
        if (shelf->is_riding) { /* ramps of packages have moved what it gives to their mean */
            set_power(shelf, -s->rack[i].draw_w);
            s->shelf_own_j += s->rack[i].draw_w * dt_s;
        }
        const double asked_w = shelf->is_riding ? -s->rack[i].draw_w : shelf->mean_w;
        const double before_j = shelf->buffer.in_j - shelf->buffer.out_j;
        mr_buffer_advance(&shelf->params, &shelf->buffer, t_s);
        const double missed_j =
            shelf->buffer.in_j - shelf->buffer.out_j - before_j - asked_w * dt_s;
        *(missed_j > 0 ? &s->total.short_j : &s->total.dump_j) += fabs(missed_j);
    }
}

/* ---- sums ---- */

double mr_supply_shelf_w(const struct mr_supply *s)
{
    double sum_w = 0;
    for (uint32_t i = 0; s->shelf != NULL && i < s->site->n_rack; i++)
        sum_w += s->shelf[i].mean_w;
    return sum_w;
}

double mr_supply_shelf_j(const struct mr_supply *s)
{
    double sum_j = 0;
    for (uint32_t i = 0; s->shelf != NULL && i < s->site->n_rack; i++) {
        struct mr_buffer then = s->shelf[i].buffer;
        if (shelf_of(s, i) == NULL)
            continue;
        if (s->look_s > s->t_s)
            mr_buffer_advance(&s->shelf[i].params, &then, s->look_s);
        sum_j += then.energy_j;
    }
    return sum_j;
}

void mr_supply_shelf_total(const struct mr_supply *s, struct mr_supply_total *t)
{
    for (uint32_t i = 0; s->shelf != NULL && i < s->site->n_rack; i++) {
        const struct mr_supply_shelf *shelf = shelf_of(s, i);
        if (shelf == NULL)
            continue;
        const struct mr_buffer first = mr_buffer_start(&shelf->params, 0);
        t->shelf_out_j += shelf->buffer.out_j;
        t->storage_in_j += shelf->buffer.in_j;
        t->storage_out_j += shelf->buffer.out_j;
        t->storage_loss_j += mr_buffer_loss_j(&shelf->params, &shelf->buffer);
        t->storage_change_j += shelf->buffer.energy_j - first.energy_j;
    }
}
