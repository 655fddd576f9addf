/* SPDX-License-Identifier: GPL-2.0 */
/* What core::str and char do for hello_rust.rs. */
#ifndef UTF8_H
#define UTF8_H

#include <linux/array_size.h>
#include <linux/errno.h>
#include <linux/types.h>

/* The forms of a character in UTF-8, by the number of continuation bytes. */
static const struct {
	u8 mask;
	u8 lead;
	u32 least;
} forms[] = {
	{ 0x80, 0x00, 0x0 },
	{ 0xe0, 0xc0, 0x80 },
	{ 0xf0, 0xe0, 0x800 },
	{ 0xf8, 0xf0, 0x10000 },
};

/* Reads one character of a string and advances; -EINVAL if it is not valid UTF-8. */
static s32 next_char(const u8 **text)
{
	u8 lead = *(*text)++;
	u32 form = 0;
	u32 c;

	while ((lead & forms[form].mask) != forms[form].lead)
		if (++form == ARRAY_SIZE(forms))
			return -EINVAL;

	c = lead & (u8)~forms[form].mask;
	for (u32 n = 0; n < form; n++) {
		/* This also stops at the NUL. */
		if ((**text & 0xc0) != 0x80)
			return -EINVAL;
		c = c << 6 | (*(*text)++ & 0x3f);
	}

	/* Overlong, a surrogate, or beyond Unicode. */
	if (c < forms[form].least || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff)
		return -EINVAL;
	return c;
}

static bool is_control(u32 c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

#endif /* UTF8_H */
