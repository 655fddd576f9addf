/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEMO_H
#define DEMO_H

#include <linux/types.h>
typedef int demo_fn(u32 id);
struct demo_ops {
	demo_fn *start;
};
int demo_run(const struct demo_ops *ops, demo_fn *other);

#ifndef __BINDGEN__
#include "demo_layout.h"
#endif

#endif /* DEMO_H */
