/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEMO_H
#define DEMO_H

#include <linux/fs.h>
#include <linux/types.h>

int demo_look(const void __user *from, void __iomem *place, struct file __rcu *file);

#ifndef __BINDGEN__
#include "demo_layout.h"
#endif

#endif /* DEMO_H */
