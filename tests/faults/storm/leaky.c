// SPDX-License-Identifier: GPL-2.0
/*
 * leaky.ko loses memory where a parameter is refused: "make storm" with random parameters
 * finds it.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/string.h>

static char *text;

static int text_set(const char *val, const struct kernel_param *kp)
{
	char *copy = kstrdup(val, GFP_KERNEL);

	if (!copy)
		return -ENOMEM;
	/* The fault: the copy is lost. */
	if (copy[strspn(copy, "abcdefghijklmnopqrstuvwxyz")])
		return -EINVAL;
	kfree(text);
	text = copy;
	return 0;
}

static void text_free(void *arg)
{
	kfree(text);
}

static const struct kernel_param_ops text_ops = {
	.set = text_set,
	.free = text_free,
};
module_param_cb(text, &text_ops, NULL, 0);
__MODULE_PARM_TYPE(text, "string");
MODULE_PARM_DESC(text, "Small letters");

static int __init leaky_init(void)
{
	return 0;
}
module_init(leaky_init);

static void __exit leaky_exit(void)
{
}
module_exit(leaky_exit);

MODULE_AUTHOR("The hello_rust developers");
MODULE_DESCRIPTION("Loses memory, to see whether it is detected");
MODULE_LICENSE("GPL");
