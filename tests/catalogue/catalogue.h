/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The contract of catalogue.ko: each kind of crossing between Rust and C, once.
 *
 * catalogue_c_*() is defined in C and called by Rust, catalogue_rs_*() the
 * other way round. Where a crossing makes sense in both directions, there is a
 * pair of the same type, and what is said of the one holds for the other.
 *
 * What does not cross: bit-fields (no C compiler can assert where they are),
 * inline functions and macros that are no constants (they have no symbol, so
 * C has to wrap them), and variable arguments (nothing checks their types).
 */
#ifndef CATALOGUE_H
#define CATALOGUE_H

/*
 * struct task_struct has to be the kernel's to Rust as well. With a mere
 * "struct task_struct;" it would be another type, of this header's own.
 */
#include <linux/sched.h>
#include <linux/types.h>

/**
 * DOC: Integers
 *
 * catalogue_*_next_T(): the number after @number, or @number if it is the last
 * one of its type. A mistake about width or sign would show at either end.
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
 * @value: true or false; any other byte in its place is undefined in Rust, so
 * never copy foreign bytes into a bool
 *
 * Return: the other one.
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
 * C can put any int into an enum, but Rust must not: there it crosses as a
 * plain number, and is looked at before it becomes an enum.
 */
enum catalogue_order {
	CATALOGUE_LESS = -1,
	CATALOGUE_EQUAL,
	CATALOGUE_GREATER,
	CATALOGUE_UNORDERED,
};

/**
 * catalogue_c_opposite() - an enum, in and out
 * @order: how a and b compare; a number that is none of the enum's is as good
 * as CATALOGUE_UNORDERED
 *
 * Return: how b and a compare.
 */
enum catalogue_order catalogue_c_opposite(enum catalogue_order order);
enum catalogue_order catalogue_rs_opposite(enum catalogue_order order);

/**
 * catalogue_c_copy() - pointers: to what is only read, and to what is written
 * @to: written; may be @from
 * @from: read
 *
 * Return: 0, or -EINVAL if either is NULL.
 */
int catalogue_c_copy(u32 *to, const u32 *from);
int catalogue_rs_copy(u32 *to, const u32 *from);

/**
 * catalogue_c_basename() - text that ends with a NUL, in and out
 * @path: any such text, in UTF-8
 *
 * kbasename(), which this is, is a static inline and has no symbol.
 *
 * Return: what follows the last slash: a part of @path, which lives as long as
 * @path does. From Rust, NULL if @path is not UTF-8: then it is no str.
 */
const char *catalogue_c_basename(const char *path);
const char *catalogue_rs_basename(const char *path);

/**
 * catalogue_c_backwards() - a buffer and its length, in and out
 * @to: where to write; does not overlap @from
 * @size: room in @to, in bytes
 * @from: what to read; need not be valid, and may be NULL, if @len is 0
 * @len: bytes in @from
 *
 * Return: how many bytes were written, which is @len, or -ENOSPC if they do
 * not fit; then nothing was written.
 */
ssize_t catalogue_c_backwards(u8 *to, size_t size, const u8 *from, size_t len);
ssize_t catalogue_rs_backwards(u8 *to, size_t size, const u8 *from, size_t len);

/**
 * enum catalogue_kind - which member of union catalogue_extent counts
 * @CATALOGUE_CIRCLE: radius
 * @CATALOGUE_BOX: sides
 */
enum catalogue_kind {
	CATALOGUE_CIRCLE,
	CATALOGUE_BOX,
};

/**
 * union catalogue_extent - how large a shape is
 * @radius: of a circle
 * @sides: of a box
 */
union catalogue_extent {
	u64 radius;
	u16 sides[2];
};

/**
 * struct catalogue_point - a struct with padding between its fields
 * @layer: the upper one hides the lower one
 * @x: to the right
 */
struct catalogue_point {
	s8 layer;
	s32 x;
};

/* Room for the name of a half and its NUL. */
#define CATALOGUE_HALF_SIZE	3

/**
 * struct catalogue_shape - an enum, structs in an array, a union, text; padding
 * @kind: which member of @extent counts
 * @ends: the outermost points
 * @extent: how large it is
 * @grown_by: which half called it larger last: "c" or "rs"
 */
struct catalogue_shape {
	enum catalogue_kind kind;
	struct catalogue_point ends[2];
	union catalogue_extent extent;
	char grown_by[CATALOGUE_HALF_SIZE];
};

/**
 * catalogue_c_grow() - structs by pointer
 * @shape: doubled in extent
 * @step: what to add to both of its ends; may be one of them
 *
 * Return: 0; -EINVAL if @shape is of no kind that is known, -ERANGE if it would
 * be too large. After an error @shape is as it was.
 */
int catalogue_c_grow(struct catalogue_shape *shape, const struct catalogue_point *step);
int catalogue_rs_grow(struct catalogue_shape *shape, const struct catalogue_point *step);

/**
 * catalogue_c_current() - a type of the kernel's, out; a macro, wrapped
 *
 * Return: the running task, which lives as long as it does not end.
 */
struct task_struct *catalogue_c_current(void);

/**
 * catalogue_c_pid() - a type of the kernel's, in; a static inline, wrapped
 * @task: any task
 *
 * Return: its process ID in the initial namespace.
 */
pid_t catalogue_c_pid(struct task_struct *task);
pid_t catalogue_rs_pid(struct task_struct *task);

/**
 * typedef catalogue_visit_fn - what the other half calls back
 * @context: as it was given together with this function
 * @nth: which call this is, from 0
 *
 * Return: 0 to go on, or -errno to stop.
 */
typedef int (*catalogue_visit_fn)(void *context, u32 nth);

/**
 * catalogue_c_each() - a callback with its context
 * @count: how many calls to make
 * @visit: what to call
 * @context: passed on; borrowed until this returns
 *
 * Context: That of @visit.
 * Return: 0, what stopped @visit, or -EINVAL if there is no @visit.
 */
int catalogue_c_each(u32 count, catalogue_visit_fn visit, void *context);
int catalogue_rs_each(u32 count, catalogue_visit_fn visit, void *context);

/**
 * catalogue_c_fail() - an errno, which is a Result in Rust
 * @err: 0, or -errno: from -1 to -MAX_ERRNO
 *
 * Return: @err.
 */
int catalogue_c_fail(int err);
int catalogue_rs_fail(int err);

/*
 * Objects that one half owns, and the other one holds without knowing what is
 * in them: both halves have a counter.
 */
struct catalogue_c_counter;
struct catalogue_rs_counter;

/**
 * catalogue_c_counter_new() - an object to be held by the other half
 * @step: how far it counts each time
 *
 * Context: May sleep, to allocate memory.
 * Return: a counter that the caller frees, or ERR_PTR(): -EINVAL if @step is 0,
 * -ENOMEM.
 */
struct catalogue_c_counter *catalogue_c_counter_new(u32 step);
struct catalogue_rs_counter *catalogue_rs_counter_new(u32 step);

/**
 * catalogue_c_counter_next() - count on
 * @counter: shared: several may count with it at once
 *
 * Context: Any; does not sleep.
 * Return: what was counted so far, modulo 2^32.
 */
u32 catalogue_c_counter_next(struct catalogue_c_counter *counter);
u32 catalogue_rs_counter_next(struct catalogue_rs_counter *counter);

/**
 * catalogue_c_counter_free() - end an object, in the half that made it
 * @counter: not used by anybody any more; NULL is ignored, as by kfree()
 *
 * Context: Any; does not sleep.
 */
void catalogue_c_counter_free(struct catalogue_c_counter *counter);
void catalogue_rs_counter_free(struct catalogue_rs_counter *counter);

/**
 * catalogue_rs_counter_live() - how many objects there are
 *
 * Return: how many of Rust's counters were not freed yet. For those of C there
 * is catalogue_c_counter_live.
 */
int catalogue_rs_counter_live(void);

/* Data that changes, in C: for Rust to read as by READ_ONCE(). */
extern atomic_t catalogue_c_counter_live;

/* How many there are in each table. A macro that is a constant crosses, too. */
#define CATALOGUE_POWERS	4

/* Data that does not change: the first powers of 3, by C, and of 2, by Rust. */
extern const u32 catalogue_c_powers[CATALOGUE_POWERS];
extern const u32 CATALOGUE_RS_POWERS[CATALOGUE_POWERS];

/**
 * catalogue_c_rest() - what only code that may sleep can call
 *
 * Context: Process context; may sleep.
 * Return: 0, or -EINTR if there is a signal to look after.
 */
int catalogue_c_rest(void);
int catalogue_rs_rest(void);

/**
 * catalogue_c_each_locked() - catalogue_c_each(), with a spinlock held
 * @count: how many calls to make
 * @visit: what to call; must not sleep
 * @context: passed on; borrowed until this returns
 *
 * Context: Process context; does not sleep.
 * Return: as that of catalogue_c_each().
 */
int catalogue_c_each_locked(u32 count, catalogue_visit_fn visit, void *context);

/**
 * struct catalogue_check - a test that Rust does
 * @name: of what it tests
 * @run: calls C, and returns a complaint, or NULL if all is well
 *
 * Both texts live as long as the module does.
 */
struct catalogue_check {
	const char *name;
	const char *(*run)(void);
};

#define CATALOGUE_CHECKS	13

/* What is called from Rust is tested in Rust; the KUnit suite, in C, runs it. */
extern const struct catalogue_check CATALOGUE_RS_CHECKS[CATALOGUE_CHECKS];

#ifndef __BINDGEN__
#include "catalogue_layout.h"
#endif

#endif /* CATALOGUE_H */
