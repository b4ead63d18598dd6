/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4) for config hashes and the identity of input files. */
#ifndef MR_ENGINE_BASE_SHA256_H
#define MR_ENGINE_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum {
    MR_SHA256_BYTES = 32,
    MR_SHA256_HEX = 65,
    mr_sha256_block = 64
};

struct mr_sha256 {
    uint32_t h[8];
    uint64_t n_bytes;
    uint8_t pending[mr_sha256_block];
};

void mr_sha256_init(struct mr_sha256 *sha);
void mr_sha256_add(struct mr_sha256 *sha, const void *bytes, size_t n);

/** The digest of all that was added; afterwards init again. */
void mr_sha256_finish(struct mr_sha256 *sha, uint8_t digest[MR_SHA256_BYTES]);

/** All three steps. */
void mr_sha256(const void *bytes, size_t n, uint8_t digest[MR_SHA256_BYTES]);

/** Lower-case hexadecimal, terminated. */
void mr_sha256_hex(const uint8_t digest[MR_SHA256_BYTES], char out[MR_SHA256_HEX]);

#endif
