/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary bytes as a stream: reads of any size give the same bytes and the same verdict, and what
 * was decoded survives compression and reading. The first byte chooses the size of the reads. */
#include "engine/base/gz.h"
#include "engine/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    decoded_max = 1 << 20 /* bombs are cut here */
};

static void check(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "invariant broken: %s\n", what);
    abort();
}

/* Read in steps; `out` has room for decoded_max bytes. */
static mr_status read_in_steps(const uint8_t *data, size_t size, size_t step, char *out, size_t *n,
                               struct mr_err *err)
{
    struct mr_gz *gz = NULL;
    size_t got = 1;
    mr_status st = mr_gz_open_memory(data, size, "fuzz", &gz, err);
    *n = 0;
    while (st == MR_OK && got > 0 && *n < decoded_max) {
        const size_t room = decoded_max - *n;
        st = mr_gz_read(gz, out + *n, step < room ? step : room, &got, err);
        check(st == MR_OK || got == 0, "an error comes without bytes");
        *n += got;
    }
    mr_gz_close(gz);
    return st;
}

static void round_trip(const char *bytes, size_t n, int level)
{
    void *packed = NULL;
    char *back = NULL;
    size_t n_packed, n_back;
    struct mr_gz *gz = NULL;
    check(mr_gz_compress(bytes, n, level, &packed, &n_packed, NULL) == MR_OK, "compresses");
    check(mr_gz_open_memory(packed, n_packed, "packed", &gz, NULL) == MR_OK, "opens");
    check(mr_gz_is_compressed(gz), "is seen as gzip");
    check(mr_gz_read_all(gz, n, &back, &n_back, NULL) == MR_OK, "reads back");
    check(n_back == n && (n == 0 || memcmp(back, bytes, n) == 0), "same bytes");
    mr_gz_close(gz);
    mr_free(packed);
    mr_free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const size_t step = (size_t)data[0] * data[0] + 1;
    char *whole = malloc(decoded_max), *steps = malloc(decoded_max);
    check(whole != NULL && steps != NULL, "memory of the fuzz target");
    struct mr_err err = {0}, err_steps = {0};
    size_t n, n_steps;
    const mr_status st = read_in_steps(data + 1, size - 1, decoded_max, whole, &n, &err);
    const mr_status st_steps = read_in_steps(data + 1, size - 1, step, steps, &n_steps, &err_steps);
    check(n == n_steps && memcmp(whole, steps, n) == 0, "same bytes in steps");
    check(st == st_steps && strcmp(err.text, err_steps.text) == 0, "same verdict in steps");
    round_trip(whole, n, 1 + data[0] % 9);
    free(whole);
    free(steps);
    return 0;
}
