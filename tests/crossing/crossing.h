/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The contract of crossing.ko, with which `make bench-crossing` counts what a call
 * between Rust and C costs: types, what Rust defines, and what it runs. The functions of
 * C are in a contract of their own: in crossing_c.h, or in inline.h.
 */
#ifndef CROSSING_H
#define CROSSING_H

#include <linux/types.h>

/**
 * typedef crossing_visit_fn - a callback
 * @context: as passed together with this function
 * @number: any
 *
 * Return: 0, or a negative errno.
 */
typedef int (*crossing_visit_fn)(void *context, u32 number);

/**
 * struct crossing_point - a struct that crosses by pointer
 * @x: distance to the right
 * @y: distance downwards
 */
struct crossing_point {
	u32 x;
	u32 y;
};

/* The same as crossing_c_add(), in Rust. */
u32 crossing_rs_add(u32 a, u32 b);

/*
 * The loops of Rust; rows.h has those of C. Each calls a function of C this many times,
 * and returns what depends on all results. The first one calls nothing.
 */
u32 from_rust_nothing(u32 times);
u32 from_rust_number(u32 times);
u32 from_rust_callback(u32 times);
u32 from_rust_errno(u32 times);
u32 from_rust_success(u32 times);
u32 from_rust_failure(u32 times);
u32 from_rust_string(u32 times);
u32 from_rust_struct(u32 times);

/* Runs all loops, and prints how many instructions each took. */
void crossing_count(void);

#ifndef __BINDGEN__
#include "crossing_layout.h"
#endif

#endif /* CROSSING_H */
