// SPDX-License-Identifier: GPL-2.0
/*
 * The C half of mymod.ko: the character device /dev/mymod. It copies between
 * user space and the kernel; what the bytes and commands mean is up to Rust.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/ioctl.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "mymod_device.h"

MODULE_DESCRIPTION("A character device of a Rust half and a C half");

static int device_open(struct inode *inode, struct file *file)
{
	file->private_data = mymod_open();
	return PTR_ERR_OR_ZERO(file->private_data);
}

static int device_release(struct inode *inode, struct file *file)
{
	mymod_release(file->private_data);
	return 0;
}

/* Like write, copies at most a page: programs have to repeat it for the rest. */
static ssize_t device_read(struct file *file, char __user *to, size_t size,
			   loff_t *at)
{
	ssize_t len;
	u8 *bytes;

	size = min_t(size_t, size, PAGE_SIZE);
	bytes = kmalloc(size, GFP_KERNEL);
	if (!bytes)
		return -ENOMEM;

	len = mymod_read(file->private_data, *at, bytes, size);
	if (len > 0 && copy_to_user(to, bytes, len))
		len = -EFAULT;
	if (len > 0)
		*at += len;
	kfree(bytes);
	return len;
}

/* Always appends, so that nothing that was written at the same time is lost. */
static ssize_t device_write(struct file *file, const char __user *from,
			    size_t len, loff_t *at)
{
	ssize_t written;
	u8 *bytes;

	len = min_t(size_t, len, PAGE_SIZE);
	bytes = memdup_user(from, len);
	if (IS_ERR(bytes))
		return PTR_ERR(bytes);

	written = mymod_write(file->private_data, bytes, len);
	kfree(bytes);
	return written;
}

/* The number of a command says in which directions its argument is copied. */
static long device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;
	size_t len = _IOC_SIZE(cmd);
	struct mymod_size size = {};
	int err;

	if (_IOC_TYPE(cmd) != MYMOD_IOC_MAGIC || len > sizeof(size))
		return -ENOTTY;
	if (_IOC_DIR(cmd) & _IOC_WRITE && copy_from_user(&size, user, len))
		return -EFAULT;

	err = mymod_ioctl(file->private_data, cmd, &size);
	if (err)
		return err;

	if (_IOC_DIR(cmd) & _IOC_READ && copy_to_user(user, &size, len))
		return -EFAULT;
	return 0;
}

static const struct file_operations device_operations = {
	/* The module cannot be unloaded while a file is open. */
	.owner = THIS_MODULE,
	.open = device_open,
	.release = device_release,
	.read = device_read,
	.write = device_write,
	.llseek = default_llseek,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = KBUILD_MODNAME,
	.fops = &device_operations,
};

int mymod_device_register(void)
{
	return misc_register(&device);
}

void mymod_device_unregister(void)
{
	misc_deregister(&device);
}
