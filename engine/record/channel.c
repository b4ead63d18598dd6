/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of recorded tables and the conversion at their border. */
#include "engine/record/channel.h"

#include "engine/base/assert.h"
#include "engine/base/text.h"

enum {
    name_max = 200
};

static const struct {
    unsigned char given, stored;
} sizes[] = {
#define SIZE_ROW(name, type, given, stored) {(given), (stored)},
    MR_CHANNEL_TYPE_LIST(SIZE_ROW)
#undef SIZE_ROW
};

#define SIZE_CHECK(name, type, given, stored) \
    _Static_assert(sizeof(type) == (given), "size of " #name);
MR_CHANNEL_TYPE_LIST(SIZE_CHECK)
#undef SIZE_CHECK

size_t mr_channel_given_bytes(enum mr_channel_type type)
{
    MR_ASSERT(type < MR_CHANNEL_N_TYPE);
    return sizes[type].given;
}

size_t mr_channel_stored_bytes(enum mr_channel_type type)
{
    MR_ASSERT(type < MR_CHANNEL_N_TYPE);
    return sizes[type].stored;
}

bool mr_channel_is_float(enum mr_channel_type type)
{
    return type == MR_CHANNEL_F64 || type == MR_CHANNEL_F32 || type == MR_CHANNEL_F32_OF_F64;
}

static const char *what_is_bad(const char *name)
{
    const size_t n = strlen(name);
    if (n == 0)
        return "is empty";
    if (n > name_max)
        return "is longer than 200 bytes";
    if (mr_utf8_valid_len(name, n) != n)
        return "is not UTF-8";
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return "means a place, not a name";
    for (size_t i = 0; i < n; i++) {
        if (name[i] == '/')
            return "has a '/', which separates groups";
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
            return "has a control character";
    }
    return name[0] == ' ' || name[n - 1] == ' ' ? "begins or ends with a space" : NULL;
}

mr_status mr_channel_check_name(const char *name, const char *what, struct mr_err *err)
{
    char quoted[MR_QUOTE_CAP];
    const char *bad = name != NULL ? what_is_bad(name) : "is missing";
    if (bad == NULL)
        return MR_OK;
    return mr_err_set(err, MR_RANGE, MR_NOWHERE, "%s \"%s\" %s (a dataset cannot be called so)",
                      what, mr_text_quote(mr_str_of(name != NULL ? name : ""), quoted), bad);
}

static mr_status check_one(const struct mr_channel *q, struct mr_err *err)
{
    MR_TRY(mr_channel_check_name(q->name, "channel", err));
    const char *bad = NULL;
    if (q->units == NULL || q->units[0] == '\0')
        bad = "has no unit (\"1\" for plain numbers)";
    else if (q->long_name == NULL || q->long_name[0] == '\0')
        bad = "has no sentence";
    else if (q->type >= MR_CHANNEL_N_TYPE)
        bad = "has no known type";
    else if (q->scale != 0 && q->type != MR_CHANNEL_F64 && q->type != MR_CHANNEL_F32_OF_F64)
        bad = "has a scale, which only doubles have";
    else if (q->over != MR_CHANNEL_POINT && q->type != MR_CHANNEL_F64 &&
             q->type != MR_CHANNEL_F32_OF_F64)
        bad = "has a mean or an extreme, which only doubles have";
    else if (q->n_flag > 0 && (mr_channel_is_float(q->type) || q->flag == NULL))
        bad = "names values of a type that has none to name";
    else if (q->type == MR_CHANNEL_U8 && q->n_flag > UINT8_MAX + 1)
        bad = "names more values than its type has";
    if (bad != NULL)
        return mr_err_set(err, MR_SCHEMA, MR_NOWHERE, "channel \"%s\" %s", q->name, bad);
    return MR_OK;
}

mr_status mr_channel_check(const struct mr_channel *channel, size_t n, struct mr_err *err)
{
    for (size_t i = 0; i < n; i++) {
        MR_TRY(check_one(&channel[i], err));
        for (size_t k = 0; k < i; k++)
            if (strcmp(channel[i].name, channel[k].name) == 0)
                return mr_err_set(err, MR_SCHEMA, MR_NOWHERE, "channel \"%s\" is there twice",
                                  channel[i].name);
    }
    return MR_OK;
}

static double f64_at(const unsigned char *p)
{
    double x;
    memcpy(&x, p, sizeof x);
    return x;
}

static void store_f32_of_f64(const unsigned char *given, size_t stride, size_t n, double scale,
                             unsigned char *stored)
{
    for (size_t i = 0; i < n; i++) {
        const float x = (float)(f64_at(given + i * stride) * scale);
        memcpy(stored + i * sizeof x, &x, sizeof x);
    }
}

static void store_f64(const unsigned char *given, size_t stride, size_t n, double scale,
                      unsigned char *stored)
{
    for (size_t i = 0; i < n; i++) {
        const double x = f64_at(given + i * stride) * scale;
        memcpy(stored + i * sizeof x, &x, sizeof x);
    }
}

/* A constant size makes each copy one move. */
#define STORE_SAME(bytes)          \
    for (size_t i = 0; i < n; i++) \
    memcpy(out + i * (bytes), in + i * stride, (bytes))

void mr_channel_store(const struct mr_channel *channel, const void *given, size_t stride, size_t n,
                      void *stored)
{
    const unsigned char *in = given;
    unsigned char *out = stored;
    const size_t size = mr_channel_stored_bytes(channel->type);
    const double scale = channel->scale != 0 ? channel->scale : 1;
    if (channel->type == MR_CHANNEL_F32_OF_F64)
        store_f32_of_f64(in, stride, n, scale, out);
    else if (channel->type == MR_CHANNEL_F64 && channel->scale != 0)
        store_f64(in, stride, n, scale, out);
    else if (stride == size)
        memcpy(out, in, n * size);
    else if (size == 8)
        STORE_SAME(8);
    else if (size == 4)
        STORE_SAME(4);
    else
        STORE_SAME(1);
}
