// SPDX-License-Identifier: GPL-2.0
/*
 * The KUnit suite of catalogue.ko. It tests what Rust exports to C, with
 * boundary values. checks.rs tests what C exports to Rust; the last case of this
 * suite runs it.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/kstrtox.h>
#include <linux/limits.h>
#include <linux/moduleparam.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include "catalogue.h"

static DEFINE_SPINLOCK(lock);

static void rs_next_unsigned(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 1, catalogue_rs_next_u8(0));
	KUNIT_EXPECT_EQ(test, U8_MAX, catalogue_rs_next_u8(U8_MAX - 1));
	KUNIT_EXPECT_EQ(test, U8_MAX, catalogue_rs_next_u8(U8_MAX));
	KUNIT_EXPECT_EQ(test, 1, catalogue_rs_next_u16(0));
	KUNIT_EXPECT_EQ(test, U16_MAX, catalogue_rs_next_u16(U16_MAX - 1));
	KUNIT_EXPECT_EQ(test, U16_MAX, catalogue_rs_next_u16(U16_MAX));
	KUNIT_EXPECT_EQ(test, 1, catalogue_rs_next_u32(0));
	KUNIT_EXPECT_EQ(test, U32_MAX, catalogue_rs_next_u32(U32_MAX - 1));
	KUNIT_EXPECT_EQ(test, U32_MAX, catalogue_rs_next_u32(U32_MAX));
	KUNIT_EXPECT_EQ(test, 1, catalogue_rs_next_u64(0));
	KUNIT_EXPECT_EQ(test, U64_MAX, catalogue_rs_next_u64(U64_MAX - 1));
	KUNIT_EXPECT_EQ(test, U64_MAX, catalogue_rs_next_u64(U64_MAX));
	KUNIT_EXPECT_EQ(test, 1, catalogue_rs_next_size(0));
	KUNIT_EXPECT_EQ(test, SIZE_MAX, catalogue_rs_next_size(SIZE_MAX - 1));
	KUNIT_EXPECT_EQ(test, SIZE_MAX, catalogue_rs_next_size(SIZE_MAX));
}

static void rs_next_signed(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, S8_MIN + 1, catalogue_rs_next_s8(S8_MIN));
	KUNIT_EXPECT_EQ(test, 0, catalogue_rs_next_s8(-1));
	KUNIT_EXPECT_EQ(test, S8_MAX, catalogue_rs_next_s8(S8_MAX));
	KUNIT_EXPECT_EQ(test, S16_MIN + 1, catalogue_rs_next_s16(S16_MIN));
	KUNIT_EXPECT_EQ(test, 0, catalogue_rs_next_s16(-1));
	KUNIT_EXPECT_EQ(test, S16_MAX, catalogue_rs_next_s16(S16_MAX));
	KUNIT_EXPECT_EQ(test, S32_MIN + 1, catalogue_rs_next_s32(S32_MIN));
	KUNIT_EXPECT_EQ(test, 0, catalogue_rs_next_s32(-1));
	KUNIT_EXPECT_EQ(test, S32_MAX, catalogue_rs_next_s32(S32_MAX));
	KUNIT_EXPECT_EQ(test, S64_MIN + 1, catalogue_rs_next_s64(S64_MIN));
	KUNIT_EXPECT_EQ(test, 0, catalogue_rs_next_s64(-1));
	KUNIT_EXPECT_EQ(test, S64_MAX, catalogue_rs_next_s64(S64_MAX));
	KUNIT_EXPECT_EQ(test, LONG_MIN + 1, catalogue_rs_next_long(LONG_MIN));
	KUNIT_EXPECT_EQ(test, 0, catalogue_rs_next_long(-1));
	KUNIT_EXPECT_EQ(test, LONG_MAX, catalogue_rs_next_long(LONG_MAX));
	KUNIT_EXPECT_EQ(test, 0, catalogue_rs_next_ssize(-1));
	KUNIT_EXPECT_EQ(test, SSIZE_MAX, catalogue_rs_next_ssize(SSIZE_MAX - 1));
	KUNIT_EXPECT_EQ(test, SSIZE_MAX, catalogue_rs_next_ssize(SSIZE_MAX));
}

static void rs_not(struct kunit *test)
{
	/* Conversion to bool yields true, where conversion to u8 would yield 0. */
	int many = 256;

	KUNIT_EXPECT_TRUE(test, catalogue_rs_not(false));
	KUNIT_EXPECT_FALSE(test, catalogue_rs_not(true));
	KUNIT_EXPECT_FALSE(test, catalogue_rs_not(many));
}

static void rs_opposite(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, CATALOGUE_GREATER, catalogue_rs_opposite(CATALOGUE_LESS));
	KUNIT_EXPECT_EQ(test, CATALOGUE_EQUAL, catalogue_rs_opposite(CATALOGUE_EQUAL));
	KUNIT_EXPECT_EQ(test, CATALOGUE_LESS, catalogue_rs_opposite(CATALOGUE_GREATER));
	KUNIT_EXPECT_EQ(test, CATALOGUE_UNORDERED, catalogue_rs_opposite(CATALOGUE_UNORDERED));
	KUNIT_EXPECT_EQ(test, CATALOGUE_UNORDERED,
			catalogue_rs_opposite((enum catalogue_order)INT_MIN));
	KUNIT_EXPECT_EQ(test, CATALOGUE_UNORDERED,
			catalogue_rs_opposite((enum catalogue_order)INT_MAX));
}

static void rs_copy(struct kunit *test)
{
	u32 to = 0, from = U32_MAX;

	KUNIT_EXPECT_EQ(test, -EINVAL, catalogue_rs_copy(NULL, &from));
	KUNIT_EXPECT_EQ(test, -EINVAL, catalogue_rs_copy(&to, NULL));
	KUNIT_EXPECT_EQ(test, 0, to);
	KUNIT_EXPECT_EQ(test, 0, catalogue_rs_copy(&to, &from));
	KUNIT_EXPECT_EQ(test, U32_MAX, to);
	KUNIT_EXPECT_EQ(test, 0, catalogue_rs_copy(&to, &to));
	KUNIT_EXPECT_EQ(test, U32_MAX, to);
}

static void rs_basename(struct kunit *test)
{
	static const char path[] = "/a/\xc3\xb6";

	KUNIT_EXPECT_STREQ(test, "", catalogue_rs_basename(""));
	KUNIT_EXPECT_STREQ(test, "", catalogue_rs_basename("/"));
	KUNIT_EXPECT_STREQ(test, "a", catalogue_rs_basename("a"));
	KUNIT_EXPECT_STREQ(test, "", catalogue_rs_basename("a/"));
	KUNIT_EXPECT_PTR_EQ(test, path + 3, catalogue_rs_basename(path));
	KUNIT_EXPECT_NULL(test, catalogue_rs_basename("/\xff"));
}

static void rs_backwards(struct kunit *test)
{
	const u8 from[] = { 0, 0xff, '1' }, backwards[] = { '1', 0xff, 0, '.' };
	u8 to[] = "....";

	KUNIT_EXPECT_EQ(test, 0, catalogue_rs_backwards(to, 4, NULL, 0));
	KUNIT_EXPECT_EQ(test, 0, catalogue_rs_backwards(NULL, 0, NULL, 0));
	KUNIT_EXPECT_EQ(test, -ENOSPC, catalogue_rs_backwards(to, 3, "1234", 4));
	KUNIT_EXPECT_STREQ(test, "....", to);
	KUNIT_EXPECT_EQ(test, 3, catalogue_rs_backwards(to, 3, from, 3));
	KUNIT_EXPECT_MEMEQ(test, backwards, to, sizeof(backwards));
	KUNIT_EXPECT_EQ(test, 4, catalogue_rs_backwards(to, 4, "1234", 4));
	KUNIT_EXPECT_STREQ(test, "4321", to);
}

static void rs_grow_box(struct kunit *test)
{
	const struct catalogue_point furthest = { .layer = S8_MIN, .x = S32_MAX };
	struct catalogue_shape shape = {
		.kind = CATALOGUE_BOX,
		.extent.sides = { 1, 0x7fff },
	};

	KUNIT_EXPECT_EQ(test, 0, catalogue_rs_grow(&shape, &furthest));
	for (int n = 0; n < ARRAY_SIZE(shape.ends); n++) {
		KUNIT_EXPECT_EQ(test, S8_MIN, shape.ends[n].layer);
		KUNIT_EXPECT_EQ(test, S32_MAX, shape.ends[n].x);
	}
	KUNIT_EXPECT_EQ(test, 2, shape.extent.sides[0]);
	KUNIT_EXPECT_EQ(test, 0xfffe, shape.extent.sides[1]);
	KUNIT_EXPECT_STREQ(test, "rs", shape.grown_by);
}

static void rs_grow_fails(struct kunit *test)
{
	const struct catalogue_point nowhere = {};
	struct catalogue_shape shape = {
		.kind = CATALOGUE_CIRCLE,
		.ends[1] = { .layer = -1, .x = S32_MAX },
		.extent.radius = U64_MAX / 2,
	};
	const struct catalogue_shape before = shape;

	/* One of its own ends, added to both of them. */
	KUNIT_EXPECT_EQ(test, -ERANGE, catalogue_rs_grow(&shape, &shape.ends[1]));
	KUNIT_EXPECT_MEMEQ(test, &before, &shape, sizeof(shape));
	KUNIT_EXPECT_EQ(test, 0, catalogue_rs_grow(&shape, &nowhere));
	KUNIT_EXPECT_EQ(test, U64_MAX - 1, shape.extent.radius);
	KUNIT_EXPECT_EQ(test, -ERANGE, catalogue_rs_grow(&shape, &nowhere));
	KUNIT_EXPECT_EQ(test, U64_MAX - 1, shape.extent.radius);
	shape.kind = CATALOGUE_BOX + 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, catalogue_rs_grow(&shape, &nowhere));
}

static void rs_pid(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, task_pid_nr(current), catalogue_rs_pid(current));
}

struct calls {
	u32 seen;
	u32 stop_at;
	int stop_with;
};

static int count_call(void *context, u32 nth)
{
	struct calls *calls = context;

	if (nth != calls->seen++)
		return -EIO;
	return nth == calls->stop_at ? calls->stop_with : 0;
}

static void rs_each(struct kunit *test)
{
	struct calls calls = { .stop_at = 2, .stop_with = -MAX_ERRNO };

	KUNIT_EXPECT_EQ(test, -EINVAL, catalogue_rs_each(1, NULL, &calls));
	KUNIT_EXPECT_EQ(test, 0, catalogue_rs_each(0, count_call, &calls));
	KUNIT_EXPECT_EQ(test, 0, calls.seen);
	KUNIT_EXPECT_EQ(test, 0, catalogue_rs_each(2, count_call, &calls));
	KUNIT_EXPECT_EQ(test, 2, calls.seen);
	calls.seen = 0;
	KUNIT_EXPECT_EQ(test, -MAX_ERRNO, catalogue_rs_each(U32_MAX, count_call, &calls));
	KUNIT_EXPECT_EQ(test, 3, calls.seen);
}

static void rs_fail(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 0, catalogue_rs_fail(0));
	KUNIT_EXPECT_EQ(test, -1, catalogue_rs_fail(-1));
	KUNIT_EXPECT_EQ(test, -MAX_ERRNO, catalogue_rs_fail(-MAX_ERRNO));
}

static int call_c(void *context, u32 nth)
{
	*(u32 *)context = nth;
	return catalogue_c_rest();
}

/* C calls Rust, which calls C, which fails. */
static void rs_passes_failures_on(struct kunit *test)
{
	u32 last = 0;

	atomic_set(&catalogue_c_calls_to_failure, 1);
	KUNIT_EXPECT_EQ(test, -EIO, catalogue_rs_rest());
	KUNIT_EXPECT_EQ(test, 0, catalogue_rs_rest());
	atomic_set(&catalogue_c_calls_to_failure, 3);
	KUNIT_EXPECT_EQ(test, -EIO, catalogue_rs_each(U32_MAX, call_c, &last));
	KUNIT_EXPECT_EQ(test, 2, last);
	atomic_set(&catalogue_c_calls_to_failure, 0);
}

static void rs_counter(struct kunit *test)
{
	struct catalogue_rs_counter *ones, *last;
	int live = catalogue_rs_counter_live();

	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR(catalogue_rs_counter_new(0)));
	KUNIT_EXPECT_EQ(test, live, catalogue_rs_counter_live());
	ones = catalogue_rs_counter_new(1);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ones);
	last = catalogue_rs_counter_new(U32_MAX);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, last);
	KUNIT_EXPECT_EQ(test, live + 2, catalogue_rs_counter_live());
	KUNIT_EXPECT_EQ(test, 1, catalogue_rs_counter_next(ones));
	KUNIT_EXPECT_EQ(test, 2, catalogue_rs_counter_next(ones));
	KUNIT_EXPECT_EQ(test, U32_MAX, catalogue_rs_counter_next(last));
	KUNIT_EXPECT_EQ(test, U32_MAX - 1, catalogue_rs_counter_next(last));
	catalogue_rs_counter_free(ones);
	KUNIT_EXPECT_EQ(test, live + 1, catalogue_rs_counter_live());
	catalogue_rs_counter_free(last);
	catalogue_rs_counter_free(NULL);
	KUNIT_EXPECT_EQ(test, live, catalogue_rs_counter_live());
}

#define CALLS	100
#define FIRES	5

/* Who counts at the same time. */
struct crowd {
	struct catalogue_rs_counter *rs;
	struct catalogue_c_counter *c;
	struct timer_list timer;
	atomic_t calls;
	atomic_t fires;
};

struct member {
	struct work_struct work;
	struct crowd *crowd;
};

static int count_both(void *context, u32 nth)
{
	struct crowd *crowd = context;

	catalogue_rs_counter_next(crowd->rs);
	catalogue_c_counter_next(crowd->c);
	return 0;
}

static void count_often(struct crowd *crowd)
{
	catalogue_rs_each(CALLS, count_both, crowd);
	atomic_add(CALLS, &crowd->calls);
}

static void count_in_task(struct work_struct *work)
{
	struct crowd *crowd = container_of(work, struct member, work)->crowd;

	do {
		count_often(crowd);
		cond_resched();
	} while (atomic_read(&crowd->fires) < FIRES);
}

static void count_in_timer(struct timer_list *timer)
{
	struct crowd *crowd = container_of(timer, struct crowd, timer);

	count_often(crowd);
	if (atomic_inc_return(&crowd->fires) < FIRES)
		mod_timer(timer, jiffies + 1);
}

/* Callbacks on all CPUs, and in a timer, which interrupts them. */
static void rs_at_the_same_time(struct kunit *test)
{
	struct member *members = kunit_kcalloc(test, nr_cpu_ids, sizeof(*members), GFP_KERNEL);
	struct crowd *crowd = kunit_kzalloc(test, sizeof(*crowd), GFP_KERNEL);
	unsigned int cpu;
	u32 calls;

	KUNIT_ASSERT_NOT_NULL(test, members);
	KUNIT_ASSERT_NOT_NULL(test, crowd);
	crowd->rs = catalogue_rs_counter_new(1);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, crowd->rs);
	crowd->c = catalogue_c_counter_new(1);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, crowd->c);
	if (IS_ERR(crowd->c))
		goto free_rs;

	timer_setup(&crowd->timer, count_in_timer, 0);
	mod_timer(&crowd->timer, jiffies + 1);
	cpus_read_lock();
	for_each_online_cpu(cpu) {
		members[cpu].crowd = crowd;
		INIT_WORK(&members[cpu].work, count_in_task);
		schedule_work_on(cpu, &members[cpu].work);
	}
	for_each_online_cpu(cpu)
		flush_work(&members[cpu].work);
	cpus_read_unlock();
	timer_delete_sync(&crowd->timer);

	calls = atomic_read(&crowd->calls);
	KUNIT_EXPECT_EQ(test, calls + 1, catalogue_rs_counter_next(crowd->rs));
	KUNIT_EXPECT_EQ(test, calls + 1, catalogue_c_counter_next(crowd->c));
	catalogue_c_counter_free(crowd->c);
free_rs:
	catalogue_rs_counter_free(crowd->rs);
}

static void rs_powers(struct kunit *test)
{
	for (int n = 0; n < CATALOGUE_POWERS; n++)
		KUNIT_EXPECT_EQ(test, 1 << n, CATALOGUE_RS_POWERS[n]);
}

static void rs_contexts(struct kunit *test)
{
	struct catalogue_rs_counter *counter;
	u32 counted;

	KUNIT_EXPECT_EQ(test, 0, catalogue_rs_rest());
	counter = catalogue_rs_counter_new(1);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, counter);
	spin_lock(&lock);
	counted = catalogue_rs_counter_next(counter);
	catalogue_rs_counter_free(counter);
	spin_unlock(&lock);
	KUNIT_EXPECT_EQ(test, 1, counted);
}

KUNIT_ARRAY_PARAM_DESC(check, CATALOGUE_RS_CHECKS, name);

static void rust_calls_c(struct kunit *test)
{
	const struct catalogue_check *check = test->param_value;
	const char *failure = check->run() ?: "";

	KUNIT_EXPECT_STREQ(test, "", failure);
}

static struct kunit_case catalogue_cases[] = {
	KUNIT_CASE(rs_next_unsigned),
	KUNIT_CASE(rs_next_signed),
	KUNIT_CASE(rs_not),
	KUNIT_CASE(rs_opposite),
	KUNIT_CASE(rs_copy),
	KUNIT_CASE(rs_basename),
	KUNIT_CASE(rs_backwards),
	KUNIT_CASE(rs_grow_box),
	KUNIT_CASE(rs_grow_fails),
	KUNIT_CASE(rs_pid),
	KUNIT_CASE(rs_each),
	KUNIT_CASE(rs_fail),
	KUNIT_CASE(rs_passes_failures_on),
	KUNIT_CASE(rs_counter),
	KUNIT_CASE(rs_at_the_same_time),
	KUNIT_CASE(rs_powers),
	KUNIT_CASE(rs_contexts),
	KUNIT_CASE_PARAM(rust_calls_c, check_gen_params),
	{}
};

static struct kunit_suite catalogue_suite = {
	.name = "catalogue",
	.test_cases = catalogue_cases,
};

kunit_test_suites(&catalogue_suite);

/* Calls catalogue_rs_rest() in atomic context, for a debug kernel to detect. */
static int sleep_in_atomic_set(const char *val, const struct kernel_param *kp)
{
	bool enable;
	int err;

	err = kstrtobool(val, &enable);
	if (err || !enable)
		return err;

	spin_lock(&lock);
	err = catalogue_rs_rest();
	spin_unlock(&lock);
	return err;
}

static const struct kernel_param_ops sleep_in_atomic_ops = {
	.set = sleep_in_atomic_set,
};
module_param_cb(sleep_in_atomic, &sleep_in_atomic_ops, NULL, 0);
__MODULE_PARM_TYPE(sleep_in_atomic, "bool");
MODULE_PARM_DESC(sleep_in_atomic, "Sleep with a spinlock held while loading (default: no)");
