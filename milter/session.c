/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/log.h"
#include "milter/milter.h"
#include "milter/reply.h"

/* What we do to messages, and must be allowed to. */
enum {
	ACTIONS = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_CHGBODY |
	    SMFIF_CHGFROM | SMFIF_ADDRCPT | SMFIF_DELRCPT,
	QUIET = SMFIP_NR_MAIL | SMFIP_NR_HDR | SMFIP_NR_BODY,
};

static const char *const listener_names[LISTENERS] = {
    [LISTENER_SUBMIT] = "DIME-SUBMIT",
    [LISTENER_OUT] = "DIME-OUT",
    [LISTENER_RESEAL] = "DIME-RESEAL",
    [LISTENER_IN] = "DIME-IN",
    [LISTENER_MX] = "DIME-MX",
};

/* libmilter's callbacks carry no argument of ours. */
static struct milter *the_milter;

static struct session *
session_of(SMFICTX *ctx)
{
	return smfi_getpriv(ctx);
}

static const char *
macro(SMFICTX *ctx, const char *name)
{
	char copy[32] = "";
	const char *value;

	strncpy(copy, name, sizeof(copy) - 1);
	value = smfi_getsymval(ctx, copy);
	return value == NULL ? "" : value;
}

const char *
session_macro(const struct session *session, const char *name)
{
	return macro(session->ctx, name);
}

const char *
session_queue_id(const struct session *session)
{
	return macro(session->ctx, "i");
}

static struct session *
session_new(SMFICTX *ctx)
{
	struct session *session = calloc(1, sizeof(*session));

	if (session == NULL || smfi_setpriv(ctx, session) != MI_SUCCESS) {
		free(session);
		return NULL;
	}
	session->ctx = ctx;
	session->milter = the_milter;
	session->site = site_get(&the_milter->site);
	the_milter->connections++;
	return session;
}

/* Postfix tells the queue id once per field otherwise; it is in DATA's macros,
 * too. */
static bool
spare_macros(SMFICTX *ctx)
{
	static char none[] = "";

	return smfi_setsymlist(ctx, SMFIM_EOH, none) == MI_SUCCESS;
}

/* Nothing we insert would come out exact without the leading blanks. */
static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long offered_actions,
    unsigned long offered_steps, unsigned long unused2, unsigned long unused3,
    unsigned long *actions, unsigned long *steps, unsigned long *out2,
    unsigned long *out3)
{
	struct session *session;

	if ((offered_actions & ACTIONS) != ACTIONS ||
	    (offered_steps & SMFIP_HDR_LEADSPC) == 0) {
		log_note(LOG_ERR, "refused", "the mail server offers milter "
		    "actions 0x%lx and steps 0x%lx; header and body edits, "
		    "sender changes and SMFIP_HDR_LEADSPC are needed",
		    offered_actions, offered_steps);
		return SMFIS_REJECT;
	}
	session = session_new(ctx);
	if (session == NULL || !spare_macros(ctx))
		return SMFIS_REJECT;
	session->quiet = (offered_steps & QUIET) == QUIET;
	*actions = ACTIONS;
	*steps = SMFIP_HDR_LEADSPC | (session->quiet ? QUIET : 0) |
	    (offered_steps & (SMFIP_NOHELO | SMFIP_NOUNKNOWN | SMFIP_NODATA));
	*out2 = *out3 = 0;
	return SMFIS_CONTINUE;
}

/* The macro is the listener's only here; at the end of a message it is that of
 * cleanup(8). */
static sfsistat
on_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *address)
{
	const char *name = macro(ctx, "{daemon_name}");
	struct session *session = session_of(ctx);

	if (session->milter->connections >
	    session->site->config->connection_limit)
		return reply_defer(session, ERR_BUSY,
		    "connection_limit is reached");
	for (size_t i = 0; i < LISTENERS; i++) {
		if (strcmp(name, listener_names[i]) != 0)
			continue;
		session->listener = (enum listener)i;
		return SMFIS_CONTINUE;
	}
	log_note(LOG_ERR, "deferred", "a listener of Postfix calls itself "
	    "'%s': milter_macro_daemon_name must be DIME-SUBMIT, DIME-OUT, "
	    "DIME-RESEAL, DIME-IN or DIME-MX", name);
	return reply_defer(session, ERR_CONFIG,
	    "milter_macro_daemon_name is not one of Dimegate's");
}

/* Of what is only noted. */
static sfsistat
quietly(const struct session *session)
{
	return session->quiet ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

static sfsistat
on_sender(SMFICTX *ctx, char **arguments)
{
	struct session *session = session_of(ctx);
	size_t limit = (size_t)session->site->config->message_size_limit;

	/* Sealed mail is armored, which takes a third more. */
	if (session->listener == LISTENER_RESEAL ||
	    session->listener == LISTENER_IN ||
	    session->listener == LISTENER_MX)
		limit += limit / 2;
	letter_start(&session->letter, limit,
	    session->listener != LISTENER_SUBMIT);
	letter_set_sender(&session->letter, arguments[0]);
	session->unjudged[0] = '\0';
	if (!span_copy_string(span_string(macro(ctx, "{auth_authen}")),
	    session->letter.login, sizeof(session->letter.login)))
		session->letter.login[0] = '\0';
	return quietly(session);
}

static sfsistat
on_recipient(SMFICTX *ctx, char **arguments)
{
	struct session *session = session_of(ctx);
	sfsistat status = SMFIS_CONTINUE;

	if (session->listener == LISTENER_MX)
		status = guard_recipient(session, arguments[0]);
	if (status == SMFIS_CONTINUE)
		letter_add_recipient(&session->letter, arguments[0]);
	return status;
}

static sfsistat
on_field(SMFICTX *ctx, char *name, char *value)
{
	struct session *session = session_of(ctx);

	if (session->listener != LISTENER_SUBMIT)
		letter_add_field(&session->letter, name, value);
	return quietly(session);
}

/* On the public listener, only sealed mail for one of our users is opened. */
static bool
is_to_be_opened(const struct session *session)
{
	const struct letter *letter = &session->letter;

	return session->listener == LISTENER_IN ||
	    (header_is_sealed(buffer_span(&letter->header)) &&
		letter->recipients == 1 && letter->recipient[0] != '\0' &&
		site_serves(session->site,
		    address_domain(letter->recipient)));
}

static sfsistat
on_header_end(SMFICTX *ctx)
{
	struct session *session = session_of(ctx);

	if (session->listener == LISTENER_MX && !is_to_be_opened(session))
		return guard_header(session);
	return SMFIS_CONTINUE;
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *data, size_t length)
{
	struct session *session = session_of(ctx);

	letter_add_body(&session->letter, span_of(data, length));
	return quietly(session);
}

static sfsistat
on_message_end(SMFICTX *ctx)
{
	struct session *session = session_of(ctx);
	sfsistat status = SMFIS_TEMPFAIL;

	switch (session->listener) {
	case LISTENER_SUBMIT:
		status = submit_message(session);
		break;
	case LISTENER_OUT:
		status = seal_message(session);
		break;
	case LISTENER_RESEAL:
		status = reseal_message(session);
		break;
	case LISTENER_IN:
	case LISTENER_MX:
		status = is_to_be_opened(session) ? open_message(session) :
		    guard_message(session);
		break;
	case LISTENERS:
		break;
	}
	letter_clear(&session->letter);
	return status;
}

static sfsistat
on_abort(SMFICTX *ctx)
{
	struct session *session = session_of(ctx);

	if (session != NULL)
		letter_clear(&session->letter);
	return SMFIS_CONTINUE;
}

static sfsistat
on_close(SMFICTX *ctx)
{
	struct session *session = session_of(ctx);

	if (session == NULL)
		return SMFIS_CONTINUE;
	smfi_setpriv(ctx, NULL);
	letter_clear(&session->letter);
	site_put(&session->milter->site, session->site);
	session->milter->connections--;
	free(session);
	return SMFIS_CONTINUE;
}

bool
session_register(struct milter *milter)
{
	static char name[] = "dime-milter";
	struct smfiDesc description = {.xxfi_name = name,
	    .xxfi_version = SMFI_VERSION,
	    .xxfi_flags = ACTIONS,
	    .xxfi_connect = on_connect,
	    .xxfi_envfrom = on_sender,
	    .xxfi_envrcpt = on_recipient,
	    .xxfi_header = on_field,
	    .xxfi_eoh = on_header_end,
	    .xxfi_body = on_body,
	    .xxfi_eom = on_message_end,
	    .xxfi_abort = on_abort,
	    .xxfi_close = on_close,
	    .xxfi_negotiate = on_negotiate};

	the_milter = milter;
	return smfi_register(description) == MI_SUCCESS;
}
