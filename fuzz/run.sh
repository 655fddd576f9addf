#!/bin/sh
# Runs fuzz targets, one after the other, each for SECONDS: on what is in fuzz/seeds, what earlier runs
# have found to reach more code, and mutations of both.
#
#	[SEED=1] fuzz/run.sh FOLDER SECONDS TARGET...
#
# FOLDER is for the programs and the inputs: corpus/TARGET has those that reach more code, findings/TARGET
# those that fail. Exits with 1 if there are any. Needs cargo, rustc, a C and a C++ compiler, and binutils;
# with pahole, the kernels have BTF, too. `make fuzz` runs it in the lab's toolchain.
set -eu

# Seconds that an input may take, and megabytes of memory.
SLOW=5
MEMORY=500
# The longest input, in bytes.
LONGEST=65536

here=$(cd "$(dirname "$0")" && pwd -P)
folder=$1 seconds=$2
shift 2
mkdir -p "$folder"
folder=$(cd "$folder" && pwd -P)
CARGO_TARGET_DIR=$folder/target
FUZZ_OBJECTS=$folder/objects
export CARGO_TARGET_DIR FUZZ_OBJECTS

# As cargo-fuzz builds them without a sanitizer: stable Rust can also count which code was reached.
# Build scripts and macros need no counters, hence --target.
build() {
	machine=$(rustc -vV | sed -n 's/^host: //p')
	flags='--cfg fuzzing -Ccodegen-units=1 -Cpasses=sancov-module'
	for flag in level=4 inline-8bit-counters pc-table trace-compares; do
		flags="$flags -Cllvm-args=-sanitizer-coverage-$flag"
	done
	programs=$CARGO_TARGET_DIR/$machine/release
	RUSTFLAGS=$flags cargo build --quiet --locked --release --target "$machine" --manifest-path "$here/Cargo.toml"
}

# The objects of stitch's tests, as a module and as a kernel.
compile_objects() (
	sources=$here/../tools/stitch/tests/objects
	mkdir -p "$FUZZ_OBJECTS" && cd "$FUZZ_OBJECTS"
	cc -c -g -O2 -fno-pic -o pair_c.o "$sources/pair.c"
	rustc --edition=2021 --crate-type=lib --emit=obj -g -Copt-level=2 -Cpanic=abort -Crelocation-model=static \
		-Csymbol-mangling-version=v0 -Ccodegen-units=1 -o pair_main.o "$sources/pair.rs"
	ld -r -o pair.ko pair_main.o pair_c.o
	ld -e 0 --unresolved-symbols=ignore-all -o vmlinux pair_c.o
	if command -v pahole >/dev/null; then
		cp vmlinux vmlinux_btf
		pahole -J vmlinux_btf
		objcopy --strip-debug vmlinux_btf
	fi
)

# The objects that a target starts from.
objects_for() {
	case $1 in
	object) echo pair_c.o pair_main.o ;;
	module) echo pair.ko ;;
	kernel) echo vmlinux vmlinux_btf ;;
	esac
}

run() {
	corpus=$folder/corpus/$1 findings=$folder/findings/$1 seeds=$here/seeds/$1
	mkdir -p "$corpus" "$findings"
	for object in $(objects_for "$1"); do
		[ ! -e "$FUZZ_OBJECTS/$object" ] || cp "$FUZZ_OBJECTS/$object" "$corpus"
	done
	[ -d "$seeds" ] || seeds=
	"$programs/$1" -max_total_time="$seconds" -timeout=$SLOW -rss_limit_mb=$MEMORY -max_len=$LONGEST \
		${SEED:+"-seed=$SEED"} -print_final_stats=1 -artifact_prefix="$findings/" "$corpus" ${seeds:+"$seeds"}
}

build
compile_objects
failed=
for target; do
	echo "fuzz: $target, $seconds s"
	run "$target" || failed="$failed $target"
done
[ ! "$failed" ] || echo "fuzz: failed:$failed; the inputs are in $folder/findings" >&2
[ ! "$failed" ]
