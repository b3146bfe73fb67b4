/* SPDX-License-Identifier: BSD-2-Clause */
#include "dimectl/parties.h"

static int
read_user(const char *path, const char *org_option,
    const struct org_signet *org, struct user_signet **out,
    struct fault *fault)
{
	if (path == NULL)
		return 0;
	if (org == NULL)
		return fault_set(fault, ERR_USAGE,
		    "%s: needs %s, the signet of its organization", path,
		    org_option);
	return files_read_user(path, org, out, fault);
}

int
parties_read(const struct parties_paths *paths, struct parties *out,
    struct fault *fault)
{
	int err = 0;

	*out = (struct parties){.author = NULL};
	if (paths->origin != NULL)
		err = files_read_org(paths->origin, NULL, 0, &out->origin,
		    fault);
	if (err == 0 && paths->destination != NULL)
		err = files_read_org(paths->destination, NULL, 0,
		    &out->destination, fault);
	if (err == 0)
		err = read_user(paths->author, "--origin", out->origin,
		    &out->author, fault);
	if (err == 0)
		err = read_user(paths->recipient, "--destination",
		    out->destination, &out->recipient, fault);
	return err;
}

struct message_parties
parties_view(const struct parties *parties)
{
	return (struct message_parties){
	    .author = parties->author,
	    .origin = parties->origin,
	    .destination = parties->destination,
	    .recipient = parties->recipient,
	};
}

void
parties_free(struct parties *parties)
{
	user_signet_free(parties->author);
	user_signet_free(parties->recipient);
	org_signet_free(parties->origin);
	org_signet_free(parties->destination);
}

int
parties_role(const char *word, enum message_actor *role, struct fault *fault)
{
	for (int i = 0; i < MESSAGE_ACTORS; i++)
		if (strcmp(message_actor_name((enum message_actor)i), word) ==
		    0) {
			*role = (enum message_actor)i;
			return 0;
		}
	return fault_set(fault, ERR_USAGE,
	    "--as %s: not author, origin, destination or recipient", word);
}

static const uint8_t *
encryption_key(const struct parties *parties, enum message_actor role)
{
	switch (role) {
	case MESSAGE_AUTHOR:
		return parties->author->encryption;
	case MESSAGE_ORIGIN:
		return parties->origin->encryption;
	case MESSAGE_DESTINATION:
		return parties->destination->encryption;
	default:
		return parties->recipient->encryption;
	}
}

int
parties_unlock(struct message *message, enum message_actor role,
    const char *path, const struct parties *parties, struct fault *fault)
{
	bool organization = role == MESSAGE_ORIGIN ||
	    role == MESSAGE_DESTINATION;
	uint8_t point[CRYPTO_POINT];
	struct keyfile *keys;
	int err;

	if ((err = files_read_keys(path, organization ? KEYFILE_ORG
	                                              : KEYFILE_USER,
	    &keys, fault)) != 0)
		return err;
	if (parties != NULL && (crypto_point_public(keys->scalar, point) != 0 ||
	    memcmp(point, encryption_key(parties, role), sizeof(point)) != 0))
		err = fault_set(fault, ERR_NO_ACCESS,
		    "%s: is not the key of the %s's signet", path,
		    message_actor_name(role));
	else
		err = message_unlock(message, role,
		    agreer_of_scalar(keys->scalar), fault);
	keyfile_free(keys);
	return err;
}
