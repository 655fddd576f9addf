// SPDX-License-Identifier: GPL-2.0
#include "joined_more.h"

static u32 number_of_calls = 40;

u32 joined_more(void)
{
	return ++number_of_calls;
}
