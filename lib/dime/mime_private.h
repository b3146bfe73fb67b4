/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIME_MIME_PRIVATE_H
#define DIME_DIME_MIME_PRIVATE_H

#include "dime/mime.h"

/* What mime.c and mime_entity.c share. Nothing else includes this. */

enum { MIME_BOUNDARY = 70 }; /* RFC 2046, 5.1.1 */

/* What the header of a message or part says. */
struct mime_entity {
	bool shown;       /* text, or an inline part */
	bool attached;    /* by its disposition */
	bool alternative; /* this and the next two: what multipart it is */
	bool related;
	bool digest;
	size_t boundary_length; /* 0 for what is no multipart */
	uint8_t boundary[MIME_BOUNDARY];
};

/* Without trailing spaces and tabs. */
struct span mime_trim_end(struct span text);

/* Reads the header of a message or part. The first field of a name counts. */
void mime_entity_read(struct span header, bool shown_without_type,
    struct mime_entity *entity);

#endif
