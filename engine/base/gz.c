/* SPDX-License-Identifier: Apache-2.0 */
/* Gzip or plain bytes behind one read call, over zlib.
 * Input is sniffed once: 1f 8b makes it gzip. Inflation and plain reads go straight into the
 * caller's memory. After a member another may follow, or zero padding as tapes leave it; anything
 * else is an error. Bytes decoded before a fault are handed out first, then the fault is told on
 * every read. */
#include "engine/base/gz.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"

#define ZLIB_CONST /* zlib's input pointers are const */
#include <zlib.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum {
    input_cap = 1 << 16,
    z_chunk_max = 1 << 30, /* zlib counts in 32 bits */
    gzip_format = 15 + 16, /* window bits; +16 selects the gzip frame */
    first_all_bytes = 1 << 16,
    look_min = 1 << 10, /* bytes of a piece that are looked at */
    look_max = 1 << 12,
    seen_bits = 12,
    n_again_share = 32
};

struct mr_gz {
    char *name;
    int fd;                    /* -1: memory */
    unsigned char *input;      /* read buffer of a file; NULL for memory */
    const unsigned char *next; /* input not yet used */
    size_t n_next;
    uint64_t n_used; /* input bytes handed to zlib before `next`, for messages */
    bool is_input_end, is_compressed, is_inflating, is_end;
    z_stream z;
    struct mr_err fault; /* what stopped the stream, told again on every later read */
};

/* ---- memory of zlib ---- */

static void *z_alloc(void *opaque, uInt n, uInt size)
{
    (void)opaque;
    return mr_alloc(n, size);
}

static void z_free(void *opaque, void *p)
{
    (void)opaque;
    mr_free(p);
}

/* ---- input ---- */

static struct mr_place place(const struct mr_gz *gz)
{
    return (struct mr_place){gz->name, 0, 0};
}

/* One read(2) of at most n bytes; 0 at the end. */
static mr_status read_some(struct mr_gz *gz, void *buf, size_t n, size_t *got, struct mr_err *err)
{
    for (;;) {
        const ssize_t n_read = read(gz->fd, buf, n);
        if (n_read >= 0) {
            *got = (size_t)n_read;
            return MR_OK;
        }
        if (errno != EINTR)
            return mr_err_set(err, MR_IO, place(gz), "cannot be read: %s", strerror(errno));
    }
}

/* Have at least `need` bytes at gz->next, unless the input ends before (need <= input_cap). */
static mr_status want_input(struct mr_gz *gz, size_t need, struct mr_err *err)
{
    while (gz->n_next < need && !gz->is_input_end) {
        size_t got = 0;
        if (gz->fd >= 0) {
            if (gz->n_next > 0)
                memmove(gz->input, gz->next, gz->n_next);
            gz->next = gz->input;
            MR_TRY(read_some(gz, gz->input + gz->n_next, input_cap - gz->n_next, &got, err));
        }
        gz->n_next += got;
        gz->is_input_end = got == 0;
    }
    return MR_OK;
}

static void use_input(struct mr_gz *gz, size_t n)
{
    if (n == 0)
        return; /* `next` may be NULL */
    gz->next += n;
    gz->n_next -= n;
    gz->n_used += n;
}

static bool is_gzip_magic(const struct mr_gz *gz)
{
    return gz->n_next >= 2 && gz->next[0] == 0x1f && gz->next[1] == 0x8b;
}

/* ---- opening ---- */

static mr_status sniff(struct mr_gz *gz, struct mr_err *err)
{
    MR_TRY(want_input(gz, 2, err));
    gz->is_compressed = is_gzip_magic(gz);
    if (!gz->is_compressed)
        return MR_OK;
    gz->z.zalloc = z_alloc;
    gz->z.zfree = z_free;
    const int rc = inflateInit2(&gz->z, gzip_format);
    if (rc == Z_MEM_ERROR)
        return mr_err_nomem(err, sizeof gz->z);
    MR_ASSERT(rc == Z_OK);
    gz->is_inflating = true;
    return MR_OK;
}

static mr_status open_input(struct mr_gz *gz, const char *path, struct mr_err *err)
{
    gz->input = mr_alloc(input_cap, 1);
    if (gz->input == NULL)
        return mr_err_nomem(err, input_cap);
    if (strcmp(path, "-") == 0) {
        gz->fd = STDIN_FILENO;
        return MR_OK;
    }
    gz->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (gz->fd < 0)
        return mr_err_set(err, MR_IO, place(gz), "cannot be opened: %s", strerror(errno));
    return MR_OK;
}

/* path NULL: the memory [bytes, bytes + n) */
static mr_status open_any(const char *path, const void *bytes, size_t n, const char *name,
                          struct mr_gz **out, struct mr_err *err)
{
    *out = NULL;
    struct mr_gz *gz = mr_alloc_zero(1, sizeof *gz);
    if (gz == NULL)
        return mr_err_nomem(err, sizeof *gz);
    gz->fd = -1;
    gz->name = mr_alloc_text(name, strlen(name));
    mr_status st = MR_OK;
    if (gz->name == NULL) {
        st = mr_err_nomem(err, strlen(name) + 1);
    } else if (path != NULL) {
        st = open_input(gz, path, err);
    } else {
        gz->next = bytes;
        gz->n_next = n;
        gz->is_input_end = true;
    }
    if (st == MR_OK)
        st = sniff(gz, err);
    if (st != MR_OK)
        mr_gz_close(gz);
    else
        *out = gz;
    return st;
}

mr_status mr_gz_open(const char *path, struct mr_gz **out, struct mr_err *err)
{
    return open_any(path, NULL, 0, strcmp(path, "-") == 0 ? "standard input" : path, out, err);
}

mr_status mr_gz_open_memory(const void *bytes, size_t n, const char *name, struct mr_gz **out,
                            struct mr_err *err)
{
    MR_ASSERT(bytes != NULL || n == 0);
    return open_any(NULL, bytes, n, name, out, err);
}

const char *mr_gz_name(const struct mr_gz *gz)
{
    return gz->name;
}

bool mr_gz_is_compressed(const struct mr_gz *gz)
{
    return gz->is_compressed;
}

void mr_gz_close(struct mr_gz *gz)
{
    if (gz == NULL)
        return;
    if (gz->is_inflating)
        (void)inflateEnd(&gz->z);
    if (gz->fd >= 0 && gz->fd != STDIN_FILENO)
        close(gz->fd);
    mr_free(gz->input);
    mr_free(gz->name);
    mr_free(gz);
}

/* ---- reading ---- */

static mr_status read_plain(struct mr_gz *gz, void *buf, size_t cap, size_t *got,
                            struct mr_err *err)
{
    if (gz->n_next == 0 && gz->fd >= 0 && cap >= input_cap) /* large reads need no buffer */
        return read_some(gz, buf, cap, got, err);
    MR_TRY(want_input(gz, 1, err));
    const size_t n = gz->n_next < cap ? gz->n_next : cap;
    if (n > 0)
        memcpy(buf, gz->next, n);
    use_input(gz, n);
    *got = n;
    return MR_OK;
}

/* A member ended: begin the next one, or find that only padding is left. */
static mr_status next_member(struct mr_gz *gz, struct mr_err *err)
{
    MR_TRY(want_input(gz, 2, err));
    if (is_gzip_magic(gz)) {
        MR_ASSERT(inflateReset(&gz->z) == Z_OK);
        return MR_OK;
    }
    while (gz->n_next > 0) {
        size_t n_zero = 0;
        while (n_zero < gz->n_next && gz->next[n_zero] == 0)
            n_zero++;
        use_input(gz, n_zero);
        if (gz->n_next > 0)
            return mr_err_set(err, MR_PARSE, place(gz),
                              "damaged gzip data: what follows compressed byte %llu is neither "
                              "another gzip member nor zero padding",
                              (unsigned long long)gz->n_used);
        MR_TRY(want_input(gz, 1, err));
    }
    gz->is_end = true;
    return MR_OK;
}

/* One call of inflate. *got counts what it added. */
static mr_status inflate_some(struct mr_gz *gz, unsigned char *buf, size_t cap, size_t *got,
                              struct mr_err *err)
{
    const uInt n_in = (uInt)(gz->n_next < z_chunk_max ? gz->n_next : z_chunk_max);
    const uInt n_out = (uInt)(cap < z_chunk_max ? cap : z_chunk_max);
    gz->z.next_in = gz->next;
    gz->z.avail_in = n_in;
    gz->z.next_out = buf;
    gz->z.avail_out = n_out;
    const int rc = inflate(&gz->z, Z_NO_FLUSH);
    use_input(gz, n_in - gz->z.avail_in);
    *got += n_out - gz->z.avail_out;
    if (rc == Z_OK || rc == Z_BUF_ERROR)
        return MR_OK;
    if (rc == Z_STREAM_END)
        return next_member(gz, err);
    if (rc == Z_MEM_ERROR)
        return mr_err_nomem(err, (size_t)1 << MAX_WBITS);
    return mr_err_set(err, MR_PARSE, place(gz), "damaged gzip data near compressed byte %llu: %s",
                      (unsigned long long)gz->n_used,
                      gz->z.msg != NULL ? gz->z.msg : "unknown kind of data");
}

static mr_status read_compressed(struct mr_gz *gz, unsigned char *buf, size_t cap, size_t *got,
                                 struct mr_err *err)
{
    while (*got < cap && !gz->is_end) {
        const size_t got_before = *got;
        /* only wait for input (a pipe may be slow) while there is nothing to hand out */
        if (*got == 0)
            MR_TRY(want_input(gz, 1, err));
        const size_t n_in = gz->n_next;
        MR_TRY(inflate_some(gz, buf + *got, cap - *got, got, err));
        if (gz->is_end || *got > got_before || gz->n_next < n_in)
            continue;
        if (*got > 0) /* all that the input at hand yields */
            break;
        if (gz->is_input_end)
            return mr_err_set(err, MR_PARSE, place(gz),
                              "gzip data ends after %llu compressed bytes, in the middle of a "
                              "member (truncated copy or download?)",
                              (unsigned long long)gz->n_used);
    }
    return MR_OK;
}

mr_status mr_gz_read(struct mr_gz *gz, void *buf, size_t cap, size_t *got, struct mr_err *err)
{
    MR_ASSERT(cap > 0);
    *got = 0;
    if (gz->fault.status == MR_OK) {
        if (gz->is_compressed)
            (void)read_compressed(gz, buf, cap, got, &gz->fault);
        else
            (void)read_plain(gz, buf, cap, got, &gz->fault);
    }
    if (*got > 0 || gz->fault.status == MR_OK)
        return MR_OK;
    if (err != NULL && err->status == MR_OK)
        *err = gz->fault;
    return gz->fault.status;
}

mr_status mr_gz_check(struct mr_gz *gz, struct mr_err *err)
{
    char waste[4096];
    size_t got = 1;
    while (got > 0)
        MR_TRY(mr_gz_read(gz, waste, sizeof waste, &got, err));
    return MR_OK;
}

mr_status mr_gz_read_all(struct mr_gz *gz, size_t max_bytes, char **bytes, size_t *n,
                         struct mr_err *err)
{
    char *all = NULL;
    size_t cap = 0, n_all = 0, got = 0;
    mr_status st;
    *bytes = NULL;
    *n = 0;
    do {
        st = mr_grow(&all, &cap, n_all > 0 ? n_all + 2 : first_all_bytes, 1, err);
        if (st != MR_OK)
            break;
        size_t room = cap - 1 - n_all; /* one byte stays for the NUL */
        if (room > max_bytes - n_all)
            room = max_bytes - n_all + 1; /* one more than allowed tells that it is too much */
        st = mr_gz_read(gz, all + n_all, room, &got, err);
        n_all += got;
    } while (st == MR_OK && got > 0 && n_all <= max_bytes);
    if (st == MR_OK && n_all > max_bytes)
        st = mr_err_set(err, MR_LIMIT, place(gz), "more than %zu bytes", max_bytes);
    if (st != MR_OK) {
        mr_free(all);
        return st;
    }
    all[n_all] = '\0';
    *bytes = all;
    *n = n_all;
    return MR_OK;
}

/* ---- writing ---- */

/* Feed all of the input; the output has room for the worst case. */
static int deflate_all(z_stream *z, const unsigned char *in, size_t n, unsigned char *out,
                       size_t n_room, size_t *n_out)
{
    int rc = Z_OK;
    *n_out = 0;
    while (rc == Z_OK) {
        const uInt n_in = (uInt)(n < z_chunk_max ? n : z_chunk_max);
        const size_t room = n_room - *n_out;
        const uInt n_free = (uInt)(room < z_chunk_max ? room : z_chunk_max);
        z->next_in = in;
        z->avail_in = n_in;
        z->next_out = out + *n_out;
        z->avail_out = n_free;
        rc = deflate(z, n_in == n ? Z_FINISH : Z_NO_FLUSH);
        in += n_in - z->avail_in;
        n -= n_in - z->avail_in;
        *n_out += n_free - z->avail_out;
    }
    return rc;
}

mr_status mr_gz_compress(const void *bytes, size_t n, int level, void **out, size_t *n_out,
                         struct mr_err *err)
{
    enum {
        memory_level = 8, /* zlib's default */
        system_unknown = 255
    };
    static const unsigned char nothing;
    MR_ASSERT(level >= 1 && level <= 9 && (bytes != NULL || n == 0));
    z_stream z = {.zalloc = z_alloc, .zfree = z_free};
    gz_header header = {.os = system_unknown};
    *out = NULL;
    *n_out = 0;
    const int rc =
        deflateInit2(&z, level, Z_DEFLATED, gzip_format, memory_level, Z_DEFAULT_STRATEGY);
    if (rc == Z_MEM_ERROR)
        return mr_err_nomem(err, sizeof z);
    MR_ASSERT(rc == Z_OK && deflateSetHeader(&z, &header) == Z_OK);
    const size_t room = deflateBound(&z, n);
    unsigned char *packed = mr_alloc(room, 1);
    if (packed == NULL) {
        (void)deflateEnd(&z);
        return mr_err_nomem(err, room);
    }
    const int rc_end = deflate_all(&z, n > 0 ? bytes : &nothing, n, packed, room, n_out);
    (void)deflateEnd(&z);
    MR_ASSERT(rc_end == Z_STREAM_END);
    *out = packed;
    return MR_OK;
}

/* The lower bytes of recorded numbers are noise, on which deflate spends most of its time for
 * nothing; the upper ones are often all equal. */
enum piece_kind {
    PIECE_PATTERN,
    PIECE_CONSTANT,
    PIECE_NOISE,
    N_PIECE_KIND
};

/* A stream clears its tables before each run: 64 KiB by default, which is most of the work of
 * packing some hundred bytes. */
enum {
    small_window = 12,
    small_memory = 5,
    small_max = 1 << small_window
};

struct mr_gz_deflater {
    z_stream z, small; /* the latter for up to small_max bytes */
    int level;
    uint16_t seen[1 << seen_bits]; /* where a triple of bytes was last, plus 1, by its hash */
};

mr_status mr_gz_deflater_create(int level, struct mr_gz_deflater **out, struct mr_err *err)
{
    MR_ASSERT(level >= 1 && level <= 9);
    struct mr_gz_deflater *deflater = mr_alloc_zero(1, sizeof *deflater);
    *out = NULL;
    if (deflater == NULL)
        return mr_err_nomem(err, sizeof *deflater);
    deflater->level = level;
    deflater->z = deflater->small = (z_stream){.zalloc = z_alloc, .zfree = z_free};
    if (deflateInit(&deflater->z, level) != Z_OK) {
        mr_free(deflater);
        return mr_err_nomem(err, sizeof(z_stream));
    }
    if (deflateInit2(&deflater->small, level, Z_DEFLATED, small_window, small_memory,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        mr_gz_deflater_destroy(deflater);
        return mr_err_nomem(err, sizeof(z_stream));
    }
    *out = deflater;
    return MR_OK;
}

/* Are the values of bytes as frequent as chance has them? With n bytes, c_v of value v,
 *   chi2 = sum (c_v - n/256)^2 / (n/256) = 256/n sum c_v^2 - n
 * is about 255 when they are, and the best code by values alone saves some chi2 / (2 n ln 2) bits
 * of the 8 a byte has: at three times 255 and n = 4096 a sixtieth. */
static bool is_even(const unsigned char *p, size_t n)
{
    uint32_t count[256] = {0};
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        count[p[i]]++;
    for (size_t v = 0; v < 256; v++)
        sum += (uint64_t)count[v] * count[v];
    return 256 * sum <= (uint64_t)n * n + (uint64_t)3 * 256 * n;
}

/* Does hardly any triple come again? A counter has even values, and is a pattern all the same. */
static bool is_ever_new(struct mr_gz_deflater *deflater, const unsigned char *p, size_t n)
{
    size_t n_again = 0;
    memset(deflater->seen, 0, sizeof deflater->seen);
    for (size_t i = 0; i + 3 <= n; i++) {
        const uint32_t triple = (uint32_t)p[i] | (uint32_t)p[i + 1] << 8 | (uint32_t)p[i + 2] << 16;
        uint16_t *seen = &deflater->seen[(triple * 2654435761u) >> (32 - seen_bits)];
        n_again += *seen > 0 && memcmp(p + *seen - 1, p + i, 3) == 0;
        *seen = (uint16_t)(i + 1);
    }
    return n_again < n / n_again_share;
}

static enum piece_kind kind_of(struct mr_gz_deflater *deflater, const unsigned char *p, size_t n)
{
    const size_t n_look = n < look_max ? n : look_max;
    if (memcmp(p, p + 1, n - 1) == 0)
        return PIECE_CONSTANT;
    if (n >= look_min && is_even(p, n_look) && is_ever_new(deflater, p, n_look))
        return PIECE_NOISE;
    return PIECE_PATTERN;
}

size_t mr_gz_deflater_run(struct mr_gz_deflater *deflater, const void *bytes, size_t n,
                          size_t piece, void *out, size_t cap)
{
    const struct {
        int level, strategy;
    } how[N_PIECE_KIND] = {[PIECE_PATTERN] = {deflater->level, Z_DEFAULT_STRATEGY},
                           [PIECE_CONSTANT] = {deflater->level, Z_RLE},
                           [PIECE_NOISE] = {0, Z_DEFAULT_STRATEGY}};
    z_stream *z = n <= small_max ? &deflater->small : &deflater->z;
    MR_ASSERT(n > 0 && n <= UINT32_MAX && piece > 0);
    int rc = deflateReset(z);
    MR_ASSERT(rc == Z_OK);
    z->avail_in = 0;
    z->next_out = out;
    z->avail_out = cap > UINT32_MAX ? UINT32_MAX : (uInt)cap;
    for (size_t at = 0; at < n && rc == Z_OK && z->avail_in == 0;) {
        const unsigned char *next = (const unsigned char *)bytes + at;
        const size_t left = n - at, part = left < piece ? left : piece;
        const enum piece_kind kind = kind_of(deflater, next, part);
        /* Where nothing changes this does nothing. */
        rc = deflateParams(z, how[kind].level, how[kind].strategy);
        z->next_in = next;
        z->avail_in = (uInt)part;
        at += part;
        if (rc == Z_OK)
            rc = deflate(z, at < n ? Z_NO_FLUSH : Z_FINISH);
    }
    return rc == Z_STREAM_END ? (size_t)z->total_out : 0;
}

void mr_gz_deflater_destroy(struct mr_gz_deflater *deflater)
{
    if (deflater == NULL)
        return;
    (void)deflateEnd(&deflater->z);
    (void)deflateEnd(&deflater->small);
    mr_free(deflater);
}

uint32_t mr_gz_crc32(uint32_t crc, const void *bytes, size_t n)
{
    return n == 0 ? crc : (uint32_t)crc32_z(crc, bytes, n);
}

const char *mr_gz_library_version(void)
{
    return zlibVersion();
}
