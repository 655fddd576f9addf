/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The contract of fault.ko.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <linux/types.h>

/* One of four primes; Rust panics if @index is out of bounds. */
u32 faults_rs_prime(size_t index);

#ifndef __BINDGEN__
#include "faults_layout.h"
#endif

#endif /* FAULTS_H */
