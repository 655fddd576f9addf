// SPDX-License-Identifier: GPL-2.0
#include "demo.h"

u32 __attribute__((ms_abi)) demo_sum(u32 one, u64 other)
{
	return one + other;
}
