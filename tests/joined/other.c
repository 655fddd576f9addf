// SPDX-License-Identifier: GPL-2.0
/* Another module, which uses what joined.ko exports. */
#include <linux/module.h>
#include <linux/printk.h>

#include "joined.h"

static int __init other_init(void)
{
	pr_info("other: the answer is %u\n", joined_c_answer(1));
	return 0;
}
module_init(other_init);

static void __exit other_exit(void)
{
}
module_exit(other_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Calls joined.ko");
