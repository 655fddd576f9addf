/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The contract between the two halves of mymod.ko.
 *
 * Every symbol and type that crosses between C and Rust is declared here, and
 * nowhere else. Rust sees it through bindgen, as the module mymod_helper_h.
 */
#ifndef MYMOD_HELPER_H
#define MYMOD_HELPER_H

#include <linux/types.h>

/**
 * mymod_ticks() - get the number of timer ticks since boot
 *
 * Defined in C: get_jiffies_64() can be a static inline, which Rust cannot call.
 *
 * Return: ticks, of which the kernel counts HZ in a second.
 */
u64 mymod_ticks(void);

/**
 * mymod_seconds() - convert ticks to whole seconds
 * @ticks: ticks since boot
 * @per_second: ticks in a second
 *
 * Defined in Rust.
 *
 * Return: seconds, or U32_MAX if @per_second is 0 or the result is too large.
 */
u32 mymod_seconds(u64 ticks, u32 per_second);

/* What Rust sees of the above, as assertions for the C compiler. */
#ifndef __BINDGEN__
#include "mymod_helper_layout.h"
#endif

#endif /* MYMOD_HELPER_H */
