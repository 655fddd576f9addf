typedef unsigned int u32;

u32 c_t[2][3];
u32 c_v[2][3];
