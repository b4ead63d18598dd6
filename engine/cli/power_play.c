/* SPDX-License-Identifier: Apache-2.0 */
/* The house follows rows, not steps: pumps and fans do not answer within milliseconds. */
#include "engine/cli/power_play.h"

#include "engine/base/mem.h"

#include <math.h>

/* Where a play stands. */
struct cursor {
    size_t row, edge, item;
    double *rack_w; /* of the site: as the row in force has it */
    double *rest_w; /* of racks with steps: beside them */
    double *now_w;  /* of their steps */
};

static mr_status cursor_init(const struct mr_power_play *play, struct cursor *c, struct mr_err *err)
{
    const size_t n = play->steps->n_rack;
    *c = (struct cursor){.rack_w = mr_alloc_zero(play->site->n_rack + 1, sizeof *c->rack_w),
                         .rest_w = mr_alloc_zero(n + 1, sizeof *c->rest_w),
                         .now_w = mr_alloc_zero(n + 1, sizeof *c->now_w)};
    return c->rack_w != NULL && c->rest_w != NULL && c->now_w != NULL
               ? MR_OK
               : mr_err_nomem(err, play->site->n_rack * sizeof *c->rack_w);
}

static void cursor_fini(struct cursor *c)
{
    mr_free(c->rack_w);
    mr_free(c->rest_w);
    mr_free(c->now_w);
}

/* Of racks with a column of their own; others have none to be averaged. */
static double mean_of(const struct mr_thermal_load *load, size_t column)
{
    const size_t last = load->n_row - 1;
    double sum = 0;
    for (size_t row = 0; row < last; row++)
        sum += load->value[row * load->n_column + column] *
               (load->time_s[row + 1] - load->time_s[row]);
    return last > 0 ? sum / (load->time_s[last] - load->time_s[0]) : load->value[column];
}

static void set_house(const struct mr_power_play *play, const double *rack_w)
{
    for (uint32_t h = 0; h < play->site->n_hall; h++) {
        double hall_w = 0;
        for (uint32_t i = 0; i < play->site->n_rack; i++)
            hall_w += play->site->rack[i].hall == h ? rack_w[i] : 0;
        mr_supply_set_house(play->supply, h, hall_w * play->house_frac);
    }
}

/* Racks with steps draw what the row leaves beside them, and the steps. */
static void set_racks(const struct mr_power_play *play, struct cursor *c)
{
    for (size_t p = 0; p < play->steps->n_rack; p++)
        c->rack_w[play->steps->rack[p]] = c->rest_w[p] + c->now_w[p];
    mr_supply_set_racks(play->supply, c->rack_w);
}

static void apply_row(const struct mr_power_play *play, struct cursor *c)
{
    const struct mr_thermal_load *load = play->load;
    const size_t row = c->row++;
    if (play->is_fine && row > 0)
        return;
    mr_thermal_load_racks(load, row, play->site, c->rack_w);
    for (size_t k = 0; k < load->n_column && play->is_fine; k++)
        c->rack_w[load->rack[k]] = mean_of(load, k);
    set_house(play, c->rack_w);
    for (size_t p = 0; p < play->steps->n_rack; p++) {
        const double w = c->rack_w[play->steps->rack[p]];
        c->rest_w[p] = play->is_fine ? fmax(0, w - play->steps->whole_w[p])
                                     : mr_power_steps_rest_w(play->steps, row, p, w);
    }
    set_racks(play, c);
}

static void apply_edges(const struct mr_power_play *play, struct cursor *c, double now_s)
{
    const struct mr_power_steps *steps = play->steps;
    for (; c->edge < steps->n_edge && steps->edge[c->edge].t_s <= now_s; c->edge++) {
        const struct mr_power_edge *edge = &steps->edge[c->edge];
        c->now_w[edge->place] = edge->power_w;
        mr_supply_set_rack(play->supply, steps->rack[edge->place],
                           c->rest_w[edge->place] + edge->power_w);
    }
}

static double next_s(const struct mr_power_play *play, const struct cursor *c, double now_s)
{
    double s = fmin(play->until_s, mr_flex_next_s(play->flex, now_s));
    if (c->row < play->load->n_row)
        s = fmin(s, play->load->time_s[c->row]);
    if (c->edge < play->steps->n_edge)
        s = fmin(s, play->steps->edge[c->edge].t_s);
    if (c->item < play->plan->n)
        s = fmin(s, play->plan->item[c->item].t_s);
    return s;
}

static mr_status run(const struct mr_power_play *play, struct cursor *c, struct mr_err *err)
{
    double now_s = 0;
    for (;;) {
        apply_edges(play, c, now_s);
        while (c->row < play->load->n_row && (c->row == 0 || play->load->time_s[c->row] <= now_s))
            apply_row(play, c);
        if (now_s == 0) /* what happens at the start happens to a site that runs */
            mr_supply_advance(play->supply, now_s);
        while (c->item < play->plan->n && play->plan->item[c->item].t_s <= now_s)
            MR_TRY(mr_plan_apply(&play->plan->item[c->item++], play->supply, err));
        MR_TRY(mr_flex_step(play->flex, play->supply, now_s, err));
        mr_supply_advance(play->supply, now_s);
        play->step(play->context);
        if (now_s >= play->until_s)
            return MR_OK;
        now_s = next_s(play, c, now_s);
        if (play->ahead != NULL)
            play->ahead(play->context, now_s);
        mr_supply_advance(play->supply, now_s);
    }
}

mr_status mr_power_play(const struct mr_power_play *play, struct mr_err *err)
{
    struct cursor c;
    mr_status st = cursor_init(play, &c, err);
    if (st == MR_OK)
        st = run(play, &c, err);
    cursor_fini(&c);
    return st;
}
