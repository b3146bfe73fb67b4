/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "dmtpd/underway.h"

struct underway {
	pthread_mutex_t lock;
	struct underway_item *first;
};

struct underway *
underway_new(void)
{
	struct underway *underway = calloc(1, sizeof(*underway));

	if (underway != NULL)
		pthread_mutex_init(&underway->lock, NULL);
	return underway;
}

void
underway_free(struct underway *underway)
{
	if (underway == NULL)
		return;
	pthread_mutex_destroy(&underway->lock);
	free(underway);
}

bool
underway_enter(struct underway *underway, struct underway_item *item,
    const char *identifier)
{
	struct underway_item *other;

	pthread_mutex_lock(&underway->lock);
	other = underway->first;
	while (other != NULL && strcmp(other->identifier, identifier) != 0)
		other = other->next;
	if (other == NULL) {
		*item = (struct underway_item){identifier, underway->first};
		underway->first = item;
	}
	pthread_mutex_unlock(&underway->lock);
	return other == NULL;
}

void
underway_leave(struct underway *underway, struct underway_item *item)
{
	struct underway_item **place;

	pthread_mutex_lock(&underway->lock);
	place = &underway->first;
	while (*place != item)
		place = &(*place)->next;
	*place = item->next;
	pthread_mutex_unlock(&underway->lock);
}
