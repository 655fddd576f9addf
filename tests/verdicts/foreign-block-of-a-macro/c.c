typedef unsigned int u32;

int c_f(u32 *x)
{
	return *x;
}

int c_g(u32 *x)
{
	return *x;
}
