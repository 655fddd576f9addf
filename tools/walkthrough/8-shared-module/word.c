// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>
#include "word.h"

const char *word(void)
{
	return WORD;
}
EXPORT_SYMBOL_GPL(word);

MODULE_DESCRIPTION("Exports a word to other modules");
MODULE_LICENSE("GPL");
