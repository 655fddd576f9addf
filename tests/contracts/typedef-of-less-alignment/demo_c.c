// SPDX-License-Identifier: GPL-2.0
#include "demo.h"

int demo_put(struct demo_s *n)
{
	return 0;
}
