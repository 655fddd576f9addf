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

border-dir := $(dir $(lastword $(MAKEFILE_LIST)))
border-missing := $(foreach m,$(obj-m:.o=),$(foreach h,$($(m)-contracts),$(if $(wildcard $(src)/$(h)),,$(h))))
$(if $(strip $(border-missing)),$(error border: error: there is no $(strip $(border-missing)), which Kbuild names as a contract))
$(if $(strip $(obj-m) $(obj-y) $(obj-)),,$(error border: error: include border/border.mk behind the lists of objects and contracts))
border-modules := $(foreach m,$(obj-m:.o=),$(if $($(m)-contracts),$(m)))

# Built by the module's own rustc: it is there, and it is the right one. Where folders share a
# border, each has its gate: they may be built side by side.
border-gate := $(obj)/$(if $(filter $(abspath $(src)/border),$(abspath $(border-dir))),border/gate/gate,border-gate)

# It has less to do than an optimised build of it would take.
quiet_cmd_border_gate = HOSTRUSTC $@
      cmd_border_gate = mkdir -p $(@D); $(RUSTC) $(KBUILD_HOSTRUSTFLAGS) -Copt-level=0 \
	--out-dir $(@D) --emit=dep-info=$(depfile) --emit=link=$@ $<

ifneq ($(border-modules),)
$(border-gate): $(border-dir)gate/gate.rs FORCE
	+$(call if_changed_dep,border_gate)

targets += $(border-gate:$(obj)/%=%)
endif

# A C function that no header declares, or one without its parameters, is an error.
ccflags-y += -Werror=missing-prototypes -Werror=strict-prototypes

ifdef CONFIG_CC_IS_CLANG
# With -fms-extensions, clang lets `static` follow a declaration without.
ccflags-y += -Werror=microsoft-redeclare-static
else
# libclang refuses some flags of GCC, and would take the host's machine for the target. What the
# kernel's own rust/Makefile does about both is evaluated here, line by line.
define border-newline


endef
$(eval $(subst @,$(border-newline),$(shell sed -n \
	'/^bindgen_skip_c_flags/,/^BINDGEN_TARGET[[:space:]]/ s/$$/@/p' $(srctree)/rust/Makefile)))
border-skip-flags := $(bindgen_skip_c_flags)
border-target := --target=$(BINDGEN_TARGET)
endif

# libclang takes hidden functions for such that nobody can call; it links nothing; and
# what the contract depends on, the preprocessor tells.
border-skip-flags += -fvisibility=% $(CC_FLAGS_LTO) -Wp$(comma)-MMD% -Wp$(comma)-MD%

# Generated code follows C's names.
border-allows := clippy::all, clippy::undocumented_unsafe_blocks, dead_code, improper_ctypes, \
	improper_ctypes_definitions, \
	missing_docs, non_camel_case_types, non_snake_case, non_upper_case_globals, unreachable_pub, \
	unsafe_op_in_unsafe_fn, unused_imports

# Only what the header itself declares is bound, and the kernel's types in it are
# those of the kernel crate. The kernel's integers are bound as well: bindgen has
# to know that a union's members can be copied. Layouts are asserted.
border-bindgen-flags = --use-core --ctypes-prefix ::kernel::ffi --with-derive-default \
	--no-doc-comments --no-prepend-enum-name --rust-target 1.78 \
	--allowlist-file '$(subst +,\+,$(subst .,\.,$<))' --no-recursive-allowlist \
	--allowlist-type '(__)?[su](8|16|32|64)_?' \
	--raw-line '\#![allow($(border-allows))]' --raw-line 'use ::kernel::bindings::*;' \
	$(border-unformatted)
# For people only: it may well be missing, and bindgen would complain.
border-unformatted := $(if $(shell command -v $(RUSTFMT)),,--formatter none)
border-c-flags := -DMODULE -D__BINDGEN__ -fno-builtin -w

# The contract as the preprocessor sees it, and as libclang does; the gate
# compares, and writes what both halves include.
quiet_cmd_border_contract = BINDGEN $(quiet_modtag) $@
      cmd_border_contract = $(border-gate) contract $(src) $< \
	$(objtree)/rust/bindings/bindings_generated.rs $@ $(@:_h.rs=_layout.h) $(border-contracts) \
	-- $(CC) -E -dD $(c_flags) $(border-c-flags) $< \
	-- $(BINDGEN) $(border-bindgen-flags) $< \
	-- $(filter-out $(border-skip-flags), $(c_flags)) $(border-target) $(border-c-flags)

# Which contracts a C source includes, and whether it sees there what Rust was told.
quiet_cmd_border_unit = CPP     $(quiet_modtag) $@
      cmd_border_unit = $(border-gate) unit $@ $< $(filter %_h.rs,$^) -- $(CC) -E -w $(c_flags) $<

# A crate without its macros, and without what is configured out.
quiet_cmd_border_expand = EXPAND  $(quiet_modtag) $@
      cmd_border_expand = $(rust_common_cmd) -Awarnings -Zunpretty=expanded $< > $@

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
clean-files += $(1)_layout.h
endef

# A module's objects, $(1), are in any of these lists: those made from Rust, and the others.
border-parts = $($(1)-objs) $($(1)-y) $($(1)-m)
border-rust = $(foreach o,$(call border-parts,$(1)),$(if $(wildcard $(src)/$(o:.o=.rs)),$(o))) \
	$(if $(wildcard $(src)/$(1).rs),$(filter $(1)_main.o,$(call border-parts,$(1))))
border-others = $(filter-out $(call border-rust,$(1)),$(call border-parts,$(1)))
# Assembly has no types, and what was shipped is nobody's to compile.
border-c = $(foreach o,$(call border-others,$(1)),$(if $(wildcard $(src)/$(o:.o=.S) $(src)/$(o)_shipped),,$(o)))

# A part of a module, made from the file $(2), with the contracts $(3): the gate
# is the shell, and explains what a compiler says of a crossing.
define border-rust-object
$(obj)/$(1): $(obj)/$(2) | $(border-gate) $(3)
$(obj)/$(1): private SHELL := $(border-gate)
$(obj)/$(1): private .SHELLFLAGS := shell rust $(3) -c
ifneq ($(1:.o=.rs),$(2))
$(obj)/$(1): $(obj)/$(2) FORCE
	+$$(call if_changed_rule,rustc_o_rs)
targets += $(1)
endif

# Made after the object: rustc does not say the same twice.
$(obj)/$(1:.o=.expanded): private RUSTC_OR_CLIPPY := $(RUSTC)
$(obj)/$(1:.o=.expanded): $(obj)/$(2) $(obj)/$(1) FORCE
	+$$(call if_changed_dep,border_expand)

targets += $(1:.o=.expanded)
endef

define border-c-object
$(obj)/$(1): | $(border-gate) $(obj)/$(1:.o=.contracts)
$(obj)/$(1): private SHELL := $(border-gate)
$(obj)/$(1): private .SHELLFLAGS := shell c $(3) -c

$(obj)/$(1:.o=.contracts): $(obj)/$(2) $(3) $(border-gate) FORCE
	$$(call if_changed_dep,border_unit)

targets += $(1:.o=.contracts)
endef

# The module $(1) with its contracts, $(2).
define border-module
$(foreach o,$(call border-rust,$(1)),
$(call border-rust-object,$(o),$(if $(filter $(1)_main.o,$(o)),$(1),$(o:.o=)).rs,$(2)))
$(foreach o,$(call border-c,$(1)),
$(call border-c-object,$(o),$(o:.o=.c),$(2)))

$(obj)/$(1).border: $(addprefix $(obj)/,$(call border-parts,$(1))) $(2) $(border-gate) \
	$(patsubst %.o,$(obj)/%.expanded,$(call border-rust,$(1))) \
	$(patsubst %.o,$(obj)/%.contracts,$(call border-c,$(1))) FORCE
	$$(call if_changed,border_objects)
$(obj)/$(1).border: private border-rust-objects := $(patsubst ./%,%,$(addprefix $(obj)/,$(call border-rust,$(1))))

# Nothing is stitched before the border was checked.
$(obj)/$(1).o: $(obj)/$(1).border

targets += $(1).border
endef

border-contracts := $(addprefix $(src)/,$(sort $(foreach m,$(border-modules),$($(m)-contracts))))

# rustc looks for a module beside the file that names it: with MO= or O=, the
# sources have to be where the generated files are.
ifneq ($(border-modules),)
ifneq ($(realpath $(src)),$(realpath $(obj)))
# So does a contract in a folder below, which includes its layout.
ccflags-y += $(addprefix -I$(obj)/,$(sort $(dir $(foreach m,$(border-modules),$($(m)-contracts)))))
border-linked := $(shell to=$$(realpath $(obj)); cd $(src) && \
	find . -name '*.rs' -type f ! -path './border/gate/*' | while read -r file; do \
		mkdir -p "$$to/$${file%/*}" && ln -sf "$$PWD/$$file" "$$to/$$file"; done)
endif
endif

$(foreach h,$(patsubst $(src)/%.h,%,$(border-contracts)),$(eval $(call border-contract,$(h))))
$(foreach m,$(border-modules), \
	$(eval $(call border-module,$(m),$(patsubst %.h,$(obj)/%_h.rs,$($(m)-contracts)))))

# What a build that was interrupted leaves behind, and CONFIG_RUST_INLINE_HELPERS on its way.
clean-files += *.bc *.o.tmp *.draft *.signs.h
