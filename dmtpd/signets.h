/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTPD_SIGNETS_H
#define DIME_DMTPD_SIGNETS_H

#include "dmtp/server.h"
#include "dmtpd/dmtpd.h"

/* SGNT, VRFY and HIST: answer the engine's event from our own signets. */
void signets_answer_sgnt(struct dmtpd *dmtpd, struct dmtp_server *server);
void signets_answer_vrfy(struct dmtpd *dmtpd, struct dmtp_server *server);
void signets_answer_hist(struct dmtpd *dmtpd, struct dmtp_server *server);

#endif
