/* SPDX-License-Identifier: Apache-2.0 */
/* Words of one build: what stands for it, then why. */
#include "engine/cli/size_why.h"

#include "engine/base/num.h"

#include <math.h>
#include <stdio.h>

bool mr_size_is_bounded(const struct mr_size_told *told, size_t i)
{
    const struct mr_search_item *item = &told->space->item[i];
    return item->lo >= 0 && item->hi - item->lo > 1;
}

const struct mr_size_run *mr_size_run_of(const struct mr_size_told *told, size_t i)
{
    const struct mr_search_item *item = &told->space->item[i];
    return mr_size_play_find(told->play, i, item->lo >= 0 ? item->lo : item->hi);
}

double mr_size_peak_mw(const struct mr_size_told *told, size_t i)
{
    const struct mr_size_run *run = mr_size_run_of(told, i);
    for (size_t k = 0; k < told->play->n_confirm; k++)
        if (told->play->confirm[k].trial.item == i)
            return told->play->confirm[k].peak_mw;
    return run != NULL ? run->peak_mw : (double)NAN;
}

/* Limits inside the site that were passed: a build may hold its load all the same. */
static const char *warning_of(const struct mr_size_told *told, size_t i, char out[64])
{
    const struct mr_size_run *run = mr_size_run_of(told, i);
    out[0] = '\0';
    if (run != NULL && run->n_violation > 0)
        snprintf(out, 64, "; limits of the site passed: %.0f", run->n_violation);
    return out;
}

static const char *equal_of(const struct mr_size_told *told)
{
    if (told->has_target)
        return "reaches it, too, and is larger";
    return told->space->load.n_value > 1 ? "holds as much and is larger"
                                         : "fewer tokens, or as many and larger";
}

/* What it makes under the heaviest load it holds, and why it holds no heavier one. */
static void put_short(const struct mr_size_told *told, const struct mr_search_item *item,
                      const char *beyond, char *out, size_t cap)
{
    const struct mr_size_factor *load = &told->space->load;
    snprintf(out, cap, "%s%s%s%s%s%s%s", load->n_value > 1 ? load->value[item->lo] : "",
             load->n_value > 1 ? ": " : "", item->why_short, beyond[0] != '\0' ? "; " : "", beyond,
             beyond[0] != '\0' ? ": " : "", beyond[0] != '\0' ? item->why : "");
}

void mr_size_why(const struct mr_size_told *told, size_t i, char *out, size_t cap)
{
    const struct mr_search_item *item = &told->space->item[i];
    const char *of_load =
        item->hi < (long)told->space->load.n_value && item->hi >= 0 && told->space->load.n_value > 1
            ? told->space->load.value[item->hi]
            : "";
    char bound[MR_NUM_CAP], broken[64];
    switch (item->fate) {
    case MR_SEARCH_BEST:
        snprintf(out, cap, "the answer%s", warning_of(told, i, broken));
        break;
    case MR_SEARCH_EQUAL:
        snprintf(out, cap, "%s%s", equal_of(told), warning_of(told, i, broken));
        break;
    case MR_SEARCH_LARGER:
        snprintf(out, cap, "a smaller one does: not played%s",
                 mr_size_run_of(told, i) != NULL ? " to the end" : "");
        break;
    case MR_SEARCH_BOUND:
        mr_num_format_human(item->bound_tok_s, 4, bound);
        snprintf(out, cap, "its cards make %s tok/s at most: not played", bound);
        break;
    case MR_SEARCH_LESS:
    case MR_SEARCH_MISSED:
        if (item->lo >= 0 && item->is_short) {
            put_short(told, item, of_load, out, cap);
            break;
        }
        snprintf(out, cap, "%s%s%s", of_load, of_load[0] != '\0' ? ": " : "", item->why);
        break;
    case MR_SEARCH_OPEN:
    case MR_SEARCH_REFUSED:
    case MR_SEARCH_UNCONFIRMED:
    case MR_SEARCH_FAILED:
    default:
        snprintf(out, cap, "%s", item->why);
        break;
    }
}
