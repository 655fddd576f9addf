typedef unsigned int u32;

struct ops {
	const void *owner;
	u32 flags, order;
};

extern const struct ops rs_right;
extern const struct ops rs_wrong;
int c_take(const struct ops *ops);

int c_take(const struct ops *ops)
{
	return ops->flags + rs_right.flags + rs_wrong.flags;
}
