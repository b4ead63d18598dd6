/* SPDX-License-Identifier: Apache-2.0 */
/* engine/twin/agents_file: recorded sessions as a script find in a prefix cache what independent
 * counts of the recording found, block for block, at every capacity. */
#include "engine/twin/agents_file.h"

#include "engine/serve/cache.h"
#include "tests/test.h"

static const char sample[] = "agentic/packed_ci_sample.jsonl";

static void read_sample(uint32_t block_tok, struct mr_script *script)
{
    const struct mr_lower_plan plan = {.block_tok = block_tok, .seed = 1};
    const char *path = mr_test_data(sample);
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    *script = (struct mr_script){0};
    if (path == NULL)
        mr_test_skip("MILLRACE_DATA has no %s", sample);
    assert_int_equal(
        mr_agents_file_read(&(struct mr_agents_file){.path = path}, &plan, script, &diags, &err),
        MR_OK);
}

/* Every call, session after session: what it finds, then all of it is youngest. */
static uint64_t hits_of(const struct mr_script *script, uint32_t capacity, uint64_t *n_block)
{
    struct mr_cache cache;
    struct mr_cache_run *run = calloc(script->run_max + 1, sizeof *run);
    uint64_t hits = 0;
    *n_block = 0;
    assert_int_equal(mr_cache_init(&cache, capacity, NULL), MR_OK);
    for (uint32_t s = 0; s < script->n_session; s++) {
        const struct mr_script_session *session = &script->session[s];
        for (uint32_t i = session->node; i < session->node + session->n_node; i++) {
            if (script->node[i].kind != MR_SCRIPT_LLM)
                continue;
            const struct mr_script_context context = script->context[script->node[i].llm.context];
            struct mr_cache_path path = {.run = run, .n_run = context.n_run};
            struct mr_cache_hold hold;
            for (uint32_t k = 0; k < context.n_run; k++) {
                const struct mr_script_run r = script->run[context.run + k];
                run[k] = (struct mr_cache_run){mr_cache_id(s + 1, r.id), r.n};
                path.n_block += r.n;
            }
            assert_int_equal(mr_cache_acquire(&cache, &path, path.n_block, &hold, NULL), MR_OK);
            hits += hold.n_block;
            *n_block += path.n_block;
            assert_int_equal(mr_cache_extend(&cache, &hold, &path, NULL, NULL), MR_OK);
            (void)mr_cache_release(&cache, &hold);
        }
    }
    mr_cache_fini(&cache);
    free(run);
    return hits;
}

MR_TEST(hits_are_those_of_the_recording)
{
    static const struct {
        uint32_t capacity;
        uint64_t hits;
    } golden[] = {{500, 612530},   {1000, 1098051}, {2000, 1635890},
                  {3000, 1735956}, {5000, 1801579}, {UINT32_MAX, 1802630}};
    struct mr_script script;
    uint64_t n_block;
    read_sample(64, &script);
    assert_int_equal(script.n_session, 32);
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        assert_int_equal(hits_of(&script, golden[i].capacity, &n_block), golden[i].hits);
        assert_int_equal(n_block, 1919128);
    }
    mr_script_fini(&script);
}

MR_TEST(smaller_blocks_find_the_same_tokens)
{
    struct mr_script script;
    uint64_t n_block;
    read_sample(16, &script);
    assert_int_equal(hits_of(&script, UINT32_MAX, &n_block), 4 * 1802630);
    assert_int_equal(n_block, 4 * 1919128);
    mr_script_fini(&script);
}

MR_TEST_MAIN(MR_TEST_ENTRY(hits_are_those_of_the_recording),
             MR_TEST_ENTRY(smaller_blocks_find_the_same_tokens))
