/* SPDX-License-Identifier: Apache-2.0 */
/* SimGrid platform XML -> site. Reads our own files, hand-written ones with our props
 * (platforms/prop.h) and plain SimGrid platforms, which get defaults and warnings: every host is
 * then a rack of one package in one hall and one row. What would make SimGrid abort is found here
 * first and told with its place: order of elements, unknown names, missing units and attributes.
 * Includes are XInclude; SimGrid's own <include> is refused.
 *
 * Not followed: the inside of profile files (their presence is checked), links that SimGrid makes
 * for TORUS, FAT_TREE and DRAGONFLY clusters and for Wifi zones (their hosts are there). */
#ifndef MR_PLATFORMS_READ_H
#define MR_PLATFORMS_READ_H

#include "platforms/site.h"

/** Read a platform file. Every mistake of the file goes to `diags`.
 *  @param[out] out the site, yours to destroy; NULL when there was an error
 *  @return MR_OK or the status of the first error */
MR_CHECKED mr_status mr_read_site(const char *path, struct mr_site **out, struct mr_diags *diags);

/** As mr_read_site, from text under a name that messages and relative includes use. */
MR_CHECKED mr_status mr_read_site_text(const char *name, struct mr_str text, struct mr_site **out,
                                       struct mr_diags *diags);

#endif
