/* SPDX-License-Identifier: Apache-2.0 */
/* Internal to the layout pairs: stages of the power chain and the scopes they are put in. A scope
 * (site, hall, row) is a list of stages in the order of the current; a stage is made of the nodes
 * the file gives for it, else of one automatic node, per system. Tips are the nodes at the lower
 * end so far, on which the next stage hangs. */
#ifndef MR_PLATFORMS_LAYOUT_NODE_H
#define MR_PLATFORMS_LAYOUT_NODE_H

#include "platforms/layout_build.h"

/* What a kind is when nothing is said. */
struct mr_layout_stage {
    const char *prefix;         /* of automatic names */
    int per;                    /* where it usually stands */
    double rating_w, voltage_v; /* 0 V: medium voltage of the site */
    bool shares_bar;            /* its units share the load, so that one may be spare */
    const double *smaller_w;    /* sizes for less load, 0 at the end; NULL: none */
};

/* Where stages are being put. */
struct mr_layout_scope {
    struct mr_layout_build *build;
    const struct mr_layout_power *power;
    int per;
    uint32_t hall, row;
    const char *name;                 /* prefix of names */
    const struct mr_xml_node *cause;  /* of automatic nodes */
    const struct mr_layout_scope *up; /* around this one; NULL: the site */
    int n_system;
    int above[mr_layout_system_max];     /* the system of `up` that each of ours hangs on */
    const char *letter;                  /* of the systems */
    double load_w[mr_layout_system_max]; /* 0: the system has nothing to carry */
    struct mr_layout_tip tip[mr_layout_system_max];
    uint32_t second[mr_layout_system_max]; /* other parent of what hangs on a tip; mostly none */
    struct mr_layout_tip
        entry[mr_layout_system_max]; /* behind the first stage: storage hangs there */
    bool has_entry;
};

/* One node to be made. */
struct mr_layout_making {
    const struct mr_layout_node *spec;
    char local[64];
    double load_w, rating_w, voltage_v;
    uint64_t n_need; /* units, when the load does not say it; 0: by load */
    uint32_t parent[2];
};

/* How an automatic or written stage is sized beyond its load. */
struct mr_layout_sizing {
    double rating_w, voltage_v; /* 0 W: the size that fits */
    uint64_t (*need)(const struct mr_layout_scope *scope, double rating_w); /* NULL: by load */
    uint64_t i_child;                                                       /* of the tips above */
};

const struct mr_layout_stage *mr_layout_node_stage(int kind);

/** The voltage of the connection, where the file leaves it open. Before loads are known. */
void mr_layout_node_connect(struct mr_layout_build *build);

/** The i-th kind on the way of the current, -1 behind the last. Sources and storage are none. */
int mr_layout_node_kind(size_t i);

/** Does the chain have this stage without being told? RPP or busway is decided row by row. */
bool mr_layout_node_is_automatic(const struct mr_layout_plan *plan,
                                 const struct mr_layout_power *power, int kind);

/** Is this kind, or one that stands for it (UPS in two modes, RPP and busway), written down? */
bool mr_layout_node_is_replaced(const struct mr_layout_power *power, int kind);

/** The first element that counts for a kind (a hall's own, else the layout's), and the next. */
const struct mr_layout_node *mr_layout_node_given(const struct mr_layout_power *power, int kind);
const struct mr_layout_node *mr_layout_node_next(const struct mr_layout_node *node);

/** Where it stands: MR_LAYOUT_PER_SITE, _HALL or _ROW. */
int mr_layout_node_per(const struct mr_layout_node *node);

/** What stands for a kind when nothing is written. */
struct mr_layout_node mr_layout_node_automatic(int kind);

/** The node of a tip that the i-th child hangs on, or MR_SITE_NONE. */
uint32_t mr_layout_node_dealt(struct mr_layout_tip tip, uint64_t i);

/** What something hangs on: no node twice, and the only one comes first. */
void mr_layout_node_pair(uint32_t pair[2]);

/* Making nodes: MR_OK (also with diagnostics), MR_NOMEM, or MR_LIMIT when there are too many, which
 * has been told. */

/** @param[in] system -1: of no system */
MR_CHECKED mr_status mr_layout_node_make(const struct mr_layout_scope *scope,
                                         const struct mr_layout_making *making, int system);

/** One stage, from these elements on, in every system that has a load. */
MR_CHECKED mr_status mr_layout_node_put_stage(struct mr_layout_scope *scope,
                                              const struct mr_layout_node *first,
                                              const struct mr_layout_sizing *sizing);

/** The stage of a kind if this scope has one, written or automatic. */
MR_CHECKED mr_status mr_layout_node_put_kind(struct mr_layout_scope *scope, int kind,
                                             const struct mr_layout_sizing *extra);

/** Sources and storage written for this scope. */
MR_CHECKED mr_status mr_layout_node_put_sources(struct mr_layout_scope *scope, double load_w);

#endif
