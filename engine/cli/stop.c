/* SPDX-License-Identifier: Apache-2.0 */
/* A handler can only set a flag: the one variable of this program that belongs to nobody. */
#include "engine/cli/stop.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t asked;

static const int signals[] = {SIGINT, SIGTERM};

static void set_all(void (*handler)(int))
{
    struct sigaction action = {.sa_flags = SA_RESTART};
    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction before;
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(signals[i], &action, NULL);
    }
}

static void ask(int signal)
{
    asked = signal;
    set_all(SIG_DFL);
}

void mr_stop_listen(void)
{
    set_all(ask);
}

int mr_stop_asked(void *context)
{
    (void)context;
    return asked;
}
