# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Which paths will do, and where the cache is: the one rule for the Makefile, for kdir.sh, and for
# the lab (qemu/src/cache.rs). tools/stock/rust-metadata, which is installed by itself, has a copy; a
# test in qemu/src/cache.rs compares them all.

# What Kbuild cannot handle: found by trying each character with Linux 6.12 and 7.3. It can handle
# letters beyond ASCII: with 7.3, a kernel's Rust half and a module were built in such a folder.
odd='[:space:]:%$'\''"\\;&()|`<>'

# A kernel before Linux 6.13 puts the whole path of a module into its rules and flags.
odd_before_6_13='#,='

# The cache is for every kernel, and make and shells expand the names of what is in it.
odd_in_cache=$odd$odd_before_6_13'*?[]!^{}'

# Names the first of the characters $2 in the path $1; fails if there is none.
odd_character() {
	odd_one=$(printf '%s' "$1" | LC_ALL=C tr -cd "$2" | head -c 1 && echo .)
	case $odd_one in
	.) return 1 ;;
	' .') echo 'a space' ;;
	:.) echo 'a colon' ;;
	,.) echo 'a comma' ;;
	[[:space:]].) echo 'a white-space character' ;;
	*) echo "the character ${odd_one%.}" ;;
	esac
}

# Prints the folder of the cache. Fails, and says why, if it cannot be used.
cache_folder() {
	if is_absolute "${XDG_CACHE_HOME:-}"; then
		usable_cache "$XDG_CACHE_HOME/hello_rust"
	elif is_absolute "${HOME:-}"; then
		# By its specification, an XDG_CACHE_HOME that is relative counts for nothing.
		usable_cache "$HOME/.cache/hello_rust"
	else
		refuse_cache 'neither XDG_CACHE_HOME nor HOME is the full path of a folder' \
			"XDG_CACHE_HOME=${XDG_CACHE_HOME:-}, HOME=${HOME:-}"
	fi
}

# Prints a folder that is to be the cache. Fails, and says why, if it cannot be.
usable_cache() {
	if cause=$(odd_character "$1" "$odd_in_cache"); then
		refuse_cache "its path has $cause, which make, Kbuild or a shell may misread" "$1"
	else
		printf '%s\n' "$1"
	fi
}

is_absolute() {
	case $1 in
	/*) return 0 ;;
	esac
	return 1
}

refuse_cache() {
	printf 'lab: error: the cache cannot be used: %s\n  note: %s\n  help: %s\n' "$1" "$2" \
		'set XDG_CACHE_HOME to a folder with a plain path, such as /var/tmp/cache' >&2
	return 2
}
