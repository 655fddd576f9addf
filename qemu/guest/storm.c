// SPDX-License-Identifier: GPL-2.0
/*
 * storm SECONDS ROUNDS LIST...: takes the steps of the lists, one task for each list, all at
 * the same time; each list as often as there are rounds, or until the seconds are over.
 *
 * A list has steps, each of which ends with a NUL byte: a number, a word, a module or a
 * file, and the parameters of the module, with a blank between them. The words:
 *
 *	load		loads /NAME.ko
 *	unload		unloads it
 *	read		reads a file to its end
 *	starve_load	loads it again and again. The first time, the first allocation
 *			fails, then the second, until there is none left to fail
 *	starve_unload	the same for unloading
 *
 * Each step is announced in the kernel's log, and so in order with what the kernel says
 * about it. At its end, the program prints how often steps ended with which error, and the
 * number of the first one that did: "load 22 3023 4".
 *
 * Compiled against the nolibc of the kernel tree, like init.c: a shell would take most of
 * the time for itself.
 */
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* More than any module allocates: then something does not let the counter run down. */
#define MOST_ALLOCATIONS 10000

struct step {
	const char *line, *word, *params;
	char number[32], name[256];
	/* Open already: opening it allocates, too. */
	int module;
};

static struct {
	const char *word;
	int error;
	unsigned long times;
	long first;
} results[64];

static time_t deadline;
static int kmsg, fail_nth;

static void fail(const char *what, const char *which)
{
	fprintf(stderr, "storm: cannot %s %s: error %d\n", what, which, errno);
	exit(1);
}

/* Into the kernel's log, as a warning, which gets to the console. One write is one line. */
static void say(const char *step, const char *more, const char *number)
{
	char line[512] = "<4>storm: ";

	strlcat(line, step, sizeof(line));
	strlcat(line, more, sizeof(line));
	strlcat(line, number, sizeof(line));
	write(kmsg, line, strlen(line));
}

static void count(const struct step *step, const char *word, int error)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(results) - 1 && results[i].times; i++)
		if (results[i].error == error && !strcmp(results[i].word, word))
			break;
	if (!results[i].times) {
		results[i].word = word;
		results[i].error = error;
		results[i].first = atol(step->number);
	}
	results[i].times++;
}

/* All tasks print to the same port: one write is one line. */
static void print_results(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(results) && results[i].times; i++) {
		char line[128] = "";

		strlcat(line, results[i].word, sizeof(line));
		strlcat(line, " ", sizeof(line));
		strlcat(line, itoa(results[i].error), sizeof(line));
		strlcat(line, " ", sizeof(line));
		strlcat(line, utoa(results[i].times), sizeof(line));
		strlcat(line, " ", sizeof(line));
		strlcat(line, itoa(results[i].first), sizeof(line));
		strlcat(line, "\n", sizeof(line));
		write(STDOUT_FILENO, line, strlen(line));
	}
}

/* Each of these returns 0 or the error. */

static int load(const struct step *step)
{
	return syscall(__NR_finit_module, step->module, step->params, 0) ? errno : 0;
}

static int unload(const struct step *step)
{
	return syscall(__NR_delete_module, step->name, O_NONBLOCK) ? errno : 0;
}

static int read_file(const struct step *step)
{
	char content[256];
	int fd = open(step->name, O_RDONLY), error = 0;
	ssize_t got;

	if (fd < 0)
		return errno;
	while ((got = read(fd, content, sizeof(content))) > 0)
		;
	if (got < 0)
		error = errno;
	close(fd);
	return error;
}

/* Of this task's next allocations, the nth will fail. */
static void let_fail(int nth)
{
	const char *text = itoa(nth);

	if (write(fail_nth, text, strlen(text)) < 0)
		fail("write", "/proc/thread-self/fail-nth");
}

/* Whether it has failed. No more of them will. */
static int has_failed(void)
{
	char left[16] = "";

	if (syscall(__NR_pread64, fail_nth, left, sizeof(left) - 1, 0) <= 0)
		fail("read", "/proc/thread-self/fail-nth");
	let_fail(0);
	return atol(left) == 0;
}

/* Lets the allocations of an action fail, one in each turn; undoes the action if it succeeds. */
static int starve(const struct step *step, int (*act)(const struct step *),
		  int (*undo)(const struct step *), const char *undo_word)
{
	int nth, endless = ELOOP;

	for (nth = 1; nth < MOST_ALLOCATIONS; nth++) {
		int error, has;

		say(step->line, ": allocation ", itoa(nth));
		let_fail(nth);
		error = act(step);
		has = has_failed();
		if (!has)
			return error;
		count(step, step->word, error);
		/* Whatever has failed, the same now works. */
		if (error)
			count(step, "again", act(step));
		count(step, undo_word, undo(step));
	}
	return endless;
}

static int starve_load(const struct step *step)
{
	return starve(step, load, unload, "unload");
}

static int starve_unload(const struct step *step)
{
	return starve(step, unload, load, "load");
}

static const struct {
	const char *word;
	int (*act)(const struct step *step);
} actions[] = {
	{ "load", load },
	{ "unload", unload },
	{ "read", read_file },
	{ "starve_load", starve_load },
	{ "starve_unload", starve_unload },
};

/* Copies a word, and returns what comes after it and its blank. */
static const char *next_word(const char *text, char *word, size_t size)
{
	size_t length = 0;

	for (; *text && *text != ' '; text++)
		if (length < size - 1)
			word[length++] = *text;
	word[length] = '\0';
	return *text ? text + 1 : text;
}

static void take(const char *line)
{
	struct step step = { .line = line };
	char word[32], file[sizeof(step.name) + 8] = "/";
	unsigned int i;

	step.params = next_word(line, step.number, sizeof(step.number));
	step.params = next_word(step.params, word, sizeof(word));
	step.params = next_word(step.params, step.name, sizeof(step.name));
	strlcat(file, step.name, sizeof(file));
	strlcat(file, ".ko", sizeof(file));
	step.module = open(file, O_RDONLY);
	say(line, "", "");
	for (i = 0; i < ARRAY_SIZE(actions); i++)
		if (!strcmp(actions[i].word, word)) {
			step.word = actions[i].word;
			count(&step, step.word, actions[i].act(&step));
		}
	close(step.module);
}

static void take_all(const char *list, int rounds)
{
	int fd = open(list, O_RDONLY);
	struct stat about;
	const char *steps, *step;

	kmsg = open("/dev/kmsg", O_WRONLY);
	/* Not there, and not needed, where no allocation can be made to fail. */
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR);
	if (fd < 0 || kmsg < 0 || stat(list, &about))
		fail("open", "/dev/kmsg, or the list of steps");
	steps = mmap(NULL, about.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (steps == MAP_FAILED)
		fail("read", list);
	for (; rounds; rounds--)
		for (step = steps; step < steps + about.st_size; step += strlen(step) + 1) {
			if (time(NULL) >= deadline)
				return;
			take(step);
		}
}

int main(int argc, char **argv)
{
	int i, status, failed = 0;

	if (argc < 4) {
		fprintf(stderr, "usage: storm SECONDS ROUNDS LIST...\n");
		return 2;
	}
	deadline = time(NULL) + atol(argv[1]);
	for (i = 3; i < argc; i++) {
		pid_t task = fork();

		if (task < 0)
			fail("start", argv[i]);
		if (!task) {
			take_all(argv[i], atol(argv[2]));
			print_results();
			return 0;
		}
	}
	while (wait(&status) > 0)
		failed |= status;
	return failed != 0;
}
