/* SPDX-License-Identifier: Apache-2.0 */
/* Load targets out of messages: the first byte says whether the run's start is known. Every target
 * that is accepted is known at its start at the latest, has a length and a limit that is no less
 * than 0, and they are in order of being known; an error says why, and where it can a line; the
 * same file read twice makes the same plan; what is read may be set, one after the other. */
#include "engine/base/mem.h"
#include "platforms/layout.h"
#include "power/feed.h"
#include "power/plan_targets.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

static const struct mr_site *one_site(void)
{
    static struct mr_site *site; /* for all inputs */
    struct mr_diags diags = {0};
    if (site == NULL)
        require(mr_layout_load_text(
                    "t",
                    mr_str_of("<layout name=\"hall\"><grid limit=\"6 MW\"/><hall><row><rack "
                              "card=\"gb200_nvl72\" count=\"1\"/></row></hall></layout>"),
                    &site, &diags) == MR_OK,
                "the site");
    return site;
}

static mr_status read_bytes(const uint8_t *data, size_t size, double start_s, struct mr_plan *plan,
                            struct mr_err *err)
{
    *plan = (struct mr_plan){0};
    *err = (struct mr_err){0};
    return mr_plan_read_targets_memory(data, size, "fuzz", one_site(), start_s, plan, err);
}

static void look(const struct mr_plan *plan)
{
    for (size_t i = 0; i < plan->n; i++) {
        const struct mr_plan_item *item = &plan->item[i];
        require(item->kind == MR_PLAN_CURTAIL && item->power == MR_SITE_NONE, "the kind");
        require(item->t_s >= 0 && isfinite(item->start_s), "dates");
        require(item->start_s >= item->t_s && item->end_s > item->start_s, "a length");
        require(item->value >= 0 && !item->is_share, "a limit");
        require(i == 0 || item->t_s >= plan->item[i - 1].t_s, "the order");
    }
}

/* As a run does: at the date of being known. Too many at a time are refused. */
static void set_all(const struct mr_plan *plan)
{
    struct mr_feed_params params;
    struct mr_feed feed;
    mr_feed_defaults(&params);
    params.limit_w = 6e6;
    mr_feed_start(&params, 0, 5e6, &feed);
    for (size_t i = 0; i < plan->n && i < 50; i++) {
        const struct mr_plan_item *item = &plan->item[i];
        const struct mr_feed_target target = {item->start_s, item->end_s, item->value,
                                              item->is_best_effort};
        struct mr_err err = {0};
        if (item->t_s > 1e6) /* statuses come every so often */
            break;
        mr_feed_advance(&params, &feed, item->t_s);
        const mr_status st = mr_feed_set(&params, &feed, &target, &err);
        require(st == MR_OK || (st == MR_LIMIT && err.text[0] != '\0'), "what is read may be set");
        feed.n_status = feed.n_alert = 0;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mr_plan plan, again;
    struct mr_err err, err_again;
    if (size == 0 || size > 1 << 20)
        return 0;
    const double start_s = (data[0] & 1) != 0 ? 1719835200 : (double)NAN;
    const mr_status st = read_bytes(data + 1, size - 1, start_s, &plan, &err);
    require(read_bytes(data + 1, size - 1, start_s, &again, &err_again) == st, "twice the same");
    require(plan.n == again.n && err.line == err_again.line, "twice the same");
    require(st == MR_OK || err.text[0] != '\0', "an error says why");
    require(st != MR_OK || plan.n == 0 || plan.item != NULL, "items");
    if (st == MR_OK) {
        look(&plan);
        set_all(&plan);
    }
    mr_free(plan.item);
    mr_free(again.item);
    return 0;
}
