/* SPDX-License-Identifier: Apache-2.0 */
/* Layouts: a site in about ten lines, expanded into every rack, pipe and feeder.
 *
 *   <layout name="ten">
 *    <grid limit="20 MW"/>
 *    <provision policy="maxlps"/>
 *    <hall>
 *     <row count="8">
 *      <rack card="vr_nvl72" count="12"/>
 *      <cdu units="2"/>
 *     </row>
 *    </hall>
 *   </layout>
 *
 * What is not said is sized from what is: platforms/layout_build.h holds the rules. Every
 * element's attributes are a parameter table; platforms/schema/layout.rng is the same as a grammar.
 * `count` repeats an element with all that is in it. Equal files give equal sites. */
#ifndef MR_PLATFORMS_LAYOUT_H
#define MR_PLATFORMS_LAYOUT_H

#include "engine/base/param.h"
#include "platforms/site.h"

struct mr_layout_reader;

/** Read and expand one layout. All mistakes of the file are added to `diags`.
 *  @param[out] out the site without zones, hosts, links and routes (mr_fabric_build adds them),
 * with the layout's path and SHA-256; owned by the caller: mr_site_destroy; NULL on error
 *  @return MR_OK, or the status of the first error */
MR_CHECKED mr_status mr_layout_load(const char *path, struct mr_site **out, struct mr_diags *diags);

/** As mr_layout_load, from text under a name, whose folder is where cards are looked for first. */
MR_CHECKED mr_status mr_layout_load_text(const char *name, struct mr_str text, struct mr_site **out,
                                         struct mr_diags *diags);

/** For many layouts: grammar and cards are kept between the readings. One thread at a time. */
MR_CHECKED mr_status mr_layout_reader_create(struct mr_layout_reader **out, struct mr_err *err);
void mr_layout_reader_destroy(struct mr_layout_reader *reader);
MR_CHECKED mr_status mr_layout_read(struct mr_layout_reader *reader, const char *name,
                                    struct mr_str text, struct mr_site **out,
                                    struct mr_diags *diags);

/** The i-th of the cards that the layouts read so far have named; NULL: there are no more. */
const struct mr_card *mr_layout_reader_card(const struct mr_layout_reader *reader, size_t i);

/** The elements of a layout and their attributes, in the order of the reference page. NULL past the
 *  last. Elements of the same table (kinds of power nodes) are not repeated.
 *  @param[out] element name of the element that has these attributes */
const struct mr_param_table *mr_layout_table(size_t i, const char **element);

#endif
