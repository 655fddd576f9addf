/* SPDX-License-Identifier: GPL-2.0 */
/* Takes the place of c_helper_layout.h, without assertions. */
