/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the KUnit suite, which is in C, calls in Rust: functions that call the C
 * half as the module's Rust half does, and return what they received.
 */
#ifndef KUNIT_H
#define KUNIT_H

#include <linux/types.h>

int kunit_rs_repeat(u32 times, u32 stop_at, int stop_with, u32 *called);
int kunit_rs_repeat_null(void);
int kunit_rs_current(int *pid, u32 *cpu, char *comm, size_t size);
ssize_t kunit_rs_whom(char *whom, size_t size);
u32 kunit_rs_times(void);

#ifndef __BINDGEN__
#include "kunit_layout.h"
#endif

#endif /* KUNIT_H */
