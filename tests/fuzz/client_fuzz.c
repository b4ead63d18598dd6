/* SPDX-License-Identifier: Apache-2.0 */
/* Clients whose calls are drawn: the first byte says windows or lengths. Whatever the bytes are,
 * reading ends; an error says why and where; what was read has calls in order, within its windows,
 * with lengths of at least one token. */
#include "engine/base/gz.h"
#include "engine/work/client.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

static void walk(const struct mr_client *client)
{
    struct mr_client_walk w = mr_client_start(1, 0, 1);
    const double begin_s = client->window[0].start_s;
    const double end_s = client->window[client->n_window - 1].end_s;
    require(mr_client_rate_s(client) > 0, "calls come");
    for (int i = 0; i < 1000; i++) {
        const double last_s = w.at_s;
        if (!mr_client_next(client, &w))
            return;
        require(w.at_s >= begin_s && w.at_s >= last_s && w.at_s <= end_s, "in order, and within");
    }
}

static void draw(const struct mr_client *client)
{
    struct mr_client_walk w = mr_client_start(1, 0, 1);
    for (int i = 0; i < 100; i++) {
        uint32_t n_input = 0, n_output = 0;
        mr_client_draw_lengths(client, &w, 1000.0 * i, &n_input, &n_output);
        require(n_input > 0 && n_output > 0, "calls have tokens");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mr_client client = {0};
    struct mr_err err = {0};
    struct mr_gz *gz;
    if (size == 0)
        return 0;
    const int is_windows = data[0] == 'w';
    if (mr_gz_open_memory(data + 1, size - 1, "fuzz", &gz, &err) != MR_OK)
        return 0;
    const mr_status st = is_windows ? mr_client_take_windows(&client, gz, &err)
                                    : mr_client_take_lengths(&client, gz, &err);
    if (st != MR_OK)
        require(err.text[0] != '\0' && err.file[0] != '\0', "an error says why and where");
    else if (is_windows)
        walk(&client);
    else
        draw(&client);
    mr_client_fini(&client);
    return 0;
}
