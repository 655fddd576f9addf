// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include "word.h"

static int __init say_init(void)
{
	pr_info("%s\n", word());
	return 0;
}
module_init(say_init);

static void __exit say_exit(void)
{
}
module_exit(say_exit);

MODULE_DESCRIPTION("Prints the word of another module, in C");
MODULE_LICENSE("GPL");
