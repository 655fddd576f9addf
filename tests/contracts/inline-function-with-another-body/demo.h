/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEMO_H
#define DEMO_H

#include <linux/types.h>

u32 demo_number(void);

#ifndef DEMO_SCALE
#define DEMO_SCALE	2
#endif

static inline u32 demo_scale(u32 number)
{
	return DEMO_SCALE * number;
}

#ifndef __BINDGEN__
#include "demo_layout.h"
#endif

#endif /* DEMO_H */
