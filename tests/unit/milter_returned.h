/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_MILTER_RETURNED_H
#define DIME_TESTS_UNIT_MILTER_RETURNED_H

#include "tests/unit/milter_site.h"

/*
 * What dmtpd brings back to DIME-RESEAL: beta.test, as policyd knows it, gets
 * other keys and signets while messages wait. Its new ones are in a store of
 * their own.
 */
extern struct keys *renewed;

/* From whose keys policyd has its signets. */
void policyd_knows(struct keys *keys);

/* A message that was sealed, and what dmtpd says of it. */
struct returned {
	struct buffer armor;
	unsigned int count;
	char author[ADDRESS_SIZE + SIGNET_FINGERPRINT_SIZE + 8];
	const char *sender; /* of the envelope, as its recipient */
	const char *recipient;
};

/* What all of them say. */
#define LETTER HEADER "\r\n" BODY

/* Seals a message under this queue id of pass 1, for beta as it was; frees
 * it. */
struct returned waiting(const char *queue_id, const char *sender,
    const char *author);
void returned_free(struct returned *returned);

/* Has dmtpd name the author, with his keys of that store. */
void name_author(struct returned *returned, struct keys *keys,
    const char *address);

/* As mail, whose text stays in `brought` until the next one. */
struct mta_mail mail_of(const struct returned *returned);
extern struct buffer brought;

/* Has it sealed anew, which must succeed, and appends the new armor. */
void reseal(const struct returned *returned, struct buffer *armor);

/* Has it refused, unchanged. */
void refuses(const struct returned *returned, char verdict,
    const char *reply);

/* Its recipient opens it with the keys that these are: what is inside, by whom,
 * and where bounces go. */
void assert_opens_with(struct keys *keys, const struct buffer *armor,
    enum layout layout, const char *author, const char *sender);
/* With the renewed ones. */
void assert_opens(const struct buffer *armor, enum layout layout,
    const char *author, const char *sender);

/* Group fixtures. */
int reseal_start(void **state);
int reseal_end(void **state);

#endif
