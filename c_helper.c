// SPDX-License-Identifier: GPL-2.0
/*
 * The C half of hello_rust.ko: what the kernel offers to C only.
 *
 * Macros and static inlines ("current", module_param_cb()) have no symbol that
 * Rust could call, so C wraps them. The same goes for what module! cannot say
 * on every kernel: author, version and text parameters.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/errno.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/pid.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "c_helper.h"

MODULE_AUTHOR("The hello_rust developers");
MODULE_DESCRIPTION("Greets from Rust and from C, stitched into one module");
MODULE_VERSION("0.1.0");

/* Both are set before the module's init and are read-only from then on. */
static char whom[C_HELPER_WHOM_MAX + 1] = "world";
static u32 times = 1;

static int whom_set(const char *val, const struct kernel_param *kp)
{
	size_t len = strlen(val);

	if (len > C_HELPER_WHOM_MAX) {
		pr_err("whom: %zu bytes of text, at most %d are taken\n",
		       len, C_HELPER_WHOM_MAX);
		return -EINVAL;
	}
	if (hello_rust_count_chars((const u8 *)val, len) < 0) {
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
MODULE_PARM_DESC(whom, "Whom to greet, at most 63 bytes (default: world)");

static int times_set(const char *val, const struct kernel_param *kp)
{
	u32 n;

	if (kstrtou32(val, 0, &n) || n < 1 || n > C_HELPER_TIMES_MAX) {
		pr_err("times: not a number from 1 to %d\n", C_HELPER_TIMES_MAX);
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
MODULE_PARM_DESC(times, "How many times, from 1 to 16 (default: 1)");

/**
 * c_helper_whom() - whom to greet
 *
 * Return: NUL-terminated printable UTF-8, valid as long as the module is.
 */
const char *c_helper_whom(void)
{
	return whom;
}

/**
 * c_helper_times() - how many greetings were asked for
 *
 * Return: 1 to C_HELPER_TIMES_MAX.
 */
u32 c_helper_times(void)
{
	return times;
}

/**
 * c_helper_current() - tell which task is running, and where
 * @task: filled in; owned by the caller
 *
 * Context: Process context.
 */
void c_helper_current(struct c_helper_task *task)
{
	static_assert(C_HELPER_COMM_LEN >= TASK_COMM_LEN);

	task->pid = task_pid_nr(current);
	task->cpu = raw_smp_processor_id();
	strscpy_pad(task->comm, current->comm);
	pr_info("C, called by Rust: %s (pid %d) is running on CPU %u\n",
		task->comm, task->pid, task->cpu);
}

/**
 * c_helper_repeat() - call back into Rust, again and again
 * @times: how many times, from 1 to C_HELPER_TIMES_MAX
 * @greet: what to call
 * @context: passed on to @greet; only borrowed for the length of this call
 *
 * Context: That of @greet.
 * Return: 0, -EINVAL if @times is out of range or there is no @greet, or what
 * stopped @greet.
 */
int c_helper_repeat(u32 times, c_helper_greet_fn greet, void *context)
{
	if (!greet || times < 1 || times > C_HELPER_TIMES_MAX)
		return -EINVAL;

	pr_info("C, called by Rust: %zd characters to greet, %u time(s)\n",
		hello_rust_count_chars((const u8 *)whom, strlen(whom)), times);

	for (u32 nth = 1; nth <= times; nth++) {
		int err = greet(context, nth);

		if (err)
			return err;
	}
	return 0;
}
