/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEMO_H
#define DEMO_H

#include <linux/types.h>

u32 demo_number(void);

static const u32 demo_table[2] = { 1, 2 };

#ifndef __BINDGEN__
#include "demo_layout.h"
#endif

#endif /* DEMO_H */
