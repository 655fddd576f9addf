// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

long minus(int a, int b);

int main(void)
{
	printf("2 - 5 = %ld\n", minus(2, 5));
}
