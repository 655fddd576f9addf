// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

void hello(void)
{
	puts("hello from C");
}
