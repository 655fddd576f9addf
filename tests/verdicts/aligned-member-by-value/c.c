typedef unsigned long long u64;

struct s {
	u64 a __attribute__((aligned(16)));
	u64 b;
};

u64 c_first(struct s s)
{
	return s.b;
}

u64 c_second(u64 x, struct s s)
{
	return x + s.b;
}

u64 c_third(u64 x, u64 y, struct s s)
{
	return x + y + s.b;
}
