/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEMO_H
#define DEMO_H

#include <linux/types.h>

typedef int (*demo_stop_fn)(void);

struct demo_ops {
	int (*start[4])(void *context, const char *name);
	demo_stop_fn (*pick)(int nth);
	const u8 *const *names;
	void *const owner;
};

int demo_run(const struct demo_ops *ops);

#ifndef __BINDGEN__
#include "demo_layout.h"
#endif

#endif /* DEMO_H */
