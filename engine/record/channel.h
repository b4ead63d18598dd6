/* SPDX-License-Identifier: Apache-2.0 */
/* What is recorded: one row per dataset, with name, unit, sentence and type. The tables of the
 * models' outputs are made of these; every recorded dataset carries them as attributes. */
#ifndef MR_ENGINE_RECORD_CHANNEL_H
#define MR_ENGINE_RECORD_CHANNEL_H

#include "engine/base/status.h"

#include <stdint.h>

/* name, type as given, bytes as given, bytes as stored */
#define MR_CHANNEL_TYPE_LIST(X)                                        \
    X(F64, double, 8, 8)                                               \
    X(F32, float, 4, 4)                                                \
    X(F32_OF_F64, double, 8, 4) /* given as double, stored as float */ \
    X(U64, uint64_t, 8, 8)                                             \
    X(U32, uint32_t, 4, 4)                                             \
    X(U8, uint8_t, 1, 1)

enum mr_channel_type {
#define MR_CHANNEL_TYPE_ENUM(name, type, given, stored) MR_CHANNEL_##name,
    MR_CHANNEL_TYPE_LIST(MR_CHANNEL_TYPE_ENUM)
#undef MR_CHANNEL_TYPE_ENUM
    MR_CHANNEL_N_TYPE
};

/* What a series' sample says of the time since the one before it (mr_track_look). */
enum mr_channel_over {
    MR_CHANNEL_POINT, /* nothing: it is of its date, or was made for that time by who gives it */
    MR_CHANNEL_MEAN,
    MR_CHANNEL_MAX,
    MR_CHANNEL_MIN
};

/* Of a channel's initializer, with the words that readers of CF look for. */
#define MR_CHANNEL_OVER_MEAN .over = MR_CHANNEL_MEAN, .cell_methods = "time: mean"
#define MR_CHANNEL_OVER_MAX  .over = MR_CHANNEL_MAX, .cell_methods = "time: maximum"
#define MR_CHANNEL_OVER_MIN  .over = MR_CHANNEL_MIN, .cell_methods = "time: minimum"

/* Static strings or lent for as long as whatever was made of the table. */
struct mr_channel {
    const char *name;      /* of the dataset, "power_kw" */
    const char *units;     /* as UDUNITS reads it: "kW", "degC", "L min-1", "percent", "1", "s" */
    const char *long_name; /* a sentence */
    enum mr_channel_type type;
    enum mr_channel_over over; /* of types given as double */
    double scale;              /* doubles are multiplied by it, W -> kW: 1e-3; 0: as given */
    const char *dsx;           /* name in the DSX vocabulary, "Rack/RackPower"; NULL: none */
    const char *cell_methods;  /* "time: mean"; NULL: none */
    const char *const *flag;   /* unsigned types: what the values 0, 1, ... mean; NULL: numbers */
    /* n_flag of them: what other columns of such rows are in, "" where in nothing; NULL: not told
     */
    const char *const *flag_unit;
    size_t n_flag;
    size_t offset; /* of the field in a row's struct: columns.h */
    bool has_none; /* U32: 4294967295 stands for none, and readers are told (_FillValue) */
};

size_t mr_channel_given_bytes(enum mr_channel_type type);
size_t mr_channel_stored_bytes(enum mr_channel_type type);
bool mr_channel_is_float(enum mr_channel_type type);

/** Names of datasets, groups and axes: UTF-8, neither empty nor ".", no '/', no control character,
 *  no space at an end, at most 200 bytes. @param[in] what the kind of name, for the message */
MR_CHECKED mr_status mr_channel_check_name(const char *name, const char *what, struct mr_err *err);

/** A whole table: names good and different, units and sentences there, types that fit. */
MR_CHECKED mr_status mr_channel_check(const struct mr_channel *channel, size_t n,
                                      struct mr_err *err);

/** Values as given to values as stored: widths, scale. @param[in] stride bytes from one value as
 *  given to the next */
void mr_channel_store(const struct mr_channel *channel, const void *given, size_t stride, size_t n,
                      void *stored);

#endif
