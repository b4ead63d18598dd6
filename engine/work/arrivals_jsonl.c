/* SPDX-License-Identifier: Apache-2.0 */
/* Mooncake traces, one object a line: timestamp [ms], input_length, output_length, hash_ids. Calls
 * of a session start when the one before has ended: that is no open loop, and an error here. */
#include "engine/work/arrivals_impl.h"

#include <math.h>
#include <string.h>

enum key {
    key_timestamp,
    key_input,
    key_output,
    key_hashes,
    key_model,
    key_tier,
    key_session,
    n_key
};

static const char *const names[] = {"timestamp", "input_length", "output_length", "hash_ids",
                                    "model", "tier", "session_id",
                                    /* the same by other names */
                                    "created_time", "input_tokens", "output_tokens"};
static const enum key key_of[] = {key_timestamp, key_input, key_output,  key_hashes,
                                  key_model,     key_tier,  key_session, key_timestamp,
                                  key_input,     key_output};

static mr_status read_model(struct mr_json *r, struct mr_arrivals_raw *row, struct mr_err *err)
{
    struct mr_str text;
    MR_TRY(mr_json_str(r, &text, err));
    const size_t n = text.n < sizeof row->model ? text.n : sizeof row->model - 1;
    memcpy(row->model, text.p, n);
    row->model[n] = '\0';
    return MR_OK;
}

static mr_status read_value(struct mr_json *r, enum key key, struct mr_arrivals_raw *row,
                            struct mr_arrivals_hashes *hashes, struct mr_err *err)
{
    switch (key) {
    case key_timestamp:
        MR_TRY(mr_json_f64(r, &row->arrived_s, err));
        row->arrived_s *= 1e-3;
        return MR_OK;
    case key_input:
        return mr_json_f64(r, &row->input, err);
    case key_output:
        return mr_json_f64(r, &row->output, err);
    case key_hashes:
        return mr_json_u64_array(r, &hashes->item, &hashes->cap, &hashes->n, err);
    case key_model:
        return read_model(r, row, err);
    case key_tier:
        return mr_json_u64(r, &row->tier, err);
    case key_session:
        return mr_json_error(r, err, MR_SCHEMA,
                             "calls of a session wait for those before them, here calls come "
                             "whatever becomes of those before: take \"session_id\" out");
    case n_key:
        break;
    }
    return mr_json_skip(r, err);
}

mr_status mr_arrivals_jsonl_next(struct mr_json *r, struct mr_arrivals_raw *row,
                                 struct mr_arrivals_hashes *hashes, bool *has_row,
                                 struct mr_err *err)
{
    static const size_t n_name = sizeof names / sizeof *names;
    const double nan = (double)NAN;
    *row = (struct mr_arrivals_raw){.arrived_s = nan, .input = nan, .output = nan};
    hashes->n = 0;
    MR_TRY(mr_json_document(r, has_row, err));
    if (!*has_row)
        return MR_OK;
    MR_TRY(mr_json_enter_object(r, err));
    row->at = mr_json_place(r);
    for (;;) {
        struct mr_str key;
        bool has_more;
        MR_TRY(mr_json_key(r, &key, &has_more, err));
        if (!has_more)
            break;
        const size_t i = mr_json_key_index(key, names, n_name);
        MR_TRY(read_value(r, i < n_name ? key_of[i] : n_key, row, hashes, err));
    }
    if (isnan(row->arrived_s) || isnan(row->input) || isnan(row->output))
        return mr_err_set(err, MR_SCHEMA, row->at, "a call has \"%s\"",
                          isnan(row->arrived_s) ? names[key_timestamp]
                          : isnan(row->input)   ? names[key_input]
                                                : names[key_output]);
    return MR_OK;
}
