/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIMECTL_FILES_H
#define DIME_DIMECTL_FILES_H

#include "dime/keyfile.h"
#include "dime/signet_chain.h"
#include "dimectl/dimectl.h"

/*
 * The files that verbs are given, armored or binary. Every refusal begins with
 * the path. What is read belongs to the caller.
 */

/* Any signet, well formed and no more. */
int files_read_signet(const char *path, struct signet **out,
    struct fault *fault);

/* Any signet, or what can be read of a broken one: signet_survey(). */
int files_survey_signet(const char *path, struct signet **out,
    struct fault *fault);

/* A signet of one kind. */
int files_read_kind(const char *path, enum signet_magic magic,
    struct signet **out, struct fault *fault);

/* One user signet or several, oldest first. *chain is given to
 * signet_chain_free() in any case. */
int files_read_chain(const char *path, struct signet_chain *chain,
    struct fault *fault);

/* An organizational signet whose signatures hold under one of `poks`, or, with
 * `pok_count` 0, under its own POK: whoever names the file vouches for it. */
int files_read_org(const char *path, const uint8_t (*poks)[CRYPTO_SIGN_PUBLIC],
    size_t pok_count, struct org_signet **out, struct fault *fault);

/* The same for a signet that was read from `path` already; takes it over on
 * success as signet_verify_org() does. */
int files_verify_org(const char *path, struct signet *signet,
    const uint8_t (*poks)[CRYPTO_SIGN_PUBLIC], size_t pok_count,
    struct org_signet **out, struct fault *fault);

/* A user signet whose signatures hold under `org`. */
int files_read_user(const char *path, const struct org_signet *org,
    struct user_signet **out, struct fault *fault);

/* A private key file of one kind; it must not be readable by others. */
int files_read_keys(const char *path, enum keyfile_magic magic,
    struct keyfile **out, struct fault *fault);

/* Whether the signing key of `keys`, read from `path`, is the organization's
 * POK or a SOK that has `permission`. ERR_MISMATCH otherwise. */
int files_check_org_key(const char *path, const struct keyfile *keys,
    const struct org_signet *org, enum signet_permission permission,
    struct fault *fault);

/* Writes a binary signet in its armor. `replace` as for file_write(). */
int files_write_signet(const char *path, const struct buffer *binary,
    bool replace, struct fault *fault);

/* Writes a new key file, mode 0600. Never over an existing one. */
int files_write_keys(const char *path, const struct keyfile *keys,
    struct fault *fault);

#endif
