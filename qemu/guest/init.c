// SPDX-License-Identifier: GPL-2.0
/*
 * PID 1 of the guest: mounts what the job needs, gets the job, runs it, and reports
 * its exit status to the lab through a second serial port (PORT), so that nothing
 * on the console can be mistaken for it. With "shell" on the kernel's command line,
 * it runs a shell on the console instead.
 *
 * A guest boots while its module is still being built. What it needs for the job
 * then comes as a second initramfs, through memory that it shares with the lab: a
 * serial port takes 10 us for each byte under emulation.
 *
 * A shell could do all this, but needs a fork and an exec for each command, which
 * are slow under emulation. Compiled against the nolibc of the kernel tree, like
 * insmod.c.
 */
#include <linux/termios.h>

/* From include/linux/syslog.h, which is not exported to user space. */
#define SYSLOG_ACTION_CLEAR 5

/* Of the memory that had the initramfs at the start, the end is for the job, as in channel.rs. */
#define WINDOW (256 * 1024)

/* The format of an initramfs: a header in hexadecimal digits, the name, the content. */
#define HEADER 110
#define ALIGNMENT 4
enum { MODE = 1, SIZE = 6, NAME_SIZE = 11 };

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

static struct {
	int memory;
	off_t start;
	size_t unread;
} window;

static void open_window(void)
{
	static const char memory[] = "/sys/firmware/initrd";
	struct stat about;

	window.memory = open(memory, O_RDONLY);
	if (window.memory < 0 || stat(memory, &about) || about.st_size < WINDOW)
		fail("open", memory);
	window.start = about.st_size - WINDOW;
}

/* Asks the lab by a byte to put the next part there. It answers by a byte. */
static void fill_window(void)
{
	char byte;

	printf("\n");
	if (read(STDOUT_FILENO, &byte, 1) != 1)
		fail("read", PORT);
	lseek(window.memory, window.start, SEEK_SET);
	window.unread = WINDOW;
}

static void receive(char *to, size_t size)
{
	ssize_t got;

	for (; size; size -= got, to += got, window.unread -= got) {
		if (!window.unread)
			fill_window();
		got = read(window.memory, to, size < window.unread ? size : window.unread);
		if (got <= 0)
			fail("read", "the job");
	}
}

static unsigned long field(const char *header, int nth)
{
	char digits[9] = "";

	memcpy(digits, header + 6 + 8 * nth, 8);
	return strtoul(digits, NULL, 16);
}

static void skip_padding(size_t after)
{
	char padding[ALIGNMENT];

	receive(padding, -after % ALIGNMENT);
}

static void receive_file(const char *name, mode_t mode, size_t size)
{
	static char content[4096];
	size_t left, length;
	int file;

	/* A link is replaced, not followed. */
	unlink(name);
	file = open(name, O_WRONLY | O_CREAT | O_EXCL, mode);
	if (file < 0)
		fail("make", name);
	for (left = size; left; left -= length) {
		length = left < sizeof(content) ? left : sizeof(content);
		receive(content, length);
		if (write(file, content, length) != (ssize_t)length)
			fail("write", name);
	}
	close(file);
}

static void receive_job(void)
{
	static char header[HEADER], name[PATH_MAX];
	mode_t mask = umask(0);

	open_window();
	for (;;) {
		size_t size, name_size;
		mode_t mode;

		receive(header, HEADER);
		mode = field(header, MODE);
		size = field(header, SIZE);
		name_size = field(header, NAME_SIZE);
		if (name_size > sizeof(name))
			fail("receive", "a file with a name of that length");
		receive(name, name_size);
		skip_padding(HEADER + name_size);
		if (!strcmp(name, "TRAILER!!!"))
			break;
		if (!S_ISDIR(mode))
			receive_file(name, mode & 07777, size);
		else if (mkdir(name, mode & 07777) && errno != EEXIST)
			fail("make", name);
		skip_padding(size);
	}
	close(window.memory);
	umask(mask);
}

static void open_port(void)
{
	struct termios raw = { .c_cflag = CS8 | CREAD | CLOCAL | B115200, .c_cc[VMIN] = 1 };
	int port = open(PORT, O_RDWR | O_NOCTTY);

	if (port < 0 || ioctl(port, TCSETS, &raw) || dup2(port, STDOUT_FILENO) < 0)
		fail("open", PORT);
	close(port);
}

static void run_job(void)
{
	int null = open("/dev/null", O_RDONLY);
	struct stat job;
	int status;

	if (null < 0)
		fail("open", "/dev/null");
	open_port();
	if (stat("/job", &job))
		receive_job();
	/* What dmesg has from here on is the job's own doing. */
	syscall(__NR_syslog, SYSLOG_ACTION_CLEAR, NULL, 0);
	status = run((char *[]){ "/bin/sh", "/job", NULL }, null, STDOUT_FILENO);
	printf("lab: the job ended with %d\n", status);
	drain(STDOUT_FILENO);
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
