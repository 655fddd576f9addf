/* SPDX-License-Identifier: GPL-2.0 */
/* What the C objects and the assembly of joined.ko share. */
#ifndef JOINED_MORE_H
#define JOINED_MORE_H

#include <linux/types.h>

/* Defined in joined_asm.S. */
u32 joined_asm_next(u32 number);

/* Defined in joined_more.c. */
u32 joined_more(void);

#endif /* JOINED_MORE_H */
