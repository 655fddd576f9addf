/* SPDX-License-Identifier: GPL-2.0 */
/* Stands for c_helper_layout.h, by which C confirms the layouts: here, nobody asks. */
