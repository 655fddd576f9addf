/* SPDX-License-Identifier: GPL-2.0 */
/* The contract of tally.ko, which counts on all CPUs, and loses some of it. */
#ifndef TALLY_H
#define TALLY_H

#include <linux/types.h>

/**
 * struct tally - what is counted
 * @count: changed by all CPUs, although it is no atomic_t
 */
struct tally {
	u32 count;
};

/**
 * tally_on_all_cpus() - have all CPUs count at the same time
 * @tally: where to count; borrowed until this returns
 *
 * Context: May sleep.
 * Return: 0, or -ENOMEM.
 */
int tally_on_all_cpus(struct tally *tally);

/**
 * tally_add() - add 1, in Rust
 * @tally: where to count
 */
void tally_add(struct tally *tally);

#ifndef __BINDGEN__
#include "tally_layout.h"
#endif

#endif /* TALLY_H */
