/* SPDX-License-Identifier: Apache-2.0 */
/* Units: the first byte picks the quantity. What is accepted must be finite, survive being written
 * and read again to the bit, and not depend on blanks around it; what is refused must say why. */
#include "engine/base/unit.h"

#include <math.h>
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

static mr_status parse(const char *p, size_t n, enum mr_quantity q, double *value)
{
    struct mr_err err = {0};
    const struct mr_place at = {"fuzz", 1, 1};
    const mr_status st = mr_unit_parse((struct mr_str){p, n}, q, "x", at, value, &err);
    require(st == err.status, "the status is the error's");
    require(st == MR_OK || (err.text[0] == 'x' && err.text[1] == ':'), "a refusal says why");
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const enum mr_quantity q = (enum mr_quantity)(data[0] % MR_N_QUANTITY);
    double value = 0, again = 0;
    const char *text = (const char *)data + 1;
    if (parse(text, size - 1, q, &value) != MR_OK)
        return 0;
    require(isfinite(value), "an accepted value is finite");
    char written[MR_UNIT_CAP], human[MR_UNIT_CAP];
    const size_t n = mr_unit_format(value, q, written);
    require(n < MR_UNIT_CAP, "it fits");
    require(parse(written, n, q, &again) == MR_OK, "what is written can be read");
    require(memcmp(&value, &again, sizeof value) == 0, "to the same bits");
    require(mr_unit_human(value, q, 4, human) < MR_UNIT_CAP, "the short form fits");
    char *padded = malloc(size + 3);
    if (padded == NULL)
        return 0;
    padded[0] = ' ';
    memcpy(padded + 1, text, size - 1);
    padded[size] = '\t';
    require(parse(padded, size + 1, q, &again) == MR_OK &&
                memcmp(&value, &again, sizeof value) == 0,
            "blanks around change nothing");
    free(padded);
    return 0;
}
