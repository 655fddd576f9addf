//! The mutants of the catalogue: what is wrong with each, and who has to find it.

use Caught::{By, Not, Stitch};

/// One change of one file.
#[derive(Debug)]
pub struct Edit {
    /// Beside Kbuild.
    pub file: &'static str,
    /// Stands there once; nothing at all for a file that is new.
    pub from: &'static str,
    /// Stands there instead.
    pub to: &'static str,
}

/// Who has to find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caught {
    /// This layer, among others.
    By(&'static str),
    /// stitch alone, in the finished objects; a word of its reason.
    Stitch(&'static str),
    /// Nothing before insmod, for this reason.
    Not(&'static str),
}

const CONTRACT: &str = "border: the contract";
const RUST: &str = "border: Rust against the contract";
const C: &str = "border: C against the contract";
const OBJECTS: &str = "border: the objects against the contract";

impl Caught {
    /// The layers, as their messages name them, in the order of a build.
    pub const LAYERS: [&'static str; 4] = [CONTRACT, RUST, C, OBJECTS];

    /// Whether another C compiler may come to another end: not where rustc or bindgen stops first.
    pub fn is_up_to_c(self) -> bool {
        !matches!(self, By(CONTRACT | RUST))
    }

    /// Whether another architecture may: only where the objects tell.
    pub fn is_up_to_objects(self) -> bool {
        matches!(self, By(OBJECTS) | Stitch(_) | Not(_))
    }
}

/// A catalogue with one disagreement.
#[derive(Debug)]
pub struct Mutant {
    /// What kind of disagreement.
    pub class: &'static str,
    /// What exactly.
    pub what: &'static str,
    /// Both sides still happen to do the same, on this architecture.
    pub same_abi: bool,
    /// Who has to find it.
    pub caught: Caught,
    /// How it is made.
    pub edits: &'static [Edit],
}

const fn broken(
    class: &'static str,
    what: &'static str,
    caught: Caught,
    edits: &'static [Edit],
) -> Mutant {
    Mutant {
        class,
        what,
        same_abi: false,
        caught,
        edits,
    }
}

const fn same(
    class: &'static str,
    what: &'static str,
    caught: Caught,
    edits: &'static [Edit],
) -> Mutant {
    Mutant {
        class,
        what,
        same_abi: true,
        caught,
        edits,
    }
}

const fn edit(file: &'static str, from: &'static str, to: &'static str) -> Edit {
    Edit { file, from, to }
}

const fn header(from: &'static str, to: &'static str) -> Edit {
    edit("catalogue.h", from, to)
}

const fn c(from: &'static str, to: &'static str) -> Edit {
    edit("catalogue_c.c", from, to)
}

const fn test(from: &'static str, to: &'static str) -> Edit {
    edit("catalogue_test.c", from, to)
}

const fn exports(from: &'static str, to: &'static str) -> Edit {
    edit("exports.rs", from, to)
}

const fn imports(from: &'static str, to: &'static str) -> Edit {
    edit("imports.rs", from, to)
}

const fn kbuild(to: &'static str) -> Edit {
    edit("Kbuild", "include $(src)/border/border.mk", to)
}

/// Two views of a struct, by a macro.
const TWO_POINTS: Edit = header(
    "	s8 layer;\n	s32 x;\n",
    "#if defined(REORDERED)\n	s32 x;\n	s8 layer;\n\
     #elif defined(RESIZED)\n	s8 layer;\n	s64 x;\n\
     #elif defined(REMOVED)\n	s32 x;\n\
     #elif defined(SIGN)\n	s8 layer;\n	u32 x;\n\
     #elif defined(ALIGNED)\n	s8 layer;\n	s32 x __aligned(8);\n\
     #else\n	s8 layer;\n	s32 x;\n#endif\n",
);

/// What the C half alone is compiled with.
macro_rules! for_c_only {
    ($what:literal) => {
        kbuild(concat!(
            "CFLAGS_catalogue_test.o := -D",
            $what,
            "\ninclude $(src)/border/border.mk"
        ))
    };
}

/// All of them.
#[rustfmt::skip] // a table reads best as a table
pub const MUTANTS: &[Mutant] = &[
    // What is passed.
    broken("argument dropped", "by C's definition", By(C),
        &[c("int catalogue_c_fail(int err)\n{\n", "int catalogue_c_fail(void)\n{\n\tint err = 0;\n\n")]),
    broken("argument dropped", "by Rust's definition", By(RUST),
        &[exports("fn catalogue_rs_fail(err: c_int) -> c_int {\n", "fn catalogue_rs_fail() -> c_int {\n    let err = 0;\n")]),
    broken("argument dropped", "in the contract", By(RUST),
        &[header("int catalogue_c_fail(int err);", "int catalogue_c_fail(void);")]),
    broken("argument dropped", "by Rust's call", By(RUST),
        &[imports("catalogue_c_fail(err)", "catalogue_c_fail()")]),
    broken("argument added", "by C's definition", By(C),
        &[c("bool catalogue_c_not(bool value)", "bool catalogue_c_not(bool value, int more)")]),
    broken("argument added", "by Rust's definition", By(RUST),
        &[exports("fn catalogue_rs_not(value: bool)", "fn catalogue_rs_not(value: bool, _more: c_int)")]),
    broken("argument added", "by Rust's call", By(RUST),
        &[imports("catalogue_c_not(value)", "catalogue_c_not(value, 0)")]),
    broken("arguments swapped", "by C's definition", By(C),
        &[c("catalogue_c_backwards(u8 *to, size_t size,", "catalogue_c_backwards(size_t size, u8 *to,")]),
    broken("arguments swapped", "by Rust's definition", By(RUST),
        &[exports("    to: *mut u8,\n    size: usize,\n", "    size: usize,\n    to: *mut u8,\n")]),
    broken("arguments swapped", "in the contract", By(C),
        &[header("ssize_t catalogue_c_backwards(u8 *to, size_t size,", "ssize_t catalogue_c_backwards(size_t size, u8 *to,")]),
    broken("arguments swapped", "two of one type, by Rust's call",
        Not("both are size_t: only their names tell them apart; the catalogue's checks fail"),
        &[imports("to.as_mut_ptr(), to.len(), from.as_ptr(), from.len()", "to.as_mut_ptr(), from.len(), from.as_ptr(), to.len()")]),

    // Integers.
    broken("widened", "by C's definition: u16 for u8", By(C),
        &[c("u8 catalogue_c_next_u8(u8 number)", "u8 catalogue_c_next_u8(u16 number)")]),
    broken("widened", "by Rust's definition: u64 for u32", By(RUST),
        &[exports("catalogue_rs_next_u32: u32", "catalogue_rs_next_u32: u64")]),
    broken("narrowed", "by C's definition: s32 for s64", By(C),
        &[c("s64 catalogue_c_next_s64(s64 number)", "s64 catalogue_c_next_s64(s32 number)")]),
    broken("narrowed", "by Rust's definition: i8 for s16", By(RUST),
        &[exports("catalogue_rs_next_s16: i16", "catalogue_rs_next_s16: i8")]),
    broken("narrowed", "in the contract: u32 for size_t", By(RUST),
        &[header("size_t catalogue_rs_next_size(size_t number);", "size_t catalogue_rs_next_size(u32 number);")]),
    broken("sign flipped", "by C's definition", By(C),
        &[c("s32 catalogue_c_next_s32(s32 number)", "s32 catalogue_c_next_s32(u32 number)")]),
    broken("sign flipped", "by Rust's definition: i8 for u8", By(RUST),
        &[exports("catalogue_rs_next_u8: u8", "catalogue_rs_next_u8: i8")]),
    broken("sign flipped", "in the contract", By(RUST),
        &[header("u64 catalogue_rs_next_u64(u64 number);", "s64 catalogue_rs_next_u64(s64 number);")]),
    same("other name, same size", "long for s64, by C's definition", By(C),
        &[c("s64 catalogue_c_next_s64(s64 number)", "long catalogue_c_next_s64(long number)")]),
    same("other name, same size", "i64 for long, by Rust's definition", By(RUST),
        &[exports("catalogue_rs_next_long: isize", "catalogue_rs_next_long: i64")]),
    same("other name, same size", "u64 for size_t, by Rust's definition", By(RUST),
        &[exports("catalogue_rs_next_size: usize", "catalogue_rs_next_size: u64")]),

    // Enums and truth values.
    same("int for enum", "by C's definition",
        // C takes an enum with negative members and int for one type, and so does the ABI.
        Stitch("`int` where it is defined, `enum catalogue_order` where it is declared"),
        &[c("enum catalogue_order catalogue_c_opposite(enum catalogue_order order)", "enum catalogue_order catalogue_c_opposite(int order)")]),
    broken("int for enum", "of the other sign, by C's definition", By(C),
        &[c("enum catalogue_order catalogue_c_opposite(enum catalogue_order order)", "enum catalogue_order catalogue_c_opposite(unsigned int order)")]),
    broken("int for enum", "of the other sign, by Rust's definition", By(RUST),
        &[exports("catalogue_rs_opposite(order: catalogue_order) -> catalogue_order {\n    match order {",
                "catalogue_rs_opposite(order: u32) -> catalogue_order {\n    match order as c_int {")]),
    broken("int for bool", "by C's definition", By(C),
        &[c("bool catalogue_c_not(bool value)", "int catalogue_c_not(int value)")]),
    broken("int for bool", "u8, by Rust's definition", By(RUST),
        &[exports("fn catalogue_rs_not(value: bool) -> bool {\n    !value", "fn catalogue_rs_not(value: u8) -> bool {\n    value == 0")]),

    // Pointers.
    same("const dropped", "by C's definition", By(C),
        &[c("int catalogue_c_copy(u32 *to, const u32 *from)", "int catalogue_c_copy(u32 *to, u32 *from)")]),
    same("const dropped", "by Rust's definition", By(RUST),
        &[exports("to: *mut u32, from: *const u32", "to: *mut u32, from: *mut u32")]),
    same("const dropped", "in the contract", By(RUST),
        &[header("int catalogue_rs_copy(u32 *to, const u32 *from);", "int catalogue_rs_copy(u32 *to, u32 *from);")]),
    broken("value for pointer", "by C's definition", By(C),
        &[c("catalogue_c_grow(struct catalogue_shape *shape, const struct catalogue_point *step)\n{\n",
            "catalogue_c_grow(struct catalogue_shape *shape, const struct catalogue_point value)\n{\n\tconst struct catalogue_point *step = &value;\n")]),
    broken("value for pointer", "by Rust's definition", By(RUST),
        &[exports("    step: *const catalogue_point,\n", "    step: catalogue_point,\n"),
          exports("(shape.read(), step.read())", "(shape.read(), step)")]),
    broken("pointer to another type", "by C's definition: u8 for char", By(C),
        &[c("const char *catalogue_c_basename(const char *path)\n{\n\treturn kbasename(path);",
            "const char *catalogue_c_basename(const u16 *path)\n{\n\treturn kbasename((const char *)path);")]),
    broken("pointer to another type", "by Rust's definition: not the kernel's task_struct", By(RUST),
        &[exports("fn catalogue_rs_pid(task: *mut task_struct)", "fn catalogue_rs_pid(task: *mut catalogue_shape)")]),
    broken("pointer to another type", "the other half's opaque handle, by Rust's definition", By(RUST),
        &[exports("fn catalogue_rs_counter_free(counter: *mut catalogue_rs_counter)", "fn catalogue_rs_counter_free(counter: *mut catalogue_c_counter)")]),
    broken("pointer to another type", "through a cast",
        Not("a cast says: I know better; each one is under a SAFETY comment"),
        &[imports("unsafe { catalogue_c_grow(shape, step) }", "unsafe { catalogue_c_grow(shape, core::ptr::from_ref(step).cast::<u64>().cast()) }")]),

    // Callbacks.
    broken("callback", "an argument widened, in Rust", By(RUST),
        &[imports("unsafe extern \"C\" fn call<F: FnMut(u32) -> Result>(context: *mut c_void, nth: u32) -> c_int {",
                "unsafe extern \"C\" fn call<F: FnMut(u32) -> Result>(context: *mut c_void, nth: u64) -> c_int {\n    let nth = nth as u32;")]),
    broken("callback", "without extern \"C\", in Rust", By(RUST),
        &[imports("unsafe extern \"C\" fn call<F", "unsafe fn call<F")]),
    broken("callback", "arguments swapped, in the contract", By(RUST),
        &[header("typedef int (*catalogue_visit_fn)(void *context, u32 nth);", "typedef int (*catalogue_visit_fn)(u32 nth, void *context);")]),
    broken("callback", "return type lost, for one C object only", By(C),
        &[header("typedef int (*catalogue_visit_fn)(void *context, u32 nth);",
                 "#ifdef LOST\ntypedef void (*catalogue_visit_fn)(void *context, u32 nth);\n#else\ntypedef int (*catalogue_visit_fn)(void *context, u32 nth);\n#endif"),
          Edit { file: "catalogue_c.c", from: "#include \"catalogue.h\"", to: "#define LOST\n#include \"catalogue.h\"" }]),

    // What is returned.
    broken("return type changed", "by C's definition", By(C),
        &[c("pid_t catalogue_c_pid(struct task_struct *task)", "long catalogue_c_pid(struct task_struct *task)")]),
    broken("return type changed", "by Rust's definition", By(RUST),
        &[exports("fn catalogue_rs_counter_live() -> c_int {\n    LIVE.load(Relaxed)", "fn catalogue_rs_counter_live() -> i64 {\n    LIVE.load(Relaxed).into()")]),
    broken("return type lost", "by C's definition", By(C),
        &[c("int catalogue_c_fail(int err)\n{\n\tif (has_to_fail())\n\t\treturn -EIO;\n\treturn err;\n", "void catalogue_c_fail(int err)\n{\n")]),
    broken("return type lost", "by Rust's definition", By(RUST),
        &[exports("fn catalogue_rs_fail(err: c_int) -> c_int {\n    from_result(|| to_result(err).map(|()| 0))\n",
                "fn catalogue_rs_fail(err: c_int) {\n    let _: c_int = from_result(|| to_result(err).map(|()| 0));\n")]),
    broken("return type lost", "in the contract", By(RUST),
        &[header("int catalogue_rs_counter_live(void);", "void catalogue_rs_counter_live(void);")]),
    broken("errno", "its sign forgotten, in C",
        Not("a positive errno is an int like any other; the catalogue's checks fail"),
        &[c("\tif (!to || !from)\n\t\treturn -EINVAL;", "\tif (!to || !from)\n\t\treturn EINVAL;")]),

    // Structs, for one C object only.
    broken("struct", "fields reordered by a -D", By(C), &[TWO_POINTS, for_c_only!("REORDERED")]),
    broken("struct", "a field resized by a -D", By(C), &[TWO_POINTS, for_c_only!("RESIZED")]),
    broken("struct", "a field removed by a -D", By(C), &[TWO_POINTS, for_c_only!("REMOVED")]),
    broken("struct", "a field's sign flipped by a -D", By(C), &[TWO_POINTS, for_c_only!("SIGN")]),
    broken("struct", "a field aligned by a -D", By(C), &[TWO_POINTS, for_c_only!("ALIGNED")]),
    broken("struct", "a field resized by a #define in the .c", By(C),
        &[TWO_POINTS, c("#include \"catalogue.h\"", "#define RESIZED\n#include \"catalogue.h\"")]),
    broken("struct", "a field resized by a -D, for Rust only", By(C),
        &[TWO_POINTS, kbuild("CFLAGS_catalogue_h.o := -DRESIZED\ninclude $(src)/border/border.mk")]),
    broken("struct", "packed by an attribute before the tag, by a -D", By(C),
        &[header("struct catalogue_point {", "#ifdef PACKED\nstruct __packed catalogue_point {\n#else\nstruct catalogue_point {\n#endif"),
          for_c_only!("PACKED")]),
    broken("struct", "of a header beside the contract, resized by a -D", By(C),
        &[header("struct catalogue_point {\n\ts8 layer;\n\ts32 x;\n};", "#include \"point.h\""),
          Edit { file: "point.h", from: "", to: "struct catalogue_point {\n\ts8 layer;\n#ifdef RESIZED\n\ts64 x;\n#else\n\ts32 x;\n#endif\n};\n" },
          for_c_only!("RESIZED")]),
    broken("struct", "packed by a pragma in the .c", By(C),
        &[c("#include \"catalogue.h\"", "#pragma pack(1)\n#include \"catalogue.h\"\n#pragma pack()")]),
    broken("struct", "an array grown by a -D", By(C),
        &[header("\tstruct catalogue_point ends[2];", "#ifdef GROWN\n\tstruct catalogue_point ends[3];\n#else\n\tstruct catalogue_point ends[2];\n#endif"),
          for_c_only!("GROWN")]),
    broken("struct", "a union's member resized by a -D, its size kept", By(C),
        &[header("\tu16 sides[2];", "#ifdef GROWN\n\tu16 sides[4];\n#else\n\tu16 sides[2];\n#endif"), for_c_only!("GROWN")]),
    broken("struct", "written again by hand, in Rust", By(RUST),
        &[exports("use crate::imports;\n", "use crate::imports;\n\n#[allow(non_camel_case_types, missing_docs)]\n#[repr(C)]\n#[derive(Clone, Copy)]\npub struct catalogue_point {\n    x: i32,\n    layer: i8,\n}\n")]),
    broken("constant", "of another value by a -D", By(C),
        &[header("#define CATALOGUE_HALF_SIZE\t3", "#ifdef OTHER\n#define CATALOGUE_HALF_SIZE\t4\n#else\n#define CATALOGUE_HALF_SIZE\t3\n#endif"),
          for_c_only!("OTHER")]),
    broken("constant", "of another sign by a -D", By(C),
        &[header("#define CATALOGUE_POWERS\t4", "#define CATALOGUE_POWERS\t4\n#ifdef OTHER\n#define CATALOGUE_ALL\t(-1)\n#else\n#define CATALOGUE_ALL\t(~0U)\n#endif"),
          for_c_only!("OTHER")]),
    broken("sign flipped", "of char, for one C object only", By(C),
        &[kbuild("CFLAGS_catalogue_test.o := -fsigned-char\ninclude $(src)/border/border.mk")]),
    broken("constant", "of an enum, of another value by a -D", By(C),
        &[header("\tCATALOGUE_CIRCLE,\n\tCATALOGUE_BOX,", "#ifdef OTHER\n\tCATALOGUE_BOX,\n\tCATALOGUE_CIRCLE,\n#else\n\tCATALOGUE_CIRCLE,\n\tCATALOGUE_BOX,\n#endif"),
          for_c_only!("OTHER")]),

    // Names and symbols.
    broken("#[no_mangle] missing", "in Rust", By(OBJECTS),
        &[exports("#[no_mangle]\npub(crate) unsafe extern \"C\" fn catalogue_rs_rest()", "pub(crate) unsafe extern \"C\" fn catalogue_rs_rest()")]),
    broken("extern \"C\" missing", "in Rust", By(RUST),
        &[exports("pub(crate) unsafe extern \"C\" fn catalogue_rs_rest()", "pub(crate) unsafe fn catalogue_rs_rest()")]),
    broken("wrong name", "in Rust's definition", By(RUST),
        &[exports("fn catalogue_rs_rest()", "fn catalogue_rs_rests()")]),
    broken("wrong name", "in C's definition", By(C),
        &[c("int catalogue_c_rest(void)", "int catalogue_c_rests(void)")]),
    broken("wrong name", "in the contract", By(C),
        &[header("int catalogue_c_rest(void);", "int catalogue_c_rests(void);")]),
    broken("never checked", "missing in keeps_contract!", By(OBJECTS),
        &[exports("    catalogue_rs_pid,\n", "")]),
    broken("hand-written extern", "of what the contract declares otherwise", By(RUST),
        &[imports("/// A truth value.\n", "mod mine {\n    extern \"C\" {\n        pub(super) fn catalogue_c_fail(err: i64) -> i64;\n    }\n}\n\n/// A truth value.\n"),
          imports("to_result(unsafe { catalogue_c_fail(err) })", "to_result(unsafe { mine::catalogue_c_fail(err.into()) } as c_int)")]),
    broken("hand-written extern", "of what no contract declares", By(RUST),
        &[imports("/// A truth value.\n", "extern \"C\" {\n    fn catalogue_c_hidden() -> c_int;\n}\n\n/// A truth value.\n"),
          imports("to_result(unsafe { catalogue_c_fail(err) })", "to_result(unsafe { catalogue_c_fail(err) + catalogue_c_hidden() })"),
          c("u8 catalogue_c_next_u8", "int catalogue_c_hidden(void);\nint catalogue_c_hidden(void)\n{\n\treturn 0;\n}\n\nu8 catalogue_c_next_u8")]),
    broken("hand-written extern", "out of a macro", By(RUST),
        &[imports("/// A truth value.\n", "mod mine {\n    macro_rules! by_hand {\n        ($name:ident) => {\n            extern \"C\" {\n                pub(super) fn $name(err: i64) -> i64;\n            }\n        };\n    }\n    by_hand!(catalogue_c_fail);\n}\n\n/// A truth value.\n"),
          imports("to_result(unsafe { catalogue_c_fail(err) })", "to_result(unsafe { mine::catalogue_c_fail(err.into()) } as c_int)")]),
    broken("hand-written extern", "in a file that is named like the bindings", By(RUST),
        &[imports("/// A truth value.\n", "#[path = \"mine_h.rs\"]\nmod mine_h;\n\n/// A truth value.\n"),
          Edit { file: "mine_h.rs", from: "", to: "extern \"C\" {\n    pub(super) fn catalogue_c_fail(err: i64) -> i64;\n}\n" },
          imports("to_result(unsafe { catalogue_c_fail(err) })", "to_result(unsafe { mine_h::catalogue_c_fail(err.into()) } as c_int)")]),
    broken("private prototype", "in a .c that includes the layout of another folder", By(C),
        &[kbuild("catalogue-y += more.o\ninclude $(src)/border/border.mk"),
          Edit { file: "mine/catalogue_layout.h", from: "", to: "/* Confirms nothing. */\n" },
          Edit { file: "mine/catalogue.h", from: "", to: "long catalogue_rs_fail(long err);\n#include \"catalogue_layout.h\"\n" },
          Edit { file: "more.c", from: "", to: "#include \"mine/catalogue.h\"\nlong more(void);\nlong more(void)\n{\n\treturn catalogue_rs_fail(-1L);\n}\n" }]),
    broken("private prototype", "in a .c, of what the contract declares otherwise", By(C),
        &[test("#include \"catalogue.h\"", "#include \"catalogue.h\"\nlong catalogue_rs_fail(long err);")]),
    broken("private prototype", "in a .c that does not include the contract", By(C),
        &[kbuild("catalogue-y += more.o\ninclude $(src)/border/border.mk"),
          Edit { file: "more.c", from: "", to: "long catalogue_rs_fail(long err);\nlong more(void);\nlong more(void)\n{\n\treturn catalogue_rs_fail(-1L);\n}\n" }]),
    broken("private prototype", "in a .c, of a function of Rust that no contract declares", By(RUST),
        &[exports("keeps_contract!(\n    catalogue_h: catalogue_rs_not,", "/// Hidden.\n#[no_mangle]\npub extern \"C\" fn catalogue_rs_hidden() -> u64 {\n    0\n}\n\nkeeps_contract!(\n    catalogue_h: catalogue_rs_not,"),
          c("u8 catalogue_c_next_u8", "int catalogue_rs_hidden(void);\nint catalogue_c_hidden(void);\nint catalogue_c_hidden(void)\n{\n\treturn catalogue_rs_hidden();\n}\n\nu8 catalogue_c_next_u8")]),
    broken("private prototype", "of a function of Rust whose name a macro makes", By(OBJECTS),
        &[exports("export_next! {\n", "export_next! {\n    catalogue_rs_next_hidden: u8,\n"),
          exports("        keeps_contract!(catalogue_h: $($function),*);\n", ""),
          c("u8 catalogue_c_next_u8", "u8 catalogue_rs_next_hidden(u32 number);\nint catalogue_c_hidden(void);\nint catalogue_c_hidden(void)\n{\n\treturn catalogue_rs_next_hidden(1);\n}\n\nu8 catalogue_c_next_u8")]),
    same("symbol", "static in C", By(C),
        &[c("int catalogue_c_rest(void)", "static int catalogue_c_rest(void)")]),
    same("symbol", "weak in C", By(OBJECTS),
        &[c("int catalogue_c_rest(void)", "int __weak catalogue_c_rest(void)")]),
    broken("symbol", "an alias of a function of another type", By(OBJECTS),
        &[c("int catalogue_c_rest(void)\n{", "int catalogue_c_rest(void) __alias(catalogue_c_other);\nint catalogue_c_other(const int *number);\nint catalogue_c_other(const int *number)\n{\n\treturn *number;\n}\n\nstatic int __used catalogue_c_old(void)\n{")]),
    broken("symbol", "declared, defined nowhere", By(OBJECTS),
        &[header("int catalogue_c_rest(void);", "int catalogue_c_rest(void);\nvoid catalogue_c_gone(void);"),
          imports("to_result(unsafe { catalogue_c_rest() })", "unsafe { catalogue_c_gone() };\n    to_result(unsafe { catalogue_c_rest() })")]),
    broken("symbol", "declared here, taken from the kernel", By(OBJECTS),
        &[header("int catalogue_c_rest(void);", "int catalogue_c_rest(void);\nint hex_to_bin(unsigned char ch);"),
          imports("to_result(unsafe { catalogue_c_rest() })", "unsafe { hex_to_bin(0) };\n    to_result(unsafe { catalogue_c_rest() })")]),
    broken("symbol", "shadowed by a static function of another object", By(OBJECTS),
        &[kbuild("catalogue-y += more.o\ninclude $(src)/border/border.mk"),
          Edit { file: "more.c", from: "", to: "static noinline int catalogue_rs_fail(int err)\n{\n\tasm volatile(\"\" : \"+r\" (err));\n\treturn err;\n}\n\nint more(void);\nint more(void)\n{\n\treturn catalogue_rs_fail(-1);\n}\n" }]),
    same("symbol", "declared, used by nothing", By(OBJECTS),
        &[header("int catalogue_c_rest(void);", "int catalogue_c_rest(void);\nvoid catalogue_c_idle(void);"),
          c("int catalogue_c_rest(void)", "void catalogue_c_idle(void)\n{\n}\n\nint catalogue_c_rest(void)")]),

    // Data.
    broken("data", "const lost in the contract", By(RUST),
        &[header("extern const u32 CATALOGUE_RS_POWERS[CATALOGUE_POWERS];", "extern u32 CATALOGUE_RS_POWERS[CATALOGUE_POWERS];")]),
    broken("data", "of another size, by C's definition", By(C),
        &[c("const u32 catalogue_c_powers[CATALOGUE_POWERS] = { 1, 3, 9, 27 };", "const u32 catalogue_c_powers[CATALOGUE_POWERS + 1] = { 1, 3, 9, 27 };")]),
    broken("data", "of another size, by Rust's definition", By(RUST),
        &[exports("CATALOGUE_RS_POWERS: [u32; CATALOGUE_POWERS as usize] = [1, 2, 4, 8];", "CATALOGUE_RS_POWERS: [u32; 3] = [1, 2, 4];")]),
    broken("data", "of another type, by Rust's definition", By(RUST),
        &[exports("CATALOGUE_RS_POWERS: [u32; CATALOGUE_POWERS as usize]", "CATALOGUE_RS_POWERS: [u64; CATALOGUE_POWERS as usize]")]),
    broken("data", "of another type, by C's definition", By(C),
        &[c("atomic_t catalogue_c_counter_live = ATOMIC_INIT(0);", "int catalogue_c_counter_live;"),
          c("\tatomic_inc(&catalogue_c_counter_live);\n", ""),
          c("\tatomic_dec(&catalogue_c_counter_live);\n", "")]),

    // What cannot be a contract at all.
    broken("no contract", "it does not parse", By(CONTRACT),
        &[header("int catalogue_c_fail(int err);", "int catalogue_c_fail(int err;")]),
    broken("no contract", "C++: a reference", By(CONTRACT),
        &[header("int catalogue_c_fail(int err);", "int catalogue_c_fail(int &err);")]),
    broken("no contract", "C++: two functions of one name", By(CONTRACT),
        &[header("int catalogue_c_fail(int err);", "int catalogue_c_fail(int err);\nint catalogue_c_fail(long err);")]),
    broken("no contract", "a variadic function", By(CONTRACT),
        &[header("int catalogue_c_fail(int err);", "int catalogue_c_fail(int err, ...);")]),
    broken("no contract", "a static function", By(CONTRACT),
        &[header("int catalogue_c_fail(int err);", "int catalogue_c_fail(int err);\nstatic int catalogue_c_inline(void)\n{\n\treturn 1;\n}")]),
    broken("no contract", "a macro with parameters", By(CONTRACT),
        &[header("#define CATALOGUE_POWERS\t4", "#define CATALOGUE_POWERS\t4\n#define CATALOGUE_TWICE(x)\t((x) * 2)")]),
    broken("no contract", "a macro that is no constant", By(CONTRACT),
        &[header("#define CATALOGUE_POWERS\t4", "#define CATALOGUE_POWERS\t4\n#define CATALOGUE_ME\tcurrent")]),
    broken("no contract", "bit-fields", By(CONTRACT),
        &[header("\ts8 layer;\n", "\ts8 layer;\n\tu8 hidden:1;\n")]),
    broken("no contract", "a struct that Rust has no words for", By(CONTRACT),
        &[header("struct catalogue_point {\n\ts8 layer;\n\ts32 x;\n};", "struct catalogue_point {\n\ts8 layer;\n\ts32 x __aligned(16);\n} __packed;")]),
    broken("no contract", "a function with the name of a keyword of Rust", By(CONTRACT),
        &[header("int catalogue_c_fail(int err);", "int catalogue_c_fail(int err);\nint match(int err);")]),
    broken("no contract", "a field with the name of a keyword of Rust", By(CONTRACT),
        &[header("\ts8 layer;\n", "\ts8 type;\n")]),
    broken("no contract", "without the line by which C confirms the layout", By(CONTRACT),
        &[header("#include \"catalogue_layout.h\"\n", "")]),
];
