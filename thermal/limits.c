/* SPDX-License-Identifier: Apache-2.0 */
/* Walks the rows of a table; kinds without bounds (texts, lists) have nothing to check. */
#include "thermal/limits.h"

#include "engine/base/assert.h"

#include <math.h>

enum {
    rows_max = 64
};

void mr_limits_defaults(const struct mr_param_table *table, void *object)
{
    uint8_t origin[rows_max] = {0};
    MR_ASSERT(table->n <= rows_max);
    mr_param_defaults(&(struct mr_param_target){table, object, origin, NULL, table->name});
}

static mr_status refuse(const char *what, const struct mr_param *row, double value,
                        struct mr_err *err)
{
    char text[MR_UNIT_CAP];
    struct mr_buf bounds = {0};
    mr_unit_human(value, row->quantity, 6, text);
    mr_param_bounds(row, &bounds);
    const mr_status st = mr_err_set(err, MR_RANGE, MR_NOWHERE, "%s: %s %s: must be %s", what,
                                    row->name, text, bounds.text != NULL ? bounds.text : "finite");
    mr_buf_fini(&bounds);
    return st;
}

mr_status mr_limits_check(const char *what, const struct mr_param_table *table, const void *object,
                          struct mr_err *err)
{
    for (size_t i = 0; i < table->n; i++) {
        const struct mr_param *row = &table->row[i];
        const char *field = (const char *)object + row->offset;
        double value = 0;
        if (row->kind == MR_PARAM_QUANTITY) {
            memcpy(&value, field, sizeof value);
        } else if (row->kind == MR_PARAM_COUNT) {
            uint64_t count;
            memcpy(&count, field, sizeof count);
            value = (double)count;
        } else {
            continue;
        }
        if (!isfinite(value) || value < row->min || value > row->max)
            return refuse(what, row, value, err);
    }
    return MR_OK;
}
