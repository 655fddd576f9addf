/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What LLVM's counters are written as, for llvm-profdata: a header, the data of
 * each function, all counters, and the names of the functions. The lists and their
 * names are LLVM's own, in InstrProfData.inc of the clang that compiles this.
 */
#ifndef LLVM_PROFILE_H
#define LLVM_PROFILE_H

#include <linux/types.h>

/* The constants. */
#include "InstrProfData.inc"

enum llvm_value_kind {
#define VALUE_PROF_KIND(enumerator, value, description) enumerator = value,
#include "InstrProfData.inc"
};

struct llvm_profile_header {
#define INSTR_PROF_RAW_HEADER(type, name, initializer) type name;
#include "InstrProfData.inc"
};

struct llvm_profile_data {
#define IntPtrT void *
#define INSTR_PROF_DATA(type, llvm_type, name, initializer) type name;
#include "InstrProfData.inc"
};

/* The three sections of a module. */
struct llvm_profile_sections {
	const struct llvm_profile_data *data;
	const u64 *counters;
	const char *names;
	size_t functions, count, names_size;
};

/* As compiler-rt's lib/profile writes it. */
static inline struct llvm_profile_header
llvm_profile_header(const struct llvm_profile_sections *of)
{
	return (struct llvm_profile_header) {
		.Magic = INSTR_PROF_RAW_MAGIC_64,
		.Version = INSTR_PROF_RAW_VERSION,
		.NumData = of->functions,
		.NumCounters = of->count,
		.NamesSize = of->names_size,
		/* The data has the addresses of counters relative to itself. */
		.CountersDelta = (u64)of->counters - (u64)of->data,
		.NamesDelta = (u64)of->names,
		.ValueKindLast = IPVK_Last,
	};
}

#endif /* LLVM_PROFILE_H */
