/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEMO_H
#define DEMO_H

#include <linux/types.h>
struct demo_dev {
	u8 kind;
	struct demo_inner {
		u32 a;
		u8 b;
	} first;
	enum demo_way { DEMO_UP, DEMO_DOWN } way;
};
int demo_put(struct demo_dev *d);

#ifndef __BINDGEN__
#include "demo_layout.h"
#endif

#endif /* DEMO_H */
