# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154 # rust-metadata sets the variables
#
# The programs that build the kernel's Rust half: whether they are installed, in the kernel's own versions,
# and what to install.
#
# $headers are the kernel's, $release is the kernel's name, $version is that of Debian's packages, or empty.

check_tools() {
	find_compiler
	missing=
	# The package, and a program or a path from it; for some kernels, a line is empty.
	while read -r package_name file; do
		command -v "$file" >/dev/null || [ -e "/$file" ] || missing="$missing $package_name"
	done <<-END
		bc bc
		bison bison
		diffutils cmp
		flex flex
		make make
		perl perl
		python3-minimal python3
		xz-utils xz
		util-linux flock
		libelf-dev /usr/include/libelf.h
		libssl-dev /usr/include/openssl/ssl.h
		$(is_on GENDWARFKSYMS && echo libdw-dev /usr/include/elfutils/libdw.h)
		rustc $rustc
		rust-src $("$rustc" --print sysroot 2>/dev/null)/lib/rustlib/src/rust/library/core/src/lib.rs
		bindgen $bindgen
		${compiler:+$(package_of_compiler) $compiler}
		$(compat_compiler)
	END
	[ "$missing" ] && bad 2 "programs that build the kernel's Rust half are not installed" \
		"missing:$missing" "$(install "${missing# }")"

	check_version rustc "$rustc" RUSTC
	check_version bindgen "$bindgen" BINDGEN
	check_version "$(package_of_compiler)" "$compiler" CC
}

# Sets compiler, the kernel's C compiler, and tools, what Kbuild is told of it.
find_compiler() {
	tools=
	if [ -e "$headers/.kernelvariables" ]; then
		# Debian's headers name the compiler in a makefile, which Debian's Kbuild reads.
		compiler=$(kernel_variable CC)
	elif is_on CC_IS_CLANG; then
		compiler=${CC:-$(clang_of_kernel)}
		tools="CC=$compiler KERNELRELEASE=$release"
		folder=${compiler%clang*} suffix=${compiler##*clang}
		is_on LD_IS_LLD && tools="LLVM=${folder:-${suffix:-1}} $tools"
	else
		# The version of gcc starts with its name.
		compiler=$(text_of CC_VERSION_TEXT)
		compiler=${CC:-${compiler%% *}}
		tools="CC=$compiler CROSS_COMPILE=${compiler%gcc*} KERNELRELEASE=$release"
	fi
}

# In Debian, clang-19 can be installed beside a newer clang.
clang_of_kernel() {
	number=$(text_of CLANG_VERSION | sed 's/[^0-9].*//; s/^0*//; q')
	clang=clang-$((${number:-0} / 10000))
	if has_version CC clang || ! command -v "$clang" >/dev/null; then clang=clang; fi
	echo "$clang"
}

package_of_compiler() {
	name=${compiler##*/}
	echo "${name##*-linux-gnu-}"
}

# The compiler for the 32-bit vDSO, after its package.
compat_compiler() {
	compat=$(kernel_variable CROSS_COMPILE_COMPAT)
	[ "$compat" ] && is_on COMPAT_VDSO && echo "gcc-${compat%-} ${compat}gcc"
}

# Of Debian's makefile.
kernel_variable() {
	# shellcheck disable=SC2016 # for make
	printf 'include %s/.kernelvariables\nprint:; @echo $(%s)\n' "$headers" "$1" |
		make -s -f - print 2>/dev/null | sed 's/^ *//; s/ .*//'
}

# Only the kernel's compilers can make the metadata, and only its rustc can read it.
# $1: its package, $2: the program, $3: the start of its option in the configuration
check_version() {
	has_version "$3" "$2" && return
	bad 2 "the kernel $release was built by another $1, and its Rust metadata depends on the exact version" \
		"$2: ${found:-not found}; the kernel's: $wanted" "$(install_version "$1" "$3")"
}

# Sets wanted and found.
has_version() {
	wanted=$(text_of "$1_VERSION_TEXT")
	found=
	command -v "$2" >/dev/null && found=$(cd / && "$2" --version 2>&1 | head -n 1)
	[ "$wanted" ] && [ "$found" = "$wanted" ]
}

# What to do for the version $wanted of the package $1.
install_version() {
	packages=$1 remark=
	[ "$1" = rustc ] && packages='rustc rust-src' remark=' (and RUSTC=/usr/bin/rustc, if yours is another)'
	pattern=$(package_version)
	offered=$(offers "$1")
	exact=$(echo "$offered" | grep -E -m 1 "^$pattern")
	if [ "$exact" ]; then
		install "$(echo "$packages" | sed "s/\( \|$\)/=$exact&/g")" "$remark"
	elif [ "$version" ] && [ "$offered" ]; then
		plain=$(echo "$pattern" | sed 's/(1:)?//; s/\\//g; s/\[.*\|\$//')
		echo "get $1 $plain from Debian's snapshots, https://snapshot.debian.org/binary/$1; the archive has" \
			"only $(echo "$offered" | paste -sd ' ')"
	elif [ "$version" ]; then
		echo "install the version that Debian has for this kernel: $(install "$packages" "$remark")"
	else
		echo "install the version that its distribution has for this kernel, and name it: $2=/path/to/it"
	fi
}

# A pattern for the versions of the packages that may have the program whose text is $wanted. A package of
# rustc or bindgen tells only the version of upstream.
package_version() {
	echo "$wanted" | sed -n '
		s/^\(rustc\|bindgen\) \([0-9.]*\).*/\2[+~-]/p
		s/^Debian clang version \([^ ]*\) (\(.*\))$/(1:)?\1-\2$/p
		s/^[^ ]*gcc[^ ]* (Debian \([^)]*\)).*/\1$/p
	' | sed 's/[.+]/\\&/g; s/\[\\+/[+/'
}

# The versions of a package in the archive.
offers() {
	apt-cache madison "$1" 2>/dev/null | awk '!/ Sources$/ { print $3 }'
}

# The command that installs packages, and a remark. If a kernel from backports has brought its libelf, the
# headers of libelf must be from there, too, or apt would remove one for the other. The compilers are always
# the release's.
install() {
	if ! command -v apt-get >/dev/null; then
		echo "install these, by the package manager of this system: $1"
		return
	fi
	suites=
	case $(dpkg-query -W -f '${Version}' libelf1t64 2>/dev/null) in
	*~bpo13+*) suites='s,lib\(elf\|dw\)-dev,&/trixie-backports,g;' ;;
	esac
	case $version in
	*~bpo13+*) suites="$suites s,\<rust\(c\|-src\)\( \|$\),rust\1/trixie\2,g" ;;
	esac
	echo "${sudo}apt-get install $1${2:-}" | sed "$suites"
}
