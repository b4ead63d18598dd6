/* SPDX-License-Identifier: Apache-2.0 */
/* Drawn sessions have the statistics of what they are drawn from. Bounds are a few sampling errors
 * of these numbers of sessions. */
#include "engine/work/synthetic.h"

#include "engine/work/session_copy.h"
#include "engine/work/tool_class.h"
#include "engine/work/trace.h"
#include "engine/work/trace_write.h"
#include "tests/test.h"

#include <math.h>

/* What is counted, to be sorted. */
struct sample {
    double *x;
    size_t n, cap;
};

static void put(struct sample *sample, double x)
{
    if (sample->n == sample->cap) {
        sample->cap = sample->cap > 0 ? 2 * sample->cap : 1024;
        sample->x = realloc(sample->x, sample->cap * sizeof *sample->x);
        assert_non_null(sample->x);
    }
    sample->x[sample->n++] = x;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(struct sample *sample, double p)
{
    qsort(sample->x, sample->n, sizeof *sample->x, compare);
    return sample->x[(size_t)(p * (double)sample->n)];
}

/* Of the logarithm: what lognormal draws are made from. */
static void assert_lognormal(const struct sample *sample, double mu, double sigma, double within)
{
    double sum = 0, square = 0;
    for (size_t i = 0; i < sample->n; i++) {
        sum += log(sample->x[i]);
        square += log(sample->x[i]) * log(sample->x[i]);
    }
    const double mean = sum / (double)sample->n;
    mr_assert_near(mean, mu, 0, within);
    mr_assert_near(sqrt(square / (double)sample->n - mean * mean), sigma, 0, within);
}

struct agents {
    struct sample first, fresh, output, tool_gap, think_gap, calls, peak;
    double tool_s;
    uint64_t n_call, n_reset, n_tool[5], n_class[16], n_all, n_fail, n_with_agents, n_overlap;
};

/* The root lane of one session: nodes stand in the order of time. A gap without tools is a user's,
 * or that of one of the few calls that asked for none. */
static void count(struct agents *a, const struct mr_session *s)
{
    const struct mr_session_llm *before = NULL;
    uint32_t n_tool = 0, n_call = 0, peak_tok = 0;
    double longest_s = 0, rest_s = 0;
    a->n_with_agents += s->n_lane > 1;
    for (size_t i = 0; i < s->n_node; i++) {
        const struct mr_session_node *node = &s->node[i];
        if (node->lane > 0)
            continue;
        if (node->kind == MR_SESSION_TOOL) {
            const struct mr_session_tool *tool = &s->tool[node->i];
            longest_s = fmax(longest_s, tool->wall_s);
            a->n_class[tool->class]++;
            a->n_all++;
            a->tool_s += tool->wall_s;
            a->n_fail += tool->is_error;
            n_tool++;
            continue;
        }
        if (node->kind == MR_SESSION_THINK) {
            rest_s = s->think[node->i].s;
            continue;
        }
        const struct mr_session_llm *llm = &s->llm[node->i];
        assert_true((uint64_t)llm->n_input + llm->n_output <= 1 << 20);
        put(&a->output, llm->n_output);
        n_call++;
        peak_tok = llm->n_input > peak_tok ? llm->n_input : peak_tok;
        if (before == NULL) {
            put(&a->first, llm->n_input);
        } else {
            const bool is_reset = llm->keep * 2 < before->n_block;
            put(n_tool > 0 ? &a->tool_gap : &a->think_gap, longest_s + rest_s);
            if (!is_reset)
                put(&a->fresh, llm->n_input - before->n_input);
            a->n_call++;
            a->n_reset += is_reset;
            a->n_tool[n_tool]++;
            a->n_overlap += n_tool > 1 ? n_tool : 0;
        }
        before = llm;
        n_tool = 0;
        longest_s = rest_s = 0;
    }
    put(&a->calls, n_call);
    put(&a->peak, peak_tok);
}

static double share_below(const struct sample *sample, double x)
{
    size_t n = 0;
    for (size_t i = 0; i < sample->n; i++)
        n += sample->x[i] <= x;
    return (double)n / (double)sample->n;
}

static double mean(const struct sample *sample)
{
    double sum = 0;
    for (size_t i = 0; i < sample->n; i++)
        sum += sample->x[i];
    return sum / (double)sample->n;
}

MR_TEST(agents_are_what_they_are_drawn_from)
{
    enum {
        n_session = 4000
    };
    const struct mr_synthetic synthetic = {.seed = 3, .context_max = 1 << 20, .block_tok = 64};
    struct mr_session session = {0};
    struct mr_session_book book = {0};
    struct agents a = {0};
    for (uint64_t i = 0; i < n_session; i++) {
        struct mr_err err = {0};
        if (mr_synthetic_draw(&synthetic, i, &session, &book, &err) != MR_OK)
            fail_msg("session %d: %s", (int)i, err.text);
        count(&a, &session);
    }
    mr_assert_near(quantile(&a.first, 0.05), 13000, 0.04, 0);
    mr_assert_near(quantile(&a.first, 0.25), 18600, 0.04, 0);
    mr_assert_near(quantile(&a.first, 0.5), 24500, 0.08, 0);
    mr_assert_near(quantile(&a.first, 0.75), 104000, 0.1, 0);
    mr_assert_near(quantile(&a.first, 0.9), 259000, 0.1, 0);
    assert_lognormal(&a.output, 5.56, 0.89, 0.01);
    assert_lognormal(&a.fresh, 6.78, 1.21, 0.02);
    assert_lognormal(&a.tool_gap, 2.52, 1.29, 0.02);
    /* gaps without tools: 0.027 of those before tool results, and users */
    const double n_none = (double)a.tool_gap.n * 0.027 / 0.973;
    const double n_user = (double)a.think_gap.n - n_none;
    double sum = 0;
    for (size_t i = 0; i < a.think_gap.n; i++)
        sum += log(a.think_gap.x[i]);
    mr_assert_near(sum / (double)a.think_gap.n,
                   (n_user * 4.75 + n_none * 2.52) / (double)a.think_gap.n, 0, 0.06);
    /* of 676 recorded sessions: 65.2 calls, in turns of 14.4 */
    mr_assert_near(mean(&a.calls), 65.2, 0.05, 0);
    mr_assert_near(quantile(&a.calls, 0.5), 44, 0.08, 0);
    mr_assert_near(1 + n_user / n_session, 65.2 / 14.4, 0.07, 0);
    mr_assert_near(share_below(&a.peak, 131072), 0.35, 0, 0.025);
    mr_assert_near(share_below(&a.peak, 200000), 0.79, 0, 0.02);
    mr_assert_near(share_below(&a.peak, 262144), 0.84, 0, 0.02);
    mr_assert_near(a.tool_s / (double)a.n_all, 2.93, 0.07, 0); /* logs of tools */
    mr_assert_near((double)a.n_reset / (double)a.n_call, 0.017, 0.1, 0);
    mr_assert_near((double)a.n_with_agents / n_session, 0.024, 0, 0.008);
    static const double tools_of_call[] = {0, 0.866, 0.085, 0.019, 0.003};
    for (size_t k = 1; k < 5; k++)
        mr_assert_near((double)a.n_tool[k] / (double)a.tool_gap.n, tools_of_call[k] / 0.973, 0,
                       0.003);
    mr_assert_near((double)a.n_overlap / (double)a.n_all, 0.216, 0, 0.005);
    mr_assert_near((double)a.n_fail / (double)a.n_all, 0.12, 0, 0.003);
    for (uint32_t k = 0; k < book.class.n; k++) {
        const struct mr_tool_class *class = mr_tool_class_of(mr_intern_str(&book.class, k), 0.5);
        mr_assert_near((double)a.n_class[k] / (double)a.n_all, class->share, 0, 0.004);
    }
    free(a.first.x);
    free(a.fresh.x);
    free(a.output.x);
    free(a.tool_gap.x);
    free(a.think_gap.x);
    free(a.calls.x);
    free(a.peak.x);
    mr_session_fini(&session);
    mr_session_book_fini(&book);
}

MR_TEST(chats_are_what_they_are_drawn_from)
{
    enum {
        n_session = 20000
    };
    const struct mr_synthetic synthetic = {
        .kind = MR_SYNTHETIC_CHATS, .seed = 3, .context_max = 131072, .block_tok = 16};
    struct mr_session session = {0};
    struct mr_session_book book = {0};
    struct sample first = {0}, output = {0}, gap = {0};
    uint64_t n_call = 0, n_one = 0;
    for (uint64_t i = 0; i < n_session; i++) {
        struct mr_err err = {0};
        if (mr_synthetic_draw(&synthetic, i, &session, &book, &err) != MR_OK)
            fail_msg("session %d: %s", (int)i, err.text);
        assert_int_equal(session.n_tool, 0);
        put(&first, session.llm[0].n_input);
        for (size_t k = 0; k < session.n_llm; k++) {
            put(&output, session.llm[k].n_output);
            if (k > 0) {
                assert_true(session.llm[k].n_input >
                            session.llm[k - 1].n_input + session.llm[k - 1].n_output);
                assert_int_equal(session.llm[k].keep, session.llm[k - 1].n_block);
            }
        }
        for (size_t k = 0; k < session.n_think; k++)
            put(&gap, session.think[k].s);
        n_call += session.n_llm;
        n_one += session.n_llm == 1;
    }
    mr_assert_near(quantile(&first, 0.5), 5264, 0.06, 0);
    mr_assert_near(quantile(&first, 0.9), 25561, 0.1, 0);
    mr_assert_near(quantile(&output, 0.25), 156, 0.05, 0);
    mr_assert_near(quantile(&output, 0.5), 350, 0.02, 0);
    mr_assert_near(quantile(&output, 0.9), 597, 0.02, 0);
    mr_assert_near(quantile(&gap, 0.5), 123, 0.03, 0);
    mr_assert_near((double)n_one / n_session, 0.6924, 0, 0.01);
    mr_assert_near((double)n_call / n_session, 12031.0 / 7386, 0.02, 0); /* a call is in one chat */
    free(first.x);
    free(output.x);
    free(gap.x);
    mr_session_fini(&session);
    mr_session_book_fini(&book);
}

/* Gaps have the mean and the deviation that were asked for. */
MR_TEST(arrivals_have_their_deviation)
{
    static const double cvs[] = {0, 0.5, 1, 3};
    const struct mr_synthetic synthetic = {.seed = 5};
    for (size_t k = 0; k < sizeof cvs / sizeof *cvs; k++) {
        const double n = 200000;
        double sum = 0, square = 0;
        for (uint64_t i = 0; i < (uint64_t)n; i++) {
            const double gap_s = mr_synthetic_gap_s(&synthetic, i, 4, cvs[k]);
            sum += gap_s;
            square += gap_s * gap_s;
        }
        const double mean = sum / n;
        mr_assert_near(mean, 0.25, 0.02, 0);
        mr_assert_near(sqrt(fmax(0, square / n - mean * mean)) / mean, cvs[k], 0.03, 1e-6);
    }
}

/* A draw depends on seed and number alone, and what is written reads back the same. */
MR_TEST(the_same_again_and_through_a_file)
{
    struct mr_session session = {0}, again = {0}, other = {0};
    struct mr_session_book book = {0}, own = {0};
    struct mr_err err = {0};
    for (int kind = 0; kind < MR_SYNTHETIC_KINDS; kind++) {
        const struct mr_synthetic a = {
            .kind = kind, .seed = 9, .context_max = 65536, .block_tok = 32};
        struct mr_synthetic b = a;
        struct mr_buf buf = {0};
        struct mr_trace *trace = NULL;
        bool has_session = false;
        int n_other = 0;
        b.seed = 10;
        assert_int_equal(mr_synthetic_draw(&a, 0, &session, &book, &err), MR_OK);
        mr_trace_write_header(&buf, &book, NULL);
        for (uint64_t i = 0; i < 50; i++) {
            assert_int_equal(mr_synthetic_draw(&a, 49 - i, &session, &book, &err), MR_OK);
            assert_int_equal(mr_synthetic_draw(&a, 49 - i, &again, &book, &err), MR_OK);
            assert_int_equal(mr_synthetic_draw(&b, 49 - i, &other, &own, &err), MR_OK);
            assert_true(mr_session_is_equal(&session, &again));
            n_other += !mr_session_is_equal(&session, &other);
            mr_trace_write_session(&buf, &book, &session);
        }
        assert_int_equal(n_other, 50);
        assert_int_equal(buf.status, MR_OK);
        assert_int_equal(mr_trace_open_memory(buf.text, buf.n, "drawn", NULL, &trace, &err), MR_OK);
        for (uint64_t i = 0; i < 50; i++) {
            assert_int_equal(mr_trace_next(trace, &session, &has_session, &err), MR_OK);
            assert_true(has_session);
            assert_int_equal(mr_synthetic_draw(&a, 49 - i, &again, &book, &err), MR_OK);
            assert_int_equal(session.n_node, again.n_node);
            assert_int_equal(session.n_run, again.n_run);
            for (size_t k = 0; k < session.n_llm; k++) {
                assert_int_equal(session.llm[k].n_input, again.llm[k].n_input);
                assert_int_equal(session.llm[k].n_output, again.llm[k].n_output);
                assert_int_equal(session.llm[k].keep, again.llm[k].keep);
                assert_int_equal(session.llm[k].n_block, again.llm[k].n_block);
            }
            for (size_t k = 0; k < session.n_tool; k++) {
                assert_true(session.tool[k].wall_s == again.tool[k].wall_s);
                assert_int_equal(session.tool[k].is_error, again.tool[k].is_error);
            }
        }
        assert_int_equal(mr_trace_next(trace, &session, &has_session, &err), MR_OK);
        assert_false(has_session);
        mr_trace_close(trace);
        mr_buf_fini(&buf);
        mr_session_book_fini(&book);
        mr_session_book_fini(&own);
        book = own = (struct mr_session_book){0};
    }
    mr_session_fini(&session);
    mr_session_fini(&again);
    mr_session_fini(&other);
}

MR_TEST_MAIN(MR_TEST_ENTRY(agents_are_what_they_are_drawn_from),
             MR_TEST_ENTRY(chats_are_what_they_are_drawn_from),
             MR_TEST_ENTRY(arrivals_have_their_deviation),
             MR_TEST_ENTRY(the_same_again_and_through_a_file))
