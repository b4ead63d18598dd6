/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks from blocks: each block threads its own free chunks and counts those in use, so that one
 * that is empty goes back as a whole. Blocks grow with the store, 32 KiB to 2 MiB: small sites stay
 * small, large ones have few. One empty block is kept, else a store at the edge of a block would
 * allocate and free in turns. */
#include "engine/base/mem.h"
#include "engine/clock/calendar_impl.h"

enum {
    block_min = 64, /* chunks */
    block_max = 4096,
    block_share = 8, /* a new block is at most an eighth of what is there */
    line_bytes = 64
};

struct mr_calendar_block {
    void *memory;                    /* NULL: entry not in use */
    struct mr_calendar_chunk *first; /* of n_chunk, aligned */
    struct mr_calendar_chunk *free;  /* given back */
    uint32_t n_chunk, n_fresh;       /* chunks from n_fresh on were never taken */
    uint32_t n_taken;
    uint32_t before, after; /* 1 + neighbour among blocks with a free chunk; after: also unused */
};

static bool is_full(const struct mr_calendar_block *block)
{
    return block->n_taken == block->n_chunk;
}

static void link_block(struct mr_calendar_store *store, uint32_t i)
{
    struct mr_calendar_block *const block = &store->block[i];
    block->before = 0;
    block->after = store->with_free;
    if (block->after > 0)
        store->block[block->after - 1].before = i + 1;
    store->with_free = i + 1;
}

static void unlink_block(struct mr_calendar_store *store, uint32_t i)
{
    const struct mr_calendar_block *const block = &store->block[i];
    if (block->before > 0)
        store->block[block->before - 1].after = block->after;
    else
        store->with_free = block->after;
    if (block->after > 0)
        store->block[block->after - 1].before = block->before;
}

static uint32_t new_block_chunks(const struct mr_calendar_store *store)
{
    uint32_t n = block_min;
    while (n < block_max && 2 * (size_t)n * block_share <= store->n_chunk)
        n *= 2;
    return n;
}

static mr_status add_block(struct mr_calendar_store *store, struct mr_err *err)
{
    const uint32_t n_chunk = new_block_chunks(store);
    if (store->unused == 0)
        MR_TRY(mr_grow(&store->block, &store->cap_block, store->n_block + 1, sizeof *store->block,
                       err));
    void *const memory = mr_alloc(n_chunk * sizeof(struct mr_calendar_chunk) + line_bytes, 1);
    if (memory == NULL)
        return mr_err_nomem(err, n_chunk * sizeof(struct mr_calendar_chunk));
    uint32_t i = (uint32_t)store->n_block;
    if (store->unused > 0) {
        i = store->unused - 1;
        store->unused = store->block[i].after;
    } else {
        store->n_block++;
    }
    char *const start = memory;
    const size_t skip = (line_bytes - (uintptr_t)memory % line_bytes) % line_bytes;
    store->block[i] = (struct mr_calendar_block){
        .memory = memory, .first = (void *)(start + skip), .n_chunk = n_chunk};
    store->n_chunk += n_chunk;
    store->n_empty++;
    link_block(store, i);
    return MR_OK;
}

static void release_block(struct mr_calendar_store *store, uint32_t i)
{
    struct mr_calendar_block *const block = &store->block[i];
    unlink_block(store, i);
    store->n_chunk -= block->n_chunk;
    mr_free(block->memory);
    *block = (struct mr_calendar_block){.after = store->unused};
    store->unused = i + 1;
}

struct mr_calendar_chunk *mr_calendar_store_take(struct mr_calendar_store *store,
                                                 struct mr_err *err)
{
    if (store->with_free == 0 && add_block(store, err) != MR_OK)
        return NULL;
    const uint32_t i = store->with_free - 1;
    struct mr_calendar_block *const block = &store->block[i];
    struct mr_calendar_chunk *chunk = block->free;
    if (chunk != NULL)
        block->free = chunk->next;
    else
        chunk = &block->first[block->n_fresh++];
    store->n_empty -= block->n_taken == 0;
    block->n_taken++;
    store->n_chunk_taken++;
    if (is_full(block))
        unlink_block(store, i);
    chunk->next = NULL;
    chunk->n = 0;
    chunk->i_block = i;
    return chunk;
}

void mr_calendar_store_give(struct mr_calendar_store *store, struct mr_calendar_chunk *chunk)
{
    const uint32_t i = chunk->i_block;
    struct mr_calendar_block *const block = &store->block[i];
    if (is_full(block))
        link_block(store, i);
    chunk->next = block->free;
    block->free = chunk;
    block->n_taken--;
    store->n_chunk_taken--;
    if (block->n_taken > 0)
        return;
    if (store->n_empty > 0)
        release_block(store, i);
    else
        store->n_empty++;
}

size_t mr_calendar_store_bytes(const struct mr_calendar_store *store)
{
    return store->n_chunk * sizeof(struct mr_calendar_chunk) +
           store->cap_block * sizeof *store->block +
           (store->sorting.cap + store->ready.cap + store->coming.cap) * sizeof(struct mr_event);
}

void mr_calendar_store_fini(struct mr_calendar_store *store)
{
    MR_ASSERT(store->n_chunk_taken == 0);
    for (size_t i = 0; i < store->n_block; i++)
        mr_free(store->block[i].memory);
    mr_free(store->block);
    mr_free(store->sorting.event);
    mr_free(store->ready.event);
    mr_free(store->coming.event);
    *store = (struct mr_calendar_store){0};
}
