/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a card of a GPU and of an LLM. Held: either there are errors, each with a text on one
 * line and a place, or a card whose figures have a confidence and, written out and read again, the
 * same bits; what follows from an LLM is finite and not negative. */
#include "models/gpu.h"
#include "models/llm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* of libxml2: where it prints what no structured handler takes */
void xmlSetGenericErrorFunc(void *context, void (*handler)(void *context, const char *fmt, ...));

static void fail(const char *what)
{
    fprintf(stderr, "card: %s\n", what);
    abort();
}

static void on_print(void *context, const char *fmt, ...)
{
    (void)context;
    (void)fmt;
    fail("libxml2 printed");
}

static void check_errors(const struct mr_diags *diags)
{
    if (diags->n_error == 0 || diags->first_error == MR_OK)
        fail("no card and no error");
    for (size_t i = 0; i < diags->n_item; i++) {
        const struct mr_err *err = &diags->item[i].err;
        if (err->text[0] == '\0' || strchr(err->text, '\n') != NULL)
            fail("an error has no text on one line");
        if (err->line < 1 || err->col < 1)
            fail("an error has no place");
    }
}

static void check_llm(const struct mr_llm_card *llm)
{
    const double values[] = {mr_llm_token_bytes(llm, 2),    mr_llm_sequence_bytes(llm, 1, 1e6),
                             mr_llm_elements(llm),          mr_llm_active_elements(llm),
                             mr_llm_state_elements(llm),    mr_llm_pair_flop(llm, true),
                             mr_llm_pair_flop(llm, false),  mr_llm_router_elements(llm),
                             mr_llm_attention_elements(llm)};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (!isfinite(values[i]) || values[i] < 0)
            fail("something that follows is negative or not finite");
    if (llm->top_k > llm->n_expert || mr_llm_n_moe_layer(llm) > llm->n_layer)
        fail("an impossible model");
}

static void check_gpu(const struct mr_gpu_card *gpu)
{
    if (gpu->idle_w + gpu->context_w >= gpu->max_p_w || gpu->max_q_w > gpu->max_p_w)
        fail("an impossible package");
}

/* The values as the reader gives them, in a card of their own. */
static void write_card(const struct mr_card *card, struct mr_buf *out)
{
    struct mr_buf value = {0};
    mr_buf_printf(out, "<%s id=\"x\" name=\"x\">\n", card->kind->element);
    for (size_t i = 0; i < card->kind->table->n; i++) {
        mr_buf_clear(&value);
        mr_param_value(&card->kind->table->row[i], card->object, &value);
        mr_buf_printf(out, "<figure name=\"%s\" value=\"%s\" confidence=\"press\" source=\"x\"/>\n",
                      card->kind->table->row[i].name, value.n > 0 ? value.text : "");
    }
    mr_buf_printf(out, "</%s>\n", card->kind->element);
    mr_buf_fini(&value);
}

static void check_card(const struct mr_card *card)
{
    struct mr_diags diags = {0};
    struct mr_buf text = {0}, md = {0};
    struct mr_card *again;
    for (size_t i = 0; i < card->kind->table->n; i++)
        if (card->figure[i].confidence > MR_CONFIDENCE_ASSUMPTION || card->figure[i].note == NULL)
            fail("a figure without confidence or note");
    write_card(card, &text);
    mr_card_print_md(card, &md);
    if (mr_card_load_text("again.xml", (struct mr_str){text.text, text.n}, card->kind, &again,
                          &diags) != MR_OK)
        fail(diags.item[0].err.text);
    /* texts are compared as they read: where they lie does not matter */
    if (card->kind == &mr_llm_kind) {
        struct mr_llm_card *a = card->object, *b = again->object;
        if (strcmp(a->aliases != NULL ? a->aliases : "", b->aliases != NULL ? b->aliases : "") != 0)
            fail("the written names read differently");
        a->aliases = b->aliases = NULL;
    }
    if (memcmp(again->object, card->object, card->kind->object_bytes) != 0)
        fail("the written card reads differently");
    mr_card_destroy(again);
    mr_buf_fini(&text);
    mr_buf_fini(&md);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct mr_card_kind *const kinds[] = {&mr_gpu_kind, &mr_llm_kind};
    const struct mr_str text = {(const char *)data, size};
    xmlSetGenericErrorFunc(NULL, on_print);
    for (size_t i = 0; i < 2; i++) {
        struct mr_diags diags = {0};
        struct mr_card *card = NULL;
        const mr_status st = mr_card_load_text("fuzz.xml", text, kinds[i], &card, &diags);
        if ((st == MR_OK) != (card != NULL))
            fail("a card and an error, or neither");
        if (card == NULL) {
            check_errors(&diags);
            continue;
        }
        check_card(card);
        if (card->kind == &mr_llm_kind)
            check_llm(mr_llm_of(card));
        else
            check_gpu(mr_gpu_of(card));
        mr_card_destroy(card);
    }
    return 0;
}
