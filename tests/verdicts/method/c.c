typedef unsigned int u32;

int rs_m(const u32 *);
int rs_n(const u32 *, u32);

int c_x(u32 *x)
{
	return rs_m(x) + rs_n(x, 1);
}
