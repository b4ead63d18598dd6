/* SPDX-License-Identifier: Apache-2.0 */
/* engine/base/mem_system: by itself glibc puts what follows a large array that was freed into the
 * heap. */
#include "engine/base/mem_system.h"

#include "engine/base/mem.h"
#include "tests/test.h"

#include <malloc.h>

MR_TEST(large_arrays_are_mapped_whatever_was_freed)
{
    const size_t n = (size_t)1 << 20;
    mr_mem_system_begin();
    void *first = mr_alloc(n, 1);
    const size_t n_mapped = mallinfo2().hblks;
    mr_free(first);
    mr_mem_system_return();
    if (n_mapped == 0) /* a sanitizer's allocator */
        skip();
    assert_int_equal(mallinfo2().hblks, n_mapped - 1);
    void *second = mr_alloc(n, 1);
    assert_int_equal(mallinfo2().hblks, n_mapped);
    mr_free(second);
}

MR_TEST_MAIN(MR_TEST_ENTRY(large_arrays_are_mapped_whatever_was_freed))
