/* SPDX-License-Identifier: Apache-2.0 */
/* Command-line options as rows of parameter tables: getopt_long finds them, engine/base/param.h
 * reads them, help.c prints them. The same option means the same thing in every verb. */
#ifndef MR_ENGINE_CLI_OPTS_H
#define MR_ENGINE_CLI_OPTS_H

#include "engine/base/param.h"

struct mr_opt {
    struct mr_param param;
    char letter;         /* 0: long form only */
    const char *metavar; /* what the argument is, "FILE"; NULL: a flag (MR_PARAM_BOOL) */
};

struct mr_opt_table {
    const struct mr_opt *row;
    size_t n;
};

/* Options every verb takes. */
struct mr_global_opts {
    bool is_quiet, is_verbose, is_very_verbose, no_progress, may_overwrite, wants_help;
    int color; /* enum mr_ui_color */
};

extern const struct mr_opt_table mr_opts_global;

/* Where the values of one table go. */
struct mr_opts_target {
    const struct mr_opt_table *table;
    void *object;
};

/** Fill both objects with defaults, then from argv[1..]; positional arguments are moved to the end.
 *  Texts are lent from argv. @param[out] first index of the first positional argument */
MR_CHECKED mr_status mr_opts_parse(const struct mr_opts_target *global,
                                   const struct mr_opts_target *verb, int argc, char **argv,
                                   int *first, struct mr_err *err);

/** Frees what repeatable options own. */
void mr_opts_fini(const struct mr_opts_target *target);

/** "  -o, --output FILE   sentence [default]" for each row, broken at 100 columns. */
void mr_opts_print_help(const struct mr_opt_table *table, struct mr_buf *out);

/** " -q --color WHEN" and the end of the line. */
void mr_opts_print_names(const struct mr_opt_table *table, struct mr_buf *out);

#endif
