// SPDX-License-Identifier: GPL-2.0
/*
 * The C half of hello_rust.ko: kernel APIs that only C can use.
 *
 * Macros and static inlines ("current", module_param_cb()) have no symbol that
 * Rust could call, so C wraps them. The same applies to author, version and
 * string parameters, which module! does not support on every kernel.
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
MODULE_DESCRIPTION("Greets from Rust and from C, linked into one module");
MODULE_VERSION("0.1.0");

/* Set before the module's init runs, and read-only from then on. */
static char whom[C_HELPER_WHOM_MAX + 1] = "world";
static u32 times = 1;

static int whom_set(const char *val, const struct kernel_param *kp)
{
	size_t len = strlen(val);

	if (len > C_HELPER_WHOM_MAX) {
		pr_err("whom: too long (%zu bytes, maximum %d)\n",
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
MODULE_PARM_DESC(whom, "Name to greet, at most 63 bytes (default: world)");

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
MODULE_PARM_DESC(times, "Number of greetings, from 1 to 16 (default: 1)");

/**
 * c_helper_whom() - get the name to greet
 *
 * Return: NUL-terminated printable UTF-8, valid as long as the module is loaded.
 */
const char *c_helper_whom(void)
{
	return whom;
}

/**
 * c_helper_times() - get the number of greetings
 *
 * Return: 1 to C_HELPER_TIMES_MAX.
 */
u32 c_helper_times(void)
{
	return times;
}

/**
 * c_helper_current() - describe the current task
 * @task: filled in; owned by the caller
 *
 * Context: Process context.
 */
void c_helper_current(struct c_helper_task *task)
{
	static_assert(C_HELPER_COMM_LEN >= TASK_COMM_LEN);

	task->pid = task_pid_nr(current);
	task->cpu = raw_smp_processor_id();
	memcpy(task->comm, current->comm, TASK_COMM_LEN);
	pr_info("C, called by Rust: %s (pid %d) is running on CPU %u\n",
		task->comm, task->pid, task->cpu);
}

/**
 * c_helper_repeat() - call a function of Rust repeatedly
 * @times: number of calls, from 1 to C_HELPER_TIMES_MAX
 * @greet: function to call
 * @context: passed to @greet; only borrowed for the duration of this call
 *
 * Context: That of @greet.
 * Return: 0 on success, -EINVAL if @times is out of range or @greet is NULL, or
 * the first error that @greet returns.
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
