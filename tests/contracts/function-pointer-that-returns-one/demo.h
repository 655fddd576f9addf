/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEMO_H
#define DEMO_H

#include <linux/types.h>

struct demo_ops {
	int (*(*pick)(int nth))(void);
};

int demo_run(const struct demo_ops *ops);

#ifndef __BINDGEN__
#include "demo_layout.h"
#endif

#endif /* DEMO_H */
