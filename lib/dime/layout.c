/* SPDX-License-Identifier: BSD-2-Clause */
#include "dime/layout.h"

const char *
layout_name(enum layout layout)
{
	return layout == LAYOUT_LIBDIME ? "libdime" : "standard";
}
