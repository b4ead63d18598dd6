/* SPDX-License-Identifier: Apache-2.0 */
/* The library stays apart from our symbols (RTLD_LOCAL): it exports MPI_* of its own, and a run of
 * many ranks has to find those of MPI. */
#include "engine/net/simgrid.h"

#include "engine/base/assert.h"
#include "engine/net/simgrid_impl.h"

#include <simgrid/version.h>

#include <dlfcn.h>
#include <stdio.h>

const char *mr_simgrid_version(char out[MR_SIMGRID_VERSION_CAP])
{
    snprintf(out, MR_SIMGRID_VERSION_CAP, "%d.%d.%d", SIMGRID_VERSION_MAJOR, SIMGRID_VERSION_MINOR,
             SIMGRID_VERSION_PATCH);
    return out;
}

static const char *const names[] = {
#define NAME(name) #name,
    MR_SIMGRID_LIST(NAME)
#undef NAME
};

enum {
    n_name = sizeof names / sizeof *names
};

/* The loader keeps one library per process, and these are its addresses. */
static union {
    struct mr_simgrid_calls calls;
    void *address[n_name];
} library;
static bool is_loaded;

mr_status mr_simgrid_load(struct mr_err *err)
{
    _Static_assert(sizeof library.calls == sizeof library.address, "nothing but addresses");
    if (is_loaded)
        return MR_OK;
    void *handle = dlopen(MR_SIMGRID_SONAME, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL)
        return mr_err_set(err, MR_IO, MR_NOWHERE, "SimGrid cannot be loaded: %s", dlerror());
    for (size_t i = 0; i < n_name; i++) {
        library.address[i] = dlsym(handle, names[i]);
        if (library.address[i] == NULL)
            return mr_err_set(err, MR_IO, MR_NOWHERE, "SimGrid cannot be used: %s", dlerror());
    }
    is_loaded = true;
    return MR_OK;
}

const struct mr_simgrid_calls *mr_simgrid_calls(void)
{
    MR_ASSERT(is_loaded);
    return &library.calls;
}
