/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIME_LAYOUT_H
#define DIME_DIME_LAYOUT_H

/*
 * The two ways in which signets, key files and messages are written: the
 * specification's with our readings, and that of the earlier implementation
 * (doc/signets.md and doc/dmime.md describe both).
 */
enum layout {
	LAYOUT_STANDARD,
	LAYOUT_LIBDIME,
	LAYOUTS
};

/* "standard", "libdime". */
const char *layout_name(enum layout layout);

#endif
