/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_UNIT_IMPOSTOR_H
#define DIME_TESTS_UNIT_UNIT_IMPOSTOR_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Something that is no Redis: whoever connects and says something gets the same
 * answer. `set it up, start it, end it`; the answer may be changed meanwhile.
 */
struct impostor {
	bool trickle;  /* an octet at a time */
	bool hang_up;  /* after the answer */
	_Atomic(const char *) answer;
	bool endless;  /* over and over */
	_Atomic int connections; /* that said something */
	_Atomic bool stop;
	pthread_t thread;
	int listener;
};

/* Listens on a unix socket, which is replaced. */
void impostor_start_unix(struct impostor *impostor, const char *path);

/* Listens on a port of 127.0.0.1, which is returned. */
unsigned int impostor_start_tcp(struct impostor *impostor);

void impostor_end(struct impostor *impostor);

#endif
