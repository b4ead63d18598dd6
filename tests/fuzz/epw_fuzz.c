/* SPDX-License-Identifier: Apache-2.0 */
/* EPW: what is accepted has no holes, stays within its bounds and is complete; what is not has a
 * message and leaves nothing behind. */
#include "thermal/epw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mr_epw epw;
    struct mr_err err = {0};
    const struct mr_str text = {(const char *)data, size};
    if (mr_epw_load_text("fuzz.epw", text, &epw, &err) != MR_OK) {
        require(err.text[0] != '\0', "an error without a message");
        require(epw.dry_bulb_c == NULL && epw.n == 0, "an error leaves memory behind");
        return 0;
    }
    require(epw.n > 0 && epw.n % (24 * epw.per_hour) == 0, "not whole days");
    for (uint64_t i = 0; i < epw.n; i++) {
        require(epw.dry_bulb_c[i] >= -60 && epw.dry_bulb_c[i] <= 60, "dry bulb");
        require(epw.rh_frac[i] >= 0 && epw.rh_frac[i] <= 1, "humidity");
        require(isfinite(epw.dew_point_c[i]), "dew point");
        require(epw.pressure_pa[i] >= 31000 && epw.pressure_pa[i] <= 120000, "pressure");
    }
    mr_epw_fini(&epw);
    return 0;
}
