/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WORDS_H
#define WORDS_H

#define DEMO_API	static inline

#endif /* WORDS_H */
