/* SPDX-License-Identifier: Apache-2.0 */
/* What SimGrid says about itself. */
#include "engine/net/simgrid.h"

#include <simgrid/forward.h>
#include <simgrid/version.h>

#include <stdio.h>

const char *mr_simgrid_version(char out[MR_SIMGRID_VERSION_CAP])
{
    int major = 0, minor = 0, patch = 0;
    sg_version_get(&major, &minor, &patch);
    snprintf(out, MR_SIMGRID_VERSION_CAP, "%d.%d.%d", major, minor, patch);
    return out;
}
