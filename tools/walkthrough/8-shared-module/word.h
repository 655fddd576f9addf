/* SPDX-License-Identifier: GPL-2.0 */
#define WORD "hello"
const char *word(void);
