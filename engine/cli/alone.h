/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs that drive one room of a site alone (thermal, power) share: the order of such a
 * call, tables as CSV files, key figures in a result file. */
#ifndef MR_ENGINE_CLI_ALONE_H
#define MR_ENGINE_CLI_ALONE_H

#include "engine/base/text.h"
#include "engine/cli/apart.h"
#include "engine/cli/progress.h"
#include "engine/cli/ui.h"
#include "engine/record/runfile.h"
#include "platforms/site.h"

struct mr_verb_call;

/* A verb's own parts; `job` is its state. */
struct mr_alone {
    void *job;
    struct mr_site **site;            /* of the job, which destroys it */
    const struct mr_apart_file *file; /* it reads and writes beside the site; option NULL ends */
    bool as_json;
    mr_status (*prepare)(void *job, struct mr_diags *diags, struct mr_err *err);
    mr_status (*run)(void *job, struct mr_err *err); /* with the files that it writes */
    void (*print_table)(const void *job, struct mr_buf *out);
    void (*print_json)(const void *job, struct mr_buf *out);
};

/** Opens the site that the call names, prepares, runs, prints. @return exit code */
int mr_alone_run(const struct mr_alone *alone, const struct mr_verb_call *call);

/* Progress of a play of many short steps. */
struct mr_alone_watch {
    struct mr_progress progress;
    uint64_t n_step;
};

void mr_alone_watch_begin(struct mr_alone_watch *watch, const struct mr_ui *ui);

/** A step is done. @return whether to show how far the play is; looks at the clock once in many */
bool mr_alone_watch_is_due(struct mr_alone_watch *watch, double now_s, double until_s);

/** @param[in] power_w what the verb drives: of all racks, of all feeds */
void mr_alone_watch_show(struct mr_alone_watch *watch, double now_s, double until_s,
                         double power_w);
void mr_alone_watch_end(struct mr_alone_watch *watch);

/** Header and body as a file. @param[in] path NULL: no file */
MR_CHECKED mr_status mr_alone_write(const char *path, bool may_overwrite, const char *header,
                                    const struct mr_buf *body, struct mr_err *err);

/** A result file of a verb's own: created, with what every such file says of itself.
 *  @param[in] title name of the site @param[out] file owned by the caller */
MR_CHECKED mr_status mr_alone_file(const char *path, bool may_overwrite, const char *title,
                                   struct mr_runfile **file, struct mr_err *err);

struct mr_alone_figure {
    const char *name, *units, *formula;
    double value;
};

/** Rows of /kpi of a stopped file. */
MR_CHECKED mr_status mr_alone_put_figures(struct mr_runfile *file,
                                          const struct mr_alone_figure *figure, size_t n,
                                          struct mr_err *err);

/** What a verb prints as JSON, as a text for its result file. @param[out] summary to be freed, also
 *  when this fails */
MR_CHECKED mr_status mr_alone_summary(void (*print_json)(const void *job, struct mr_buf *out),
                                      const void *job, struct mr_buf *summary, struct mr_err *err);

#endif
