/* SPDX-License-Identifier: Apache-2.0 */
/* MPI, where it is built in (MR_HAVE_MPI). */
#define _GNU_SOURCE /* dladdr */
#include "engine/clock/ranks.h"

#ifdef MR_HAVE_MPI
#include <mpi.h>

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

const char *mr_ranks_library_version(char out[MR_RANKS_VERSION_CAP])
{
    char text[MPI_MAX_LIBRARY_VERSION_STRING] = "unknown";
    int n = 0;
    if (MPI_Get_library_version(text, &n) != MPI_SUCCESS)
        n = 0;
    text[strcspn(text, ",\n")] = '\0'; /* the rest tells where it was built */
    snprintf(out, MR_RANKS_VERSION_CAP, "%.*s", MR_RANKS_VERSION_CAP - 1, text);
    return out;
}

mr_status mr_ranks_check_library(struct mr_err *err)
{
    Dl_info info;
    int (*const init)(int *, char ***) = MPI_Init;
    void *address;
    memcpy(&address, &init, sizeof address); /* ISO C has no cast from function to object pointer */
    if (dladdr(address, &info) != 0 && info.dli_fname != NULL &&
        strstr(info.dli_fname, "libsimgrid") != NULL)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE,
                          "this binary finds MPI_Init in %s: link libmpi before libsimgrid",
                          info.dli_fname);
    return MR_OK;
}

#else

const char *mr_ranks_library_version(char out[MR_RANKS_VERSION_CAP])
{
    (void)out;
    return NULL;
}

mr_status mr_ranks_check_library(struct mr_err *err)
{
    (void)err;
    return MR_OK;
}

#endif
