/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEMO_H
#define DEMO_H

#include <linux/types.h>
typedef u64 demo_t __attribute__((aligned(4)));
struct demo_s {
	u32 a;
	demo_t b;
};
int demo_put(struct demo_s *n);

#ifndef __BINDGEN__
#include "demo_layout.h"
#endif

#endif /* DEMO_H */
