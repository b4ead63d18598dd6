/* SPDX-License-Identifier: Apache-2.0 */
/* What engine/base is measured with: text made here from seeded draws (the same bytes everywhere),
 * the real traces where they are present, and arrays of doubles. Reference loops are the plainest
 * code that looks at the same data: they say what the machine gives for almost nothing. Parts: text
 * jobs and their loops; JSON; CSV; numbers; functions; draws; hashes; the table. */
#include "engine/cli/bench/bench_base.h"

#include "engine/base/assert.h"
#include "engine/base/csv.h"
#include "engine/base/fmath.h"
#include "engine/base/gz.h"
#include "engine/base/json.h"
#include "engine/base/jsonw.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "engine/base/rng.h"
#include "engine/base/sha256.h"
#include "engine/base/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    trace_bytes = 4 << 20, /* made text: larger than any second-level cache */
    file_bytes_max = 64 << 20,
    n_double = 4096, /* 32 KiB: the functions are measured, not the memory */
    number_cap = MR_NUM_CAP
};

/* ---- text jobs ---- */

struct text_job {
    char *bytes; /* what the reader gets; gzip or plain */
    size_t n;
    char *plain_text; /* decoded: what the reference loop looks at */
    size_t n_plain;
};

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* The reference of all parsers: look at every byte once and do nothing with it but add. */
static uint64_t add_bytes(void *data)
{
    const struct text_job *job = data;
    uint64_t sum = 0;
    for (size_t i = 0; i < job->n_plain; i++)
        sum += (unsigned char)job->plain_text[i];
    return sum;
}

static void free_text(void *data)
{
    struct text_job *job = data;
    if (job->plain_text != job->bytes)
        mr_free(job->plain_text);
    mr_free(job->bytes);
    mr_free(job);
}

static struct text_job *new_text(struct mr_bench_job *job, struct mr_err *err)
{
    struct text_job *text = mr_alloc_zero(1, sizeof *text);
    if (text == NULL)
        (void)mr_err_nomem(err, sizeof *text);
    job->data = text;
    return text;
}

static mr_status take_buf(struct mr_bench_job *job, struct mr_buf *take_buf, struct mr_err *err)
{
    struct text_job *text = new_text(job, err);
    const mr_status st = text != NULL ? mr_buf_check(take_buf, err) : MR_NOMEM;
    if (st != MR_OK) {
        mr_buf_fini(take_buf);
        return st;
    }
    text->bytes = text->plain_text = take_buf->text;
    text->n = text->n_plain = take_buf->n;
    job->n_op = text->n_plain;
    return MR_OK;
}

/* Rows shaped like a chat trace: three numbers and a list of block ids. */
static void make_trace(struct mr_buf *buf)
{
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 0);
    uint64_t id = 0;
    for (uint64_t t = 0; buf->n < trace_bytes; t += mr_rng_below(&rng, 3000)) {
        const uint64_t n_block = 1 + mr_rng_below(&rng, 40);
        mr_buf_printf(buf,
                      "{\"timestamp\": %llu, \"input_length\": %llu, \"output_length\": %llu, "
                      "\"hash_ids\": [",
                      (unsigned long long)t, (unsigned long long)(n_block * 512 - 100),
                      (unsigned long long)mr_rng_below(&rng, 900));
        for (uint64_t b = 0; b < n_block; b++)
            mr_buf_printf(buf, "%s%llu", b > 0 ? ", " : "", (unsigned long long)id++);
        mr_buf_text(buf, "]}\n");
    }
}

static mr_status setup_made_json(const struct mr_bench_case *self, struct mr_bench_job *job,
                                 struct mr_err *err)
{
    struct mr_buf buf = {0};
    (void)self;
    make_trace(&buf);
    return take_buf(job, &buf, err);
}

static mr_status setup_made_gzip(const struct mr_bench_case *self, struct mr_bench_job *job,
                                 struct mr_err *err)
{
    void *packed = NULL;
    size_t n = 0;
    MR_TRY(setup_made_json(self, job, err));
    struct text_job *text = job->data;
    MR_TRY(mr_gz_compress(text->plain_text, text->n_plain, 6, &packed, &n, err));
    text->bytes = packed;
    text->n = n;
    return MR_OK;
}

static mr_status setup_csv(const struct mr_bench_case *self, struct mr_bench_job *job,
                           struct mr_err *err)
{
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 1);
    struct mr_buf buf = {0};
    (void)self;
    mr_buf_text(&buf, "time_s,input,output,rate\n");
    for (uint64_t t = 0; buf.n < trace_bytes; t++) {
        char rate[MR_NUM_CAP];
        mr_num_format_f64(mr_rng_f64(&rng), rate);
        mr_buf_printf(&buf, "%llu.25,%llu,%llu,%s\n", (unsigned long long)t,
                      (unsigned long long)mr_rng_below(&rng, 100000),
                      (unsigned long long)mr_rng_below(&rng, 1000), rate);
    }
    return take_buf(job, &buf, err);
}

/* A real file, as it is (gzip stays gzip), with its decoded text for the reference loop. */
static mr_status setup_file(const struct mr_bench_case *self, struct mr_bench_job *job,
                            struct mr_err *err)
{
    const char *root = getenv("MILLRACE_DATA");
    struct mr_buf path = {0};
    mr_buf_printf(&path, "%s/%s", root != NULL && root[0] != '\0' ? root : "../shared/data",
                  self->file);
    MR_TRY(mr_buf_check(&path, err));
    struct mr_gz *gz = NULL;
    struct mr_err absent = {0};
    mr_status st = mr_gz_open(path.text, &gz, &absent);
    if (st == MR_IO) {
        snprintf(job->skipped, sizeof job->skipped, "%.120s: not found (MILLRACE_DATA)", path.text);
        mr_buf_fini(&path);
        return MR_OK;
    }
    struct text_job *text = st == MR_OK ? new_text(job, err) : NULL;
    if (text != NULL) {
        const bool is_compressed = mr_gz_is_compressed(gz);
        st = mr_gz_read_all(gz, file_bytes_max, &text->plain_text, &text->n_plain, err);
        job->n_op = text->n_plain;
        text->bytes = text->plain_text;
        text->n = text->n_plain;
        if (st == MR_OK && is_compressed) {
            void *packed = NULL;
            text->bytes = NULL;
            st = mr_gz_compress(text->plain_text, text->n_plain, 6, &packed, &text->n, err);
            text->bytes = packed;
        }
    } else if (st == MR_OK) {
        st = MR_NOMEM;
    }
    mr_gz_close(gz);
    mr_buf_fini(&path);
    return st;
}

/* ---- JSON ---- */

/* Every value of every document is looked at: numbers are converted, texts are unescaped; lists of
 * block ids go the way a session reader takes, in bulk. */
static mr_status read_json(const struct text_job *job, uint64_t *sum, struct mr_err *err)
{
    struct mr_json *r;
    uint64_t *id = NULL;
    size_t cap = 0;
    MR_TRY(mr_json_open_memory(job->bytes, job->n, "bench", NULL, &r, err));
    mr_status st = MR_OK;
    enum mr_json_token token = MR_JSON_NULL;
    while (st == MR_OK && token != MR_JSON_END) {
        st = mr_json_next(r, &token, err);
        if (st == MR_OK && token == MR_JSON_NUMBER) {
            double value = 0;
            st = mr_num_parse_f64(mr_json_text(r), &value);
            *sum += bits_of(value);
        } else if (st == MR_OK && token == MR_JSON_STRING) {
            *sum += mr_json_text(r).n;
        } else if (st == MR_OK && token == MR_JSON_KEY && mr_str_is(mr_json_text(r), "hash_ids")) {
            size_t n = 0;
            st = mr_json_u64_array(r, &id, &cap, &n, err);
            for (size_t i = 0; st == MR_OK && i < n; i++)
                *sum += id[i];
        }
    }
    mr_free(id);
    mr_json_close(r);
    return st;
}

static uint64_t work_json(void *data)
{
    uint64_t sum = 0;
    struct mr_err err = {0};
    const mr_status st = read_json(data, &sum, &err);
    MR_ASSERT(st == MR_OK);
    return sum;
}

/* A trace reader knows what it wants: typed reads, bulk arrays of ids. */
static mr_status read_trace(const struct text_job *job, uint64_t *sum, struct mr_err *err)
{
    struct mr_json *r;
    uint64_t *id = NULL;
    size_t cap = 0;
    bool has_document, has_key;
    MR_TRY(mr_json_open_memory(job->bytes, job->n, "bench", NULL, &r, err));
    mr_status st = mr_json_document(r, &has_document, err);
    while (st == MR_OK && has_document) {
        struct mr_str key;
        st = mr_json_enter_object(r, err);
        if (st == MR_OK)
            st = mr_json_key(r, &key, &has_key, err);
        while (st == MR_OK && has_key) {
            if (mr_str_is(key, "hash_ids")) {
                size_t n = 0;
                st = mr_json_u64_array(r, &id, &cap, &n, err);
                for (size_t i = 0; st == MR_OK && i < n; i++)
                    *sum += id[i];
            } else {
                uint64_t value = 0;
                st = mr_json_u64(r, &value, err);
                *sum += value;
            }
            if (st == MR_OK)
                st = mr_json_key(r, &key, &has_key, err);
        }
        if (st == MR_OK)
            st = mr_json_document(r, &has_document, err);
    }
    mr_free(id);
    mr_json_close(r);
    return st;
}

static uint64_t work_trace(void *data)
{
    uint64_t sum = 0;
    struct mr_err err = {0};
    const mr_status st = read_trace(data, &sum, &err);
    MR_ASSERT(st == MR_OK);
    return sum;
}

/* ---- CSV ---- */

static mr_status read_csv(const struct text_job *job, uint64_t *sum, struct mr_err *err)
{
    struct mr_gz *gz;
    struct mr_csv *csv;
    MR_TRY(mr_gz_open_memory(job->bytes, job->n, "bench", &gz, err));
    MR_TRY(mr_csv_create(gz, NULL, &csv, err));
    mr_status st = MR_OK;
    bool has_row = true;
    while (st == MR_OK && has_row) {
        st = mr_csv_next(csv, &has_row, err);
        for (size_t i = 0; st == MR_OK && has_row && i < mr_csv_n_field(csv); i++) {
            double value = 0;
            st = mr_csv_f64(csv, i, &value, err);
            *sum += bits_of(value);
        }
    }
    mr_csv_close(csv);
    return st;
}

static uint64_t work_csv(void *data)
{
    uint64_t sum = 0;
    struct mr_err err = {0};
    const mr_status st = read_csv(data, &sum, &err);
    MR_ASSERT(st == MR_OK);
    return sum;
}

/* ---- arrays of doubles: functions, numbers as text ---- */

struct array_job {
    double x[n_double], y[n_double];
    char text[n_double][number_cap];
    size_t n_text[n_double];
    struct mr_rng rng;
};

static struct array_job *new_array(struct mr_bench_job *job, struct mr_err *err)
{
    struct array_job *array = mr_alloc_zero(1, sizeof *array);
    if (array == NULL)
        (void)mr_err_nomem(err, sizeof *array);
    job->data = array;
    job->n_op = n_double;
    return array;
}

/* Arguments a thermal or power model sees: exponents of a few time constants, positive bases. */
static mr_status setup_array(const struct mr_bench_case *self, struct mr_bench_job *job,
                             struct mr_err *err)
{
    struct array_job *array = new_array(job, err);
    (void)self;
    if (array == NULL)
        return MR_NOMEM;
    array->rng = mr_rng_stream(1, MR_RNG_TEST, 2);
    for (size_t i = 0; i < n_double; i++) {
        array->x[i] = mr_rng_range(&array->rng, 0.01, 20);
        array->y[i] = mr_rng_range(&array->rng, -4, 0);
        array->n_text[i] = mr_num_format_f64(array->x[i], array->text[i]);
    }
    return MR_OK;
}

static void free_array(void *data)
{
    mr_free(data);
}

/* Sum a function of (x, y) over the array: one loop body for ours and for libm's. */
#define ARRAY_LOOP(name, expression)               \
    static uint64_t name(void *data)               \
    {                                              \
        const struct array_job *a = data;          \
        double sum = 0;                            \
        for (size_t i = 0; i < n_double; i++) {    \
            const double x = a->x[i], y = a->y[i]; \
            (void)x;                               \
            (void)y;                               \
            sum += (expression);                   \
        }                                          \
        return bits_of(sum);                       \
    }

ARRAY_LOOP(work_exp, mr_exp(y))
ARRAY_LOOP(plain_exp, exp(y))
ARRAY_LOOP(work_expm1, mr_expm1(y))
ARRAY_LOOP(plain_expm1, expm1(y))
ARRAY_LOOP(work_log, mr_log(x))
ARRAY_LOOP(plain_log, log(x))
ARRAY_LOOP(work_pow, mr_pow(x, y))
ARRAY_LOOP(plain_pow, pow(x, y))

static uint64_t work_num_read(void *data)
{
    const struct array_job *a = data;
    uint64_t sum = 0;
    for (size_t i = 0; i < n_double; i++) {
        double value = 0;
        if (mr_num_scan_f64(a->text[i], a->n_text[i], &value) > 0)
            sum += bits_of(value);
    }
    return sum;
}

static uint64_t plain_num_read(void *data)
{
    const struct array_job *a = data;
    uint64_t sum = 0;
    for (size_t i = 0; i < n_double; i++)
        for (size_t c = 0; c < a->n_text[i]; c++)
            sum = sum * 10 + (uint64_t)(unsigned char)a->text[i][c];
    return sum;
}

static uint64_t work_num_write(void *data)
{
    const struct array_job *a = data;
    uint64_t sum = 0;
    for (size_t i = 0; i < n_double; i++) {
        char text[MR_NUM_CAP];
        sum += mr_num_format_f64(a->x[i], text) + (unsigned char)text[0];
    }
    return sum;
}

static uint64_t plain_num_write(void *data)
{
    const struct array_job *a = data;
    uint64_t sum = 0;
    for (size_t i = 0; i < n_double; i++) {
        char text[MR_NUM_CAP];
        sum += (uint64_t)snprintf(text, sizeof text, "%.17g", a->x[i]) + (unsigned char)text[0];
    }
    return sum;
}

static uint64_t work_unit_read(void *data)
{
    static const char *const texts[] = {"1.8 TB/s", "45 degC", "600 kW", "12 L/min"};
    static const enum mr_quantity quantities[] = {MR_Q_DATA_RATE, MR_Q_TEMPERATURE, MR_Q_POWER,
                                                  MR_Q_VOLUME_FLOW};
    uint64_t sum = 0;
    (void)data;
    for (size_t i = 0; i < n_double; i++) {
        double value = 0;
        const mr_status st = mr_unit_parse(mr_str_of(texts[i % 4]), quantities[i % 4], "bench",
                                           MR_NOWHERE, &value, NULL);
        MR_ASSERT(st == MR_OK);
        sum += bits_of(value);
    }
    return sum;
}

/* ---- draws ---- */

static uint64_t work_rng(void *data)
{
    struct array_job *a = data;
    uint64_t sum = 0;
    struct mr_rng rng = a->rng;
    for (size_t i = 0; i < n_double; i++)
        sum += mr_rng_u64(&rng);
    return sum;
}

static uint64_t work_normal(void *data)
{
    struct array_job *a = data;
    double sum = 0;
    struct mr_rng rng = a->rng;
    for (size_t i = 0; i < n_double; i++)
        sum += mr_rng_normal(&rng);
    return bits_of(sum);
}

/* splitmix64: the least a generator can do */
static uint64_t plain_rng(void *data)
{
    uint64_t sum = 0, state = bits_of(((struct array_job *)data)->x[0]);
    for (size_t i = 0; i < n_double; i++) {
        uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        sum += z ^ (z >> 31);
    }
    return sum;
}

/* ---- hashes ---- */

static uint64_t work_sha256(void *data)
{
    const struct text_job *job = data;
    uint8_t digest[MR_SHA256_BYTES];
    uint64_t sum;
    mr_sha256(job->plain_text, job->n_plain, digest);
    memcpy(&sum, digest, sizeof sum);
    return sum;
}

// clang-format off
#define TEXT_CASE(name_, work_, setup_, file_) \
    {.name = (name_), .op = "byte", .reference = "adding the bytes", .setup = (setup_), .work = (work_), \
     .plain = add_bytes, .teardown = free_text, .file = (file_)}
#define ARRAY_CASE(name_, op_, work_, plain_, reference_) \
    {.name = (name_), .op = (op_), .reference = (reference_), .setup = setup_array, .work = (work_), \
     .plain = (plain_), .teardown = free_array}

static const struct mr_bench_case cases[] = {
    TEXT_CASE("base/json_mixed", work_json, setup_made_json, NULL),
    TEXT_CASE("base/json_trace", work_trace, setup_made_json, NULL),
    TEXT_CASE("base/json_trace_gzip", work_trace, setup_made_gzip, NULL),
    TEXT_CASE("base/json_mooncake_gzip", work_trace, setup_file, "mooncake/conversation_trace.jsonl.gz"),
    TEXT_CASE("base/json_agentic", work_json, setup_file, "agentic/packed_ci_sample.jsonl"),
    TEXT_CASE("base/json_agentic_gzip", work_json, setup_file, "agentic/packed_dedup.jsonl.gz"),
    TEXT_CASE("base/json_session", work_json, setup_file, "agentic/raw/trace_0295_excerpt.json"),
    TEXT_CASE("base/csv", work_csv, setup_csv, NULL),
    TEXT_CASE("base/sha256", work_sha256, setup_made_json, NULL),
    ARRAY_CASE("base/num_read", "number", work_num_read, plain_num_read, "a digit loop, integers only"),
    ARRAY_CASE("base/num_write", "number", work_num_write, plain_num_write, "printf %.17g"),
    ARRAY_CASE("base/unit_read", "value", work_unit_read, plain_num_read, "a digit loop, integers only"),
    ARRAY_CASE("base/exp", "call", work_exp, plain_exp, "libm"),
    ARRAY_CASE("base/expm1", "call", work_expm1, plain_expm1, "libm"),
    ARRAY_CASE("base/log", "call", work_log, plain_log, "libm"),
    ARRAY_CASE("base/pow", "call", work_pow, plain_pow, "libm"),
    ARRAY_CASE("base/rng_u64", "draw", work_rng, plain_rng, "splitmix64"),
    ARRAY_CASE("base/rng_normal", "draw", work_normal, plain_rng, "splitmix64"),
};
// clang-format on

const struct mr_bench_group mr_bench_base_group = {cases, sizeof cases / sizeof *cases};
