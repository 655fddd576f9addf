// SPDX-License-Identifier: GPL-2.0
/*
 * hasty.ko does not undo the first of two allocations if the second one fails: "make storm"
 * lets each of them fail, and finds it.
 */
#include <linux/module.h>
#include <linux/slab.h>

static char *one, *two;

static int __init hasty_init(void)
{
	one = kzalloc(64, GFP_KERNEL);
	if (!one)
		return -ENOMEM;
	two = kzalloc(64, GFP_KERNEL);
	/* The fault: the first one stays. */
	if (!two)
		return -ENOMEM;
	return 0;
}
module_init(hasty_init);

static void __exit hasty_exit(void)
{
	kfree(two);
	kfree(one);
}
module_exit(hasty_exit);

MODULE_AUTHOR("The hello_rust developers");
MODULE_DESCRIPTION("Forgets to undo, to see whether it is detected");
MODULE_LICENSE("GPL");
