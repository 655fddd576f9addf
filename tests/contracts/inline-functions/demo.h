/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEMO_H
#define DEMO_H

#include <linux/sched.h>
#include <linux/types.h>

enum demo_side {
	DEMO_LEFT = -1,
	DEMO_RIGHT = 1,
};

struct demo_pair {
	u32 a, b;
};

typedef int demo_visit(void *context, u32 nth);

u32 demo_number(void);

/* The name of a local variable may be a word of Rust. */
static inline u64 demo_half(u64 of)
{
	u64 type = of / 2;

	return type;
}

static inline struct demo_pair *demo_first(struct demo_pair *pairs, const u32 sizes[static 2])
{
	pairs->a = sizes[0] + demo_number();
	return pairs;
}

static __always_inline bool demo_each(demo_visit *visit, int (*last)(void), void *context)
{
	return !visit(context, 1) && !last();
}

static inline void demo_zero(struct demo_pair *pair)
{
	*pair = (struct demo_pair) { .b = sizeof(long double) };
}

static inline pid_t demo_pid(const struct task_struct *task)
{
	return task->pid;
}

static inline enum demo_side (demo_opposite)(enum demo_side side)
{
	return -side;
}

static inline void __noreturn demo_stop(void)
{
	for (;;)
		cpu_relax();
}

#ifndef __BINDGEN__
#include "demo_layout.h"
#endif

#endif /* DEMO_H */
