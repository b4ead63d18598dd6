/* SPDX-License-Identifier: Apache-2.0 */
/* A record of a series is the time and, channel after channel, the stored values of one row; each
 * goes onto a tape of its own. Means are kept as means,
 *   m' = m + (x - m) dt / (t + dt):
 * a value that stays keeps its bits, and so does the only one of an interval. */
#include "engine/record/track.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/record/runfile_impl.h"

#include <math.h>

struct mr_track {
    struct mr_runfile_stream stream;
    struct mr_track_plan plan; /* names of entities are not kept */
    struct mr_channel *channel;
    size_t n_value; /* per channel and row */
    size_t row_bytes;
    uint64_t n_row, n_guess;
    double last_s;
    struct mr_tape *tape; /* 0: time, then the channels */
    double *looked;       /* [n_looked] of channels with an `over`, in their order */
    double *seen;         /* [n_looked] by the last look alone: rows without a look repeat it */
    size_t n_looked;
    double looked_s; /* since the last row */
    bool has_looked, has_seen;
};

static const struct mr_channel time_channel = {
    .name = "time", .units = "s", .long_name = "Simulated time of the sample"};

static struct mr_track *of(struct mr_runfile_stream *stream)
{
    return (struct mr_track *)stream;
}

/* ---- the writing thread ---- */

static mr_status record(struct mr_runfile_stream *stream, struct mr_tape_tools *tools,
                        const void *bytes, size_t n, struct mr_err *err)
{
    struct mr_track *s = of(stream);
    const unsigned char *p = bytes;
    MR_ASSERT(n == s->row_bytes);
    mr_status st = MR_OK;
    for (size_t i = 0; i <= s->plan.n_channel; i++) {
        const mr_status st_tape = mr_tape_put(&s->tape[i], tools, p, err);
        st = st == MR_OK ? st_tape : st; /* the row is in memory of all, so it can be salvaged */
        p += s->tape[i].size * (size_t)s->tape[i].n_col;
    }
    return st;
}

static mr_status settle(struct mr_runfile_stream *stream, struct mr_tape_tools *tools, bool is_last,
                        struct mr_err *err)
{
    struct mr_track *s = of(stream);
    for (size_t i = 0; i <= s->plan.n_channel; i++)
        MR_TRY(mr_tape_settle(&s->tape[i], tools, is_last, err));
    return MR_OK;
}

static void salvage(struct mr_runfile_stream *stream, struct mr_tape_tools *tools)
{
    struct mr_track *s = of(stream);
    for (size_t i = 0; i <= s->plan.n_channel; i++)
        mr_tape_salvage(&s->tape[i], tools);
}

static void level(struct mr_runfile_stream *stream, struct mr_tape_tools *tools)
{
    struct mr_track *s = of(stream);
    mr_tape_level(s->tape, s->plan.n_channel + 1, tools);
}

static void close_all(struct mr_runfile_stream *stream)
{
    struct mr_track *s = of(stream);
    for (size_t i = 0; i <= s->plan.n_channel; i++)
        mr_tape_close(&s->tape[i]);
}

static void destroy(struct mr_runfile_stream *stream)
{
    struct mr_track *s = of(stream);
    if (s->tape != NULL)
        for (size_t i = 0; i <= s->plan.n_channel; i++)
            mr_tape_fini(&s->tape[i]);
    mr_free(s->tape);
    mr_free(s->channel);
    mr_free(s->looked);
    mr_free(s);
}

/* The shape all share: a moment lies in the same row of chunks in each. */
static void choose_shape(const struct mr_track *s, struct mr_hdf5_shape *shape)
{
    size_t size = 1;
    for (size_t i = 0; i < s->plan.n_channel; i++) {
        const size_t bytes = mr_channel_stored_bytes(s->plan.channel[i].type);
        size = bytes > size ? bytes : size;
    }
    mr_tape_shape(s->n_value, false, size, s->n_guess, shape);
    if (s->plan.axis == NULL)
        shape->rank = 1;
}

static mr_status declare(struct mr_track *s, struct mr_tape_tools *tools, mr_hid group,
                         const char *const *entity, struct mr_err *err)
{
    const struct mr_track_plan *plan = &s->plan;
    const struct mr_tape_group at = {group, plan->group};
    struct mr_hdf5_shape shape, time_shape;
    mr_hid axis = -1;
    mr_status st = MR_OK;
    choose_shape(s, &shape);
    mr_tape_shape(1, false, sizeof(double), s->n_guess, &time_shape);
    time_shape.rank = 1;
    MR_TRY(mr_tape_init(&s->tape[0], tools, at, &time_channel, &time_shape, err));
    MR_TRY(mr_hdf5_attr_text(tools->file, s->tape[0].dataset, "axis", "T", err));
    MR_TRY(mr_hdf5_scale(tools->file, s->tape[0].dataset, time_channel.name, err));
    if (plan->axis != NULL) {
        const struct mr_channel name = {
            .name = plan->axis, .units = "1", .long_name = plan->axis_name};
        st = mr_runfile_make_axis(tools, group, &name, entity, plan->n_entity, &axis, err);
    }
    for (size_t i = 0; i < plan->n_channel && st == MR_OK; i++)
        st = mr_tape_init(&s->tape[i + 1], tools, at, &plan->channel[i], &shape, err);
    const mr_hid scale[] = {s->tape[0].dataset, axis};
    if (st == MR_OK)
        st = mr_tape_attach(s->tape + 1, plan->n_channel, tools, scale, axis >= 0 ? 2 : 1, err);
    mr_hdf5_dataset_close(axis);
    return st;
}

struct creation {
    struct mr_track *track;
    const char *const *name;
};

static void *copy_creation(const void *arg, struct mr_runfile_pack *pack)
{
    struct creation own = *(const struct creation *)arg;
    own.name = mr_runfile_pack_texts(pack, own.name, own.track->plan.n_entity);
    return mr_runfile_pack(pack, &own, sizeof own);
}

static mr_status create(void *arg, struct mr_tape_tools *tools, struct mr_err *err)
{
    const struct creation *creation = arg;
    struct mr_track *s = creation->track;
    mr_hid group;
    MR_TRY(mr_hdf5_group(tools->file, s->plan.group, &group, err));
    mr_status st = declare(s, tools, group, creation->name, err);
    if (st == MR_OK)
        st = mr_hdf5_attr_number(tools->file, group, "interval_s", MR_CHANNEL_F64,
                                 &s->plan.interval_s, 0, err);
    mr_hdf5_group_close(group);
    return st;
}

/* ---- the producer ---- */

static mr_status check(const struct mr_track_plan *plan, struct mr_err *err)
{
    const struct mr_channel axis = {.name = plan->axis, .units = "1", .long_name = plan->axis_name};
    MR_TRY(mr_runfile_check_group(plan->group, err));
    MR_TRY(mr_channel_check(plan->channel, plan->n_channel, err));
    if (plan->axis != NULL)
        MR_TRY(mr_channel_check(&axis, 1, err));
    for (size_t i = 0; i < plan->n_channel; i++)
        if (strcmp(plan->channel[i].name, time_channel.name) == 0 ||
            (plan->axis != NULL && strcmp(plan->channel[i].name, plan->axis) == 0))
            return mr_err_set(err, MR_SCHEMA, MR_NOWHERE,
                              "channel \"%s\" of %s is called like an axis", plan->channel[i].name,
                              plan->group);
    for (size_t i = 0; plan->name != NULL && i < plan->n_entity; i++) {
        char quoted[MR_QUOTE_CAP];
        const size_t n = strlen(plan->name[i]);
        if (mr_utf8_valid_len(plan->name[i], n) != n)
            return mr_err_set(err, MR_RANGE, MR_NOWHERE, "%s %zu, \"%s\", is not UTF-8", plan->axis,
                              i, mr_text_quote(mr_str_of(plan->name[i]), quoted));
    }
    if (plan->axis != NULL && plan->n_entity == 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "%s has no %s to record", plan->group,
                          plan->axis);
    return MR_OK;
}

static mr_status make_looked(struct mr_track *s, struct mr_err *err)
{
    for (size_t i = 0; i < s->plan.n_channel; i++)
        s->n_looked += s->plan.channel[i].over != MR_CHANNEL_POINT ? s->n_value : 0;
    s->looked = mr_alloc(2 * s->n_looked + 1, sizeof *s->looked);
    if (s->looked == NULL)
        return mr_err_nomem(err, 2 * s->n_looked * sizeof *s->looked);
    s->seen = s->looked + s->n_looked;
    return MR_OK;
}

static mr_status init(struct mr_track *s, struct mr_runfile *file, struct mr_err *err)
{
    s->tape = mr_alloc_zero(s->plan.n_channel + 1, sizeof *s->tape);
    s->channel = mr_alloc(s->plan.n_channel + 1, sizeof *s->channel);
    if (s->tape == NULL || s->channel == NULL) {
        mr_free(s->tape); /* not yet what destroy expects */
        s->tape = NULL;
        return mr_err_nomem(err, (s->plan.n_channel + 1) * sizeof *s->tape);
    }
    if (s->plan.n_channel > 0)
        memcpy(s->channel, s->plan.channel, s->plan.n_channel * sizeof *s->channel);
    s->plan.channel = s->channel;
    for (size_t i = 0; i <= s->plan.n_channel; i++)
        s->tape[i].dataset = -1;
    s->row_bytes = sizeof(double);
    for (size_t i = 0; i < s->plan.n_channel; i++)
        s->row_bytes += s->n_value * mr_channel_stored_bytes(s->plan.channel[i].type);
    MR_TRY(make_looked(s, err));
    return mr_runfile_add(file, &s->stream, s->row_bytes, err);
}

/* Rows that are thought to come; what is not known is 0. */
static uint64_t guess(double time_s, double interval_s)
{
    const double n = interval_s > 0 && time_s > 0 ? time_s / interval_s + 1 : 0;
    return n < 1e15 ? (uint64_t)n : 0;
}

mr_status mr_track_create(struct mr_runfile *file, const struct mr_track_plan *plan,
                          struct mr_track **out, struct mr_err *err)
{
    *out = NULL;
    MR_TRY(check(plan, err));
    struct mr_track *s = mr_alloc_zero(1, sizeof *s);
    if (s == NULL)
        return mr_err_nomem(err, sizeof *s);
    s->stream = (struct mr_runfile_stream){.record = record,
                                           .settle = settle,
                                           .salvage = salvage,
                                           .level = level,
                                           .close = close_all,
                                           .destroy = destroy};
    s->plan = *plan;
    s->plan.name = NULL;
    s->n_value = plan->axis != NULL ? plan->n_entity : 1;
    s->n_guess = guess(mr_runfile_options_of(file)->guess_s, plan->interval_s);
    const mr_status st = init(s, file, err);
    if (st != MR_OK) {
        destroy(&s->stream);
        return st;
    }
    struct creation creation = {s, plan->name};
    MR_TRY(mr_runfile_post(file, plan->group, create, copy_creation, &creation, err));
    *out = s;
    return MR_OK;
}

static void add_look(enum mr_channel_over over, const double *value, size_t n, double share,
                     double *looked)
{
    if (over == MR_CHANNEL_MEAN)
        for (size_t i = 0; i < n; i++)
            looked[i] += (value[i] - looked[i]) * share;
    else if (over == MR_CHANNEL_MAX)
        for (size_t i = 0; i < n; i++)
            looked[i] = value[i] > looked[i] || isnan(looked[i]) ? value[i] : looked[i];
    else
        for (size_t i = 0; i < n; i++)
            looked[i] = value[i] < looked[i] || isnan(looked[i]) ? value[i] : looked[i];
}

void mr_track_look(struct mr_track *s, double lasts_s, const void *const *value)
{
    double *looked = s->looked, *seen = s->seen;
    s->looked_s += lasts_s;
    const double share = s->looked_s > 0 ? lasts_s / s->looked_s : 1;
    for (size_t i = 0; i < s->plan.n_channel; i++) {
        const enum mr_channel_over over = s->plan.channel[i].over;
        if (over == MR_CHANNEL_POINT)
            continue;
        memcpy(seen, value[i], s->n_value * sizeof *seen);
        if (s->has_looked)
            add_look(over, seen, s->n_value, share, looked);
        else
            memcpy(looked, seen, s->n_value * sizeof *looked);
        looked += s->n_value;
        seen += s->n_value;
    }
    s->has_looked = s->has_seen = true;
}

mr_status mr_track_row(struct mr_track *s, double t_s, const void *const *value, struct mr_err *err)
{
    MR_ASSERT(s->n_row == 0 || t_s >= s->last_s);
    unsigned char *record_bytes = mr_runfile_reserve(&s->stream, s->row_bytes);
    if (record_bytes == NULL)
        return mr_runfile_fault(s->stream.file, err);
    memcpy(record_bytes, &t_s, sizeof t_s);
    record_bytes += sizeof t_s;
    const double *looked = s->has_looked ? s->looked : s->seen;
    for (size_t i = 0; i < s->plan.n_channel; i++) {
        const struct mr_channel *q = &s->plan.channel[i];
        const bool is_looked = s->has_seen && q->over != MR_CHANNEL_POINT;
        mr_channel_store(q, is_looked ? looked : value[i], mr_channel_given_bytes(q->type),
                         s->n_value, record_bytes);
        record_bytes += s->n_value * mr_channel_stored_bytes(q->type);
        looked += q->over != MR_CHANNEL_POINT ? s->n_value : 0;
    }
    mr_runfile_commit(&s->stream);
    s->last_s = t_s;
    s->has_looked = false;
    s->looked_s = 0;
    s->n_row++;
    return MR_OK;
}

uint64_t mr_track_rows(const struct mr_track *s)
{
    return s->n_row;
}
