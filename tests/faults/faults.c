// SPDX-License-Identifier: GPL-2.0
/*
 * fault.ko commits one real fault when it is loaded: "insmod fault.ko kind=NAME".
 * The tests boot a kernel with it, and check how the lab judges the log.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bug.h>
#include <linux/completion.h>
#include <linux/irqflags.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/panic.h>
#include <linux/preempt.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "faults.h"

static char *kind = "";
module_param(kind, charp, 0);
MODULE_PARM_DESC(kind, "Which fault to commit");

static DEFINE_SPINLOCK(spin);
static DEFINE_MUTEX(one);
static DEFINE_MUTEX(two);

static void commit_panic(void)
{
	panic("fault: on request");
}

static void commit_null(void)
{
	static int *nowhere;

	WRITE_ONCE(*READ_ONCE(nowhere), 1);
}

static void commit_bug(void)
{
	BUG();
}

static void commit_warn(void)
{
	WARN(true, "fault: on request\n");
}

static void commit_rust_panic(void)
{
	pr_info("%u\n", faults_rs_prime(4));
}

static void commit_refcount(void)
{
	static refcount_t count = REFCOUNT_INIT(0);

	refcount_inc(&count);
}

static void commit_spin(void)
{
	preempt_disable();
	for (;;)
		cpu_relax();
}

static void commit_spin_irqs_off(void)
{
	local_irq_disable();
	for (;;)
		cpu_relax();
}

static void commit_sleep_forever(void)
{
	DECLARE_COMPLETION_ONSTACK(never);

	wait_for_completion(&never);
}

static void commit_schedule_atomic(void)
{
	preempt_disable();
	/* The kernel resets the preempt count, so do not enable preemption again. */
	schedule();
}

static void commit_sleep_atomic(void)
{
	spin_lock(&spin);
	kfree(kmalloc(64, GFP_KERNEL));
	spin_unlock(&spin);
}

static void lock_both(struct mutex *outer, struct mutex *inner)
{
	mutex_lock(outer);
	mutex_lock(inner);
	mutex_unlock(inner);
	mutex_unlock(outer);
}

static void commit_inversion(void)
{
	lock_both(&one, &two);
	lock_both(&two, &one);
}

static void commit_use_after_free(void)
{
	char *text = kmalloc(64, GFP_KERNEL);

	kfree(text);
	*text = 'x';
}

static void commit_bounds(void)
{
	static struct {
		int four[4];
		int fifth;
	} numbers;
	static size_t index = 4;

	numbers.four[READ_ONCE(index)] = 1;
}

static void commit_list(void)
{
	struct list_head entry;
	LIST_HEAD(list);

	list_add(&entry, &list);
	list_add_tail(&entry, &list);
}

static void commit_leak(void)
{
	int i;

	/* kmemleak may miss one of them because of a stale pointer on a stack. */
	for (i = 0; i < 16; i++)
		kmalloc(64, GFP_KERNEL);
}

static const struct fault {
	const char *name;
	void (*commit)(void);
} faults[] = {
	{ "panic", commit_panic },
	{ "null", commit_null },
	{ "bug", commit_bug },
	{ "warn", commit_warn },
	{ "rust_panic", commit_rust_panic },
	{ "refcount", commit_refcount },
	{ "spin", commit_spin },
	{ "spin_irqs_off", commit_spin_irqs_off },
	{ "sleep_forever", commit_sleep_forever },
	{ "schedule_atomic", commit_schedule_atomic },
	{ "sleep_atomic", commit_sleep_atomic },
	{ "inversion", commit_inversion },
	{ "use_after_free", commit_use_after_free },
	{ "bounds", commit_bounds },
	{ "list", commit_list },
	{ "leak", commit_leak },
};

static int __init faults_init(void)
{
	const struct fault *fault;

	for (fault = faults; fault < faults + ARRAY_SIZE(faults); fault++) {
		if (strcmp(fault->name, kind))
			continue;
		pr_notice("committing %s\n", kind);
		fault->commit();
		return 0;
	}
	pr_err("unknown fault: %s\n", kind);
	return -EINVAL;
}
module_init(faults_init);

MODULE_AUTHOR("The hello_rust developers");
MODULE_DESCRIPTION("Commits a fault, to see whether it is detected");
MODULE_LICENSE("GPL");
