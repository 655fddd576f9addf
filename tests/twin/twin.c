// SPDX-License-Identifier: GPL-2.0
/*
 * hello_rust.ko in C alone, with the same parameters, checks and messages. It
 * prints "Rust" where hello_rust.ko does, so that `make bench-loop` compares the
 * languages, not the texts.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/pid.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/types.h>

#include "utf8.h"

#define WHOM_MAX	63
#define TIMES_MAX	16

MODULE_AUTHOR("The hello_rust developers");
MODULE_DESCRIPTION("Greets from C alone, and just as hello_rust.ko does");
MODULE_VERSION("0.1.0");
MODULE_LICENSE("GPL");

static char whom[WHOM_MAX + 1] = "world";
static u32 times = 1;
static u32 greeted;

/* Counts the characters of a text; -EINVAL unless it is printable UTF-8. */
static ssize_t count_chars(const char *text)
{
	const u8 *rest = (const u8 *)text;
	ssize_t count = 0;

	while (*rest) {
		s32 c = next_char(&rest);

		if (c < 0 || is_control(c))
			return -EINVAL;
		count++;
	}
	return count;
}

static int whom_set(const char *val, const struct kernel_param *kp)
{
	size_t len = strlen(val);

	if (len > WHOM_MAX) {
		pr_err("whom: too long (%zu bytes, maximum %d)\n",
		       len, WHOM_MAX);
		return -EINVAL;
	}
	if (count_chars(val) < 0) {
		pr_err("whom: not printable UTF-8\n");
		return -EINVAL;
	}
	memcpy(whom, val, len + 1);
	return 0;
}

static int whom_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", whom);
}

static const struct kernel_param_ops whom_ops = {
	.set = whom_set,
	.get = whom_get,
};
module_param_cb(whom, &whom_ops, NULL, 0444);
__MODULE_PARM_TYPE(whom, "string");
MODULE_PARM_DESC(whom, "Name to greet, at most 63 bytes (default: world)");

static int times_set(const char *val, const struct kernel_param *kp)
{
	u32 n;

	if (kstrtou32(val, 0, &n) || n < 1 || n > TIMES_MAX) {
		pr_err("times: not a number from 1 to %d\n", TIMES_MAX);
		return -EINVAL;
	}
	times = n;
	return 0;
}

static const struct kernel_param_ops times_ops = {
	.set = times_set,
	.get = param_get_uint,
};
module_param_cb(times, &times_ops, &times, 0444);
__MODULE_PARM_TYPE(times, "uint");
MODULE_PARM_DESC(times, "Number of greetings, from 1 to 16 (default: 1)");

static int __init hello_twin_init(void)
{
	pid_t pid = task_pid_nr(current);

	pr_info("Rust, called by the kernel: hello_twin is loading\n");
	pr_info("C, called by Rust: %s (pid %d) is running on CPU %u\n",
		current->comm, pid, raw_smp_processor_id());
	pr_info("C, called by Rust: %zd characters to greet, %u time(s)\n",
		count_chars(whom), times);

	while (greeted < times)
		pr_info("Rust, called by C: hello, %s! (%u)\n", whom, ++greeted);

	pr_info("Rust, back from C: pid %d was greeted\n", pid);
	return 0;
}
module_init(hello_twin_init);

static void __exit hello_twin_exit(void)
{
	pr_info("Rust, called by the kernel: goodbye, %s! Greetings counted: %u\n",
		whom, greeted);
}
module_exit(hello_twin_exit);
