/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_MILTER_SITE_H
#define DIME_TESTS_UNIT_MILTER_SITE_H

#include "tests/unit/unit.h"

#include <sys/types.h>

#include "dime/message.h"
#include "keys/keys.h"
#include "tests/unit/fake_mta.h"
#include "tests/unit/fake_policyd.h"

/*
 * The real dime-milter between a mail server and a policyd that are played. It
 * serves alpha.test and beta.test, so that what it sealed it can open.
 */
struct milter_site {
	char directory[64];
	char config[128];
	char socket[128];
	struct keys *keys;
	struct fake_policyd policyd;
	pid_t pid;
};
extern struct milter_site site;

/* The connection of the moment. */
extern struct mta mta;

/* Group fixtures: take the milter up, and down in good order. */
int site_start(void **state);
int site_end(void **state);

/* The setup of a test: policyd says dark. */
int site_answer_dark(void **state);

/* A path in the site's directory; good until four more are asked for. */
const char *site_path(const char *name);

/* The milter's configuration, with `more` at its end. */
void site_configure(const char *more);

/* Puts it into force. */
void site_reload(const char *more);

/* Makes the keys of alpha.test with alice and of beta.test with bob; `name` is
 * the beginning of the files' names. */
struct keys *site_make_keys(const char *name);

/* How often the milter's log has the text. */
int count_logged(const char *text);

/* Whether it has the text (so often) within five seconds. */
bool logged(const char *text);
bool logged_times(const char *text, int times);

/* ---- messages ---- */

#define RECEIVED(id) "Received: from [192.0.2.9] (pc.test [192.0.2.9])\r\n" \
	"\tby mx.alpha.test (Postfix) with ESMTPSA id " id "\r\n" \
	"\tfor <bob@beta.test>; Thu,  6 Jul 2023 12:00:00 +0200 (CEST)\r\n"
#define HEADER "DKIM-Signature: v=1;\r\n\tb=aa\r\n\tbb \r\n" \
	"X-N:value\r\nX-T:\tvalue\r\nX-N: again\r\nX-Fold:\r\n a\r\n \r\n" \
	"From: Alice <alice@alpha.test>\r\nTo: bob@beta.test\r\n" \
	"Subject: a secret plan\r\nX-8: \xe4\xf6 \x01\r\n" \
	"Delivered-To: bob@beta.test\r\n" \
	"Authentication-Results: mx.beta.test; dime=pass (forged)\r\n" \
	"Authentication-Results: other.test; spf=pass\r\n"
#define BODY "the plan\r\n\r\n.dot\r\n\xff\xfe binary \r\nno end"

/* The field of pass 1, as it is sealed. */
#define REWRITTEN \
	"Received: by alpha.test; Thu,  6 Jul 2023 12:00:00 +0200 (CEST)\r\n"

/* From alice to bob. */
struct mta_mail letter(const char *queue_id, const char *text);

/* One connection for one mail, to be closed. */
char send_mail(const char *daemon_name, const struct mta_mail *mail);

/* Likewise with what must come of it, and closes. */
void expect(const char *daemon_name, const struct mta_mail *mail, char verdict,
    const char *reply);

/* Has alice submit a message with this body. */
void note(const char *queue_id, const char *sender, const char *body);

/* Seals and leaves the body, the armor, in `armor`; checks the transit form. */
void seal(const struct mta_mail *mail, struct buffer *armor);

/* Reads it as its recipient, with the keys of that store; free it. */
struct message *read_as(struct keys *keys, const char *recipient,
    const struct buffer *armor);

/* Who signed, as bob reads it. */
void assert_author(const struct buffer *armor, const char *author);

/* A message on its way to DIME-IN, as dmtpd gives it. */
struct mta_mail arriving(struct buffer *text, struct span armor);

#endif
