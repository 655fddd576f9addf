// SPDX-License-Identifier: GPL-2.0
#include "demo.h"

int demo_run(const struct demo_ops *ops, demo_fn *other)
{
	return ops->start == other;
}
