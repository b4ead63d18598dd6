/* SPDX-License-Identifier: Apache-2.0 */
/* engine/base/shelf: cards by id, told once when missing, lists over several folders. */
#include "engine/base/shelf.h"

#include "tests/test.h"

#include <sys/stat.h>

struct fan {
    double power_w;
};

static const struct mr_param rows[] = {
    MR_PARAM(struct fan, power_w, "power", MR_Q_POWER, NULL, 0, 1e6, "Power at full speed"),
};
static const struct mr_param_table table = {"fan", "A fan.", rows, 1};

static void refuse_thirteen(const struct mr_card *card, struct mr_diags *diags)
{
    const struct fan *fan = card->object;
    if (fan->power_w == 13)
        mr_card_refuse(card, "power", diags, "%d W bring bad luck", 13);
}

static const struct mr_card_kind kind = {"fan", "air/fans", &table, sizeof(struct fan),
                                         refuse_thirteen};
static const struct mr_card_kind other = {"pump", "pumps", &table, sizeof(struct fan), NULL};

static void write_fan(const char *place, const char *file, const char *id, const char *watt)
{
    char text[256], name[128];
    const int n = snprintf(text, sizeof text,
                           "<fan id=\"%s\" name=\"Fan\">\n <figure name=\"power\" value=\"%s W\" "
                           "confidence=\"press\" source=\"x\"/>\n</fan>\n",
                           id, watt);
    snprintf(name, sizeof name, "%s/air", place);
    mkdir(mr_test_tmp_path(place), 0777);
    mkdir(mr_test_tmp_path(name), 0777);
    snprintf(name, sizeof name, "%s/air/fans", place);
    mkdir(mr_test_tmp_path(name), 0777);
    snprintf(name, sizeof name, "%s/air/fans/%s", place, file);
    mr_test_write(name, text, (size_t)n);
}

/* Two share folders: a has big and odd, b has big (again), small and things that are no cards. */
static void furnish(void)
{
    char folders[1024];
    write_fan("a", "big.xml", "big", "500");
    write_fan("a", "odd.xml", "even", "1");
    write_fan("b", "big.xml", "big", "900");
    write_fan("b", "small.xml", "small", "5");
    write_fan("b", "cursed.xml", "cursed", "13");
    write_fan("b", "small.xml~", "small", "5");
    write_fan("b", ".hidden.xml", "small", "5");
    write_fan("b", ".xml", "small", "5");
    int n = snprintf(folders, sizeof folders, "%s:", mr_test_tmp_path("a"));
    snprintf(folders + n, sizeof folders - (size_t)n, "%s", mr_test_tmp_path("b"));
    setenv("MILLRACE_PATH", folders, 1);
}

static double power(struct mr_shelf *shelf, const char *id, const char *naming_file)
{
    struct mr_diags diags = {0};
    const struct mr_card *card =
        mr_shelf_card(shelf, &kind, id, (struct mr_place){naming_file, 1, 1}, &diags);
    if (card == NULL)
        return (double)NAN;
    const struct fan *fan = card->object;
    return fan->power_w;
}

MR_TEST(the_first_folder_wins_and_is_read_once)
{
    struct mr_shelf *shelf;
    struct mr_err err = {0};
    struct mr_diags diags = {0};
    furnish();
    assert_int_equal(mr_shelf_create(&shelf, &err), MR_OK);
    assert_true(power(shelf, "big", NULL) == 500);
    write_fan("a", "big.xml", "big", "501");
    assert_true(power(shelf, "big", NULL) == 500);
    assert_true(power(shelf, "small", NULL) == 5);
    assert_ptr_equal(mr_shelf_card(shelf, &kind, "small", MR_NOWHERE, &diags),
                     mr_shelf_card(shelf, &kind, "small", MR_NOWHERE, &diags));
    assert_int_equal(diags.n_item, 0);
    mr_shelf_destroy(shelf);
    mr_shelf_destroy(NULL);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(beside_the_naming_file_comes_first)
{
    struct mr_shelf *shelf;
    struct mr_err err = {0};
    char naming[512];
    furnish();
    snprintf(naming, sizeof naming, "%s", mr_test_tmp_path("b/site.xml"));
    assert_int_equal(mr_shelf_create(&shelf, &err), MR_OK);
    assert_true(power(shelf, "big", naming) == 900);
    mr_shelf_destroy(shelf);
}

static void assert_line(const struct mr_diags *diags, size_t i, const char *part)
{
    char line[1024];
    assert_true(i < diags->n_item);
    mr_diag_print(&diags->item[i], line, sizeof line);
    mr_assert_contains(line, part);
}

MR_TEST(what_is_missing_is_told_once_until_forgotten)
{
    struct mr_shelf *shelf;
    struct mr_err err = {0};
    struct mr_diags diags = {0};
    const struct mr_place at = {"hall.xml", 4, 2};
    furnish();
    assert_int_equal(mr_shelf_create(&shelf, &err), MR_OK);
    assert_null(mr_shelf_card(shelf, &kind, "smal", at, &diags));
    assert_null(mr_shelf_card(shelf, &kind, "smal", at, &diags));
    assert_int_equal(diags.n_item, 1);
    assert_line(&diags, 0, "hall.xml:4:2: error: no fan card \"smal\" (did you mean \"small\"?)");
    mr_shelf_forget_misses(shelf);
    assert_null(mr_shelf_card(shelf, &kind, "smal", at, &diags));
    assert_int_equal(diags.n_item, 2);
    assert_null(mr_shelf_card(shelf, &other, "big", at, &diags));
    assert_line(&diags, 2, "no pump card \"big\"");
    /* ids are names, not paths */
    assert_null(mr_shelf_card(shelf, &kind, "../fans/big", at, &diags));
    assert_null(mr_shelf_card(shelf, &kind, "", at, &diags));
    assert_int_equal(diags.n_error, 5);
    mr_shelf_destroy(shelf);
}

MR_TEST(wrong_cards_are_refused_by_their_check)
{
    struct mr_shelf *shelf;
    struct mr_err err = {0};
    struct mr_diags diags = {0};
    furnish();
    assert_int_equal(mr_shelf_create(&shelf, &err), MR_OK);
    assert_null(mr_shelf_card(shelf, &kind, "cursed", MR_NOWHERE, &diags));
    assert_int_equal(diags.first_error, MR_RANGE);
    assert_line(&diags, 0, "/b/air/fans/cursed.xml:2:2: error: fan \"cursed\": power: 13 W bring");
    assert_non_null(mr_shelf_card(shelf, &kind, "odd", MR_NOWHERE, &diags));
    assert_int_equal(diags.n_warning, 1);
    assert_line(&diags, 1, "the card calls itself \"even\"");
    mr_shelf_destroy(shelf);
}

static size_t count(const struct mr_shelf_list *list, const char *id)
{
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++)
        n += strcmp(list->id[i], id) == 0;
    return n;
}

MR_TEST(lists_are_sorted_and_without_duplicates)
{
    static const char *const want[] = {"big", "cursed", "odd", "small"};
    struct mr_shelf_list list = {0};
    struct mr_err err = {0};
    furnish();
    assert_int_equal(mr_shelf_list_add(&list, &kind, NULL, &err), MR_OK);
    assert_int_equal(mr_shelf_list_add(&list, &kind, "x.xml", &err), MR_OK);
    assert_int_equal(mr_shelf_list_add(&list, &other, NULL, &err), MR_OK);
    assert_int_equal(list.n, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(list.id[i], want[i]);
        assert_int_equal(count(&list, want[i]), 1);
    }
    mr_shelf_list_fini(&list);
    assert_int_equal(mr_test_live_allocations(), 0);
}

static mr_status load_and_miss(void *context, struct mr_err *err)
{
    struct mr_shelf *shelf = NULL;
    struct mr_shelf_list list = {0};
    struct mr_diags diags = {0};
    (void)context;
    MR_TRY(mr_shelf_create(&shelf, err));
    mr_status st = mr_shelf_list_add(&list, &kind, NULL, err);
    mr_shelf_list_fini(&list);
    if (st == MR_OK && mr_shelf_card(shelf, &kind, "big", MR_NOWHERE, &diags) == NULL)
        st = diags.first_error;
    if (st == MR_OK && mr_shelf_card(shelf, &kind, "bog", MR_NOWHERE, &diags) == NULL)
        st = diags.first_error == MR_REF ? MR_OK : diags.first_error;
    mr_shelf_destroy(shelf);
    if (st != MR_OK)
        err->status = st;
    return st;
}

MR_TEST(every_failing_allocation)
{
    furnish();
    mr_test_every_nomem(load_and_miss, NULL);
}

MR_TEST_MAIN(MR_TEST_ENTRY(the_first_folder_wins_and_is_read_once),
             MR_TEST_ENTRY(beside_the_naming_file_comes_first),
             MR_TEST_ENTRY(what_is_missing_is_told_once_until_forgotten),
             MR_TEST_ENTRY(wrong_cards_are_refused_by_their_check),
             MR_TEST_ENTRY(lists_are_sorted_and_without_duplicates),
             MR_TEST_ENTRY(every_failing_allocation))
