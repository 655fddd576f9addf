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

/* LLVM's own constants and lists, with its names. */
#include "InstrProfData.inc"

enum value_kind {
#define VALUE_PROF_KIND(enumerator, value, description) enumerator = value,
#include "InstrProfData.inc"
};

struct raw_header {
#define INSTR_PROF_RAW_HEADER(type, name, initializer) type name;
#include "InstrProfData.inc"
};

struct raw_data {
#define IntPtrT void *
#define INSTR_PROF_DATA(type, llvm_type, name, initializer) type name;
#include "InstrProfData.inc"
};

/* A section in the memory of a module. */
struct section {
	const void *start;
	size_t size;
};

struct sections {
	struct section counters, data, names;
};

/* A module that has been loaded. */
struct record {
	struct list_head list;
	/* Where it counts, while it is loaded. */
	const struct module *module;
	struct section counters;
	/* What it has counted when it was loaded before. */
	u64 *sums;
	struct raw_header header;
	void *data, *names;
};

static LIST_HEAD(records);
static DEFINE_MUTEX(lock);

/* The lab's linker script defines these. */
#define START	"__start_"
#define STOP	"__stop_"

/* The address of a symbol: until init is over, a module has the names of all its symbols. */
static unsigned long address_of(const struct module *module, const char *prefix,
				const char *section)
{
	const struct mod_kallsyms *kallsyms;
	unsigned long address = 0;

	guard(rcu)();
	kallsyms = rcu_dereference(module->kallsyms);
	for (unsigned int i = 1; i < kallsyms->num_symtab; i++) {
		const Elf_Sym *symbol = &kallsyms->symtab[i];
		const char *name = kallsyms->strtab + symbol->st_name;
		size_t length = str_has_prefix(name, prefix);

		if (length && !strcmp(name + length, section))
			address = symbol->st_value;
	}
	return address;
}

static struct section section_of(const struct module *module, const char *name)
{
	unsigned long start = address_of(module, START, name);

	return (struct section) {
		.start = (void *)start,
		.size = address_of(module, STOP, name) - start,
	};
}

static void free_record(struct record *record)
{
	kvfree(record->sums);
	kvfree(record->data);
	kvfree(record->names);
	kfree(record);
}

/* As compiler-rt's profile library writes it. */
static void describe(struct raw_header *header, const struct sections *found)
{
	header->Magic = INSTR_PROF_RAW_MAGIC_64;
	header->Version = INSTR_PROF_RAW_VERSION;
	header->NumData = found->data.size / sizeof(struct raw_data);
	header->NumCounters = found->counters.size / sizeof(u64);
	header->NamesSize = found->names.size;
	/* From the data to the counters: those addresses are relative. */
	header->CountersDelta = (u64)found->counters.start - (u64)found->data.start;
	header->NamesDelta = (u64)found->names.start;
	header->ValueKindLast = IPVK_Last;
}

static struct record *new_record(const struct sections *found)
{
	struct record *record = kzalloc(sizeof(*record), GFP_KERNEL);

	if (!record)
		return NULL;
	record->sums = kvzalloc(found->counters.size, GFP_KERNEL);
	record->data = kvmemdup(found->data.start, found->data.size, GFP_KERNEL);
	record->names = kvmemdup(found->names.start, found->names.size, GFP_KERNEL);
	if (!record->sums || !record->data || !record->names) {
		free_record(record);
		return NULL;
	}
	describe(&record->header, found);
	list_add_tail(&record->list, &records);
	return record;
}

/* The names are those of its functions, and so tell which module it is. */
static struct record *record_of(const struct sections *found)
{
	struct record *record;

	list_for_each_entry(record, &records, list)
		if (record->header.NumCounters == found->counters.size / sizeof(u64) &&
		    record->header.NamesSize == found->names.size &&
		    !memcmp(record->names, found->names.start, found->names.size))
			return record;
	return new_record(found);
}

static int module_comes(const struct module *module)
{
	struct sections found = {
		.counters = section_of(module, "__llvm_prf_cnts"),
		.data = section_of(module, "__llvm_prf_data"),
		.names = section_of(module, "__llvm_prf_names"),
	};
	struct record *record;

	/* It does not count. */
	if (!found.counters.size)
		return 0;
	record = record_of(&found);
	if (!record)
		return -ENOMEM;
	record->module = module;
	record->counters = found.counters;
	return 0;
}

static u64 counted(const struct record *record, size_t nth)
{
	const u64 *counters = record->counters.start;

	return record->sums[nth] + (record->module ? READ_ONCE(counters[nth]) : 0);
}

static void module_goes(const struct module *module)
{
	struct record *record;

	list_for_each_entry(record, &records, list) {
		if (record->module != module)
			continue;
		for (size_t i = 0; i < record->header.NumCounters; i++)
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

static int profile_show(struct seq_file *file, void *unused)
{
	static const char padding[sizeof(u64)];
	const struct record *record;

	guard(mutex)(&lock);
	list_for_each_entry(record, &records, list) {
		const struct raw_header *header = &record->header;

		seq_write(file, header, sizeof(*header));
		seq_write(file, record->data, header->NumData * sizeof(struct raw_data));
		for (size_t i = 0; i < header->NumCounters; i++) {
			u64 count = counted(record, i);

			seq_write(file, &count, sizeof(count));
		}
		seq_write(file, record->names, header->NamesSize);
		seq_write(file, padding, -header->NamesSize % sizeof(padding));
	}
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
