// SPDX-License-Identifier: GPL-2.0

#include "demo.h"

u32 demo_number(void)
{
	return 21;
}
