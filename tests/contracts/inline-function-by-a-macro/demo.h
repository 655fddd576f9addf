/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEMO_H
#define DEMO_H

#include <linux/types.h>

u32 demo_number(void);

#include "words.h"

DEMO_API u32 demo_half(u32 of)
{
	return of / 2;
}

#ifndef __BINDGEN__
#include "demo_layout.h"
#endif

#endif /* DEMO_H */
