/* SPDX-License-Identifier: Apache-2.0 */
/* Site -> SimGrid platform XML, version 4.1, with the network settings that read.c
 * requires. The text depends on
 * the site alone; reading it (platforms/read.h) gives a site with the same mr_site_dump. */
#ifndef MR_PLATFORMS_EMIT_H
#define MR_PLATFORMS_EMIT_H

#include "platforms/site.h"

/** Append the document. The site's zones come from mr_fabric_build; of a site that was read, what
 *  Millrace does not keep (disks, profiles, foreign props) is lost. Look at out->status. */
void mr_emit_site(const struct mr_site *site, struct mr_buf *out);

#endif
