/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEMO_H
#define DEMO_H

#include <linux/types.h>

#ifdef __BINDGEN__
typedef u32 demo_number;
#else
typedef u64 demo_number;
#endif

int demo_count(demo_number nth);

#ifndef __BINDGEN__
#include "demo_layout.h"
#endif

#endif /* DEMO_H */
