/* SPDX-License-Identifier: Apache-2.0 */
/* Rows as the public collections write them. A model's path is matched by the longest card id or
 * alias it begins with; a layout that leaves factors blank is completed: packages = tp x dp,
 * experts that are not dealt to groups are cut. Map: fields - names - layouts - a row - the file.
 */
#include "models/measured.h"

#include "engine/base/csv.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "engine/base/sha256.h"
#include "models/memory.h"

#include <math.h>
#include <stdio.h>

static const char *const fate_names[] = {
#define FATE_NAME(name, text, doc) text,
    MR_MEASURED_FATE_LIST(FATE_NAME)
#undef FATE_NAME
};

const char *mr_measured_fate_name(int fate)
{
    return fate_names[fate];
}

/* ---- fields ---- */

/* Counts beyond these are mistakes. */
static const double packages_max = 1e6, tokens_max = 1e7, requests_max = 1e7, drafts_max = 16,
                    blocks_max = 1e12;

struct columns {
    size_t id, system, model, backend, precision, gemm, moe, mode, isl, osl, concurrency, batch;
    size_t ttft, tpot, mtp, accepted, sequences, blocks, protocol, prefill_workers, decode_workers;
    size_t layout[3][5]; /* mixed, prefill, decode: tp, pp, dp, moe_tp, moe_ep */
};

struct reader {
    struct mr_csv *csv;
    struct columns col;
    struct mr_shelf *shelf;
    struct mr_shelf_list llms;
    struct mr_measured *set;
    const char *path;
    const struct mr_software_card *plain; /* defaults: for what fits at all */
};

static size_t first_of(const struct mr_csv *csv, const char *a, const char *b)
{
    const size_t column = mr_csv_find_column(csv, a);
    return column != SIZE_MAX ? column : mr_csv_find_column(csv, b);
}

static mr_status needed(const struct reader *r, size_t column, const char *what, struct mr_err *err)
{
    if (column != SIZE_MAX)
        return MR_OK;
    return mr_err_set(err, MR_SCHEMA, (struct mr_place){r->path, 1, 1}, "no column %s", what);
}

static mr_status find_columns(struct reader *r, struct mr_err *err)
{
    static const char *const before[] = {"", "prefill_", "decode_"};
    static const char *const factors[] = {"tp_size", "pp_size", "attention_dp_size", "moe_tp_size",
                                          "moe_ep_size"};
    struct columns *c = &r->col;
    const struct mr_csv *csv = r->csv;
    *c = (struct columns){.id = mr_csv_find_column(csv, "id"),
                          .system = mr_csv_find_column(csv, "system"),
                          .model = first_of(csv, "model", "model_path"),
                          .backend = mr_csv_find_column(csv, "backend"),
                          .precision = mr_csv_find_column(csv, "precision"),
                          .gemm = mr_csv_find_column(csv, "gemm_quant_mode"),
                          .moe = mr_csv_find_column(csv, "moe_quant_mode"),
                          .mode = mr_csv_find_column(csv, "mode"),
                          .isl = mr_csv_find_column(csv, "isl"),
                          .osl = mr_csv_find_column(csv, "osl"),
                          .concurrency = mr_csv_find_column(csv, "concurrency"),
                          .batch = mr_csv_find_column(csv, "batch_size"),
                          .ttft = first_of(csv, "silicon_ttft_ms", "ttft_ms"),
                          .tpot = first_of(csv, "silicon_tpot_ms", "tpot_ms"),
                          .mtp = mr_csv_find_column(csv, "mtp"),
                          .accepted = mr_csv_find_column(csv, "accepted"),
                          .sequences = mr_csv_find_column(csv, "max_num_seqs"),
                          .blocks = mr_csv_find_column(csv, "num_gpu_blocks"),
                          .protocol = mr_csv_find_column(csv, "protocol"),
                          .prefill_workers = mr_csv_find_column(csv, "prefill_num_workers"),
                          .decode_workers = mr_csv_find_column(csv, "decode_num_workers")};
    for (int k = 0; k < 3; k++)
        for (int f = 0; f < 5; f++) {
            char name[64];
            snprintf(name, sizeof name, "%s%s", before[k], factors[f]);
            c->layout[k][f] = mr_csv_find_column(csv, name);
        }
    MR_TRY(needed(r, c->system, "system", err));
    MR_TRY(needed(r, c->model, "model or model_path", err));
    MR_TRY(needed(r, c->isl, "isl", err));
    MR_TRY(needed(r, c->osl, "osl", err));
    MR_TRY(needed(r, c->ttft, "ttft_ms", err));
    MR_TRY(needed(r, c->tpot, "tpot_ms", err));
    return needed(r, c->concurrency != SIZE_MAX ? c->concurrency : c->batch,
                  "concurrency or batch_size", err);
}

/* What describes a run and changes no prediction. */
static bool is_description(struct mr_str name)
{
    static const char *const names[] = {"set",
                                        "image",
                                        "measured_date",
                                        "backend_version",
                                        "batch_size",
                                        "prefill_batch_size",
                                        "decode_batch_size",
                                        "ttft_ms",
                                        "tpot_ms",
                                        "model_path"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (mr_str_is(name, names[i]))
            return true;
    return false;
}

/* A misspelt column would be ignored in silence. */
static mr_status note_strange(const struct reader *r, struct mr_err *err)
{
    size_t known[sizeof r->col / sizeof(size_t)];
    struct mr_buf names = {0};
    memcpy(known, &r->col, sizeof known);
    if (r->set->strange != NULL)
        mr_buf_text(&names, r->set->strange);
    for (size_t c = 0; c < mr_csv_n_column(r->csv); c++) {
        const struct mr_str name = mr_csv_column_name(r->csv, c);
        size_t k = 0;
        while (k < sizeof known / sizeof *known && known[k] != c)
            k++;
        if (k < sizeof known / sizeof *known || is_description(name))
            continue;
        mr_buf_printf(&names, "%s%.*s", names.n > 0 ? ", " : "", (int)name.n, name.p);
    }
    mr_status st = mr_buf_check(&names, err);
    if (st == MR_OK && names.n > 0) {
        r->set->strange = mr_arena_text(&r->set->arena, (struct mr_str){names.text, names.n}, err);
        st = r->set->strange != NULL ? MR_OK : MR_NOMEM;
    }
    mr_buf_fini(&names);
    return st;
}

static struct mr_str field(const struct reader *r, size_t column)
{
    return column != SIZE_MAX ? mr_str_trim(mr_csv_field(r->csv, column)) : (struct mr_str){"", 0};
}

/* Numbers that may be blank: NaN then. */
static mr_status number(const struct reader *r, size_t column, double *value, struct mr_err *err)
{
    *value = (double)NAN;
    if (field(r, column).n == 0)
        return MR_OK;
    return mr_csv_f64(r->csv, column, value, err);
}

static mr_status keep(const struct reader *r, size_t column, const char **text)
{
    *text = mr_arena_text(&r->set->arena, field(r, column), NULL);
    return *text != NULL ? MR_OK : MR_NOMEM;
}

/* ---- names ---- */

/* Does a model's last path component begin with this name, at a word's end? */
static bool begins(struct mr_str model, struct mr_str name)
{
    if (name.n == 0 || model.n < name.n || memcmp(model.p, name.p, name.n) != 0)
        return false;
    const char next = model.n > name.n ? model.p[name.n] : '\0';
    return !((next >= '0' && next <= '9') || next == '.');
}

static struct mr_str last_component(struct mr_str path)
{
    for (size_t i = path.n; i > 0; i--)
        if (path.p[i - 1] == '/')
            return (struct mr_str){path.p + i, path.n - i};
    return path;
}

/* Length of the longest of the card's names that the model begins with. */
static size_t match(struct mr_str model, const char *id, const char *aliases)
{
    size_t best = begins(model, mr_str_of(id)) ? strlen(id) : 0;
    struct mr_str rest = mr_str_of(aliases != NULL ? aliases : "");
    while (rest.n > 0) {
        size_t n = 0;
        while (n < rest.n && rest.p[n] != ' ')
            n++;
        if (n > best && begins(model, (struct mr_str){rest.p, n}))
            best = n;
        rest = mr_str_trim((struct mr_str){rest.p + n, rest.n - n});
    }
    return best;
}

const struct mr_llm_card *mr_measured_llm(struct mr_shelf *shelf, const struct mr_shelf_list *ids,
                                          struct mr_str model, const char **id)
{
    const struct mr_llm_card *found = NULL;
    struct mr_diags ignored = {0};
    size_t best = 0;
    model = last_component(model);
    for (size_t i = 0; i < ids->n; i++) {
        const struct mr_card *card =
            mr_shelf_card(shelf, &mr_llm_kind, ids->id[i], MR_NOWHERE, &ignored);
        const size_t n = card != NULL ? match(model, card->id, mr_llm_of(card)->aliases) : 0;
        if (n <= best)
            continue;
        best = n;
        found = mr_llm_of(card);
        *id = card->id;
    }
    return found;
}

static void find_gpu(const struct reader *r, struct mr_measured_row *row)
{
    struct mr_diags ignored = {0};
    const struct mr_card *card = mr_shelf_card(r->shelf, &mr_gpu_kind, row->system,
                                               (struct mr_place){r->path, row->line, 1}, &ignored);
    row->gpu = card != NULL ? mr_gpu_of(card) : NULL;
}

/* ---- formats and layouts ---- */

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool begins_with(struct mr_str s, const char *word)
{
    size_t i = 0;
    while (i < s.n && word[i] != '\0' && lower(s.p[i]) == word[i])
        i++;
    return word[i] == '\0';
}

/* Names of formats as files and engines write them; variants of blocks follow ("fp8_block"). */
static const struct {
    const char *name;
    int format;
} format_names[] = {
    {"nvfp4", MR_FORMAT_NVFP4},       {"fp4", MR_FORMAT_NVFP4}, {"mxfp4", MR_FORMAT_MXFP4},
    {"w4a16_mxfp4", MR_FORMAT_MXFP4}, {"fp8", MR_FORMAT_FP8},   {"bf16", MR_FORMAT_BF16},
    {"bfloat16", MR_FORMAT_BF16},     {"fp16", MR_FORMAT_BF16}, {"float16", MR_FORMAT_BF16},
};

int mr_measured_format(struct mr_str name)
{
    for (size_t i = 0; i < sizeof format_names / sizeof *format_names; i++) {
        const size_t n = strlen(format_names[i].name);
        if (begins_with(name, format_names[i].name) && (name.n == n || name.p[n] == '_'))
            return format_names[i].format;
    }
    return -1;
}

/* The format that a copy has in its name, "R1-NVFP4", else that of the LLM's own files. */
static int format_of_files(const struct mr_measured_row *row)
{
    const struct mr_str model = mr_str_of(row->model);
    for (size_t i = 1; i < model.n; i++)
        if (model.p[i - 1] == '-') {
            const int format = mr_measured_format((struct mr_str){model.p + i, model.n - i});
            if (format >= 0)
                return format;
        }
    return row->llm != NULL && row->llm->usual_format < MR_N_FORMAT ? row->llm->usual_format
                                                                    : MR_FORMAT_BF16;
}

static int format_of(struct mr_str mode, struct mr_str precision, const struct mr_measured_row *row)
{
    const struct mr_str said = mode.n > 0 ? mode : precision;
    return said.n > 0 ? mr_measured_format(said) : format_of_files(row);
}

/* Networks that are published in a format keep it; a latent's projections are not cut to four bits.
 */
static void set_formats(const struct reader *r, struct mr_measured_row *row)
{
    const struct mr_str precision = field(r, r->col.precision);
    row->dense_format = format_of(field(r, r->col.gemm), precision, row);
    row->expert_format = format_of(field(r, r->col.moe), precision, row);
    row->kv_element_bytes = row->dense_format == MR_FORMAT_BF16 ? 2 : 1;
    if (row->llm == NULL || row->dense_format < 0 || row->expert_format < 0)
        return;
    if (row->llm->native_dense < MR_N_FORMAT)
        row->dense_format = row->llm->native_dense;
    if (row->llm->native_experts < MR_N_FORMAT)
        row->expert_format = row->llm->native_experts;
    const bool is_latent = row->llm->attention == MR_LLM_ATTENTION_MLA;
    if (is_latent && row->dense_format == MR_FORMAT_NVFP4)
        row->dense_format = MR_FORMAT_FP8;
}

/* Blank, or a whole number from least to most. */
static bool is_count(double x, double least, double most)
{
    return isnan(x) || (x >= least && x <= most && x == floor(x));
}

static mr_status read_layout(const struct reader *r, int which, struct mr_measured_row *row,
                             struct mr_parallel *out, struct mr_err *err)
{
    double v[5];
    for (int f = 0; f < 5; f++) {
        MR_TRY(number(r, r->col.layout[which][f], &v[f], err));
        row->has_counts = row->has_counts && is_count(v[f], 1, packages_max);
        v[f] = is_count(v[f], 1, packages_max) ? v[f] : (double)NAN;
    }
    const bool has_experts = row->llm != NULL && row->llm->n_expert > 0;
    const double tp = isnan(v[0]) ? 1 : v[0], pp = isnan(v[1]) ? 1 : v[1];
    const double moe_tp = isnan(v[3]) ? 1 : v[3], ep = isnan(v[4]) ? 1 : v[4];
    const double experts = has_experts ? moe_tp * ep : 1;
    /* blank: as many copies as the experts' packages ask for */
    const double dp = isnan(v[2]) ? fmax(1, floor(experts / tp)) : v[2];
    const double packages = fmin(fmax(tp * dp, experts), packages_max);
    *out = (struct mr_parallel){.tp = (uint32_t)tp,
                                .dp = (uint32_t)fmax(1, packages / tp),
                                .pp = (uint32_t)pp,
                                .ep = (uint32_t)ep};
    out->moe_tp = (uint32_t)fmax(1, packages / ep);
    return MR_OK;
}

/* ---- rows ---- */

static uint64_t hash_config(const struct mr_measured_row *row)
{
    struct mr_buf text = {0};
    const struct mr_parallel *const of[] = {&row->mixed, &row->prefill, &row->decode};
    mr_buf_printf(&text, "%s %s %s %d %d %d %.0f %.0f %.0f %.0f", row->system,
                  row->llm_id != NULL ? row->llm_id : row->model, row->backend, row->is_split,
                  row->dense_format, row->expert_format, row->input, row->output, row->n_prefill,
                  row->n_decode);
    for (int i = 0; i < 3; i++)
        mr_buf_printf(&text, " %u %u %u %u %u", of[i]->tp, of[i]->dp, of[i]->pp, of[i]->ep,
                      of[i]->moe_tp);
    uint8_t digest[MR_SHA256_BYTES] = {0};
    uint64_t hash;
    if (text.status == MR_OK)
        mr_sha256(text.text, text.n, digest);
    mr_buf_fini(&text);
    memcpy(&hash, digest, sizeof hash);
    return hash;
}

static int fate_of_layout(const struct reader *r, const struct mr_measured_row *row,
                          const struct mr_parallel *parallel)
{
    const struct mr_step_setup setup = {.gpu = row->gpu,
                                        .llm = row->llm,
                                        .software = r->plain,
                                        .parallel = *parallel,
                                        .dense_format = row->dense_format,
                                        .expert_format = row->expert_format,
                                        .kv_element_bytes = row->kv_element_bytes};
    struct mr_memory memory;
    if (mr_step_check(&setup, NULL) != MR_OK)
        return MR_MEASURED_FATE_LAYOUT;
    return mr_memory_of(&setup, 1, 0, &memory, NULL) == MR_OK ? MR_MEASURED_FATE_GOOD
                                                              : MR_MEASURED_FATE_FIT;
}

static bool is_near(double a, double b)
{
    return fabs(a - b) <= 1e-9 * b; /* files print times of one measurement differently */
}

static bool is_same_llm(const struct mr_measured_row *a, const struct mr_measured_row *b)
{
    return a->llm == b->llm && (a->llm != NULL || strcmp(a->model, b->model) == 0);
}

/* An earlier row of the same measurement: collections copy from each other. The shape of the
 * network counts, not the name it is given. */
static struct mr_measured_row *twin_of(const struct mr_measured *set,
                                       const struct mr_measured_row *row)
{
    for (size_t i = 0; i < set->n; i++) {
        struct mr_measured_row *other = &set->row[i];
        if (other->fate != MR_MEASURED_FATE_DUPLICATE && is_near(other->ttft_s, row->ttft_s) &&
            is_near(other->tpot_s, row->tpot_s) && other->is_split == row->is_split &&
            other->input == row->input && other->output == row->output &&
            (other->concurrency == row->concurrency ||
             (isnan(other->concurrency) && isnan(row->concurrency))) &&
            strcmp(other->system, row->system) == 0 && is_same_llm(other, row))
            return other;
    }
    return NULL;
}

/* How much a row says about the run: of twins the one that says most is scored. */
static int says(const struct mr_measured_row *row)
{
    return 2 * (row->fate == MR_MEASURED_FATE_GOOD) + row->knows_workers;
}

/* Of twins one is kept: the first, unless the second says more. */
static void settle_twins(struct mr_measured *set, struct mr_measured_row *row)
{
    struct mr_measured_row *twin = twin_of(set, row);
    if (twin == NULL)
        return;
    if (says(row) <= says(twin)) {
        row->fate = MR_MEASURED_FATE_DUPLICATE;
        return;
    }
    set->n_fate[twin->fate]--;
    twin->fate = MR_MEASURED_FATE_DUPLICATE;
    set->n_fate[twin->fate]++;
}

static int fate_of(const struct reader *r, const struct mr_measured_row *row)
{
    if (row->llm == NULL)
        return MR_MEASURED_FATE_NO_LLM;
    if (row->gpu == NULL)
        return MR_MEASURED_FATE_NO_GPU;
    if (isnan(row->concurrency))
        return MR_MEASURED_FATE_NO_LOAD;
    if (!row->has_counts)
        return MR_MEASURED_FATE_COUNT;
    if (row->dense_format < 0 || row->expert_format < 0)
        return MR_MEASURED_FATE_FORMAT;
    if (row->llm->context_max > 0 && row->input + row->output > (double)row->llm->context_max)
        return MR_MEASURED_FATE_LONG;
    if (!row->is_split)
        return fate_of_layout(r, row, &row->mixed);
    const int prefill = fate_of_layout(r, row, &row->prefill);
    return prefill != MR_MEASURED_FATE_GOOD ? prefill : fate_of_layout(r, row, &row->decode);
}

static mr_status positive(const struct reader *r, size_t column, double *value, struct mr_err *err)
{
    MR_TRY(mr_csv_f64(r->csv, column, value, err));
    if (*value > 0 && isfinite(*value))
        return MR_OK;
    return mr_csv_error(r->csv, column, err, MR_RANGE, "must be above 0");
}

static mr_status read_row(const struct reader *r, struct mr_measured_row *row, struct mr_err *err)
{
    const struct columns *c = &r->col;
    double concurrency, batch, drafts, accepted, sequences, blocks, n_prefill, n_decode;
    row->line = mr_csv_place(r->csv, 0).line;
    MR_TRY(keep(r, c->id, &row->id));
    MR_TRY(keep(r, c->system, &row->system));
    MR_TRY(keep(r, c->model, &row->model));
    MR_TRY(keep(r, c->backend, &row->backend));
    MR_TRY(mr_csv_f64(r->csv, c->isl, &row->input, err));
    MR_TRY(mr_csv_f64(r->csv, c->osl, &row->output, err));
    MR_TRY(positive(r, c->ttft, &row->ttft_s, err));
    MR_TRY(positive(r, c->tpot, &row->tpot_s, err));
    MR_TRY(number(r, c->concurrency, &concurrency, err));
    MR_TRY(number(r, c->batch, &batch, err));
    MR_TRY(number(r, c->mtp, &drafts, err));
    MR_TRY(number(r, c->accepted, &accepted, err));
    MR_TRY(number(r, c->sequences, &sequences, err));
    MR_TRY(number(r, c->blocks, &blocks, err));
    row->protocol = mr_steady_protocol_find(field(r, c->protocol));
    if (row->protocol < 0)
        return mr_csv_error(r->csv, c->protocol, err, MR_RANGE,
                            "must be closed, burst, poisson or blank");
    MR_TRY(number(r, c->prefill_workers, &n_prefill, err));
    MR_TRY(number(r, c->decode_workers, &n_decode, err));
    row->ttft_s *= 1e-3;
    row->tpot_s *= 1e-3;
    row->concurrency = isnan(concurrency) ? batch : concurrency;
    row->has_counts =
        (isnan(row->concurrency) || (row->concurrency > 0 && row->concurrency <= requests_max)) &&
        row->input >= 1 && row->input <= tokens_max && row->output >= 1 &&
        row->output <= tokens_max && is_count(drafts, 0, drafts_max) &&
        is_count(sequences, 1, requests_max) && is_count(blocks, 1, blocks_max) &&
        (isnan(accepted) || (drafts >= 0 && accepted >= 1 && accepted <= drafts + 1)) &&
        is_count(n_prefill, 1, packages_max) && is_count(n_decode, 1, packages_max);
    row->knows_drafts = drafts >= 0 && drafts <= drafts_max;
    row->n_draft = row->knows_drafts ? (uint32_t)drafts : 0;
    row->n_sequence_max = sequences >= 1 ? sequences : 0;
    row->accepted = row->has_counts && accepted >= 1 ? accepted : 0;
    row->n_block = row->has_counts && blocks >= 1 ? (uint64_t)blocks : 0;
    const struct mr_str mode = field(r, c->mode);
    row->is_split = mr_str_is(mode, "disagg");
    if (!row->is_split && mode.n > 0 && !mr_str_is(mode, "agg"))
        return mr_csv_error(r->csv, c->mode, err, MR_RANGE, "must be agg, disagg or blank");
    row->knows_workers = n_prefill >= 1 && n_decode >= 1;
    row->n_prefill = row->knows_workers ? n_prefill : 1;
    row->n_decode = row->knows_workers ? n_decode : 1;
    row->llm = mr_measured_llm(r->shelf, &r->llms, mr_str_of(row->model), &row->llm_id);
    find_gpu(r, row);
    set_formats(r, row);
    MR_TRY(read_layout(r, 0, row, &row->mixed, err));
    MR_TRY(read_layout(r, 1, row, &row->prefill, err));
    MR_TRY(read_layout(r, 2, row, &row->decode, err));
    row->config = hash_config(row);
    return MR_OK;
}

static mr_status read_rows(struct reader *r, struct mr_err *err)
{
    struct mr_measured *set = r->set;
    for (;;) {
        bool has_row;
        struct mr_measured_row row = {0};
        MR_TRY(mr_csv_next(r->csv, &has_row, err));
        if (!has_row)
            return MR_OK;
        MR_TRY(read_row(r, &row, err));
        row.fate = fate_of(r, &row);
        settle_twins(set, &row);
        MR_TRY(mr_grow(&set->row, &set->cap, set->n + 1, sizeof *set->row, err));
        set->row[set->n++] = row;
        set->n_fate[row.fate]++;
    }
}

mr_status mr_measured_no_rows(const char *path, struct mr_err *err)
{
    return mr_err_set(err, MR_SCHEMA, (struct mr_place){path, 0, 0},
                      "a header without rows: nothing is measured");
}

mr_status mr_measured_read(const char *path, struct mr_shelf *shelf, struct mr_measured *set,
                           struct mr_err *err)
{
    struct mr_software_card plain;
    struct reader r = {.shelf = shelf, .set = set, .path = path, .plain = &plain};
    mr_software_defaults(&plain);
    mr_status st = mr_shelf_list_add(&r.llms, &mr_llm_kind, NULL, err);
    if (st == MR_OK)
        st = mr_csv_open(path, NULL, &r.csv, err);
    if (st == MR_OK)
        st = find_columns(&r, err);
    if (st == MR_OK)
        st = note_strange(&r, err);
    const size_t n_before = set->n;
    if (st == MR_OK)
        st = read_rows(&r, err);
    if (st == MR_OK && set->n == n_before)
        st = mr_measured_no_rows(path, err);
    mr_csv_close(r.csv);
    mr_shelf_list_fini(&r.llms);
    return st;
}

void mr_measured_fini(struct mr_measured *set)
{
    mr_free(set->row);
    mr_arena_fini(&set->arena);
    *set = (struct mr_measured){0};
}
