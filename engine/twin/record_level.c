/* SPDX-License-Identifier: Apache-2.0 */
/* Levels add up: racks bring the site, dies bring racks; calls stand for themselves. */
#include "engine/twin/record_level.h"

#include "engine/base/num.h"
#include "engine/base/text.h"

#include <string.h>

#define LEVEL_ENUM(name, text, doc) LEVEL_##name,
enum level {
    MR_RECORD_LEVEL_LIST(LEVEL_ENUM) N_LEVEL
};
#undef LEVEL_ENUM

static const char *const names[N_LEVEL] = {
#define LEVEL_TEXT(name, text, doc) text,
    MR_RECORD_LEVEL_LIST(LEVEL_TEXT)
#undef LEVEL_TEXT
};

static mr_status refuse(struct mr_str item, struct mr_err *err)
{
    char quoted[MR_QUOTE_CAP];
    struct mr_buf text = {0};
    for (size_t i = 0; i < N_LEVEL; i++)
        mr_buf_printf(&text, "%s%s", i > 0 ? ", " : "", names[i]);
    const mr_status st =
        mr_err_set(err, MR_RANGE, MR_NOWHERE,
                   "record \"%s\": a list of %s, of requests also requests=N or requests=1/N, of "
                   "steps always steps=RACK",
                   mr_text_quote(item, quoted), text.text != NULL ? text.text : "levels");
    mr_buf_fini(&text);
    return st;
}

/* "=N" or "=1/N" behind the name. */
static bool read_share(struct mr_str share, struct mr_record_level *level)
{
    const bool is_one_in = share.n > 2 && memcmp(share.p, "1/", 2) == 0;
    const size_t skipped = is_one_in ? 2 : 0;
    uint64_t n = 0;
    if (mr_num_parse_u64((struct mr_str){share.p + skipped, share.n - skipped}, &n) != MR_OK ||
        n == 0)
        return false;
    *(is_one_in ? &level->one_in_n : &level->n_kept) = n;
    return true;
}

/* Racks are looked up where the site is known. */
static mr_status add_rack(struct mr_str name, struct mr_record_level *level, struct mr_err *err)
{
    for (size_t i = 0; i < level->n_step_rack; i++)
        if (mr_str_eq(level->step_rack[i], name))
            return MR_OK;
    if (level->n_step_rack == MR_RECORD_LEVEL_STEPS)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE, "record: steps of more than %d racks",
                          MR_RECORD_LEVEL_STEPS);
    level->step_rack[level->n_step_rack++] = name;
    return MR_OK;
}

static mr_status add(struct mr_str item, struct mr_record_level *level, struct mr_err *err)
{
    const char *equals = memchr(item.p, '=', item.n);
    const struct mr_str name = {item.p, equals != NULL ? (size_t)(equals - item.p) : item.n};
    size_t i = 0;
    while (i < N_LEVEL && (strlen(names[i]) != name.n || memcmp(names[i], name.p, name.n) != 0))
        i++;
    if (i == LEVEL_STEPS && equals != NULL && item.n > name.n + 1)
        return add_rack((struct mr_str){equals + 1, item.n - name.n - 1}, level, err);
    if (i == N_LEVEL || i == LEVEL_STEPS || (equals != NULL && i != LEVEL_REQUESTS))
        return refuse(item, err);
    level->has_site = level->has_site || i == LEVEL_SITE || i == LEVEL_RACK || i == LEVEL_DIE;
    level->has_racks = level->has_racks || i == LEVEL_RACK || i == LEVEL_DIE;
    level->has_dies = level->has_dies || i == LEVEL_DIE;
    level->has_calls = level->has_calls || i == LEVEL_REQUESTS;
    if (equals != NULL && !read_share((struct mr_str){equals + 1, item.n - name.n - 1}, level))
        return refuse(item, err);
    return MR_OK;
}

mr_status mr_record_level_parse(const char *text, struct mr_record_level *level, struct mr_err *err)
{
    *level = (struct mr_record_level){0};
    for (const char *from = text;;) {
        const char *comma = strchr(from, ',');
        const struct mr_str item = {from, comma != NULL ? (size_t)(comma - from) : strlen(from)};
        MR_TRY(add(item, level, err));
        if (comma == NULL)
            return MR_OK;
        from = comma + 1;
    }
}
