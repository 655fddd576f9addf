// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/srcu.h>
#pragma pack(4)
#include <linux/notifier.h>
#pragma pack()

#include "demo.h"

int demo_priority(const struct notifier_block *block)
{
	return block->priority;
}
