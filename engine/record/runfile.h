/* SPDX-License-Identifier: Apache-2.0 */
/* The result file of a run: HDF5 that netCDF-4 readers open too. Written as PATH.part and renamed
 * when it is complete; a thread does all the writing (writer.h).
 *
 * Life: create; declare series and tables (track.h, columns.h), write what is known (texts,
 * arrays, attributes); start; give rows; stop; write what is known now (KPIs, histograms); finish;
 * destroy. All calls come from one thread, and those between create and stop wait for the disk only
 * when the ring is full: what is given is checked and copied, then written behind the caller's
 * back. What fails there, a full disk, a name that is there already, an axis that is not, fails the
 * file: it is told by whichever call comes next and by every later one, at the latest by flush,
 * stop or finish; what is given after it is dropped, and the part stays readable up to its last
 * flush. What is in the datasets depends on the rows alone, never on options or on timing. */
#ifndef MR_ENGINE_RECORD_RUNFILE_H
#define MR_ENGINE_RECORD_RUNFILE_H

#include "engine/base/text.h"
#include "engine/record/channel.h"

struct mr_runfile;

enum {
    MR_RUNFILE_SCHEMA = 1 /* attribute of the root: what names in the file mean */
};

struct mr_runfile_options {
    bool may_overwrite;
    bool is_live;         /* SWMR: may be read while it grows; see mr_runfile_start */
    double flush_s;       /* wall time between flushes: what a killed process loses */
    size_t ring_bytes;    /* of rows under way to the thread; more where rows are large */
    size_t reserve_bytes; /* disk kept back so that a full one can be told and closed properly */
    int level;            /* of compression, 0..9 */
    double guess_s; /* of series that are thought to come, for the size of chunks; 0: not known */
};

/** 5 s, 8 MiB, 4 MiB, level 4. */
struct mr_runfile_options mr_runfile_options_default(void);

/** Create PATH.part, flushed and marked partial. @param[out] out owned by the caller:
 *  mr_runfile_destroy */
MR_CHECKED mr_status mr_runfile_create(const char *path, const struct mr_runfile_options *options,
                                       struct mr_runfile **out, struct mr_err *err);

/** What is being written, "run.h5.part". Lent. */
const char *mr_runfile_part(const struct mr_runfile *file);

/* ---- attributes of a group, "/provenance"; missing groups are made ---- */

MR_CHECKED mr_status mr_runfile_attr_text(struct mr_runfile *file, const char *group,
                                          const char *name, const char *text, struct mr_err *err);
MR_CHECKED mr_status mr_runfile_attr_f64(struct mr_runfile *file, const char *group,
                                         const char *name, double value, struct mr_err *err);
MR_CHECKED mr_status mr_runfile_attr_u64(struct mr_runfile *file, const char *group,
                                         const char *name, uint64_t value, struct mr_err *err);

/* ---- things written once ---- */

/** A text as a dataset without axes: "/config", "effective", "Configuration with ...". */
MR_CHECKED mr_status mr_runfile_text(struct mr_runfile *file, const char *group, const char *name,
                                     const char *long_name, const char *text, struct mr_err *err);

/** An axis of n places, named by texts. @param[in] names n of them, or NULL: only a length */
MR_CHECKED mr_status mr_runfile_axis(struct mr_runfile *file, const char *group, const char *name,
                                     const char *long_name, const char *const *names, size_t n,
                                     struct mr_err *err);

/** An axis of n places with values. @param[in] values as given of the channel's type */
MR_CHECKED mr_status mr_runfile_scale(struct mr_runfile *file, const char *group,
                                      const struct mr_channel *channel, const void *values,
                                      size_t n, struct mr_err *err);

/* An array over axes of its own group that were given before. */
struct mr_runfile_array {
    const char *group;
    const struct mr_channel *channel;
    const char *axis[2];      /* slowest first; the second NULL: one axis */
    size_t n[2];              /* their lengths */
    const void *values;       /* as given of the channel's type, rows together; or */
    const char *const *texts; /* one axis of texts: the type is not looked at */
};

MR_CHECKED mr_status mr_runfile_put(struct mr_runfile *file, const struct mr_runfile_array *array,
                                    struct mr_err *err);

/* ---- the run ---- */

/** Everything that grows is declared: rows may come. In a live file this starts SWMR: until
 *  mr_runfile_stop nothing can be declared and no attribute, text or array be written, since HDF5
 *  1.10 allows only growth (MR_LIMIT). */
MR_CHECKED mr_status mr_runfile_start(struct mr_runfile *file, struct mr_err *err);

/** Have everything given so far in the file now. Never needed: the thread flushes by itself. */
MR_CHECKED mr_status mr_runfile_flush(struct mr_runfile *file, struct mr_err *err);

/** No more rows. Everything but rows can be written again, in a live file too (its readers must
 *  open it anew). */
MR_CHECKED mr_status mr_runfile_stop(struct mr_runfile *file, struct mr_err *err);

#define MR_RUNFILE_END_LIST(X) \
    X(COMPLETE, "complete")    \
    X(PARTIAL, "partial")      \
    X(FAILED, "failed")

enum mr_runfile_end {
#define MR_RUNFILE_END_ENUM(name, text) MR_RUNFILE_##name,
    MR_RUNFILE_END_LIST(MR_RUNFILE_END_ENUM)
#undef MR_RUNFILE_END_ENUM
};

/** Close. A complete file is synced and renamed to its own name; any other stays PATH.part.
 *  @param[in] reason in a few words, for the attribute exit_reason */
MR_CHECKED mr_status mr_runfile_finish(struct mr_runfile *file, enum mr_runfile_end end,
                                       const char *reason, struct mr_err *err);

/** Free it, and the series and tables declared in it. One that was not finished leaves its part,
 *  partial, with every row given. NULL is fine. */
void mr_runfile_destroy(struct mr_runfile *file);

#endif
