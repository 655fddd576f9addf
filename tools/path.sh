# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Which paths are supported, and where the cache is: one rule for the Makefile, check-kernel.sh and the lab
# (qemu/host/src/cache.rs). tools/stock/rust-metadata, which is installed alone, has a copy; a test in
# qemu/host/src/cache.rs compares them.

# The characters that Kbuild does not support, found by trying each with Linux 6.12 and 7.3. Letters
# beyond ASCII are fine: with 7.3, a kernel's Rust half and a module were built in such a folder.
odd='[:space:]:%$'\''"\\;&()|`<>'

# Before Linux 6.13, Kbuild puts the full path of a module into rules and flags.
odd_before_6_13='#,='

# The cache serves every kernel, and make and shells expand the names of its files.
odd_in_cache=$odd$odd_before_6_13'*?[]!^{}'

# Prints the first of the characters $2 that is in the path $1; fails if none is.
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

# Prints the first character that some Kbuild does not support in the path $1 of a module; fails if none is.
odd_in_module() {
	odd_character "$1" "$odd$odd_before_6_13"
}

# Prints the folder of the cache, or fails with an error.
cache_folder() {
	if is_absolute "${XDG_CACHE_HOME:-}"; then
		usable_cache "$XDG_CACHE_HOME/hello_rust"
	elif is_absolute "${HOME:-}"; then
		# The XDG specification says to ignore a relative path.
		usable_cache "$HOME/.cache/hello_rust"
	else
		refuse_cache 'neither XDG_CACHE_HOME nor HOME is an absolute path' \
			"XDG_CACHE_HOME=${XDG_CACHE_HOME:-}, HOME=${HOME:-}"
	fi
}

# Prints the folder $1 if it is supported for the cache, or fails with an error. Programs are run from it.
usable_cache() {
	if cause=$(odd_character "$1" "$odd_in_cache"); then
		refuse_cache "its path has $cause, which make, Kbuild or a shell may misread" "$1"
	elif open=$(open_to_others "$1") || :; [ "$open" ]; then
		refuse_cache 'another user can change what is in it, and so what is run' "$open"
	else
		printf '%s\n' "$1"
	fi
}

# Prints the first folder on the way to $1, by its name or after its links, in which a user other than this one
# and root can replace something: as its owner, or as one who may write there, except to a group of this user's
# own or with the sticky bit. In a container, the owner may be a user of the host, who is none here. Folders that
# do not exist yet are made by this user.
open_to_others() (
	me=$(id -u)
	real=$(readlink -m "$1")
	way=/
	for folder in "$1" "$real"; do
		while [ "$folder" ]; do
			way="$folder
$way"
			folder=${folder%/*}
		done
	done
	set -f
	IFS='
'
	# shellcheck disable=SC2086 # a list
	find -H $way -maxdepth 0 \( ! -uid 0 ! -uid "$me" ! -nouser -o ! -perm -1000 \
		\( -perm -o+w -o -perm -g+w ! -gid 0 ! -gid "$me" ! -nogroup \) \) -printf '%p, %M of %u:%g\n' -quit 2>/dev/null
)

is_absolute() {
	case $1 in
	/*) return 0 ;;
	esac
	return 1
}

refuse_cache() {
	printf 'lab: error: the cache cannot be used: %s\n  note: %s\n  help: %s\n' "$1" "$2" \
		'set XDG_CACHE_HOME to a folder of your own with a plain path, such as /var/tmp/cache' >&2
	return 2
}
