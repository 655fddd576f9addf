typedef unsigned int u32;

int rs_f(u32);
int rs_g(u32);

int c_f(u32 x)
{
	return rs_f(x);
}

int c_g(u32 x)
{
	return rs_g(x);
}
