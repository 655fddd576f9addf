// SPDX-License-Identifier: GPL-2.0
/*
 * hasty.ko does not undo its first allocations if the last one fails: "make storm" lets each
 * of them fail, and finds it.
 */
#include <linux/array_size.h>
#include <linux/module.h>
#include <linux/slab.h>

/* kmemleak may miss one of them because of a stale pointer on a stack. */
static void *first[16], *last;

static void free_first(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(first); i++)
		kfree(first[i]);
}

static int __init hasty_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(first); i++) {
		first[i] = kzalloc(64, GFP_KERNEL);
		if (!first[i]) {
			free_first();
			return -ENOMEM;
		}
	}
	last = kzalloc(64, GFP_KERNEL);
	/* The fault: the first ones stay. */
	if (!last)
		return -ENOMEM;
	return 0;
}
module_init(hasty_init);

static void __exit hasty_exit(void)
{
	kfree(last);
	free_first();
}
module_exit(hasty_exit);

MODULE_AUTHOR("The hello_rust developers");
MODULE_DESCRIPTION("Forgets to undo, to see whether it is detected");
MODULE_LICENSE("GPL");
