/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEMO_H
#define DEMO_H

#include <linux/hrtimer_types.h>
#include <linux/types.h>

#define DEMO_MAX 4
struct core {
	u8 raw[DEMO_MAX];
};
#undef DEMO_MAX
#define DEMO_MAX 8

struct kernel {
	u32 a;
};

typedef enum hrtimer_restart demo_again;

demo_again demo_put(struct core *c, struct kernel *k, demo_again again);

#ifndef __BINDGEN__
#include "demo_layout.h"
#endif

#endif /* DEMO_H */
