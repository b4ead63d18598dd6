/* SPDX-License-Identifier: Apache-2.0 */
/* Every row of a table has a source of its own, in the same order, and its defaults pass. */
#ifndef MR_TESTS_THERMAL_SOURCES_H
#define MR_TESTS_THERMAL_SOURCES_H

#include "tests/test.h"
#include "thermal/limits.h"

static inline void sources_hold(const struct mr_limits_table *table, const void *defaults)
{
    struct mr_err err = {0};
    for (size_t i = 0; i < table->param.n; i++) {
        assert_string_equal(table->source[i].row, table->param.row[i].name);
        assert_true(strlen(table->source[i].source) > 4);
    }
    if (mr_limits_check("defaults", &table->param, defaults, &err) != MR_OK)
        fail_msg("%s", err.text);
}

#endif
