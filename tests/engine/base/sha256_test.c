/* SPDX-License-Identifier: Apache-2.0 */
/* engine/base/sha256: vectors of FIPS 180-4, every way to cut a message. */
#include "engine/base/sha256.h"

#include "tests/test.h"

static void check(const void *bytes, size_t n, const char *hex)
{
    uint8_t digest[MR_SHA256_BYTES];
    char out[MR_SHA256_HEX];
    mr_sha256(bytes, n, digest);
    mr_sha256_hex(digest, out);
    assert_string_equal(out, hex);
}

MR_TEST(published_vectors)
{
    static char million[1000000];
    memset(million, 'a', sizeof million);
    check("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    check("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
          "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
          112, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
    check(million, sizeof million,
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

MR_TEST(every_cut_gives_the_same_digest)
{
    uint8_t message[200], whole[MR_SHA256_BYTES], cut[MR_SHA256_BYTES];
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)(i * 7 + 1);
    for (size_t n = 0; n <= sizeof message; n++) {
        mr_sha256(message, n, whole);
        for (size_t at = 0; at <= n; at++) {
            struct mr_sha256 sha;
            mr_sha256_init(&sha);
            mr_sha256_add(&sha, message, at);
            mr_sha256_add(&sha, message + at, n - at);
            mr_sha256_finish(&sha, cut);
            assert_memory_equal(whole, cut, sizeof whole);
        }
    }
}

MR_TEST_MAIN(MR_TEST_ENTRY(published_vectors), MR_TEST_ENTRY(every_cut_gives_the_same_digest))
