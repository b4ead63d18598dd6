/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of manual pages: tables of options and of parameters as troff with the man macros. */
#ifndef MR_ENGINE_CLI_MAN_H
#define MR_ENGINE_CLI_MAN_H

#include "engine/cli/opts.h"

/** The head of a page, up to its name: "millrace-layout", section 5. No date, so that two builds
 *  print the same. @param[in] text the rest of the NAME line */
void mr_man_head(struct mr_buf *out, const char *name, int section, const char *text);

/** Text for troff: backslashes, hyphens and leading dots mean something there. */
void mr_man_text(struct mr_buf *out, const char *text);

/** A line of text after a macro, ".SH ", or after nothing. */
void mr_man_line(struct mr_buf *out, const char *macro, const char *text);

/** The bold head of an item of a list; its text follows. */
void mr_man_item(struct mr_buf *out, const char *name);

void mr_man_options(struct mr_buf *out, const struct mr_opt_table *table);

/** A section of its own: the table's sentence, an item for each row. */
void mr_man_params(struct mr_buf *out, const struct mr_param_table *table);

#endif
