/* SPDX-License-Identifier: Apache-2.0 */
/* Calls stream through: what a run holds depends on how many are in flight, not on how many there
 * were. Ten times the calls at the same load need the same places, the same tables and the same
 * allocations, drawn or read from a file. */
#include "engine/base/mem.h"
#include "engine/serve/cell.h"
#include "engine/serve/policy.h"
#include "engine/work/arrivals.h"
#include "engine/work/session_index.h"
#include "tests/engine/serve/play.h"
#include "tests/test.h"

#include <math.h>
#include <stdio.h>

struct held {
    uint64_t n_call, n_input, n_output;      /* that have come */
    uint64_t n_done, n_read_tok, n_made_tok; /* that have ended */
    size_t n_place, cap_place, cap_ticket, cap_session, cap_part;
    long n_allocation;
};

static void finished(void *context, const struct mr_ticket *ticket, const struct mr_call *call,
                     double now_s)
{
    struct held *held = context;
    (void)call, (void)now_s;
    held->n_done++;
    held->n_read_tok += ticket->n_prompt;
    held->n_made_tok += ticket->n_output;
}

static void refused(void *context, const struct mr_ticket *ticket, double now_s,
                    enum mr_cell_refusal why)
{
    (void)context, (void)ticket, (void)now_s, (void)why;
    fail_msg("refused");
}

/* All calls of a source through one cell; what it holds when the last has come. */
static struct held stream(const struct mr_serving *serving, struct mr_arrivals_source *source)
{
    struct held held = {0};
    struct mr_cell cell;
    struct mr_arrival arrival;
    struct mr_session_index sessions = {0};
    const struct mr_cell_plan plan = {
        .serving = serving, .n_instance = 4, .router = MR_ROUTER_AFFINITY};
    assert_int_equal(
        mr_cell_init(&cell, &plan, &(struct mr_cell_sink){finished, refused, &held}, NULL), MR_OK);
    for (bool has_call = true;; held.n_call++) {
        assert_int_equal(mr_arrivals_next(source, &arrival, &has_call, NULL), MR_OK);
        if (!has_call)
            break;
        struct mr_ticket ticket = {.id = held.n_call,
                                   .n_prompt = arrival.n_input,
                                   .n_output = arrival.n_output,
                                   .is_alone = arrival.is_alone};
        if (!arrival.is_alone)
            assert_int_equal(mr_session_index_at(&sessions, arrival.session, &ticket.session, NULL),
                             MR_OK);
        held.n_input += arrival.n_input;
        held.n_output += arrival.n_output;
        assert_int_equal(mr_cell_play(&cell, arrival.arrived_s, NULL), MR_OK);
        assert_int_equal(mr_cell_arrive(&cell, &ticket, arrival.arrived_s, NULL), MR_OK);
    }
    held.n_allocation = mr_test_live_allocations();
    assert_int_equal(mr_cell_play(&cell, (double)INFINITY, NULL), MR_OK);
    held.n_place = cell.calls.n;
    held.cap_place = cell.calls.cap;
    held.cap_ticket = cell.stub_cap;
    held.cap_session = cell.session_cap;
    assert_true(mr_cell_little_rel(&cell) < 1e-9);
    for (uint32_t i = 0; i < plan.n_instance; i++) {
        held.cap_part += cell.instance[i].part_cap;
        assert_int_equal(cell.instance[i].n_free, serving->n_block);
    }
    mr_cell_fini(&cell);
    mr_session_index_fini(&sessions);
    mr_arrivals_close(source);
    assert_int_equal(held.n_done, held.n_call);
    assert_int_equal(held.n_read_tok, held.n_input);
    assert_int_equal(held.n_made_tok, held.n_output);
    return held;
}

static void no_more(const struct held *few, const struct held *many)
{
    print_message("%llu and %llu calls: %zu and %zu places\n", (unsigned long long)few->n_call,
                  (unsigned long long)many->n_call, few->n_place, many->n_place);
    assert_int_equal(many->n_call, 10 * few->n_call);
    assert_true(many->n_place < 2 * few->n_place && many->n_place < 400);
    assert_true(many->cap_place <= 2 * few->cap_place);
    assert_true(many->cap_ticket <= 2 * few->cap_ticket);
    assert_true(many->cap_part <= 2 * few->cap_part);
    assert_int_equal(many->cap_session, few->cap_session);
    assert_int_equal(many->n_allocation, few->n_allocation);
}

static struct mr_serving serving_of(const struct mr_profile *profile)
{
    return (struct mr_serving){.policy = &mr_policy_sarathi,
                               .pricer = {.profile = profile},
                               .batch_max = 64,
                               .token_max = 512,
                               .block_tokens = 16,
                               .n_block = 8000};
}

MR_TEST(drawn_calls_stream)
{
    struct mr_profile *profile = play_five_constants();
    const struct mr_serving serving = serving_of(profile);
    struct held held[2];
    for (int k = 0; k < 2; k++) {
        const struct mr_arrivals_spec spec = {.speed = 1,
                                              .rate_s = 20,
                                              .input_tok = 200,
                                              .output_tok = 60,
                                              .input_spread = 0.5,
                                              .output_spread = 0.5,
                                              .n_call = k == 0 ? 10000 : 100000};
        struct mr_arrivals_source *source;
        assert_int_equal(mr_arrivals_open(&spec, 5, NULL, &source, NULL), MR_OK);
        held[k] = stream(&serving, source);
    }
    no_more(&held[0], &held[1]);
    assert_int_equal(held[0].cap_session, 0);
    mr_profile_destroy(profile);
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* A table longer than any buffer, with a column of few sessions and without. */
static struct mr_arrivals_source *table_of(struct mr_buf *text, uint32_t n, bool has_session,
                                           const struct mr_arrivals_spec *spec)
{
    struct mr_arrivals_source *source;
    mr_buf_clear(text);
    mr_buf_text(text,
                has_session ? "arrived_s,input,output,session\n" : "arrived_s,input,output\n");
    for (uint32_t i = 0; i < n; i++) {
        mr_buf_printf(text, "%u.%02u,%u,%u", i / 20, i % 20 * 5, 100 + i % 211, 30 + i % 71);
        if (has_session)
            mr_buf_printf(text, ",%u", i % 500 * 8589934);
        mr_buf_char(text, '\n');
    }
    assert_int_equal(
        mr_arrivals_open_memory(text->text, text->n, "table", spec, NULL, &source, NULL), MR_OK);
    return source;
}

MR_TEST(recorded_calls_stream)
{
    struct mr_profile *profile = play_five_constants();
    const struct mr_serving serving = serving_of(profile);
    const struct mr_arrivals_spec spec = {.speed = 1};
    struct mr_buf text = {0};
    for (int has_session = 0; has_session < 2; has_session++) {
        struct held held[2];
        for (int k = 0; k < 2; k++)
            held[k] =
                stream(&serving, table_of(&text, k == 0 ? 10000 : 100000, has_session == 1, &spec));
        no_more(&held[0], &held[1]);
        assert_true(held[0].cap_session < 2000);
    }
    mr_buf_fini(&text);
    mr_profile_destroy(profile);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(drawn_calls_stream), MR_TEST_ENTRY(recorded_calls_stream))
