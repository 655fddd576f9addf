// SPDX-License-Identifier: GPL-2.0
#include "word.h"

const char *inside_word(void);
const char *inside_word(void)
{
	return WORD;
}
