/* SPDX-License-Identifier: Apache-2.0 */
/* Six bits a letter, three bytes in four letters, the last ones padded with '='. */
#include "engine/cli/run_pack.h"

#include "engine/base/gz.h"
#include "engine/base/mem.h"

#include <string.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum {
    level = 6,
    group_bytes = 3,
    group_letters = 4
};

static void put_group(const unsigned char *from, size_t n, struct mr_buf *out)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < group_bytes; i++)
        bits = bits << 8 | (i < n ? from[i] : 0u);
    for (size_t i = 0; i < group_letters; i++)
        mr_buf_char(out, i <= n ? letters[bits >> (18 - 6 * i) & 63] : '=');
}

mr_status mr_run_pack(const void *bytes, size_t n, struct mr_buf *out, struct mr_err *err)
{
    void *packed = NULL;
    size_t n_packed = 0;
    MR_TRY(mr_gz_compress(bytes, n, level, &packed, &n_packed, err));
    for (size_t i = 0; i < n_packed; i += group_bytes)
        put_group((const unsigned char *)packed + i,
                  n_packed - i < group_bytes ? n_packed - i : group_bytes, out);
    mr_free(packed);
    return mr_buf_check(out, err);
}

/* @return bytes of the group, 0: it is none */
static size_t take_group(const char *from, bool is_last, unsigned char *out)
{
    uint32_t bits = 0;
    size_t n = group_letters;
    while (n > 0 && from[n - 1] == '=')
        n--;
    if (n < 2 || (n < group_letters && !is_last))
        return 0;
    for (size_t i = 0; i < group_letters; i++) {
        const char *at = i < n ? memchr(letters, from[i], sizeof letters - 1) : letters;
        if (at == NULL)
            return 0;
        bits = bits << 6 | (uint32_t)(at - letters);
    }
    for (size_t i = 0; i + 1 < n; i++)
        out[i] = (unsigned char)(bits >> (16 - 8 * i));
    return n - 1;
}

mr_status mr_run_unpack(struct mr_str text, const char *name, size_t n_max, char **bytes, size_t *n,
                        struct mr_err *err)
{
    unsigned char *packed = mr_alloc(text.n / group_letters * group_bytes + 1, 1);
    struct mr_gz *gz = NULL;
    size_t n_packed = 0;
    bool is_good = text.n > 0 && text.n % group_letters == 0;
    *bytes = NULL;
    *n = 0;
    if (packed == NULL)
        return mr_err_nomem(err, text.n);
    for (size_t i = 0; i < text.n && is_good; i += group_letters) {
        const size_t n_got = take_group(text.p + i, i + group_letters == text.n, packed + n_packed);
        n_packed += n_got;
        is_good = n_got > 0;
    }
    mr_status st = is_good ? mr_gz_open_memory(packed, n_packed, name, &gz, err)
                           : mr_err_set(err, MR_PARSE, (struct mr_place){name, 0, 0},
                                        "contents are not packed as they should be");
    if (st == MR_OK)
        st = mr_gz_read_all(gz, n_max, bytes, n, err);
    mr_gz_close(gz);
    mr_free(packed);
    return st;
}
