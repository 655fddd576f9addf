/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEMO_H
#define DEMO_H

#include <linux/types.h>

#include "more.h"

u32 demo_number(void);

static inline u32 demo_twice(struct demo_more *more)
{
	return 2 * demo_more(more);
}

#ifndef __BINDGEN__
#include "demo_layout.h"
#endif

#endif /* DEMO_H */
