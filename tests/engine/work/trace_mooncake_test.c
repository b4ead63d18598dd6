/* SPDX-License-Identifier: Apache-2.0 */
/* Mooncake rows and their relatives, there and back. */
#include "tests/engine/work/trace_whole.h"

#include <math.h>

#define H "{\"schema\":\"millrace.session\",\"version\":1,\"block_size\":64}\n"

MR_TEST(mooncake_rows_and_sessions)
{
    struct whole whole;
    read_text(&whole, "{\"timestamp\": 0, \"input_length\": 1000, \"output_length\": 5, "
                      "\"hash_ids\": [7, 8]}\n"
                      "{\"timestamp\": 10.5, \"session_id\": \"s\", \"input_length\": 600, "
                      "\"output_length\": 5, \"hash_ids\": [1, 2], \"priority\": 3}\n"
                      "{\"timestamp\": 20, \"input_length\": 2000, \"output_length\": 5, "
                      "\"hash_ids\": [7, 9], \"extra\": {\"a\": [1]}}\n"
                      "{\"session_id\": \"s\", \"delay\": 2500, \"input_length\": 1100, "
                      "\"output_length\": 0, \"hash_ids\": [1, 2, 3]}\n");
    assert_int_equal(whole.n, 3);
    assert_true(mr_trace_book(whole.trace)->is_global);
    assert_true(whole.session[1].head.arrival_s == 0.02);
    assert_string_equal(mr_session_text(&whole.session[1], whole.session[1].llm[0].extra),
                        "{\"extra\":{\"a\": [1]}}");
    assert_int_equal(whole.session[1].llm[0].n_input, 1024); /* cut to its blocks */
    assert_int_equal(mr_trace_counted(whole.trace)->clipped_input, 1);
    const struct mr_session *s = &whole.session[2];
    assert_string_equal(mr_session_text(s, s->head.id), "s");
    assert_int_equal(s->n_llm, 2);
    assert_true(s->think[0].s == 2.5);
    assert_int_equal(s->llm[1].keep, 2);
    assert_int_equal(s->hint[0].priority, 3);
    assert_true(s->head.arrival_s == 0.0105);
    check_native(&whole);
    close_whole(&whole);
}

/* Dynamo's is a number, and larger goes first; others say true. */
MR_TEST(strict_priority)
{
    static const struct {
        const char *text;
        uint32_t strict;
    } cases[] = {{"true", 1}, {"false", 0}, {"0", 0},
                 {"1", 1},    {"7", 7},     {"4000000000", 4000000000}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];
        struct whole whole;
        snprintf(text, sizeof text,
                 "{\"timestamp\":0,\"input_length\":1,\"output_length\":1,"
                 "\"strict_priority\":%s}\n",
                 cases[i].text);
        read_text(&whole, text);
        assert_int_equal(whole.session[0].hint[0].strict, cases[i].strict);
        check_native(&whole);
        close_whole(&whole);
    }
}

MR_TEST(mooncake_delta)
{
    static const char text[] = "{\"timestamp\":0,\"session_id\":\"s\",\"input_length\":1024,"
                               "\"output_length\":100,\"hash_ids\":[1,2]}\n"
                               "{\"timestamp\":5000,\"session_id\":\"s\",\"input_length\":412,"
                               "\"output_length\":100,\"hash_ids\":[3]}\n"
                               "{\"timestamp\":9000,\"session_id\":\"s\",\"input_length\":600,"
                               "\"output_length\":7,\"hash_ids\":[4]}\n"
                               "{\"timestamp\":12000,\"session_id\":\"s\",\"input_length\":10,"
                               "\"output_length\":7}\n";
    const struct mr_trace_options options = {.format = "mooncake-delta"};
    struct whole whole;
    read_with(&whole, text, strlen(text), &options);
    assert_int_equal(whole.status, MR_OK);
    assert_int_equal(whole.n, 1);
    assert_int_equal(whole.session[0].llm[1].n_input, 1536);
    assert_int_equal(whole.session[0].llm[1].keep, 2);
    assert_int_equal(whole.session[0].llm[1].n_block, 3);
    assert_true(whole.session[0].think[0].s == 5);
    /* one id of 512 tokens holds no 600, in a later turn as in a first one; and names nothing */
    assert_int_equal(whole.session[0].llm[2].n_input, 1536 + 100 + 512);
    assert_int_equal(whole.session[0].llm[3].n_input, 1536 + 100 + 512 + 7 + 10);
    assert_int_equal(mr_trace_counted(whole.trace)->clipped_input, 1);
    assert_int_equal(mr_trace_counted(whole.trace)->delta_ids, 2);
    assert_true(whole.session[0].run[whole.session[0].llm[1].run].is_minted);
    check_native(&whole);
    close_whole(&whole);
}

static const char agentic2[] =
    "{\"schema\":\"dynamo.agentic_mooncake\",\"version\":2,\"block_size\":64,"
    "\"hash_id_scope\":\"local\"}\n"
    "{\"request_id\":\"a\",\"play_id\":\"p\",\"session_id\":\"root\",\"model\":\"m\","
    "\"input_length\":200,\"output_length\":10,\"hash_ids\":[5,6,7,18446744073709551615],"
    "\"dependencies\":[],\"not_before_ms\":1.5}\n"
    "{\"request_id\":\"q\",\"play_id\":\"other\",\"session_id\":\"z\",\"model\":\"n\","
    "\"input_length\":10,\"output_length\":10,\"hash_ids\":[],\"priority\":0,"
    "\"strict_priority\":false,\"dependencies\":[],"
    "\"not_before_ms\":0}\n"
    "{\"request_id\":\"c\",\"play_id\":\"p\",\"session_id\":\"root\",\"model\":\"m\","
    "\"input_length\":330,\"output_length\":10,\"hash_ids\":[5,6,7,8,9,1],"
    "\"priority\":2,\"strict_priority\":3,"
    "\"dependencies\":[{\"request_id\":\"a\",\"trigger\":\"completion\",\"delay_ms\":20,"
    "\"relation\":\"sequence\"},{\"request_id\":\"b\",\"trigger\":\"completion\",\"delay_ms\":0.5,"
    "\"relation\":\"join\"}],\"not_before_ms\":0,\"policy_class\":\"x\","
    "\"output_token_ids\":[1, 2]}\n"
    "{\"request_id\":\"b\",\"play_id\":\"p\",\"session_id\":\"sub\",\"model\":\"n\","
    "\"input_length\":128,\"output_length\":10,\"hash_ids\":[5,6],\"strict_priority\":0,"
    "\"dependencies\":[{\"request_id\":\"a\",\"trigger\":\"dispatch\",\"delay_ms\":3,"
    "\"relation\":\"spawn\"}],\"not_before_ms\":0}\n"
    "{\"request_id\":\"d\",\"play_id\":\"p\",\"session_id\":\"root\",\"model\":\"m\","
    "\"input_length\":330,\"output_length\":10,\"hash_ids\":[5,6,7,8,9,1],"
    "\"strict_priority\":true,"
    "\"dependencies\":[{\"request_id\":\"c\",\"trigger\":\"completion\",\"delay_ms\":2,"
    "\"relation\":\"sequence\"},{\"request_id\":\"c\",\"trigger\":\"completion\",\"delay_ms\":1,"
    "\"relation\":\"replay_barrier\"}],\"not_before_ms\":0}\n"
    "{\"request_id\":\"e\",\"play_id\":\"p\",\"session_id\":\"root\",\"model\":\"m\","
    "\"input_length\":330,\"output_length\":10,\"hash_ids\":[5,6,7,8,9,1],"
    "\"strict_priority\":1,"
    "\"dependencies\":[{\"request_id\":\"d\",\"trigger\":\"completion\",\"delay_ms\":0,"
    "\"relation\":\"sequence\"}],\"not_before_ms\":0}\n";

/* Rows come out in an order of time; but for that every byte of every row comes back, by way of
 * the native form, too. */
MR_TEST(agentic_there_and_back)
{
    struct whole whole, native;
    struct mr_buf first = {0}, second = {0}, text = {0};
    struct mr_trace_lost lost = {0};
    read_text(&whole, agentic2);
    assert_string_equal(mr_trace_format_name(whole.trace), "agentic_mooncake");
    assert_int_equal(whole.n, 2);
    assert_int_equal(whole.session[0].n_llm, 5);
    assert_int_equal(whole.session[0].llm[2].keep, 3);
    check_native(&whole);
    write_agentic(&whole, &first, &lost);
    assert_int_equal(mr_trace_lost_total(&lost), 0);
    write_native(&whole, &text);
    read_text(&native, text.text);
    write_agentic(&native, &second, &lost);
    assert_int_equal(mr_trace_lost_total(&lost), 0);
    assert_string_equal(first.text, second.text);
    const char *line = agentic2; /* every line of the source is a line of the result */
    for (const char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        char row[2048];
        memcpy(row, line, (size_t)(end - line + 1));
        row[end - line + 1] = '\0';
        mr_assert_contains(first.text, row);
    }
    close_whole(&whole);
    close_whole(&native);
    mr_buf_fini(&first);
    mr_buf_fini(&second);
    mr_buf_fini(&text);
}

/* Tools and thinks become the longest delay; what has no place is counted. */
MR_TEST(agentic_folds_tools)
{
    struct whole whole, again;
    struct mr_buf buf = {0};
    struct mr_trace_lost lost = {0};
    read_text(&whole, demo);
    write_agentic(&whole, &buf, &lost);
    assert_true(mr_trace_lost_total(&lost) > 0);
    read_text(&again, buf.text);
    const struct mr_session *s = &again.session[0];
    assert_int_equal(s->n_llm, 4);
    assert_int_equal(s->n_tool, 0);
    const struct mr_session_node *join = &s->node[2], *last = &s->node[3];
    assert_true(s->after[join->after].delay_s == 4.1); /* the longer of two tools */
    assert_true(s->after[last->after].delay_s == 42);
    close_whole(&whole);
    close_whole(&again);
    mr_buf_fini(&buf);
}

/* Version 2 has no arrivals: calls that wait for nothing start no earlier than their play's, which
 * is said beside. They come back to the bit, whatever else a call's start waits for. */
MR_TEST(agentic_keeps_arrivals)
{
    struct whole whole, again;
    struct mr_buf text = {0}, second = {0};
    struct mr_trace_lost lost = {0};
    read_text(&whole,
              H "{\"id\":\"a\",\"arrival_ms\":4314.579,\"nodes\":["
                "{\"n\":1,\"k\":\"llm\",\"in\":64,\"out\":1,\"after\":[[null,\"c\",0.25,\"seq\"]]},"
                "{\"n\":2,\"k\":\"llm\",\"in\":64,\"out\":1,"
                "\"after\":[[1,\"c\",5,\"seq\"],[null,\"c\",9000,\"seq\"]]}]}\n"
                "{\"id\":\"b\",\"nodes\":[{\"n\":1,\"k\":\"llm\",\"in\":64,\"out\":1,"
                "\"after\":[[null,\"c\",3,\"seq\"]]}]}\n");
    write_agentic(&whole, &text, &lost);
    assert_int_equal(mr_trace_lost_total(&lost), 0);
    mr_assert_contains(text.text, "\"not_before_ms\":4314.829,\"arrival_ms\":4314.579}");
    mr_assert_contains(text.text, "\"not_before_ms\":13314.579,");
    read_text(&again, text.text);
    assert_int_equal(again.n, 2);
    assert_true(again.session[0].head.arrival_s == 4.314579);
    mr_assert_near(again.session[0].after[0].delay_s, 0.00025, 0, 1e-12);
    mr_assert_near(again.session[0].after[2].delay_s, 9, 0, 1e-12);
    assert_true(isnan(again.session[1].head.arrival_s));
    assert_true(again.session[1].after[0].delay_s == 0.003);
    write_agentic(&again, &second, &lost);
    assert_string_equal(second.text, text.text);
    close_whole(&whole);
    close_whole(&again);
    mr_buf_fini(&text);
    mr_buf_fini(&second);
}

/* A play that waits for another is told with it, and told apart again; whoever said where the file
 * comes from said it for all that is made of it. */
MR_TEST(agentic_plays_and_source)
{
    static const char rows[] =
        "{\"request_id\":\"a\",\"play_id\":\"p\",\"session_id\":\"s\",\"model\":\"m\","
        "\"input_length\":128,\"output_length\":2,\"hash_ids\":[1,2],\"dependencies\":[],"
        "\"not_before_ms\":0}\n"
        "{\"request_id\":\"b\",\"play_id\":\"q\\\"\",\"session_id\":\"s\",\"model\":\"m\","
        "\"input_length\":128,\"output_length\":2,\"hash_ids\":[1,2],\"dependencies\":["
        "{\"request_id\":\"a\",\"trigger\":\"completion\",\"delay_ms\":0,"
        "\"relation\":\"sequence\"}],\"not_before_ms\":0,\"policy_class\":\"x\"}\n"
        "{\"request_id\":\"c\",\"play_id\":\"r\",\"session_id\":\"s\",\"model\":\"m\","
        "\"input_length\":128,\"output_length\":2,\"hash_ids\":[1,2],\"dependencies\":["
        "{\"request_id\":\"b\",\"trigger\":\"completion\",\"delay_ms\":0,"
        "\"relation\":\"sequence\"}],\"not_before_ms\":0}\n";
    struct mr_buf text = {0}, native = {0};
    struct mr_trace_lost lost = {0};
    struct whole whole, again;
    mr_buf_text(&native,
                "{\"schema\":\"dynamo.agentic_mooncake\",\"version\":2,\"block_size\":64,"
                "\"hash_id_scope\":\"local\",\"source\":{\"format\":\"f\",\"digest\":\"d\"}}\n");
    mr_buf_text(&native, rows);
    read_text(&whole, native.text);
    assert_int_equal(whole.n, 1);
    assert_int_equal(mr_trace_counted(whole.trace)->joined, 2);
    mr_buf_clear(&native);
    write_native(&whole, &native);
    read_text(&again, native.text);
    write_agentic(&again, &text, &lost);
    assert_string_equal(strchr(text.text, '\n') + 1, rows);
    char *const *said = mr_trace_book(whole.trace)->source;
    assert_string_equal(said[MR_SESSION_SOURCE_FORMAT], "f");
    assert_string_equal(said[MR_SESSION_SOURCE_DIGEST], "d");
    assert_null(said[MR_SESSION_SOURCE_LICENSE]);
    close_whole(&whole);
    close_whole(&again);
    read_text(&whole, "{\"schema\":\"millrace.session\",\"version\":1,"
                      "\"source\":{\"license\":\"l\",\"format\":\"g\"}}\n"
                      "{\"nodes\":[{\"n\":1,\"k\":\"llm\",\"in\":64,\"out\":1}]}\n");
    assert_string_equal(mr_trace_book(whole.trace)->source[MR_SESSION_SOURCE_FORMAT], "g");
    assert_string_equal(mr_trace_book(whole.trace)->source[MR_SESSION_SOURCE_LICENSE], "l");
    close_whole(&whole);
    mr_buf_fini(&text);
    mr_buf_fini(&native);
}

static void write_plain(struct whole *whole, struct mr_buf *buf, struct mr_trace_lost *lost)
{
    struct mr_err err = {0};
    for (size_t i = 0; i < whole->n; i++)
        assert_int_equal(mr_trace_write_mooncake(buf, mr_trace_book(whole->trace),
                                                 &whole->session[i], i, lost, &err),
                         MR_OK);
}

static mr_status write_plain_once(void *context, struct mr_err *err)
{
    const struct whole *whole = context;
    struct mr_buf buf = {0};
    struct mr_trace_lost lost = {0};
    const mr_status st = mr_trace_write_mooncake(&buf, mr_trace_book(whole->trace),
                                                 &whole->session[0], 0, &lost, err);
    mr_buf_fini(&buf);
    return st;
}

/* Rows of calls that stand alone come back as they are, and so do sessions of them. */
MR_TEST(mooncake_there_and_back)
{
    static const char rows[] =
        "{\"timestamp\":0,\"input_length\":1024,\"output_length\":5,\"model\":\"m\",\"hash_ids\":["
        "7,8]}\n"
        "{\"timestamp\":10.5,\"session_id\":\"s\",\"input_length\":600,\"output_length\":5,"
        "\"model\":\"m\",\"hash_ids\":[1,2],\"priority\":3,\"strict_priority\":2,\"extra\":{}}\n"
        "{\"delay\":2500,\"session_id\":\"s\",\"input_length\":1100,\"output_length\":0,"
        "\"model\":\"n\",\"hash_ids\":[1,2,18446744073709551615]}\n";
    struct whole whole;
    struct mr_buf text = {0};
    struct mr_trace_lost lost = {0};
    read_text(&whole, rows);
    write_plain(&whole, &text, &lost);
    assert_int_equal(mr_trace_lost_total(&lost), 0);
    assert_string_equal(text.text, rows);
    close_whole(&whole);
    mr_buf_fini(&text);
}

/* Of a session with tools, a sub-agent and a prefix: lanes are sessions, what fills no block has
 * one of its own, the sub-agent's date counts from the first call, which took no time. */
MR_TEST(mooncake_of_agents)
{
    struct whole whole, again;
    struct mr_buf text = {0};
    struct mr_trace_lost lost = {0};
    const struct mr_trace_options options = {.block_tok = 64, .format = "mooncake"};
    read_text(&whole, demo);
    write_plain(&whole, &text, &lost);
    assert_int_equal(lost.tool, 2);
    assert_int_equal(lost.prefix, 1);
    assert_int_equal(lost.graph, 2); /* the spawn and the join; two tools are one way */
    mr_assert_contains(text.text, "{\"timestamp\":50,\"session_id\":\"demo/1\",");
    mr_assert_contains(text.text, "{\"delay\":4100,\"session_id\":\"demo\",");
    mr_assert_contains(text.text, "{\"delay\":42000,\"session_id\":\"demo\",");
    read_with(&again, text.text, text.n, &options);
    assert_int_equal(again.status, MR_OK);
    assert_int_equal(again.n, 2);
    const struct mr_session *s = &again.session[0], *sub = &again.session[1];
    assert_int_equal(s->n_llm, 3);
    assert_int_equal(s->llm[0].n_input, 8000);
    assert_int_equal(s->llm[0].n_block, 125);
    assert_int_equal(s->llm[1].keep, 125);
    assert_int_equal(s->llm[1].n_block, 149);
    assert_int_equal(s->llm[2].keep, 148); /* but for the tail */
    assert_int_equal(sub->llm[0].n_block, 110);
    assert_true(sub->run[0].id == s->run[0].id && sub->run[0].n == 100); /* the prefix */
    mr_test_every_nomem(write_plain_once, &whole);
    close_whole(&whole);
    close_whole(&again);
    mr_buf_fini(&text);
}

/* Local ids of two sessions are two, also those with no room for a number beside them. */
MR_TEST(mooncake_of_local_ids)
{
    struct whole whole, again;
    struct mr_buf text = {0};
    struct mr_trace_lost lost = {0};
    const struct mr_trace_options options = {.block_tok = 64, .format = "mooncake"};
    read_text(&whole, H "{\"nodes\":[{\"n\":1,\"k\":\"llm\",\"in\":192,\"out\":1,"
                        "\"new\":[[5,2],[18446744073709551615,1]]}]}\n"
                        "{\"nodes\":[{\"n\":1,\"k\":\"llm\",\"in\":192,\"out\":1,"
                        "\"new\":[[5,2],[18446744073709551615,1]]}]}\n");
    write_plain(&whole, &text, &lost);
    read_with(&again, text.text, text.n, &options);
    assert_int_equal(again.status, MR_OK);
    const struct mr_session_run *a = again.session[0].run, *b = again.session[1].run;
    assert_int_equal(again.session[0].n_run, 2);
    assert_true(a[0].n == 2 && b[0].n == 2 && a[1].n == 1 && b[1].n == 1);
    assert_true(a[0].id != b[0].id && a[1].id != b[1].id && a[0].id != a[1].id);
    close_whole(&whole);
    close_whole(&again);
    mr_buf_fini(&text);
}

MR_TEST(agentic_first_version)
{
    struct whole whole;
    read_text(&whole,
              "{\"request_id\":\"a\",\"timestamp\":1000,\"input_length\":512,\"output_length\":5,"
              "\"hash_ids\":[1]}\n"
              "{\"request_id\":\"b\",\"wait_for\":[\"a\"],\"delay\":50,\"tool_wait_ms\":2000,"
              "\"input_length\":1024,\"output_length\":5,\"hash_ids\":[1,2],"
              "\"prefix_reset\":false,\"tool_events\":[{\"tool_call_id\":\"x\",\"tool_class\":"
              "\"git\",\"duration_ms\":5},{\"tool_class\":\"\"},{\"tool_class\":\"test\","
              "\"duration_ms\":2000}]}\n");
    assert_string_equal(mr_trace_format_name(whole.trace), "agentic_mooncake1");
    assert_int_equal(whole.n, 1);
    const struct mr_session *s = &whole.session[0];
    assert_true(s->head.arrival_s == 1);
    assert_int_equal(s->n_node, 3);
    assert_true(s->tool[0].wall_s == 2);
    assert_string_equal(mr_intern_text(&mr_trace_book(whole.trace)->class, s->tool[0].class),
                        "test");
    mr_assert_contains(mr_session_text(s, s->llm[1].extra), "\"tool_call_id\":\"x\"");
    assert_true(s->after[s->node[2].after].delay_s == 0.05);
    assert_int_equal(s->llm[1].keep, 1);
    check_native(&whole);
    close_whole(&whole);
}

MR_TEST(bailian_chats)
{
    struct whole whole;
    read_text(&whole, "{\"chat_id\":11,\"parent_chat_id\":-1,\"timestamp\":1.5,\"input_length\":40,"
                      "\"output_length\":8,\"type\":\"text\",\"turn\":1,\"hash_ids\":[1,2,3]}\n"
                      "{\"chat_id\":12,\"parent_chat_id\":-1,\"timestamp\":2,\"input_length\":16,"
                      "\"output_length\":8,\"type\":\"text\",\"turn\":1,\"hash_ids\":[4]}\n"
                      "{\"chat_id\":13,\"parent_chat_id\":11,\"timestamp\":9.5,\"input_length\":60,"
                      "\"output_length\":8,\"type\":\"text\",\"turn\":2,\"hash_ids\":[1,2,3,5]}\n"
                      "{\"chat_id\":14,\"parent_chat_id\":9,\"timestamp\":9.5,\"input_length\":16,"
                      "\"output_length\":8,\"type\":\"text\",\"turn\":2,\"hash_ids\":[4]}\n");
    assert_string_equal(mr_trace_format_name(whole.trace), "bailian");
    assert_int_equal(whole.n, 3);
    assert_int_equal(whole.session[0].n_llm, 2);
    assert_int_equal(whole.session[0].llm[1].keep, 3);
    assert_true(whole.session[0].think[0].s == 8);
    assert_int_equal(mr_trace_counted(whole.trace)->orphan, 1);
    check_native(&whole);
    close_whole(&whole);
}

MR_TEST(every_failing_allocation)
{
    mr_test_every_nomem(read_all, (char *)(uintptr_t)agentic2);
}

MR_TEST_MAIN(MR_TEST_ENTRY(mooncake_rows_and_sessions), MR_TEST_ENTRY(strict_priority),
             MR_TEST_ENTRY(mooncake_delta), MR_TEST_ENTRY(agentic_there_and_back),
             MR_TEST_ENTRY(agentic_folds_tools), MR_TEST_ENTRY(agentic_keeps_arrivals),
             MR_TEST_ENTRY(agentic_plays_and_source), MR_TEST_ENTRY(mooncake_there_and_back),
             MR_TEST_ENTRY(mooncake_of_agents), MR_TEST_ENTRY(mooncake_of_local_ids),
             MR_TEST_ENTRY(agentic_first_version), MR_TEST_ENTRY(bailian_chats),
             MR_TEST_ENTRY(every_failing_allocation))
