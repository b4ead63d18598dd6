/* SPDX-License-Identifier: Apache-2.0 */
/* SimGrid loads the same file that we read; a layout has to be written out first. */
#include "engine/cli/run_flow.h"

#include "engine/net/flow.h"
#include "platforms/fabric.h"
#include "platforms/open.h"

#include <string.h>

struct inside {
    void (*body)(void *context, struct mr_transfer *net);
    void *context;
    struct mr_transfer *net;
};

bool mr_run_flow_is_wanted(const struct mr_scenario *scenario)
{
    return scenario->has_prefill && scenario->transfer.network == MR_SCENARIO_FLOW &&
           scenario->site.file != NULL;
}

static void call_body(void *data)
{
    const struct inside *inside = data;
    inside->body(inside->context, inside->net);
}

static mr_status start(const struct mr_scenario *scenario,
                       const struct mr_platform_options *options, const struct mr_site *site,
                       struct mr_wiring **wiring, struct mr_transfer **net, struct mr_err *err)
{
    double latency_s[MR_TRANSFER_CLASSES] = {0};
    latency_s[MR_TRANSFER_WIRE] = scenario->transfer.latency_s;
    if (!mr_open_is_platform(scenario->site.file))
        return mr_err_set(
            err, MR_RANGE, (struct mr_place){scenario->path, 0, 0},
            "transfer: \"flow\" needs a platform, and \"%s\" is a layout: write it out "
            "(millrace platform LAYOUT -o NAME.platform.xml) and name that one",
            scenario->site.file);
    MR_TRY(mr_platform_load(site, options, err));
    MR_TRY(mr_wiring_create(site, scenario->transfer.efficiency, wiring, err));
    return mr_flow_create(*wiring, latency_s, net, err);
}

mr_status mr_run_flow(const struct mr_scenario *scenario, const struct mr_platform_options *options,
                      void (*body)(void *context, struct mr_transfer *net), void *context,
                      struct mr_diags *diags)
{
    struct mr_site *site = NULL;
    struct mr_wiring *wiring = NULL;
    struct inside inside = {body, context, NULL};
    struct mr_err err = {0};
    mr_status st = mr_open_site_changed(scenario->site.file, scenario->layout, scenario->n_layout,
                                        MR_FABRIC_LEVEL_AUTO, &site, diags);
    if (st != MR_OK)
        return st;
    st = start(scenario, options, site, &wiring, &inside.net, &err);
    if (st == MR_OK)
        st = mr_transfer_run(inside.net, call_body, &inside, &err);
    mr_transfer_destroy(inside.net);
    mr_wiring_destroy(wiring);
    mr_site_destroy(site);
    return st == MR_OK ? MR_OK : mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
}
