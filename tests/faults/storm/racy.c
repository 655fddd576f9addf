// SPDX-License-Identifier: GPL-2.0
/*
 * racy.ko frees in its exit function what a parameter is read from. The kernel takes the
 * parameter away only afterwards: "make storm" with its races finds it.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

static char *text;

static int text_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", text);
}

static int text_set(const char *val, const struct kernel_param *kp)
{
	return -EPERM;
}

static const struct kernel_param_ops text_ops = {
	.set = text_set,
	.get = text_get,
};
module_param_cb(text, &text_ops, NULL, 0444);
__MODULE_PARM_TYPE(text, "string");
MODULE_PARM_DESC(text, "A text");

static int __init racy_init(void)
{
	text = kstrdup("there", GFP_KERNEL);
	return text ? 0 : -ENOMEM;
}
module_init(racy_init);

static void __exit racy_exit(void)
{
	/* The fault: it can still be read. Whatever else there is to do makes that likely. */
	kfree(text);
	synchronize_rcu();
}
module_exit(racy_exit);

MODULE_AUTHOR("The hello_rust developers");
MODULE_DESCRIPTION("Reads what it has freed, to see whether it is detected");
MODULE_LICENSE("GPL");
