// SPDX-License-Identifier: GPL-2.0
/*
 * Keeps what other modules count about themselves, for `make coverage`.
 *
 * rustc and clang give each function of such a module counters, in the section
 * __llvm_prf_cnts, and describe them in two more sections. This module finds the
 * sections when a module is loaded, and adds the counters up when it goes: after
 * its exit function, or after an init or a parameter that has failed.
 *
 * /proc/coverage is a profile for llvm-profdata: one part for each module.
 */
#include <linux/kallsyms.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/proc_fs.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "llvm_profile.h"

/* A module that has been loaded. */
struct record {
	struct list_head list;
	/* Whether it is loaded now, and counts in the memory of its sections. */
	const struct module *module;
	struct llvm_profile_sections sections;
	/* What it has counted when it was loaded before. */
	u64 *sums;
	struct llvm_profile_header header;
	/* Copies: its memory goes. */
	void *data, *names;
};

static LIST_HEAD(records);
static DEFINE_MUTEX(lock);

/*
 * The address of a symbol that the lab's linker script defines: until init is over,
 * a module has the names of all its symbols.
 */
static const void *address_of(const struct module *module, const char *symbol)
{
	const struct mod_kallsyms *kallsyms;
	const void *address = NULL;

	guard(rcu)();
	kallsyms = rcu_dereference(module->kallsyms);
	for (unsigned int i = 1; i < kallsyms->num_symtab; i++)
		if (!strcmp(kallsyms->strtab + kallsyms->symtab[i].st_name, symbol))
			address = (const void *)kallsyms->symtab[i].st_value;
	return address;
}

static struct llvm_profile_sections sections_of(const struct module *module)
{
	struct llvm_profile_sections found = {
		.data = address_of(module, "__start___llvm_prf_data"),
		.counters = address_of(module, "__start___llvm_prf_cnts"),
		.names = address_of(module, "__start___llvm_prf_names"),
	};

	found.functions = address_of(module, "__stop___llvm_prf_data") - (void *)found.data;
	found.count = (const u64 *)address_of(module, "__stop___llvm_prf_cnts") - found.counters;
	found.names_size = address_of(module, "__stop___llvm_prf_names") - (void *)found.names;
	found.functions /= sizeof(*found.data);
	return found;
}

static void free_record(struct record *record)
{
	kvfree(record->sums);
	kvfree(record->data);
	kvfree(record->names);
	kfree(record);
}

static struct record *new_record(const struct llvm_profile_sections *found)
{
	struct record *record = kzalloc(sizeof(*record), GFP_KERNEL);

	if (!record)
		return NULL;
	record->header = llvm_profile_header(found);
	record->sections = *found;
	record->sums = kvcalloc(found->count, sizeof(*record->sums), GFP_KERNEL);
	record->data = kvmemdup(found->data, found->functions * sizeof(*found->data), GFP_KERNEL);
	record->names = kvmemdup(found->names, found->names_size, GFP_KERNEL);
	if (!record->sums || !record->data || !record->names) {
		free_record(record);
		return NULL;
	}
	list_add_tail(&record->list, &records);
	return record;
}

/* The names are those of its functions, and so tell which module it is. */
static struct record *record_of(const struct llvm_profile_sections *found)
{
	struct record *record;

	list_for_each_entry(record, &records, list)
		if (record->sections.count == found->count &&
		    record->sections.names_size == found->names_size &&
		    !memcmp(record->names, found->names, found->names_size))
			return record;
	return new_record(found);
}

static int module_comes(const struct module *module)
{
	const struct llvm_profile_sections found = sections_of(module);
	struct record *record;

	/* It does not count. */
	if (!found.count)
		return 0;
	record = record_of(&found);
	if (!record)
		return -ENOMEM;
	record->module = module;
	record->sections = found;
	return 0;
}

static u64 counted(const struct record *record, size_t nth)
{
	return record->sums[nth] +
	       (record->module ? READ_ONCE(record->sections.counters[nth]) : 0);
}

static void module_goes(const struct module *module)
{
	struct record *record;

	list_for_each_entry(record, &records, list) {
		if (record->module != module)
			continue;
		for (size_t i = 0; i < record->sections.count; i++)
			record->sums[i] = counted(record, i);
		record->module = NULL;
	}
}

static int notify(struct notifier_block *block, unsigned long state, void *module)
{
	int err = 0;

	guard(mutex)(&lock);
	if (state == MODULE_STATE_COMING)
		err = module_comes(module);
	else if (state == MODULE_STATE_GOING)
		module_goes(module);
	return notifier_from_errno(err);
}

static struct notifier_block block = { .notifier_call = notify };

static void show_record(struct seq_file *file, const struct record *record)
{
	static const char padding[sizeof(u64)];
	const struct llvm_profile_sections *sections = &record->sections;

	seq_write(file, &record->header, sizeof(record->header));
	seq_write(file, record->data, sections->functions * sizeof(*sections->data));
	for (size_t i = 0; i < sections->count; i++) {
		u64 count = counted(record, i);

		seq_write(file, &count, sizeof(count));
	}
	seq_write(file, record->names, sections->names_size);
	seq_write(file, padding, -sections->names_size % sizeof(padding));
}

static int profile_show(struct seq_file *file, void *unused)
{
	const struct record *record;

	guard(mutex)(&lock);
	list_for_each_entry(record, &records, list)
		show_record(file, record);
	return 0;
}

static int __init lab_coverage_init(void)
{
	int err = register_module_notifier(&block);

	if (err)
		return err;
	if (!proc_create_single("coverage", 0400, NULL, profile_show)) {
		unregister_module_notifier(&block);
		return -ENOMEM;
	}
	return 0;
}
module_init(lab_coverage_init);

static void __exit lab_coverage_exit(void)
{
	struct record *record, *next;

	remove_proc_entry("coverage", NULL);
	unregister_module_notifier(&block);
	list_for_each_entry_safe(record, next, &records, list)
		free_record(record);
}
module_exit(lab_coverage_exit);

MODULE_DESCRIPTION("Keeps what other modules count about themselves");
MODULE_LICENSE("GPL");
