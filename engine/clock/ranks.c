/* SPDX-License-Identifier: Apache-2.0 */
/* MPI, where it is built in (MR_HAVE_MPI). */
#define _GNU_SOURCE /* dladdr */
#include "engine/clock/ranks.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#ifdef MR_HAVE_MPI
#include <mpi.h>

#include <dlfcn.h>
#include <stdio.h>

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

/* ---- joining ---- */

/* What launchers leave in the environment of the processes they start. It decides whether to ask
 * MPI, never a result: any number of ranks computes the same. */
static bool is_launched(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK",
                                        "MPI_LOCALNRANKS", "MV2_COMM_WORLD_SIZE"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (getenv(names[i]) != NULL)
            return true;
    return false;
}

#ifdef MR_HAVE_MPI

static mr_status check_mpi(int code, const char *call, struct mr_err *err)
{
    char text[MPI_MAX_ERROR_STRING] = "unknown error";
    int n = 0;
    if (code == MPI_SUCCESS)
        return MR_OK;
    (void)MPI_Error_string(code, text, &n);
    return mr_err_set(err, MR_IO, MR_NOWHERE, "%s: %s", call, text);
}

static mr_status join(struct mr_ranks *ranks, struct mr_err *err)
{
    int n = 1, i = 0;
    MR_TRY(mr_ranks_check_library(err));
    MR_TRY(check_mpi(MPI_Init(NULL, NULL), "MPI_Init", err));
    ranks->uses_mpi = true;
    MR_TRY(check_mpi(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN),
                     "MPI_Comm_set_errhandler", err));
    MR_TRY(check_mpi(MPI_Comm_size(MPI_COMM_WORLD, &n), "MPI_Comm_size", err));
    MR_TRY(check_mpi(MPI_Comm_rank(MPI_COMM_WORLD, &i), "MPI_Comm_rank", err));
    ranks->n = (uint32_t)n;
    ranks->i = (uint32_t)i;
    return MR_OK;
}

static void leave(const struct mr_ranks *ranks)
{
    if (ranks->uses_mpi)
        (void)MPI_Finalize();
}

static mr_status gather(const struct mr_ranks *ranks, const void *mine, void *all,
                        struct mr_err *err)
{
    return check_mpi(MPI_Allgatherv(mine, ranks->count[0][ranks->i], MPI_BYTE, all, ranks->count[0],
                                    ranks->offset[0], MPI_BYTE, MPI_COMM_WORLD),
                     "MPI_Allgatherv", err);
}

static mr_status swap(const struct mr_ranks *ranks, const void *out, void *in, struct mr_err *err)
{
    return check_mpi(MPI_Alltoallv(out, ranks->count[0], ranks->offset[0], MPI_BYTE, in,
                                   ranks->count[1], ranks->offset[1], MPI_BYTE, MPI_COMM_WORLD),
                     "MPI_Alltoallv", err);
}

#else

static mr_status join(struct mr_ranks *ranks, struct mr_err *err)
{
    static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};
    (void)ranks;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const char *const text = getenv(sizes[i]);
        uint64_t n = 1;
        if (text != NULL && mr_num_parse_u64(mr_str_of(text), &n) == MR_OK && n > 1)
            return mr_err_set(err, MR_LIMIT, MR_NOWHERE,
                              "%s=%s processes were started, but this build has no MPI: each would "
                              "do the whole run (build with MPI, or start one)",
                              sizes[i], text);
    }
    return MR_OK;
}

static void leave(const struct mr_ranks *ranks)
{
    (void)ranks;
}

/* A build without MPI has one rank, which exchanges nothing. */
static mr_status gather(const struct mr_ranks *ranks, const void *mine, void *all,
                        struct mr_err *err)
{
    (void)mine;
    (void)all;
    (void)err;
    MR_ASSERT(ranks->n == 1);
    return MR_OK;
}

static mr_status swap(const struct mr_ranks *ranks, const void *out, void *in, struct mr_err *err)
{
    return gather(ranks, out, in, err);
}

#endif

static mr_status make_counts(struct mr_ranks *ranks, struct mr_err *err)
{
    ranks->count[0] = mr_alloc_zero((size_t)ranks->n * 4, sizeof(int));
    if (ranks->count[0] == NULL)
        return mr_err_nomem(err, (size_t)ranks->n * 4 * sizeof(int));
    ranks->offset[0] = ranks->count[0] + ranks->n;
    ranks->count[1] = ranks->offset[0] + ranks->n;
    ranks->offset[1] = ranks->count[1] + ranks->n;
    return MR_OK;
}

mr_status mr_ranks_alone(struct mr_ranks *ranks, struct mr_err *err)
{
    *ranks = (struct mr_ranks){.n = 1};
    return make_counts(ranks, err);
}

mr_status mr_ranks_open(struct mr_ranks *ranks, struct mr_err *err)
{
    *ranks = (struct mr_ranks){.n = 1};
    mr_status st = is_launched() ? join(ranks, err) : MR_OK;
    if (st == MR_OK)
        st = make_counts(ranks, err);
    if (st != MR_OK)
        mr_ranks_close(ranks);
    return st;
}

void mr_ranks_close(struct mr_ranks *ranks)
{
    mr_free(ranks->count[0]);
    leave(ranks);
    *ranks = (struct mr_ranks){0};
}

/* ---- exchanging ---- */

/* Counts and offsets of one side as MPI takes them. */
static mr_status set_counts(struct mr_ranks *ranks, int side, const size_t *n_bytes,
                            struct mr_err *err)
{
    size_t sum = 0;
    for (uint32_t r = 0; r < ranks->n; r++) {
        if (n_bytes[r] > INT_MAX || sum + n_bytes[r] > INT_MAX)
            return mr_err_set(err, MR_LIMIT, MR_NOWHERE,
                              "ranks exchange more than 2 GiB at once (use more ranks, or shorter "
                              "windows)");
        ranks->count[side][r] = (int)n_bytes[r];
        ranks->offset[side][r] = (int)sum;
        sum += n_bytes[r];
    }
    return MR_OK;
}

mr_status mr_ranks_gather(struct mr_ranks *ranks, const void *mine, const size_t *n_bytes,
                          void *all, struct mr_err *err)
{
    MR_TRY(set_counts(ranks, 0, n_bytes, err));
    if (ranks->n > 1)
        return gather(ranks, mine, all, err);
    if (n_bytes[0] > 0)
        memcpy(all, mine, n_bytes[0]);
    return MR_OK;
}

mr_status mr_ranks_swap(struct mr_ranks *ranks, const void *out, const size_t *out_bytes, void *in,
                        const size_t *in_bytes, struct mr_err *err)
{
    MR_ASSERT(out_bytes[ranks->i] == in_bytes[ranks->i]);
    MR_TRY(set_counts(ranks, 0, out_bytes, err));
    MR_TRY(set_counts(ranks, 1, in_bytes, err));
    if (ranks->n > 1)
        return swap(ranks, out, in, err);
    if (out_bytes[0] > 0)
        memcpy(in, out, out_bytes[0]);
    return MR_OK;
}
