# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154 # rust-metadata sets the variables
#
# The proof that the metadata which rust-metadata has made is that of the kernel. What cannot be compared
# counts as different.
#
# $headers are the kernel's, $work/build is what was made, $release is the kernel's name.

# The generated headers, with constants and layouts for C and Rust. With 'so far', only those
# that exist already: some architectures make some of them together with the Rust half.
check_generated() {
	if ! generated_headers >"$work/generated" || [ ! -s "$work/generated" ]; then
		refuse "the generated headers cannot be listed" "$headers: see above"
	fi
	while read -r file; do
		case $file in
		# When, where and by whom the kernel was built.
		*/compile.h | */package.h | */utsversion.h) continue ;;
		esac
		[ "${1:-}" ] && [ ! -e "$work/build/$file" ] && continue
		must_match "$file"
	done <"$work/generated"
}

generated_headers() {
	(cd "$headers" && find include/generated arch/*/include/generated ! -type d)
}

# The Rust symbols that the kernel exports. Their names contain hashes of their crates and of the
# compiler's version; their checksums, if there are any, depend on their types.
check_symbols() {
	tab=$(printf '\t')
	awk -F '\t' -v OFS='\t' '$3 == "vmlinux" { print $2, $1 }' "$headers/Module.symvers" |
		sort >"$work/all"
	grep -E '^(_R|rust_helper_)' "$work/all" >"$work/theirs"
	sed -n 's/^EXPORT_SYMBOL_RUST_GPL(\(.*\));$/\1/p' "$work"/build/rust/exports_*_generated.h |
		sort -u >"$work/names"
	if is_on MODVERSIONS; then
		# From the files in which modpost finds them.
		find "$work/build/rust" -name '.*.o.cmd' -exec cat {} + |
			sed -n "s/^#SYMVER \([^ ]*\) \(0x[0-9a-f]*\)$/\1$tab\2/p"
	else
		sed "s/$/${tab}0x00000000/" "$work/names"
	fi | sort -u >"$work/ours"

	total=$(wc -l <"$work/theirs")
	count=$(comm -12 "$work/theirs" "$work/ours" | wc -l)
	only_theirs=$(comm -23 "$work/theirs" "$work/ours" | head -n 3 | tr '\t\n' '= ')
	only_ours=$(comm -13 "$work/all" "$work/ours" | head -n 3 | tr '\t\n' '= ')
	unchecked=$(cut -f 1 "$work/ours" | comm -13 - "$work/names" | head -n 3 | tr '\n' ' ')
	if [ "$total" -eq 0 ] || [ "$count" -ne "$total" ] || [ "$only_theirs$only_ours$unchecked" ] ||
		[ ! -s "$work/names" ]; then
		refuse "$count of the kernel's $total Rust symbols match" \
			"only in the kernel: $only_theirs; only here: $only_ours; without a checksum: $unchecked"
	fi
	say "all $total Rust symbols that the kernel exports match"
}

must_match() {
	cmp -s "$headers/$1" "$work/build/$1" && return
	difference=$(diff "$headers/$1" "$work/build/$1" 2>&1 | grep -v '^[0-9-]' | head -n 4 | tr '\n' ' ')
	refuse "$1 differs" "< the kernel's, > here: $difference"
}

# Metadata that is almost right would compile, load, and compute nonsense.
refuse() {
	rm -rf "$work"
	bad 1 "the metadata does not match the kernel $release: $1" "$2" \
		'use source, headers and compilers of the same version, all from Debian'
}
