// SPDX-License-Identifier: GPL-2.0
#include "demo.h"

int demo_put(struct demo_dev *d)
{
	return d ? 1 : 0;
}
