/* SPDX-License-Identifier: Apache-2.0 */
/* What all sessions of a workload share: the meaning of block ids, and names. */
#ifndef MR_ENGINE_WORK_SESSION_BOOK_H
#define MR_ENGINE_WORK_SESSION_BOOK_H

#include "engine/base/intern.h"

#define MR_SESSION_NONE UINT32_MAX /* no text, model, tier, hint, node */

/* What is said of where a workload comes from. name, name in files */
#define MR_SESSION_SOURCE_LIST(X) \
    X(FORMAT, "format")           \
    X(DIGEST, "digest")           \
    X(LICENSE, "license")

enum mr_session_source {
#define MR_SESSION_SOURCE_ENUM(name, text) MR_SESSION_SOURCE_##name,
    MR_SESSION_SOURCE_LIST(MR_SESSION_SOURCE_ENUM)
#undef MR_SESSION_SOURCE_ENUM
    MR_SESSION_SOURCES
};

/* USD per million tokens; NaN: not said. */
struct mr_session_tier {
    double input, cache_write, cache_read, output;
};

/* Names are added when they are first met, so that indices
 * count in order of appearance. Zero-initialize, mr_session_book_fini. */
struct mr_session_book {
    struct mr_intern model; /* aliases */
    struct mr_intern card;  /* by model: the card's name, the alias itself if there is none */
    struct mr_intern class; /* of tools */
    struct mr_intern tenant, tier, prefix, store;
    uint32_t *model_card;               /* [n of model] into card */
    struct mr_session_tier *tier_price; /* [n of tier] */
    uint32_t *prefix_tok;               /* [n of prefix] */
    size_t cap_model_card, cap_tier_price, cap_prefix_tok;
    char *source[MR_SESSION_SOURCES]; /* where the workload comes from; NULL: not said */
    uint32_t block_tok;               /* tokens of a block; 0: no block is known */
    bool is_global;                   /* block ids mean the same in all sessions */
};

/** Index of a model alias, added when new. @param[in] card its card; empty: the alias */
MR_CHECKED mr_status mr_session_book_model(struct mr_session_book *book, struct mr_str alias,
                                           struct mr_str card, uint32_t *i, struct mr_err *err);
MR_CHECKED mr_status mr_session_book_tier(struct mr_session_book *book, struct mr_str name,
                                          uint32_t *i, struct mr_err *err);
MR_CHECKED mr_status mr_session_book_prefix(struct mr_session_book *book, struct mr_str name,
                                            uint32_t n_tok, uint32_t *i, struct mr_err *err);

/** Say where it comes from; copied. */
MR_CHECKED mr_status mr_session_book_source(struct mr_session_book *book,
                                            enum mr_session_source what, struct mr_str text,
                                            struct mr_err *err);
void mr_session_book_fini(struct mr_session_book *book);

#endif
