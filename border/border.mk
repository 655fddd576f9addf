# SPDX-License-Identifier: GPL-2.0
# The border: every symbol that crosses between the Rust and the C objects of a
# module is declared in a header, the contract, and checked. In Kbuild, after the
# lists of objects:
#
#	obj-m := hello.o
#	hello-y := hello_main.o helper.o
#	hello-contracts := helper.h
#	include $(src)/border/border.mk
#
# In Rust, helper.h is the module helper_h. The object hello_main.o is built from
# hello.rs, since hello.o is the linked module. The build writes a list of all
# crossings to hello.border. See docs/border.md.

border-dir := $(dir $(lastword $(MAKEFILE_LIST)))
border-missing := $(foreach m,$(obj-m:.o=),$(foreach h,$($(m)-contracts),$(if $(wildcard $(src)/$(h)),,$(h))))
$(if $(strip $(border-missing)),$(error border: error: contract not found: $(strip $(border-missing))))
$(if $(strip $(obj-m) $(obj-y) $(obj-)),,$(error border: error: include border/border.mk after the lists of objects and contracts))
border-modules := $(foreach m,$(obj-m:.o=),$(if $($(m)-contracts),$(m)))

# The module's own rustc builds the gate: it is available, and it is the right one. Folders that
# share a border each have their own gate, since Kbuild may build them in parallel.
border-gate := $(obj)/$(if $(filter $(abspath $(src)/border),$(abspath $(border-dir))),border/gate/gate,border-gate)

# Not optimised: that would take longer than the gate runs.
quiet_cmd_border_gate = HOSTRUSTC $@
      cmd_border_gate = mkdir -p $(@D); $(RUSTC) $(KBUILD_HOSTRUSTFLAGS) -Copt-level=0 \
	--out-dir $(@D) --emit=dep-info=$(depfile) --emit=link=$@ $<

ifneq ($(border-modules),)
$(border-gate): $(border-dir)gate/gate.rs FORCE
	+$(call if_changed_dep,border_gate)

targets += $(border-gate:$(obj)/%=%)
endif

# Inline functions, and modules that are fused.
include $(border-dir)join.mk

# Reject C functions that no header declares, and declarations without parameters.
ccflags-y += -Werror=missing-prototypes -Werror=strict-prototypes

ifdef CONFIG_CC_IS_CLANG
# With -fms-extensions, clang accepts `static` after a declaration without it.
ccflags-y += -Werror=microsoft-redeclare-static
else
# libclang rejects some flags of GCC, and assumes the host as the target. Evaluate the lines of the
# kernel's rust/Makefile that deal with both.
$(eval $(subst @,$(border-newline),$(shell sed -n \
	'/^bindgen_skip_c_flags/,/^BINDGEN_TARGET[[:space:]]/ s/$$/@/p' $(srctree)/rust/Makefile)))
border-skip-flags := $(bindgen_skip_c_flags)
border-target := --target=$(BINDGEN_TARGET)
endif

# bindgen skips hidden functions. The flags for LTO have no effect on it, and the preprocessor
# writes the dependencies.
border-skip-flags += -fvisibility=% $(CC_FLAGS_LTO) -Wp$(comma)-MMD% -Wp$(comma)-MD%

# Generated code uses C's names.
border-allows := clippy::all, clippy::undocumented_unsafe_blocks, dead_code, improper_ctypes, \
	improper_ctypes_definitions, \
	missing_docs, non_camel_case_types, non_snake_case, non_upper_case_globals, unreachable_pub, \
	unsafe_op_in_unsafe_fn, unused_imports

# bindgen binds what the header itself declares; kernel types come from the kernel
# crate. The kernel's integers are bound, too, so that bindgen knows them to be Copy
# in unions.
border-bindgen-flags = --use-core --ctypes-prefix ::kernel::ffi --with-derive-default \
	--no-doc-comments --no-prepend-enum-name --rust-target 1.78 \
	--allowlist-file '$(subst +,\+,$(subst .,\.,$<))' --no-recursive-allowlist \
	--allowlist-type '(__)?[su](8|16|32|64)_?' \
	--raw-line '\#![allow($(border-allows))]' --raw-line 'use ::kernel::bindings::*;' \
	$(border-unformatted) $(border-bindgen-inline)
# Optional: without rustfmt, bindgen prints a warning.
border-unformatted := $(if $(shell command -v $(RUSTFMT)),,--formatter none)
border-c-flags := -DMODULE -D__BINDGEN__ -fno-builtin -w

# The gate compares the contract as preprocessed with the output of bindgen, and
# writes what both halves include.
quiet_cmd_border_contract = BINDGEN $(quiet_modtag) $@
      cmd_border_contract = $(border-gate) contract $(src) $< \
	$(objtree)/rust/bindings/bindings_generated.rs $@ $(@:_h.rs=_layout.h) $(border-contracts) \
	-- $(CC) -E -dD $(c_flags) $(border-c-flags) $< \
	-- $(BINDGEN) $(border-bindgen-flags) $< \
	-- $(filter-out $(border-skip-flags), $(c_flags)) $(border-target) $(border-c-flags)

# List the contracts that a C source includes, and check that it sees what Rust sees.
quiet_cmd_border_unit = CPP     $(quiet_modtag) $@
      cmd_border_unit = $(border-gate) unit $@ $< $(filter %_h.rs,$^) -- $(CC) -E -w $(c_flags) $<

# A crate with its macros expanded, and without disabled code.
quiet_cmd_border_expand = EXPAND  $(quiet_modtag) $@
      cmd_border_expand = $(rust_common_cmd) -Awarnings -Zunpretty=expanded $< > $@

quiet_cmd_border_objects = BORDER  $(quiet_modtag) $@
      cmd_border_objects = $(border-gate) objects '$(NM)' $(objtree)/Module.symvers $@ \
	$(filter %_h.rs,$^) -- $(border-rust-objects) -- \
	$(filter-out $(border-rust-objects),$(filter %.o,$^))

# A contract: the bindings, and the assertions for C.
define border-contract
$(obj)/$(1)_h.rs: $(src)/$(1).h $(border-gate) FORCE
	$$(call if_changed_dep,border_contract)

$(if $(filter $(1).h,$(foreach m,$(border-with-inline),$(call border-inline,$(m)))),
$(obj)/$(1)_h.rs: private border-bindgen-inline := --experimental --wrap-static-fns \
	--wrap-static-fns-path $(obj)/$(1)_h.rs.draft)

$(obj)/$(1)_layout.h $(obj)/$(1)_extern.h: $(obj)/$(1)_h.rs
	@test -e $$@ || { rm $$<; echo "border: error: $$@ is missing; run make again" >&2; false; }

targets += $(1)_h.rs
clean-files += $(1)_layout.h $(1)_extern.h
endef

# The objects of the module $(1): all, those built from Rust, and the others.
border-parts = $($(1)-objs) $($(1)-y) $($(1)-m)
border-rust = $(foreach o,$(call border-parts,$(1)),$(if $(wildcard $(src)/$(o:.o=.rs)),$(o))) \
	$(if $(wildcard $(src)/$(1).rs),$(filter $(1)_main.o,$(call border-parts,$(1))))
border-others = $(filter-out $(call border-rust,$(1)),$(call border-parts,$(1)))
# Objects from assembly have no types, and shipped objects are not compiled.
border-c = $(foreach o,$(call border-others,$(1)),$(if $(wildcard $(src)/$(o:.o=.S) $(src)/$(o)_shipped),,$(o)))

# An object $(1) of a module, built from the source $(2), with the contracts $(3); $(4) is from
# border-joins. The gate is the shell, and explains the errors of the compiler.
define border-rust-object
$(obj)/$(1): $(obj)/$(2) | $(border-gate) $(3)
$(if $(4),
$(obj)/$(1): private cmd_rustc_o_rs = $$(border_rustc_o_rs)
$(obj)/$(1): $(filter %.bc,$(4)) $(border-gate) $(border-helpers)
$(obj)/$(1:.o=.bc): $(obj)/$(1)
	@test -e $$@ || { rm $$<; echo "border: error: $$@ is missing; run make again" >&2; false; })
$(obj)/$(1): private SHELL := $(border-gate)
$(obj)/$(1): private .SHELLFLAGS := shell rust $(3) -c
ifneq ($(1:.o=.rs),$(2))
$(obj)/$(1): $(obj)/$(2) FORCE
	+$$(call if_changed_rule,rustc_o_rs)
targets += $(1)
endif

# Built after the object, so that rustc prints its errors only once.
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
$(call border-rust-object,$(o),$(if $(filter $(1)_main.o,$(o)),$(1),$(o:.o=)).rs,$(2),$(call \
	border-joins,$(1))))
$(foreach o,$(call border-c,$(1)),
$(call border-c-object,$(o),$(o:.o=.c),$(2)))
$(if $(filter $(1),$(border-with-inline)),$(call border-extern,$(1),$(2)))
$(if $(filter $(1),$(border-fused)),$(call border-fuse,$(1),$(2)))

$(obj)/$(1).border: $(addprefix $(obj)/,$(call border-parts,$(1))) $(2) $(border-gate) \
	$(patsubst %.o,$(obj)/%.expanded,$(call border-rust,$(1))) \
	$(addprefix $(obj)/,$(patsubst %,%.extern.o,$(filter $(1),$(border-inlined)))) \
	$(patsubst %.o,$(obj)/%.contracts,$(call border-c,$(1)) \
		$(patsubst %,%.extern.o,$(filter $(1),$(border-inlined)))) FORCE
	$$(call if_changed,border_objects)
$(obj)/$(1).border: private border-rust-objects := $(patsubst ./%,%,$(addprefix $(obj)/,$(call border-rust,$(1))))

# The module is not linked until the check passes.
$(obj)/$(1).o: $(obj)/$(1).border

targets += $(1).border
endef

border-contracts := $(addprefix $(src)/,$(sort $(foreach m,$(border-modules),$($(m)-contracts))))

# rustc looks for a module beside the file that declares it, so with MO= or O=,
# link the sources into the folder of the generated files.
ifneq ($(border-modules),)
ifneq ($(realpath $(src)),$(realpath $(obj)))
# A contract in a subfolder includes its layout header from there.
ccflags-y += $(addprefix -I$(obj)/,$(sort $(dir $(foreach m,$(border-modules),$($(m)-contracts)))))
border-linked := $(shell to=$$(realpath $(obj)); cd $(src) && \
	find . -name '*.rs' -type f ! -path './border/gate/*' | while read -r file; do \
		mkdir -p "$$to/$${file%/*}" && ln -sf "$$PWD/$$file" "$$to/$$file"; done)
endif
endif

$(foreach h,$(patsubst $(src)/%.h,%,$(border-contracts)),$(eval $(call border-contract,$(h))))
$(foreach m,$(border-modules), \
	$(eval $(call border-module,$(m),$(patsubst %.h,$(obj)/%_h.rs,$($(m)-contracts)))))

# Left by an interrupted build, or by CONFIG_RUST_INLINE_HELPERS; and of objects
# that depend on the kernel's configuration, which `make clean` does not read.
clean-files += *.bc *.joined.ll *.fused.ll *.fused.o *.o.tmp *.draft *.signs.h *.contracts *.expanded
