// SPDX-License-Identifier: GPL-2.0
#include "demo.h"

int demo_draw(enum demo_shape *shape)
{
	return shape && *shape == DEMO_FLAT;
}
