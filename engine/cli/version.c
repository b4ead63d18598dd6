/* SPDX-License-Identifier: Apache-2.0 */
/* The version verb. Library versions are those in use at run time, not those compiled against. */
#include "engine/cli/version.h"

#include "engine/base/gz.h"
#include "engine/base/jsonw.h"
#include "engine/base/xml.h"
#include "engine/cli/verbs.h"
#include "engine/clock/ranks.h"
#include "engine/net/simgrid.h"
#include "engine/record/hdf5.h"
#include "revision.h"

static const struct mr_opt version_rows[] = {
    {MR_PARAM_YES(struct mr_version_opts_values, as_json, "json", "no", "One JSON object"), 0,
     NULL},
};

const struct mr_opt_table mr_version_opts = {version_rows,
                                             sizeof version_rows / sizeof *version_rows};

const char *mr_version_number(void)
{
    return MR_VERSION;
}

int mr_version_run(const struct mr_verb_call *call)
{
    const struct mr_version_opts_values *opts = call->opts;
    char simgrid[MR_SIMGRID_VERSION_CAP], hdf5[MR_HDF5_VERSION_CAP], mpi[MR_RANKS_VERSION_CAP];
    const struct {
        const char *name, *version;
    } libraries[] = {
        {"simgrid", mr_simgrid_version(simgrid)}, {"hdf5", mr_hdf5_version(hdf5)},
        {"libxml2", mr_xml_library_version()},    {"zlib", mr_gz_library_version()},
        {"mpi", mr_ranks_library_version(mpi)},
    };
    const size_t n = sizeof libraries / sizeof *libraries;
    struct mr_buf out = {0};
    if (opts->as_json) {
        struct mr_jsonw w;
        mr_jsonw_init(&w, &out, 2);
        mr_jsonw_object(&w);
        mr_jsonw_key_u64(&w, "schema", 1);
        mr_jsonw_key_text(&w, "version", MR_VERSION);
        mr_jsonw_key_text(&w, "git", MR_GIT_HASH);
        mr_jsonw_key_bool(&w, "dirty", MR_GIT_DIRTY != 0);
        mr_jsonw_key_text(&w, "compiler", MR_COMPILER);
        mr_jsonw_key_text(&w, "flags", MR_FLAGS);
        mr_jsonw_key_text(&w, "preset", MR_BUILD_PRESET);
        mr_jsonw_key(&w, "libraries");
        mr_jsonw_object(&w);
        for (size_t i = 0; i < n; i++)
            mr_jsonw_key_text(&w, libraries[i].name, libraries[i].version);
        mr_jsonw_end(&w);
        mr_jsonw_end(&w);
        mr_buf_char(&out, '\n');
    } else {
        mr_buf_printf(&out, "millrace %s (%.12s%s)\n", MR_VERSION, MR_GIT_HASH,
                      MR_GIT_DIRTY ? ", modified" : "");
        mr_buf_printf(&out, "compiler  %s, preset %s\nflags     %s\n", MR_COMPILER, MR_BUILD_PRESET,
                      MR_FLAGS);
        mr_buf_text(&out, "libraries ");
        for (size_t i = 0; i < n; i++)
            mr_buf_printf(&out, "%s%s %s", i > 0 ? ", " : "", libraries[i].name,
                          libraries[i].version != NULL ? libraries[i].version : "none");
        mr_buf_char(&out, '\n');
    }
    const int code = mr_ui_out(call->ui, &out);
    mr_buf_fini(&out);
    return code;
}
