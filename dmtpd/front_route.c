/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "dmtpd/front.h"

static int
refuse(const char *text, const char *why, struct fault *fault)
{
	return fault_set(fault, ERR_CONFIG, "dual_protocol: %s: %s", text, why);
}

/* ADDRESS@PORT */
static bool
read_end(struct span text, char address[static 64], unsigned int *port,
    struct sockaddr_storage *out, socklen_t *length)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
	const uint8_t *at =
	    text.length == 0 ? NULL : memchr(text.data, '@', text.length);
	size_t before = at == NULL ? 0 : (size_t)(at - text.data);
	uint64_t number;

	if (at == NULL ||
	    !span_copy_string(span_slice(text, 0, before), address, 64) ||
	    !span_number(span_slice(text, before + 1, text.length), 65535,
	        &number) ||
	    number == 0)
		return false;
	*port = (unsigned int)number;
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)number);
		*length = sizeof(*v4);
	} else if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)number);
		*length = sizeof(*v6);
	} else {
		return false;
	}
	return true;
}

/* Every client would become another one of ours, without end. */
static bool
leads_back(const char *address, unsigned int port, const char *postfix,
    unsigned int postfix_port)
{
	return port == postfix_port &&
	    (strcmp(address, postfix) == 0 || strcmp(address, "0.0.0.0") == 0 ||
	        strcmp(address, "::") == 0);
}

int
front_route_read(const char *text, struct front_route *out,
    struct fault *fault)
{
	const char *equals = strchr(text, '=');
	struct sockaddr_storage unused;
	unsigned int postfix_port;
	socklen_t unused_length;
	char postfix[64];

	if (equals == NULL ||
	    !read_end(span_of(text, (size_t)(equals - text)), out->address,
	        &out->port, &unused, &unused_length) ||
	    !read_end(span_string(equals + 1), postfix, &postfix_port,
	        &out->postfix, &out->postfix_length))
		return refuse(text, "not ADDRESS@PORT=POSTFIX@PORT", fault);
	if (leads_back(out->address, out->port, postfix, postfix_port))
		return refuse(text, "leads back to dmtpd itself", fault);
	return 0;
}

int
front_routes_read(struct dmtpd *dmtpd, struct fault *fault)
{
	const struct config_list *list = &dmtpd->config->dual_protocol;
	int err = 0;

	if (list->count == 0)
		return 0;
	dmtpd->routes = calloc(list->count, sizeof(*dmtpd->routes));
	if (dmtpd->routes == NULL)
		return fault_set(fault, ERR_MEMORY, "%s", "");
	for (size_t i = 0; i < list->count && err == 0; i++) {
		dmtpd->routes[i].dmtpd = dmtpd;
		err = front_route_read(list->items[i], &dmtpd->routes[i],
		    fault);
	}
	dmtpd->route_count = list->count;
	return err;
}
