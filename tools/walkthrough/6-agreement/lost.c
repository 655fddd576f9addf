// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

struct pair { int a, b; };
int minus(struct pair pair, int more);

int main(void)
{
	printf("2 - 5 = %d\n", minus((struct pair){ 2, 5 }, 9));
}
