// SPDX-License-Identifier: GPL-2.0
/*
 * The KUnit suite of hello_rust. It calls the functions of each half from the
 * other one, with boundary values.
 *
 * "c_to_rust" cases call Rust from here. "rust_to_c" cases have kunit_rs.rs call
 * the C half, since a call from here would prove nothing about Rust.
 */
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "c_helper.h"
#include "kunit.h"

struct text {
	const char *what;
	const char *bytes;
	size_t len;
	ssize_t characters;
};

#define TEXT(what, bytes, characters) \
	{ what, bytes, sizeof(bytes) - 1, characters }

static const struct text texts[] = {
	TEXT("empty", "", 0),
	TEXT("one-byte character", "A", 1),
	TEXT("two-byte character", "\xc3\xb6", 1),
	TEXT("four-byte character", "\xf0\x9f\xa6\x80", 1),
	TEXT("mixed", "Ada L\xc3\xb6velace", 12),
	TEXT("last printable ASCII", "~", 1),
	TEXT("DEL", "\x7f", -EINVAL),
	TEXT("line feed", "a\nb", -EINVAL),
	TEXT("embedded NUL", "a\0b", -EINVAL),
	TEXT("C1 control", "\xc2\x85", -EINVAL),
	TEXT("lone continuation byte", "\x80", -EINVAL),
	TEXT("truncated character", "\xf0\x9f\xa6", -EINVAL),
	TEXT("overlong slash", "\xc0\xaf", -EINVAL),
	TEXT("surrogate", "\xed\xa0\x80", -EINVAL),
	TEXT("beyond Unicode", "\xf4\x90\x80\x80", -EINVAL),
	TEXT("invalid byte", "\xff", -EINVAL),
};

static void text_name(const struct text *text, char *name)
{
	strscpy(name, text->what, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(text, texts, text_name);

static void c_to_rust_count_chars(struct kunit *test)
{
	const struct text *text = test->param_value;

	KUNIT_EXPECT_EQ(test, text->characters,
			hello_rust_count_chars((const u8 *)text->bytes, text->len));
}

static void c_to_rust_count_chars_reads_no_further(struct kunit *test)
{
	/* The byte after the text is invalid. */
	KUNIT_EXPECT_EQ(test, 2, hello_rust_count_chars((const u8 *)"ab\xff", 2));
}

static void c_to_rust_count_chars_of_a_page(struct kunit *test)
{
	u8 *text = kunit_kmalloc(test, PAGE_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, text);
	memset(text, 'x', PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, PAGE_SIZE, hello_rust_count_chars(text, PAGE_SIZE));
}

struct repetition {
	const char *what;
	u32 times;
	u32 stop_at;
	int stop_with;
	int result;
	u32 called;
};

static const struct repetition repetitions[] = {
	{ "none", 0, 0, 0, -EINVAL, 0 },
	{ "minimum", 1, 0, 0, 0, 1 },
	{ "maximum", C_HELPER_TIMES_MAX, 0, 0, 0, C_HELPER_TIMES_MAX },
	{ "one too many", C_HELPER_TIMES_MAX + 1, 0, 0, -EINVAL, 0 },
	{ "maximum of u32", U32_MAX, 0, 0, -EINVAL, 0 },
	{ "stopped at the start", 3, 1, -EINTR, -EINTR, 1 },
	{ "stopped at the end", 3, 3, -ENOMEM, -ENOMEM, 3 },
	{ "maximum errno", 2, 2, -MAX_ERRNO, -MAX_ERRNO, 2 },
};

static void repetition_name(const struct repetition *repetition, char *name)
{
	strscpy(name, repetition->what, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(repetition, repetitions, repetition_name);

static void rust_to_c_repeat(struct kunit *test)
{
	const struct repetition *want = test->param_value;
	u32 called = U32_MAX;

	KUNIT_EXPECT_EQ(test, want->result,
			kunit_rs_repeat(want->times, want->stop_at,
					want->stop_with, &called));
	KUNIT_EXPECT_EQ(test, want->called, called);
}

static void rust_to_c_repeat_null(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, -EINVAL, kunit_rs_repeat_null());
}

static void rust_to_c_current(struct kunit *test)
{
	char comm[C_HELPER_COMM_LEN + 1];
	u32 cpu = U32_MAX;
	int pid = -1;

	memset(comm, 'x', sizeof(comm));
	KUNIT_EXPECT_EQ(test, 0, kunit_rs_current(&pid, &cpu, comm, C_HELPER_COMM_LEN));
	KUNIT_EXPECT_EQ(test, task_pid_nr(current), pid);
	KUNIT_EXPECT_LT(test, cpu, num_possible_cpus());
	KUNIT_EXPECT_STREQ(test, current->comm, comm);
	KUNIT_EXPECT_EQ_MSG(test, 'x', comm[C_HELPER_COMM_LEN],
			    "written past the end");
}

static void rust_to_c_whom(struct kunit *test)
{
	char whom[C_HELPER_WHOM_MAX + 1];

	KUNIT_EXPECT_EQ(test, strlen(c_helper_whom()),
			kunit_rs_whom(whom, sizeof(whom)));
	KUNIT_EXPECT_STREQ(test, c_helper_whom(), whom);
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			kunit_rs_whom(whom, strlen(c_helper_whom())));
}

static void rust_to_c_times(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, c_helper_times(), kunit_rs_times());
	KUNIT_EXPECT_GE(test, kunit_rs_times(), 1);
	KUNIT_EXPECT_LE(test, kunit_rs_times(), C_HELPER_TIMES_MAX);
}

static struct kunit_case hello_rust_cases[] = {
	KUNIT_CASE_PARAM(c_to_rust_count_chars, text_gen_params),
	KUNIT_CASE(c_to_rust_count_chars_reads_no_further),
	KUNIT_CASE(c_to_rust_count_chars_of_a_page),
	KUNIT_CASE_PARAM(rust_to_c_repeat, repetition_gen_params),
	KUNIT_CASE(rust_to_c_repeat_null),
	KUNIT_CASE(rust_to_c_current),
	KUNIT_CASE(rust_to_c_whom),
	KUNIT_CASE(rust_to_c_times),
	{}
};

static struct kunit_suite hello_rust_suite = {
	.name = "hello_rust",
	.test_cases = hello_rust_cases,
};

kunit_test_suites(&hello_rust_suite);
