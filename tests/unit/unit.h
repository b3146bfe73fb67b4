/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_UNIT_H
#define DIME_TESTS_UNIT_UNIT_H

/* What every unit test needs; cmocka wants its includes in this order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Names the row of a table that is being tested; shown when a check fails. */
void unit_case(const char *name);

/* Makes a directory from a template ending in XXXXXX that is removed, with all
 * in it, when the group ends. */
void unit_directory(char *template_path);

/* Adds the order of the group to S of an Ed25519 signature: the same signature
 * to whoever does not check that S is below it (RFC 8032, 5.1.7). */
void unit_malleate(uint8_t signature[static 64]);

/* A TCP port of 127.0.0.1 that nobody has. */
unsigned int unit_port(void);
/* Listens on such a port; the caller closes. */
int unit_listen(unsigned int *port);

/* Group fixtures: start the crypto library; remove directories. */
int unit_start(void **state);
int unit_end(void **state);

/* For the end of a group fixture: exits with a failure unless `status`, of
 * waitpid(), is that of a program that ended in good order. cmocka does not
 * count what the fixture returns. */
void unit_expect_end(const char *program, int status);

#endif
