/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers: reading must agree with strtod of the C locale on every decimal it accepts, and whatever
 * is written must read back to the same bits. Eight bytes are also taken as a double. */
#include "engine/base/num.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

static void check_written(double x)
{
    char text[MR_NUM_CAP], human[MR_NUM_CAP];
    double back = 0;
    const size_t n = mr_num_format_f64(x, text);
    require(n < MR_NUM_CAP && strlen(text) == n, "it fits");
    require(mr_num_format_human(x, 4, human) < MR_NUM_CAP, "the short form fits");
    if (x - x == 0) /* finite */
        require(mr_num_parse_f64((struct mr_str){text, n}, &back) == MR_OK &&
                    memcmp(&back, &x, sizeof x) == 0,
                "what is written reads back");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    double x = 0;
    if (size >= sizeof x) {
        memcpy(&x, data, sizeof x);
        check_written(x);
    }
    char *text = malloc(size + 1);
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    const size_t used = mr_num_scan_f64(text, size, &x);
    require(used <= size, "inside the text");
    if (used > 0) {
        text[used] = '\0';
        const double want = strtod(text, NULL);
        require(memcmp(&want, &x, sizeof x) == 0, "as strtod");
        check_written(x);
    }
    uint64_t u;
    int64_t i;
    (void)!mr_num_parse_u64((struct mr_str){text, size}, &u);
    (void)!mr_num_parse_i64((struct mr_str){text, size}, &i);
    free(text);
    return 0;
}
