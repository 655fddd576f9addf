/* SPDX-License-Identifier: GPL-2.0 */
/* The C half of the objects in stitch's tests. */

struct greeting {
	int times;
};

int c_times = 3;

int rust_twice(int number);
int kernel_prints(const char *format, ...);

static int (*const table[])(int number) = { rust_twice, rust_twice };

int c_add(int one, int other);
int c_add(int one, int other)
{
	return rust_twice(one) + other;
}

int c_chooses(int index);
int c_chooses(int index)
{
	return table[index & 1](index);
}

void c_says(const struct greeting *greeting);
void c_says(const struct greeting *greeting)
{
	kernel_prints("%d\n", greeting->times);
}
