/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The loops of C. A source that defines ROW() and includes this file gets its own copy
 * of them. Each is, word for word, what crossing.rs does in Rust.
 *
 * What a call returns goes into the next one through hidden(): the compiler can neither
 * compute the loop in advance, nor unroll it, nor leave out a call, and it adds no
 * instruction. The call itself is in plain sight: the compiler may inline it.
 */
#include <linux/compiler.h>
#include <linux/string.h>
#include <linux/types.h>

#include "crossing.h"
#include "crossing_c.h"

/* The loops in the object that defines the functions of C, and those in another one. */
#define DECLARE_ROWS(by)			\
	u32 by##_nothing(u32 times);		\
	u32 by##_number(u32 times);		\
	u32 by##_callback(u32 times);		\
	u32 by##_errno(u32 times);		\
	u32 by##_success(u32 times);		\
	u32 by##_failure(u32 times);		\
	u32 by##_string(u32 times);		\
	u32 by##_struct(u32 times)

DECLARE_ROWS(one_object);
DECLARE_ROWS(two_objects);

/* From C to Rust; the rest of this direction is in the callback. */
u32 to_rust_number(u32 times);

/* A value of which the compiler knows nothing. */
static __always_inline u32 hidden(u32 value)
{
	OPTIMIZER_HIDE_VAR(value);
	return value;
}

/* Whether there are rounds left, after this one. */
static __always_inline bool again(u32 *times)
{
	*times = hidden(*times - 1);
	return *times;
}

#ifdef ROW
u32 ROW(nothing)(u32 times)
{
	do {
	} while (again(&times));
	return times;
}

u32 ROW(number)(u32 times)
{
	u32 sum = 0;

	do
		sum = hidden(crossing_c_add(sum, times));
	while (again(&times));
	return sum;
}

static int ROW(visit)(void *context, u32 number)
{
	u32 *sum = context;

	*sum += number;
	return 0;
}

u32 ROW(callback)(u32 times)
{
	u32 sum = 0;

	do
		crossing_c_visit(ROW(visit), &sum, times);
	while (again(&times));
	return sum;
}

/* Adds up the numbers of the errors. */
static __always_inline u32 ROW(errors)(u32 times, u32 number)
{
	u32 sum = 0;

	do {
		int err;

		number = hidden(number);
		err = crossing_c_check(number);
		if (err < 0)
			sum = hidden(sum - err);
	} while (again(&times));
	return sum;
}

/* Rust turns the errno into a Result: itself, and by a function of the kernel's. */
u32 ROW(errno)(u32 times)
{
	return ROW(errors)(times, 1);
}

u32 ROW(success)(u32 times)
{
	return ROW(errors)(times, 1);
}

u32 ROW(failure)(u32 times)
{
	return ROW(errors)(times, 0);
}

u32 ROW(string)(u32 times)
{
	const char *text = "crossing";
	u32 sum = 0;

	do {
		OPTIMIZER_HIDE_VAR(text);
		sum = hidden(sum + strlen(crossing_c_rest(text)));
	} while (again(&times));
	return sum;
}

u32 ROW(struct)(u32 times)
{
	struct crossing_point point = { .x = times, .y = 0 };

	do
		crossing_c_move(&point, times);
	while (again(&times));
	return point.x - point.y;
}
#endif
