// SPDX-License-Identifier: GPL-2.0
/*
 * Tests /dev/mymod as programs use it. test.sh runs this where the module is loaded.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mymod_uapi.h"

#define DEVICE		"/dev/mymod"
#define WRITERS		2
#define RECORDS		1000
#define RECORD_SIZE	8

/* Prints the line and the errno of what does not hold, and fails. */
#define CHECK(holds) do { \
	if (!(holds)) { \
		fprintf(stderr, "%s:%d: %s (errno: %s)\n", __FILE__, __LINE__, #holds, \
			strerror(errno)); \
		exit(1); \
	} \
} while (0)

#define CHECK_FAILS(call, error) CHECK((call) == -1 && errno == (error))

static int open_device(void)
{
	int fd = open(DEVICE, O_RDWR);

	CHECK(fd >= 0);
	return fd;
}

static struct mymod_size size_of(int fd)
{
	struct mymod_size size;

	CHECK(ioctl(fd, MYMOD_IOC_GET, &size) == 0);
	return size;
}

static int set_limit(int fd, unsigned int limit)
{
	struct mymod_size size = { .limit = limit };

	return ioctl(fd, MYMOD_IOC_SET, &size);
}

static void what_is_written_is_read(void)
{
	int fd = open_device();
	char text[8];

	CHECK(read(fd, text, sizeof(text)) == 0);
	CHECK(write(fd, "hello", 5) == 5);
	CHECK(read(fd, text, 2) == 2 && !memcmp(text, "he", 2));
	CHECK(read(fd, text, sizeof(text)) == 3 && !memcmp(text, "llo", 3));
	CHECK(read(fd, text, sizeof(text)) == 0);
	CHECK(lseek(fd, 1, SEEK_SET) == 1);
	CHECK(read(fd, text, 1) == 1 && text[0] == 'e');
	close(fd);
}

static void two_open_files(void)
{
	int one = open_device(), other = open_device();
	char byte;

	CHECK(write(one, "1", 1) == 1);
	CHECK(read(other, &byte, 1) == 0);
	CHECK(size_of(one).used == 1 && size_of(other).used == 0);
	close(one);
	close(other);
}

static void limits(void)
{
	int fd = open_device();

	CHECK(size_of(fd).limit == MYMOD_LIMIT_MAX);
	CHECK(set_limit(fd, 3) == 0);
	CHECK(write(fd, "abcd", 4) == 3);
	CHECK_FAILS(write(fd, "d", 1), ENOSPC);
	CHECK_FAILS(set_limit(fd, 2), EBUSY);
	CHECK_FAILS(set_limit(fd, MYMOD_LIMIT_MAX + 1), EINVAL);
	CHECK(size_of(fd).limit == 3 && size_of(fd).used == 3);
	close(fd);
}

/* More than the device copies at once. */
static void as_much_as_fits(void)
{
	static char text[MYMOD_LIMIT_MAX], copy[MYMOD_LIMIT_MAX];
	size_t done = 0;
	int fd = open_device();

	for (size_t nth = 0; nth < sizeof(text); nth++)
		text[nth] = nth % 251;
	while (done < sizeof(text)) {
		ssize_t len = write(fd, text + done, sizeof(text) - done);

		CHECK(len > 0);
		done += len;
	}
	CHECK_FAILS(write(fd, "x", 1), ENOSPC);
	for (done = 0; done < sizeof(copy);) {
		ssize_t len = read(fd, copy + done, sizeof(copy) - done);

		CHECK(len > 0);
		done += len;
	}
	CHECK(!memcmp(text, copy, sizeof(text)));
	close(fd);
}

static void bad_requests(void)
{
	void *nowhere = (void *)-1;
	int fd = open_device();

	CHECK_FAILS(ioctl(fd, _IO(MYMOD_IOC_MAGIC, 99)), ENOTTY);
	CHECK_FAILS(ioctl(fd, _IOR(MYMOD_IOC_MAGIC, 0, char[9]), nowhere), ENOTTY);
	CHECK_FAILS(ioctl(fd, FIONREAD, nowhere), ENOTTY);
	CHECK_FAILS(ioctl(fd, MYMOD_IOC_GET, nowhere), EFAULT);
	CHECK_FAILS(ioctl(fd, MYMOD_IOC_SET, nowhere), EFAULT);
	CHECK_FAILS(write(fd, nowhere, 1), EFAULT);
	CHECK(write(fd, "kept", 4) == 4);
	CHECK_FAILS(read(fd, nowhere, 4), EFAULT);
	CHECK(lseek(fd, 0, SEEK_CUR) == 0);
	close(fd);
}

/* Processes that share an open file: every record is whole, and none is lost. */
static void writers_at_once(void)
{
	int fd = open_device(), status, counts[WRITERS] = {};
	char record[RECORD_SIZE];

	for (int writer = 0; writer < WRITERS; writer++) {
		pid_t child = fork();

		CHECK(child >= 0);
		if (child)
			continue;
		memset(record, 'a' + writer, sizeof(record));
		for (int nth = 0; nth < RECORDS; nth++)
			CHECK(write(fd, record, sizeof(record)) == sizeof(record));
		exit(0);
	}
	for (int writer = 0; writer < WRITERS; writer++)
		CHECK(wait(&status) > 0 && status == 0);

	while (read(fd, record, sizeof(record)) == sizeof(record)) {
		int writer = record[0] - 'a';

		CHECK(writer >= 0 && writer < WRITERS);
		for (int nth = 1; nth < RECORD_SIZE; nth++)
			CHECK(record[nth] == record[0]);
		counts[writer]++;
	}
	for (int writer = 0; writer < WRITERS; writer++)
		CHECK(counts[writer] == RECORDS);
	close(fd);
}

static const struct test {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "what is written is read", what_is_written_is_read },
	{ "two open files", two_open_files },
	{ "limits", limits },
	{ "as much as fits", as_much_as_fits },
	{ "bad requests", bad_requests },
	{ "writers at once", writers_at_once },
	{}
};

int main(void)
{
	for (const struct test *test = tests; test->run; test++) {
		test->run();
		printf("mymod_test: passed: %s\n", test->name);
	}
	return 0;
}
