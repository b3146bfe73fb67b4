/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_KEYS_STATEMENT_H
#define DIME_KEYS_STATEMENT_H

#include "base/buffer.h"
#include "keys/database.h"

/*
 * One run of a prepared statement. Values are bound in the order of the
 * question marks; the first thing that fails sticks, so that a user binds and
 * steps and asks for the error once:
 *
 *	statement_start(&statement, database, GET_NAKED, fault);
 *	statement_text(&statement, recipient);
 *	*found = statement_next(&statement);
 *	return statement_end(&statement);
 *
 * With a fault of NULL the error is logged. What is bound must live until the
 * end, and what is read lives until the next step.
 */
struct statement {
	struct database_handle *handle;
	struct fault *fault;
	sqlite3_stmt *prepared;
	bool borrowed; /* the handle is somebody else's */
	int bound;
	int err;
};

/* A handle that several statements share between BEGIN and COMMIT. */
struct transaction {
	struct database_handle *handle;
	struct fault *fault;
};

void statement_start(struct statement *statement, struct database *database,
    size_t number, struct fault *fault);
/* The same on the handle of a statement that is under way: whoever holds one
 * must not wait for another. */
void statement_start_beside(struct statement *statement,
    const struct statement *other, size_t number);

/* NULL binds NULL. */
void statement_text(struct statement *statement, const char *text);
void statement_number(struct statement *statement, int64_t number);
void statement_blob(struct statement *statement, struct span blob);

/* True when there is a (further) row. */
bool statement_next(struct statement *statement);

/* Columns of the row, from 0; once it has failed, 0 and the empty span. */
int64_t statement_get_number(struct statement *statement, int column);
struct span statement_get_blob(struct statement *statement, int column);

/* Copies a text column, or a blob of exactly `size` octets. What does not fit
 * is not of our writing: the statement fails with ERR_DATABASE. */
void statement_get_text(struct statement *statement, int column, char *out,
    size_t size);
void statement_get_octets(struct statement *statement, int column, void *out,
    size_t size);

/* Gives everything back; the first error, or 0. */
int statement_end(struct statement *statement);

/* Steps through to the end of a statement that answers no rows, and ends it. */
int statement_run(struct statement *statement);

/* Starts a transaction that may write. */
int transaction_begin(struct transaction *transaction,
    struct database *database, struct fault *fault);

/* As statement_start() within the transaction, with its fault. */
void transaction_statement(struct transaction *transaction,
    struct statement *statement, size_t number);

/* Commits when `err` is 0, else takes everything back. `err`, or the error of
 * the commit. */
int transaction_end(struct transaction *transaction, int err);

#endif
