/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_NET_DESCRIPTORS_H
#define DIME_NET_DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>

/* The process's limit of descriptors becomes the highest that the administrator
 * allows: the usual one is for programs that call select(2), and connections
 * would leave none for the work they ask for. */
void descriptors_raise(void);

/* Whether the process may have that many. *most gets how many it may have. */
bool descriptors_suffice(size_t count, size_t *most);

#endif
