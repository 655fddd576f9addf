// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

unsigned int minus(int a, int b);

int main(void)
{
	printf("2 - 5 = %u\n", minus(2, 5));
}
