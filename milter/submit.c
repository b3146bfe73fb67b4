/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"
#include "base/mark.h"
#include "milter/milter.h"
#include "milter/reply.h"

/*
 * DIME-SUBMIT. The note is the only proof that a user wrote a message, and
 * seal.c asks for it by the queue id. What is not noted leaves as relay@: where
 * nobody logged in or the sender is not ours that is right; where the database
 * fails the client must try again.
 */

sfsistat
submit_message(struct session *session)
{
	struct letter *letter = &session->letter;
	const char *queue_id = session_queue_id(session);
	struct state_note note = {0};
	struct log_line line;
	int err;

	if (letter->login[0] == '\0' || letter->sender[0] == '\0' ||
	    !site_serves(session->site, address_domain(letter->sender)))
		return SMFIS_ACCEPT;
	memcpy(note.login, letter->login, sizeof(note.login));
	memcpy(note.sender, letter->sender, sizeof(note.sender));
	crypto_hash_end(&letter->hash, note.body);
	err = queue_id[0] == '\0' ? ERR_INTERNAL :
	    state_set_note(session->milter->state, queue_id, &note);
	log_begin(&line, err == 0 ? LOG_INFO : LOG_ERR,
	    err == 0 ? "noted" : "deferred");
	log_text(&line, "queue", queue_id);
	if (err != 0)
		log_text(&line, "reason", queue_id[0] == '\0' ?
		    "Postfix sends no queue id (macro i)" :
		    error_row(err)->text);
	log_end(&line);
	MARK("author-noted");
	return err == 0 ? SMFIS_ACCEPT :
	    reply_defer(session, err, "cannot note the author now");
}
