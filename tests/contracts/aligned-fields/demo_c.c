// SPDX-License-Identifier: GPL-2.0
#include "demo.h"

int demo_put(const struct demo_rec *r)
{
	return r->b;
}
