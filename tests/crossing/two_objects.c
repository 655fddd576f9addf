// SPDX-License-Identifier: GPL-2.0
/*
 * Loops that call what is in another object: of C, and of Rust.
 */
#define ROW(name) two_objects_##name

#include "rows.h"

u32 to_rust_number(u32 times)
{
	u32 sum = 0;

	do
		sum = hidden(crossing_rs_add(sum, times));
	while (again(&times));
	return sum;
}
