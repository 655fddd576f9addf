// SPDX-License-Identifier: GPL-2.0
/*
 * Counts the instructions of each loop.
 *
 * QEMU's emulator with -icount shift=0 advances the counter of cycles by one for each
 * instruction; on other machines, the numbers are times. Each loop runs twice as often
 * the second time: the difference is that of the calls alone.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/array_size.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/timex.h>

#include "rows.h"

MODULE_AUTHOR("The hello_rust developers");
MODULE_DESCRIPTION("Counts what a call between Rust and C costs");

#define TIMES	1000

#define LOOP(name) { #name, name }

static const struct {
	const char *name;
	u32 (*run)(u32 times);
} loops[] = {
	LOOP(one_object_nothing),
	LOOP(one_object_number),
	LOOP(one_object_callback),
	LOOP(one_object_errno),
	LOOP(one_object_success),
	LOOP(one_object_failure),
	LOOP(one_object_string),
	LOOP(one_object_struct),
	LOOP(two_objects_nothing),
	LOOP(two_objects_number),
	LOOP(two_objects_callback),
	LOOP(two_objects_errno),
	LOOP(two_objects_success),
	LOOP(two_objects_failure),
	LOOP(two_objects_string),
	LOOP(two_objects_struct),
	LOOP(from_rust_nothing),
	LOOP(from_rust_number),
	LOOP(from_rust_callback),
	LOOP(from_rust_errno),
	LOOP(from_rust_success),
	LOOP(from_rust_failure),
	LOOP(from_rust_string),
	LOOP(from_rust_struct),
	LOOP(to_rust_number),
};

/* An interrupt would be counted as well, and so would a task that it lets run. */
static void count(const char *name, u32 (*run)(u32 times), u32 times)
{
	unsigned long flags;
	u64 start, end;
	u32 result;

	local_irq_save(flags);
	start = get_cycles();
	result = run(times);
	end = get_cycles();
	local_irq_restore(flags);

	pr_info("%s(%u) = %u after %llu\n", name, times, result, end - start);
}

void crossing_count(void)
{
	for (int n = 0; n < ARRAY_SIZE(loops); n++) {
		count(loops[n].name, loops[n].run, TIMES);
		count(loops[n].name, loops[n].run, 2 * TIMES);
	}
}
