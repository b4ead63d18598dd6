/* SPDX-License-Identifier: Apache-2.0 */
/* Tables beside the names have an entry for each. */
#include "engine/work/session_book.h"

#include "engine/base/mem.h"

#include <math.h>

mr_status mr_session_book_model(struct mr_session_book *book, struct mr_str alias,
                                struct mr_str card, uint32_t *i, struct mr_err *err)
{
    const uint32_t known = mr_intern_find(&book->model, alias);
    uint32_t own;
    *i = known;
    if (known != MR_INTERN_NONE)
        return MR_OK;
    MR_TRY(mr_intern_add(&book->card, card.n > 0 ? card : alias, &own, err));
    MR_TRY(mr_grow(&book->model_card, &book->cap_model_card, book->model.n + 1,
                   sizeof *book->model_card, err));
    MR_TRY(mr_intern_add(&book->model, alias, i, err));
    book->model_card[*i] = own;
    return MR_OK;
}

mr_status mr_session_book_tier(struct mr_session_book *book, struct mr_str name, uint32_t *i,
                               struct mr_err *err)
{
    const double none = (double)NAN;
    const size_t n = book->tier.n;
    MR_TRY(mr_grow(&book->tier_price, &book->cap_tier_price, n + 1, sizeof *book->tier_price, err));
    MR_TRY(mr_intern_add(&book->tier, name, i, err));
    if (*i == n)
        book->tier_price[*i] = (struct mr_session_tier){none, none, none, none};
    return MR_OK;
}

mr_status mr_session_book_prefix(struct mr_session_book *book, struct mr_str name, uint32_t n_tok,
                                 uint32_t *i, struct mr_err *err)
{
    const size_t n = book->prefix.n;
    MR_TRY(mr_grow(&book->prefix_tok, &book->cap_prefix_tok, n + 1, sizeof *book->prefix_tok, err));
    MR_TRY(mr_intern_add(&book->prefix, name, i, err));
    if (*i == n)
        book->prefix_tok[*i] = n_tok;
    return MR_OK;
}

mr_status mr_session_book_source(struct mr_session_book *book, enum mr_session_source what,
                                 struct mr_str text, struct mr_err *err)
{
    char *copy = mr_alloc_text(text.p, text.n);
    if (copy == NULL)
        return mr_err_nomem(err, text.n);
    mr_free(book->source[what]);
    book->source[what] = copy;
    return MR_OK;
}

void mr_session_book_fini(struct mr_session_book *book)
{
    mr_intern_fini(&book->model);
    mr_intern_fini(&book->card);
    mr_intern_fini(&book->class);
    mr_intern_fini(&book->tenant);
    mr_intern_fini(&book->tier);
    mr_intern_fini(&book->prefix);
    mr_intern_fini(&book->store);
    for (size_t i = 0; i < MR_SESSION_SOURCES; i++)
        mr_free(book->source[i]);
    mr_free(book->model_card);
    mr_free(book->tier_price);
    mr_free(book->prefix_tok);
    *book = (struct mr_session_book){0};
}
