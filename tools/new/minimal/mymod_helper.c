// SPDX-License-Identifier: GPL-2.0
/*
 * The C half of mymod.ko: kernel APIs that only C can use. Macros and static
 * inlines have no symbol that Rust could call, so C wraps them.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/printk.h>

#include "mymod_helper.h"

MODULE_DESCRIPTION("A module of a Rust half and a C half");

u64 mymod_ticks(void)
{
	u64 ticks = get_jiffies_64() - INITIAL_JIFFIES;

	pr_info("C: %u s since boot\n", mymod_seconds(ticks, HZ));
	return ticks;
}
