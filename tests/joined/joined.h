/* SPDX-License-Identifier: GPL-2.0 */
/* The contract of joined.ko. */
#ifndef JOINED_H
#define JOINED_H

#include <linux/types.h>

/* Rust calls it, assembly calls Rust. */
static inline u32 joined_twice(u32 number)
{
	return 2 * number;
}

/* Exported, and called by Rust. */
u32 joined_c_answer(u32 number);

/* Defined in Rust, called by assembly only. */
u32 joined_rs_next(u32 number);

#ifndef __BINDGEN__
#include "joined_layout.h"
#endif

#endif /* JOINED_H */
