typedef unsigned int u32;
typedef unsigned long long u64;

struct val {
	u64 nothing[0];
};

struct key {
	u64 data[0];
	u32 type, size;
	struct val v;
};

struct right {
	union {
		struct key k;
		u32 words[2];
	};
	u64 v;
};

struct wrong {
	union {
		struct key k;
		u32 words[4];
	};
	u64 v;
};

u64 c_key(struct key *key)
{
	return key->size;
}

u64 c_right(struct right *right)
{
	return right->words[1] + right->v;
}

u64 c_wrong(struct wrong *wrong)
{
	return wrong->words[1] + wrong->v;
}
