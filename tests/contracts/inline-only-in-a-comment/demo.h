/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEMO_H
#define DEMO_H

#include <linux/types.h>

/* Not inline, since Rust is to call it. */
u32 demo_number(void);

#ifndef __BINDGEN__
#include "demo_layout.h"
#endif

#endif /* DEMO_H */
