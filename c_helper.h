/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The contract between the two halves of hello_rust.ko.
 *
 * Whatever crosses between C and Rust is declared here, once, and nowhere
 * else. c_helper.c includes this file; hello_rust.rs sees it through bindgen
 * (border/border.mk). Each half is checked against it by its compiler.
 */
#ifndef C_HELPER_H
#define C_HELPER_H

#include <linux/types.h>

/* Longest text that the parameter "whom" takes, in bytes without the NUL. */
#define C_HELPER_WHOM_MAX	63

/* Most greetings that the parameter "times" can ask for; the fewest is 1. */
#define C_HELPER_TIMES_MAX	16

/* Room for the name of a task, its NUL included. */
#define C_HELPER_COMM_LEN	16

/**
 * struct c_helper_task - what the C half knows of the running task
 * @pid: process ID, as the initial PID namespace counts
 * @cpu: the CPU that it ran on when it was asked
 * @comm: its name, NUL-terminated
 */
struct c_helper_task {
	pid_t pid;
	u32 cpu;
	char comm[C_HELPER_COMM_LEN];
};

/**
 * typedef c_helper_greet_fn - one greeting
 * @context: what the caller of c_helper_repeat() passed to it
 * @nth: which greeting this is, from 1
 *
 * Return: 0 to go on, or -errno to stop.
 */
typedef int (*c_helper_greet_fn)(void *context, u32 nth);

/* Given by C (c_helper.c) to Rust. */
const char *c_helper_whom(void);
u32 c_helper_times(void);
void c_helper_current(struct c_helper_task *task);
int c_helper_repeat(u32 times, c_helper_greet_fn greet, void *context);

/* Given by Rust (hello_rust.rs) to C. */
ssize_t hello_rust_count_chars(const u8 *text, size_t len);

/* What Rust was told of all this, for the C compiler to confirm. */
#ifndef __BINDGEN__
#include "c_helper_layout.h"
#endif

#endif /* C_HELPER_H */
