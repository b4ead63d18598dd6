/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic of contents: bounds of 0, 1 and many, and the sets of patterns a name may mean. */
#include "engine/base/xml_content.h"

#include "engine/base/mem.h"

void mr_xml_content_fini(struct mr_xml_content *content)
{
    mr_free(content->count);
    mr_free(content->use);
    *content = (struct mr_xml_content){0};
}

static bool is_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

struct mr_xml_content_count *mr_xml_content_find(const struct mr_xml_content *content,
                                                 const char *name, bool is_attribute)
{
    for (size_t i = 0; i < content->n_count; i++)
        if (content->count[i].is_attribute == is_attribute &&
            strcmp(content->count[i].name, name) == 0)
            return &content->count[i];
    return NULL;
}

mr_status mr_xml_content_add_count(struct mr_xml_content *content,
                                   struct mr_xml_content_count count, struct mr_err *err)
{
    MR_TRY(mr_grow(&content->count, &content->cap_count, content->n_count + 1,
                   sizeof *content->count, err));
    content->count[content->n_count++] = count;
    return MR_OK;
}

mr_status mr_xml_content_add_use(struct mr_xml_content *content, struct mr_xml_content_use use,
                                 struct mr_err *err)
{
    for (size_t i = 0; i < content->n_use; i++) {
        const struct mr_xml_content_use *old = &content->use[i];
        if (old->is_attribute == use.is_attribute && old->element == use.element &&
            old->pattern == use.pattern && is_text(old->name, use.name))
            return MR_OK;
    }
    MR_TRY(
        mr_grow(&content->use, &content->cap_use, content->n_use + 1, sizeof *content->use, err));
    content->use[content->n_use++] = use;
    return MR_OK;
}

static mr_status merge_uses(struct mr_xml_content *into, const struct mr_xml_content *from,
                            struct mr_err *err)
{
    for (size_t i = 0; i < from->n_use; i++)
        MR_TRY(mr_xml_content_add_use(into, from->use[i], err));
    into->has_text = into->has_text || from->has_text;
    return MR_OK;
}

static uint8_t sum(uint8_t a, uint8_t b)
{
    return a + b > MR_XML_MANY ? MR_XML_MANY : (uint8_t)(a + b);
}

mr_status mr_xml_content_group(struct mr_xml_content *into, const struct mr_xml_content *from,
                               struct mr_err *err)
{
    for (size_t i = 0; i < from->n_count; i++) {
        const struct mr_xml_content_count *count = &from->count[i];
        struct mr_xml_content_count *old =
            mr_xml_content_find(into, count->name, count->is_attribute);
        if (old == NULL) {
            MR_TRY(mr_xml_content_add_count(into, *count, err));
            continue;
        }
        old->min = sum(old->min, count->min);
        old->max = sum(old->max, count->max);
    }
    return merge_uses(into, from, err);
}

mr_status mr_xml_content_choice(struct mr_xml_content *into, const struct mr_xml_content *from,
                                struct mr_err *err)
{
    for (size_t i = 0; i < into->n_count; i++)
        if (mr_xml_content_find(from, into->count[i].name, into->count[i].is_attribute) == NULL)
            into->count[i].min = 0;
    for (size_t i = 0; i < from->n_count; i++) {
        struct mr_xml_content_count count = from->count[i];
        struct mr_xml_content_count *old =
            mr_xml_content_find(into, count.name, count.is_attribute);
        if (old == NULL) {
            count.min = 0;
            MR_TRY(mr_xml_content_add_count(into, count, err));
            continue;
        }
        old->min = old->min < count.min ? old->min : count.min;
        old->max = old->max > count.max ? old->max : count.max;
    }
    return merge_uses(into, from, err);
}

void mr_xml_content_repeat(struct mr_xml_content *content, bool may_be_absent, bool is_many)
{
    for (size_t i = 0; i < content->n_count; i++) {
        if (may_be_absent)
            content->count[i].min = 0;
        if (is_many)
            content->count[i].max = MR_XML_MANY;
    }
}
