/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The contract of catalogue.ko: each kind of crossing between Rust and C, once.
 *
 * catalogue_c_*() is defined in C and called by Rust, catalogue_rs_*() the
 * other way round. Where a crossing makes sense in both directions, there is a
 * pair of functions of the same type, and the comment applies to both.
 *
 * A contract cannot have bit-fields (no C compiler can assert their offsets),
 * macros that are not constants (they have no type, so C has to wrap them), or
 * variable arguments (nothing checks their types).
 */
#ifndef CATALOGUE_H
#define CATALOGUE_H

/*
 * With a mere "struct task_struct;", Rust would see a new type, not the one of
 * the kernel crate.
 */
#include <linux/sched.h>
#include <linux/types.h>

/**
 * DOC: Integers
 *
 * catalogue_*_next_T(): the number after @number, or @number if it is the
 * maximum of its type. A wrong width or sign would show at either end.
 */
u8 catalogue_c_next_u8(u8 number);
s8 catalogue_c_next_s8(s8 number);
u16 catalogue_c_next_u16(u16 number);
s16 catalogue_c_next_s16(s16 number);
u32 catalogue_c_next_u32(u32 number);
s32 catalogue_c_next_s32(s32 number);
u64 catalogue_c_next_u64(u64 number);
s64 catalogue_c_next_s64(s64 number);
long catalogue_c_next_long(long number);
size_t catalogue_c_next_size(size_t number);
ssize_t catalogue_c_next_ssize(ssize_t number);

u8 catalogue_rs_next_u8(u8 number);
s8 catalogue_rs_next_s8(s8 number);
u16 catalogue_rs_next_u16(u16 number);
s16 catalogue_rs_next_s16(s16 number);
u32 catalogue_rs_next_u32(u32 number);
s32 catalogue_rs_next_s32(s32 number);
u64 catalogue_rs_next_u64(u64 number);
s64 catalogue_rs_next_s64(s64 number);
long catalogue_rs_next_long(long number);
size_t catalogue_rs_next_size(size_t number);
ssize_t catalogue_rs_next_ssize(ssize_t number);

/**
 * catalogue_c_not() - a truth value
 * @value: true or false; any other byte is undefined behaviour in Rust, so
 * never copy untrusted bytes into a bool
 *
 * Return: the opposite.
 */
bool catalogue_c_not(bool value);
bool catalogue_rs_not(bool value);

/**
 * enum catalogue_order - how two things compare
 * @CATALOGUE_LESS: the first one is less
 * @CATALOGUE_EQUAL: they are equal
 * @CATALOGUE_GREATER: the first one is greater
 * @CATALOGUE_UNORDERED: they cannot be compared
 *
 * In C, an enum can hold any int. In Rust that would be undefined behaviour, so
 * it crosses as an integer, which is checked before it becomes an enum.
 */
enum catalogue_order {
	CATALOGUE_LESS = -1,
	CATALOGUE_EQUAL,
	CATALOGUE_GREATER,
	CATALOGUE_UNORDERED,
};

/**
 * catalogue_c_opposite() - an enum, in and out
 * @order: how a and b compare; a value that is not of the enum counts as
 * CATALOGUE_UNORDERED
 *
 * Return: how b and a compare.
 */
enum catalogue_order catalogue_c_opposite(enum catalogue_order order);
enum catalogue_order catalogue_rs_opposite(enum catalogue_order order);

/**
 * catalogue_c_copy() - pointers, const and not
 * @to: written; may equal @from
 * @from: read
 *
 * Return: 0, or -EINVAL if either is NULL.
 */
int catalogue_c_copy(u32 *to, const u32 *from);
int catalogue_rs_copy(u32 *to, const u32 *from);

/**
 * catalogue_c_basename() - NUL-terminated text, in and out
 * @path: UTF-8
 *
 * Wraps kbasename(), a static inline without a symbol.
 *
 * Return: what follows the last slash, with the lifetime of @path. The Rust
 * function returns NULL if @path is not UTF-8.
 */
const char *catalogue_c_basename(const char *path);
const char *catalogue_rs_basename(const char *path);

/**
 * catalogue_c_backwards() - a buffer and its length, in and out
 * @to: written; must not overlap @from
 * @size: size of @to, in bytes
 * @from: read; may be NULL or invalid if @len is 0
 * @len: size of @from, in bytes
 *
 * Return: the number of bytes written, which is @len, or -ENOSPC if they do not
 * fit and nothing was written.
 */
ssize_t catalogue_c_backwards(u8 *to, size_t size, const u8 *from, size_t len);
ssize_t catalogue_rs_backwards(u8 *to, size_t size, const u8 *from, size_t len);

/**
 * enum catalogue_kind - which member of union catalogue_extent is valid
 * @CATALOGUE_CIRCLE: radius
 * @CATALOGUE_BOX: sides
 */
enum catalogue_kind {
	CATALOGUE_CIRCLE,
	CATALOGUE_BOX,
};

/**
 * union catalogue_extent - the size of a shape
 * @radius: of a circle
 * @sides: of a box
 */
union catalogue_extent {
	u64 radius;
	u16 sides[2];
};

/**
 * struct catalogue_point - a struct with padding between its fields
 * @layer: higher layers hide lower ones
 * @x: distance to the right
 */
struct catalogue_point {
	s8 layer;
	s32 x;
};

/* Size of the name of a half, including the NUL. */
#define CATALOGUE_HALF_SIZE	3

/**
 * struct catalogue_shape - an enum, structs in an array, a union, text; padding
 * @kind: which member of @extent is valid
 * @ends: the outermost points
 * @extent: the size
 * @grown_by: which half enlarged it last: "c" or "rs"
 */
struct catalogue_shape {
	enum catalogue_kind kind;
	struct catalogue_point ends[2];
	union catalogue_extent extent;
	char grown_by[CATALOGUE_HALF_SIZE];
};

/**
 * catalogue_c_grow() - structs by pointer
 * @shape: its extent is doubled
 * @step: added to both of its ends; may be one of them
 *
 * Return: 0, -EINVAL if @shape is of an unknown kind, or -ERANGE if it would be
 * too large. After an error @shape is unchanged.
 */
int catalogue_c_grow(struct catalogue_shape *shape, const struct catalogue_point *step);
int catalogue_rs_grow(struct catalogue_shape *shape, const struct catalogue_point *step);

/**
 * catalogue_c_current() - a kernel type, out; wraps a macro
 *
 * Return: the current task, which is valid until it exits.
 */
struct task_struct *catalogue_c_current(void);

/**
 * catalogue_c_pid() - a kernel type, in; wraps a static inline
 * @task: any task
 *
 * Return: its process ID in the initial namespace.
 */
pid_t catalogue_c_pid(struct task_struct *task);
pid_t catalogue_rs_pid(struct task_struct *task);

/**
 * typedef catalogue_visit_fn - a callback
 * @context: as passed together with this function
 * @nth: number of this call, from 0
 *
 * Return: 0 to continue, or a negative errno to stop.
 */
typedef int (*catalogue_visit_fn)(void *context, u32 nth);

/**
 * catalogue_c_each() - a callback with its context
 * @count: number of calls
 * @visit: function to call
 * @context: passed to @visit; borrowed until this returns
 *
 * Context: That of @visit.
 * Return: 0, the first error of @visit, or -EINVAL if @visit is NULL.
 */
int catalogue_c_each(u32 count, catalogue_visit_fn visit, void *context);
int catalogue_rs_each(u32 count, catalogue_visit_fn visit, void *context);

/**
 * catalogue_c_fail() - an errno, which is a Result in Rust
 * @err: 0, or an errno from -1 to -MAX_ERRNO
 *
 * Return: @err.
 */
int catalogue_c_fail(int err);
int catalogue_rs_fail(int err);

/*
 * Makes a call of C fail, as /proc/self/fail-nth does with allocations: which
 * one, from 1, counted from now on; 0 for none. Those of functions that return an
 * errno or ERR_PTR() count, by all tasks. That call does nothing and returns -EIO.
 */
extern atomic_t catalogue_c_calls_to_failure;

/*
 * Objects that one half defines, and the other one holds through an opaque
 * pointer: both halves have a counter.
 */
struct catalogue_c_counter;
struct catalogue_rs_counter;

/**
 * catalogue_c_counter_new() - create an object for the other half to hold
 * @step: increment
 *
 * Context: May sleep, to allocate memory.
 * Return: a counter that the caller frees, or ERR_PTR(): -EINVAL if @step is 0,
 * -ENOMEM.
 */
struct catalogue_c_counter *catalogue_c_counter_new(u32 step);
struct catalogue_rs_counter *catalogue_rs_counter_new(u32 step);

/**
 * catalogue_c_counter_next() - increment a counter
 * @counter: shared: concurrent calls are allowed
 *
 * Context: Any; does not sleep.
 * Return: the new value, modulo 2^32.
 */
u32 catalogue_c_counter_next(struct catalogue_c_counter *counter);
u32 catalogue_rs_counter_next(struct catalogue_rs_counter *counter);

/**
 * catalogue_c_counter_free() - free an object, in the half that created it
 * @counter: no longer in use; NULL is ignored, as by kfree()
 *
 * Context: Any; does not sleep.
 */
void catalogue_c_counter_free(struct catalogue_c_counter *counter);
void catalogue_rs_counter_free(struct catalogue_rs_counter *counter);

/**
 * catalogue_rs_counter_live() - the number of objects
 *
 * Return: the number of Rust's counters that have not been freed. For those of
 * C, there is catalogue_c_counter_live.
 */
int catalogue_rs_counter_live(void);

/* Variable data of C, which Rust has to read as with READ_ONCE(). */
extern atomic_t catalogue_c_counter_live;

/* The length of each table. A macro that is a constant crosses, too. */
#define CATALOGUE_POWERS	4

/* Constant data: the first powers of 3, in C, and of 2, in Rust. */
extern const u32 catalogue_c_powers[CATALOGUE_POWERS];
extern const u32 CATALOGUE_RS_POWERS[CATALOGUE_POWERS];

/**
 * catalogue_c_rest() - a function that may sleep
 *
 * Context: Process context; may sleep.
 * Return: 0, or -EINTR if a signal is pending.
 */
int catalogue_c_rest(void);
int catalogue_rs_rest(void);

/**
 * catalogue_c_each_locked() - catalogue_c_each(), with a spinlock held
 * @count: number of calls
 * @visit: function to call; must not sleep
 * @context: passed to @visit; borrowed until this returns
 *
 * Context: Process context; does not sleep.
 * Return: as catalogue_c_each().
 */
int catalogue_c_each_locked(u32 count, catalogue_visit_fn visit, void *context);

/**
 * struct catalogue_check - a test that is written in Rust
 * @name: what it tests
 * @run: calls C, and returns NULL, or a message if the test fails
 *
 * Both strings are valid as long as the module is loaded.
 */
struct catalogue_check {
	const char *name;
	const char *(*run)(void);
};

#define CATALOGUE_CHECKS	14

/* Calls from Rust are tested in Rust; the KUnit suite, in C, runs these tests. */
extern const struct catalogue_check CATALOGUE_RS_CHECKS[CATALOGUE_CHECKS];

#ifndef __BINDGEN__
#include "catalogue_layout.h"
#endif

#endif /* CATALOGUE_H */
