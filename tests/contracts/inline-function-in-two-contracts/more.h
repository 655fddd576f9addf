/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MORE_H
#define MORE_H

#include <linux/types.h>

struct demo_more {
	u32 number;
};

static inline u32 demo_more(struct demo_more *more)
{
	return more->number;
}

#ifndef __BINDGEN__
#include "more_layout.h"
#endif

#endif /* MORE_H */
