/* SPDX-License-Identifier: Apache-2.0 */
/* The SimGrid library in use. */
#ifndef MR_ENGINE_NET_SIMGRID_H
#define MR_ENGINE_NET_SIMGRID_H

enum {
    MR_SIMGRID_VERSION_CAP = 32
};

/** "3.32.0", asked from the library at run time. Starts nothing. @return out */
const char *mr_simgrid_version(char out[MR_SIMGRID_VERSION_CAP]);

#endif
