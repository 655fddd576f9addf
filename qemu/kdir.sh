#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Tells, in plain words, whether a kernel tree can build this module.
#
#	qemu/kdir.sh [--problems] KDIR
#
# Each check prints one line of fields with tabs between them:
#
#	ok	what was looked for	what was found
#	note	what was looked for	what was found	remark
#	bad	what was looked for	what was found	what is wrong	what mends it
#
# With --problems only the bad ones are told, on stderr, as the lab tells its own.
# Ends with 0 if nothing is bad, else with 2.
#
# Reads LLVM, CC, RUSTC, BINDGEN, ARCH and CROSS_COMPILE as Kbuild does, and SRCDIR,
# the folder of the module.

set -u
export LC_ALL=C

# Kbuild calls bindgen with `--rust-target 1.78`, which older ones do not know.
oldest_bindgen=0.71.0

main()
{
	read_command_line "$@"

	check_module_path
	check_module_writable
	check_llvm_value

	check_kdir_given
	check_kdir_exists
	check_kdir_path
	check_kernel_tree
	check_configured
	check_arch
	check_modules_on
	check_rust_on
	check_built
	check_rust_metadata
	check_symvers
	check_build_tools

	ask_tools
	check_compiler_family && check_c_compiler && check_linker
	check_rustc
	check_bindgen && check_libclang

	finish
}

# --- The module's folder -----------------------------------------------------

# Characters that make or the shell give a meaning of their own; found by trying
# each of them with Linux 6.12 and 7.3.
check_module_path()
{
	mend='move the module to a folder with a plain name, such as ~/hello_rust'

	case $srcdir in
	*[[:space:]:%\$\'\"\\\;\&\(\)\|\`\<\>]*)
		bad 'module folder' "$srcdir" \
			"the path of the module has $(odd_character "$srcdir"), which Kbuild cannot handle" \
			"$mend"
		return
		;;
	*[#,=]*)
		# Such a kernel puts the whole path into its rules and flags.
		if ! builds_in_module_folder; then
			bad 'module folder' "$srcdir" \
				"the path of the module has one of '#', ',' and '=', which Kbuild cannot handle before Linux 6.13" \
				"$mend"
			return
		fi
		;;
	esac
	ok 'module folder' "$srcdir"
}

# Kbuild writes beside the sources, whatever the kernel.
check_module_writable()
{
	if [ ! -w "$srcdir" ]; then
		bad 'module folder' "$srcdir, read-only for $(id -un)" \
			'the folder of the module cannot be written to, and that is where Kbuild puts what it builds' \
			'copy the folder to a place of your own, and run make there'
		stop
	fi
	for file in "$srcdir"/.*.cmd "$srcdir"/*.o "$srcdir"/bindings.rs "$srcdir"/Module.symvers; do
		if [ -f "$file" ] && [ ! -w "$file" ]; then
			bad 'module folder' "$file" \
				'an earlier build, by another user, left files that you cannot replace' \
				"sudo chown -R $(id -un) $srcdir"
			return
		fi
	done
}

check_llvm_value()
{
	case $llvm in
	'' | 1 | */ | -*) ;;
	*)
		bad 'LLVM=' "LLVM=$llvm" \
			'LLVM= is neither 1, nor a folder with a slash at its end, nor a version such as -19' \
			'make LLVM=1 for the clang in your PATH; leave LLVM= away for GCC'
		stop
		;;
	esac
}

# --- The kernel tree ---------------------------------------------------------

check_kdir_given()
{
	[ -z "$kdir" ] || return 0
	bad KDIR 'nothing' 'KDIR is empty: there is no kernel to build the module for' \
		"make KDIR=/path/to/a/built/kernel, or $lab"
	stop
}

check_kdir_exists()
{
	[ ! -d "$kdir" ] || return 0

	found="$kdir, which is not there"
	if [ -L "$kdir" ]; then
		found="$kdir, a link to $(readlink "$kdir"), which is not there"
	elif [ -e "$kdir" ]; then
		found="$kdir, which is not a folder"
	fi

	release=${kdir#/lib/modules/}
	release=${release%%/*}
	case $kdir in
	"/lib/modules/$(uname -r)/build"*)
		bad KDIR "$found" "the headers of the running kernel, $release, are not installed" \
			"$(install_headers "$release"), or $lab"
		;;
	/lib/modules/?*/build*)
		bad KDIR "$found" "the headers of the kernel $release are not installed" \
			"$(install_headers "$release"), or $lab"
		;;
	*)
		bad KDIR "$found" 'the folder that KDIR names does not exist' \
			"make KDIR=/path/to/a/built/kernel, or $lab"
		;;
	esac
	stop
}

check_kdir_path()
{
	case $kdir in
	*[[:space:]:%\$\'\"\\\;\&\(\)\|\`\<\>]*)
		bad KDIR "$kdir" \
			"the path of the kernel has $(odd_character "$kdir"), which Kbuild cannot handle" \
			'move the kernel to a folder with a plain name, and build it anew there'
		stop
		;;
	esac
}

# A tree built with O= has only a small Makefile, that includes the one of the source.
check_kernel_tree()
{
	if [ ! -e "$kdir/Makefile" ]; then
		bad KDIR "$kdir, without a Makefile" 'KDIR is not a kernel build folder' \
			"give the folder in which a kernel was built, with make KDIR=/path/to/it; or $lab"
		stop
	fi
	if [ ! -e "$source/Makefile" ]; then
		bad KDIR "$kdir, whose Makefile asks for $source" \
			'the source of this kernel is gone, and building a module needs it' \
			"bring back $source, or $lab"
		stop
	fi
	if [ ! -e "$source/scripts/Makefile.build" ]; then
		bad KDIR "$kdir/Makefile, which is not Linux's" 'KDIR is not a kernel build folder' \
			"give the folder in which a kernel was built, with make KDIR=/path/to/it; or $lab"
		stop
	fi
	ok KDIR "$kdir"
}

# Kbuild reads include/config/auto.conf, which the first build makes of .config.
check_configured()
{
	if [ ! -e "$kdir/.config" ] && [ ! -e "$kdir/include/config/auto.conf" ]; then
		bad 'kernel configuration' "neither .config nor include/config/auto.conf in $kdir" \
			'this kernel is not configured: it is bare source, or was built in another folder, with O=' \
			"make KDIR=/the/folder/given/as/O=, or $lab"
		stop
	fi
	if [ ! -e "$kdir/include/config/auto.conf" ]; then
		bad 'kernel configuration' "$kdir/.config, but no include/config/auto.conf" \
			'this kernel is configured, but was never built' \
			"$(build_kernel)"
		stop
	fi

	read_configuration
	release=
	if [ -e "$kdir/include/config/kernel.release" ]; then
		read -r release <"$kdir/include/config/kernel.release"
	fi
	ok 'kernel configuration' "Linux ${release:-of an unknown release}, $tree_arch"
}

check_arch()
{
	[ "$tree_arch" ] || return 0
	if [ "$arch" = "$tree_arch" ]; then
		ok architecture "$tree_arch"
		return
	fi

	if [ "$tree_arch" = "$(host_arch)" ]; then
		mend="$(make_with "$(llvm_setting)"), without ARCH="
	elif config_is CC_IS_CLANG; then
		mend=$(make_with "ARCH=$tree_arch $(llvm_setting)")
	else
		mend=$(make_with "ARCH=$tree_arch CROSS_COMPILE=$(cross_prefix "$tree_arch")")
	fi
	bad architecture "$kdir: $tree_arch" \
		"this kernel is for $tree_arch, but make builds for $arch" "$mend"
	stop
}

check_modules_on()
{
	if config_is MODULES; then
		ok CONFIG_MODULES y
		return
	fi
	bad CONFIG_MODULES "not set in $kdir/include/config/auto.conf" \
		'this kernel cannot load modules at all' \
		"$(reconfigure_kernel '-e MODULES')"
	stop
}

check_rust_on()
{
	if config_is RUST; then
		ok CONFIG_RUST y
		return
	fi

	found="not set in $kdir/include/config/auto.conf"
	blocker=$(option_against_rust)
	if grep -q '^CONFIG_RUST=y' "$kdir/.config" 2>/dev/null; then
		bad CONFIG_RUST "y in .config, but $found" \
			'Rust was switched on after this kernel was built' \
			"$(build_kernel)"
	elif ! config_is HAVE_RUST; then
		bad CONFIG_RUST "$found, nor is CONFIG_HAVE_RUST" \
			'this kernel cannot have Rust: it is too old, or has none on its architecture or with its compiler' \
			"$lab"
	elif [ "$blocker" ]; then
		bad CONFIG_RUST "$found, but CONFIG_$blocker=y" \
			"this kernel is built without Rust, which CONFIG_$blocker rules out" \
			"$(reconfigure_kernel "-d $blocker -e RUST")"
	elif ! config_is RUST_IS_AVAILABLE; then
		bad CONFIG_RUST "$found, nor is CONFIG_RUST_IS_AVAILABLE" \
			'this kernel is built without Rust: no Rust that it could use was found when it was configured' \
			"$(if_source "make -C $kdir$(llvm_word) rustavailable, which tells what is missing")"
	else
		bad CONFIG_RUST "$found" 'this kernel is built without Rust' \
			"$(reconfigure_kernel '-e RUST')"
	fi
	stop
}

# What Kbuild makes before anything else, and needs for every module.
check_built()
{
	for file in include/generated/autoconf.h scripts/basic/fixdep scripts/mod/modpost; do
		if [ ! -e "$kdir/$file" ]; then
			bad 'kernel build' "no $file in $kdir" \
				'this kernel is configured, but was not built, or has been cleaned since' \
				"$(build_kernel)"
			stop
		fi
	done
}

# Measured with Linux 6.12 and 7.3 by taking files away: a module needs the metadata
# of every crate, the macros, the target and the flags; and neither the Rust sources
# of the kernel, nor its generated bindings, nor rust-src.
check_rust_metadata()
{
	if [ -L "$kdir/rust" ] && [ ! -e "$kdir/rust" ]; then
		bad 'Rust metadata' "$kdir/rust, a link to $(readlink "$kdir/rust"), which is not there" \
			'the Rust metadata of this kernel is a package of its own, which is not installed' \
			"$(ubuntu_metadata)"
		stop
	fi

	missing=
	count=0
	for file in $(rust_files); do
		[ -e "$kdir/$file" ] || { missing=${missing:-$file}; count=$((count + 1)); }
	done
	if [ ! "$missing" ]; then
		ok 'Rust metadata' "$kdir/rust"
		return
	fi

	found="no $missing in $kdir"
	[ "$count" = 1 ] || found="no $missing in $kdir, nor $((count - 1)) more"
	if has_source; then
		bad 'Rust metadata' "$found" \
			'the Rust half of this kernel is not built, or only in part' \
			"$(build_kernel)"
	else
		bad 'Rust metadata' "$found" \
			'this kernel has Rust, but its header package lacks what a Rust module is compiled against' \
			"$lab"
	fi
	stop
}

# Without it, modpost knows no symbol of the kernel and refuses the module.
check_symvers()
{
	if [ -e "$kdir/Module.symvers" ]; then
		ok Module.symvers "$kdir/Module.symvers"
		return
	fi
	if [ "${KBUILD_MODPOST_WARN:-}" ]; then
		note Module.symvers "none in $kdir" \
			'KBUILD_MODPOST_WARN lets the module be built, but whether the kernel has its symbols is unknown'
		return
	fi
	bad Module.symvers "none in $kdir" \
		'this kernel is prepared, but was not built to the end: the symbols that it exports are not known' \
		"$(build_kernel)"
	stop
}

# Programs that the kernel's own build made, and that run here for each module. Built
# on another system, they may ask for a libc that is not here.
check_build_tools()
{
	tools='scripts/basic/fixdep scripts/mod/modpost'
	config_is OBJTOOL && tools="$tools tools/objtool/objtool"
	config_is GENDWARFKSYMS && tools="$tools scripts/gendwarfksyms/gendwarfksyms"

	for tool in $tools; do
		if [ ! -e "$kdir/$tool" ]; then
			bad "${tool##*/}" "no $tool in $kdir" \
				"${tool##*/}, which the build of every module runs, is missing from this kernel" \
				"$(build_kernel)"
			continue
		fi
		answer=$("$kdir/$tool" 2>&1 </dev/null)
		case $?:$answer in
		12[67]:* | *GLIBC* | *'error while loading shared libraries'*)
			bad "${tool##*/}" "$(first_line "${answer:-$kdir/$tool}")" \
				"${tool##*/}, made along with this kernel, does not run on this system" \
				"$(if_lab "build the kernel on this system: $(build_kernel)")"
			# The lab's kernels are made for the lab's own system, tools and all.
			is_of_lab && stop
			# The other programs come from the same system: once is enough.
			return
			;;
		esac
		ok "${tool##*/}" "$kdir/$tool"
	done
}

# --- The tools of this system ------------------------------------------------

# GCC and clang take other flags, and the configuration holds those of one of them.
# Fails if the compiler is of the wrong one: then nothing more need be said of it.
check_compiler_family()
{
	asked=GCC
	case "$cc $(answer_of cc)" in
	*clang*) asked=clang ;;
	esac
	if [ "$llvm" ]; then
		seen="LLVM=$llvm${CC:+ CC=$CC}"
	else
		seen=${CC:+CC=$CC}
	fi

	if config_is CC_IS_CLANG && [ "$asked" = GCC ]; then
		bad 'C compiler' "${seen:-no LLVM=1}" \
			"this kernel is built by clang, but make is about to use $cc" \
			"$(make_with "$(llvm_setting)")"
		return 1
	fi
	if config_is RUST_INLINE_HELPERS && [ ! "$llvm" ]; then
		bad 'C compiler' "$seen without LLVM=1" \
			'this kernel inlines C into Rust (CONFIG_RUST_INLINE_HELPERS), which takes the whole of LLVM, not clang alone' \
			"$(make_with "$(llvm_setting)")"
		return 1
	fi
	if config_is CC_IS_GCC && [ "$asked" = clang ]; then
		bad 'C compiler' "$seen" \
			"this kernel is built by GCC, but make is about to use $cc" \
			"$(make_with ''), without ${seen%%=*}="
		return 1
	fi
}

# Kbuild only warns of another version, and so does this. Fails if there is none: what
# brings the compiler brings its linker, too.
check_c_compiler()
{
	if ! has_command "$cc"; then
		bad 'C compiler' "no $(first_word "$cc") in PATH" \
			"the C compiler, $(first_word "$cc"), is not found" \
			"$(install_compiler)"
		return 1
	fi

	version=$(answer_of cc)
	wanted=$(config CC_VERSION_TEXT)
	if [ "$(status_of cc)" != 0 ]; then
		bad 'C compiler' "$cc: $version" "the C compiler, $cc, does not run" \
			"$(install_compiler)"
	elif [ "$version" != "$wanted" ]; then
		note 'C compiler' "$version" "the kernel was built by $wanted; most often that does no harm"
	else
		ok 'C compiler' "$version"
	fi
}

check_linker()
{
	linkers=$(tool_of ld)
	config_is RUST_INLINE_HELPERS && linkers="$linkers $(tool_of llvm-link)"

	for linker in $linkers; do
		if has_command "$linker"; then
			ok linker "$(command -v "$linker")"
		else
			bad linker "no $linker in PATH" \
				"$linker, which puts the two halves of the module together, is not found" \
				"$(install_compiler)"
		fi
	done
}

# Metadata can only be read by the very rustc that wrote it.
check_rustc()
{
	wanted=$(config RUSTC_VERSION_TEXT)

	if ! has_command "$rustc"; then
		bad rustc "no $(first_word "$rustc") in PATH" \
			"the Rust compiler is not found; this kernel asks for $wanted" \
			"$(provide_rustc "$wanted")"
		return
	fi

	answer=$(answer_of rustc)
	case $(status_of rustc):$answer in
	"0:$wanted")
		ok rustc "$answer"
		;;
	0:*)
		bad rustc "$answer" \
			"this kernel is built by another rustc: $wanted" \
			"$(provide_rustc "$wanted")"
		;;
	*toolchain*'is not installed'*)
		toolchain=${answer#*toolchain ?}
		toolchain=${toolchain%%\'*}
		pin='the settings of rustup ask'
		[ "${RUSTUP_TOOLCHAIN:-}" ] && pin="RUSTUP_TOOLCHAIN=$RUSTUP_TOOLCHAIN asks"
		[ "$pin" = 'the settings of rustup ask' ] && [ -e "$rustc_folder/rust-toolchain.toml" ] &&
			pin="$rustc_folder/rust-toolchain.toml asks"
		bad rustc "toolchain $toolchain is not installed" \
			"$pin rustup for a toolchain that is not there; this kernel asks for $wanted" \
			"$(provide_rustc "$wanted")"
		;;
	*)
		bad rustc "$rustc --version: ${answer:-no answer}" \
			"the Rust compiler does not run; this kernel asks for $wanted" \
			"$(provide_rustc "$wanted")"
		;;
	esac
}

# Fails if there is none, so that nobody asks for the libclang that it would load.
check_bindgen()
{
	least=$(min_version bindgen)
	is_older "${least:-0}" "$oldest_bindgen" && least=$oldest_bindgen

	if ! has_command "$bindgen"; then
		bad bindgen "no $(first_word "$bindgen") in PATH" \
			'bindgen, which makes the Rust bindings of c_helper.h, is not found' \
			"$(install_bindgen)"
		return 1
	fi

	answer=$(answer_of bindgen)
	version=${answer#bindgen }
	if [ "$(status_of bindgen)" != 0 ] || [ "$version" = "$answer" ]; then
		bad bindgen "$bindgen --version: ${answer:-no answer}" \
			'bindgen, which makes the Rust bindings of c_helper.h, does not run' \
			"$(install_bindgen)"
		return 1
	fi
	if is_older "$version" "$least"; then
		bad bindgen "$answer" \
			"bindgen is too old: this kernel and this module ask for $least or newer" \
			"$(install_bindgen)"
		return 1
	fi
	ok bindgen "$answer"
}

# bindgen loads it only when it reads a header, so its --version says nothing.
check_libclang()
{
	[ -e "$libclang_probe" ] || return 0

	least=$(min_version llvm)
	answer=$(answer_of libclang)
	version=${answer#*clang version }
	if [ "$version" = "$answer" ]; then
		bad libclang "${answer:-no answer}" \
			'bindgen cannot load libclang, the part of clang with which it reads C' \
			"$(provide_libclang)"
		return
	fi

	version=${version%%[!0-9.]*}
	if is_older "$version" "${least:-0}"; then
		bad libclang "$version" \
			"the libclang that bindgen loads is too old: this kernel asks for $least or newer" \
			"$(provide_libclang)"
		return
	fi
	ok libclang "$version"
}

# --- What is known -----------------------------------------------------------

read_command_line()
{
	problems=
	if [ "${1:-}" = --problems ]; then
		problems=1
		shift
	fi
	if [ $# != 1 ]; then
		echo "usage: $0 [--problems] KDIR" >&2
		exit 2
	fi

	tab=$(printf '\t')
	nl='
'
	worst=0
	answers=$nl
	lab='make run, which builds and boots a kernel of its own'

	srcdir=$(cd "${SRCDIR:-$(dirname "$0")/..}" && pwd -P) || exit 2
	kdir=$1
	# Kbuild changes folders; and the name given is the one to show, not where it leads.
	case $kdir in
	'' | /*) ;;
	*) kdir=$(cd "$kdir" 2>/dev/null && pwd || echo "$kdir") ;;
	esac
	source=$kdir
	if [ -e "$kdir/Makefile" ]; then
		source=$(sed -n 's/^include \(\/.*\)\/Makefile$/\1/p' "$kdir/Makefile")
		source=${source:-$kdir}
	fi

	llvm=${LLVM:-}
	arch=$(arch_name "${ARCH:-$(uname -m)}")
	cc=${CC:-$(tool_of cc)}
	rustc=${RUSTC:-rustc}
	bindgen=${BINDGEN:-bindgen}
	libclang_probe=$source/scripts/rust_is_available_bindgen_libclang.h

	# rustup heeds the rust-toolchain.toml of the folder in which rustc is called.
	rustc_folder=$srcdir
	builds_in_module_folder || rustc_folder=$kdir
}

# Linux 6.13 and newer compile a module with its folder as the working directory.
builds_in_module_folder()
{
	! [ -e "$source/Makefile" ] || grep -q KBUILD_EXTMOD_OUTPUT "$source/Makefile"
}

# The few options that matter here: a whole auto.conf is slow to search for a shell.
read_configuration()
{
	options=$nl$(grep -E '^CONFIG_(UML|X86|ARM64|RISCV|LOONGARCH|ARM|S390|PPC|MODULES|HAVE_RUST|RUST|RUST_IS_AVAILABLE|RUST_INLINE_HELPERS|MODVERSIONS|GENDWARFKSYMS|RANDSTRUCT|GCC_PLUGIN_RANDSTRUCT|DEBUG_INFO_BTF|PAHOLE_HAS_LANG_EXCLUDE|OBJTOOL|CC_IS_CLANG|CC_IS_GCC|LD_IS_LLD|CLANG_VERSION|CC_VERSION_TEXT|RUSTC_VERSION_TEXT|BINDGEN_VERSION_TEXT)=' \
		"$kdir/include/config/auto.conf")$nl

	tree_arch=
	# User-mode Linux sets the option of its host besides.
	for option in UML X86 ARM64 RISCV LOONGARCH ARM S390 PPC; do
		if config_is "$option"; then
			tree_arch=$(arch_of_option "$option")
			break
		fi
	done
}

config_is()
{
	case $options in
	*"${nl}CONFIG_$1=y$nl"*) return 0 ;;
	esac
	return 1
}

# The text of an option; older kernels put quotes around it.
config()
{
	case $options in
	*"${nl}CONFIG_$1="*) ;;
	*) return ;;
	esac
	value=${options#*"${nl}CONFIG_$1="}
	value=${value%%"$nl"*}
	value=${value#\"}
	printf '%s\n' "${value%\"}"
}

# Header packages hold no C files: such a tree can be used, but not be built again.
has_source()
{
	[ -e "$source/init/main.c" ]
}

is_of_lab()
{
	case $kdir in
	"${XDG_CACHE_HOME:-${HOME:-}/.cache}/hello_rust/"*) return 0 ;;
	esac
	return 1
}

# The option of this kernel, if any, with which Kconfig offers no Rust.
option_against_rust()
{
	if config_is MODVERSIONS && ! config_is GENDWARFKSYMS; then
		echo MODVERSIONS
	elif config_is GCC_PLUGIN_RANDSTRUCT; then
		echo GCC_PLUGIN_RANDSTRUCT
	elif config_is RANDSTRUCT; then
		echo RANDSTRUCT
	elif config_is DEBUG_INFO_BTF && ! config_is PAHOLE_HAS_LANG_EXCLUDE; then
		echo DEBUG_INFO_BTF
	fi
}

# What rustc opens for a module. Crates come and go between releases: beyond the
# lasting ones, those count that the tree's own rust/Makefile builds.
rust_files()
{
	echo rust/libcore.rmeta rust/libkernel.rmeta rust/libmacros.so include/generated/rustc_cfg

	if grep -q 'objtree)/scripts/target.json' "$source/arch/$tree_arch/Makefile" 2>/dev/null; then
		echo scripts/target.json
	fi
	config_is RUST_INLINE_HELPERS && echo rust/helpers/helpers_module.bc

	built=$(grep 'CONFIG_RUST)' "$source/rust/Makefile" 2>/dev/null | tr '\n' ' ')' '
	for crate in compiler_builtins ffi build_error bindings uapi pin_init zerocopy; do
		case $built in
		*" $crate.o "*) echo "rust/lib$crate.rmeta" ;;
		esac
	done
	for crate in pin_init_internal zerocopy_derive; do
		case $built in
		*"lib$crate"*) echo "rust/lib$crate.so" ;;
		esac
	done
}

# The oldest version of a tool with which the tree builds; nothing if it does not say.
min_version()
{
	sh "$source/scripts/min-tool-version.sh" "$1" 2>/dev/null
}

# Whether version $1 comes before version $2. A suffix such as -dev does not count.
is_older()
{
	[ "$(version_number "$1")" -lt "$(version_number "$2")" ]
}

version_number()
(
	version=${1%%[!0-9.]*}
	IFS=.
	# shellcheck disable=SC2086 # split at the dots
	set -- $version
	echo $((${1:-0} * 1000000 + ${2:-0} * 1000 + ${3:-0}))
)

# --- Which architecture ------------------------------------------------------

host_arch()
{
	arch_name "$(uname -m)"
}

# As Kbuild names it: by the folder in arch/.
arch_name()
{
	case $1 in
	i?86 | x86_64 | x86) echo x86 ;;
	aarch64* | arm64) echo arm64 ;;
	arm*) echo arm ;;
	riscv*) echo riscv ;;
	loongarch*) echo loongarch ;;
	s390x) echo s390 ;;
	ppc*) echo powerpc ;;
	*) echo "$1" ;;
	esac
}

arch_of_option()
{
	case $1 in
	UML) echo um ;;
	PPC) echo powerpc ;;
	*) echo "$1" | tr '[:upper:]' '[:lower:]' ;;
	esac
}

cross_prefix()
{
	case $1 in
	x86) echo x86_64-linux-gnu- ;;
	arm64) echo aarch64-linux-gnu- ;;
	arm) echo arm-linux-gnueabihf- ;;
	riscv) echo riscv64-linux-gnu- ;;
	loongarch) echo loongarch64-linux-gnu- ;;
	s390) echo s390x-linux-gnu- ;;
	powerpc) echo powerpc64le-linux-gnu- ;;
	esac
}

# --- Which tool --------------------------------------------------------------

# The name under which Kbuild calls a tool.
tool_of()
{
	case $1 in
	cc) gnu=$(gcc_of_tree) llvm_name=clang ;;
	ld) gnu=${CROSS_COMPILE:-}ld llvm_name=ld.lld ;;
	*) gnu=$1 llvm_name=$1 ;;
	esac

	case $llvm in
	'') echo "$gnu" ;;
	*/) echo "$llvm$llvm_name" ;;
	-*) echo "$llvm_name$llvm" ;;
	*) echo "$llvm_name" ;;
	esac
}

# The header packages of Debian name the compiler in a file that Kbuild reads.
gcc_of_tree()
{
	named=
	if [ -e "$kdir/.kernelvariables" ]; then
		named=$(sed -n 's/^CC[ :?]*= *//p' "$kdir/.kernelvariables" | head -n 1 |
			sed "s/\$(CCACHE) *//; s/\$(CROSS_COMPILE)/${CROSS_COMPILE:-}/")
	fi
	case $named in
	'' | *\$*) echo "${CROSS_COMPILE:-}gcc" ;;
	*) echo "$named" ;;
	esac
}

has_command()
{
	command -v "$(first_word "$1")" >/dev/null
}

# Asks all tools at once, since each takes its time to answer.
ask_tools()
{
	answers=$nl$(
		# shellcheck disable=SC2086 # CC may be several words, such as `ccache gcc`
		ask cc $cc --version &
		ask rustc rustc_version "$rustc" &
		# shellcheck disable=SC2086
		ask bindgen $bindgen --version &
		ask libclang libclang_version &
		wait
	)$nl
}

# One line: the name of the question, the exit status, the first words of the answer.
ask()
{
	question=$1
	shift
	answer=$("$@" 2>&1 </dev/null)
	status=$?
	printf '%s\t%s\t%s\n' "$question" "$status" "$(first_line "$answer")"
}

# rustup must not fetch a whole toolchain only because somebody asks for a version.
rustc_version()
{
	# shellcheck disable=SC2086
	cd "$rustc_folder" && RUSTUP_AUTO_INSTALL=0 RUST_BACKTRACE=0 $1 --version
}

# The kernel's own probe: a header that makes libclang tell its version. Neither
# rustfmt nor the search paths of clang matter here, and both cost time.
libclang_version()
{
	# shellcheck disable=SC2086
	CLANG_PATH=/bin/false $bindgen --formatter none -o /dev/null "$libclang_probe"
}

status_of()
{
	case $answers in
	*"$nl$1$tab"*) ;;
	*) return ;;
	esac
	value=${answers#*"$nl$1$tab"}
	printf '%s\n' "${value%%"$tab"*}"
}

answer_of()
{
	case $answers in
	*"$nl$1$tab"*) ;;
	*) return ;;
	esac
	value=${answers#*"$nl$1$tab"}
	value=${value#*"$tab"}
	printf '%s\n' "${value%%"$nl"*}"
}

# --- What mends it -----------------------------------------------------------

# The command line of this module's make, with other settings.
make_with()
{
	printf 'make %sKDIR=%s\n' "${1:+$1 }" "$kdir"
}

# The setting with which this kernel wants to be built; a clang that only exists with
# its version in its name is asked for by that.
llvm_setting()
{
	config_is CC_IS_CLANG || return 0

	major=$(config CLANG_VERSION)
	major=${major%????}
	if ! config_is LD_IS_LLD && ! config_is RUST_INLINE_HELPERS; then
		echo CC=clang
	elif [ ! "$llvm" ] && ! has_command clang && has_command "clang-$major"; then
		echo "LLVM=-$major"
	else
		echo "LLVM=${llvm:-1}"
	fi
}

# The same, as a word of the kernel's own command line.
llvm_word()
{
	setting=${llvm:+LLVM=$llvm}
	[ -z "${options:-}" ] || setting=$(llvm_setting)
	printf '%s' "${setting:+ $setting}"
}

build_kernel()
{
	if_source "make -C $kdir$(llvm_word) -j\$(nproc)"
}

# $1: what to tell the tree's scripts/config.
reconfigure_kernel()
{
	if_source "$source/scripts/config --file $kdir/.config $1 && make -C $kdir$(llvm_word) olddefconfig && make -C $kdir$(llvm_word) -j\$(nproc)"
}

# Only who has its source can build a kernel.
if_source()
{
	if has_source; then
		if_lab "$1"
	else
		echo "$lab"
	fi
}

# The lab builds and mends its own kernels.
if_lab()
{
	if is_of_lab; then
		echo 'make run, since this kernel is the lab'\''s own'
	else
		echo "$1"
	fi
}

# The command that installs packages here, with the name that the local family of
# distributions gives them; fails where that is not known.
# $1: for apt-get, $2: for dnf and zypper, $3: for pacman
install_packages()
{
	as_root=
	[ "$(id -u)" = 0 ] || as_root='sudo '

	if has_command apt-get; then
		echo "${as_root}apt-get install $1"
	elif has_command dnf; then
		echo "${as_root}dnf install $2"
	elif has_command zypper; then
		echo "${as_root}zypper install $2"
	elif has_command pacman; then
		echo "${as_root}pacman -S $3"
	else
		return 1
	fi
}

install_headers()
{
	install_packages "linux-headers-$1" "kernel-devel-$1" linux-headers ||
		echo "install the headers of the kernel $1"
}

ubuntu_metadata()
{
	package=$(readlink "$kdir/rust")
	package=${package%/rust*}
	install_packages "${package##*/}" "${package##*/}" "${package##*/}" ||
		echo "install ${package##*/}"
}

install_compiler()
{
	case $llvm in
	*/)
		echo 'make LLVM=/path/to/the/folder/of/clang/, with a slash at its end'
		return
		;;
	-*) suffix=$llvm ;;
	*) suffix= ;;
	esac
	if [ "$llvm" ]; then
		install_packages "clang$suffix lld$suffix llvm$suffix" 'clang lld llvm' 'clang lld llvm' ||
			echo 'install clang, lld and llvm'
	elif [ "${CC:-}" ]; then
		echo 'make CC=/path/to/the/compiler'
	elif [ "${CROSS_COMPILE:-}" ]; then
		echo "install ${CROSS_COMPILE}gcc and ${CROSS_COMPILE}ld"
	else
		package=$(first_word "$cc")
		install_packages "${package##*-linux-gnu-} binutils" 'gcc binutils' 'gcc binutils' ||
			echo 'install gcc and binutils'
	fi
}

# The version that the kernel was configured with is the surest.
install_bindgen()
{
	version=$(config BINDGEN_VERSION_TEXT)
	version=${version#bindgen }
	[ "$version" ] && ! is_older "$version" "$least" || version=$least
	echo "cargo install --locked bindgen-cli@$version"
}

# A libclang that is there, but out of sight, is the quickest.
provide_libclang()
{
	for library in /usr/lib/llvm-*/lib/libclang.so* /usr/lib/llvm-*/lib/libclang-*.so*; do
		if [ -e "$library" ] && [ ! "$version" ] && [ ! "${LIBCLANG_PATH:-}" ]; then
			echo "LIBCLANG_PATH=${library%/*} $(make_with "${llvm:+LLVM=$llvm}")"
			return
		fi
	done
	if [ "${LIBCLANG_PATH:-}" ]; then
		echo "unset LIBCLANG_PATH, which is $LIBCLANG_PATH, or have it name a folder with a newer libclang.so"
		return
	fi
	install_packages libclang-dev clang-devel clang || echo 'install libclang'
}

# $1: the version text of the rustc that built the kernel.
provide_rustc()
{
	settings="${llvm:+LLVM=$llvm }RUSTC="
	release=${1#rustc }
	release=${release%% *}

	if here=$(find_rustc "$1"); then
		make_with "$settings$here"
	elif is_of_lab; then
		if_lab ''
	else
		case $1 in
		*'('*'('* | *nightly* | *beta* | *dev* | *Fedora* | *Arch* | *'Red Hat'*)
			# A distribution's own, or one that rustup does not know by its release.
			echo "make ${settings}/path/to/the/rustc/of/the/kernel KDIR=$kdir, or build the kernel with your rustc: $(build_kernel)"
			;;
		*)
			if has_command rustup; then
				echo "rustup toolchain install --profile minimal $release && $(make_with "$settings\$(rustup which --toolchain $release rustc)")"
			else
				echo "install rustc $release, with rustup (https://rustup.rs) or from your distribution, and $(make_with "$settings/path/to/it")"
			fi
			;;
		esac
	fi
}

# The path of an installed rustc with just this version text.
find_rustc()
{
	minor=${release%.*}
	for candidate in /usr/bin/rustc "/usr/bin/rustc-$minor" /usr/local/bin/rustc \
		"/usr/lib/rust-$minor/bin/rustc" \
		"${RUSTUP_HOME:-${HOME:-}/.rustup}"/toolchains/*/bin/rustc; do
		if [ -x "$candidate" ] && [ "$(rustc_version "$candidate" 2>/dev/null)" = "$1" ]; then
			echo "$candidate"
			return
		fi
	done
	return 1
}

# --- How it is told ----------------------------------------------------------

ok()
{
	[ "$problems" ] || printf 'ok\t%s\t%s\n' "$1" "$2"
}

note()
{
	[ "$problems" ] || printf 'note\t%s\t%s\t%s\t\n' "$1" "$2" "$3"
}

# $1: what was looked for, $2: what was found, $3: what is wrong, $4: what mends it
bad()
{
	worst=2
	if [ "$problems" ]; then
		printf 'hello_rust: error: %s\n  seen: %s: %s\n  mend: %s\n' "$3" "$1" "$2" "$4" >&2
	else
		printf 'bad\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4"
	fi
}

# Where a check fails on which the later ones rest.
stop()
{
	finish
}

finish()
{
	exit "$worst"
}

# Without tabs, which part the fields.
first_line()
{
	line=${1%%"$nl"*}
	case $line in
	*"$tab"*) line=$(printf '%s' "$line" | tr '\t' ' ') ;;
	esac
	printf '%s\n' "$line"
}

first_word()
{
	printf '%s\n' "${1%% *}"
}

# The first character of a path that make or the shell would trip over, in words.
odd_character()
{
	odd=$(printf '%s' "$1" | tr -d '[:alnum:]/._+#,=~@^!*?{}[]-' | cut -c 1)
	case $odd in
	' ') echo 'a space' ;;
	:) echo 'a colon' ;;
	[[:space:]]) echo 'a white-space character' ;;
	*) echo "the character $odd" ;;
	esac
}

main "$@"
