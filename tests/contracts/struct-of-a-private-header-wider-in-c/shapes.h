/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHAPES_H
#define SHAPES_H

#include <linux/types.h>

struct demo_point {
	u32 layer;
#ifdef DEMO_WIDE
	u64 x;
#else
	u32 x;
#endif
};

#endif /* SHAPES_H */
