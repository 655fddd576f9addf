// SPDX-License-Identifier: GPL-2.0
/*
 * insmod FILE [PARAMETERS...]: loads a kernel module, once.
 *
 * busybox's insmod tries a refused module a second time by another system call,
 * and dmesg then says everything twice. Compiled against the nolibc of the
 * kernel tree (tools/include/nolibc): a few kilobytes, no libc in the guest.
 */
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	int error;
	const char *meaning;
} meanings[] = {
	{ EEXIST, "File exists" },
	{ EINVAL, "Invalid argument" },
	{ ENOENT, "No such file or directory, or an unknown symbol: see dmesg" },
	{ ENOEXEC, "Exec format error: see dmesg" },
	{ ENOMEM, "Cannot allocate memory" },
	{ EPERM, "Operation not permitted" },
	{ EBUSY, "Device or resource busy" },
};

static int fail(const char *file, int error)
{
	const char *meaning = "see dmesg";
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(meanings); i++)
		if (meanings[i].error == error)
			meaning = meanings[i].meaning;
	fprintf(stderr, "insmod: %s: error %d: %s\n", file, error, meaning);
	return 1;
}

int main(int argc, char **argv)
{
	static char parameters[4096];
	size_t used = 0;
	int fd, i;

	if (argc < 2) {
		fprintf(stderr, "usage: insmod FILE [PARAMETER=VALUE...]\n");
		return 2;
	}
	for (i = 2; i < argc; i++) {
		size_t len = strlen(argv[i]);

		if (used + len + 2 > sizeof(parameters))
			return fail(argv[1], E2BIG);
		memcpy(parameters + used, argv[i], len);
		used += len;
		parameters[used++] = ' ';
	}

	fd = open(argv[1], O_RDONLY);
	if (fd < 0)
		return fail(argv[1], errno);
	if (syscall(__NR_finit_module, fd, parameters, 0))
		return fail(argv[1], errno);
	return 0;
}
