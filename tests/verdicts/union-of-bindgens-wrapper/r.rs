#![no_std]
#![allow(warnings)]

use core::marker::PhantomData;

// What bindgen makes of a union with members that cannot be copied.
#[repr(C)]
pub struct __BindgenUnionField<T>(PhantomData<T>);

#[repr(C)]
pub struct __IncompleteArrayField<T>(PhantomData<T>, [T; 0]);

#[repr(C)]
pub struct val {
    pub nothing: __IncompleteArrayField<u64>,
}

#[repr(C)]
pub struct key {
    pub data: __IncompleteArrayField<u64>,
    pub type_: u32,
    pub size: u32,
    pub v: val,
}

#[repr(C)]
pub struct right__bindgen_ty_1 {
    pub k: __BindgenUnionField<key>,
    pub words: __BindgenUnionField<[u32; 2]>,
    pub bindgen_union_field: [u64; 1],
}

#[repr(C)]
pub struct right {
    pub __bindgen_anon_1: right__bindgen_ty_1,
    pub v: u64,
}

#[repr(C)]
pub struct wrong {
    pub __bindgen_anon_1: right__bindgen_ty_1,
    pub v: u64,
}

extern "C" {
    fn c_key(key: *mut key) -> u64;
    fn c_right(right: *mut right) -> u64;
    fn c_wrong(wrong: *mut wrong) -> u64;
}

#[inline(never)]
pub unsafe fn u(k: *mut key, r: *mut right, w: *mut wrong) -> u64 {
    c_key(k) + c_right(r) + c_wrong(w)
}
