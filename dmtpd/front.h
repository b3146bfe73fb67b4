/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTPD_FRONT_H
#define DIME_DMTPD_FRONT_H

#include "dmtpd/dmtpd.h"

/*
 * The dual-protocol front: SMTP clients are passed on to Postfix, and those who
 * ask for it become DMTP peers (doc/dmtp.md, section 7).
 */

/* One `ADDRESS@PORT=POSTFIX@PORT` of the setting dual_protocol. */
struct front_route {
	struct dmtpd *dmtpd;
	char address[64]; /* where clients come */
	unsigned int port;
	struct sockaddr_storage postfix;
	socklen_t postfix_length;
};

/* Reads all of them into dmtpd->routes, for free(). ERR_CONFIG names what is
 * wrong, a route that leads back to itself too. */
int front_routes_read(struct dmtpd *dmtpd, struct fault *fault);

/* One of them. */
int front_route_read(const char *text, struct front_route *out,
    struct fault *fault);

/* A client's connection; context is the struct front_route. */
void front_serve(struct stream *stream, void *context);

/* Tells a client who is over a limit, if it is one of the front's, so that he
 * comes again; context is the struct dmtpd. Does not block. */
void front_refuse(struct stream *stream, void *context);

#endif
