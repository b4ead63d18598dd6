/* SPDX-License-Identifier: Apache-2.0 */
/* The page of key figures: unit, which way is better, how far they may move, what bounds them. */
#ifndef MR_ENGINE_CLI_SCHEMA_KPI_H
#define MR_ENGINE_CLI_SCHEMA_KPI_H

#include "engine/base/text.h"

void mr_schema_kpi_md(struct mr_buf *out);
void mr_schema_kpi_man(struct mr_buf *out);
void mr_schema_kpi_json(struct mr_buf *out);

#endif
