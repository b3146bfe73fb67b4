/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTPD_UNDERWAY_H
#define DIME_DMTPD_UNDERWAY_H

#include <stdbool.h>

/*
 * The messages that are being handed to Postfix at this moment. A peer that
 * lost patience and sends the same message again must neither have it delivered
 * twice nor be told that it was delivered. Any thread.
 */
struct underway;

/* NULL without memory. */
struct underway *underway_new(void);
void underway_free(struct underway *underway);

/* A message on its way; the owner's, on its stack. */
struct underway_item {
	const char *identifier;
	struct underway_item *next;
};

/* Enters the message; false when one with this identifier is there already. */
bool underway_enter(struct underway *underway, struct underway_item *item,
    const char *identifier);
void underway_leave(struct underway *underway, struct underway_item *item);

#endif
