/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_MILTER_LETTER_H
#define DIME_MILTER_LETTER_H

#include "crypto/crypto.h"
#include "milter/header.h"

/* Postfix searches the queue file once for every field that is taken away or
 * inserted: time that grows with the square of their number. */
enum { LETTER_FIELDS_MAX = 2000 };

/* One message of a milter connection, as it comes in. */
struct letter {
	/* MAIL FROM without its angle brackets, as given and as DIME writes
	 * it; the latter is "" for <> and for what is no address of DIME's
	 * form. */
	char sender_given[1024];
	char sender[ADDRESS_SIZE];
	/* The first RCPT TO in DIME's form, in lower case and as it is spelled;
	 * both "" when it has none. */
	char recipient[ADDRESS_SIZE];
	char recipient_spelled[ADDRESS_SIZE];
	size_t recipients;
	char login[ADDRESS_SIZE]; /* "" when not logged in */
	size_t fields;
	struct buffer header;     /* lines with CRLF */
	struct buffer body;       /* empty when it is only hashed */
	struct crypto_hash hash;  /* of the body */
	bool keep_body;
	int err; /* ERR_TOO_LARGE or ERR_MEMORY: not all of it is here */
};

/* Starts a message of at most `limit` octets. */
void letter_start(struct letter *letter, size_t limit, bool keep_body);

/* Gives back the memory; the letter is then as after letter_start(). */
void letter_clear(struct letter *letter);

/* The address in an argument of MAIL FROM or RCPT TO, in DIME's form; "" and
 * false when it is none. */
bool letter_read_path(const char *path, char out[static ADDRESS_SIZE]);

/* The domain of such an address, whose local part may be one that DIME has no
 * form for; "" and false when there is none. */
bool letter_read_domain(const char *path, char out[static DOMAIN_SIZE]);

/* `path` is the argument of MAIL FROM or RCPT TO, angle brackets included. */
void letter_set_sender(struct letter *letter, const char *path);
void letter_add_recipient(struct letter *letter, const char *path);

/* `value` as libmilter gives it: leading blank kept, folds with LF. A field
 * behind LETTER_FIELDS_MAX others is not kept. */
void letter_add_field(struct letter *letter, const char *name,
    const char *value);

void letter_add_body(struct letter *letter, struct span piece);

/* Whether the path was <>. */
bool letter_is_bounce(const struct letter *letter);

#endif
