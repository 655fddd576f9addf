// SPDX-License-Identifier: GPL-2.0
#include "demo.h"

static int __used demo_other(const u32 *number)
{
	return *number ? 1 : 0;
}

asm(".globl demo_count\n\t.set demo_count, demo_other");
