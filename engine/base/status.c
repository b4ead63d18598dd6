/* SPDX-License-Identifier: Apache-2.0 */
/* Status names, error texts and diagnostics lists. No allocation: an error can be reported when
 * memory is what ran out. */
#include "engine/base/status.h"

#include <stdio.h>
#include <string.h>

static const struct {
    mr_status status;
    const char *name, *text;
    int exit_code;
} statuses[] = {
#define STATUS_ROW(name, value, text, exit_code) {MR_##name, #name, text, exit_code},
    MR_STATUS_LIST(STATUS_ROW)
#undef STATUS_ROW
};

static const char *const severities[] = {
#define SEVERITY_ROW(name, text) text,
    MR_SEVERITY_LIST(SEVERITY_ROW)
#undef SEVERITY_ROW
};

const char *mr_status_name(mr_status st)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i].status == st)
            return statuses[i].name;
    return "UNKNOWN";
}

const char *mr_status_text(mr_status st)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i].status == st)
            return statuses[i].text;
    return "unknown status";
}

int mr_status_exit_code(mr_status st)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i].status == st)
            return statuses[i].exit_code;
    return 4;
}

mr_status mr_err_vset(struct mr_err *err, mr_status st, struct mr_place at, const char *fmt,
                      va_list args)
{
    if (err == NULL || err->status != MR_OK)
        return st;
    err->status = st;
    err->line = at.line;
    err->col = at.col;
    err->file[0] = '\0';
    if (at.file != NULL) {
        const size_t n = strlen(at.file), cap = sizeof err->file - 1;
        if (n <= cap) {
            memcpy(err->file, at.file, n + 1);
        } else { /* keep the end: that is where the file name is */
            memcpy(err->file, "...", 3);
            memcpy(err->file + 3, at.file + n - (cap - 3), cap - 3 + 1);
        }
    }
    if (vsnprintf(err->text, sizeof err->text, fmt, args) >= (int)sizeof err->text)
        memcpy(err->text + sizeof err->text - 4, "...", 4);
    return st;
}

mr_status mr_err_set(struct mr_err *err, mr_status st, struct mr_place at, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    mr_err_vset(err, st, at, fmt, args);
    va_end(args);
    return st;
}

mr_status mr_err_nomem(struct mr_err *err, size_t bytes)
{
    return mr_err_set(err, MR_NOMEM, MR_NOWHERE, "out of memory (%zu bytes asked for)", bytes);
}

/* File names are other people's: nothing in them may steer a terminal. */
static void clean_name(const char *name, char *out, size_t cap)
{
    size_t n = 0;
    for (; name[n] != '\0' && n + 1 < cap; n++) {
        const unsigned char c = (unsigned char)name[n];
        out[n] = c < 0x20 || c == 0x7f ? '?' : name[n];
    }
    out[n] = '\0';
}

static int print_located(const struct mr_err *err, const char *severity, char *buf, size_t cap)
{
    char file[sizeof err->file];
    if (err->file[0] == '\0')
        return snprintf(buf, cap, "%s: %s", severity, err->text);
    clean_name(err->file, file, sizeof file);
    if (err->line <= 0)
        return snprintf(buf, cap, "%s: %s: %s", file, severity, err->text);
    if (err->col <= 0)
        return snprintf(buf, cap, "%s:%d: %s: %s", file, err->line, severity, err->text);
    return snprintf(buf, cap, "%s:%d:%d: %s: %s", file, err->line, err->col, severity, err->text);
}

int mr_err_print(const struct mr_err *err, char *buf, size_t cap)
{
    return print_located(err, "error", buf, cap);
}

const char *mr_severity_name(enum mr_severity severity)
{
    return severities[severity];
}

mr_status mr_diags_add_err(struct mr_diags *diags, enum mr_severity severity,
                           const struct mr_err *err)
{
    if (err->status == MR_OK)
        return MR_OK;
    if (severity == MR_SEVERITY_ERROR) {
        diags->n_error++;
        if (diags->first_error == MR_OK)
            diags->first_error = err->status;
    } else if (severity == MR_SEVERITY_WARNING) {
        diags->n_warning++;
    } else {
        diags->n_note++;
    }
    if (diags->n_item < MR_DIAGS_CAP) {
        struct mr_diag *diag = &diags->item[diags->n_item++];
        diag->severity = severity;
        diag->err = *err;
    }
    return err->status;
}

mr_status mr_diags_add(struct mr_diags *diags, enum mr_severity severity, mr_status st,
                       struct mr_place at, const char *fmt, ...)
{
    struct mr_err err = {0};
    va_list args;
    va_start(args, fmt);
    mr_err_vset(&err, st, at, fmt, args);
    va_end(args);
    return mr_diags_add_err(diags, severity, &err);
}

int mr_diag_print(const struct mr_diag *diag, char *buf, size_t cap)
{
    return print_located(&diag->err, severities[diag->severity], buf, cap);
}
