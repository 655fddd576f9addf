// SPDX-License-Identifier: GPL-2.0
/*
 * The C half of catalogue.ko: what it exports to Rust. catalogue.h documents
 * each function.
 */
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "catalogue.h"

MODULE_AUTHOR("The hello_rust developers");
MODULE_DESCRIPTION("Each kind of crossing between Rust and C, once");

atomic_t catalogue_c_calls_to_failure = ATOMIC_INIT(0);

/* A fault point: each function that can fail asks it first. */
static bool has_to_fail(void)
{
	return atomic_dec_if_positive(&catalogue_c_calls_to_failure) == 0;
}

u8 catalogue_c_next_u8(u8 number)
{
	return number < U8_MAX ? number + 1 : number;
}

s8 catalogue_c_next_s8(s8 number)
{
	return number < S8_MAX ? number + 1 : number;
}

u16 catalogue_c_next_u16(u16 number)
{
	return number < U16_MAX ? number + 1 : number;
}

s16 catalogue_c_next_s16(s16 number)
{
	return number < S16_MAX ? number + 1 : number;
}

u32 catalogue_c_next_u32(u32 number)
{
	return number < U32_MAX ? number + 1 : number;
}

s32 catalogue_c_next_s32(s32 number)
{
	return number < S32_MAX ? number + 1 : number;
}

u64 catalogue_c_next_u64(u64 number)
{
	return number < U64_MAX ? number + 1 : number;
}

s64 catalogue_c_next_s64(s64 number)
{
	return number < S64_MAX ? number + 1 : number;
}

long catalogue_c_next_long(long number)
{
	return number < LONG_MAX ? number + 1 : number;
}

size_t catalogue_c_next_size(size_t number)
{
	return number < SIZE_MAX ? number + 1 : number;
}

ssize_t catalogue_c_next_ssize(ssize_t number)
{
	return number < SSIZE_MAX ? number + 1 : number;
}

bool catalogue_c_not(bool value)
{
	return !value;
}

enum catalogue_order catalogue_c_opposite(enum catalogue_order order)
{
	switch (order) {
	case CATALOGUE_LESS:
		return CATALOGUE_GREATER;
	case CATALOGUE_EQUAL:
		return CATALOGUE_EQUAL;
	case CATALOGUE_GREATER:
		return CATALOGUE_LESS;
	default:
		return CATALOGUE_UNORDERED;
	}
}

int catalogue_c_copy(u32 *to, const u32 *from)
{
	if (has_to_fail())
		return -EIO;
	if (!to || !from)
		return -EINVAL;

	*to = *from;
	return 0;
}

const char *catalogue_c_basename(const char *path)
{
	return kbasename(path);
}

ssize_t catalogue_c_backwards(u8 *to, size_t size, const u8 *from, size_t len)
{
	if (has_to_fail())
		return -EIO;
	if (size < len)
		return -ENOSPC;

	for (size_t n = 0; n < len; n++)
		to[n] = from[len - 1 - n];
	return len;
}

int catalogue_c_grow(struct catalogue_shape *shape, const struct catalogue_point *step)
{
	struct catalogue_shape grown = *shape;
	u16 *sides = grown.extent.sides;
	bool too_large = false;

	if (has_to_fail())
		return -EIO;

	switch (grown.kind) {
	case CATALOGUE_CIRCLE:
		too_large = check_mul_overflow(grown.extent.radius, 2, &grown.extent.radius);
		break;
	case CATALOGUE_BOX:
		for (int n = 0; n < ARRAY_SIZE(grown.extent.sides); n++)
			too_large |= check_mul_overflow(sides[n], 2, &sides[n]);
		break;
	default:
		return -EINVAL;
	}
	for (int n = 0; n < ARRAY_SIZE(grown.ends); n++) {
		struct catalogue_point *end = &grown.ends[n];

		too_large |= check_add_overflow(end->layer, step->layer, &end->layer);
		too_large |= check_add_overflow(end->x, step->x, &end->x);
	}
	if (too_large)
		return -ERANGE;

	strscpy_pad(grown.grown_by, "c");
	*shape = grown;
	return 0;
}

struct task_struct *catalogue_c_current(void)
{
	return current;
}

pid_t catalogue_c_pid(struct task_struct *task)
{
	return task_pid_nr(task);
}

int catalogue_c_each(u32 count, catalogue_visit_fn visit, void *context)
{
	if (has_to_fail())
		return -EIO;
	if (!visit)
		return -EINVAL;

	for (u32 nth = 0; nth < count; nth++) {
		int err = visit(context, nth);

		if (err)
			return err;
	}
	return 0;
}

int catalogue_c_fail(int err)
{
	if (has_to_fail())
		return -EIO;
	return err;
}

/* Opaque for Rust. */
struct catalogue_c_counter {
	atomic_t counted;
	u32 step;
};

atomic_t catalogue_c_counter_live = ATOMIC_INIT(0);

struct catalogue_c_counter *catalogue_c_counter_new(u32 step)
{
	const struct catalogue_c_counter new = { .step = step };
	struct catalogue_c_counter *counter;

	if (has_to_fail())
		return ERR_PTR(-EIO);
	if (!step)
		return ERR_PTR(-EINVAL);

	counter = kmemdup(&new, sizeof(new), GFP_KERNEL);
	if (!counter)
		return ERR_PTR(-ENOMEM);

	atomic_inc(&catalogue_c_counter_live);
	return counter;
}

u32 catalogue_c_counter_next(struct catalogue_c_counter *counter)
{
	return atomic_add_return(counter->step, &counter->counted);
}

void catalogue_c_counter_free(struct catalogue_c_counter *counter)
{
	if (!counter)
		return;

	atomic_dec(&catalogue_c_counter_live);
	kfree(counter);
}

const u32 catalogue_c_powers[CATALOGUE_POWERS] = { 1, 3, 9, 27 };

int catalogue_c_rest(void)
{
	if (has_to_fail())
		return -EIO;

	might_sleep();
	cond_resched();
	return signal_pending(current) ? -EINTR : 0;
}

int catalogue_c_each_locked(u32 count, catalogue_visit_fn visit, void *context)
{
	static DEFINE_SPINLOCK(lock);
	int err;

	spin_lock(&lock);
	err = catalogue_c_each(count, visit, context);
	spin_unlock(&lock);
	return err;
}
