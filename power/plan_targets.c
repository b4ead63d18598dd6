/* SPDX-License-Identifier: Apache-2.0 */
/* Load targets out of messages. Keys may come in any order, so a message is read as a whole and its
 * times are made out at its end.
 * Map: values - a target - a message - files. */
#include "power/plan_targets.h"

#include "engine/base/date.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"

#include <string.h>

static const char *const message_type = "grid.loadtarget.set.v1";

struct request {
    struct mr_feed_target target; /* start_s, end_s NAN: not said */
    bool is_ours;
    int line;
};

struct reader {
    struct mr_json *json;
    const char *path;
    const struct mr_site *site;
    double start_s; /* of the run, since 1970 */
    struct request *request;
    size_t n_request, cap_request; /* of the message that is read */
    double time_s;                 /* of it; NAN: not said */
    bool is_other;                 /* its type */
    struct mr_plan *plan;
    uint64_t n_ours, n_others; /* targets */
};

/* ---- values ---- */

static mr_status refuse_key(const struct reader *r, struct mr_str key, const char *const *known,
                            size_t n, struct mr_err *err)
{
    char hint[MR_QUOTE_CAP];
    mr_text_hint(key, known, n, hint, sizeof hint);
    return mr_json_error(r->json, err, MR_SCHEMA, "no such key%s", hint);
}

/* The next of the keys that an object may have. @param[out] i n: the object is left */
static mr_status next_key(struct reader *r, const char *const *known, size_t n, size_t *i,
                          struct mr_err *err)
{
    struct mr_str key;
    bool has_more;
    *i = n;
    MR_TRY(mr_json_key(r->json, &key, &has_more, err));
    if (!has_more)
        return MR_OK;
    *i = mr_json_key_index(key, known, n);
    return *i < n ? MR_OK : refuse_key(r, key, known, n, err);
}

/* Seconds of the run. */
static mr_status read_time(struct reader *r, double *t_s, struct mr_err *err)
{
    enum mr_json_token token;
    struct mr_str text;
    double unix_s = 0;
    MR_TRY(mr_json_peek(r->json, &token, err));
    if (token != MR_JSON_STRING)
        return mr_json_f64(r->json, t_s, err);
    MR_TRY(mr_json_str(r->json, &text, err));
    if (!mr_date_parse(text, &unix_s, NULL))
        return mr_json_error(r->json, err, MR_PARSE,
                             "a date such as 2024-07-01T12:00:00Z, or seconds of the run as a "
                             "number, is wanted");
    if (isnan(r->start_s))
        return mr_json_error(r->json, err, MR_RANGE,
                             "a date, and when the run starts is not said (grid start=, --start)");
    *t_s = unix_s - r->start_s;
    return MR_OK;
}

static mr_status read_interval(struct reader *r, struct mr_feed_target *target, struct mr_err *err)
{
    static const char *const known[] = {"start_time", "end_time"};
    size_t i;
    MR_TRY(mr_json_enter_object(r->json, err));
    for (;;) {
        MR_TRY(next_key(r, known, 2, &i, err));
        if (i == 2)
            return MR_OK;
        MR_TRY(read_time(r, i == 0 ? &target->start_s : &target->end_s, err));
    }
}

static mr_status read_unit(struct reader *r, double *scale, struct mr_err *err)
{
    static const char *const units[] = {"watt", "kilowatt", "megawatt"};
    static const double scales[] = {1, 1e3, 1e6};
    struct mr_str text;
    MR_TRY(mr_json_str(r->json, &text, err));
    const size_t i = mr_json_key_index(text, units, 3);
    if (i == 3)
        return mr_json_error(r->json, err, MR_UNIT, "watt, kilowatt or megawatt is wanted");
    *scale = scales[i];
    return MR_OK;
}

static mr_status read_constraint(struct reader *r, double *limit_w, struct mr_err *err)
{
    static const char *const known[] = {"value", "unit"};
    const double none = (double)NAN;
    double value = none, scale = none;
    size_t i;
    bool is_null;
    MR_TRY(mr_json_null(r->json, &is_null, err));
    *limit_w = HUGE_VAL;
    if (is_null)
        return MR_OK;
    MR_TRY(mr_json_enter_object(r->json, err));
    const struct mr_place at = mr_json_place(r->json);
    for (;;) {
        MR_TRY(next_key(r, known, 2, &i, err));
        if (i == 2)
            break;
        if (i == 0)
            MR_TRY(mr_json_f64(r->json, &value, err));
        else
            MR_TRY(read_unit(r, &scale, err));
        if (value < 0)
            return mr_json_error(r->json, err, MR_RANGE, "must be 0 or more");
    }
    *limit_w = value * scale;
    if (isnan(*limit_w) || isinf(*limit_w))
        return mr_err_set(
            err, isnan(*limit_w) ? MR_SCHEMA : MR_RANGE, (struct mr_place){r->path, at.line, 0},
            isnan(*limit_w) ? "load_constraint: value and unit are wanted, or null to release"
                            : "load_constraint: too large");
    return MR_OK;
}

static mr_status read_strategy(struct reader *r, bool *is_best_effort, struct mr_err *err)
{
    static const char *const known[] = {"best_effort"};
    size_t i;
    MR_TRY(mr_json_enter_object(r->json, err));
    for (;;) {
        MR_TRY(next_key(r, known, 1, &i, err));
        if (i == 1)
            return MR_OK;
        MR_TRY(mr_json_bool(r->json, is_best_effort, err));
    }
}

/* None are all. */
static mr_status read_tags(struct reader *r, bool *is_ours, struct mr_err *err)
{
    struct mr_str tag;
    bool has_more;
    size_t n = 0;
    *is_ours = false;
    MR_TRY(mr_json_enter_array(r->json, err));
    for (;; n++) {
        MR_TRY(mr_json_array_more(r->json, &has_more, err));
        if (!has_more)
            break;
        MR_TRY(mr_json_str(r->json, &tag, err));
        *is_ours = *is_ours || mr_str_is(tag, r->site->name);
    }
    *is_ours = *is_ours || n == 0;
    return MR_OK;
}

/* ---- a target ---- */

static mr_status read_request(struct reader *r, struct request *request, struct mr_err *err)
{
    static const char *const known[] = {"interval", "load_constraint", "feed_tags", "strategy"};
    struct mr_feed_target *target = &request->target;
    size_t i;
    bool has[4] = {false};
    MR_TRY(mr_json_enter_object(r->json, err));
    request->line = mr_json_place(r->json).line;
    for (;;) {
        MR_TRY(next_key(r, known, 4, &i, err));
        if (i == 4)
            break;
        has[i] = true;
        if (i == 0)
            MR_TRY(read_interval(r, target, err));
        else if (i == 1)
            MR_TRY(read_constraint(r, &target->limit_w, err));
        else if (i == 2)
            MR_TRY(read_tags(r, &request->is_ours, err));
        else
            MR_TRY(read_strategy(r, &target->is_best_effort, err));
    }
    if (has[0] && has[1])
        return MR_OK;
    return mr_err_set(err, MR_SCHEMA, (struct mr_place){r->path, request->line, 0},
                      "a target without %s",
                      has[0] ? "load_constraint (null: release)" : "interval");
}

static mr_status read_requests(struct reader *r, struct mr_err *err)
{
    const double unknown = (double)NAN;
    bool has_more;
    MR_TRY(mr_json_enter_array(r->json, err));
    for (;;) {
        MR_TRY(mr_json_array_more(r->json, &has_more, err));
        if (!has_more)
            return MR_OK;
        MR_TRY(mr_grow(&r->request, &r->cap_request, r->n_request + 1, sizeof *r->request, err));
        struct request *request = &r->request[r->n_request++];
        *request = (struct request){{unknown, unknown, unknown, false}, true, 0};
        MR_TRY(read_request(r, request, err));
    }
}

/* When it is known; from when to when it holds, then. Times before the run are its start. */
static mr_status add(struct reader *r, const struct request *request, struct mr_err *err)
{
    const struct mr_feed_target *t = &request->target;
    const struct mr_place at = {r->path, request->line, 0};
    const double begin_s = isnan(t->start_s) ? r->time_s : t->start_s;
    if (isnan(begin_s))
        return mr_err_set(err, MR_SCHEMA, at,
                          "a target without start_time in a message without time");
    const double known_s = fmax(0, isnan(r->time_s) ? begin_s : r->time_s);
    const double start_s = fmax(begin_s, known_s), end_s = isnan(t->end_s) ? HUGE_VAL : t->end_s;
    if (end_s <= begin_s)
        return mr_err_set(err, MR_RANGE, at, "a target from %g s to %g s: it must have a length",
                          begin_s, end_s);
    if (end_s <= start_s) /* over when it is told, or before the run */
        return MR_OK;
    const struct mr_plan_item item = {.t_s = known_s,
                                      .start_s = start_s,
                                      .end_s = end_s,
                                      .kind = MR_PLAN_CURTAIL,
                                      .power = MR_SITE_NONE,
                                      .value = t->limit_w,
                                      .is_best_effort = t->is_best_effort};
    return mr_plan_insert(r->plan, &item, err);
}

static bool do_overlap(const struct reader *r, const struct request *a, const struct request *b)
{
    const double a_s = isnan(a->target.start_s) ? r->time_s : a->target.start_s;
    const double b_s = isnan(b->target.start_s) ? r->time_s : b->target.start_s;
    return a->is_ours && b->is_ours && !(a->target.end_s <= b_s) && !(b->target.end_s <= a_s);
}

/* ---- a message ---- */

/* Those of one message hold beside each other; of two messages the later one replaces. */
static mr_status take(struct reader *r, struct mr_err *err)
{
    for (size_t i = 0; i < r->n_request; i++) {
        for (size_t k = 0; k < i; k++)
            if (do_overlap(r, &r->request[k], &r->request[i]))
                return mr_err_set(err, MR_RANGE, (struct mr_place){r->path, r->request[i].line, 0},
                                  "a target overlaps another of its message on the same feed");
        r->n_ours += r->request[i].is_ours;
        r->n_others += !r->request[i].is_ours;
        if (r->request[i].is_ours)
            MR_TRY(add(r, &r->request[i], err));
    }
    return MR_OK;
}

static mr_status read_object(struct reader *r, bool is_data, struct mr_err *err);

static mr_status read_data(struct reader *r, struct mr_err *err)
{
    enum mr_json_token token;
    MR_TRY(mr_json_peek(r->json, &token, err));
    if (token == MR_JSON_BEGIN_OBJECT && !r->is_other)
        return read_object(r, true, err);
    MR_TRY(mr_json_skip(r->json, err));
    return r->is_other ? MR_OK
                       : mr_json_error(r->json, err, MR_SCHEMA,
                                       "%s is wanted: what is signed (JWS) is not read",
                                       mr_json_token_text(MR_JSON_BEGIN_OBJECT));
}

static mr_status read_member(struct reader *r, struct mr_str key, bool is_data, bool *has_targets,
                             struct mr_err *err)
{
    static const char *const known[] = {"targets"};
    struct mr_str text;
    if (mr_json_key_is(key, "targets")) {
        *has_targets = true;
        return read_requests(r, err);
    }
    if (is_data)
        return refuse_key(r, key, known, 1, err);
    if (mr_json_key_is(key, "time"))
        return read_time(r, &r->time_s, err);
    if (mr_json_key_is(key, "data")) {
        *has_targets = true;
        return read_data(r, err);
    }
    if (!mr_json_key_is(key, "type")) /* the envelope may have any attribute */
        return mr_json_skip(r->json, err);
    MR_TRY(mr_json_str(r->json, &text, err));
    r->is_other = !mr_str_is(text, message_type);
    return MR_OK;
}

static mr_status read_object(struct reader *r, bool is_data, struct mr_err *err)
{
    struct mr_str key;
    bool has_more, has_targets = false;
    MR_TRY(mr_json_enter_object(r->json, err));
    const struct mr_place at = mr_json_place(r->json);
    for (;;) {
        MR_TRY(mr_json_key(r->json, &key, &has_more, err));
        if (!has_more)
            break;
        MR_TRY(read_member(r, key, is_data, &has_targets, err));
    }
    return has_targets || r->is_other
               ? MR_OK
               : mr_err_set(err, MR_SCHEMA, (struct mr_place){r->path, at.line, 0},
                            "a message without targets");
}

static mr_status read_message(struct reader *r, struct mr_err *err)
{
    r->n_request = 0;
    r->time_s = (double)NAN;
    r->is_other = false;
    MR_TRY(read_object(r, false, err));
    return r->is_other ? MR_OK : take(r, err);
}

/* ---- files ---- */

static mr_status read_messages(struct reader *r, struct mr_err *err)
{
    for (;;) {
        enum mr_json_token token;
        bool has_more;
        MR_TRY(mr_json_document(r->json, &has_more, err));
        if (!has_more)
            break;
        MR_TRY(mr_json_peek(r->json, &token, err));
        if (token != MR_JSON_BEGIN_ARRAY) {
            MR_TRY(read_message(r, err));
            continue;
        }
        MR_TRY(mr_json_enter_array(r->json, err));
        for (;;) {
            MR_TRY(mr_json_array_more(r->json, &has_more, err));
            if (!has_more)
                break;
            MR_TRY(read_message(r, err));
        }
    }
    if (r->n_ours > 0)
        return MR_OK;
    if (r->n_others > 0)
        return mr_err_set(err, MR_REF, (struct mr_place){r->path, 0, 0},
                          "no target is for feed \"%s\" (feed_tags; none: every feed)",
                          r->site->name);
    return mr_err_set(err, MR_SCHEMA, (struct mr_place){r->path, 0, 0}, "no message %s in it",
                      message_type);
}

static mr_status read_all(struct mr_json *take_json, const char *path, const struct mr_site *site,
                          double start_s, struct mr_plan *plan, struct mr_err *err)
{
    struct reader r = {
        .json = take_json, .path = path, .site = site, .start_s = start_s, .plan = plan};
    const mr_status st = read_messages(&r, err);
    mr_json_close(r.json);
    mr_free(r.request);
    return st;
}

mr_status mr_plan_read_targets(const char *path, const struct mr_site *site, double start_s,
                               struct mr_plan *plan, struct mr_err *err)
{
    struct mr_json *json;
    MR_TRY(mr_json_open(path, NULL, &json, err));
    return read_all(json, path, site, start_s, plan, err);
}

mr_status mr_plan_read_targets_memory(const void *bytes, size_t n, const char *name,
                                      const struct mr_site *site, double start_s,
                                      struct mr_plan *plan, struct mr_err *err)
{
    struct mr_json *json;
    MR_TRY(mr_json_open_memory(bytes, n, name, NULL, &json, err));
    return read_all(json, name, site, start_s, plan, err);
}
