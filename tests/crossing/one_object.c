// SPDX-License-Identifier: GPL-2.0
/*
 * What C does for its caller, and loops in the same object: the compiler sees both.
 */
#define ROW(name) one_object_##name

#include <linux/errno.h>

#include "rows.h"

#ifndef CROSSING_INLINE_H
u32 crossing_c_add(u32 a, u32 b)
{
	return a + b;
}

int crossing_c_visit(crossing_visit_fn visit, void *context, u32 number)
{
	if (!visit)
		return -EINVAL;
	return visit(context, number);
}

int crossing_c_check(u32 number)
{
	return number ? 0 : -EINVAL;
}

const char *crossing_c_rest(const char *text)
{
	return text + 1;
}

void crossing_c_move(struct crossing_point *point, u32 by)
{
	point->x += by;
	point->y -= by;
}
#endif
