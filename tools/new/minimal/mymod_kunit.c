// SPDX-License-Identifier: GPL-2.0
/*
 * The KUnit suite of mymod.ko: calls each half with boundary values.
 */
#include <kunit/test.h>
#include <linux/limits.h>

#include "mymod_helper.h"

static void seconds(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 0, mymod_seconds(0, 100));
	KUNIT_EXPECT_EQ(test, 0, mymod_seconds(99, 100));
	KUNIT_EXPECT_EQ(test, 1, mymod_seconds(100, 100));
	KUNIT_EXPECT_EQ(test, U32_MAX, mymod_seconds(U32_MAX, 1));
}

static void seconds_without_a_result(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, U32_MAX, mymod_seconds(1, 0));
	KUNIT_EXPECT_EQ(test, U32_MAX, mymod_seconds(U64_MAX, 1));
}

static void ticks_do_not_go_back(struct kunit *test)
{
	u64 before = mymod_ticks();

	KUNIT_EXPECT_GE(test, mymod_ticks(), before);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(seconds),
	KUNIT_CASE(seconds_without_a_result),
	KUNIT_CASE(ticks_do_not_go_back),
	{}
};

static struct kunit_suite suite = {
	.name = "mymod",
	.test_cases = cases,
};

kunit_test_suites(&suite);
