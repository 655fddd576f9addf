/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEMO_H
#define DEMO_H

#include <linux/cache.h>
#include <linux/types.h>
struct demo_rec {
	u8 a;
	u32 b __aligned(16);
	u64 hot ____cacheline_aligned;
	u8 c;
};
int demo_put(const struct demo_rec *r);

#ifndef __BINDGEN__
#include "demo_layout.h"
#endif

#endif /* DEMO_H */
