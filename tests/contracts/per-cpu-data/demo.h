/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEMO_H
#define DEMO_H

#include <linux/percpu.h>
DECLARE_PER_CPU(u32, demo_hits);
int demo_open(unsigned int id);

#ifndef __BINDGEN__
#include "demo_layout.h"
#endif

#endif /* DEMO_H */
