/* SPDX-License-Identifier: Apache-2.0 */
/* The last words of a broken invariant. */
#include "engine/base/assert.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const struct mr_assert_context *current;

void mr_assert_context_set(const struct mr_assert_context *context)
{
    current = context;
}

void mr_assert_fail(const char *cond, const char *file, int line, const char *function)
{
    fprintf(stderr, "millrace: internal error: assertion '%s' failed in %s (%s:%d)", cond, function,
            file, line);
    if (current != NULL)
        fprintf(stderr, " at simulated time %.17g s, event %" PRIu64 ", seed %" PRIu64,
                current->now_s, current->n_event, current->seed);
    fputs("\nmillrace: this is a bug of the program, not of your input; please report it\n",
          stderr);
    abort();
}
