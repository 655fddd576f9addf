// SPDX-License-Identifier: GPL-2.0
#include "demo.h"

int demo_c(void);
int demo_c(void)
{
	return demo_put(1);
}
