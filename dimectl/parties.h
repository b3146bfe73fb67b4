/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIMECTL_PARTIES_H
#define DIME_DIMECTL_PARTIES_H

#include "dime/message.h"
#include "dimectl/files.h"

/* The four parties of a message as verbs are given them: files of signets. */
struct parties_paths {
	const char *author, *origin, *destination, *recipient;
};

struct parties {
	struct user_signet *author, *recipient;
	struct org_signet *origin, *destination;
};

/*
 * Reads the signets whose path is not NULL, users under their organizations;
 * ERR_USAGE where a user's organization is missing. *out is to be freed in any
 * case.
 */
int parties_read(const struct parties_paths *paths, struct parties *out,
    struct fault *fault);

/* The same as message.h wants them. */
struct message_parties parties_view(const struct parties *parties);

void parties_free(struct parties *parties);

/* The value of --as. ERR_USAGE. */
int parties_role(const char *word, enum message_actor *role,
    struct fault *fault);

/* Unlocks the message for `role` with the key file at `path`, which must be
 * that of the role's signet in `parties`; NULL: not compared. ERR_NO_ACCESS. */
int parties_unlock(struct message *message, enum message_actor role,
    const char *path, const struct parties *parties, struct fault *fault);

#endif
