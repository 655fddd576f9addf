/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/linkage.h>

SYM_FUNC_START(demo_fast)
	leaq 1(%rdi), %rax
	RET
SYM_FUNC_END(demo_fast)
