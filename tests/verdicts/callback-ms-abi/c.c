int c_f(int (*f)(int) __attribute__((ms_abi)))
{
	return f(1);
}
