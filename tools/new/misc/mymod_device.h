/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The contract between the two halves of mymod.ko.
 *
 * Every symbol and type that crosses between C and Rust is declared here, or in
 * a header that this one includes, and nowhere else. Rust sees it through
 * bindgen, as the module mymod_device_h.
 */
#ifndef MYMOD_DEVICE_H
#define MYMOD_DEVICE_H

#include <linux/types.h>

#include "mymod_uapi.h"

/*
 * What Rust uses of mymod_uapi.h besides its types: macros cross only if they are
 * defined here, and bindgen cannot evaluate _IOR() and the like.
 */
#define MYMOD_FILE_MAX	MYMOD_LIMIT_MAX

enum mymod_cmd {
	MYMOD_CMD_GET = MYMOD_IOC_GET,
	MYMOD_CMD_SET = MYMOD_IOC_SET,
};

/* An open file. Rust defines it, C only passes pointers to it. */
struct mymod_file;

/**
 * mymod_open() - create what an open file needs
 *
 * Context: Process context; may sleep. The same applies to all functions here.
 * Return: a file for mymod_release(), or ERR_PTR(-ENOMEM).
 */
struct mymod_file *mymod_open(void);

/**
 * mymod_release() - free it
 * @file: from mymod_open(); no longer in use
 */
void mymod_release(struct mymod_file *file);

/**
 * mymod_read() - copy bytes out of a file
 * @file: may be in use by others, as in mymod_write() and mymod_ioctl()
 * @at: offset of the first byte
 * @to: written; need not be initialised
 * @size: size of @to, in bytes
 *
 * Return: the number of bytes copied; 0 if there is nothing at or behind @at.
 */
ssize_t mymod_read(struct mymod_file *file, u64 at, u8 *to, size_t size);

/**
 * mymod_write() - append bytes to a file
 * @file: the file
 * @from: read
 * @len: size of @from, in bytes
 *
 * Return: the number of bytes copied, which is less than @len if not all of them
 * fit, -ENOSPC if none does, or -ENOMEM.
 */
ssize_t mymod_write(struct mymod_file *file, const u8 *from, size_t len);

/**
 * mymod_ioctl() - execute a command
 * @file: the file
 * @cmd: one of enum mymod_cmd, or anything else
 * @size: the argument of the command
 *
 * Return: 0; -ENOTTY if there is no such command; for MYMOD_IOC_SET, -EINVAL if
 * the limit is too large, and -EBUSY if the file already holds more.
 */
int mymod_ioctl(struct mymod_file *file, u32 cmd, struct mymod_size *size);

/**
 * mymod_device_register() - create /dev/mymod
 *
 * Defined in C: the kernel crate has no misc devices before Linux 6.13.
 *
 * Return: 0, or a negative errno.
 */
int mymod_device_register(void);

/* Removes /dev/mymod, which is no longer open. */
void mymod_device_unregister(void);

/* What Rust sees of the above, as assertions for the C compiler. */
#ifndef __BINDGEN__
#include "mymod_device_layout.h"
#endif

#endif /* MYMOD_DEVICE_H */
