// SPDX-License-Identifier: GPL-2.0
#include "demo.h"

int demo_run(const struct demo_ops *ops)
{
	return ops ? 0 : -1;
}
