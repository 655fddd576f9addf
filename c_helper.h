/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The contract between the two halves of hello_rust.ko.
 *
 * Every symbol and type that crosses between C and Rust is declared here, and
 * nowhere else. c_helper.c includes this file; hello_rust.rs sees it through
 * bindgen (border/border.mk). The compiler of each half checks it against this.
 */
#ifndef C_HELPER_H
#define C_HELPER_H

#include <linux/types.h>

/* Maximum length of the parameter "whom", in bytes, without the NUL. */
#define C_HELPER_WHOM_MAX	63

/* Maximum of the parameter "times"; the minimum is 1. */
#define C_HELPER_TIMES_MAX	16

/* Size of the name of a task, including the NUL. */
#define C_HELPER_COMM_LEN	16

/**
 * struct c_helper_task - the current task
 * @pid: process ID in the initial PID namespace
 * @cpu: the CPU that it was running on
 * @comm: its name, NUL-terminated
 */
struct c_helper_task {
	pid_t pid;
	u32 cpu;
	char comm[C_HELPER_COMM_LEN];
};

/**
 * typedef c_helper_greet_fn - print one greeting
 * @context: as passed to c_helper_repeat()
 * @nth: number of this greeting, from 1
 *
 * Return: 0 to continue, or a negative errno to stop.
 */
typedef int (*c_helper_greet_fn)(void *context, u32 nth);

/* Defined in C (c_helper.c), called by Rust. */
const char *c_helper_whom(void);
u32 c_helper_times(void);
void c_helper_current(struct c_helper_task *task);
int c_helper_repeat(u32 times, c_helper_greet_fn greet, void *context);

/* Defined in Rust (hello_rust.rs), called by C. */
ssize_t hello_rust_count_chars(const u8 *text, size_t len);

/* What Rust sees of the above, as assertions for the C compiler. */
#ifndef __BINDGEN__
#include "c_helper_layout.h"
#endif

#endif /* C_HELPER_H */
