/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEMO_H
#define DEMO_H

#include <linux/types.h>

u32 __attribute__((ms_abi)) demo_sum(u32 one, u64 other);

#ifndef __BINDGEN__
#include "demo_layout.h"
#endif

#endif /* DEMO_H */
