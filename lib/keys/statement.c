/* SPDX-License-Identifier: BSD-2-Clause */
#include "keys/statement.h"

static void
check(struct statement *statement, int code)
{
	if (code != SQLITE_OK && statement->err == 0)
		statement->err = database_error(statement->handle, code,
		    statement->fault);
}

static void
prepare(struct statement *statement, size_t number)
{
	statement->prepared = database_prepare(statement->handle, number);
	if (statement->prepared == NULL)
		check(statement, sqlite3_errcode(statement->handle->sqlite));
}

void
statement_start(struct statement *statement, struct database *database,
    size_t number, struct fault *fault)
{
	*statement = (struct statement){.fault = fault};
	statement->err = database_take(database, &statement->handle, fault);
	if (statement->err == 0)
		prepare(statement, number);
}

void
statement_start_beside(struct statement *statement,
    const struct statement *other, size_t number)
{
	*statement = (struct statement){.handle = other->handle,
	    .fault = other->fault, .borrowed = true};
	prepare(statement, number);
}

void
statement_text(struct statement *statement, const char *text)
{
	statement->bound++;
	if (statement->err == 0)
		check(statement, sqlite3_bind_text(statement->prepared,
		    statement->bound, text, -1, SQLITE_STATIC));
}

void
statement_number(struct statement *statement, int64_t number)
{
	statement->bound++;
	if (statement->err == 0)
		check(statement, sqlite3_bind_int64(statement->prepared,
		    statement->bound, number));
}

void
statement_blob(struct statement *statement, struct span blob)
{
	statement->bound++;
	/* A NULL pointer would bind NULL, which an empty blob is not. */
	if (statement->err == 0)
		check(statement, sqlite3_bind_blob64(statement->prepared,
		    statement->bound,
		    blob.length == 0 ? (const void *)"" : blob.data,
		    blob.length, SQLITE_STATIC));
}

bool
statement_next(struct statement *statement)
{
	int code;

	if (statement->err != 0)
		return false;
	code = sqlite3_step(statement->prepared);
	if (code == SQLITE_ROW)
		return true;
	if (code != SQLITE_DONE)
		check(statement, code);
	return false;
}

int64_t
statement_get_number(struct statement *statement, int column)
{
	return statement->err != 0
	    ? 0
	    : sqlite3_column_int64(statement->prepared, column);
}

struct span
statement_get_blob(struct statement *statement, int column)
{
	const void *data;

	if (statement->err != 0)
		return span_of(NULL, 0);
	data = sqlite3_column_blob(statement->prepared, column);
	return span_of(data,
	    (size_t)sqlite3_column_bytes(statement->prepared, column));
}

void
statement_get_text(struct statement *statement, int column, char *out,
    size_t size)
{
	struct span text = statement_get_blob(statement, column);

	if (!span_copy_string(text, out, size))
		check(statement, SQLITE_CORRUPT);
}

void
statement_get_octets(struct statement *statement, int column, void *out,
    size_t size)
{
	struct span octets = statement_get_blob(statement, column);

	if (octets.length == size)
		memcpy(out, octets.data, size);
	else
		check(statement, SQLITE_CORRUPT);
}

int
statement_end(struct statement *statement)
{
	if (statement->prepared != NULL) {
		sqlite3_reset(statement->prepared);
		sqlite3_clear_bindings(statement->prepared);
		statement->prepared = NULL;
	}
	if (statement->handle != NULL && !statement->borrowed)
		database_give(statement->handle);
	statement->handle = NULL;
	return statement->err;
}

int
statement_run(struct statement *statement)
{
	while (statement_next(statement))
		;
	return statement_end(statement);
}

int
transaction_begin(struct transaction *transaction, struct database *database,
    struct fault *fault)
{
	int code, err;

	transaction->fault = fault;
	err = database_take(database, &transaction->handle, fault);
	if (err != 0)
		return err;
	code = sqlite3_exec(transaction->handle->sqlite, "BEGIN IMMEDIATE",
	    NULL, NULL, NULL);
	if (code == SQLITE_OK)
		return 0;
	err = database_error(transaction->handle, code, fault);
	database_give(transaction->handle);
	transaction->handle = NULL;
	return err;
}

void
transaction_statement(struct transaction *transaction,
    struct statement *statement, size_t number)
{
	*statement = (struct statement){.handle = transaction->handle,
	    .fault = transaction->fault, .borrowed = true};
	prepare(statement, number);
}

int
transaction_end(struct transaction *transaction, int err)
{
	struct database_handle *handle = transaction->handle;
	int code;

	if (handle == NULL)
		return err;
	if (err == 0) {
		code = sqlite3_exec(handle->sqlite, "COMMIT", NULL, NULL, NULL);
		if (code != SQLITE_OK)
			err = database_error(handle, code, transaction->fault);
	}
	/* Some errors have ended it already. */
	if (err != 0 && !sqlite3_get_autocommit(handle->sqlite))
		sqlite3_exec(handle->sqlite, "ROLLBACK", NULL, NULL, NULL);
	database_give(handle);
	transaction->handle = NULL;
	return err;
}
