/* SPDX-License-Identifier: Apache-2.0 */
/* Files that describe a site, told apart by their root element. */
#ifndef MR_PLATFORMS_OPEN_H
#define MR_PLATFORMS_OPEN_H

#include "platforms/layout_change.h"
#include "platforms/site.h"

/** Read a layout (*.layout.xml, expanded, with SimGrid's view built) or a SimGrid platform.
 *  @param[in] level of SimGrid's view of a layout: enum mr_site_level or MR_FABRIC_LEVEL_AUTO
 *  @param[out] out owned by the caller: mr_site_destroy; NULL on error */
MR_CHECKED mr_status mr_open_site(const char *path, int level, struct mr_site **out,
                                  struct mr_diags *diags);

/** The same of a layout with n changes (layout_change.h); a platform takes none. */
MR_CHECKED mr_status mr_open_site_changed(const char *path, const struct mr_layout_change *change,
                                          size_t n, int level, struct mr_site **out,
                                          struct mr_diags *diags);

/** Do the changes lead somewhere? Neither values nor what comes of them are looked at. */
MR_CHECKED mr_status mr_open_check_changes(const char *path, const struct mr_layout_change *change,
                                           size_t n, struct mr_err *err);

/** A layout with its changes as text, the same however it and they are spelled (layout_text.h).
 *  @param[out] changed the file's own text, changed; of no use if it is no layout */
MR_CHECKED mr_status mr_open_layout_text(const char *path, const struct mr_layout_change *change,
                                         size_t n, bool *is_layout, struct mr_buf *changed,
                                         struct mr_buf *same, struct mr_err *err);

/** By its name alone: a platform that SimGrid can load from where it is. */
bool mr_open_is_platform(const char *path);

/** By its name alone: a scenario (*.scenario.xml). */
bool mr_open_is_scenario(const char *path);

#endif
