#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Checks whether this module can be built for a kernel tree.
#
#	tools/check-kernel.sh [--problems] KDIR
#
# Prints a line for each check, its fields separated by tabs:
#
#	ok	what was checked	what was found
#	note	what was checked	what was found	remark
#	bad	what was checked	what was found	what is wrong	how to fix it
#
# With --problems, prints only what is bad, on stderr, as error, note and help.
# Exits with 2 if anything is bad, otherwise with 0.
#
# Reads LLVM, CC, RUSTC, BINDGEN, ARCH and CROSS_COMPILE as Kbuild does, and SRCDIR,
# the folder of the module. docs/your-kernel.md says more about each problem.

set -u
export LC_ALL=C

# shellcheck source-path=SCRIPTDIR source=path.sh
. "$(dirname "$0")/path.sh"
# shellcheck source-path=SCRIPTDIR source=check-compilers.sh
. "$(dirname "$0")/check-compilers.sh"

# The first with everything that this module uses of the kernel crate.
oldest_kernel=6.12

page=docs/your-kernel.md
lab='make run, which builds and boots a kernel of its own'
another_kernel="make KDIR=/path/to/a/built/kernel, or $lab"

main() {
	read_command_line "$@"

	check_module_path
	check_module_writable
	check_llvm_value

	check_kdir_exists
	check_kernel_tree
	check_headers_of_metadata
	check_configured

	read_configuration
	check_arch
	check_release
	check_options
	check_built
	check_rust_metadata
	check_macros
	check_symvers
	check_build_tools

	check_tools
	exit "$worst"
}

# --- The module's folder ---

check_module_path() {
	if cause=$(odd_character "$srcdir" "$odd"); then
		who='Kbuild does'
	elif ! builds_in_module_folder && cause=$(odd_character "$srcdir" "$odd_before_6_13"); then
		who='kernels before Linux 6.13 do'
	else
		ok 'module folder' "$srcdir"
		return
	fi
	bad 'module folder' "$srcdir" "the path of the module has $cause, which $who not support" \
		'move the module to a folder with a plain name, such as ~/hello_rust'
}

# Kbuild writes next to the sources, whatever the kernel.
check_module_writable() {
	if [ ! -w "$srcdir" ]; then
		bad 'module folder' "$srcdir, read-only" \
			'you cannot write to the folder of the module, where Kbuild puts its output' \
			'copy the folder to a place of your own, and run make there'
		return
	fi
	for file in "$srcdir"/.*.cmd "$srcdir"/*.o "$srcdir"/*_h.rs "$srcdir"/Module.symvers; do
		if [ -f "$file" ] && [ ! -w "$file" ]; then
			bad 'module folder' "$file, read-only" \
				'another user built here before, and left files that you cannot replace' \
				"sudo chown -R \$USER $srcdir"
			return
		fi
	done
}

check_llvm_value() {
	case $llvm in
	'' | 1 | */ | -*) return ;;
	esac
	fatal LLVM= "LLVM=$llvm" \
		'LLVM= must be 1, a folder with a slash at its end, or a version such as -19' \
		'make LLVM=1 for the clang in your PATH, or make without LLVM= for GCC'
}

# --- The kernel tree ---

check_kdir_exists() {
	if [ -d "$kdir" ]; then
		cause=$(odd_character "$kdir" "$odd") || return 0
		fatal KDIR "$kdir" "the path of the kernel has $cause, which Kbuild does not support" \
			'move the kernel to a folder with a plain name, and rebuild it there'
	fi

	[ "$kdir" ] || fatal KDIR nothing 'KDIR is empty: there is no kernel to build the module for' "$another_kernel"
	found=$kdir
	[ -L "$kdir" ] && found="$kdir, a broken link to $(readlink "$kdir")"
	case $kdir in
	/lib/modules/*/build*)
		release=${kdir#/lib/modules/}
		release=${release%%/*}
		fatal KDIR "$found" "the headers of the kernel $release are not installed" \
			"$(install "linux-headers-$release"), or $lab"
		;;
	esac
	fatal KDIR "$found" 'KDIR does not name an existing folder' "$another_kernel"
}

check_kernel_tree() {
	if [ ! -e "$kdir/Makefile" ]; then
		found="$kdir, without a Makefile"
	elif [ ! -e "$source/Makefile" ]; then
		fatal KDIR "$kdir/Makefile, which includes $source/Makefile" \
			'the source of this kernel is gone, but building a module needs it' \
			"restore $source, or $lab"
	elif [ ! -e "$source/scripts/Makefile.build" ]; then
		found="$kdir/Makefile, which is not that of Linux"
	else
		return
	fi
	fatal KDIR "$found" 'KDIR is not a kernel build folder' "$another_kernel"
}

# tools/stock/rust-metadata makes a tree of links to a distribution's headers, and records
# their version.
check_headers_of_metadata() {
	made_for=$kdir/../made-for
	[ -e "$made_for" ] && [ -L "$kdir/include" ] || return 0

	release=$(basename "$(dirname "$kdir")")
	read -r wanted <"$made_for"
	built=$(build_of_headers)
	[ "$built" = "$wanted" ] && return
	[ "$built" ] || fatal KDIR "$kdir/include, a broken link to $(readlink "$kdir/include")" \
		"the headers of the kernel $release are gone; only its Rust metadata is left" \
		"$(install "linux-headers-$release")"
	fatal KDIR "$kdir, made for $wanted; the headers: $built" \
		"the Rust metadata of the kernel $release was made for another version of its headers" \
		"make rust-metadata KREL=$release"
}

# What `uname -v` prints, which tells when the kernel was built.
build_of_headers() {
	sed -n 's/^#define UTS_VERSION "\(.*\)"$/\1/p' "$kdir/include/generated/utsversion.h" 2>/dev/null
}

# Kbuild reads include/config/auto.conf, which the first build makes from .config.
check_configured() {
	[ -e "$auto_conf" ] && return
	[ -e "$kdir/.config" ] && fatal 'kernel configuration' "$kdir/.config, but no include/config/auto.conf" \
		'this kernel is configured, but was never built' \
		"make -C $kdir${llvm:+ LLVM=$llvm} -j\$(nproc)"
	fatal 'kernel configuration' "neither .config nor include/config/auto.conf in $kdir" \
		'this kernel is not configured: it is bare source, or was built into another folder, with O=' \
		"make KDIR=/the/folder/given/with/O=, or $lab"
}

check_arch() {
	if [ "$arch" = "${tree_arch:=$arch}" ]; then
		ok KDIR "$kdir, Linux ${release:-of an unknown release} for $tree_arch"
		return
	fi
	help="$(make_with "$tree_llvm") (without ARCH=)"
	[ "$tree_arch" = "$(arch_name "$(uname -m)")" ] ||
		help=$(make_with "ARCH=$tree_arch ${tree_llvm:-CROSS_COMPILE=the-prefix-of-its-gcc-}")
	fatal architecture "$kdir, for $tree_arch" \
		"this kernel is for $tree_arch, but make builds for $arch" "$help"
}

check_release() {
	[ "$release" ] && is_older "$release" "$oldest_kernel" || return 0
	fatal KDIR "$kdir, Linux $release" \
		"this kernel is older than Linux $oldest_kernel, the first with the kernel crate that this module needs" \
		"$another_kernel"
}

check_options() {
	found="not set in $auto_conf"
	is_on MODULES || fatal CONFIG_MODULES "$found" 'this kernel cannot load modules' "$(reconfigure MODULES)"

	if is_on RUST; then
		ok CONFIG_RUST y
	elif grep -q '^CONFIG_RUST=y' "$kdir/.config" 2>/dev/null; then
		fatal CONFIG_RUST "y in .config, but $found" \
			'Rust was enabled after this kernel was built' "$rebuild"
	else
		fatal CONFIG_RUST "$found" 'this kernel was built without Rust' \
			"$(reconfigure RUST)"
	fi
}

# What Kbuild makes first, and uses for every module.
check_built() {
	build_tools='scripts/basic/fixdep scripts/mod/modpost'
	is_on OBJTOOL && build_tools="$build_tools tools/objtool/objtool"
	is_on GENDWARFKSYMS && build_tools="$build_tools scripts/gendwarfksyms/gendwarfksyms"

	for file in include/generated/autoconf.h $build_tools; do
		[ -e "$kdir/$file" ] || fatal 'kernel build' "no $file in $kdir" \
			'this kernel is configured, but was not built, or has been cleaned since' "$rebuild"
	done
}

check_rust_metadata() {
	for file in $(rust_files); do
		[ -e "$kdir/$file" ] || break
	done
	if [ -e "$kdir/$file" ]; then
		ok 'Rust metadata' "$kdir/rust"
		return
	fi

	problem='the Rust half of this kernel is not built, or only in part'
	help=$rebuild
	if [ "$rebuild" = "$lab" ]; then
		problem='this kernel has Rust, but its header package lacks the metadata against which Rust modules are compiled'
		case $(build_of_headers):$(readlink "$kdir/rust") in
		*' Debian '*) help="make rust-metadata KREL=$release, which makes it, then make KREL=$release; or $lab" ;;
		# On Ubuntu, a link to a package that has the name of its folder.
		*/rust) help=$(install "$(basename "$(dirname "$(readlink "$kdir/rust")")")") ;;
		*) help="make rust-metadata KDIR=$kdir KSRC=/the/source/it/was/built/from, which makes it, then make KREL=$release; or $lab" ;;
		esac
	fi
	fatal 'Rust metadata' "no $file in $kdir" "$problem" "$help"
}

# What rustc opens for a module, found by removing one file after the other from Linux 6.12
# and 7.3. It does not open the kernel's Rust sources, nor rust-src.
rust_files() {
	echo rust/libcore.rmeta rust/libkernel.rmeta rust/libmacros.so include/generated/rustc_cfg
	is_on RUST_INLINE_HELPERS && echo rust/helpers/helpers_module.bc
	grep -q 'objtree)/scripts/target.json' "$source/arch/$tree_arch/Makefile" 2>/dev/null &&
		echo scripts/target.json

	# The crates differ between releases.
	# shellcheck disable=SC2016 # for make
	grep '^[a-z]*-$(CONFIG_RUST)' "$source/rust/Makefile" 2>/dev/null | tr -s ' \t' '\n' |
		sed -n '/^exports/d; s|^\([a-z_]*\)\.o$|rust/lib\1.rmeta|p; s|^$(\(lib[a-z_]*\)_name)$|rust/\1.so|p'
}

# rustc loads macros into itself, so they must be for this machine.
check_macros() {
	for file in "$kdir"/rust/lib*.so; do
		[ "$(machine_of "$file")" = "$(machine_of /proc/self/exe)" ] || fatal 'Rust metadata' \
			"$file, for another machine" \
			'the Rust half of this kernel was built on another kind of machine: its macros do not run here' \
			"$rebuild"
	done
}

# The class, the byte order and the machine in the header of an ELF file.
machine_of() {
	od -An -tx1 -j4 -N2 "$1"
	od -An -tx1 -j18 -N2 "$1"
}

# Without it, modpost knows none of the kernel's symbols, and refuses the module.
check_symvers() {
	if [ -e "$kdir/Module.symvers" ]; then
		ok Module.symvers "$kdir/Module.symvers"
	elif [ "${KBUILD_MODPOST_WARN:-}" ]; then
		note Module.symvers "none in $kdir" \
			'KBUILD_MODPOST_WARN is set: make goes on without checking that the kernel exports what the module imports'
	else
		fatal Module.symvers "none in $kdir" \
			'this kernel was prepared, but its build did not finish: which symbols it exports is unknown' \
			"$rebuild"
	fi
}

# Kbuild runs these for every module. Built on another system, they may need another libc.
check_build_tools() {
	for tool in $build_tools; do
		name=${tool##*/}
		answer=$("$kdir/$tool" 2>&1 </dev/null)
		case $?:$answer in
		12[67]:* | *GLIBC* | *'error while loading shared libraries'*)
			help=$rebuild
			# make would not rebuild a program that is there.
			can_rebuild && help='build this kernel on this system, in a new folder'
			answer=${answer%%"$nl"*}
			fatal "$name" "$kdir/$tool: ${answer##*: }" \
				"$name, which belongs to this kernel's build, does not run on this system" "$help"
			;;
		esac
		ok "$name" "$kdir/$tool"
	done
}

# --- The settings ---

read_command_line() {
	problems=
	if [ "${1:-}" = --problems ]; then
		problems=1
		shift
	fi
	if [ $# != 1 ]; then
		echo "usage: $0 [--problems] KDIR" >&2
		exit 2
	fi

	nl='
'
	worst=0
	srcdir=$(cd "${SRCDIR:-$(dirname "$0")/..}" && pwd -P) || exit 2
	llvm=${LLVM:-}
	arch=$(arch_name "${ARCH:-$(uname -m)}")

	# Absolute, since Kbuild changes folders; links stay, since users know the path by that name.
	kdir=$1
	[ -d "$kdir" ] && kdir=$(cd "$kdir" && pwd)
	auto_conf=$kdir/include/config/auto.conf

	# A tree built with O= has a small Makefile that includes the Makefile of the source.
	source=$(sed -n 's/^include \(\/.*\)\/Makefile$/\1/p' "$kdir/Makefile" 2>/dev/null)
	source=${source:-$kdir}
	name_tools
}

# Since Linux 6.13, compilers run in the module's folder, no longer in the kernel's.
builds_in_module_folder() {
	[ ! -e "$source/Makefile" ] || grep -q KBUILD_EXTMOD_OUTPUT "$source/Makefile"
}

read_configuration() {
	release=
	[ -e "$kdir/include/config/kernel.release" ] && read -r release <"$kdir/include/config/kernel.release"

	tree_arch=$(sed -nE 's/^CONFIG_(X86|ARM64|RISCV|LOONGARCH|ARM|S390|PPC)=y$/\1/p' "$auto_conf")
	# User-mode Linux also sets the option of its host.
	is_on UML && tree_arch=um
	tree_arch=$(arch_name "$tree_arch")

	# The settings with which this kernel was built, and the command that builds it again.
	tree_llvm=
	if is_on LD_IS_LLD || is_on RUST_INLINE_HELPERS; then
		tree_llvm=LLVM=${llvm:-1}
	elif is_on CC_IS_CLANG; then
		tree_llvm=CC=clang
	fi
	kernel_make="make -C $kdir${tree_llvm:+ $tree_llvm}"
	lab_cache=$(cache_folder 2>/dev/null)
	if [ "${kdir#"$lab_cache"/kernel/}" != "$kdir" ]; then
		rebuild="make run, since this is a kernel of the lab"
	elif [ "${kdir#"$lab_cache"/stock/}" != "$kdir" ]; then
		rebuild="make run KERNEL=$release, since this is a kernel of the lab"
	elif [ -e "$kdir/../made-for" ]; then
		rebuild="make rust-metadata KREL=$release"
	elif [ -e "$source/init/main.c" ]; then
		rebuild="$kernel_make -j\$(nproc)"
	else
		# The headers of a distribution, without any C file.
		rebuild=$lab
	fi
}

is_on() {
	grep -q "^CONFIG_$1=y$" "$auto_conf"
}

# The value of an option; older kernels put quotes around it.
text_of() {
	sed -n "s/^CONFIG_$1=\"\{0,1\}\([^\"]*\)\"\{0,1\}$/\1/p" "$auto_conf"
}

# The folder in arch/, from uname -m, ARCH= or an option.
arch_name() {
	echo "$1" | tr '[:upper:]' '[:lower:]' | sed -E 's/^(i.86|x86_64)$/x86/; s/^aarch64.*/arm64/
		s/^(arm)v.*/\1/; s/^(riscv|loongarch|s390).*/\1/; s/^ppc.*/powerpc/; s/^uml$/um/'
}

# --- Commands that help ---

make_with() {
	echo "make ${1:+$1 }KDIR=$kdir"
}

can_rebuild() {
	[ "$rebuild" != "${rebuild#make -C}" ]
}

# Enables an option, if the tree can be rebuilt. Kconfig may drop it again.
reconfigure() {
	if can_rebuild; then
		echo "$source/scripts/config --file $kdir/.config -e $1 && $kernel_make olddefconfig &&" \
			"grep CONFIG_$1=y $kdir/.config && $rebuild; if grep finds nothing, see $page"
	else
		echo "$rebuild"
	fi
}

install() {
	sudo='sudo '
	[ "$(id -u)" = 0 ] && sudo=
	if has apt-get; then
		echo "${sudo}apt-get install $*"
	else
		echo "install $*, under the names that your distribution has for them: $page"
	fi
}

# --- The output ---

ok() {
	[ "$problems" ] || printf 'ok\t%s\t%s\n' "$1" "$2"
}

note() {
	[ "$problems" ] || printf 'note\t%s\t%s\t%s\t\n' "$1" "$2" "$3"
}

# $1: what was checked, $2: what was found, $3: what is wrong, $4: how to fix it
bad() {
	worst=2
	if [ "$problems" ]; then
		printf 'hello_rust: error: %s\n  note: %s: %s\n  help: %s\n' "$3" "$1" "$2" "$4" >&2
	else
		printf 'bad\t%s\t%s\t%s\t%s\n' "$1" "$(printf '%s' "$2" | tr '\t\n' '  ')" "$3" "$4"
	fi
}

# For a problem that makes all further checks pointless.
fatal() {
	bad "$@"
	exit 2
}

main "$@"
