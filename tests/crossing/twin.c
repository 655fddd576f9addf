// SPDX-License-Identifier: GPL-2.0
/*
 * In place of crossing.rs, the same in C: with it, the module is in C alone, and `make
 * bench-crossing` compares the sizes.
 */
#define ROW(name) from_rust_##name

#include <linux/init.h>
#include <linux/module.h>

#include "rows.h"

MODULE_LICENSE("GPL");

u32 crossing_rs_add(u32 a, u32 b)
{
	return a + b;
}

static int __init crossing_init(void)
{
	crossing_count();
	return 0;
}
module_init(crossing_init);

static void __exit crossing_exit(void)
{
}
module_exit(crossing_exit);
