/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "dmtpd/dmtpd.h"

enum {
	SECOND = 1000,
	GLANCE = 2 * SECOND, /* how often a waiting thread looks up */
};

struct live_settings
dmtpd_live(struct dmtpd *dmtpd)
{
	struct live_settings live;

	pthread_mutex_lock(&dmtpd->live_lock);
	live = dmtpd->live;
	pthread_mutex_unlock(&dmtpd->live_lock);
	return live;
}

struct source_prefixes
dmtpd_prefixes(const struct config *config)
{
	return (struct source_prefixes){
	    (unsigned int)config->source_prefix_ipv4,
	    (unsigned int)config->source_prefix_ipv6};
}

void
dmtpd_set_live(struct dmtpd *dmtpd, const struct config *config)
{
	struct live_settings live = {
	    .message_size_limit = config->message_size_limit,
	    .data_memory_limit = config->data_memory_limit,
	    .fetch_timeout = config->fetch_timeout * SECOND,
	    .idle_timeout = config->idle_timeout * SECOND,
	    .prefixes = dmtpd_prefixes(config),
	    .source_signet_limit = config->source_signet_limit,
	    .source_mail_limit = config->source_mail_limit,
	    .origin_message_limit = config->origin_message_limit,
	    .signet_grace = config->signet_grace,
	    .smtp_fallback = config->smtp_fallback,
	    .smtp_fallback_after = config->smtp_fallback_after,
	    .destination_session_limit = config->destination_session_limit,
	};
	const char *forward = config->forward_domain;

	if (*forward == '\0' && config->domains.count > 0)
		forward = config->domains.items[0];
	snprintf(live.forward_domain, sizeof(live.forward_domain), "%s",
	    forward);
	snprintf(live.bind_address, sizeof(live.bind_address), "%s",
	    config->bind_address);
	pthread_mutex_lock(&dmtpd->live_lock);
	dmtpd->live = live;
	pthread_mutex_unlock(&dmtpd->live_lock);
}

int
dmtpd_read(struct dmtpd *dmtpd, struct stream *stream,
    struct deadline deadline, struct span *input, uint8_t *octets, size_t size)
{
	int err = ERR_TIMEOUT;

	*input = span_of(octets, 0);
	while (err == ERR_TIMEOUT && deadline_left(deadline) > 0 &&
	    !server_stopping(dmtpd->server))
		err = stream_read(stream, octets, size, &input->length,
		    deadline_earlier(deadline, deadline_in(GLANCE)));
	return err;
}
