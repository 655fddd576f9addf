# SPDX-License-Identifier: GPL-2.0
# The commands of hello_rust; `make help` lists them.
# Kbuild does not read this file: the parts of the module are in Kbuild.

# The release of the kernel to build for: the running one by default, as usual.
KREL ?= $(shell uname -r)

# Variables from make's command line only: CI systems set names such as TIMEOUT in the environment. The
# lab and the tests read them as LAB_KERNEL and so on.
OURS := ACCEL ARGS CC CHECK CONFIG CPUS DEBUG DIR FILES FUSED JUNIT KERNEL KERNELS KIND KSRC LIST M MEM MINUTES NAME PARAMS PART RUN RUNS SEED STEPS STORM TARGET TESTS TIMEOUT
# For a KDIR, Kbuild reads ARCH= itself.
OURS += $(if $(filter doctor modules,$(or $(MAKECMDGOALS),modules)),,ARCH)
is_given = $(findstring command,$(origin $1))
$(foreach name,$(OURS),$(if $(call is_given,$(name)),$(eval export LAB_$(name) := $$(value $(name)))))
# By itself, make would also export the variables of its command line, and expand a `$$(shell ...)` in them. Kbuild's
# own are read from there.
unexport $(filter-out CC ARCH,$(foreach name,$(OURS),$(if $(call is_given,$(name)),$(name))))

# What can be done with another module than hello_rust.
WITH_M := run watch shell gdb test storm coverage stitch doctor kernel clean rust-analyzer compile_commands.json clippy doc fmt
$(if $(call is_given,M),$(if $(filter-out $(WITH_M),$(or $(MAKECMDGOALS),modules)),\
	$(error M= is for make $(WITH_M); to build a module alone: make -C KDIR M=FOLDER)))

# What can be done with fused halves; in `test`, those of M=.
WITH_FUSED := modules run watch shell gdb test storm stitch
$(if $(call is_given,FUSED),$(if $(filter-out $(WITH_FUSED),$(or $(MAKECMDGOALS),modules)),\
	$(error FUSED= is for make $(WITH_FUSED))))

# cache_folder prints the reason if there cannot be a cache; building a module needs none.
NEEDS_CACHE := $(filter-out modules help $(if $(call is_given,M),,clean),$(or $(MAKECMDGOALS),modules))
CACHE := $(shell . ./tools/path.sh && cache_folder $(if $(NEEDS_CACHE),,2>/dev/null))
$(if $(NEEDS_CACHE),$(if $(CACHE),,$(error there is no cache)))
# The folder that `make rust-metadata` has made for this kernel, else its headers.
KDIR ?= $(or $(if $(CACHE),$(wildcard $(CACHE)/rust-metadata/$(KREL)/build)),/lib/modules/$(KREL)/build)

# Outside this folder, since Kbuild's clean removes objects in all subfolders. Each checkout has its own:
# cargo would mistake newer files of another checkout for this one's.
export CARGO_TARGET_DIR := $(CACHE)/target/$(firstword $(shell pwd -P | cksum))
export HELLO_RUST_DIR := $(CURDIR)
# The programs of this project. cargo knows which are out of date; with another BIN, they are built already.
BIN := $(CARGO_TARGET_DIR)/debug
LAB := '$(BIN)/lab'
cargo_build = @$(if $(call is_given,BIN),:,tools/cargo.sh build --quiet --locked $2 $(addprefix --package ,$1))

# Read by tools/cargo.sh: these do without the toolchain.
NEEDS_NO_TOOLCHAIN := clean doctor help modules new rust-metadata
export NEEDS_TOOLCHAIN := $(if $(LAB_LIST),,$(filter-out $(NEEDS_NO_TOOLCHAIN),$(MAKECMDGOALS)))

# Kbuild takes these only from the command line, not from the environment; its CC= can be any compiler.
AS_KBUILD := env -u LAB_CC $(foreach tool,CC RUSTC BINDGEN,$(if $(call is_given,$(tool)),,-u $(tool)))

.PHONY: modules clean new run watch shell gdb test test-all storm coverage fuzz stitch walkthrough docs/walkthrough.md rust-metadata doctor bench-loop bench-crossing bench-stitch kernel rust-analyzer compile_commands.json clippy doc fmt help
.DELETE_ON_ERROR:

modules: ## build hello_rust.ko for your kernel: make [LLVM=1] [KDIR=/path/to/linux | KREL=release]
	@$(AS_KBUILD) tools/check-kernel.sh --problems '$(KDIR)'
	+@$(MAKE) -C '$(KDIR)' M="$$PWD" modules

clean: ## remove what `make` built here (not the lab's cache), or the lab's builds of M=folder
	$(if $(call is_given,M),$(call cargo_build,lab))
	+@$(if $(call is_given,M),$(LAB) clean,$(MAKE) -C '$(KDIR)' M="$$PWD" clean)

# The release of headers stands in them.
rust-metadata: ## make the Rust metadata that a kernel's headers lack  [KREL=release | KDIR=headers KSRC=source]
	@tools/stock/rust-metadata --into '$(CACHE)/rust-metadata' $(if $(call is_given,KSRC),--source '$(KSRC)') \
		$(if $(call is_given,KDIR),--headers '$(KDIR)' $(if $(call is_given,KREL),'$(KREL)'),'$(KREL)')

new: ## start a module of your own, in a new folder  NAME=foo [DIR=../foo KIND=misc|minimal]
	$(call cargo_build,lab)
	@$(LAB) new

run: ## build, boot in QEMU, insmod, rmmod, dmesg  [M=folder KERNEL= CC=gcc FUSED=1 PARAMS= RUN= FILES=]
	$(call cargo_build,lab)
	@$(LAB) run

watch: ## do that again whenever a source changes, until Ctrl-C  [the same]
	$(call cargo_build,lab)
	@$(LAB) watch

shell: ## open a shell in that machine, with hello_rust.ko  [the same]
	$(call cargo_build,lab)
	@$(LAB) shell

gdb: ## debug that run in gdb, in both languages  [the same, ARGS='-x script']
	$(call cargo_build,lab)
	@$(LAB) gdb -- $(LAB_ARGS)

test: ## run the tests  [M=folder KERNEL= KERNELS='7.3 stock' CC=gcc TESTS=word TESTS==name LIST=1 JUNIT=file]
	$(call cargo_build,lab stitch walkthrough proof)
	@'$(BIN)/proof'

test-all: ## run the tests on all kernels  [LIST=1 JUNIT=file]
	$(call cargo_build,lab stitch walkthrough proof)
	@'$(BIN)/proof' --all

storm: ## load and unload the module at random, in races, and without memory  [M=folder MINUTES=10 SEED= STORM=loads STEPS=3,7-9]
	$(call cargo_build,lab)
	@$(LAB) storm

coverage: ## show which lines of Rust and C have run, and which have not  [M=folder KERNEL= DEBUG=1 PARAMS= RUN= SEED=]
	$(call cargo_build,lab)
	@$(LAB) coverage

fuzz: ## run the programs of this project on input that nobody would write  [MINUTES=10 TARGET=object SEED=]
	$(call cargo_build,lab)
	@$(LAB) fuzz

stitch: ## show the objects of hello_rust.ko, and what crosses between them  [M=folder KERNEL= CC=gcc ARGS=--json]
	$(call cargo_build,lab stitch)
	@$(LAB) stitch -- $(LAB_ARGS)

# Parts in user space run with the host's own compilers.
USER_SPACE := $(and $(LAB_PART),$(if $(filter-out 1 2 3 4 5 6,$(LAB_PART)),,yes))

walkthrough: ## show objects and libraries in C, Rust and the kernel, proven step by step  [PART=3 CC=gcc]
	$(call cargo_build,stitch $(if $(USER_SPACE),walkthrough,lab))
	@$(if $(USER_SPACE),'$(BIN)/walkthrough' --stitch '$(BIN)/stitch',$(LAB) walkthrough) $(LAB_PART:%=--part %)

docs/walkthrough.md:
	$(call cargo_build,lab stitch)
	@$(LAB) --kernel 7.3 --cc gcc walkthrough --markdown > $@.new || { rm $@.new; exit 1; }
	@mv $@.new $@

doctor: ## check this host and the lab: what is missing, and how to fix it  [M=folder KDIR=]
	$(call cargo_build,lab)
	@$(AS_KBUILD) $(LAB) doctor $(if $(filter-out file,$(origin KDIR)),--kdir '$(KDIR)')

bench-loop: ## measure how long a change takes to reach dmesg  [RUNS=5]
	$(call cargo_build,lab)
	@$(LAB) bench

bench-crossing: ## count the instructions of calls between Rust and C  [KERNEL= CC=gcc RUNS=2]
	$(call cargo_build,lab)
	@$(LAB) bench-crossing $(if $(call is_given,CC),,--both)

bench-stitch: ## measure stitch beside other programs on the same objects  [KERNEL= CC=gcc RUNS=5]
	$(call cargo_build,lab stitch)
	$(call cargo_build,stitch,--release)
	@$(LAB) bench-stitch

kernel: ## build only the lab's kernel, and print its folder  [KERNEL= CC=gcc]
	$(call cargo_build,lab)
	@$(LAB) kernel

rust-analyzer: ## write rust-project.json for editors into the module's folder  [M=folder KERNEL= CC=gcc]
	$(call cargo_build,lab)
	@$(LAB) rust-analyzer

compile_commands.json: ## write this file for clangd into the module's folder  [the same]
	$(call cargo_build,lab)
	@$(LAB) compile-commands

clippy: ## show clippy's warnings about the Rust half  [the same]
	$(call cargo_build,lab)
	@$(LAB) clippy

doc: ## make the documentation of the Rust half, and print its first page's path  [the same]
	$(call cargo_build,lab)
	@$(LAB) doc

fmt: ## format the module's Rust files in place, or only name those that would change  [M=folder CHECK=1]
	$(call cargo_build,lab)
	@$(LAB) fmt

help: ## show this list
	@sed -n 's/^\([a-z_.-]*\):[^#]*## /  make \1\t/p' Makefile | expand -t 30
