/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds are few: they are looked through, once for every series. */
#include "engine/record/pace.h"

#include <string.h>

uint64_t mr_pace_of(const struct mr_pace *pace, const char *group)
{
    const char *name = group + (group[0] == '/');
    const size_t n = strcspn(name, "/");
    uint64_t every_n = pace->every_n;
    for (size_t i = 0; i < pace->n_kind; i++)
        if (strlen(pace->kind[i].name) == n && memcmp(pace->kind[i].name, name, n) == 0)
            every_n = pace->kind[i].every_n;
    return every_n > 0 ? every_n : 1;
}
