// SPDX-License-Identifier: GPL-2.0
#define DEMO_WIDE

#include "demo.h"

int demo_draw(struct demo_point *point)
{
	return point && point->x;
}
