/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The C half of crossings that disagree with rs_side.rs, one in each way; the
 * name says how. Built with debug information and given to `stitch check`.
 */
struct agrees { unsigned int a; unsigned char b; };
struct moved { unsigned int a; unsigned char b; unsigned char c; };
struct resized { unsigned int a; unsigned char b; };
enum colour { RED, GREEN };

unsigned int rs_agrees(unsigned int a, const struct agrees *s);
unsigned int rs_width(unsigned int a);
unsigned char rs_sign(unsigned char a);
unsigned int rs_dropped(unsigned int a, unsigned int b);
unsigned int rs_added(unsigned int a);
unsigned int rs_swapped(unsigned int a, unsigned long b);
unsigned long rs_result(unsigned int a);
unsigned long rs_by_value(const struct agrees *s);
void rs_moved(struct moved *s);
void rs_resized(struct resized *s);
void rs_const(char *text);
void rs_enum(enum colour colour);
void rs_long_long(long long a);
void rs_float(double a);
void rs_callback(int (*call)(unsigned int nth));
unsigned int rs_namesake(unsigned int a);

static int call(unsigned int nth) { return (int)nth; }

unsigned long use_all(struct agrees *s, struct moved *m, struct resized *r, char *text)
{
	rs_moved(m);
	rs_resized(r);
	rs_const(text);
	rs_enum(GREEN);
	rs_long_long(1);
	rs_float(1.0);
	rs_callback(call);
	return rs_agrees(1, s) + rs_width(1) + rs_sign(1) + rs_dropped(1, 2) + rs_added(1) +
	       rs_swapped(1, 2) + rs_result(1) + rs_by_value(s) +
	       rs_namesake(1);
}
