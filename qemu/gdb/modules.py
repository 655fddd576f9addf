# SPDX-License-Identifier: GPL-2.0
"""Gives gdb the symbols of a module as soon as the kernel has placed it, and removes them on unload.

lx-symbols of the kernel does so later, after the parameters are set, and without the sections of init,
where Rust's `init` is. The modules with their debug information are beside this file.
"""

import os
import signal

# The registers of a function's arguments, which the lab has set: they depend on the architecture.
from __main__ import ARGUMENTS

import gdb

FOLDER = os.path.dirname(os.path.abspath(__file__))

# <linux/elf.h>: the section is in memory.
SHF_ALLOC = 2

# Nothing has an address here on any architecture. On arm64, gdb takes the highest byte for a tag.
NOWHERE = 0xFFAD000000000000


def pointer(nth, kind):
    """An argument of the kernel's function that begins here."""
    return gdb.parse_and_eval(ARGUMENTS[nth]).cast(gdb.lookup_type(kind).pointer())


def file_of(module):
    """The file of a module, if the lab has built it."""
    return os.path.join(FOLDER, module["name"].string() + ".ko")


def sections_of(header, sections):
    """The names of a module's sections, and their addresses."""
    names = sections[header["e_shstrndx"]]["sh_addr"]
    names = names.cast(gdb.lookup_type("char").pointer())
    for nth in range(1, int(header["e_shnum"])):
        section = sections[nth]
        if int(section["sh_flags"]) & SHF_ALLOC:
            place = int(section["sh_addr"])
        else:
            place = NOWHERE + int(section["sh_offset"])
        yield (names + section["sh_name"]).string(), place


# The sections of the loaded modules, by their files.
loaded = {}


def add(file):
    """gdb would take a section that is left out for one at the address 0."""
    places = " ".join(f"-s {name} {place:#x}" for name, place in loaded[file].items())
    gdb.execute(f"add-symbol-file {file} {places}", to_string=True)


def remove(file):
    """Breakpoints in it wait until it is loaded again. lx-symbols may have removed it already."""
    if file in [known.filename for known in gdb.objfiles()]:
        gdb.execute(f"remove-symbol-file {file}", to_string=True)


def placed():
    """module_bug_finalize(header, sections, module): none of its code has run, no parameter is set."""
    file = file_of(pointer(2, "struct module"))
    if os.path.exists(file):
        header, sections = pointer(0, "Elf64_Ehdr"), pointer(1, "Elf64_Shdr")
        loaded[file] = dict(sections_of(header, sections))
        add(file)


def initialised():
    """trim_init_extable(module): the sections of init are about to be freed."""
    file = file_of(pointer(0, "struct module"))
    if file in loaded:
        for nth, name in enumerate(loaded[file]):
            if name.startswith(".init."):
                loaded[file][name] = NOWHERE + (nth << 32)
        remove(file)
        add(file)


def cleaned_up():
    """module_bug_cleanup(module): it is unloaded, or was refused."""
    file = file_of(pointer(0, "struct module"))
    if loaded.pop(file, None):
        remove(file)


CTRL_C = [signal.SIGINT]


class Hook(gdb.Breakpoint):
    """Runs something whenever the kernel calls a function, and goes on; after a Ctrl-C, it stops there."""

    def __init__(self, function, action):
        super().__init__(f"*{function}", internal=True)
        self.action = action

    def stop(self):
        # gdb would forget it here.
        signal.pthread_sigmask(signal.SIG_BLOCK, CTRL_C)
        self.action()
        pressed = signal.sigtimedwait(CTRL_C, 0)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, CTRL_C)
        return pressed is not None


def in_c(function):
    """The kernel's commands are written in C's terms, but gdb's language is that of the current frame."""

    def wrapped(*words):
        with gdb.with_parameter("language", "c"):
            return function(*words)

    return wrapped


def stopped(event):
    """QEMU reports the end of the guest as a signal."""
    if getattr(event, "stop_signal", None) == "SIGQUIT":
        gdb.write("The guest has ended; its memory can still be read.\n")


def connect():
    """The path of a socket has to be short."""
    here = os.getcwd()
    os.chdir(FOLDER)
    gdb.execute("target remote gdb")
    os.chdir(here)


for kind in gdb.Command.__subclasses__() + gdb.Function.__subclasses__():
    if kind.__module__.startswith("linux."):
        kind.invoke = in_c(kind.invoke)
Hook("module_bug_finalize", placed)
Hook("trim_init_extable", initialised)
Hook("module_bug_cleanup", cleaned_up)
gdb.events.stop.connect(stopped)
connect()
