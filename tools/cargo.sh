#!/bin/sh
# Runs cargo to build the host programs: from the pinned toolchain if it is installed, otherwise
# from any that is new enough, otherwise from Debian, whose package it announces and installs.
# rust-toolchain.toml pins the compiler for the kernels; for the host programs, any recent one will do.
set -eu

OLDEST=85 # of Rust 1.x, as `rust-version` in Cargo.toml
here=$(dirname "$0")
pinned=$(sed -n 's/^channel = "\(.*\)"/\1/p' "$here/../rust-toolchain.toml")

# The x of "cargo 1.x.y".
minor() {
	"$@" --version 2>/dev/null | sed -n 's/^cargo 1\.\([0-9]*\)\..*/\1/p'
}

new_enough() {
	minor=$(minor "$@")
	[ "${minor:-0}" -ge "$OLDEST" ]
}

# The user's choice, then the pin, then all other toolchains, the default first.
rustup_toolchains() {
	echo "${RUSTUP_TOOLCHAIN:-}"
	rustup toolchain list 2>/dev/null | grep "^$pinned-" || :
	rustup toolchain list 2>/dev/null | sed -n 's/ (.*default.*//p'
	rustup toolchain list 2>/dev/null | sed 's/ .*//'
}

use_rustup() {
	command -v rustup >/dev/null || return 1
	for toolchain in $(rustup_toolchains); do
		new_enough rustup run "$toolchain" cargo || continue
		case $toolchain in
		"$pinned"*) ;;
		*) echo "lab: Rust $pinned is not installed; building the host programs with $toolchain" >&2 ;;
		esac
		RUSTUP_TOOLCHAIN=$toolchain
		export RUSTUP_TOOLCHAIN
		return 0
	done
	return 1
}

# A cargo that is not rustup's proxy: Debian's, or one built from source.
use_plain() {
	unset RUSTUP_TOOLCHAIN
	for folder in $(echo "$PATH" | tr ':' ' ') /usr/bin; do
		if [ -x "$folder/cargo" ] && [ ! -x "$folder/rustup" ] && new_enough "$folder/cargo"; then
			PATH=$folder:$PATH
			return 0
		fi
	done
	return 1
}

# In Debian 13, this is cargo; in Debian 12, cargo is too old, but cargo-web is not.
debian_package() {
	for package in cargo cargo-web; do
		version=$(apt-cache policy "$package" 2>/dev/null | sed -n 's/ *Candidate: *//p')
		case $version in
		1.*)
			minor=${version#1.}
			[ "${minor%%.*}" -ge "$OLDEST" ] && echo "$package" && return
			;;
		esac
	done
}

give_up() {
	echo "lab: error: no cargo of Rust 1.$OLDEST or later" >&2
	echo "  note: rustup's toolchains, and PATH" >&2
	echo "  help: $1" >&2
	exit 2
}

install_debian() {
	as_root="sudo "
	if [ "$(id -u)" -eq 0 ]; then as_root=""; fi
	package=$(debian_package)
	if [ -z "$package" ] && command -v apt-get >/dev/null && [ -z "${LAB_NO_INSTALL:-}" ]; then
		echo "lab: running: ${as_root}apt-get update" >&2
		# shellcheck disable=SC2086 # empty, or sudo
		${as_root}apt-get -q update >/dev/null || echo "lab: apt-get update failed; using the package lists that exist" >&2
		package=$(debian_package)
	fi
	[ -n "$package" ] || give_up "rustup toolchain install stable, or install Rust from https://rustup.rs"

	install="${as_root}apt-get install -y --no-install-recommends $package"
	[ -z "${LAB_NO_INSTALL:-}" ] || give_up "run: $install"
	if [ -n "$as_root" ] && ! command -v sudo >/dev/null; then
		give_up "run as root: ${install#sudo }"
	fi
	echo "lab: no cargo of Rust 1.$OLDEST or later on this host; running: $install" >&2
	# shellcheck disable=SC2086 # words of a command
	DEBIAN_FRONTEND=noninteractive $install >&2 || give_up "run: $install"
}

# The programs that `cargo build` makes with these arguments; each has the name of its package.
programs() {
	folder=$CARGO_TARGET_DIR/debug
	[ "$1" = build ] || return 0
	for word; do
		case $word in
		--release) folder=$CARGO_TARGET_DIR/release ;;
		-* | build) ;;
		*) echo "$folder/$word" ;;
		esac
	done
}

# rustup and cargo take 0.3 s to find that there is nothing to do. cargo lists the sources of a program:
# if none has changed, or is gone, since cargo was last started for it, it need not be asked.
is_built() (
	[ $# -gt 0 ] || return 1
	cd "$here/.."
	for program; do
		[ -x "$program" ] || return 1
		sources=$(sed 's/^[^:]*://' "$program.d" 2>/dev/null) || return 1
		# shellcheck disable=SC2086 # a list
		set -- $sources rust-toolchain.toml Cargo.toml Cargo.lock ./*/Cargo.toml ./*/*/Cargo.toml
		changed=$(find "$@" -newer "$program.asked" 2>/dev/null) || return 1
		[ -z "$changed" ] || return 1
	done
)

# On a new machine, the toolchain is unpacked while cargo builds the lab, which will ask for it.
build() {
	lab=$CARGO_TARGET_DIR/debug/lab
	if [ "${NEEDS_TOOLCHAIN:-}" ] && [ ! -e "$lab" ] && echo "$made" | grep -Fqx "$lab"; then
		cargo build --quiet --locked --package host
		"${lab%/*}/toolchain" cargo "$@"
	else
		cargo "$@"
	fi
}

# The Makefile chooses a target folder for each checkout. Removes those of deleted checkouts.
mark_target() {
	(umask 077 && mkdir -p "$CARGO_TARGET_DIR")
	echo "$HELLO_RUST_DIR" >"$CARGO_TARGET_DIR/checkout"
	for mark in "${CARGO_TARGET_DIR%/*}"/*/checkout; do
		[ -e "$(cat "$mark")/Makefile" ] || rm -rf "${mark%/checkout}"
	done
}

made=
if [ "${HELLO_RUST_DIR:-}" ] && [ "${CARGO_TARGET_DIR:-}" ]; then
	made=$(programs "$@")
	# shellcheck disable=SC2086 # a list
	if is_built $made; then exit 0; fi
	mark_target
fi
use_rustup || use_plain || { install_debian && use_plain; } || give_up "rustup toolchain install stable"

# Paths in lists of sources then start here, and have no blanks.
CARGO_BUILD_DEP_INFO_BASEDIR=$(cd "$here/.." && pwd -P)
export CARGO_BUILD_DEP_INFO_BASEDIR
[ "$made" ] || exec cargo "$@"
start=$(date +%s.%N)
build "$@"
for program in $made; do touch -d "@$start" "$program.asked"; done
