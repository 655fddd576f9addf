# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
#
# The part of check-kernel.sh that checks the tools of this system: the compilers must be those
# that the kernel was built with, and bindgen must be new enough.

# border.mk passes `--rust-target 1.78`, which older versions do not know.
oldest_bindgen=0.71.0

check_tools() {
	compile_folder=$srcdir
	builds_in_module_folder || compile_folder=$kdir

	check_c_compiler && check_linkers
	check_rustc
	check_bindgen && check_libclang
}

# As Kbuild names them.
name_tools() {
	prefix=
	suffix=
	case $llvm in
	*/) prefix=$llvm ;;
	-*) suffix=$llvm ;;
	esac

	llvm_link=${prefix}llvm-link$suffix
	if [ "$llvm" ]; then
		cc=${prefix}clang$suffix
		ld=${prefix}ld.lld$suffix
	else
		# Debian's headers name the compiler in a file that Debian's Kbuild reads.
		cc=$(sed -n 's/^CC[ :?]*=.*\(gcc-[0-9]*\)$/\1/p' "$kdir/.kernelvariables" 2>/dev/null)
		cross=$(sed -n 's/^override CROSS_COMPILE *= *//p' "$kdir/.kernelvariables" 2>/dev/null)
		cc=${CROSS_COMPILE:-$cross}${cc:-gcc}
		ld=${CROSS_COMPILE:-$cross}ld
	fi
	cc=${CC:-$cc}
	rustc=${RUSTC:-rustc}
	bindgen=${BINDGEN:-bindgen}
}

# GCC and clang have different flags, and the configuration is for one of them. Of another
# version, Kbuild only warns.
check_c_compiler() {
	ask "$cc"
	case "$cc $answer" in
	*clang*) family=clang ;;
	*) family=GCC ;;
	esac
	asked="${llvm:+LLVM=$llvm}${llvm:+${CC:+ }}${CC:+CC=$CC}"

	if is_on CC_IS_CLANG && [ "$family" = GCC ]; then
		bad 'C compiler' "${asked:-no LLVM=1}" \
			"this kernel was built by clang, but make would use $cc" "$(make_with "$tree_llvm")"
		return 1
	elif is_on CC_IS_GCC && [ "$family" = clang ]; then
		bad 'C compiler' "$asked" \
			"this kernel was built by GCC, but make would use $cc" "$(make_with '') (without ${asked%%=*}=)"
		return 1
	elif is_on RUST_INLINE_HELPERS && [ ! "$llvm" ]; then
		bad 'C compiler' "$asked, but no LLVM=1" \
			'this kernel inlines C into Rust (CONFIG_RUST_INLINE_HELPERS), which needs all of LLVM, not only clang' \
			"$(make_with "$tree_llvm")"
		return 1
	fi

	must_run 'C compiler' "$cc" "$(install_compiler)" || return
	wanted=$(text_of CC_VERSION_TEXT)
	if [ "$answer" = "$wanted" ]; then
		ok 'C compiler' "$answer"
	else
		note 'C compiler' "$answer" "the kernel was built by $wanted, which rarely makes a difference"
	fi
}

check_linkers() {
	is_on RUST_INLINE_HELPERS && ld="$ld $llvm_link"
	for linker in $ld; do
		must_exist linker "$linker" "$(install_compiler)" && ok linker "$(command -v "$linker")"
	done

	# An LLVM reads the bitcode of older versions, but not of newer ones.
	is_on RUST_INLINE_HELPERS && has "$llvm_link" || return
	bitcode=$kdir/rust/helpers/helpers_module.bc
	answer=$("$llvm_link" -o /dev/null "$bitcode" 2>&1) ||
		bad linker "$llvm_link: ${answer%%"$nl"*}" \
			"$llvm_link cannot read $bitcode, which needs the LLVM that built the kernel, or a later one" \
			"$(install_compiler)"
}

install_compiler() {
	if [ "${CC:-}${CROSS_COMPILE:-}$prefix" ]; then
		echo "correct LLVM=, CC= or CROSS_COMPILE=, from which make has the names of its tools"
	elif [ "$llvm" ]; then
		install "clang$suffix lld$suffix llvm$suffix"
	else
		install "${cc##*-linux-gnu-} binutils"
	fi
}

# Only the rustc that wrote the metadata can read it.
check_rustc() {
	wanted=$(text_of RUSTC_VERSION_TEXT)
	ask "$rustc"
	if [ "$status:$answer" = "0:$wanted" ]; then
		ok rustc "$answer"
		return
	fi
	help=$(provide_rustc)
	must_run rustc "$rustc" "$help" &&
		bad rustc "$answer" "this kernel was built by another rustc: $wanted" "$help"
}

provide_rustc() {
	settings="${llvm:+LLVM=$llvm }RUSTC="
	version=${wanted#rustc }
	version=${version%% *}
	for path in /usr/bin/rustc "/usr/bin/rustc-${version%.*}" "/usr/lib/rust-${version%.*}/bin/rustc" \
		/usr/local/bin/rustc "${RUSTUP_HOME:-${HOME:-}/.rustup}"/toolchains/*/bin/rustc; do
		if [ -x "$path" ] && [ "$(version_of "$path" 2>/dev/null)" = "$wanted" ]; then
			make_with "$settings$path"
			return
		fi
	done

	# rustup has the releases, but not what a distribution built, which says so behind the date.
	if has rustup && echo "$wanted" | grep -qE '^rustc [0-9.]+ \([^()]*\)$'; then
		echo "rustup toolchain install --profile minimal $version &&" \
			"$(make_with "$settings\$(rustup which --toolchain $version rustc)")"
	else
		echo "install $wanted ($page), then $(make_with "$settings/path/to/that/rustc")"
	fi
}

check_bindgen() {
	least=$(min_version bindgen)
	is_older "${least:-0}" "$oldest_bindgen" && least=$oldest_bindgen
	version=$(text_of BINDGEN_VERSION_TEXT)
	version=${version#bindgen }
	is_older "${version:-0}" "$least" && version=$least
	help="cargo install --locked bindgen-cli@$version"

	ask "$bindgen"
	[ "${answer#bindgen [0-9]}" != "$answer" ] || status=1
	must_run bindgen "$bindgen" "$help" || return
	version=${answer#bindgen }
	if is_older "$version" "$least"; then
		bad bindgen "$answer" "bindgen is too old: this module needs $least or later on this kernel" "$help"
		return 1
	fi
	ok bindgen "$answer"
}

# bindgen loads libclang only to read a header: `bindgen --version` works without it. The
# kernel has a header that makes libclang print its version.
check_libclang() {
	probe=$source/scripts/rust_is_available_bindgen_libclang.h
	[ -e "$probe" ] || return 0

	# Faster without rustfmt and without asking clang for its search paths.
	# shellcheck disable=SC2086 # a command may be several words
	answer=$(CLANG_PATH=/bin/false $bindgen --formatter none -o /dev/null "$probe" 2>&1)
	version=$(echo "$answer" | sed -n 's/.*clang version \([0-9.]*\).*/\1/p')
	least=$(min_version llvm)
	help="$(install libclang-dev), or LIBCLANG_PATH=/folder/of/libclang.so $(make_with "${llvm:+LLVM=$llvm}")"
	if [ ! "$version" ]; then
		bad libclang "$(echo "$answer" | grep -m 1 libclang)" 'bindgen cannot load libclang, with which it reads C' "$help"
	elif is_older "$version" "${least:-0}"; then
		bad libclang "$version" "the libclang that bindgen loads is too old: this kernel needs $least or later" "$help"
	else
		ok libclang "$version"
	fi
}

# Sets status and answer, the first line that `$1 --version` prints. Warnings on stderr, such as
# rustup's, only count if it fails.
ask() {
	answer=$(version_of "$1" 2>/dev/null)
	status=$?
	[ "$status" = 0 ] || answer=$(version_of "$1" 2>&1)
	answer=${answer%%"$nl"*}
}

# rustup reads the rust-toolchain.toml of the current folder, and should not download a
# toolchain just to print its version.
version_of() {
	# shellcheck disable=SC2086 # a command may be several words, such as `ccache gcc`
	cd "$compile_folder" && RUSTUP_AUTO_INSTALL=0 $1 --version </dev/null
}

# Reports a tool that is missing, or that did not answer when asked.
# $1: what it is, $2: the command, $3: how to fix it
must_run() {
	must_exist "$@" || return
	[ "$status" = 0 ] && [ "$answer" ] && return
	bad "$1" "$2 --version: ${answer:-no answer}" "$1 does not run: $2" "$3"
	return 1
}

must_exist() {
	has "$2" && return
	bad "$1" "no ${2%% *} in PATH" "$1 not found: ${2%% *}" "$3"
	return 1
}

has() {
	command -v "${1%% *}" >/dev/null
}

# The oldest version that the kernel supports; empty if it does not say.
min_version() {
	sh "$source/scripts/min-tool-version.sh" "$1" 2>/dev/null
}

# Whether version $1 is older than version $2.
is_older() {
	[ "$1" != "$2" ] && [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}
