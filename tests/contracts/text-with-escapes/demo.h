/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEMO_H
#define DEMO_H

#include <linux/types.h>

#define DEMO_NAME "a\tb\x01\"c"
#define DEMO_ERROR -22
#define DEMO_ALL 0xffffffffffffffffULL

int demo_count(u32 nth);

#ifndef __BINDGEN__
#include "demo_layout.h"
#endif

#endif /* DEMO_H */
