/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for libFuzzer: feeds every file of the folders named, in name order, to the target,
 * then every file cut at a few places and with single bytes changed, so that a build without a
 * fuzzer still walks the error paths. Fails when there is nothing to replay. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    n_mutation = 64,
    path_cap = 4096
};

static int is_file_name(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* An exact-size copy, so that a sanitizer sees the first byte read beyond the end. */
static void feed(const uint8_t *data, size_t n)
{
    uint8_t *copy = malloc(n > 0 ? n : 1);
    if (copy == NULL) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
    if (n > 0)
        memcpy(copy, data, n);
    (void)LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

static void feed_mutations(uint8_t *data, size_t n)
{
    uint64_t state = 0x9e3779b97f4a7c15u ^ n;
    for (int i = 0; i < n_mutation && n > 0; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        const size_t at = (size_t)(state >> 33) % n;
        const uint8_t was = data[at];
        feed(data, at);
        data[at] = (uint8_t)(state >> 25);
        feed(data, n);
        data[at] = was;
    }
}

static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL || fseek(f, 0, SEEK_END) != 0) {
        fprintf(stderr, "%s: cannot be read\n", path);
        return 1;
    }
    const long n = ftell(f);
    uint8_t *data = malloc(n > 0 ? (size_t)n : 1);
    rewind(f);
    if (n < 0 || data == NULL || fread(data, 1, (size_t)n, f) != (size_t)n) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(1);
    }
    fclose(f);
    feed(data, (size_t)n);
    feed_mutations(data, (size_t)n);
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    int n_file = 0, failed = 0;
    for (int i = 1; i < argc; i++) {
        struct dirent **entry;
        const int n = scandir(argv[i], &entry, is_file_name, alphasort);
        if (n < 0) {
            fprintf(stderr, "%s: no such folder\n", argv[i]);
            return 1;
        }
        for (int e = 0; e < n; e++) {
            char path[path_cap];
            snprintf(path, sizeof path, "%s/%s", argv[i], entry[e]->d_name);
            failed |= replay_file(path);
            free(entry[e]);
            n_file++;
        }
        free(entry);
    }
    printf("%d files replayed, each with %d changes\n", n_file, 2 * n_mutation);
    return n_file == 0 || failed;
}
