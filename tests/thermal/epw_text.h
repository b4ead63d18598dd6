/* SPDX-License-Identifier: Apache-2.0 */
/* Weather files made by tests: header, then records with a dry bulb of their own. */
#ifndef MR_TESTS_THERMAL_EPW_TEXT_H
#define MR_TESTS_THERMAL_EPW_TEXT_H

#include "engine/base/text.h"

struct epw_text {
    int first_month, first_day, n_day, per_hour;
    bool has_leap_day, has_crlf;
    const char *period; /* "1/1,12/31" */
    double (*dry_bulb_c)(int record);
    void (*change)(int record, char *line, size_t cap); /* NULL: records are well formed */
};

static inline void epw_text_make(const struct epw_text *t, struct mr_buf *out)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const char *end = t->has_crlf ? "\r\n" : "\n";
    int month = t->first_month, day = t->first_day, record = 0;
    mr_buf_printf(out, "LOCATION,Test \"Town\",-,XXX,none,1,10.5,-20.25,-3.0,100.0%s", end);
    mr_buf_printf(out, "DESIGN CONDITIONS,0%sTYPICAL/EXTREME PERIODS,0%s", end, end);
    mr_buf_printf(out, "GROUND TEMPERATURES,0%sHOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0%s", end, end);
    mr_buf_printf(out, "COMMENTS 1, \"an open quote%sCOMMENTS 2,%s", end, end);
    mr_buf_printf(out, "DATA PERIODS,1,%d,Data,Sunday,%s%s", t->per_hour, t->period, end);
    for (int d = 0; d < t->n_day; d++) {
        for (int k = 0; k < 24 * t->per_hour; k++, record++) {
            char line[256];
            snprintf(line, sizeof line,
                     "2001,%d,%d,%d,0,?9,%.4f,10.0,50,100000,0,0,300,%d,0,0,0,0,0,0,180,3.0,0,0,9,"
                     "77777,9,999999999,0,0.1,0,88,0.2,0.0,0.0",
                     month, day, k / t->per_hour + 1, t->dry_bulb_c(record), record % 24);
            if (t->change != NULL)
                t->change(record, line, sizeof line);
            mr_buf_printf(out, "%s%s", line, end);
        }
        const int last = days[month - 1] + (month == 2 && t->has_leap_day);
        if (++day > last) {
            day = 1;
            month = month % 12 + 1;
        }
    }
}

#endif
