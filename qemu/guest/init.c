// SPDX-License-Identifier: GPL-2.0
/*
 * PID 1 of the guest: mounts what the job needs, runs it, and reports its exit
 * status to the lab through a second serial port (ttyS1), so that nothing on the
 * console can be mistaken for it. With "shell" on the kernel's command line, it
 * runs a shell on the console instead.
 *
 * A shell could do all this, but needs a fork and an exec for each command, which
 * are slow under emulation. Compiled against the nolibc of the kernel tree, like
 * insmod.c.
 */
/* From include/linux/syslog.h, which is not exported to user space. */
#define SYSLOG_ACTION_CLEAR 5

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *type, *where;
	int optional;
} filesystems[] = {
	{ "proc", "/proc", 0 },
	{ "sysfs", "/sys", 0 },
	{ "devtmpfs", "/dev", 0 },
	{ "debugfs", "/sys/kernel/debug", 1 },
};

static char *environment[] = { "PATH=/bin", "HOME=/", "TERM=linux", "ENV=/job", NULL };

/* A restart does not wait until a port has sent everything. */
static void drain(int port)
{
	ioctl(port, TCSBRK, (void *)1);
}

static void end(void)
{
	drain(STDERR_FILENO);
	/* There is no ACPI to power off; QEMU exits instead of rebooting. */
	reboot(LINUX_REBOOT_CMD_RESTART);
}

/* Without a status, the lab shows the end of the console: this line. */
static void fail(const char *what, const char *which)
{
	fprintf(stderr, "init: cannot %s %s: error %d\n", what, which, errno);
	end();
	exit(1);
}

static void mount_filesystems(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(filesystems); i++) {
		const char *type = filesystems[i].type, *where = filesystems[i].where;

		if (mount(type, where, type, 0, NULL) && !filesystems[i].optional)
			fail("mount", where);
	}
}

/*
 * Starts a program with its input and its output there, and waits for its end.
 * A child that cannot become the program has the job's output, not the console:
 * it sends the error here, through a pipe that a successful exec closes.
 */
static int run(char **argv, int input, int output)
{
	int failure[2], status;
	pid_t child;

	if (pipe2(failure, O_CLOEXEC))
		fail("make a pipe for", argv[0]);
	child = fork();
	if (child < 0)
		fail("start", argv[0]);
	if (!child) {
		dup2(input, STDIN_FILENO);
		dup2(output, STDOUT_FILENO);
		dup2(output, STDERR_FILENO);
		execve(argv[0], argv, environment);
		write(failure[1], &errno, sizeof(errno));
		exit(1);
	}
	close(failure[1]);
	if (read(failure[0], &errno, sizeof(errno)) > 0)
		fail("run", argv[0]);
	close(failure[0]);
	if (waitpid(child, &status, 0) < 0)
		fail("wait for", argv[0]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void run_job(void)
{
	int null = open("/dev/null", O_RDONLY);
	int answer = open("/dev/ttyS1", O_WRONLY | O_NOCTTY);
	int status;

	if (null < 0)
		fail("open", "/dev/null");
	if (answer < 0)
		fail("open", "/dev/ttyS1");
	/* What dmesg has from here on is the job's own doing. */
	syscall(__NR_syslog, SYSLOG_ACTION_CLEAR, NULL, 0);
	status = run((char *[]){ "/bin/sh", "/job", NULL }, null, answer);
	dup2(answer, STDOUT_FILENO);
	printf("lab: the job ended with %d\n", status);
	drain(answer);
}

static void run_shell(void)
{
	/* A session and a terminal of its own, for Ctrl-C and job control. */
	run((char *[]){ "/bin/setsid", "cttyhack", "sh", "-i", NULL }, STDIN_FILENO, STDOUT_FILENO);
}

int main(int argc, char **argv)
{
	mount_filesystems();
	if (argc > 1 && !strcmp(argv[argc - 1], "shell"))
		run_shell();
	else
		run_job();
	end();
	return 1;
}
