/* SPDX-License-Identifier: Apache-2.0 */
/* Published traces say another length with every call: kinds are found by hash. */
#include "engine/work/script_hint.h"

#include "engine/base/mem.h"

#include <stdlib.h>
#include <string.h>

static char *put(char *at, const void *field, size_t n)
{
    memcpy(at, field, n);
    return at + n;
}

mr_status mr_script_hint_add(struct mr_script *script, struct mr_intern *kinds,
                             const struct mr_script_hint *hint, uint16_t *out, struct mr_err *err)
{
    const uint8_t flags = (uint8_t)(hint->is_strict | hint->is_final << 1 | hint->prefills << 2);
    char key[sizeof *hint], *end = key; /* without the gaps of the structure */
    end = put(end, &hint->priority, sizeof hint->priority);
    end = put(end, &hint->n_expected, sizeof hint->n_expected);
    end = put(end, &hint->ttl_s, sizeof hint->ttl_s);
    end = put(end, &flags, sizeof flags);
    const struct mr_str text = {key, (size_t)(end - key)};
    uint32_t kind = mr_intern_find(kinds, text);
    *out = 0;
    if (kind == MR_INTERN_NONE) {
        if (kinds->n == MR_SCRIPT_HINTS)
            return MR_OK;
        MR_TRY(mr_intern_add(kinds, text, &kind, err));
        MR_TRY(mr_grow(&script->hint, &script->cap_hint, kind + 2, sizeof *script->hint, err));
        script->hint[0] = (struct mr_script_hint){0};
        script->hint[kind + 1] = *hint;
        script->n_hint = kind + 2;
    }
    *out = (uint16_t)(kind + 1);
    return MR_OK;
}

static int by_value(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* i of n in order from 0 on the way from 0: in a class of its own where there are enough of them,
 * else n share them evenly. */
static int class_of(size_t i, size_t n, size_t n_class)
{
    return (int)(n <= n_class ? i : i * n_class / n) + 1;
}

mr_status mr_script_hint_levels(struct mr_script *script, size_t *n_above, size_t *n_below,
                                struct mr_err *err)
{
    const size_t n = script->n_hint;
    *n_above = *n_below = 0;
    if (n == 0)
        return MR_OK;
    int32_t *value = mr_alloc(n, sizeof *value);
    if (value == NULL)
        return mr_err_nomem(err, n * sizeof *value);
    for (size_t i = 0; i < n; i++)
        value[i] = script->hint[i].priority;
    qsort(value, n, sizeof *value, by_value);
    size_t n_value = 0;
    for (size_t i = 0; i < n; i++)
        if (n_value == 0 || value[i] != value[n_value - 1])
            value[n_value++] = value[i];
    for (size_t i = 0; i < n_value; i++) {
        *n_below += value[i] < 0;
        *n_above += value[i] > 0;
    }
    for (size_t i = 0; i < n; i++) {
        struct mr_script_hint *hint = &script->hint[i];
        const int32_t *at = bsearch(&hint->priority, value, n_value, sizeof *value, by_value);
        const size_t place = (size_t)(at - value);
        hint->level = 0;
        if (hint->priority > 0)
            hint->level =
                (int8_t)class_of(place - (n_value - *n_above), *n_above, MR_SCRIPT_LEVEL_MAX);
        else if (hint->priority < 0)
            hint->level = (int8_t)-class_of(*n_below - 1 - place, *n_below, -MR_SCRIPT_LEVEL_MIN);
    }
    mr_free(value);
    return MR_OK;
}
