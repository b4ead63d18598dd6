/* SPDX-License-Identifier: Apache-2.0 */
/* Messages and data, each to its own stream. */
#include "engine/cli/ui.h"

#include "engine/base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void mr_ui_init(struct mr_ui *ui, enum mr_ui_color color, int verbosity, bool with_progress,
                bool may_overwrite)
{
    const char *no_color = getenv("NO_COLOR"); /* no-color.org: set and not empty */
    const bool is_refused = no_color != NULL && no_color[0] != '\0';
    const bool is_auto = color == MR_UI_COLOR_AUTO && !is_refused;
    const bool is_always = color == MR_UI_COLOR_ALWAYS;
    *ui = (struct mr_ui){
        .verbosity = verbosity,
        .may_overwrite = may_overwrite,
        .is_err_tty = isatty(STDERR_FILENO) != 0,
        .err_color = is_always || (is_auto && isatty(STDERR_FILENO)),
        .out_color = is_always || (is_auto && isatty(STDOUT_FILENO)),
    };
    ui->with_progress = with_progress && verbosity >= 0;
}

void mr_ui_say(const struct mr_ui *ui, int level, const char *fmt, ...)
{
    if (level > ui->verbosity)
        return;
    va_list args;
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
}

static void print_colored(const struct mr_ui *ui, const struct mr_diag *diag)
{
    static const char *const color[] = {"\033[1;31m", "\033[1;33m", "\033[1;36m"};
    char line[1024];
    const char *word = mr_severity_name(diag->severity);
    mr_diag_print(diag, line, sizeof line);
    const char *at = strstr(line, word);
    const char *program = diag->err.file[0] == '\0' ? "millrace: " : "";
    if (!ui->err_color || at == NULL) {
        fprintf(stderr, "%s%s\n", program, line);
        return;
    }
    fprintf(stderr, "%s%.*s%s%s\033[0m%s\n", program, (int)(at - line), line, color[diag->severity],
            word, at + strlen(word));
}

int mr_ui_error(const struct mr_ui *ui, const struct mr_err *err)
{
    const struct mr_diag diag = {MR_SEVERITY_ERROR, *err};
    print_colored(ui, &diag);
    return mr_status_exit_code(err->status);
}

int mr_ui_diags(const struct mr_ui *ui, const struct mr_diags *diags)
{
    for (size_t i = 0; i < diags->n_item; i++)
        if (diags->item[i].severity == MR_SEVERITY_ERROR || ui->verbosity >= 0)
            print_colored(ui, &diags->item[i]);
    const size_t n = diags->n_error + diags->n_warning + diags->n_note;
    if (n > diags->n_item)
        fprintf(stderr, "millrace: %zu errors and %zu warnings in all, the first %d shown\n",
                diags->n_error, diags->n_warning, MR_DIAGS_CAP);
    return diags->n_error > 0 ? mr_status_exit_code(diags->first_error) : 0;
}

int mr_ui_usage(const struct mr_ui *ui, const char *verb, const char *fmt, ...)
{
    struct mr_diag diag = {MR_SEVERITY_ERROR, {0}};
    va_list args;
    va_start(args, fmt);
    mr_err_vset(&diag.err, MR_SCHEMA, MR_NOWHERE, fmt, args);
    va_end(args);
    print_colored(ui, &diag);
    fprintf(stderr, "try: millrace help%s%s\n", verb != NULL ? " " : "", verb != NULL ? verb : "");
    return 2;
}

int mr_ui_out(const struct mr_ui *ui, const struct mr_buf *data)
{
    struct mr_err err = {0};
    if (mr_buf_check(data, &err) != MR_OK)
        return mr_ui_error(ui, &err);
    if (data->n == 0)
        return 0;
    if (mr_file_write("-", true, (struct mr_str){data->text, data->n}, &err) != MR_OK)
        return mr_ui_error(ui, &err);
    return 0;
}
