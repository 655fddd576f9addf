// SPDX-License-Identifier: GPL-2.0
#include "demo.h"

int demo_each(int (*call)(void *context, u32 n), void *context)
{
	return call(context, 1);
}
