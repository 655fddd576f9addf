/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest of a few bytes, as firmware: it executes an instruction of SSE, and ends QEMU through
 * isa-debug-exit. Where KVM has no processor that can run guests, as in a virtual machine that nests
 * none, KVM emulates each instruction itself, and knows none of SSE.
 *
 * In protected mode, since older processors leave real mode to KVM's emulator.
 */
	.code16
	.text
	/* These 64 kB end at 4 GB. */
	base = 0xffff0000
rom:
	.org	0xff00
start:
	lgdtl	%cs:(table - rom)
	movl	%cr0, %eax
	orb	$1, %al			/* PE */
	movl	%eax, %cr0
	ljmpl	$8, $(base + protected - rom)

	.code32
protected:
	movl	%cr4, %eax
	orl	$0x200, %eax		/* OSFXSR */
	movl	%eax, %cr4
	pxor	%xmm0, %xmm0
	movb	$STATUS, %al
	outb	%al, $PORT
1:	hlt
	jmp	1b

	.balign	8
segments:
	.quad	0
	.quad	0x00cf9b000000ffff	/* code, flat */
table:
	.word	. - segments - 1
	.long	base + segments - rom

	.code16
	/* Where the processor starts. */
	.org	0xfff0
	jmp	start
	.org	0x10000
