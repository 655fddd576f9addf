/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEMO_H
#define DEMO_H

#include "shapes.h"

int demo_draw(struct demo_point *point);

#ifndef __BINDGEN__
#include "demo_layout.h"
#endif

#endif /* DEMO_H */
