/* SPDX-License-Identifier: Apache-2.0 */
/* One threshold and its sentence. */
#include "engine/serve/transfer_choice.h"

#include "engine/base/assert.h"

#include <math.h>
#include <stdio.h>

static const char *const names[] = {
#define CHOICE_NAME(name, text, doc) text,
    MR_TRANSFER_CHOICE_LIST(CHOICE_NAME)
#undef CHOICE_NAME
};

const char *mr_transfer_choice_name(int choice)
{
    MR_ASSERT(choice >= 0 && (size_t)choice < sizeof names / sizeof *names);
    return names[choice];
}

double mr_transfer_choice_expected(double per_s, double bytes, double bandwidth_bytes_s,
                                   double latency_s, double n_sender)
{
    const double load = per_s * bytes / bandwidth_bytes_s;
    const double n = load < 1 ? load / (1 - load) + per_s * latency_s : (double)INFINITY;
    return fmin(n, n_sender);
}

int mr_transfer_choice_of(int wanted, double n_expected, char why[MR_TRANSFER_CHOICE_CAP])
{
    if (wanted != MR_TRANSFER_CHOICE_AUTO) {
        snprintf(why, MR_TRANSFER_CHOICE_CAP, "%s: asked for", mr_transfer_choice_name(wanted));
        return wanted;
    }
    if (n_expected <= MR_TRANSFER_CHOICE_FLOWS) {
        snprintf(why, MR_TRANSFER_CHOICE_CAP,
                 "flow: about %.3g transfers are expected at once, and max-min is cheap up to %d",
                 n_expected, MR_TRANSFER_CHOICE_FLOWS);
        return MR_TRANSFER_CHOICE_FLOW;
    }
    if (isinf(n_expected))
        snprintf(why, MR_TRANSFER_CHOICE_CAP,
                 "shared: more is to be sent than the links carry, and max-min is cheap up to %d "
                 "transfers at once",
                 MR_TRANSFER_CHOICE_FLOWS);
    else
        snprintf(why, MR_TRANSFER_CHOICE_CAP,
                 "shared: about %.3g transfers are expected at once, and max-min is cheap up to %d",
                 n_expected, MR_TRANSFER_CHOICE_FLOWS);
    return MR_TRANSFER_CHOICE_SHARED;
}
