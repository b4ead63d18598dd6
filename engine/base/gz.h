/* SPDX-License-Identifier: Apache-2.0 */
/* Byte streams from files, gzip or plain, told apart by the first two bytes; and gzip output.
 * The only place that includes zlib. Concatenated gzip members are read as one stream; a truncated
 * or damaged one is an error, never a short read. "-" is standard input. */
#ifndef MR_ENGINE_BASE_GZ_H
#define MR_ENGINE_BASE_GZ_H

#include "engine/base/status.h"

#include <stdint.h>

struct mr_gz; /* one reader; not shared between threads */

/** Open a file for reading. @param[out] out owned by the caller: mr_gz_close */
MR_CHECKED mr_status mr_gz_open(const char *path, struct mr_gz **out, struct mr_err *err);

/** Read from memory that outlives the reader. @param[in] name used in messages, copied */
MR_CHECKED mr_status mr_gz_open_memory(const void *bytes, size_t n, const char *name,
                                       struct mr_gz **out, struct mr_err *err);

/** Read up to `cap` decoded bytes. @param[out] got 0 only at the end of the stream */
MR_CHECKED mr_status mr_gz_read(struct mr_gz *gz, void *buf, size_t cap, size_t *got,
                                struct mr_err *err);

/** Read all that is left into fresh memory (terminated by a NUL that is not counted).
 *  More than `max_bytes` is MR_LIMIT. @param[out] bytes owned by the caller: mr_free */
MR_CHECKED mr_status mr_gz_read_all(struct mr_gz *gz, size_t max_bytes, char **bytes, size_t *n,
                                    struct mr_err *err);

/** Read all that is left and throw it away, to know whether the stream is whole: a flipped bit is
 *  often met as text that makes no sense, long before the check sum. @return MR_OK or the damage */
MR_CHECKED mr_status mr_gz_check(struct mr_gz *gz, struct mr_err *err);

const char *mr_gz_name(const struct mr_gz *gz);
bool mr_gz_is_compressed(const struct mr_gz *gz);
void mr_gz_close(struct mr_gz *gz); /* NULL is fine */

/* ---- writing ---- */

/** Compress one buffer into a gzip member whose header holds no time and no name, so that equal
 *  input gives equal bytes. @param[in] level 1..9 @param[out] out owned by the caller: mr_free */
MR_CHECKED mr_status mr_gz_compress(const void *bytes, size_t n, int level, void **out,
                                    size_t *n_out, struct mr_err *err);

struct mr_gz_deflater; /* one per thread */

/** A compressor of many small buffers that allocates here and never again.
 *  @param[in] level 1..9 @param[out] out owned by the caller: mr_gz_deflater_destroy */
MR_CHECKED mr_status mr_gz_deflater_create(int level, struct mr_gz_deflater **out,
                                           struct mr_err *err);

/** One buffer as one zlib stream (RFC 1950; n < 2^32). Each piece is looked at first: noise is
 *  stored, what is constant or has a pattern is compressed.
 *  @param[in] piece bytes that are of one kind, as the first bytes of all values are when values
 *  are shuffled; n: all @return bytes, 0: more than `cap` */
size_t mr_gz_deflater_run(struct mr_gz_deflater *deflater, const void *bytes, size_t n,
                          size_t piece, void *out, size_t cap);
void mr_gz_deflater_destroy(struct mr_gz_deflater *deflater); /* NULL is fine */

/** CRC-32 (the one of gzip and PNG). Start with 0. */
uint32_t mr_gz_crc32(uint32_t crc, const void *bytes, size_t n);

/** Version of the zlib in use. */
const char *mr_gz_library_version(void);

#endif
