/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#include "tests/unit/fake_mta.h"

enum { PACKET_LIMIT = 1 << 22 };

/* ---- packets ---- */

static void
send_packet(struct mta *mta, char command, struct span data)
{
	struct buffer packet = buffer_make(PACKET_LIMIT);

	buffer_u32(&packet, (uint32_t)data.length + 1);
	buffer_u8(&packet, (uint8_t)command);
	buffer_append_span(&packet, data);
	assert_int_equal(packet.error, 0);
	assert_int_equal(send(mta->fd, packet.data, packet.length,
	    MSG_NOSIGNAL), packet.length);
	buffer_free(&packet);
}

static bool
receive_octets(struct mta *mta, void *data, size_t length)
{
	return recv(mta->fd, data, length, MSG_WAITALL) == (ssize_t)length;
}

/* The command of the next packet, 0 at the end; its data, terminated. */
static char
receive_packet(struct mta *mta, struct buffer *data)
{
	uint32_t length;
	char command;

	buffer_reset(data);
	if (!receive_octets(mta, &length, sizeof(length)))
		return 0;
	length = ntohl(length);
	assert_in_range(length, 1, PACKET_LIMIT - 2);
	assert_true(receive_octets(mta, &command, 1));
	assert_true(length == 1 || receive_octets(mta,
	    buffer_extend(data, length - 1), length - 1));
	assert_non_null(buffer_string(data));
	return command;
}

/* ---- what the milter wants changed ---- */

static void
insert_field(struct mta *mta, size_t index, const char *name,
    const char *value)
{
	assert_true(mta->field_count < MTA_FIELDS);
	if (index > mta->field_count)
		index = mta->field_count;
	memmove(&mta->fields[index + 1], &mta->fields[index],
	    (mta->field_count - index) * sizeof(mta->fields[0]));
	mta->fields[index].name = strdup(name);
	mta->fields[index].value = strdup(value);
	mta->field_count++;
}

static void
remove_field(struct mta *mta, size_t index)
{
	free(mta->fields[index].name);
	free(mta->fields[index].value);
	mta->field_count--;
	memmove(&mta->fields[index], &mta->fields[index + 1],
	    (mta->field_count - index) * sizeof(mta->fields[0]));
}

/* The milter does not see field 0, the server's own Received. */
static void
change_field(struct mta *mta, uint32_t occurrence, const char *name,
    const char *value)
{
	assert_string_equal(value, "");
	for (size_t i = 1; i < mta->field_count; i++) {
		if (strcasecmp(mta->fields[i].name, name) != 0 ||
		    --occurrence > 0)
			continue;
		remove_field(mta, i);
		return;
	}
	fail_msg("the milter removes a field %s that is not there", name);
}

static void
apply(struct mta *mta, char command, struct buffer *data)
{
	const char *text = buffer_string(data);
	uint32_t number = 0;

	if (command == 'm') {
		assert_true(data->length > 4);
		memcpy(&number, text, 4);
		text += 4;
	}
	switch (command) {
	case 'm':
		change_field(mta, ntohl(number), text,
		    text + strlen(text) + 1);
		break;
	case 'h':
		insert_field(mta, mta->field_count, text,
		    text + strlen(text) + 1);
		break;
	case 'b':
		if (!mta->body_replaced)
			buffer_reset(&mta->body);
		mta->body_replaced = true;
		buffer_append_span(&mta->body, buffer_span(data));
		break;
	case 'e':
		snprintf(mta->sender, sizeof(mta->sender), "%s", text);
		snprintf(mta->sender_arguments,
		    sizeof(mta->sender_arguments), "%s",
		    text + strlen(text) + 1);
		break;
	case '+':
		snprintf(mta->added, sizeof(mta->added), "%s", text);
		break;
	case '-':
		snprintf(mta->deleted, sizeof(mta->deleted), "%s", text);
		break;
	default:
		fail_msg("unexpected answer '%c'", command);
	}
}

/* Changes up to the verdict. */
static char
verdict(struct mta *mta)
{
	struct buffer data = buffer_make(PACKET_LIMIT);
	char command;

	mta->reply[0] = '\0';
	for (;;) {
		command = receive_packet(mta, &data);
		if (command == 0 || strchr("catryd", command) != NULL)
			break;
		if (command != 'p')
			apply(mta, command, &data);
	}
	if (command == 'y')
		snprintf(mta->reply, sizeof(mta->reply), "%s",
		    buffer_string(&data));
	buffer_free(&data);
	return command;
}

/* ---- the conversation ---- */

static void
send_macros(struct mta *mta, char command, const char *name,
    const char *value)
{
	struct buffer data = buffer_make(4096);

	buffer_u8(&data, (uint8_t)command);
	buffer_append(&data, name, strlen(name) + 1);
	buffer_append(&data, value, strlen(value) + 1);
	send_packet(mta, 'D', buffer_span(&data));
	buffer_free(&data);
}

/* With the terminator, as the protocol wants it. */
static struct span
terminated(const char *text)
{
	return span_of(text, strlen(text) + 1);
}

static bool
negotiate(struct mta *mta, unsigned int steps)
{
	struct buffer data = buffer_make(100);
	bool agreed;

	buffer_u32(&data, 6);
	buffer_u32(&data, MTA_ALL_ACTIONS);
	buffer_u32(&data, steps);
	send_packet(mta, 'O', buffer_span(&data));
	agreed = receive_packet(mta, &data) == 'O';
	if (agreed) {
		uint32_t wanted;

		/* Behind these, which macros it wants. */
		assert_true(data.length >= 12);
		memcpy(&wanted, data.data + 8, 4);
		mta->steps = ntohl(wanted);
		assert_int_equal(mta->steps & ~steps, 0);
	}
	buffer_free(&data);
	return agreed;
}

char
mta_open(struct mta *mta, const char *socket_path, const char *daemon_name,
    unsigned int steps)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	static const char client[] = "localhost\0" "4\0\31" "127.0.0.1";

	memset(mta, 0, sizeof(*mta));
	mta->body = buffer_make(PACKET_LIMIT);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s",
	    socket_path);
	mta->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(mta->fd, (struct sockaddr *)&address,
	    sizeof(address)), 0);
	if (!negotiate(mta, steps))
		return 0;
	send_macros(mta, 'C', "{daemon_name}", daemon_name);
	send_packet(mta, 'C', span_of(client, sizeof(client)));
	return verdict(mta);
}

static void
clear(struct mta *mta)
{
	while (mta->field_count > 0)
		remove_field(mta, 0);
	buffer_reset(&mta->body);
}

/* What was said last stays to be looked at. */
void
mta_close(struct mta *mta)
{
	clear(mta);
	buffer_free(&mta->body);
	close(mta->fd);
}

/* Splits the text; a header without an end is all header. */
static void
load(struct mta *mta, struct span text)
{
	struct span line;

	insert_field(mta, 0, "Received", " by the server itself");
	while (span_next_line(&text, &line) && line.length > 0) {
		struct buffer value = buffer_make(1 << 20);
		const uint8_t *colon = memchr(line.data, ':', line.length);
		size_t name;
		char copy[256];

		assert_non_null(colon);
		name = (size_t)(colon - line.data);
		snprintf(copy, sizeof(copy), "%.*s", (int)name,
		    (const char *)line.data);
		buffer_append_span(&value, span_slice(line, name + 1,
		    SIZE_MAX));
		while (text.length > 0 &&
		    (text.data[0] == ' ' || text.data[0] == '\t') &&
		    span_next_line(&text, &line)) {
			buffer_u8(&value, '\n');
			buffer_append_span(&value, line);
		}
		insert_field(mta, mta->field_count, copy,
		    buffer_string(&value));
		buffer_free(&value);
	}
	buffer_append_span(&mta->body, text);
}

static char
send_envelope(struct mta *mta, const struct mta_mail *mail)
{
	char answer;

	if (mail->login != NULL)
		send_macros(mta, 'M', "{auth_authen}", mail->login);
	send_packet(mta, 'M', terminated(mail->sender));
	answer = mta->steps & MTA_SENDER_UNANSWERED ? 'c' : verdict(mta);
	for (size_t i = 0; i < COUNT(mail->recipients) &&
	    mail->recipients[i] != NULL && answer == 'c'; i++) {
		send_packet(mta, 'R', terminated(mail->recipients[i]));
		answer = verdict(mta);
	}
	return answer;
}

static void
send_header(struct mta *mta)
{
	for (size_t i = 1; i < mta->field_count; i++) {
		struct buffer data = buffer_make(1 << 20);

		buffer_append_span(&data, terminated(mta->fields[i].name));
		buffer_append_span(&data, terminated(mta->fields[i].value));
		send_packet(mta, 'L', buffer_span(&data));
		buffer_free(&data);
	}
}

char
mta_send(struct mta *mta, const struct mta_mail *mail)
{
	enum { PIECE = 65535 };
	char answer;

	clear(mta);
	mta->body_replaced = false;
	mta->sender_arguments[0] = '\0';
	mta->added[0] = '\0';
	mta->deleted[0] = '\0';
	snprintf(mta->sender, sizeof(mta->sender), "%s", mail->sender);
	answer = send_envelope(mta, mail);
	if (answer != 'c' || mail->text.data == NULL)
		return answer;
	load(mta, mail->text);
	send_macros(mta, 'T', "i", mail->queue_id);
	send_header(mta);
	send_macros(mta, 'N', "i", mail->queue_id);
	send_packet(mta, 'N', span_of(NULL, 0));
	answer = verdict(mta);
	if (answer != 'c')
		return answer;
	for (size_t at = 0; at < mta->body.length; at += PIECE)
		send_packet(mta, 'B', span_slice(buffer_span(&mta->body), at,
		    PIECE));
	send_macros(mta, 'E', "i", mail->queue_id);
	send_packet(mta, 'E', span_of(NULL, 0));
	return verdict(mta);
}

void
mta_text(const struct mta *mta, struct buffer *out)
{
	for (size_t i = 1; i < mta->field_count; i++) {
		buffer_append_string(out, mta->fields[i].name);
		buffer_u8(out, ':');
		for (const char *c = mta->fields[i].value; *c != '\0'; c++) {
			if (*c == '\n')
				buffer_u8(out, '\r');
			buffer_u8(out, (uint8_t)*c);
		}
		buffer_append_string(out, "\r\n");
	}
	buffer_append_string(out, "\r\n");
	buffer_append_span(out, buffer_span(&mta->body));
}
