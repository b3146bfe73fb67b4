/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_ODD_POLICYD_H
#define DIME_TESTS_UNIT_ODD_POLICYD_H

/*
 * A policyd on a facts socket, in a thread of the test, that answers as the
 * case wants it and counts who comes. The reason of each answer is the name
 * that was asked for.
 */

/* What becomes of a question. */
enum manner {
	ANSWERED,
	ANSWERED_AND_MORE, /* with an octet behind the answer */
	ANSWERED_AT_LAST,  /* and then the connection ends */
	DROPPED,           /* the connection ends without an octet */
	BROKEN_OFF,        /* it ends within the answer */
	MISUNDERSTOOD,     /* the answer is none */
	UNANSWERED,
	HELD, /* until odd_policyd_release() */
};
enum { ODD_MANNERS = 8 };

/* For odd_policyd_wait_for(). */
struct odd_policyd_counts {
	unsigned int accepted, asked, held, open;
};
extern struct odd_policyd_counts odd_policyd;

/* On the unix socket, which is replaced; with all counts at 0. One at a
 * time. */
void odd_policyd_start(const char *path);
void odd_policyd_stop(void);

/* What becomes of the first questions; of later ones ANSWERED. */
void odd_policyd_set(const enum manner manners[static ODD_MANNERS]);

/* HELD is what becomes of all of them. */
void odd_policyd_hold(void);
/* Once so many are held: they are answered, and what comes as before. */
void odd_policyd_release(unsigned int count);

/* On every connection that there is: octets nobody asked for, or NULL: the
 * end. */
void odd_policyd_tell_all(const char *octets);

/* Waits, with patience, until one of the counts is so. */
void odd_policyd_wait_for(const unsigned int *number, unsigned int value);

/* The counts must be so now. */
void odd_policyd_expect(unsigned int accepted, unsigned int asked);

#endif
