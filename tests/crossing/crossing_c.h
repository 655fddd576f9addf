/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What C does for its caller; one_object.c defines it.
 */
#ifndef CROSSING_C_H
#define CROSSING_C_H

#include "crossing.h"

u32 crossing_c_add(u32 a, u32 b);
int crossing_c_visit(crossing_visit_fn visit, void *context, u32 number);
int crossing_c_check(u32 number);
const char *crossing_c_rest(const char *text);
void crossing_c_move(struct crossing_point *point, u32 by);

#ifndef __BINDGEN__
#include "crossing_c_layout.h"
#endif

#endif /* CROSSING_C_H */
