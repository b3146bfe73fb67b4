/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/milter_returned.h"

#include <stdio.h>

#include "dime/resealing.h"

struct keys *renewed;

int
reseal_start(void **state)
{
	if (site_start(state) != 0)
		return -1;
	renewed = site_make_keys("renewed-");
	return 0;
}

void
policyd_knows(struct keys *keys)
{
	fake_policyd_stop(&site.policyd);
	fake_policyd_start(&site.policyd, site_path("facts"), keys);
	fake_policyd_answer(&site.policyd, POLICY_DARK, 0, "");
}

struct buffer brought;

void
name_author(struct returned *returned, struct keys *keys,
    const char *address)
{
	struct keys_user *user;

	assert_int_equal(keys_find_user(keys, address, &user, NULL), 0);
	snprintf(returned->author, sizeof(returned->author), "<%s> [%s]",
	    address, user->signet->core);
	keys_user_free(user);
}

struct returned
waiting(const char *queue_id, const char *sender, const char *author)
{
	struct returned returned = {.armor = buffer_make(1 << 20),
	    .count = 1, .sender = sender, .recipient = "<bob@beta.test>"};
	char text[2000];
	struct mta_mail mail;

	policyd_knows(site.keys);
	snprintf(text, sizeof(text), RECEIVED("%s") "%s", queue_id, LETTER);
	if (strncmp(author, "alice", 5) == 0)
		note(queue_id, sender, BODY);
	mail = letter("OUT", text);
	mail.sender = sender;
	seal(&mail, &returned.armor);
	name_author(&returned, site.keys, author);
	policyd_knows(renewed);
	return returned;
}

struct mta_mail
mail_of(const struct returned *returned)
{
	buffer_free(&brought);
	brought = buffer_make(1 << 20);
	buffer_printf(&brought, "%s: %u\r\n%s: %s\r\n",
	    resealing_count_field, returned->count, resealing_author_field,
	    returned->author);
	buffer_append_string(&brought, "MIME-Version: 1.0\r\n"
	    "Content-Type: application/vnd.dime-message\r\n\r\n");
	buffer_append_span(&brought, buffer_span(&returned->armor));
	return (struct mta_mail){.queue_id = "AGAIN",
	    .sender = returned->sender, .recipients = {returned->recipient},
	    .text = buffer_span(&brought)};
}

void
returned_free(struct returned *returned)
{
	buffer_free(&returned->armor);
}

void
reseal(const struct returned *returned, struct buffer *armor)
{
	static const char head[] = "MIME-Version: 1.0\r\n"
	    "Content-Type: application/vnd.dime-message\r\n";
	struct buffer text = buffer_make(1 << 20);
	struct mta_mail mail = mail_of(returned);
	char count[40];

	if (send_mail("DIME-RESEAL", &mail) != 'a')
		fail_msg("%s", mta.reply);
	mta_text(&mta, &text);
	assert_non_null(buffer_string(&text));
	snprintf(count, sizeof(count), "%s: %u\r\n\r\n-----BEGIN",
	    resealing_count_field, returned->count);
	assert_memory_equal(text.data, head, strlen(head));
	assert_memory_equal(text.data + strlen(head), count, strlen(count));
	assert_null(strstr(buffer_string(&text), " plan"));
	assert_null(strstr(buffer_string(&text), "alice"));
	assert_string_equal(mta.sender, returned->sender);
	assert_string_equal(mta.sender_arguments, "RET=HDRS");
	buffer_append_span(armor, buffer_span(&mta.body));
	buffer_free(&text);
	mta_close(&mta);
}

void
refuses(const struct returned *returned, char verdict, const char *reply)
{
	struct mta_mail mail = mail_of(returned);

	expect("DIME-RESEAL", &mail, verdict, reply);
	assert_false(mta.body_replaced);
}

void
assert_opens_with(struct keys *keys, const struct buffer *armor,
    enum layout layout, const char *author, const char *sender)
{
	struct keys_user *alice, *bob;
	struct keys_org *alpha, *beta;
	struct message_parties parties;
	struct buffer mime = buffer_make(1 << 20);
	struct fault fault = {0};
	struct message *message;
	char found[ADDRESS_SIZE];

	assert_int_equal(keys_find_user_in(site.keys, layout, author, &alice,
	    NULL), 0);
	assert_int_equal(keys_find_org_in(site.keys, layout, "alpha.test",
	    &alpha, NULL), 0);
	assert_int_equal(keys_find_user_in(keys, layout, "bob@beta.test",
	    &bob, NULL), 0);
	assert_int_equal(keys_find_org_in(keys, layout, "beta.test", &beta,
	    NULL), 0);
	parties = (struct message_parties){alice->signet, alpha->signet,
	    beta->signet, bob->signet};
	assert_int_equal(message_read(buffer_span(armor), 1 << 20, &message,
	    NULL), 0);
	assert_int_equal(message_unlock(message, MESSAGE_RECIPIENT,
	    bob->agreer, NULL), 0);
	if (message_open(message, &parties, 1 << 20, &mime, found, &fault) != 0)
		fail_msg("%s", fault.text);
	assert_string_equal(buffer_string(&mime), REWRITTEN LETTER);
	assert_string_equal(found, sender);
	message_free(message);
	keys_user_free(alice);
	keys_user_free(bob);
	keys_org_free(alpha);
	keys_org_free(beta);
	buffer_free(&mime);
}

void
assert_opens(const struct buffer *armor, enum layout layout,
    const char *author, const char *sender)
{
	assert_opens_with(renewed, armor, layout, author, sender);
}

int
reseal_end(void **state)
{
	buffer_free(&brought);
	keys_close(renewed);
	return site_end(state);
}
