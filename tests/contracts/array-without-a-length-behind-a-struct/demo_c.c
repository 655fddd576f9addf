// SPDX-License-Identifier: GPL-2.0
#include "demo.h"

int demo_length(struct demo_frame *frame)
{
	return frame ? frame->length : 0;
}
