/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEMO_H
#define DEMO_H

#include <linux/types.h>

enum demo_shape {
	DEMO_ROUND,
	DEMO_FLAT,
};

int demo_draw(enum demo_shape *shape);

#ifndef __BINDGEN__
#include "demo_layout.h"
#endif

#endif /* DEMO_H */
