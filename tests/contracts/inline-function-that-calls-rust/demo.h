/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEMO_H
#define DEMO_H

#include <linux/types.h>

u32 demo_number(void);

/* Defined in Rust. */
u32 demo_rs_number(u32 number);

static inline u32 demo_twice(u32 number)
{
	return 2 * demo_rs_number(number);
}

#ifndef __BINDGEN__
#include "demo_layout.h"
#endif

#endif /* DEMO_H */
