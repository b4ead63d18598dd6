/* SPDX-License-Identifier: Apache-2.0 */
/* Loading, cross-check, routes, transfers. SimGrid keeps its state in globals of its own; ours is
 * the table that turns a host of the site into SimGrid's handle, made by walking SimGrid's list
 * once (a look-up by name walks all zones, and an unknown link name aborts). Map: names - loading -
 * cross-check - questions inside an actor - transfers. */
#define _DEFAULT_SOURCE /* mkstemps */
#include "engine/net/platform.h"

#include "engine/base/file.h"
#include "engine/base/intern.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "engine/base/xml.h"
#include "engine/base/xmlw.h"
#include "engine/net/platform_impl.h"
#include "engine/net/probe.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A sanitizer does not know stacks that assembly switches. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const bool built_with_sanitizer = true;
#elif defined(__has_feature)
static const bool built_with_sanitizer =
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
static const bool built_with_sanitizer = false;
#endif

enum {
    resolved_cap = 48 /* of the temporary file's name */
};

/* ---- names ---- */

void mr_platform_hosts_fini(struct mr_platform_hosts *table)
{
    mr_free(table->handle);
    mr_intern_fini(&table->names);
}

mr_status mr_platform_hosts_init(struct mr_platform_hosts *table, const struct mr_site *site,
                                 struct mr_err *err)
{
    *table = (struct mr_platform_hosts){0};
    table->handle = mr_alloc_zero(site->n_host, sizeof(sg_host_t));
    if (table->handle == NULL)
        return mr_err_nomem(err, site->n_host * sizeof(sg_host_t));
    mr_status st = MR_OK;
    for (size_t i = 0; st == MR_OK && i < site->n_host; i++) {
        uint32_t id;
        st = mr_intern_add(&table->names, mr_str_of(site->host[i].name), &id, err);
        if (st == MR_OK && id != i)
            st = mr_err_set(err, MR_SCHEMA, MR_NOWHERE, "host \"%s\" is there twice",
                            site->host[i].name);
    }
    if (st == MR_OK) {
        const size_t n = sg_host_count();
        sg_host_t *list = sg_host_list();
        for (size_t i = 0; i < n; i++) {
            const char *name = sg_host_get_name(list[i]);
            const uint32_t id = mr_intern_find(&table->names, mr_str_of(name));
            if (id != MR_INTERN_NONE) {
                table->handle[id] = list[i];
                continue;
            }
            table->n_stranger++;
            /* the list is in hash order: keep the smallest name, so that messages repeat */
            if (table->stranger == NULL || strcmp(name, table->stranger) < 0)
                table->stranger = name;
        }
        xbt_free(list);
    }
    if (st != MR_OK)
        mr_platform_hosts_fini(table);
    return st;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(sg_link_get_name(*(const sg_link_t *)a), sg_link_get_name(*(const sg_link_t *)b));
}

static bool is_own(const char *name)
{
    return strcmp(name, "__loopback__") == 0; /* SimGrid's, of every host to itself */
}

mr_status mr_platform_links_init(struct mr_platform_links *links, struct mr_err *err)
{
    const size_t n = sg_link_count();
    *links = (struct mr_platform_links){.handle = mr_alloc_zero(n, sizeof(sg_link_t))};
    if (links->handle == NULL)
        return mr_err_nomem(err, n * sizeof(sg_link_t));
    sg_link_t *list = sg_link_list();
    qsort(list, n, sizeof(sg_link_t), by_name); // NOLINT(bugprone-sizeof-expression): handles
    for (size_t i = 0; i < n; i++)
        if (!is_own(sg_link_get_name(list[i])))
            links->handle[links->n++] = list[i];
    xbt_free(list);
    return MR_OK;
}

void mr_platform_links_fini(struct mr_platform_links *links)
{
    mr_free(links->handle);
}

/* ---- loading ---- */

/* One setting as the argument SimGrid parses by itself: its typed setters crash on the wrong type.
 */
static mr_status add_setting(struct mr_arena *arena, const char *before, const char *setting,
                             char **argv, int *argc, struct mr_err *err)
{
    struct mr_buf text = {0};
    mr_buf_printf(&text, "%s%s", before, setting);
    mr_status st = mr_buf_check(&text, err);
    if (st == MR_OK) {
        argv[*argc] = mr_arena_text(arena, (struct mr_str){text.text, text.n}, err);
        st = argv[*argc] != NULL ? MR_OK : MR_NOMEM;
        *argc += st == MR_OK;
    }
    mr_buf_fini(&text);
    return st;
}

/* Profiles are named relative to the platform's own folder, wherever SimGrid finds the platform.
 * Its settings end at blanks and commas: a folder with one cannot be told. */
static mr_status add_folder(struct mr_arena *arena, const char *path, char **argv, int *argc,
                            struct mr_err *err)
{
    const char *slash = strrchr(path, '/');
    struct mr_buf folder = {0};
    if (slash == NULL || strpbrk(path, " \t\n,:") != NULL)
        return MR_OK;
    mr_buf_add(&folder, path, slash == path ? 1 : (size_t)(slash - path));
    mr_status st = mr_buf_check(&folder, err);
    if (st == MR_OK)
        st = add_setting(arena, "--cfg=path:", folder.text, argv, argc, err);
    mr_buf_fini(&folder);
    return st;
}

struct arguments {
    int n;
    char **item;
};

static void try_settings(const void *what)
{
    struct arguments copy = *(const struct arguments *)what;
    simgrid_init(&copy.n, copy.item);
}

static mr_status start(const struct mr_site *site, const struct mr_platform_options *options,
                       struct mr_err *err)
{
    static const char *const required[] = {"network/model:CM02", "network/crosstraffic:no",
                                           "network/TCP-gamma:0", "contexts/stack-size:256"};
    enum {
        n_required = sizeof required / sizeof *required
    };
    /* mirrors the one engine that SimGrid keeps per process and cannot be asked about before init
     */
    static bool is_started;
    if (is_started)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE,
                          "SimGrid was started already: one platform per process");
    for (size_t i = 0; i < options->n_config; i++)
        if (strchr(options->config[i], ':') == NULL)
            return mr_err_set(err, MR_PARSE, MR_NOWHERE,
                              "SimGrid setting \"%s\": expected KEY:VALUE", options->config[i]);
    MR_TRY(mr_simgrid_load(err));
    struct mr_arena arena = {0};
    char **argv = mr_arena_zero(&arena, n_required + options->n_config + 5, sizeof *argv, err);
    int argc = 0;
    mr_status st = argv != NULL ? add_setting(&arena, "", "millrace", argv, &argc, err) : MR_NOMEM;
    for (size_t i = 0; i < n_required && st == MR_OK; i++)
        st = add_setting(&arena, "--cfg=", required[i], argv, &argc, err);
    if (st == MR_OK)
        st = add_folder(&arena, site->path, argv, &argc, err);
    if (st == MR_OK && (options->under_sanitizer || built_with_sanitizer))
        st = add_setting(&arena, "--cfg=", "contexts/factory:thread", argv, &argc, err);
    for (size_t i = 0; i < options->n_config && st == MR_OK; i++)
        st = add_setting(&arena, "--cfg=", options->config[i], argv, &argc, err);
    if (st == MR_OK)
        st = add_setting(&arena,
                         "--log=", options->log != NULL ? options->log : "root.thres:warning", argv,
                         &argc, err);
    if (st == MR_OK && (options->n_config > 0 || options->log != NULL))
        st = mr_probe(try_settings, &(struct arguments){argc, argv}, "SimGrid's settings", err);
    if (st == MR_OK) {
        is_started = true;
        simgrid_init(&argc, argv);
    }
    mr_arena_fini(&arena);
    return st;
}

/* Without name spaces: SimGrid knows no such attribute. */
static void write_plain(struct mr_xmlw *w, const struct mr_xml_node *node)
{
    mr_xmlw_open(w, node->name);
    for (uint32_t i = 0; i < node->n_attribute; i++)
        if (strncmp(node->attribute[i].name, "xmlns", 5) != 0)
            mr_xmlw_attr(w, node->attribute[i].name, node->attribute[i].value);
    if (node->text[0] != '\0')
        mr_xmlw_text(w, mr_str_of(node->text));
    for (const struct mr_xml_node *child = node->child; child != NULL; child = child->next)
        write_plain(w, child);
    mr_xmlw_close(w, node->name);
}

/* The document with its includes in place, in a file of our own. @param[out] path its name, "" when
 * it was not made */
static mr_status write_resolved(const struct mr_xml_doc *doc, char path[resolved_cap],
                                struct mr_err *err)
{
    struct mr_buf text = {0};
    struct mr_xmlw w;
    snprintf(path, resolved_cap, "/tmp/millrace-platform-XXXXXX.xml");
    mr_xmlw_init(&w, &text, 1);
    mr_xmlw_prolog(&w, "platform", NULL, mr_xml_doctype(doc));
    write_plain(&w, mr_xml_root(doc));
    mr_xmlw_end(&w);
    mr_status st = mr_buf_check(&text, err);
    const int fd = st == MR_OK ? mkstemps(path, 4) : -1;
    if (st == MR_OK && fd < 0)
        st = mr_err_set(err, MR_IO, (struct mr_place){path, 0, 0}, "cannot be created");
    if (fd >= 0) {
        close(fd);
        st = mr_file_write(path, true, (struct mr_str){text.text, text.n}, err);
        if (st != MR_OK)
            (void)unlink(path);
    }
    if (st != MR_OK)
        path[0] = '\0';
    mr_buf_fini(&text);
    return st;
}

static void try_platform(const void *path)
{
    simgrid_load_platform(path);
}

/* Files that we wrote are known to be good; a child tries all others first. */
static mr_status load(const struct mr_site *site, const char *path, struct mr_err *err)
{
    if (site->layout_sha256[0] == '\0')
        MR_TRY(mr_probe(try_platform, path, site->path, err));
    simgrid_load_platform(path);
    return MR_OK;
}

mr_status mr_platform_load(const struct mr_site *site, const struct mr_platform_options *options,
                           struct mr_err *err)
{
    const struct mr_platform_options defaults = {0};
    const struct mr_xml_options xml = {.xinclude = true};
    struct mr_xml_doc *doc;
    char resolved[resolved_cap] = "";
    MR_TRY(start(site, options != NULL ? options : &defaults, err));
    MR_TRY(mr_xml_load(site->path, &xml, &doc, err));
    mr_status st = MR_OK;
    if (mr_xml_n_file(doc) > 1)
        st = write_resolved(doc, resolved, err);
    mr_xml_destroy(doc);
    if (st == MR_OK)
        st = load(site, resolved[0] != '\0' ? resolved : site->path, err);
    if (resolved[0] != '\0')
        (void)unlink(resolved);
    return st;
}

/* ---- cross-check ---- */

static bool is_near(double a, double b)
{
    return fabs(a - b) <= 1e-12 * fmax(fabs(a), fabs(b));
}

static void differ(struct mr_diags *diags, const struct mr_site *site, const char *kind,
                   const char *name, const char *what, double ours, double theirs)
{
    char a[MR_NUM_CAP], b[MR_NUM_CAP];
    mr_num_format_f64(ours, a);
    mr_num_format_f64(theirs, b);
    mr_diags_add(diags, MR_SEVERITY_ERROR, MR_REF, (struct mr_place){site->path, 0, 0},
                 "%s \"%s\": we read %s %s, SimGrid %s", kind, name, what, a, b);
}

static void check_hosts(const struct mr_site *site, const struct mr_platform_hosts *table,
                        struct mr_diags *diags)
{
    const struct mr_place at = {site->path, 0, 0};
    if (table->n_stranger > 0)
        mr_diags_add(diags, MR_SEVERITY_ERROR, MR_REF, at,
                     "SimGrid has %zu hosts that we did not read, \"%s\" among them",
                     table->n_stranger, table->stranger);
    for (size_t i = 0; i < site->n_host; i++) {
        const struct mr_host *host = &site->host[i];
        const sg_host_t handle = table->handle[i];
        if (handle == NULL) {
            mr_diags_add(diags, MR_SEVERITY_ERROR, MR_REF, at,
                         "host \"%s\": SimGrid does not have it", host->name);
            continue;
        }
        const double speed = sg_host_get_pstate_speed(handle, 0);
        if (!is_near(speed, host->speed_flop_s))
            differ(diags, site, "host", host->name, "a speed of", host->speed_flop_s, speed);
        if ((uint64_t)sg_host_core_count(handle) != host->n_core)
            differ(diags, site, "host", host->name, "cores:", (double)host->n_core,
                   sg_host_core_count(handle));
    }
}

static const sg_link_t *find_link(const sg_link_t *list, size_t n, const char *name)
{
    size_t low = 0, high = n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(sg_link_get_name(list[middle]), name);
        if (order == 0)
            return &list[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void check_link(const struct mr_site *site, const struct mr_link *link, const char *suffix,
                       const sg_link_t *list, size_t n, struct mr_diags *diags)
{
    char name[512];
    snprintf(name, sizeof name, "%s%s", link->name, suffix);
    const sg_link_t *found = find_link(list, n, name);
    if (found == NULL) {
        mr_diags_add(diags, MR_SEVERITY_ERROR, MR_REF, (struct mr_place){site->path, 0, 0},
                     "link \"%s\": SimGrid does not have it", name);
        return;
    }
    if (!is_near(sg_link_get_bandwidth(*found), link->bandwidth_bytes_s))
        differ(diags, site, "link", name, "a bandwidth of", link->bandwidth_bytes_s,
               sg_link_get_bandwidth(*found));
    if (!is_near(sg_link_get_latency(*found), link->latency_s))
        differ(diags, site, "link", name, "a latency of", link->latency_s,
               sg_link_get_latency(*found));
    if ((sg_link_is_shared(*found) != 0) == link->is_fatpipe)
        differ(diags, site, "link", name, "sharing:", !link->is_fatpipe, sg_link_is_shared(*found));
}

void mr_platform_check(const struct mr_site *site, struct mr_diags *diags)
{
    struct mr_platform_hosts table;
    struct mr_err err = {0};
    if (mr_platform_hosts_init(&table, site, &err) != MR_OK) {
        (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
        return;
    }
    check_hosts(site, &table, diags);
    mr_platform_hosts_fini(&table);
    const size_t n = sg_link_count();
    sg_link_t *list = sg_link_list();
    qsort(list, n, sizeof(sg_link_t), by_name); // NOLINT(bugprone-sizeof-expression): handles
    for (size_t i = 0; i < site->n_link; i++) {
        const struct mr_link *link = &site->link[i];
        check_link(site, link, link->is_split ? "_UP" : "", list, n, diags);
        if (link->is_split)
            check_link(site, link, "_DOWN", list, n, diags);
    }
    xbt_free(list);
}

/* ---- questions inside an actor ---- */

struct question {
    const struct mr_platform_hosts *table;
    struct mr_platform_route *route;
    size_t n;
};

static void ask(int argc, char **argv)
{
    struct question *q = sg_actor_self_get_data();
    (void)argc;
    (void)argv;
    for (size_t i = 0; i < q->n; i++) {
        struct mr_platform_route *route = &q->route[i];
        const sg_host_t src = q->table->handle[route->src], dst = q->table->handle[route->dst];
        xbt_dynar_t links = xbt_dynar_new(sizeof(sg_link_t), NULL);
        sg_host_get_route(src, dst, links);
        route->n_link = (uint32_t)xbt_dynar_length(links);
        route->latency_s = sg_host_get_route_latency(src, dst);
        route->bandwidth_bytes_s = route->n_link > 0 ? sg_host_get_route_bandwidth(src, dst) : 0;
        xbt_dynar_free(&links);
    }
}

static mr_status all_known(const struct mr_site *site, const struct mr_platform_hosts *table,
                           uint32_t src, uint32_t dst, struct mr_err *err)
{
    if (src >= site->n_host || dst >= site->n_host || table->handle[src] == NULL ||
        table->handle[dst] == NULL)
        return mr_err_set(err, MR_REF, MR_NOWHERE, "hosts %u and %u: SimGrid does not have both",
                          src, dst);
    return MR_OK;
}

static void start_actor(const char *name, sg_host_t host, xbt_main_func_t code, void *data)
{
    const sg_actor_t actor = sg_actor_init(name, host);
    sg_actor_set_data(actor, data);
    sg_actor_start_(actor, code, 0, NULL);
}

mr_status mr_platform_routes(const struct mr_site *site, struct mr_platform_route *route, size_t n,
                             struct mr_err *err)
{
    struct mr_platform_hosts table;
    MR_TRY(mr_platform_hosts_init(&table, site, err));
    mr_status st = MR_OK;
    for (size_t i = 0; i < n && st == MR_OK; i++)
        st = all_known(site, &table, route[i].src, route[i].dst, err);
    if (st == MR_OK && n > 0) {
        struct question q = {&table, route, n};
        start_actor("ask", table.handle[route[0].src], ask, &q);
        simgrid_run();
    }
    mr_platform_hosts_fini(&table);
    return st;
}

/* ---- transfers ---- */

struct sender {
    struct mr_platform_transfer *transfer;
    sg_host_t src, dst;
};

static void send(int argc, char **argv)
{
    struct sender *sender = sg_actor_self_get_data();
    struct mr_platform_transfer *transfer = sender->transfer;
    (void)argc;
    (void)argv;
    if (transfer->start_s > simgrid_get_clock())
        sg_actor_sleep_until(transfer->start_s);
    if (sender->src != sender->dst) /* a transfer to itself takes no link */
        sg_host_sendto(sender->src, sender->dst, transfer->bytes);
    transfer->end_s = simgrid_get_clock();
}

mr_status mr_platform_play(const struct mr_site *site, struct mr_platform_transfer *transfer,
                           size_t n, struct mr_err *err)
{
    struct mr_platform_hosts table;
    MR_TRY(mr_platform_hosts_init(&table, site, err));
    struct sender *sender = mr_alloc_zero(n, sizeof *sender);
    if (sender == NULL) {
        mr_platform_hosts_fini(&table);
        return mr_err_nomem(err, n * sizeof *sender);
    }
    mr_status st = MR_OK;
    for (size_t i = 0; i < n && st == MR_OK; i++)
        st = all_known(site, &table, transfer[i].src, transfer[i].dst, err);
    if (st == MR_OK) {
        for (size_t i = 0; i < n; i++) {
            sender[i] = (struct sender){&transfer[i], table.handle[transfer[i].src],
                                        table.handle[transfer[i].dst]};
            start_actor("send", sender[i].src, send, &sender[i]);
        }
        simgrid_run();
    }
    mr_free(sender);
    mr_platform_hosts_fini(&table);
    return st;
}
