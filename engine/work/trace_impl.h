/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the trace readers, shared by trace*.c only: what a format is, and the values they all
 * read. */
#ifndef MR_ENGINE_WORK_TRACE_IMPL_H
#define MR_ENGINE_WORK_TRACE_IMPL_H

#include "engine/base/csv.h"
#include "engine/base/gz.h"
#include "engine/base/json.h"
#include "engine/work/trace.h"

struct mr_trace;

/* One reader. Only `next` is a must. */
struct mr_trace_format {
    const char *name, *doc;
    bool is_csv;
    bool is_lines;  /* one document per line */
    bool is_binary; /* reads trace->gz itself */
    mr_status (*begin)(struct mr_trace *trace, struct mr_err *err);
    mr_status (*next)(struct mr_trace *trace, struct mr_session *session, bool *has_session,
                      struct mr_err *err);
    void (*end)(struct mr_trace *trace);
};

extern const struct mr_trace_format mr_trace_format_native, mr_trace_format_weka,
    mr_trace_format_mooncake, mr_trace_format_mooncake_delta, mr_trace_format_agentic1,
    mr_trace_format_agentic2, mr_trace_format_bailian, mr_trace_format_applied,
    mr_trace_format_azure, mr_trace_format_burstgpt, mr_trace_format_tracelab, mr_trace_format_csv,
    mr_trace_format_request, mr_trace_format_satf, mr_trace_format_otel, mr_trace_format_pack,
    mr_trace_format_rounds;

enum {
    mr_trace_keys_max = 48, /* of a list that is remembered */
    mr_trace_guesses = 4,   /* keys that may come after one */
    mr_trace_orders = 8
};

/* Objects of a file have their keys in one order nearly always: which key of a list came after
 * which. Only a guess where to look first. */
struct mr_trace_order {
    const char *const *names;
    uint8_t last, next[mr_trace_keys_max][mr_trace_guesses]; /* the latest first met */
    uint32_t n_name[mr_trace_keys_max];                      /* letters; 0: not met yet */
    uint64_t head[mr_trace_keys_max]; /* their first bytes, as keys have them */
};

struct mr_trace {
    struct mr_trace_options options;
    const struct mr_trace_format *format;
    struct mr_json *json; /* one of them */
    struct mr_csv *csv;
    struct mr_gz *gz;
    struct mr_session_book book;
    struct mr_trace_counts counts;
    struct mr_intern unknown;                     /* keys */
    struct mr_intern names;                       /* of sessions, where options.knows_names */
    size_t n_header_model;                        /* the file names all its models; 0: none */
    char *name, *slurped;                         /* of the file; standard input */
    struct mr_trace_order order[mr_trace_orders]; /* of mr_trace_key */
    struct mr_trace_order *recent;                /* one of them, or NULL */
    int line; /* where the session at hand begins, for errors of the whole of it */
    bool is_bad_row, is_cut_row; /* the row at hand: to be left out; changed (mr_trace_judge) */
    void *state;                 /* the format's own */
};

/* ---- values; a null is the caller's to look for ---- */

/** A number in units of 10^exp10, exactly scaled. */
MR_CHECKED mr_status mr_trace_scaled(struct mr_json *json, int exp10, double *value,
                                     struct mr_err *err);

/** A time in units of 10^exp10 s, exactly scaled. @return MR_RANGE below 0 and above 1e12 s */
MR_CHECKED mr_status mr_trace_time(struct mr_json *json, int exp10, double *value_s,
                                   struct mr_err *err);

/** A value that no call can have: an error, or the end of its row, or `nearest` in its place, as
 *  the options say. @param[in] what "%g" and this make the message */
MR_CHECKED mr_status mr_trace_judge(struct mr_trace *trace, struct mr_place at, double *value,
                                    double nearest, const char *what, struct mr_err *err);

/** A number of tokens, judged. */
MR_CHECKED mr_status mr_trace_tokens(struct mr_trace *trace, struct mr_place at, double number,
                                     uint32_t *value, struct mr_err *err);

/** A time of a row, judged; the nearest of all that are none is 0. */
MR_CHECKED mr_status mr_trace_when(struct mr_trace *trace, struct mr_place at, double *time_s,
                                   struct mr_err *err);

/** The row at hand is read: count what became of it. @return false: it is left out */
bool mr_trace_row_counts(struct mr_trace *trace);

/** Text of a decimal number as that. */
MR_CHECKED mr_status mr_trace_scale(struct mr_str text, int exp10, double *value);
MR_CHECKED mr_status mr_trace_u32(struct mr_json *json, uint32_t *value, struct mr_err *err);
MR_CHECKED mr_status mr_trace_i32(struct mr_json *json, int32_t *value, struct mr_err *err);

/** How strict a priority is: a number, or a truth value as 1 or 0.
 *  @param[out] is_truth it was said as a truth value */
MR_CHECKED mr_status mr_trace_strict(struct mr_json *json, uint32_t *value, bool *is_truth,
                                     struct mr_err *err);

/** At least 0 and not infinite. */
MR_CHECKED mr_status mr_trace_amount(struct mr_json *json, double *value, struct mr_err *err);

/** A text, or a number as text, into a session. */
MR_CHECKED mr_status mr_trace_text(struct mr_json *json, struct mr_session *session, uint32_t *at,
                                   struct mr_err *err);

/** A text, or a number as text. Lent until the next call of the reader. */
MR_CHECKED mr_status mr_trace_name(struct mr_json *json, struct mr_str *name, struct mr_err *err);

/** Index of a name among n. @return MR_SCHEMA with the nearest one */
MR_CHECKED mr_status mr_trace_choice(struct mr_json *json, const char *const *names, size_t n,
                                     uint8_t *i, struct mr_err *err);

/** Arrays of [start, length]. @param[in,out] data, cap, n pairs are appended */
MR_CHECKED mr_status mr_trace_runs(struct mr_json *json, struct mr_session_run **data, size_t *cap,
                                   size_t *n, struct mr_err *err);

/** An object that says where the workload comes from, into the book. */
MR_CHECKED mr_status mr_trace_source_read(struct mr_trace *trace, struct mr_err *err);

/** A key nobody knows: counted, skipped; an error if that was asked for. */
MR_CHECKED mr_status mr_trace_unknown_key(struct mr_trace *trace, struct mr_str key,
                                          struct mr_err *err);

/** Go to the next member that is not null. @param[out] i among `names`, n if it is none of them */
MR_CHECKED mr_status mr_trace_key(struct mr_trace *trace, const char *const *names, size_t n,
                                  size_t *i, bool *has_more, struct mr_err *err);

#endif
