/* SPDX-License-Identifier: Apache-2.0 */
/* Status codes, the error object and the list of diagnostics a file collects.
 * A function that can fail on user input returns mr_status and fills one struct mr_err where the
 * fact is known; readers of whole files add to a struct mr_diags so that a user sees every mistake
 * in one pass. Programmer errors never come here: they assert (assert.h). */
#ifndef MR_ENGINE_BASE_STATUS_H
#define MR_ENGINE_BASE_STATUS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#define MR_CHECKED           __attribute__((warn_unused_result))
#define MR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define MR_NORETURN          __attribute__((noreturn))
#define MR_UNUSED            __attribute__((unused))

/* name, value, text, exit code of the program (3 input, 4 model, 5 system, 130 stopped) */
#define MR_STATUS_LIST(X)                                 \
    X(OK, 0, "ok", 0)                                     \
    X(NOMEM, -1, "out of memory", 5)                      \
    X(PARSE, -2, "malformed input", 3)                    \
    X(SCHEMA, -3, "unknown, missing or duplicate key", 3) \
    X(UNIT, -4, "bad or missing unit", 3)                 \
    X(RANGE, -5, "value out of range", 3)                 \
    X(REF, -6, "reference to something undefined", 3)     \
    X(IO, -7, "input/output failed", 5)                   \
    X(DIVERGED, -8, "model did not converge", 4)          \
    X(LIMIT, -9, "fixed capacity exceeded", 4)            \
    X(STOPPED, -10, "stopped by signal", 130)

typedef enum mr_status {
#define MR_STATUS_ENUM(name, value, text, exit_code) MR_##name = (value),
    MR_STATUS_LIST(MR_STATUS_ENUM)
#undef MR_STATUS_ENUM
} mr_status;

/* Where a fact stands. line and col count from 1; 0 = not known. col counts bytes. Lent strings. */
struct mr_place {
    const char *file;
    int line, col;
};

#define MR_NOWHERE ((struct mr_place){NULL, 0, 0})

/* Filled once, by whoever knows the cause; later sets are ignored. Zero-initialize before use. */
struct mr_err {
    mr_status status;
    int line, col; /* 0: not known */
    char file[256], text[512];
};

/* Return the status of a failed call at once. */
#define MR_TRY(call)                  \
    do {                              \
        const mr_status st_ = (call); \
        if (st_ != MR_OK)             \
            return st_;               \
    } while (0)

/* Names are static strings. Unknown values give "UNKNOWN" / exit code 4. */
const char *mr_status_name(mr_status st);
const char *mr_status_text(mr_status st);
int mr_status_exit_code(mr_status st);

/** Fill `err` unless it is NULL or already filled. The text is "OBJECT: what is wrong: why (cure)".
 *  @return st, so that `return mr_err_set(...)` is the idiom. */
mr_status mr_err_set(struct mr_err *err, mr_status st, struct mr_place at, const char *fmt, ...)
    MR_PRINTF(4, 5);
mr_status mr_err_vset(struct mr_err *err, mr_status st, struct mr_place at, const char *fmt,
                      va_list args) MR_PRINTF(4, 0);

/** Out of memory, with the size that was asked for. */
mr_status mr_err_nomem(struct mr_err *err, size_t bytes);

/** Print "FILE:LINE:COL: error: TEXT" without a newline; parts not known are left out.
 *  @return characters the full text needs, as snprintf. */
int mr_err_print(const struct mr_err *err, char *buf, size_t cap);

/* ---- diagnostics of a whole file ---- */

#define MR_SEVERITY_LIST(X) \
    X(ERROR, "error")       \
    X(WARNING, "warning")   \
    X(NOTE, "note")

enum mr_severity {
#define MR_SEVERITY_ENUM(name, text) MR_SEVERITY_##name,
    MR_SEVERITY_LIST(MR_SEVERITY_ENUM)
#undef MR_SEVERITY_ENUM
};

#define MR_DIAGS_CAP 20

struct mr_diag {
    enum mr_severity severity;
    struct mr_err err;
};

/* The first MR_DIAGS_CAP findings; the rest are only counted. Zero-initialize. */
struct mr_diags {
    struct mr_diag item[MR_DIAGS_CAP];
    size_t n_item, n_error, n_warning, n_note;
    mr_status first_error; /* MR_OK while there is none */
};

const char *mr_severity_name(enum mr_severity severity);

/** Add one finding. @return st, so that an error can be added and returned in one line. */
mr_status mr_diags_add(struct mr_diags *diags, enum mr_severity severity, mr_status st,
                       struct mr_place at, const char *fmt, ...) MR_PRINTF(5, 6);

/** Add an error object as it is (nothing when its status is MR_OK). @return its status. */
mr_status mr_diags_add_err(struct mr_diags *diags, enum mr_severity severity,
                           const struct mr_err *err);

/** "FILE:LINE:COL: warning: TEXT", as mr_err_print. */
int mr_diag_print(const struct mr_diag *diag, char *buf, size_t cap);

#endif
