// SPDX-License-Identifier: GPL-2.0
#define DEMO_TWO

#include "demo.h"

int demo_count(u32 nth, u32 of)
{
	return nth < of ? 1 : 0;
}
