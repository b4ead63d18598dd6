/* SPDX-License-Identifier: Apache-2.0 */
/* Linear probing, at most half full. A page is in use when one of its ids was seen. */
#include "engine/work/trace_seen.h"

#include "engine/base/mem.h"

void mr_trace_seen_clear(struct mr_trace_seen *seen)
{
    if (seen->n > 0)
        memset(seen->page, 0, seen->cap * sizeof *seen->page);
    seen->n = 0;
    seen->n_id = 0;
    seen->n_once = 0;
}

void mr_trace_seen_fini(struct mr_trace_seen *seen)
{
    mr_free(seen->page);
    *seen = (struct mr_trace_seen){0};
}

static uint64_t key_of(uint64_t id, bool is_minted)
{
    return id >> 6 << 1 | is_minted;
}

static size_t probe(const struct mr_trace_seen *seen, uint64_t key)
{
    size_t i = (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (seen->cap - 1);
    while (seen->page[i].once != 0 && seen->page[i].key != key)
        i = (i + 1) & (seen->cap - 1);
    return i;
}

static mr_status grow(struct mr_trace_seen *seen, struct mr_err *err)
{
    struct mr_trace_seen larger = *seen;
    larger.cap = seen->cap == 0 ? 64 : 2 * seen->cap;
    larger.page = mr_alloc_zero(larger.cap, sizeof *larger.page);
    if (larger.page == NULL)
        return mr_err_nomem(err, larger.cap * sizeof *larger.page);
    for (size_t i = 0; i < seen->cap; i++)
        if (seen->page[i].once != 0)
            larger.page[probe(&larger, seen->page[i].key)] = seen->page[i];
    mr_free(seen->page);
    *seen = larger;
    return MR_OK;
}

/* Bits first .. last of a page that ids [id, end] touch; last inclusive. */
static uint64_t mask_of(uint64_t id, uint64_t last)
{
    const unsigned from = (unsigned)(id & 63),
                   to = id >> 6 == last >> 6 ? (unsigned)(last & 63) : 63;
    return (~UINT64_C(0) >> (63 - to)) & (~UINT64_C(0) << from);
}

static uint64_t n_bit(uint64_t bits)
{
    return (uint64_t)__builtin_popcountll(bits);
}

uint32_t mr_trace_seen_count(const struct mr_trace_seen *seen, const struct mr_session_run *run)
{
    uint64_t id = run->id;
    const uint64_t last = id + run->n - 1;
    if (seen->cap == 0 || run->n == 0)
        return 0;
    for (;;) {
        const struct mr_trace_seen_page *page =
            &seen->page[probe(seen, key_of(id, run->is_minted))];
        const uint64_t missing = mask_of(id, last) & ~page->once;
        if (missing != 0)
            return (uint32_t)((id & ~UINT64_C(63)) + (uint64_t)__builtin_ctzll(missing) - run->id);
        if (id >> 6 == last >> 6)
            return run->n;
        id = (id | 63) + 1;
    }
}

mr_status mr_trace_seen_add(struct mr_trace_seen *seen, const struct mr_session_run *run,
                            struct mr_err *err)
{
    uint64_t id = run->id;
    const uint64_t last = id + run->n - 1;
    if (run->n == 0)
        return MR_OK;
    for (;;) {
        if (2 * (seen->n + 1) > seen->cap)
            MR_TRY(grow(seen, err));
        const uint64_t key = key_of(id, run->is_minted), mask = mask_of(id, last);
        struct mr_trace_seen_page *page = &seen->page[probe(seen, key)];
        seen->n += page->once == 0;
        page->key = key;
        const uint64_t fresh = mask & ~page->once, again = mask & page->once & ~page->again;
        const uint64_t n_fresh = fresh != 0 ? n_bit(fresh) : 0;
        seen->n_id += n_fresh;
        seen->n_once += n_fresh - (again != 0 ? n_bit(again) : 0);
        page->again |= again;
        page->once |= mask;
        if (id >> 6 == last >> 6)
            return MR_OK;
        id = (id | 63) + 1;
    }
}
