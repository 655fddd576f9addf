// SPDX-License-Identifier: GPL-2.0
/*
 * The KUnit suite of mymod.ko: calls Rust as the device does, with boundary values.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/limits.h>

#include "mymod_device.h"

static const u8 text[] = { 'a', 'b', 'c', 'd' };

static int set_limit(struct mymod_file *file, u32 limit)
{
	struct mymod_size size = { .limit = limit };

	return mymod_ioctl(file, MYMOD_IOC_SET, &size);
}

static void read_is_partial(struct kunit *test)
{
	u8 to[] = { 'x', 'x', 'x' };

	KUNIT_ASSERT_EQ(test, 4, mymod_write(test->priv, text, 4));
	KUNIT_EXPECT_EQ(test, 2, mymod_read(test->priv, 0, to, 2));
	KUNIT_EXPECT_MEMEQ(test, to, "abx", 3);
	KUNIT_EXPECT_EQ(test, 1, mymod_read(test->priv, 3, to, 3));
	KUNIT_EXPECT_MEMEQ(test, to, "dbx", 3);
}

static void read_ends(struct kunit *test)
{
	u8 to;

	KUNIT_EXPECT_EQ(test, 0, mymod_read(test->priv, 0, &to, 1));
	KUNIT_ASSERT_EQ(test, 4, mymod_write(test->priv, text, 4));
	KUNIT_EXPECT_EQ(test, 0, mymod_read(test->priv, 4, &to, 1));
	KUNIT_EXPECT_EQ(test, 0, mymod_read(test->priv, 5, &to, 1));
	KUNIT_EXPECT_EQ(test, 0, mymod_read(test->priv, U64_MAX, &to, 1));
	KUNIT_EXPECT_EQ(test, 0, mymod_read(test->priv, 0, &to, 0));
}

static void write_stops_at_the_limit(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, 0, set_limit(test->priv, 6));
	KUNIT_EXPECT_EQ(test, 4, mymod_write(test->priv, text, 4));
	KUNIT_EXPECT_EQ(test, 2, mymod_write(test->priv, text, 4));
	KUNIT_EXPECT_EQ(test, -ENOSPC, mymod_write(test->priv, text, 4));
	KUNIT_EXPECT_EQ(test, 0, mymod_write(test->priv, text, 0));
}

static void limits(struct kunit *test)
{
	struct mymod_size size = {};

	KUNIT_EXPECT_EQ(test, 0, mymod_ioctl(test->priv, MYMOD_IOC_GET, &size));
	KUNIT_EXPECT_EQ(test, MYMOD_LIMIT_MAX, size.limit);
	KUNIT_EXPECT_EQ(test, 0, size.used);

	KUNIT_ASSERT_EQ(test, 4, mymod_write(test->priv, text, 4));
	KUNIT_EXPECT_EQ(test, -EBUSY, set_limit(test->priv, 3));
	KUNIT_EXPECT_EQ(test, 0, set_limit(test->priv, 4));
	KUNIT_EXPECT_EQ(test, 0, set_limit(test->priv, MYMOD_LIMIT_MAX));
	KUNIT_EXPECT_EQ(test, -EINVAL, set_limit(test->priv, MYMOD_LIMIT_MAX + 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, set_limit(test->priv, U32_MAX));

	KUNIT_EXPECT_EQ(test, 0, mymod_ioctl(test->priv, MYMOD_IOC_GET, &size));
	KUNIT_EXPECT_EQ(test, MYMOD_LIMIT_MAX, size.limit);
	KUNIT_EXPECT_EQ(test, 4, size.used);
}

static void unknown_command(struct kunit *test)
{
	struct mymod_size size = {};

	KUNIT_EXPECT_EQ(test, -ENOTTY, mymod_ioctl(test->priv, 0, &size));
	KUNIT_EXPECT_EQ(test, -ENOTTY,
			mymod_ioctl(test->priv, MYMOD_IOC_SET + 1, &size));
}

static void files_are_separate(struct kunit *test)
{
	struct mymod_file *other = mymod_open();
	u8 to;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	KUNIT_EXPECT_EQ(test, 4, mymod_write(test->priv, text, 4));
	KUNIT_EXPECT_EQ(test, 0, mymod_read(other, 0, &to, 1));
	mymod_release(other);
}

static int open_file(struct kunit *test)
{
	test->priv = mymod_open();
	return PTR_ERR_OR_ZERO(test->priv);
}

static void release_file(struct kunit *test)
{
	if (!IS_ERR_OR_NULL(test->priv))
		mymod_release(test->priv);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(read_is_partial),
	KUNIT_CASE(read_ends),
	KUNIT_CASE(write_stops_at_the_limit),
	KUNIT_CASE(limits),
	KUNIT_CASE(unknown_command),
	KUNIT_CASE(files_are_separate),
	{}
};

static struct kunit_suite suite = {
	.name = "mymod",
	.init = open_file,
	.exit = release_file,
	.test_cases = cases,
};

kunit_test_suites(&suite);
