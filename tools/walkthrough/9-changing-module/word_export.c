// SPDX-License-Identifier: GPL-2.0
/* EXPORT_SYMBOL is C's: what Rust defines is exported from here. */
#include <linux/export.h>
#include "word.h"

EXPORT_SYMBOL_GPL(word);
