#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Tells, in plain words, whether a kernel tree can build this module.
#
#	tools/kdir.sh [--problems] KDIR
#
# Each check prints one line, with tabs between its fields:
#
#	ok	what was looked for	what was found
#	note	what was looked for	what was found	remark
#	bad	what was looked for	what was found	what is wrong	how to fix it
#
# With --problems only the bad ones are told, on stderr, in the way of the lab.
# Ends with 0 if nothing is bad, else with 2.
#
# Reads LLVM, CC, RUSTC, BINDGEN, ARCH and CROSS_COMPILE as Kbuild does, and SRCDIR,
# the folder of the module.

set -u
export LC_ALL=C

# shellcheck source-path=SCRIPTDIR source=path.sh
. "$(dirname "$0")/path.sh"

# Our Kbuild says `--rust-target 1.78`, which an older bindgen does not know.
oldest_bindgen=0.71.0

lab='make run, which builds and boots a kernel of its own'
another_kernel="make KDIR=/path/to/a/built/kernel, or $lab"

main() {
	read_command_line "$@"

	check_module_path
	check_module_writable
	check_llvm_value

	check_kdir_exists
	check_kdir_path
	check_kernel_tree
	check_headers_of_metadata
	check_configured

	read_configuration
	check_arch
	check_release
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

	exit "$worst"
}

# --- The module's folder ---

check_module_path() {
	problem=
	if cause=$(odd_character "$srcdir" "$odd"); then
		problem="the path of the module has $cause, which Kbuild cannot handle"
	elif ! builds_in_module_folder && cause=$(odd_character "$srcdir" "$odd_before_6_13"); then
		problem="the path of the module has $cause, which no kernel before Linux 6.13 can handle"
	fi

	if [ "$problem" ]; then
		bad 'module folder' "$srcdir" "$problem" \
			'move the module to a folder with a plain name, such as ~/hello_rust'
	else
		ok 'module folder' "$srcdir"
	fi
}

# Kbuild writes beside the sources, whatever the kernel.
check_module_writable() {
	if [ ! -w "$srcdir" ]; then
		bad 'module folder' "$srcdir, read-only for $(id -un)" \
			'the folder of the module cannot be written to, but that is where Kbuild puts what it builds' \
			'copy the folder to a place of your own, and run make there'
		return
	fi
	for file in "$srcdir"/.*.cmd "$srcdir"/*.o "$srcdir"/*_h.rs "$srcdir"/Module.symvers; do
		if [ -f "$file" ] && [ ! -w "$file" ]; then
			bad 'module folder' "$file, not writable for $(id -un)" \
				'an earlier build, by another user, left files that you cannot replace' \
				"sudo chown -R $(id -un) $srcdir"
			return
		fi
	done
}

check_llvm_value() {
	case $llvm in
	'' | 1 | */ | -*) return ;;
	esac
	bad LLVM= "LLVM=$llvm" \
		'LLVM= is neither 1, nor a folder with a slash at its end, nor a version such as -19' \
		'make LLVM=1 for the clang in your PATH, or make without LLVM= for GCC'
	exit 2
}

# --- The kernel tree ---

check_kdir_exists() {
	[ -d "$kdir" ] && return

	problem='the folder that KDIR names does not exist'
	help=$another_kernel
	found="$kdir, which is not there"
	if [ ! "$kdir" ]; then
		problem='KDIR is empty: there is no kernel to build the module for'
		found=nothing
	elif [ -L "$kdir" ]; then
		found="$kdir, a link to $(readlink "$kdir"), which is not there"
	elif [ -e "$kdir" ]; then
		problem='KDIR is not a folder'
		found=$kdir
	fi

	# Here distributions keep the headers of their kernels.
	case $kdir in
	/lib/modules/*/build*)
		release=${kdir#/lib/modules/}
		release=${release%%/*}
		problem="the headers of the kernel $release are not installed"
		[ "$release" = "$(uname -r)" ] &&
			problem="the headers of the running kernel, $release, are not installed"
		help="$(install "linux-headers-$release" "kernel-devel-$release" linux-headers), or $lab"
		;;
	esac
	bad KDIR "$found" "$problem" "$help"
	exit 2
}

check_kdir_path() {
	cause=$(odd_character "$kdir" "$odd") || return 0
	bad KDIR "$kdir" \
		"the path of the kernel has $cause, which Kbuild cannot handle" \
		'move the kernel to a folder with a plain name, and build it anew there'
	exit 2
}

check_kernel_tree() {
	problem='KDIR is not a kernel build folder'
	help=$another_kernel
	if [ ! -e "$kdir/Makefile" ]; then
		found="$kdir, without a Makefile"
	elif [ ! -e "$source/Makefile" ]; then
		problem='the source of this kernel is gone, and building a module needs it'
		found="$kdir/Makefile, which includes $source/Makefile"
		help="bring back $source, or $lab"
	elif [ ! -e "$source/scripts/Makefile.build" ]; then
		found="$kdir/Makefile, which is not that of Linux"
	else
		return
	fi
	bad KDIR "$found" "$problem" "$help"
	exit 2
}

# tools/stock/rust-metadata makes a tree of links to the headers of a distribution, and notes
# which ones.
check_headers_of_metadata() {
	made_for=$kdir/../made-for
	[ -e "$made_for" ] && [ -L "$kdir/include" ] || return 0

	release=$(basename "$(dirname "$kdir")")
	read -r wanted <"$made_for"
	package=$(package_of_headers)
	[ "$package" = "$wanted" ] && return
	if [ ! "$package" ]; then
		bad KDIR "$kdir/include, a link to $(readlink "$kdir/include"), which is not there" \
			"the headers of the kernel $release are gone, and this tree has only the Rust metadata beside them" \
			"$(install "linux-headers-$release" "kernel-devel-$release" linux-headers)"
	else
		bad KDIR "$kdir, made for $wanted; the headers: $package" \
			"the headers of the kernel $release are of another version than the Rust metadata" \
			"make rust-metadata KREL=$release"
	fi
	exit 2
}

# What a distribution calls its kernel, such as "Debian 7.3.4-1"; nothing for others.
package_of_headers() {
	sed -n 's/.*LINUX_PACKAGE_ID " *\(.*\)"$/\1/p' "$kdir/include/generated/package.h" 2>/dev/null
}

# Kbuild reads include/config/auto.conf, which the first build makes of .config.
check_configured() {
	[ -e "$kdir/include/config/auto.conf" ] && return

	if [ -e "$kdir/.config" ]; then
		bad 'kernel configuration' "$kdir/.config, but no include/config/auto.conf" \
			'this kernel is configured, but was never built' \
			"make -C $kdir${llvm:+ LLVM=$llvm} -j\$(nproc)"
	else
		bad 'kernel configuration' "neither .config nor include/config/auto.conf in $kdir" \
			'this kernel is not configured: it is bare source, or was built into another folder, with O=' \
			"make KDIR=/the/folder/given/with/O=, or $lab"
	fi
	exit 2
}

check_arch() {
	if [ "$arch" = "${tree_arch:=$arch}" ]; then
		ok KDIR "$kdir, Linux $release for $tree_arch"
		return
	fi

	settings="ARCH=$tree_arch${tree_llvm:+ $tree_llvm}"
	if [ "$tree_arch" = "$(arch_name "$(uname -m)")" ]; then
		help="$(make_with "$tree_llvm") (without ARCH=)"
	elif is_on CC_IS_CLANG; then
		help=$(make_with "$settings")
	else
		help=$(make_with "$settings CROSS_COMPILE=the-prefix-of-its-gcc-")
	fi
	bad architecture "$kdir, for $tree_arch" \
		"this kernel is for $tree_arch, but make builds for $arch" "$help"
	exit 2
}

# What the module uses of the kernel crate came with Linux 6.12.
check_release() {
	number=$(echo "$release" | sed -n 's/^\([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
	# shellcheck disable=SC2086 # two numbers
	set -- ${number:-6 12}
	[ "$1" -gt 6 ] || { [ "$1" = 6 ] && [ "$2" -ge 12 ]; } && return
	bad KDIR "$kdir, Linux $release" \
		'this kernel is older than Linux 6.12, the first with all that this module needs of the kernel crate' \
		"$another_kernel"
	exit 2
}

check_modules_on() {
	is_on MODULES && return
	bad CONFIG_MODULES "not set in $kdir/include/config/auto.conf" \
		'this kernel cannot load modules at all' \
		"$(reconfigure '-e MODULES')"
	exit 2
}

check_rust_on() {
	if is_on RUST; then
		ok CONFIG_RUST y
		return
	fi

	found="not set in $kdir/include/config/auto.conf"
	against=$(option_against_rust)
	if grep -q '^CONFIG_RUST=y' "$kdir/.config" 2>/dev/null; then
		bad CONFIG_RUST "y in .config, but $found" \
			'Rust was switched on after this kernel was built' "$rebuild"
	elif ! is_on HAVE_RUST; then
		bad CONFIG_RUST "$found, nor is CONFIG_HAVE_RUST" \
			'this kernel cannot have Rust: it is too old, or has none for its architecture or its compiler' \
			"$lab"
	elif [ "$against" ]; then
		bad CONFIG_RUST "$found, but CONFIG_$against=y" \
			"this kernel is built without Rust, which its CONFIG_$against rules out" \
			"$(reconfigure "-d $against -e RUST")"
	elif ! is_on RUST_IS_AVAILABLE && [ "$rebuild" != "$lab" ]; then
		bad CONFIG_RUST "$found, nor is CONFIG_RUST_IS_AVAILABLE" \
			'this kernel is built without Rust: none that it could use was found when it was configured' \
			"$kernel_make rustavailable, which tells what it misses"
	else
		bad CONFIG_RUST "$found" 'this kernel is built without Rust' "$(reconfigure '-e RUST')"
	fi
	exit 2
}

# What Kbuild makes before all else, and uses for every module.
check_built() {
	for file in include/generated/autoconf.h scripts/basic/fixdep scripts/mod/modpost; do
		if [ ! -e "$kdir/$file" ]; then
			bad 'kernel build' "no $file in $kdir" \
				'this kernel is configured, but was not built, or has been cleaned since' "$rebuild"
			exit 2
		fi
	done
}

check_rust_metadata() {
	what='Rust metadata'
	if [ -L "$kdir/rust" ] && [ ! -e "$kdir/rust" ]; then
		# So it is with Ubuntu, where that package has the name of the link's target.
		package=$(readlink "$kdir/rust")
		package=${package%/rust}
		package=${package##*/}
		bad "$what" "$kdir/rust, a link to $(readlink "$kdir/rust"), which is not there" \
			'the Rust metadata of this kernel is a package of its own, which is not installed' \
			"$(install "$package" "$package" "$package")"
		exit 2
	fi

	missing=
	count=0
	for file in $(rust_files); do
		if [ ! -e "$kdir/$file" ]; then
			missing=${missing:-$file}
			count=$((count + 1))
		fi
	done
	if [ ! "$missing" ]; then
		check_machine_of_macros && ok "$what" "$kdir/rust"
		return
	fi

	problem='the Rust half of this kernel is not built, or only in part'
	help=$rebuild
	if [ "$rebuild" = "$lab" ]; then
		problem='this kernel has Rust, but its header package lacks the metadata against which Rust modules are compiled'
		case $(package_of_headers) in
		Debian*) help="make rust-metadata KREL=$release, which makes it, then make KREL=$release; or $lab" ;;
		esac
	fi
	[ "$count" = 1 ] || missing="$missing, nor $((count - 1)) more that are needed,"
	bad "$what" "no $missing in $kdir" "$problem" "$help"
	exit 2
}

# rustc loads them into itself, so they are of its machine: this one's.
check_machine_of_macros() {
	for file in "$kdir"/rust/lib*.so; do
		[ "$(machine_of "$file")" = "$(machine_of /proc/self/exe)" ] && continue
		bad "$what" "$file, for another machine" \
			'the Rust half of this kernel was built on another kind of machine: its macros do not run here' \
			"$rebuild"
		exit 2
	done
}

# The class, the byte order and the machine in the head of an ELF file.
machine_of() {
	od -An -tx1 -j4 -N2 "$1"
	od -An -tx1 -j18 -N2 "$1"
}

# Without it modpost knows no symbol of the kernel, and refuses the module.
check_symvers() {
	if [ -e "$kdir/Module.symvers" ]; then
		ok Module.symvers "$kdir/Module.symvers"
	elif [ "${KBUILD_MODPOST_WARN:-}" ]; then
		note Module.symvers "none in $kdir" \
			'KBUILD_MODPOST_WARN lets make go on, but whether the kernel has what the module needs is not known'
	else
		bad Module.symvers "none in $kdir" \
			'this kernel was prepared, but not built to the end: which symbols it exports is not known' \
			"$rebuild"
		exit 2
	fi
}

# Programs that the kernel's own build made, and that now run for the module. From
# another system, they may ask for a libc that is not here.
check_build_tools() {
	tools='scripts/basic/fixdep scripts/mod/modpost'
	is_on OBJTOOL && tools="$tools tools/objtool/objtool"
	is_on GENDWARFKSYMS && tools="$tools scripts/gendwarfksyms/gendwarfksyms"

	for tool in $tools; do
		name=${tool##*/}
		if [ ! -e "$kdir/$tool" ]; then
			bad "$name" "no $tool in $kdir" \
				"$name, which the build of every module runs, is missing from this kernel" "$rebuild"
			exit 2
		fi
		answer=$("$kdir/$tool" 2>&1 </dev/null)
		case $?:$answer in
		12[67]:* | *GLIBC* | *'error while loading shared libraries'*)
			help=$rebuild
			# make takes a program that is there for one that is done.
			[ -e "$source/init/main.c" ] && ! is_of_lab &&
				help='build this kernel on this system, in a new folder: KDIR comes from another system'
			answer=${answer%%"$nl"*}
			bad "$name" "$kdir/$tool: ${answer##*: }" \
				"$name, which was made along with this kernel, does not run on this system" "$help"
			# The lab's kernels are made in a system of the lab's own, tools and all.
			is_of_lab && exit 2
			# The other programs came the same way: told once is enough.
			return
			;;
		esac
		ok "$name" "$kdir/$tool"
	done
}

# --- The tools of this system ---

# GCC and clang take other flags, and the configuration holds those of one of them.
check_compiler_family() {
	asked="${llvm:+LLVM=$llvm}${llvm:+${CC:+ }}${CC:+CC=$CC}"
	case "$cc $cc_answer" in
	*clang*) family=clang ;;
	*) family=GCC ;;
	esac

	if is_on CC_IS_CLANG && [ "$family" = GCC ]; then
		bad 'C compiler' "${asked:-no LLVM=1}" \
			"this kernel is built by clang, but make is about to use $cc" \
			"$(make_with "$tree_llvm")"
	elif is_on RUST_INLINE_HELPERS && [ ! "$llvm" ]; then
		bad 'C compiler' "$asked, but no LLVM=1" \
			'this kernel inlines C into Rust (CONFIG_RUST_INLINE_HELPERS), which takes all of LLVM, not clang alone' \
			"$(make_with "$tree_llvm")"
	elif is_on CC_IS_GCC && [ "$family" = clang ]; then
		bad 'C compiler' "$asked" \
			"this kernel is built by GCC, but make is about to use $cc" \
			"$(make_with '') (without ${asked%%=*}=)"
	else
		return 0
	fi
	return 1
}

# Kbuild only warns of another version, and so does this.
check_c_compiler() {
	if ! has "$cc"; then
		bad 'C compiler' "no ${cc%% *} in PATH" "the C compiler, ${cc%% *}, is not found" \
			"$(install_compiler)"
		return 1
	elif [ "$cc_status" != 0 ]; then
		bad 'C compiler' "$cc --version: $cc_answer" "the C compiler, $cc, does not run" \
			"$(install_compiler)"
		return 1
	elif [ "$cc_answer" != "$cc_wanted" ]; then
		note 'C compiler' "$cc_answer" "the kernel was built by $cc_wanted, which most often makes no difference"
	else
		ok 'C compiler' "$cc_answer"
	fi
}

# What the kernel's clang wrote as LLVM's bitcode, an older LLVM cannot read.
check_bitcode() {
	bitcode=$kdir/rust/helpers/helpers_module.bc
	answer=$("$llvm_link" -o /dev/null "$bitcode" 2>&1) && return
	bad linker "$llvm_link: ${answer%%"$nl"*}" \
		"$llvm_link cannot read $bitcode, which takes the LLVM that built the kernel, or a later one" \
		"$(install_compiler)"
}

check_linker() {
	is_on RUST_INLINE_HELPERS && ld="$ld $llvm_link"
	for linker in $ld; do
		if has "$linker"; then
			ok linker "$(command -v "$linker")"
		else
			bad linker "no $linker in PATH" \
				"$linker, which joins the two halves of the module, is not found" \
				"$(install_compiler)"
		fi
	done
	is_on RUST_INLINE_HELPERS && has "$llvm_link" && check_bitcode
}

# Only the very rustc that wrote the metadata can read it.
check_rustc() {
	if ! has "$rustc"; then
		bad rustc "no ${rustc%% *} in PATH" \
			"the Rust compiler is not found; this kernel asks for $rustc_wanted" "$(provide_rustc)"
		return
	fi

	case $rustc_status:$rustc_answer in
	"0:$rustc_wanted")
		ok rustc "$rustc_answer"
		;;
	0:*)
		bad rustc "$rustc_answer" \
			"this kernel is built by another rustc: $rustc_wanted" "$(provide_rustc)"
		;;
	*toolchain*'is not installed'*)
		if [ "${RUSTUP_TOOLCHAIN:-}" ]; then
			by=RUSTUP_TOOLCHAIN
		elif [ -e "$rustc_folder/rust-toolchain.toml" ]; then
			by=rust-toolchain.toml
		else
			by='the settings of rustup'
		fi
		bad rustc "$rustc_answer" \
			"rustc is that of rustup, and the toolchain named by $by is not installed; this kernel asks for $rustc_wanted" \
			"$(provide_rustc)"
		;;
	*)
		bad rustc "$rustc --version: ${rustc_answer:-no answer}" \
			"the Rust compiler does not run; this kernel asks for $rustc_wanted" "$(provide_rustc)"
		;;
	esac
}

check_bindgen() {
	least=$(min_version bindgen)
	is_older "${least:-0}" "$oldest_bindgen" && least=$oldest_bindgen

	if ! has "$bindgen"; then
		bad bindgen "no ${bindgen%% *} in PATH" \
			'bindgen, which shows c_helper.h to Rust, is not found' "$(install_bindgen)"
		return 1
	fi
	case $bindgen_status:$bindgen_answer in
	'0:bindgen '[0-9]*) ;;
	*)
		bad bindgen "$bindgen --version: ${bindgen_answer:-no answer}" \
			'bindgen, which shows c_helper.h to Rust, does not run' "$(install_bindgen)"
		return 1
		;;
	esac
	if is_older "${bindgen_answer#bindgen }" "$least"; then
		bad bindgen "$bindgen_answer" \
			"bindgen is too old: this module on this kernel takes $least or newer" "$(install_bindgen)"
		return 1
	fi
	ok bindgen "$bindgen_answer"
}

# bindgen loads it only to read a header, so that --version says nothing of it.
check_libclang() {
	[ -e "$libclang_probe" ] || return 0

	least=$(min_version llvm)
	least=${least:-0}
	version=${libclang_answer#*clang version }
	version=${version%%[!0-9.]*}
	if [ ! "$version" ]; then
		bad libclang "${libclang_answer:-no answer}" \
			'bindgen cannot load libclang, with which it reads C' "$(provide_libclang)"
	elif is_older "$version" "$least"; then
		bad libclang "$version" \
			"the libclang that bindgen loads is too old: this kernel takes $least or newer" \
			"$(provide_libclang)"
	else
		ok libclang "$version"
	fi
}

# --- What is known ---

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

	tab=$(printf '\t')
	nl='
'
	worst=0
	srcdir=$(cd "${SRCDIR:-$(dirname "$0")/..}" && pwd -P) || exit 2
	llvm=${LLVM:-}
	arch=$(arch_name "${ARCH:-$(uname -m)}")

	# Kbuild changes folders. And people know the name they gave, not where it leads.
	kdir=$1
	[ -d "$kdir" ] && kdir=$(cd "$kdir" && pwd)

	# A tree built with O= has a small Makefile, that includes the one of the source.
	source=
	if [ -e "$kdir/Makefile" ]; then
		source=$(sed -n 's/^include \(\/.*\)\/Makefile$/\1/p' "$kdir/Makefile")
	fi
	source=${source:-$kdir}
	libclang_probe=$source/scripts/rust_is_available_bindgen_libclang.h
	name_tools

	# rustup heeds the rust-toolchain.toml of the folder in which rustc runs.
	rustc_folder=$srcdir
	builds_in_module_folder || rustc_folder=$kdir
}

# As Kbuild names them.
name_tools() {
	prefix=
	suffix=
	case $llvm in
	*/) prefix=$llvm ;;
	-*) suffix=$llvm ;;
	esac

	if [ "$llvm" ]; then
		cc=${prefix}clang$suffix
		ld=${prefix}ld.lld$suffix
		llvm_link=${prefix}llvm-link$suffix
	else
		cc=${CROSS_COMPILE:-}gcc
		ld=${CROSS_COMPILE:-}ld
		llvm_link='llvm-link'
		# Debian's headers name the compiler in a file that Debian's Kbuild reads.
		if [ -e "$kdir/.kernelvariables" ]; then
			named=$(sed -n 's/^CC[ :?]*=.*\(gcc-[0-9]*\)$/\1/p' "$kdir/.kernelvariables")
			cross=$(sed -n 's/^override CROSS_COMPILE *= *//p' "$kdir/.kernelvariables")
			cc=${CROSS_COMPILE:-$cross}${named:-gcc}
			ld=${CROSS_COMPILE:-$cross}ld
		fi
	fi
	cc=${CC:-$cc}
	rustc=${RUSTC:-rustc}
	bindgen=${BINDGEN:-bindgen}
}

# As Linux 6.13 and newer do: the module's folder is the working directory.
builds_in_module_folder() {
	[ ! -e "$source/Makefile" ] || grep -q KBUILD_EXTMOD_OUTPUT "$source/Makefile"
}

read_configuration() {
	# A whole auto.conf is more than a shell searches in good time.
	options=$nl$(grep -E '^CONFIG_(UML|X86|ARM64|RISCV|LOONGARCH|ARM|S390|PPC|MODULES|HAVE_RUST|RUST|RUST_IS_AVAILABLE|RUST_INLINE_HELPERS|MODVERSIONS|GENDWARFKSYMS|RANDSTRUCT|GCC_PLUGIN_RANDSTRUCT|DEBUG_INFO_BTF|PAHOLE_HAS_LANG_EXCLUDE|OBJTOOL|CC_IS_CLANG|CC_IS_GCC|LD_IS_LLD|CLANG_VERSION|CC_VERSION_TEXT|RUSTC_VERSION_TEXT|BINDGEN_VERSION_TEXT)=' \
		"$kdir/include/config/auto.conf")$nl
	cc_wanted=$(text_of CC_VERSION_TEXT)
	rustc_wanted=$(text_of RUSTC_VERSION_TEXT)

	release='of an unknown release'
	[ -e "$kdir/include/config/kernel.release" ] &&
		read -r release <"$kdir/include/config/kernel.release"

	# User-mode Linux sets the option of its host besides.
	tree_arch=
	for option in PPC S390 ARM LOONGARCH RISCV ARM64 X86 UML; do
		is_on "$option" && tree_arch=$option
	done
	tree_arch=$(arch_name "$(echo "$tree_arch" | tr '[:upper:]' '[:lower:]')")

	# The settings with which this kernel was built, and what builds it again.
	tree_llvm=$(llvm_of_tree)
	kernel_make="make -C $kdir${tree_llvm:+ $tree_llvm}"
	if is_of_lab; then
		rebuild='make run, since this kernel is one of the lab'\''s own'
	elif [ -e "$source/init/main.c" ]; then
		rebuild="$kernel_make -j\$(nproc)"
	else
		# The headers of a distribution, without any C file.
		rebuild=$lab
	fi
}

is_on() {
	case $options in
	*"${nl}CONFIG_$1=y$nl"*) return 0 ;;
	esac
	return 1
}

# The value of an option; older kernels put quotes around it.
text_of() {
	case $options in
	*"${nl}CONFIG_$1="*) ;;
	*) return ;;
	esac
	value=${options#*"${nl}CONFIG_$1="}
	value=${value%%"$nl"*}
	value=${value#\"}
	echo "${value%\"}"
}

is_of_lab() {
	lab_cache=$(cache_folder 2>/dev/null) || return 1
	case $kdir in
	"$lab_cache"/*) return 0 ;;
	esac
	return 1
}

# A clang that is only known by its version is asked for by it.
llvm_of_tree() {
	is_on CC_IS_CLANG || return 0

	version=$(text_of CLANG_VERSION)
	version=${version%????}
	if ! is_on LD_IS_LLD && ! is_on RUST_INLINE_HELPERS; then
		echo CC=clang
	elif [ ! "$llvm" ] && ! has clang && has "clang-$version"; then
		echo "LLVM=-$version"
	else
		echo "LLVM=${llvm:-1}"
	fi
}

# The option of this kernel, if any, with which Kconfig offers no Rust.
option_against_rust() {
	if is_on MODVERSIONS && ! is_on GENDWARFKSYMS; then
		echo MODVERSIONS
	elif is_on GCC_PLUGIN_RANDSTRUCT; then
		echo GCC_PLUGIN_RANDSTRUCT
	elif is_on RANDSTRUCT; then
		echo RANDSTRUCT
	elif is_on DEBUG_INFO_BTF && ! is_on PAHOLE_HAS_LANG_EXCLUDE; then
		echo DEBUG_INFO_BTF
	fi
}

# What rustc opens for a module: found by taking one file after the other away from
# Linux 6.12 and 7.3. The kernel's Rust sources and rust-src are not needed.
rust_files() {
	echo rust/libcore.rmeta rust/libkernel.rmeta rust/libmacros.so include/generated/rustc_cfg
	is_on RUST_INLINE_HELPERS && echo rust/helpers/helpers_module.bc
	grep -q 'objtree)/scripts/target.json' "$source/arch/$tree_arch/Makefile" 2>/dev/null &&
		echo scripts/target.json

	# Crates come and go between releases: those count that this one builds.
	crates=$(grep 'CONFIG_RUST)' "$source/rust/Makefile" 2>/dev/null | tr '\n' ' ')
	for crate in compiler_builtins ffi build_error bindings uapi pin_init zerocopy; do
		case $crates in
		*" $crate.o "*) echo "rust/lib$crate.rmeta" ;;
		esac
	done
	for crate in pin_init_internal zerocopy_derive; do
		case $crates in
		*"lib$crate"*) echo "rust/lib$crate.so" ;;
		esac
	done
}

# The folder of an architecture in arch/.
arch_name() {
	case $1 in
	i?86 | x86_64) echo x86 ;;
	aarch64*) echo arm64 ;;
	armv*) echo arm ;;
	riscv*) echo riscv ;;
	loongarch*) echo loongarch ;;
	s390x) echo s390 ;;
	ppc*) echo powerpc ;;
	uml) echo um ;;
	*) echo "$1" ;;
	esac
}

# --- What the tools say ---

# All at once, since each takes its time: to load LLVM, above all.
ask_tools() {
	# shellcheck disable=SC2086 # a command may be several words, such as `ccache gcc`
	answers=$(
		ask cc $cc --version &
		ask rustc rustc_version $rustc &
		ask bindgen $bindgen --version &
		ask libclang libclang_version &
		wait
	)
	while IFS=$tab read -r tool status answer; do
		case $tool in
		cc) cc_status=$status cc_answer=$answer ;;
		rustc) rustc_status=$status rustc_answer=$answer ;;
		bindgen) bindgen_status=$status bindgen_answer=$answer ;;
		libclang) libclang_answer=$answer ;;
		esac
	done <<-END
		$answers
	END
}

# One line: what is asked, the exit status, the first line of the answer. Remarks on
# stderr, such as those of rustup, only count where there is no answer.
ask() {
	what=$1
	shift
	answer=$("$@" 2>/dev/null </dev/null)
	status=$?
	[ "$status" = 0 ] || answer=$("$@" 2>&1 </dev/null)
	printf '%s\t%s\t%s\n' "$what" "$status" "${answer%%"$nl"*}"
}

# rustup must not fetch a whole toolchain just because somebody asks for a version.
rustc_version() {
	cd "$rustc_folder" && RUSTUP_AUTO_INSTALL=0 "$@" --version
}

# The kernel's own probe: a header that makes libclang tell its version. It needs
# neither rustfmt nor the search paths of clang, both of which take time.
# shellcheck disable=SC2317 # called by ask
libclang_version() {
	# shellcheck disable=SC2086
	answer=$(CLANG_PATH=/bin/false $bindgen --formatter none -o /dev/null "$libclang_probe" 2>&1)
	# Other remarks may come before it.
	case $answer in
	*'clang version '*) answer="clang version ${answer#*clang version }" ;;
	esac
	echo "$answer"
}

has() {
	command -v "${1%% *}" >/dev/null
}

# The oldest version with which the tree builds; nothing if it does not say.
min_version() {
	sh "$source/scripts/min-tool-version.sh" "$1" 2>/dev/null
}

# Whether version $1 comes before version $2, suffixes such as -dev aside.
is_older() {
	[ "$(version_number "$1")" -lt "$(version_number "$2")" ]
}

version_number() (
	IFS=.
	# shellcheck disable=SC2086 # split at the dots
	set -- ${1%%[!0-9.]*}
	echo $((${1:-0} * 1000000 + ${2:-0} * 1000 + ${3:-0}))
)

# --- What helps it ---

make_with() {
	echo "make ${1:+$1 }KDIR=$kdir"
}

# $1: for the scripts/config of the tree.
reconfigure() {
	case $rebuild in
	make\ -C*) echo "$source/scripts/config --file $kdir/.config $1 && $kernel_make olddefconfig && $rebuild" ;;
	*) echo "$rebuild" ;;
	esac
}

# The names of packages with apt-get, with dnf, and with pacman.
install() {
	sudo='sudo '
	[ "$(id -u)" = 0 ] && sudo=
	if has apt-get; then
		echo "${sudo}apt-get install $1"
	elif has dnf; then
		echo "${sudo}dnf install $2"
	elif has pacman; then
		echo "${sudo}pacman -S $3"
	else
		echo "install $1, or what your distribution calls it"
	fi
}

install_compiler() {
	if [ "${CC:-}" ]; then
		echo "$(make_with "${llvm:+LLVM=$llvm}") (without CC=), or CC= with the full path of the compiler"
	elif [ "$prefix" ]; then
		make_with "LLVM=/the/folder/of/clang/"
	elif [ "$llvm" ]; then
		install "clang$suffix lld$suffix llvm$suffix" 'clang lld llvm' 'clang lld llvm'
	elif [ "${CROSS_COMPILE:-}" ]; then
		echo "install $cc and $ld, or correct CROSS_COMPILE="
	else
		install "${cc##*-linux-gnu-} binutils" 'gcc binutils' 'gcc binutils'
	fi
}

# The version with which the kernel was configured is the surest.
install_bindgen() {
	version=$(text_of BINDGEN_VERSION_TEXT)
	version=${version#bindgen }
	is_older "${version:-0}" "$least" && version=$least
	echo "cargo install --locked bindgen-cli@$version"
}

# Often it is there, but where bindgen does not look.
provide_libclang() {
	if [ "${LIBCLANG_PATH:-}" ]; then
		echo "unset LIBCLANG_PATH, or have it name the folder of a libclang.so that will do"
		return
	fi
	for library in /usr/lib/llvm-*/lib/libclang[.-]*so*; do
		folder=${library#/usr/lib/llvm-}
		if [ ! "$version" ] && [ -e "$library" ] && ! is_older "${folder%%/*}" "${least%%.*}"; then
			echo "LIBCLANG_PATH=${library%/*} $(make_with "${llvm:+LLVM=$llvm}")"
			return
		fi
	done
	version=$(text_of CLANG_VERSION)
	version=${version%????}
	install "libclang-${version:+$version-}dev" clang-devel clang
}

provide_rustc() {
	settings=${llvm:+LLVM=$llvm }RUSTC=
	version=${rustc_wanted#rustc }
	version=${version%% *}

	if path=$(find_rustc); then
		make_with "$settings$path"
	elif is_of_lab; then
		echo "$rebuild"
	elif is_of_rustup && has rustup; then
		echo "rustup toolchain install --profile minimal $version && $(make_with "$settings\$(rustup which --toolchain $version rustc)")"
	else
		echo "$(make_with "$settings/path/to/that/rustc"), or build the kernel with your rustc: $rebuild"
	fi
}

# Whether rustup knows the wanted rustc by its version: a release, and not one that a
# distribution built by itself, which says so behind the date.
is_of_rustup() {
	case $rustc_wanted in
	*-nightly* | *-beta* | *-dev* | *')'*')'*) return 1 ;;
	'rustc '[0-9.]*' ('*-*-*')') return 0 ;;
	esac
	return 1
}

find_rustc() {
	for path in /usr/bin/rustc "/usr/bin/rustc-${version%.*}" "/usr/lib/rust-${version%.*}/bin/rustc" \
		/usr/local/bin/rustc "${RUSTUP_HOME:-${HOME:-}/.rustup}"/toolchains/*/bin/rustc; do
		if [ -x "$path" ] && [ "$(rustc_version "$path" 2>/dev/null)" = "$rustc_wanted" ]; then
			echo "$path"
			return
		fi
	done
	return 1
}

# --- How it is told ---

ok() {
	[ "$problems" ] || printf 'ok\t%s\t%s\n' "$1" "$2"
}

note() {
	[ "$problems" ] || printf 'note\t%s\t%s\t%s\t\n' "$1" "$2" "$3"
}

# $1: what was looked for, $2: what was found, $3: what is wrong, $4: how to fix it
bad() {
	worst=2
	if [ "$problems" ]; then
		printf 'hello_rust: error: %s\n  note: %s: %s\n  help: %s\n' "$3" "$1" "$2" "$4" >&2
	else
		printf 'bad\t%s\t%s\t%s\t%s\n' "$1" "$(printf '%s' "$2" | tr '\t\n' '  ')" "$3" "$4"
	fi
}

main "$@"
