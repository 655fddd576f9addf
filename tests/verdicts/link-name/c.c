typedef unsigned int u32;
typedef unsigned long long u64;

int c_f(u32 x)
{
	return x;
}

int c_g(u64 x)
{
	return x;
}
