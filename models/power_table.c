/* SPDX-License-Identifier: Apache-2.0 */
/* Measured operators. Three things stand between a row and the package's power.
 *
 * The run. The collector (aiconfigurator, collector/helper.py and trtllm/collect_*.py) times one
 * call from the host, then replays it for 0.3 s (calls below 0.1 ms) or 1 s of such calls, 6 to
 * 3,000 times; a replay of a matrix product holds 1 to 5 copies of the weights, enough to exceed
 * the L2 cache. Captured in a graph, calls are faster than the host was: a kernel of 10 us runs for
 * 30 ms in all.
 *
 * The sensor. It is read when the run starts and every 0.1 s from then on, and follows power with a
 * time constant: R' = (P - R) / tau. A run below 0.1 s has one reading, taken when it starts, of
 * what ran before it. Between two runs lies a gap in which operands are made (longer for quantized
 * weights and generated kernels). So, with x = P - idle, D the run, G the gap:
 *   start  r0 = e^(-G/tau) (0.85 end of the row before + 0.15 own end if it ran forever in turn)
 *   mean   x - (x - r0) sum_i e^(-0.1 i / tau) / count         end = x - (x - r0) e^(-D/tau)
 * The row before in the file stands for the run before on that package: files are subsets of what
 * eight packages took in turn, which is why it is not all of it.
 *
 * The operator. FLOPs and bytes from its shape (quantized products read and write their inputs once
 * more; the decode cache of these runs holds one tensor for keys and values: counted twice, rows
 * would exceed the memory's bandwidth by 1.7). Attention keeps the ordinary cores busy
 * (exponentials), which draws beyond what matrix products do, as far as there are blocks for them.
 * Governors hold the mean a little below the limit.
 *
 * Fitted to the B200 tables of data/op_power: gaps and the card's energies on the rows that are not
 * held out. The rest (the form of all this, the sensor's constant and its 0.85, attention's draw,
 * energy per byte) was chosen with all rows in view, so held-out rows test the fit, not the form.
 * The longest gap is a bound: beyond a second the sensor has forgotten either way.
 * Map: kinds - columns - rows - file - prediction - scores.
 */
#include "models/power_table.h"

#include "engine/base/csv.h"
#include "engine/base/fmath.h"
#include "engine/base/mem.h"
#include "models/measured.h"

#include <math.h>
#include <stdlib.h>

/* the collector's run */
static const double call_s = 30e-6; /* launching one operator from the host */
static const double short_call_s = 1e-4, short_run_s = 0.3, long_run_s = 1;
static const double replay_min = 6, replay_max = 3000, copy_max = 5;

/* the sensor */
static const double sample_s = 0.1, sensor_s = 0.5, neighbor_frac = 0.85;

/* B200 */
static const double l2_bytes = 132644864, n_core = 148;
static const double attention_w = 320;      /* beyond compute_w, all cores busy */
static const double regulated_frac = 0.985; /* of the limit */

/* tiles of attention kernels */
static const double query_tile = 128, key_tile = 256;

static const double reference_c = 60;

/* ---- kinds ---- */

static const struct {
    const char *op, *type;
    int format;
    double gap_s;
} kinds[] = {
#define KIND_ROW(name, op, type, format, gap_s) {op, type, format, gap_s},
    MR_POWER_TABLE_KINDS(KIND_ROW)
#undef KIND_ROW
};

const char *mr_power_table_op(int kind)
{
    return kinds[kind].op;
}

const char *mr_power_table_type(int kind)
{
    return kinds[kind].type;
}

static bool is_gemm(int kind)
{
    return kind <= MR_POWER_TABLE_GEMM_NVFP4;
}

/* ---- columns ---- */

enum column {
    OP,
    LATENCY,
    POWER,
    LIMIT,
    TYPE,
    M,
    N,
    K,
    BATCH = M,
    INPUT = N,
    STEP = K,
    HEADS,
    KV_HEADS,
    HEAD_DIM,
    WINDOW,
    CACHE_TYPE,
    N_COLUMN
};

struct reader {
    struct mr_csv *csv;
    size_t at[N_COLUMN];
    bool is_attention;
    double value[N_COLUMN];
    double shape[4]; /* of the row before: heads, kv heads, head size, window */
    bool has_row;
};

static mr_status find_columns(struct reader *r, struct mr_err *err)
{
    static const char *const common[] = {"op_name", "latency", "power", "power_limit"};
    static const char *const gemm[] = {"gemm_dtype", "m", "n", "k"};
    static const char *const attention[] = {"attn_dtype", "batch_size",  "isl",
                                            "step",       "num_heads",   "num_key_value_heads",
                                            "head_dim",   "window_size", "kv_cache_dtype"};
    for (size_t i = 0; i < 4; i++)
        MR_TRY(mr_csv_column(r->csv, common[i], &r->at[i], err));
    r->is_attention = mr_csv_find_column(r->csv, gemm[0]) == SIZE_MAX;
    const char *const *name = r->is_attention ? attention : gemm;
    const size_t n = r->is_attention ? sizeof attention / sizeof *attention : 4;
    for (size_t i = 0; i < n; i++)
        MR_TRY(mr_csv_column(r->csv, name[i], &r->at[TYPE + i], err));
    return MR_OK;
}

static mr_status number(struct reader *r, int column, double least, struct mr_err *err)
{
    double *value = &r->value[column];
    MR_TRY(mr_csv_f64(r->csv, r->at[column], value, err));
    if (!(*value >= least && *value <= 1e15))
        return mr_csv_error(r->csv, r->at[column], err, MR_RANGE, "%g: must be %g or more", *value,
                            least);
    return MR_OK;
}

static mr_status kind_of(const struct reader *r, int *kind, struct mr_err *err)
{
    const struct mr_str op = mr_csv_field(r->csv, r->at[OP]);
    const struct mr_str type = mr_csv_field(r->csv, r->at[TYPE]);
    bool is_op = false;
    for (*kind = 0; *kind < MR_POWER_TABLE_N_KIND; ++*kind) {
        if (!mr_str_is(op, kinds[*kind].op) || is_gemm(*kind) == r->is_attention)
            continue;
        is_op = true;
        if (mr_str_is(type, kinds[*kind].type))
            return MR_OK;
    }
    const enum column wrong = is_op ? TYPE : OP;
    const struct mr_str text = is_op ? type : op;
    return mr_csv_error(r->csv, r->at[wrong], err, MR_REF, "no model for \"%.*s\"",
                        (int)(text.n < 60 ? text.n : 60), text.p);
}

/* ---- rows ---- */

static double least_of(double a, double b)
{
    return a < b ? a : b;
}

static double most_of(double a, double b)
{
    return a > b ? a : b;
}

static double weight_bytes(int kind)
{
    switch (kind) {
    case MR_POWER_TABLE_GEMM_BF16:
        return 2;
    case MR_POWER_TABLE_GEMM_NVFP4:
        return 0.5625;
    default:
        return 1;
    }
}

/* How long the collector repeated this row's operator. */
static void set_run(struct mr_power_row *row, double copies)
{
    const double call = copies * most_of(row->latency_s, call_s);
    const double want = floor((call < short_call_s ? short_run_s : long_run_s) / call) + 1;
    const double replays = least_of(most_of(want, replay_min), replay_max);
    row->run_s = replays * copies * row->latency_s;
}

static void set_gemm(const struct reader *r, struct mr_power_row *row)
{
    const double m = r->value[M], n = r->value[N], k = r->value[K], b = weight_bytes(row->kind);
    row->flop = 2 * m * n * k;
    row->memory_bytes = (m * k + k * n) * b + 2 * m * n;
    if (row->kind != MR_POWER_TABLE_GEMM_BF16)
        row->memory_bytes += m * k * (2 + b); /* the pass that quantizes the input */
    row->cores_frac = 1;
    /* the collector counts a weight of NVFP4 as half a byte here */
    const double weights = n * k * (row->kind == MR_POWER_TABLE_GEMM_NVFP4 ? 0.5 : b);
    set_run(row, least_of(ceil(l2_bytes / weights), copy_max));
}

static void set_attention(const struct reader *r, struct mr_power_row *row)
{
    const double *v = r->value, s = v[INPUT], w = v[WINDOW];
    const bool is_fp8_cache = mr_str_is(mr_csv_field(r->csv, r->at[CACHE_TYPE]), "fp8");
    const double kv_bytes = is_fp8_cache ? 1 : 2;
    double pairs, blocks;
    if (row->kind == MR_POWER_TABLE_GENERATION) {
        const double keys = w > 0 ? least_of(s + v[STEP], w) : s + v[STEP];
        pairs = keys;
        blocks = v[KV_HEADS] * ceil(keys / key_tile);
        row->memory_bytes = keys * v[KV_HEADS] * kv_bytes + 4 * v[HEADS];
    } else {
        pairs = w > 0 && w < s ? w * (w + 1) / 2 + (s - w) * w : s * (s + 1) / 2;
        blocks = v[HEADS] * ceil(s / query_tile);
        /* queries and output, keys and values as they come and as they are kept */
        row->memory_bytes = s * (4 * v[HEADS] + v[KV_HEADS] * (4 + 2 * kv_bytes));
    }
    row->flop = 4 * v[BATCH] * v[HEADS] * v[HEAD_DIM] * pairs;
    row->memory_bytes *= v[BATCH] * v[HEAD_DIM];
    row->cores_frac = least_of(1, v[BATCH] * blocks / n_core);
    set_run(row, 1);
}

/* Shapes of one kernel stay together: the split is by what was multiplied, not by row. */
static bool is_held_out(const struct mr_power_row *row, const double *value, int n)
{
    uint64_t h = 0xcbf29ce484222325u + (uint64_t)row->kind;
    for (int i = M; i < n; i++) {
        h ^= (uint64_t)value[i];
        h *= 0x100000001b3u;
        h ^= h >> 29;
    }
    return ((h >> 32) & 1) != 0;
}

static mr_status read_row(struct reader *r, struct mr_power_row *row, struct mr_err *err)
{
    MR_TRY(kind_of(r, &row->kind, err));
    MR_TRY(number(r, LATENCY, 1e-9, err));
    MR_TRY(number(r, POWER, 1e-3, err));
    MR_TRY(number(r, LIMIT, 1e-3, err));
    const int n = r->is_attention ? WINDOW + 1 : K + 1;
    for (int i = M; i < n; i++)
        MR_TRY(number(r, i, r->is_attention && (i == STEP || i == WINDOW) ? 0 : 1, err));
    row->line = mr_csv_place(r->csv, r->at[OP]).line;
    row->latency_s = 1e-3 * r->value[LATENCY];
    row->measured_w = r->value[POWER];
    row->limit_w = r->value[LIMIT];
    row->is_first = !r->has_row;
    if (r->is_attention)
        set_attention(r, row);
    else
        set_gemm(r, row);
    row->is_held_out = is_held_out(row, r->value, n);
    if (row->kind == MR_POWER_TABLE_GENERATION) /* kernels are built per shape */
        for (int i = 0; i < 4; i++)
            row->is_first = row->is_first || r->shape[i] != r->value[HEADS + i];
    for (int i = 0; i < 4; i++)
        r->shape[i] = r->value[HEADS + i];
    r->has_row = true;
    return MR_OK;
}

/* ---- file ---- */

mr_status mr_power_table_read(const char *path, struct mr_power_table *table, struct mr_err *err)
{
    struct reader r = {0};
    MR_TRY(mr_csv_open(path, NULL, &r.csv, err));
    mr_status st = find_columns(&r, err);
    const size_t n_before = table->n;
    while (st == MR_OK) {
        bool has_row = false;
        st = mr_csv_next(r.csv, &has_row, err);
        if (st != MR_OK || !has_row)
            break;
        st = mr_grow(&table->row, &table->cap, table->n + 1, sizeof *table->row, err);
        if (st != MR_OK)
            break;
        table->row[table->n] = (struct mr_power_row){0};
        st = read_row(&r, &table->row[table->n], err);
        if (st == MR_OK)
            table->n++;
    }
    if (st == MR_OK && table->n == n_before)
        st = mr_measured_no_rows(path, err);
    mr_csv_close(r.csv);
    return st;
}

void mr_power_table_fini(struct mr_power_table *table)
{
    mr_free(table->row);
    *table = (struct mr_power_table){0};
}

/* ---- prediction ---- */

static double steady_w(const struct mr_power_row *row, const struct mr_power *power)
{
    struct mr_work work = {.busy_s = row->latency_s * row->cores_frac,
                           .idle_s = row->latency_s * (1 - row->cores_frac),
                           .memory_bytes = row->memory_bytes};
    work.flop[kinds[row->kind].format] = row->flop;
    double w = mr_power_step_w(power, &work, 1, reference_c);
    if (!is_gemm(row->kind))
        w += attention_w * row->cores_frac;
    return least_of(w, regulated_frac * row->limit_w);
}

void mr_power_table_predict(struct mr_power_table *table, const struct mr_power *power)
{
    struct mr_power alone = *power;
    alone.serving_w = 0;
    const double idle_w = mr_power_idle_w(&alone, reference_c);
    const double sample_q = mr_exp(-sample_s / sensor_s);
    double before_w = 0; /* what the sensor said at the end of the run before, over idle */
    for (size_t i = 0; i < table->n; i++) {
        struct mr_power_row *row = &table->row[i];
        row->steady_w = steady_w(row, &alone);
        const double x_w = row->steady_w - idle_w;
        const double run_q = mr_exp(-row->run_s / sensor_s);
        const double gap_q = mr_exp(-kinds[row->kind].gap_s / sensor_s);
        const double own_w = x_w * (1 - run_q) / (1 - run_q * gap_q);
        const double start_w =
            gap_q * (neighbor_frac * (row->is_first ? 0 : before_w) + (1 - neighbor_frac) * own_w);
        const double n = floor(row->run_s / sample_s) + 1;
        const double mean_q = (1 - mr_pow(sample_q, n)) / (n * (1 - sample_q));
        row->reading_w = idle_w + x_w - (x_w - start_w) * mean_q;
        before_w = x_w - (x_w - start_w) * run_q;
    }
}

/* ---- scores ---- */

static bool is_selected(const struct mr_power_row *row, const struct mr_power_select *select)
{
    if (select->op != NULL && strcmp(select->op, kinds[row->kind].op) != 0)
        return false;
    if (select->type != NULL && strcmp(select->type, kinds[row->kind].type) != 0)
        return false;
    if (select->held_out != 0 && row->is_held_out != (select->held_out == 2))
        return false;
    return row->run_s >= select->run_least_s;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

mr_status mr_power_table_score(const struct mr_power_table *table,
                               const struct mr_power_select *select, struct mr_power_score *score,
                               struct mr_err *err)
{
    *score = (struct mr_power_score){0};
    double *error = mr_alloc(table->n, sizeof *error);
    if (error == NULL)
        return mr_err_nomem(err, table->n * sizeof *error);
    size_t n = 0;
    for (size_t i = 0; i < table->n; i++) {
        const struct mr_power_row *row = &table->row[i];
        if (!is_selected(row, select))
            continue;
        const double predicted_w = select->is_steady ? row->steady_w : row->reading_w;
        const double e = predicted_w / row->measured_w - 1;
        score->bias += e;
        error[n++] = fabs(e);
    }
    score->n = n;
    if (n > 0) {
        qsort(error, n, sizeof *error, by_size); /* equal values are the same value */
        for (size_t i = 0; i < n; i++)
            score->mean += error[i];
        score->mean /= (double)n;
        score->bias /= (double)n;
        score->median = 0.5 * (error[(n - 1) / 2] + error[n / 2]);
        score->p90 = error[(size_t)(0.9 * (double)(n - 1) + 0.5)];
    }
    mr_free(error);
    return MR_OK;
}
