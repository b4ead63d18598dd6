/* SPDX-License-Identifier: Apache-2.0 */
/* engine/base/gz: plain and compressed streams, members, padding, damage at every byte, limits. */
#include "engine/base/gz.h"

#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "tests/test.h"

#include <zlib.h>

#include <fcntl.h>
#include <unistd.h>

/* Text that compresses, but not to nothing. */
static char *make_text(size_t n)
{
    char *text = malloc(n + 1);
    uint32_t x = 1;
    assert_non_null(text);
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        text[i] = (char)('0' + (x >> 28) % 10);
    }
    text[n] = '\0';
    return text;
}

static void *pack(const void *bytes, size_t n, size_t *n_out)
{
    void *out = NULL;
    struct mr_err err = {0};
    assert_int_equal(mr_gz_compress(bytes, n, 6, &out, n_out, &err), MR_OK);
    return out;
}

static mr_status read_all(const void *bytes, size_t n, size_t max, char **out, size_t *n_out,
                          struct mr_err *err)
{
    struct mr_gz *gz = NULL;
    MR_TRY(mr_gz_open_memory(bytes, n, "memory", &gz, err));
    const mr_status st = mr_gz_read_all(gz, max, out, n_out, err);
    mr_gz_close(gz);
    return st;
}

static void expect_text(const void *bytes, size_t n, const char *text, size_t n_text)
{
    char *out = NULL;
    size_t n_out = 0;
    struct mr_err err = {0};
    assert_int_equal(read_all(bytes, n, SIZE_MAX, &out, &n_out, &err), MR_OK);
    assert_int_equal(n_out, n_text);
    assert_memory_equal(out, text, n_text + 1); /* and the NUL behind it */
    mr_free(out);
}

static void expect_error(const void *bytes, size_t n, mr_status st, const char *part)
{
    char *out = NULL;
    size_t n_out = 0;
    struct mr_err err = {0};
    assert_int_equal(read_all(bytes, n, SIZE_MAX, &out, &n_out, &err), st);
    assert_int_equal(err.status, st);
    assert_null(out);
    assert_string_equal(err.file, "memory");
    mr_assert_contains(err.text, part);
}

MR_TEST(plain_passes_through)
{
    expect_text("", 0, "", 0);
    expect_text(NULL, 0, "", 0);
    expect_text("a", 1, "a", 1);
    expect_text("\x1f", 1, "\x1f", 1); /* half of a magic number */
    expect_text("\x1f\x8a", 2, "\x1f\x8a", 2);
    expect_text("a\0b", 3, "a\0b", 3);
}

MR_TEST(round_trip)
{
    static const size_t sizes[] = {0, 1, 2, 100, 65535, 65536, 65537, 1000003};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *text = make_text(sizes[i]);
        size_t n_packed;
        void *packed = pack(text, sizes[i], &n_packed);
        expect_text(packed, n_packed, text, sizes[i]);
        mr_free(packed);
        free(text);
    }
}

MR_TEST(small_reads_see_the_same_bytes)
{
    char *text = make_text(5000);
    size_t n_packed;
    void *packed = pack(text, 5000, &n_packed);
    for (size_t step = 1; step < 300; step += 37) {
        struct mr_gz *gz = NULL;
        struct mr_err err = {0};
        char part[300];
        size_t n = 0, got;
        assert_int_equal(mr_gz_open_memory(packed, n_packed, "m", &gz, &err), MR_OK);
        assert_true(mr_gz_is_compressed(gz));
        assert_string_equal(mr_gz_name(gz), "m");
        while (mr_gz_read(gz, part, step, &got, &err) == MR_OK && got > 0) {
            assert_true(n + got <= 5000);
            assert_memory_equal(part, text + n, got);
            n += got;
        }
        assert_int_equal(err.status, MR_OK);
        assert_int_equal(n, 5000);
        assert_int_equal(mr_gz_read(gz, part, step, &got, &err), MR_OK); /* the end stays the end */
        assert_int_equal(got, 0);
        mr_gz_close(gz);
    }
    mr_free(packed);
    free(text);
}

MR_TEST(equal_input_gives_equal_bytes)
{
    size_t n_a, n_b;
    unsigned char *a = pack("hello", 5, &n_a), *b = pack("hello", 5, &n_b);
    assert_int_equal(n_a, n_b);
    assert_memory_equal(a, b, n_a);
    static const unsigned char header[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
    assert_memory_equal(a, header, sizeof header); /* no name, no time, no system */
    mr_free(a);
    mr_free(b);
}

MR_TEST(levels_differ_only_in_size)
{
    char *text = make_text(20000);
    for (int level = 1; level <= 9; level++) {
        void *packed = NULL;
        size_t n_packed;
        struct mr_err err = {0};
        assert_int_equal(mr_gz_compress(text, 20000, level, &packed, &n_packed, &err), MR_OK);
        expect_text(packed, n_packed, text, 20000);
        mr_free(packed);
    }
    free(text);
}

MR_TEST(members_are_one_stream)
{
    size_t n_a, n_b, n_empty;
    void *a = pack("first,", 6, &n_a), *b = pack("second", 6, &n_b), *empty = pack("", 0, &n_empty);
    char all[512];
    size_t n = 0;
    memcpy(all + n, a, n_a);
    n += n_a;
    memcpy(all + n, empty, n_empty);
    n += n_empty;
    memcpy(all + n, b, n_b);
    n += n_b;
    expect_text(all, n, "first,second", 12);
    memset(all + n, 0, 100); /* padding of a tape block */
    expect_text(all, n + 100, "first,second", 12);
    all[n + 50] = 'x';
    expect_error(all, n + 100, MR_PARSE, "neither another gzip member nor zero padding");
    expect_error(all, n + 51, MR_PARSE, "neither");
    all[n] = 'x';
    expect_error(all, n + 1, MR_PARSE, "neither");
    mr_free(a);
    mr_free(b);
    mr_free(empty);
}

MR_TEST(cut_at_every_byte)
{
    char *text = make_text(300);
    size_t n_packed;
    unsigned char *packed = pack(text, 300, &n_packed);
    for (size_t n = 2; n < n_packed; n++)
        expect_error(packed, n, MR_PARSE, "truncated");
    mr_free(packed);
    free(text);
}

/* Every bit flip after the fixed header is seen by the format, the checksum or the length; only the
 * filling of the last data byte carries nothing, and then the text is whole. */
MR_TEST(damage_at_every_bit)
{
    char *text = make_text(300);
    size_t n_packed, n_harmless = 0;
    unsigned char *packed = pack(text, 300, &n_packed);
    for (size_t bit = 8 * 10; bit < 8 * n_packed; bit++) {
        char *out = NULL;
        size_t n_out = 0;
        struct mr_err err = {0};
        packed[bit / 8] = (unsigned char)(packed[bit / 8] ^ (1u << bit % 8));
        if (read_all(packed, n_packed, SIZE_MAX, &out, &n_out, &err) == MR_OK) {
            n_harmless++;
            assert_int_equal(n_out, 300);
            assert_memory_equal(out, text, 300);
            mr_free(out);
        } else {
            assert_int_equal(err.status, MR_PARSE);
            mr_assert_contains(err.text, "gzip data");
        }
        packed[bit / 8] = (unsigned char)(packed[bit / 8] ^ (1u << bit % 8));
    }
    assert_true(n_harmless < 8);
    mr_free(packed);
    free(text);
}

MR_TEST(good_bytes_come_before_the_fault)
{
    char *text = make_text(100000), *back = malloc(100000);
    size_t n_packed, got, n = 0;
    unsigned char *packed = pack(text, 100000, &n_packed);
    struct mr_gz *gz = NULL;
    struct mr_err err = {0};
    packed[n_packed - 1] ^= 1; /* the length at the very end */
    assert_non_null(back);
    assert_int_equal(mr_gz_open_memory(packed, n_packed, "memory", &gz, &err), MR_OK);
    mr_status st = MR_OK;
    while (n < 100000 && (st = mr_gz_read(gz, back + n, 100000 - n, &got, &err)) == MR_OK)
        n += got;
    assert_int_equal(st, MR_OK);
    assert_memory_equal(back, text, 100000);
    for (int again = 0; again < 2; again++) { /* the fault stays */
        struct mr_err fault = {0};
        assert_int_equal(mr_gz_read(gz, back, 1, &got, &fault), MR_PARSE);
        assert_int_equal(got, 0);
        mr_assert_contains(fault.text, "incorrect length check");
    }
    mr_gz_close(gz);
    mr_free(packed);
    free(back);
    free(text);
}

MR_TEST(read_all_limit)
{
    size_t n_packed, n_out;
    char *out = NULL;
    void *packed = pack("0123456789", 10, &n_packed);
    struct mr_err err = {0};
    assert_int_equal(read_all(packed, n_packed, 10, &out, &n_out, &err), MR_OK);
    assert_int_equal(n_out, 10);
    mr_free(out);
    assert_int_equal(read_all(packed, n_packed, 9, &out, &n_out, &err), MR_LIMIT);
    assert_null(out);
    mr_assert_contains(err.text, "more than 9 bytes");
    assert_int_equal(read_all("", 0, 0, &out, &n_out, NULL), MR_OK);
    assert_int_equal(n_out, 0);
    mr_free(out);
    mr_free(packed);
}

MR_TEST(files)
{
    char *text = make_text(700000), *out = NULL;
    size_t n_packed, n_out;
    struct mr_err err = {0};
    void *packed = pack(text, 700000, &n_packed);
    for (int round = 0; round < 2; round++) {
        struct mr_gz *gz = NULL;
        const char *path = round == 0 ? mr_test_write("plain.txt", text, 700000)
                                      : mr_test_write("packed.gz", packed, n_packed);
        assert_int_equal(mr_gz_open(path, &gz, &err), MR_OK);
        assert_string_equal(mr_gz_name(gz), path);
        assert_int_equal(mr_gz_is_compressed(gz), round);
        assert_int_equal(mr_gz_read_all(gz, SIZE_MAX, &out, &n_out, &err), MR_OK);
        assert_int_equal(n_out, 700000);
        assert_memory_equal(out, text, 700000);
        mr_free(out);
        mr_gz_close(gz);
    }
    mr_free(packed);
    free(text);
}

MR_TEST(files_that_cannot_be_read)
{
    struct mr_gz *gz = NULL;
    struct mr_err err = {0};
    const char *path = mr_test_tmp_path("absent.json");
    assert_int_equal(mr_gz_open(path, &gz, &err), MR_IO);
    assert_null(gz);
    assert_string_equal(err.file, path);
    mr_assert_contains(err.text, "cannot be opened: No such file");
    err = (struct mr_err){0};
    assert_int_equal(mr_gz_open(mr_test_tmp(), &gz, &err), MR_IO); /* a folder */
    assert_null(gz);
    mr_assert_contains(err.text, "cannot be read");
    mr_gz_close(NULL);
}

MR_TEST(standard_input_is_a_pipe_of_single_bytes)
{
    int ends[2];
    size_t n_packed, n_out;
    char *out = NULL;
    struct mr_err err = {0};
    struct mr_gz *gz = NULL;
    char *packed = pack("through a pipe", 14, &n_packed);
    assert_int_equal(pipe(ends), 0);
    const int saved = dup(STDIN_FILENO);
    assert_true(saved >= 0 && dup2(ends[0], STDIN_FILENO) >= 0);
    for (size_t i = 0; i < n_packed; i++)
        assert_int_equal(write(ends[1], packed + i, 1), 1);
    close(ends[1]);
    assert_int_equal(mr_gz_open("-", &gz, &err), MR_OK);
    assert_string_equal(mr_gz_name(gz), "standard input");
    assert_int_equal(mr_gz_read_all(gz, SIZE_MAX, &out, &n_out, &err), MR_OK);
    assert_string_equal(out, "through a pipe");
    mr_free(out);
    mr_gz_close(gz);
    assert_true(dup2(saved, STDIN_FILENO) >= 0); /* and standard input is still open */
    close(saved);
    close(ends[0]);
    mr_free(packed);
}

MR_TEST(crc32)
{
    assert_int_equal(mr_gz_crc32(0, "123456789", 9), 0xCBF43926u);
    assert_int_equal(mr_gz_crc32(mr_gz_crc32(0, "1234", 4), "56789", 5), 0xCBF43926u);
    assert_int_equal(mr_gz_crc32(77, NULL, 0), 77);
    assert_true(strlen(mr_gz_library_version()) > 0);
}

static mr_status pack_and_read(void *context, struct mr_err *err)
{
    void *packed = NULL;
    char *out = NULL;
    size_t n_packed, n_out;
    MR_TRY(mr_gz_compress(context, 200000, 6, &packed, &n_packed, err));
    const mr_status st = read_all(packed, n_packed, SIZE_MAX, &out, &n_out, err);
    mr_free(packed);
    mr_free(out);
    return st;
}

static mr_status open_file(void *context, struct mr_err *err)
{
    struct mr_gz *gz = NULL;
    MR_TRY(mr_gz_open(context, &gz, err));
    mr_gz_close(gz);
    return MR_OK;
}

MR_TEST(every_allocation_may_fail)
{
    char *text = make_text(200000);
    mr_test_every_nomem(pack_and_read, text);
    free(text);
    char path[512];
    snprintf(path, sizeof path, "%s", mr_test_write("x", "y", 1));
    mr_test_every_nomem(open_file, path);
}

static mr_status create_deflater(void *context, struct mr_err *err)
{
    struct mr_gz_deflater *deflater;
    (void)context;
    MR_TRY(mr_gz_deflater_create(4, &deflater, err));
    mr_gz_deflater_destroy(deflater);
    return MR_OK;
}

/* A zlib stream (RFC 1950) ends with the Adler-32 of what was packed. */
static uint32_t adler32_of(const char *p, size_t n)
{
    uint32_t a = 1, b = 0;
    for (size_t i = 0; i < n; i++) {
        a = (a + (unsigned char)p[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

MR_TEST(deflater)
{
    enum {
        n = 100000
    };
    struct mr_gz_deflater *deflater;
    char *text = make_text(n);
    unsigned char *first = malloc(n), *again = malloc(n);
    assert_true(first != NULL && again != NULL);
    assert_int_equal(mr_gz_deflater_create(4, &deflater, NULL), MR_OK);
    const long live = mr_test_live_allocations();
    const size_t n_first = mr_gz_deflater_run(deflater, text, n, n, first, n);
    assert_int_equal(mr_gz_deflater_run(deflater, text, n, n, again, n_first - 1), 0);
    assert_int_equal(mr_gz_deflater_run(deflater, "other", 5, 5, again, n) > 5, 1);
    assert_int_equal(mr_gz_deflater_run(deflater, text, n, n, again, n_first), n_first);
    assert_int_equal(mr_test_live_allocations(), live);
    assert_memory_equal(first, again, n_first);
    assert_int_equal(first[0] & 0x0f, 8);
    assert_int_equal((first[0] * 256 + first[1]) % 31, 0);
    const unsigned char *end = first + n_first - 4;
    assert_int_equal((uint32_t)end[0] << 24 | (uint32_t)end[1] << 16 | (uint32_t)end[2] << 8 |
                         end[3],
                     adler32_of(text, n));
    mr_gz_deflater_destroy(deflater);
    free(text);
    free(first);
    free(again);
    mr_test_every_nomem(create_deflater, NULL);
}

/* Inflated by zlib, with all it checks. */
static void check_inflated(const unsigned char *packed, size_t n_packed, const unsigned char *want,
                           size_t n)
{
    unsigned char *out = malloc(n + 1);
    uLongf n_out = n + 1;
    assert_non_null(out);
    assert_int_equal(uncompress(out, &n_out, packed, n_packed), Z_OK);
    assert_int_equal(n_out, n);
    assert_memory_equal(out, want, n);
    free(out);
}

enum fill {
    FILL_NOISE,
    FILL_CONSTANT,
    FILL_COUNTER, /* as even as noise, and a pattern */
    FILL_FEW,     /* noise of few values */
    N_FILL
};

static void fill_piece(enum fill fill, struct mr_rng *rng, unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t u = mr_rng_u64(rng);
        p[i] = (unsigned char)(fill == FILL_NOISE      ? u >> 56
                               : fill == FILL_CONSTANT ? 7
                               : fill == FILL_COUNTER  ? i
                                                       : u & 15);
    }
}

MR_TEST(pieces_of_every_kind)
{
    enum {
        n_piece = 12,
        piece_max = 20000
    };
    static const size_t size[] = {1, 2, 3, 100, 1023, 1024, 4096, 5000, 16384, piece_max};
    struct mr_gz_deflater *deflater;
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 4);
    unsigned char *in = malloc(n_piece * piece_max), *out = malloc(2 * n_piece * piece_max);
    assert_true(in != NULL && out != NULL);
    assert_int_equal(mr_gz_deflater_create(4, &deflater, NULL), MR_OK);
    for (size_t s = 0; s < sizeof size / sizeof *size; s++)
        for (int round = 0; round < 6; round++) {
            const size_t n = (n_piece - 1) * size[s] + (size[s] + 1) / 2;
            for (size_t k = 0; k < n_piece; k++)
                fill_piece((enum fill)mr_rng_below(&rng, N_FILL), &rng, in + k * size[s], size[s]);
            const size_t n_out =
                mr_gz_deflater_run(deflater, in, n, size[s], out, 2 * n_piece * piece_max);
            assert_true(n_out > 0);
            check_inflated(out, n_out, in, n);
            /* what fits exactly fits, and a byte less, or any number less, does not */
            assert_int_equal(mr_gz_deflater_run(deflater, in, n, size[s], out, n_out), n_out);
            check_inflated(out, n_out, in, n);
            assert_int_equal(mr_gz_deflater_run(deflater, in, n, size[s], out, n_out - 1), 0);
            assert_int_equal(
                mr_gz_deflater_run(deflater, in, n, size[s], out, mr_rng_below(&rng, n_out)), 0);
        }
    mr_gz_deflater_destroy(deflater);
    free(in);
    free(out);
}

/* Noise costs what it is, and nothing else gets larger for being looked at. */
MR_TEST(pieces_are_told_apart)
{
    enum {
        n = 1 << 14
    };
    static const size_t most[N_FILL] = {n + 64, 100, 700, n * 5 / 8};
    struct mr_gz_deflater *deflater;
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 5);
    unsigned char *in = malloc(n), *out = malloc(2 * n);
    assert_true(in != NULL && out != NULL);
    assert_int_equal(mr_gz_deflater_create(4, &deflater, NULL), MR_OK);
    for (int i = 0; i < N_FILL; i++) {
        fill_piece((enum fill)i, &rng, in, n);
        const size_t n_out = mr_gz_deflater_run(deflater, in, n, n, out, 2 * n);
        assert_in_range(n_out, 1, most[i]);
        /* a stored block begins with its type, 0, and its length; only noise is stored */
        assert_int_equal((out[2] & 6) == 0, i == FILL_NOISE);
    }
    mr_gz_deflater_destroy(deflater);
    free(in);
    free(out);
}

MR_TEST(real_trace)
{
    const char *path = mr_test_data("mooncake/conversation_trace.jsonl.gz");
    if (path == NULL)
        mr_test_skip("no data file mooncake/conversation_trace.jsonl.gz");
    struct mr_gz *gz = NULL;
    struct mr_err err = {0};
    char *out = NULL;
    size_t n = 0, n_line = 0;
    assert_int_equal(mr_gz_open(path, &gz, &err), MR_OK);
    assert_int_equal(mr_gz_read_all(gz, SIZE_MAX, &out, &n, &err), MR_OK);
    for (size_t i = 0; i < n; i++)
        n_line += out[i] == '\n';
    assert_int_equal(n_line, 12031);
    mr_free(out);
    mr_gz_close(gz);
}

MR_TEST_MAIN(MR_TEST_ENTRY(plain_passes_through), MR_TEST_ENTRY(round_trip),
             MR_TEST_ENTRY(small_reads_see_the_same_bytes),
             MR_TEST_ENTRY(equal_input_gives_equal_bytes),
             MR_TEST_ENTRY(levels_differ_only_in_size), MR_TEST_ENTRY(members_are_one_stream),
             MR_TEST_ENTRY(cut_at_every_byte), MR_TEST_ENTRY(damage_at_every_bit),
             MR_TEST_ENTRY(good_bytes_come_before_the_fault), MR_TEST_ENTRY(read_all_limit),
             MR_TEST_ENTRY(files), MR_TEST_ENTRY(files_that_cannot_be_read),
             MR_TEST_ENTRY(standard_input_is_a_pipe_of_single_bytes), MR_TEST_ENTRY(crc32),
             MR_TEST_ENTRY(every_allocation_may_fail), MR_TEST_ENTRY(deflater),
             MR_TEST_ENTRY(pieces_of_every_kind), MR_TEST_ENTRY(pieces_are_told_apart),
             MR_TEST_ENTRY(real_trace))
