// SPDX-License-Identifier: GPL-2.0
int minus(int a, int b)
{
	return a - b;
}
