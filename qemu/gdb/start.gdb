# Before the kernel and its modules are loaded.

# Quits without a question: the guest is only for this session.
set confirm off
# The module's functions are not known before it is loaded.
set breakpoint pending on
set print asm-demangle on
# Not the paths of the cache.
set filename-display basename
set print null-stop on
# The kernel's script is loaded by its name.
set auto-load python-scripts off

python
def load(file):
    # lld joins the units' .debug_names, of which gdb warns; it does without them.
    gdb.execute(f"file {file}", to_string=True)
end
