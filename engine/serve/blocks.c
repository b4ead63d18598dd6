/* SPDX-License-Identifier: Apache-2.0 */
/* `size` steps take one block for every request: whole rounds by division, the rest one by one. */
#include "engine/serve/blocks.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"

mr_status mr_blocks_init(struct mr_blocks *blocks, uint32_t size, struct mr_err *err)
{
    MR_ASSERT(size > 0 && (size & (size - 1)) == 0);
    *blocks = (struct mr_blocks){.size = size, .mask = size - 1};
    while (1u << blocks->shift < size)
        blocks->shift++;
    blocks->count = mr_alloc_zero(size, sizeof *blocks->count);
    return blocks->count != NULL ? MR_OK : mr_err_nomem(err, size * sizeof *blocks->count);
}

void mr_blocks_fini(struct mr_blocks *blocks)
{
    mr_free(blocks->count);
    *blocks = (struct mr_blocks){0};
}

uint64_t mr_blocks_demand_of(const struct mr_blocks *blocks, uint64_t c, uint64_t k)
{
    uint64_t sum = (k >> blocks->shift) * blocks->n;
    for (uint64_t j = 0; j < (k & blocks->mask); j++)
        sum += mr_blocks_demand(blocks, c + j);
    return sum;
}

uint64_t mr_blocks_safe(const struct mr_blocks *blocks, uint64_t c, uint64_t k, uint64_t n_free,
                        uint64_t spare)
{
    if (n_free < spare)
        return 0;
    uint64_t room = n_free - spare;
    if (blocks->n == 0 || room / blocks->n > (k >> blocks->shift))
        return k; /* even whole rounds for all of them fit */
    /* r rounds end with r n blocks taken: after as many as fit comes the round that does not */
    uint64_t steps = room / blocks->n << blocks->shift;
    room -= room / blocks->n * blocks->n;
    while (steps < k) {
        const uint32_t taken = mr_blocks_demand(blocks, c + steps);
        if (taken > room)
            break;
        room -= taken;
        steps++;
    }
    return steps < k ? steps : k;
}
