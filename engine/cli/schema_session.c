/* SPDX-License-Identifier: Apache-2.0 */
/* Keys come from the reader's own lists; the example is read by a test. */
#include "engine/cli/schema_session.h"

#include "engine/base/jsonw.h"
#include "engine/cli/man.h"
#include "engine/work/trace_native_keys.h"

static const char *const form =
    "JSON Lines, gzip or not: a header, then a session on each line. Times are in milliseconds. "
    "millrace trace convert writes it from any other form that millrace reads, millrace trace "
    "generate draws it, <agents file=\"...\"> of a scenario plays it.";

/* A call, two tools at once, a sub-agent that joins, a pause and a last call. */
static const char *const example[] = {
    "{\"schema\":\"millrace.session\",\"version\":1,\"time_base\":\"ms\",\"block_size\":64,"
    "\"hash_scope\":\"local\",\"models\":{\"main\":\"DeepSeek-R1\"}}",
    "{\"id\":\"s1\",\"arrival_ms\":0,\"nodes\":["
    "{\"n\":1,\"k\":\"llm\",\"in\":6400,\"out\":200,\"keep\":0,\"new\":[[1,100]]},"
    "{\"n\":2,\"k\":\"tool\",\"class\":\"test\",\"where\":\"cpu\",\"cpu_ms\":3000,\"wall_ms\":4000}"
    ","
    "{\"n\":3,\"k\":\"tool\",\"class\":\"file\",\"where\":\"cpu\",\"cpu_ms\":25,\"wall_ms\":26,"
    "\"after\":[[1,\"c\",0,\"seq\"]]},"
    "{\"n\":4,\"k\":\"llm\",\"lane\":1,\"in\":640,\"out\":90,\"keep\":0,\"new\":[[500,10]],"
    "\"after\":[[1,\"d\",50,\"spawn\"]]},"
    "{\"n\":5,\"k\":\"llm\",\"lane\":0,\"in\":7000,\"out\":150,\"keep\":100,\"new\":[[101,9]],"
    "\"after\":[[2,\"c\",0,\"seq\"],[3,\"c\",0,\"seq\"],[4,\"c\",0,\"join\"]]},"
    "{\"n\":6,\"k\":\"think\",\"ms\":42000},"
    "{\"n\":7,\"k\":\"llm\",\"in\":7700,\"out\":60,\"keep\":109,\"new\":[[110,11]],"
    "\"hints\":{\"session_final\":true}}]}",
};

enum {
    n_line = sizeof example / sizeof *example
};

void mr_schema_session_md(struct mr_buf *out)
{
    const struct mr_trace_native_part *part;
    mr_buf_printf(out, "%s\n\n", form);
    for (size_t i = 0; (part = mr_trace_native_part(i)) != NULL; i++) {
        mr_buf_printf(out, "## %s\n\n%s\n\n| key | nodes | meaning |\n|---|---|---|\n", part->name,
                      part->doc);
        for (size_t k = 0; k < part->n; k++)
            mr_buf_printf(out, "| `%s` | %s | %s |\n", part->key[k].key, part->key[k].kinds,
                          part->key[k].doc);
        mr_buf_char(out, '\n');
    }
    mr_buf_text(out, "## Example\n\n");
    for (size_t i = 0; i < n_line; i++)
        mr_buf_printf(out, "    %s\n", example[i]);
}

void mr_schema_session_man(struct mr_buf *out)
{
    const struct mr_trace_native_part *part;
    mr_man_line(out, ".SH DESCRIPTION\n", form);
    for (size_t i = 0; (part = mr_trace_native_part(i)) != NULL; i++) {
        mr_buf_printf(out, ".SH \"%s\"\n", part->name);
        mr_man_line(out, "", part->doc);
        for (size_t k = 0; k < part->n; k++) {
            mr_man_item(out, part->key[k].key);
            mr_man_line(out, "", part->key[k].doc);
            if (part->key[k].kinds[0] != '\0')
                mr_buf_printf(out, ".br\nof nodes: %s\n", part->key[k].kinds);
        }
    }
    mr_buf_text(out, ".SH EXAMPLE\n.nf\n");
    for (size_t i = 0; i < n_line; i++)
        mr_man_line(out, "", example[i]);
    mr_buf_text(out, ".fi\n");
}

void mr_schema_session_json(struct mr_buf *out)
{
    const struct mr_trace_native_part *part;
    struct mr_jsonw w;
    mr_jsonw_init(&w, out, 2);
    mr_jsonw_object(&w);
    mr_jsonw_key_u64(&w, "schema", 1);
    mr_jsonw_key_text(&w, "kind", "session");
    mr_jsonw_key(&w, "parts");
    mr_jsonw_array(&w);
    for (size_t i = 0; (part = mr_trace_native_part(i)) != NULL; i++) {
        mr_jsonw_object(&w);
        mr_jsonw_key_text(&w, "name", part->name);
        mr_jsonw_key_text(&w, "doc", part->doc);
        mr_jsonw_key(&w, "keys");
        mr_jsonw_array(&w);
        for (size_t k = 0; k < part->n; k++) {
            mr_jsonw_object(&w);
            mr_jsonw_key_text(&w, "key", part->key[k].key);
            mr_jsonw_key_text(&w, "nodes", part->key[k].kinds);
            mr_jsonw_key_text(&w, "doc", part->key[k].doc);
            mr_jsonw_end(&w);
        }
        mr_jsonw_end(&w);
        mr_jsonw_end(&w);
    }
    mr_jsonw_end(&w);
    mr_jsonw_end(&w);
    mr_buf_char(out, '\n');
}
