// SPDX-License-Identifier: GPL-2.0
#include <linux/build_bug.h>
#include <linux/limits.h>

#include "demo.h"

int demo_count(u32 nth)
{
	return nth ? 1 : 0;
}

static_assert(sizeof(DEMO_NAME) == 7 && DEMO_ERROR == -22);
static_assert(DEMO_ALL == U64_MAX);
