# SPDX-License-Identifier: GPL-2.0
# What crosses without a call: inline functions in a contract, and modules whose objects are joined as
# LLVM's bitcode. Included by border.mk.

# Contracts with inline functions (or only with that word). They have no symbol, so Rust calls external
# definitions, which are compiled once for each module, in hello.extern.c.
border-inline = $(strip $(foreach h,$($(1)-contracts),$(if $(findstring inline,$(file <$(src)/$(h))),$(h))))
border-with-inline := $(strip $(foreach m,$(border-modules),$(if $(call border-inline,$(m)),$(m))))

# hello-fused := y, or FUSED=1 on make's command line, joins all bitcode of a module.
border-fused := $(strip $(foreach m,$(border-modules),$(if $(filter y 1,$($(m)-fused) \
	$(if $(findstring command,$(origin FUSED)),$(FUSED))),$(m))))

# Why the bitcode of rustc and clang cannot be joined.
border-llvm-tool = $(if $(findstring llvm-nm,$(NM)),$(subst llvm-nm,$(1),$(NM)),$(1))
border-link := $(or $(LLVM_LINK),$(call border-llvm-tool,llvm-link))
border-opt := $(call border-llvm-tool,opt)
# `make clean` knows nothing of the kernel's configuration.
ifneq ($(and $(border-with-inline)$(border-fused),$(CONFIG_CC_VERSION_TEXT)),)
border-apart := $(strip $(if $(CONFIG_CC_IS_CLANG),$(if $(CONFIG_LTO_CLANG),CONFIG_LTO_CLANG is on,$(shell \
	[ $$(($(CONFIG_CLANG_VERSION) / 10000)) = $$(($(or $(CONFIG_RUSTC_LLVM_VERSION),0) / 10000)) ] || \
		echo 'rustc and clang have different versions of LLVM'; \
	for tool in $(border-link) $(border-opt); do \
		command -v $$tool >/dev/null || echo "$$tool is not installed"; done)),the kernel is built by GCC))
$(if $(border-fused),$(if $(border-apart),$(error border: error: $(border-fused) cannot be fused: $(border-apart))))
endif

# The modules whose Rust objects get the external definitions as bitcode; in others, they are linked.
border-inlined := $(if $(border-apart),,$(border-with-inline))
$(foreach m,$(filter-out $(border-inlined),$(border-with-inline)),$(eval $(m)-y += $(m).extern.o))

# The external definitions of all inline functions of a module.
quiet_cmd_border_extern = GEN     $(quiet_modtag) $@
      cmd_border_extern = { $(foreach h,$(border-inline-contracts),echo '$(pound)include "$(abspath $(src)/$(h))"'; \
	echo '$(pound)include "$(h:.h=_extern.h)"';) } > $@

quiet_cmd_border_bc = CC      $(quiet_modtag) $@
      cmd_border_bc = $(CC) $(c_flags) -c $< -emit-llvm -o $@

# Kbuild compiles joined bitcode with the same flags, see CONFIG_RUST_INLINE_HELPERS.
border-helpers := $(if $(CONFIG_RUST_INLINE_HELPERS),$(objtree)/rust/helpers/helpers_module.bc)
border-compile = $(CC) $(CLANG_FLAGS) $(filter-out $(CC_FLAGS_LTO),$(KBUILD_CFLAGS)) \
	$(or $(CC_FLAGS_RUST_INLINE_HELPERS),-mllvm -trap-unreachable -mllvm -no-trap-after-noreturn) \
	-Wno-override-module -c

# In place of Kbuild's command for a Rust object.
border_rustc_o_rs = $(rust_common_cmd) --emit=llvm-bc=$(@:.o=.bc) $<; \
	$(border-gate) inline $(border-link) $(@:.o=.joined.ll) $(@:.o=.bc) $(filter %.bc,$^); \
	$(border-compile) $(@:.o=.joined.ll) -o $@ $(cmd_objtool)

# In place of Kbuild's command that links a module. Objects without bitcode are linked as they are.
border_ld_multi_m = $(border-gate) fuse $(border-link) $(border-opt) '$(NM)' $(@:.o=.fused.ll) \
		-- $(border-joined:.o=.bc) $(filter %.extern.bc,$^) $(border-helpers) -- $(border-all); \
	$(border-compile) $(@:.o=.fused.ll) -o $(@:.o=.fused.o) \
	$(if $(and $(CONFIG_OBJTOOL),$(if $(delay-objtool),,y)),; $(objtool) $(objtool-args) $(@:.o=.fused.o)); \
	$(LD) $(ld_flags) -r -o $@ $(@:.o=.fused.o) $(filter-out $(border-joined),$(border-all)) $(cmd_objtool)

# The bitcode that joins the Rust objects of the module $(1), or `y` for none, or nothing if they are
# compiled as usual.
border-joins = $(or $(if $(filter $(1),$(border-inlined)),$(obj)/$(1).extern.bc),$(if $(filter $(1),$(border-fused)),y))

# Bitcode of the same source.
define border-c-bitcode
$(obj)/$(1:.o=.bc): $(obj)/%.bc: $(obj)/%.c FORCE | $(2)
	$$(call if_changed_dep,border_bc)

targets += $(1:.o=.bc)
endef

# The unit of the module $(1) with the external definitions of inline functions, and its contracts, $(2).
# If it is not linked, it is compiled to be checked.
define border-extern
$(obj)/$(1).extern.c: private border-inline-contracts := $(call border-inline,$(1))
$(obj)/$(1).extern.c: $(2) FORCE
	$$(call if_changed,border_extern)
$(foreach end,o bc,
$(obj)/$(1).extern.$(end): private __modname := $(1)
$(obj)/$(1).extern.$(end): private part-of-module := y)

targets += $(1).extern.c $(1).extern.o
clean-files += $(1).extern.c
$(call border-c-bitcode,$(1).extern.o,$(2))
$(if $(filter $(1),$(border-inlined)),$(call border-c-object,$(1).extern.o,$(1).extern.c,$(2)))
endef

# The fused module $(1), and its contracts, $(2).
define border-fuse
$(foreach o,$(call border-c,$(1)),
$(call border-c-bitcode,$(o),$(2)))
$(obj)/$(1).o: private cmd_ld_multi_m = $$(border_ld_multi_m)
$(obj)/$(1).o: private border-all := $(addprefix $(obj)/,$(call border-parts,$(1)))
$(obj)/$(1).o: private border-joined := $(addprefix $(obj)/,$(call border-rust,$(1)) $(call border-c,$(1)))
$(obj)/$(1).o: $(patsubst %.o,$(obj)/%.bc,$(call border-rust,$(1)) $(call border-c,$(1))) \
	$(addprefix $(obj)/,$(patsubst %,%.extern.bc,$(filter $(1),$(border-inlined)))) $(border-helpers)
endef
