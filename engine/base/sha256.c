/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 as FIPS 180-4 writes it down, with the message schedule in a ring of 16 words. */
#include "engine/base/sha256.h"

#include <string.h>

/* First 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static inline uint32_t rotated(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

static uint32_t load_be(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* One round; the caller rotates the names instead of the values. */
static inline void round_of(uint32_t a, uint32_t b, uint32_t c, uint32_t *d, uint32_t e, uint32_t f,
                            uint32_t g, uint32_t *h, uint32_t k_plus_w)
{
    const uint32_t t1 =
        *h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + ((e & f) ^ (~e & g)) + k_plus_w;
    const uint32_t t2 =
        (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    *d += t1;
    *h = t1 + t2;
}

/* Word t of the message schedule, in a ring of 16. */
static inline uint32_t schedule(uint32_t w[16], int t)
{
    const uint32_t a = w[(t + 1) & 15], b = w[(t + 14) & 15];
    w[t & 15] += (rotated(a, 7) ^ rotated(a, 18) ^ a >> 3) + w[(t + 9) & 15] +
                 (rotated(b, 17) ^ rotated(b, 19) ^ b >> 10);
    return w[t & 15];
}

static void compress(uint32_t h[8], const uint8_t *block)
{
    uint32_t w[16], s[8];
    memcpy(s, h, sizeof s);
    for (int t = 0; t < 16; t++)
        w[t] = load_be(block + 4 * t);
    for (int t = 0; t < 64; t += 8) {
        uint32_t x[8];
        for (int i = 0; i < 8; i++)
            x[i] = k[t + i] + (t < 16 ? w[t + i] : schedule(w, t + i));
        round_of(s[0], s[1], s[2], &s[3], s[4], s[5], s[6], &s[7], x[0]);
        round_of(s[7], s[0], s[1], &s[2], s[3], s[4], s[5], &s[6], x[1]);
        round_of(s[6], s[7], s[0], &s[1], s[2], s[3], s[4], &s[5], x[2]);
        round_of(s[5], s[6], s[7], &s[0], s[1], s[2], s[3], &s[4], x[3]);
        round_of(s[4], s[5], s[6], &s[7], s[0], s[1], s[2], &s[3], x[4]);
        round_of(s[3], s[4], s[5], &s[6], s[7], s[0], s[1], &s[2], x[5]);
        round_of(s[2], s[3], s[4], &s[5], s[6], s[7], s[0], &s[1], x[6]);
        round_of(s[1], s[2], s[3], &s[4], s[5], s[6], s[7], &s[0], x[7]);
    }
    for (int i = 0; i < 8; i++)
        h[i] += s[i];
}

void mr_sha256_init(struct mr_sha256 *sha)
{
    /* fractional parts of the square roots of the first eight primes */
    *sha = (struct mr_sha256){.h = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                                    0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void mr_sha256_add(struct mr_sha256 *sha, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    size_t n_pending = (size_t)(sha->n_bytes % mr_sha256_block);
    sha->n_bytes += n;
    if (n_pending > 0) {
        const size_t room = mr_sha256_block - n_pending, take = n < room ? n : room;
        memcpy(sha->pending + n_pending, p, take);
        p += take;
        n -= take;
        if (take < room)
            return;
        compress(sha->h, sha->pending);
    }
    for (; n >= mr_sha256_block; n -= mr_sha256_block, p += mr_sha256_block)
        compress(sha->h, p);
    if (n > 0)
        memcpy(sha->pending, p, n);
}

void mr_sha256_finish(struct mr_sha256 *sha, uint8_t digest[MR_SHA256_BYTES])
{
    const uint64_t n_bit = sha->n_bytes * 8;
    const size_t n_pending = (size_t)(sha->n_bytes % mr_sha256_block);
    uint8_t tail[2 * mr_sha256_block] = {0x80};
    /* one bit, zeros, and the length as the last eight bytes of a block */
    const size_t n = (n_pending < 56 ? 56 : 120) - n_pending;
    for (size_t i = 0; i < 8; i++)
        tail[n + i] = (uint8_t)(n_bit >> (56 - 8 * i));
    mr_sha256_add(sha, tail, n + 8);
    for (size_t i = 0; i < MR_SHA256_BYTES; i++)
        digest[i] = (uint8_t)(sha->h[i / 4] >> (24 - 8 * (i % 4)));
}

void mr_sha256(const void *bytes, size_t n, uint8_t digest[MR_SHA256_BYTES])
{
    struct mr_sha256 sha;
    mr_sha256_init(&sha);
    mr_sha256_add(&sha, bytes, n);
    mr_sha256_finish(&sha, digest);
}

void mr_sha256_hex(const uint8_t digest[MR_SHA256_BYTES], char out[MR_SHA256_HEX])
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < MR_SHA256_BYTES; i++) {
        out[2 * i] = hex[digest[i] >> 4];
        out[2 * i + 1] = hex[digest[i] & 15];
    }
    out[MR_SHA256_HEX - 1] = '\0';
}
