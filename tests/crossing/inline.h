/* SPDX-License-Identifier: GPL-2.0 */
/*
 * In place of crossing_c.h, the same as static inlines: for Rust, the border makes what
 * it can call, or has LLVM inline it.
 */
#ifndef CROSSING_INLINE_H
#define CROSSING_INLINE_H

#include <linux/errno.h>

#include "crossing.h"

static inline u32 crossing_c_add(u32 a, u32 b)
{
	return a + b;
}

static inline int crossing_c_visit(crossing_visit_fn visit, void *context, u32 number)
{
	if (!visit)
		return -EINVAL;
	return visit(context, number);
}

static inline int crossing_c_check(u32 number)
{
	return number ? 0 : -EINVAL;
}

static inline const char *crossing_c_rest(const char *text)
{
	return text + 1;
}

static inline void crossing_c_move(struct crossing_point *point, u32 by)
{
	point->x += by;
	point->y -= by;
}

#ifndef __BINDGEN__
#include "crossing_c_layout.h"
#endif

#endif /* CROSSING_INLINE_H */
