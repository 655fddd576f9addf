/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/linkage.h>
#include <asm/frame.h>

/* u32 joined_asm_next(u32 number): asks Rust. */
SYM_FUNC_START(joined_asm_next)
	FRAME_BEGIN
	call	joined_rs_next
	FRAME_END
	RET
SYM_FUNC_END(joined_asm_next)
