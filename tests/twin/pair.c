// SPDX-License-Identifier: GPL-2.0
/*
 * hello_rust.rs in C: beside the same c_helper.c and contract, this shows what
 * two halves cost in any language.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/errno.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/types.h>

#include "c_helper.h"
#include "utf8.h"

MODULE_LICENSE("GPL");

static struct hello {
	const char *whom;
	u32 greeted;
} hello;

static int greet(void *context, u32 nth)
{
	struct hello *hello = context;

	hello->greeted = nth;
	pr_info("Rust, called by C: hello, %s! (%u)\n", hello->whom, nth);
	return 0;
}

static int __init hello_pair_init(void)
{
	struct c_helper_task task = {};
	int err;

	pr_info("Rust, called by the kernel: hello_pair is loading\n");
	c_helper_current(&task);
	hello.whom = c_helper_whom();
	err = c_helper_repeat(c_helper_times(), greet, &hello);
	if (err)
		return err;

	pr_info("Rust, back from C: pid %d was greeted\n", task.pid);
	return 0;
}
module_init(hello_pair_init);

static void __exit hello_pair_exit(void)
{
	pr_info("Rust, called by the kernel: goodbye, %s! Greetings counted: %u\n",
		hello.whom, hello.greeted);
}
module_exit(hello_pair_exit);

/* In this module, a NUL follows each text, as next_char() expects. */
ssize_t hello_rust_count_chars(const u8 *text, size_t len)
{
	const u8 *rest = text;
	ssize_t count = 0;

	while (rest < text + len) {
		s32 c = next_char(&rest);

		if (c < 0 || is_control(c))
			return -EINVAL;
		count++;
	}
	return count;
}
