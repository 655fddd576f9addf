typedef unsigned short u16;
typedef unsigned int u32;

struct s {
	u32 tag;

	union {
		u32 a;

		struct {
			u16 lo, hi;
		};
	};
};

int c_f(struct s *s)
{
	return s->hi;
}

int c_g(struct s *s)
{
	return s->a;
}
