/* SPDX-License-Identifier: Apache-2.0 */
/* A sequence of k blocks is a pair: the number of its first k - 1, and its last. Equal numbers of
 * sequences that are equally long mean equal pairs, so by induction equal blocks; no hash stands
 * for them. Names of whole sequences are counted apart: those that are new together follow one
 * another, so that a context stays a few runs. */
#include "engine/work/coarse.h"

#include "engine/base/assert.h"

static const uint32_t name_max = UINT32_C(1) << 30;

static mr_status too_many(struct mr_err *err)
{
    return mr_err_set(err, MR_LIMIT, MR_NOWHERE,
                      "more than 2^30 blocks are gathered into larger ones");
}

/* An odd number for a block that no file names, an even one for others. */
static mr_status number_of(struct mr_coarse *coarse, const struct mr_session_run *run, uint32_t i,
                           uint32_t *number, struct mr_err *err)
{
    if (!run->is_minted)
        MR_TRY(mr_block_names_of(&coarse->id, run->id + i, number, err));
    else
        *number = run->id < name_max ? (uint32_t)run->id + i : name_max;
    if (*number >= name_max)
        return too_many(err);
    *number = 2 * *number + (run->is_minted ? 1 : 0);
    return MR_OK;
}

mr_status mr_coarse_gather(struct mr_coarse *coarse, const struct mr_session_context *small,
                           uint32_t per, struct mr_session_context *large, struct mr_err *err)
{
    uint64_t left = (uint64_t)large->n_block * per; /* to be passed over */
    uint32_t n = 0, sequence = 0;                   /* of so many blocks */
    bool is_own = false;
    MR_ASSERT(per >= 2);
    for (size_t k = 0; k < small->n_run; k++) {
        const struct mr_session_run *run = &small->run[k];
        uint32_t i = left < run->n ? (uint32_t)left : run->n;
        for (left -= i; i < run->n; i++) {
            uint32_t number;
            MR_TRY(number_of(coarse, run, i, &number, err));
            is_own = (n > 0 && is_own) || run->is_minted;
            if (n++ == 0)
                sequence = number;
            else
                MR_TRY(mr_block_names_of(&coarse->pair, (uint64_t)sequence << 32 | number,
                                         &sequence, err));
            if (n < per)
                continue;
            MR_TRY(
                mr_block_names_of(is_own ? &coarse->own : &coarse->name, sequence, &number, err));
            if (number >= name_max)
                return too_many(err);
            MR_TRY(mr_session_context_add(
                large, (struct mr_session_run){.id = number, .n = 1, .is_minted = is_own}, err));
            n = 0;
        }
    }
    return MR_OK;
}

void mr_coarse_clear(struct mr_coarse *coarse)
{
    mr_block_names_clear(&coarse->id);
    mr_block_names_clear(&coarse->pair);
    mr_block_names_clear(&coarse->name);
    mr_block_names_clear(&coarse->own);
}

void mr_coarse_fini(struct mr_coarse *coarse)
{
    mr_block_names_fini(&coarse->id);
    mr_block_names_fini(&coarse->pair);
    mr_block_names_fini(&coarse->name);
    mr_block_names_fini(&coarse->own);
}
