/* SPDX-License-Identifier: Apache-2.0 */
/* The SimGrid library in use, which is loaded with the first platform. */
#ifndef MR_ENGINE_NET_SIMGRID_H
#define MR_ENGINE_NET_SIMGRID_H

enum {
    MR_SIMGRID_VERSION_CAP = 32
};

/** "3.32.0": what this was built against, and loads the name of (a library with another name has
 *  another interface). Loads nothing. @return out */
const char *mr_simgrid_version(char out[MR_SIMGRID_VERSION_CAP]);

#endif
