/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What programs in user space need to know of /dev/mymod.
 */
#ifndef MYMOD_UAPI_H
#define MYMOD_UAPI_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Largest limit, in bytes; a file that was just opened has it. */
#define MYMOD_LIMIT_MAX		65536

/**
 * struct mymod_size - the size of an open file
 * @limit: how many bytes it can hold; MYMOD_IOC_SET changes it
 * @used: how many it holds; MYMOD_IOC_SET ignores it
 */
struct mymod_size {
	__u32 limit;
	__u32 used;
};

/*
 * Choose a free one of your own, and write it into the list:
 * Documentation/userspace-api/ioctl/ioctl-number.rst
 */
#define MYMOD_IOC_MAGIC		0xBB

#define MYMOD_IOC_GET		_IOR(MYMOD_IOC_MAGIC, 0, struct mymod_size)
#define MYMOD_IOC_SET		_IOW(MYMOD_IOC_MAGIC, 1, struct mymod_size)

#endif /* MYMOD_UAPI_H */
