/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_MILTER_REPLACE_H
#define DIME_MILTER_REPLACE_H

#include "milter/milter.h"
#include "milter/plan.h"

/*
 * Puts another message in the place of the current one, in the one order that
 * Postfix keeps exactly: delete fields from the last to the first, append the
 * new ones in order, replace the body. After ERR_SYSTEM the message must be
 * refused, since it may be half replaced.
 */

/* Deletes the fields of the letter that are chosen. ERR_SYSTEM, ERR_MEMORY. */
typedef bool replace_choice(const struct site *site,
    const struct header_field *field);
int replace_drop_fields(struct session *session, replace_choice *choice,
    struct fault *fault);

/* Deletes all of them. */
int replace_drop_header(struct session *session, struct fault *fault);

/* Appends a field; `value` has its leading blank. (To insert one at an index,
 * Postfix reads the header anew each time.) */
int replace_append(struct session *session, const char *name,
    const char *value, struct fault *fault);

/* The body, as it is; lines should end with CRLF. */
int replace_body(struct session *session, struct span body,
    struct fault *fault);

/* Text with LF line ends becomes the body with CRLF. */
int replace_body_lines(struct session *session, struct span text,
    struct fault *fault);

/* The envelope sender, "" for <>; a bounce of the message then carries its
 * header only. */
int replace_sender(struct session *session, const char *sender,
    struct fault *fault);

/* One recipient in place of another, which is spelled as Postfix has it; both
 * without angle brackets. */
int replace_recipient(struct session *session, const char *given,
    const char *recipient, struct fault *fault);

#endif
