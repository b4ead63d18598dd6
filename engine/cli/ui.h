/* SPDX-License-Identifier: Apache-2.0 */
/* What a person at a terminal sees: messages on stderr, data on stdout, colors only where wanted.
 * stdout carries data only; a full disk behind it is an error, a closed pipe ends the program. */
#ifndef MR_ENGINE_CLI_UI_H
#define MR_ENGINE_CLI_UI_H

#include "engine/base/text.h"

enum mr_ui_color {
    MR_UI_COLOR_AUTO,
    MR_UI_COLOR_ALWAYS,
    MR_UI_COLOR_NEVER
};

struct mr_ui {
    int verbosity; /* -1 quiet: errors only; 0 normal; 1, 2: more */
    bool may_overwrite, with_progress;
    bool is_err_tty, err_color, out_color;
};

/** Look at the terminals and at NO_COLOR. */
void mr_ui_init(struct mr_ui *ui, enum mr_ui_color color, int verbosity, bool with_progress,
                bool may_overwrite);

/** One message for people, ended by a newline. Shown when `level` <= verbosity. */
void mr_ui_say(const struct mr_ui *ui, int level, const char *fmt, ...) MR_PRINTF(3, 4);

/** "FILE:LINE:COL: error: ..." or "millrace: error: ..." @return the exit code of its status */
int mr_ui_error(const struct mr_ui *ui, const struct mr_err *err);

/** Every diagnostic, then "N errors, M warnings" when not all were shown.
 *  @return exit code of the first error, 0 without errors */
int mr_ui_diags(const struct mr_ui *ui, const struct mr_diags *diags);

/** Wrong usage: the message, then how to get help. @return 2 */
int mr_ui_usage(const struct mr_ui *ui, const char *verb, const char *fmt, ...) MR_PRINTF(3, 4);

/** Write data to stdout. @return exit code: 0, or that of the failure, which was reported */
int mr_ui_out(const struct mr_ui *ui, const struct mr_buf *data);

#endif
