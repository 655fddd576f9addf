# SPDX-License-Identifier: GPL-2.0
# The border: every crossing between the Rust and the C objects of a module is
# declared in a header, and checked. In Kbuild, behind the lists of objects:
#
#	obj-m := hello.o
#	hello-y := hello_main.o helper.o
#	hello-contracts := helper.h
#	include $(src)/border/border.mk
#
# Rust finds helper.h in the module helper_h; the object hello_main.o is made
# from hello.rs, as a module of several parts cannot have one of its own name.
# hello.border tells afterwards what crosses. docs/border.md has the whole story.

border-modules := $(foreach m,$(obj-m:.o=),$(if $($(m)-contracts),$(m)))
border-gate := $(obj)/border/gate/gate

# Built by the module's own rustc: it is there, and it is the right one.
hostprogs += border/gate/gate
border/gate/gate-rust := y
$(border-gate): private HOSTRUSTC := $(RUSTC)
# It has less to do than an optimised build of it would take.
HOSTRUSTFLAGS_border/gate/gate := -Copt-level=0

# A C function that no header declares, or that is declared otherwise, is an error.
ccflags-y += -Werror=missing-prototypes -Werror=strict-prototypes

ifdef CONFIG_CC_IS_CLANG
# With -fms-extensions, clang lets `static` follow a declaration without.
ccflags-y += -Werror=microsoft-redeclare-static
else
# libclang refuses some flags of GCC; rust/Makefile of the kernel lists them.
border-skip-flags := $(shell sed -n \
	'/^bindgen_skip_c_flags :=/,/[^\\]$$/ { s/.*:=//; s/\\$$//; p }' $(srctree)/rust/Makefile)
# And it would take the host's machine for the target.
border-target := --target=$(shell sed -n \
	's/^BINDGEN_TARGET_$(SRCARCH)[[:space:]]*:= *//p' $(srctree)/rust/Makefile)
endif

# It takes hidden functions for such that nobody can call; and it links nothing.
border-skip-flags += -fvisibility=% $(CC_FLAGS_LTO)

# Generated code follows C's names.
border-allows := clippy::all, clippy::undocumented_unsafe_blocks, dead_code, improper_ctypes, \
	missing_docs, non_camel_case_types, non_snake_case, non_upper_case_globals, unreachable_pub, unused_imports

# Only what the header itself declares is bound, and the kernel's types in it are
# those of the kernel crate. The kernel's integers are bound as well: bindgen has
# to know that a union's members can be copied. Layouts are asserted.
border-bindgen-flags = --use-core --ctypes-prefix kernel::ffi --with-derive-default \
	--no-doc-comments --no-prepend-enum-name --rust-target 1.78 \
	--allowlist-file '(.*/)?$(notdir $<)' --no-recursive-allowlist \
	--allowlist-type '(__)?[su](8|16|32|64)_?' \
	--raw-line '\#![allow($(border-allows))]' --raw-line 'use kernel::bindings::*;' \
	$(border-unformatted)
# For people only: it may well be missing, and bindgen would complain.
border-unformatted := $(if $(shell command -v $(RUSTFMT)),,--formatter none)
border-c-flags := -DMODULE -D__BINDGEN__ -fno-builtin -w

# The contract as the preprocessor sees it, then as libclang does; the gate
# compares, and writes what both halves include.
quiet_cmd_border_contract = BINDGEN $(quiet_modtag) $@
      cmd_border_contract = \
	$(border-gate) compile contract $< -- $(CC) -E -dD $(c_flags) $(border-c-flags) -o $@.i $<; \
	$(border-gate) compile contract $< -- $(BINDGEN) $< -o $@.bound $(border-bindgen-flags) \
	-- $(filter-out $(border-skip-flags), $(c_flags)) $(border-target) $(border-c-flags); \
	$(border-gate) contract $< $@.i $@.bound $@ $(@:_h.rs=_layout.h); \
	rm -f $@.i $@.bound

quiet_cmd_border_objects = BORDER  $(quiet_modtag) $@
      cmd_border_objects = $(border-gate) objects '$(NM)' $(objtree)/Module.symvers $@ \
	$(filter %_h.rs,$^) -- $(border-rust-objects) -- \
	$(filter-out $(border-rust-objects),$(filter %.o,$^))

# A contract: what Rust and what C is told of it.
define border-contract
$(obj)/$(1)_h.rs: $(src)/$(1).h $(border-gate) FORCE
	$$(call if_changed_dep,border_contract)

$(obj)/$(1)_layout.h: $(obj)/$(1)_h.rs
	@test -e $$@ || { rm $$<; echo "border: $$@ was lost; run make again" >&2; false; }

targets += $(1)_h.rs
clean-files += $(1)_layout.h $(1)_h.rs.i $(1)_h.rs.bound
endef

# A module's objects are in any of these lists.
border-parts = $($(1)-objs) $($(1)-y) $($(1)-m)

# The objects of a module, $(1); its Rust objects, $(2); its contracts, $(3).
define border-module
$(2): $(border-gate) | $(3:.h=_h.rs)
$(2): private RUSTC_OR_CLIPPY := $(border-gate) compile rust $(3:.h=_h.rs) -- $(RUSTC_OR_CLIPPY)

$(call border-c,$(1),$(2)): $(border-gate) | $(3:.h=_layout.h)
$(call border-c,$(1),$(2)): private CC := $(border-gate) compile c $(3:.h=_h.rs) -- $(CC)

$(obj)/$(1).border: $(addprefix $(obj)/,$(call border-parts,$(1))) $(3:.h=_h.rs) $(border-gate) FORCE
	$$(call if_changed,border_objects)
$(obj)/$(1).border: private border-rust-objects := $(2:./%=%)

# Nothing is stitched before the border was checked.
$(obj)/$(1).o: $(obj)/$(1).border

targets += $(1).border
endef

border-c = $(filter-out $(2),$(addprefix $(obj)/,$(call border-parts,$(1))))

define border-main
$(obj)/$(1)_main.o: $(src)/$(1).rs FORCE
	+$$(call if_changed_rule,rustc_o_rs)

targets += $(1)_main.o
endef

border-rust = $(foreach o,$(call border-parts,$(1)),$(if $(wildcard $(src)/$(o:.o=.rs)),$(obj)/$(o))) \
	$(if $(wildcard $(src)/$(1).rs),$(filter %/$(1)_main.o,$(addprefix $(obj)/,$(call border-parts,$(1)))))

$(foreach h,$(sort $(foreach m,$(border-modules),$($(m)-contracts))), \
	$(eval $(call border-contract,$(h:.h=))))
$(foreach m,$(border-modules), \
	$(eval $(call border-module,$(m),$(call border-rust,$(m)),$(addprefix $(obj)/,$($(m)-contracts)))) \
	$(if $(filter $(m)_main.o,$(call border-parts,$(m))),$(if $(wildcard $(src)/$(m).rs),$(eval $(call border-main,$(m))))))

# What a build that was interrupted leaves behind, and CONFIG_RUST_INLINE_HELPERS on its way.
clean-files += *.bc *.o.tmp
