// SPDX-License-Identifier: GPL-2.0
#include <asm/cpu_device_id.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/printk.h>

#include "joined.h"
#include "joined_more.h"

MODULE_DESCRIPTION("What joining a module's objects must keep");

static const struct x86_cpu_id __used joined_ids[] = {
	X86_MATCH_FEATURE(X86_FEATURE_FPU, NULL),
	{}
};
MODULE_DEVICE_TABLE(x86cpu, joined_ids);

/* The other C object has a static of this name, too. */
static u32 number_of_calls;

u32 joined_c_answer(u32 number)
{
	number_of_calls++;
	pr_info("joined: %u, call %u, %s\n", joined_asm_next(joined_twice(number)), number_of_calls,
		KBUILD_MODNAME);
	return joined_more();
}
EXPORT_SYMBOL_GPL(joined_c_answer);
