/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEMO_H
#define DEMO_H

#include <linux/types.h>
enum demo_mode { DEMO_OFF, DEMO_ON };
typedef enum demo_mode demo_mode_t;
typedef enum demo_way { DEMO_UP, DEMO_DOWN } demo_way_t;
typedef enum { DEMO_A, DEMO_B } demo_ab_t;
struct demo_s {
	demo_mode_t m;
	demo_way_t w[2];
	demo_ab_t ab;
};
demo_mode_t demo_put(demo_mode_t m, demo_way_t *w, demo_ab_t ab);

#ifndef __BINDGEN__
#include "demo_layout.h"
#endif

#endif /* DEMO_H */
