/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of the instances on selected racks. An instance that stands on several of them has a row
 * for each, with the watts of its packages there. */
#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/serve/cell_outage.h"
#include "engine/serve/instance_step.h"
#include "engine/twin/play_impl.h"

/* What of an instance stands on a rack. The instance knows the first of its own. */
struct mr_play_watch {
    struct mr_instance_watch link;
    struct mr_play_cell *own;
    uint32_t seat, place, n_package; /* place of the rack in what was asked for */
};

/* ---- racks ---- */

static mr_status refuse(const struct mr_site *site, struct mr_str name, struct mr_err *err)
{
    const char **names = mr_alloc(site->n_rack + 1, sizeof *names);
    char quoted[MR_QUOTE_CAP], hint[128] = "";
    if (names == NULL)
        return mr_err_nomem(err, site->n_rack * sizeof *names);
    for (size_t i = 0; i < site->n_rack; i++)
        names[i] = site->rack[i].name;
    mr_text_hint(name, names, site->n_rack, hint, sizeof hint);
    mr_free(names);
    return mr_err_set(err, MR_REF, MR_NOWHERE, "record steps=%s: site \"%s\" has no such rack%s",
                      mr_text_quote(name, quoted), site->name, hint);
}

static mr_status find_rack(const struct mr_play_run *run, struct mr_str name, uint32_t *rack,
                           struct mr_err *err)
{
    const struct mr_site *site = mr_factory_site(run->factory);
    const struct mr_stand *stand = mr_factory_stand(run->factory);
    char quoted[MR_QUOTE_CAP];
    uint32_t i = 0;
    while (i < site->n_rack && !mr_str_is(name, site->rack[i].name))
        i++;
    if (i == site->n_rack)
        return refuse(site, name, err);
    if (stand->n_taken[i] == 0)
        return mr_err_set(err, MR_REF, MR_NOWHERE,
                          "record steps=%s: no instance stands on that rack of site \"%s\"",
                          mr_text_quote(name, quoted), site->name);
    *rack = i;
    return MR_OK;
}

/* ---- steps ---- */

static mr_status tell(const struct mr_play_watch *watch, const struct mr_instance_step *s)
{
    struct mr_play_cell *own = watch->own;
    const struct mr_outages_span *span = &own->span;
    const bool is_reader = watch->seat >= span->n;
    const struct mr_pool *pool = is_reader ? &own->run->prefill : &own->run->pool;
    const struct mr_play_step step = {.start_s = s->start_s,
                                      .time_s = s->time_s,
                                      .kv_tok = s->kv_tok,
                                      .power_w = watch->n_package * s->package_j / s->time_s,
                                      .idle_w = watch->n_package * mr_play_idle_w(pool),
                                      .clock_frac = s->phi,
                                      .instance = is_reader
                                                      ? span->first_reader + watch->seat - span->n
                                                      : span->first + watch->seat,
                                      .n_decode = (uint32_t)s->n_decode,
                                      .prefill_tok = (uint32_t)s->prefill_tok,
                                      .rack = (uint8_t)watch->place,
                                      .pool = is_reader};
    return mr_play_rows_step(own, &step, &own->err);
}

/* Watches of a seat lie beside each other. */
static void ended(void *context, const struct mr_instance *instance, uint64_t n_step)
{
    const struct mr_play_watch *first = context;
    struct mr_play_cell *own = first->own;
    const struct mr_play_watch *end = own->watch + own->n_watch;
    for (uint64_t j = 0; j < n_step && own->st == MR_OK; j++) {
        const struct mr_instance_step step = mr_instance_step_of(instance, j);
        for (const struct mr_play_watch *w = first;
             w < end && w->seat == first->seat && own->st == MR_OK; w++)
            own->st = tell(w, &step);
    }
}

/* ---- life ---- */

/* Spans of a seat on one rack become one watch. */
static mr_status watch_seat(struct mr_play_cell *own, uint32_t seat, uint32_t place, uint32_t rack,
                            struct mr_err *err)
{
    const struct mr_stand *stand = mr_factory_stand(own->run->factory);
    const uint32_t number = mr_play_cell_number(own, seat);
    uint32_t n_package = 0;
    for (uint32_t k = stand->begin[number]; k < stand->begin[number + 1]; k++)
        n_package += stand->span[k].rack == rack ? stand->span[k].n : 0;
    if (n_package == 0)
        return MR_OK;
    MR_TRY(mr_grow(&own->watch, &own->cap_watch, own->n_watch + 1, sizeof *own->watch, err));
    own->watch[own->n_watch++] =
        (struct mr_play_watch){.own = own, .seat = seat, .place = place, .n_package = n_package};
    return MR_OK;
}

static mr_status watch_cell(struct mr_play_cell *own, const uint32_t *rack, struct mr_err *err)
{
    for (uint32_t seat = 0; seat < own->span.n + own->span.n_reader; seat++)
        for (uint32_t i = 0; i < own->run->options->n_step_rack; i++)
            MR_TRY(watch_seat(own, seat, i, rack[i], err));
    for (size_t i = own->n_watch; i > 0; i--) { /* the first of a seat comes last, and stays */
        struct mr_play_watch *w = &own->watch[i - 1];
        w->link = (struct mr_instance_watch){ended, w};
        mr_cell_instance(&own->cell, w->seat)->watch = &w->link;
    }
    return MR_OK;
}

mr_status mr_play_steps_open(struct mr_play_run *run, struct mr_err *err)
{
    const struct mr_play_options *options = run->options;
    const size_t n = options->n_step_rack;
    char quoted[MR_QUOTE_CAP];
    if (n == 0)
        return MR_OK;
    if (run->factory == NULL)
        return mr_err_set(err, MR_REF, MR_NOWHERE,
                          "record steps=%s: the scenario names no site, so there are no racks",
                          mr_text_quote(options->step_rack[0], quoted));
    MR_ASSERT(n <= UINT8_MAX);
    uint32_t *rack = mr_alloc_zero(n, sizeof *rack);
    if (rack == NULL)
        return mr_err_nomem(err, n * sizeof *rack);
    mr_status st = MR_OK;
    for (size_t i = 0; i < n && st == MR_OK; i++)
        st = find_rack(run, options->step_rack[i], &rack[i], err);
    for (uint32_t i = 0; i < run->n_made && st == MR_OK; i++)
        st = watch_cell(&run->cell[i], rack, err);
    mr_free(rack);
    return st;
}

mr_status mr_play_steps_end(struct mr_play_cell *own, struct mr_err *err)
{
    for (size_t i = 0; i < own->n_watch; i++)
        if (i == 0 || own->watch[i].seat != own->watch[i - 1].seat)
            mr_instance_step_end(mr_cell_instance(&own->cell, own->watch[i].seat),
                                 own->run->result->sim_s);
    if (own->st != MR_OK)
        *err = own->err;
    return own->st;
}
