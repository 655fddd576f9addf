// SPDX-License-Identifier: GPL-2.0
#include "demo.h"

enum hrtimer_restart demo_next(enum hrtimer_restart *r)
{
	*r = HRTIMER_RESTART;
	return HRTIMER_NORESTART;
}
