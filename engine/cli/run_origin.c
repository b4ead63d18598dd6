/* SPDX-License-Identifier: Apache-2.0 */
/* The command line is the kernel's copy of it; of Slurm its variables are enough. */
#define _XOPEN_SOURCE 700 /* gethostname */
#include "engine/cli/run_origin.h"

#include "engine/base/gz.h"
#include "engine/base/text.h"
#include "engine/base/wall.h"
#include "engine/base/xml.h"
#include "engine/clock/ranks.h"
#include "engine/net/simgrid.h"
#include "engine/record/hdf5.h"
#include "revision.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char provenance[] = "/provenance";

static mr_status put(struct mr_runfile *file, const char *name, const char *text,
                     struct mr_err *err)
{
    return mr_runfile_attr_text(file, provenance, name, text, err);
}

/* Words as a shell would take them. */
static void add_word(struct mr_buf *out, const char *word)
{
    const bool is_plain = word[0] != '\0' && strpbrk(word, " \t\n'\"\\$`*?[]{}()<>|&;#~!") == NULL;
    mr_buf_text(out, out->n > 0 ? " " : "");
    mr_buf_text(out, is_plain ? "" : "'");
    for (; *word != '\0'; word++)
        if (*word == '\'')
            mr_buf_text(out, "'\\''");
        else
            mr_buf_char(out, *word);
    mr_buf_text(out, is_plain ? "" : "'");
}

static mr_status put_command(struct mr_runfile *file, struct mr_err *err)
{
    char text[4097];
    struct mr_buf command = {0};
    const int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    for (ssize_t i = 0; i < n; i += (ssize_t)strlen(text + i) + 1)
        add_word(&command, text + i);
    mr_status st = mr_buf_check(&command, err);
    if (st == MR_OK)
        st = put(file, "command", command.n > 0 ? command.text : "", err);
    mr_buf_fini(&command);
    return st;
}

static mr_status put_libraries(struct mr_runfile *file, struct mr_err *err)
{
    char simgrid[MR_SIMGRID_VERSION_CAP], hdf5[MR_HDF5_VERSION_CAP], mpi[MR_RANKS_VERSION_CAP];
    char text[512];
    const char *mpi_version = mr_ranks_library_version(mpi);
    snprintf(text, sizeof text, "simgrid %s, hdf5 %s, libxml2 %s, zlib %s, mpi %s",
             mr_simgrid_version(simgrid), mr_hdf5_version(hdf5), mr_xml_library_version(),
             mr_gz_library_version(), mpi_version != NULL ? mpi_version : "none");
    return put(file, "libraries", text, err);
}

/* Its job, its place in an array, and how often it was queued again. */
static mr_status put_slurm(struct mr_runfile *file, struct mr_err *err)
{
    static const struct {
        const char *variable, *name;
    } known[] = {{"SLURM_JOB_ID", "slurm_job_id"},
                 {"SLURM_ARRAY_JOB_ID", "slurm_array_job_id"},
                 {"SLURM_ARRAY_TASK_ID", "slurm_array_task_id"},
                 {"SLURM_RESTART_COUNT", "slurm_restart_count"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const char *value = getenv(known[i].variable);
        if (value != NULL)
            MR_TRY(put(file, known[i].name, value, err));
    }
    return MR_OK;
}

static mr_status put_now(struct mr_runfile *file, const char *name, struct mr_err *err)
{
    char utc[MR_WALL_UTC_CAP];
    mr_wall_utc(utc);
    return put(file, name, utc, err);
}

mr_status mr_run_origin_end(struct mr_runfile *file, uint32_t n_rank, double wall_s,
                            struct mr_err *err)
{
    MR_TRY(put_now(file, "ended_utc", err));
    MR_TRY(mr_runfile_attr_u64(file, provenance, "ranks", n_rank, err));
    MR_TRY(mr_runfile_attr_f64(file, provenance, "wall_s", wall_s, err));
    return mr_runfile_attr_u64(file, provenance, "peak_rss_bytes", mr_wall_peak_rss_bytes(), err);
}

mr_status mr_run_origin_put(struct mr_runfile *file, struct mr_err *err)
{
    char host[72] = "unknown";
    if (gethostname(host, sizeof host - 1) != 0)
        snprintf(host, sizeof host, "unknown");
    MR_TRY(put_now(file, "began_utc", err));
    MR_TRY(put(file, "host", host, err));
    MR_TRY(put(file, "compiler", MR_COMPILER, err));
    MR_TRY(put(file, "flags", MR_FLAGS, err));
    MR_TRY(mr_runfile_attr_u64(file, provenance, "revision_is_modified", MR_GIT_DIRTY, err));
    MR_TRY(put_libraries(file, err));
    MR_TRY(put_command(file, err));
    return put_slurm(file, err);
}
