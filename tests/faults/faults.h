/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What fault.ko, written in C, asks of Rust.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <linux/types.h>

/* One of four primes; Rust panics where there is none. */
u32 faults_rs_prime(size_t index);

#ifndef __BINDGEN__
#include "faults_layout.h"
#endif

#endif /* FAULTS_H */
