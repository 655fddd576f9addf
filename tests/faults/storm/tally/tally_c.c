// SPDX-License-Identifier: GPL-2.0
/* The C half of tally.ko: the CPUs. */
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "tally.h"

MODULE_DESCRIPTION("Counts on all CPUs, and loses some of it");

#define TIMES	100000

struct counter {
	struct work_struct work;
	struct tally *tally;
};

static void count(struct work_struct *work)
{
	struct counter *counter = container_of(work, struct counter, work);

	for (int n = 0; n < TIMES; n++)
		tally_add(counter->tally);
}

int tally_on_all_cpus(struct tally *tally)
{
	struct counter *counters = kcalloc(nr_cpu_ids, sizeof(*counters), GFP_KERNEL);
	unsigned int cpu;

	if (!counters)
		return -ENOMEM;

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		counters[cpu].tally = tally;
		INIT_WORK(&counters[cpu].work, count);
		schedule_work_on(cpu, &counters[cpu].work);
	}
	for_each_online_cpu(cpu)
		flush_work(&counters[cpu].work);
	cpus_read_unlock();
	kfree(counters);
	return 0;
}
