// SPDX-License-Identifier: GPL-2.0
void hello(void);

int main(void)
{
	hello();
}
