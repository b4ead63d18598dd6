/* SPDX-License-Identifier: Apache-2.0 */
/* What HDF5 says about itself. */
#include "engine/record/hdf5.h"

#include <hdf5.h>

#include <stdio.h>

const char *mr_hdf5_version(char out[MR_HDF5_VERSION_CAP])
{
    unsigned major, minor, release;
    if (H5get_libversion(&major, &minor, &release) < 0)
        snprintf(out, MR_HDF5_VERSION_CAP, "unknown");
    else
        snprintf(out, MR_HDF5_VERSION_CAP, "%u.%u.%u", major, minor, release);
    return out;
}
