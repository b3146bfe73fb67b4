/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"
#include "tests/unit/unit_ocsp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ocsp.h>

enum { HOUR = 3600, DAY = 24 * HOUR, HUGE = 200000 };

static const char *const names[RESPONDER_MODES] = {
    [RESPONDER_GOOD] = "good",
    [RESPONDER_REVOKED] = "revoked",
    [RESPONDER_UNKNOWN] = "unknown",
    [RESPONDER_EXPIRED] = "expired",
    [RESPONDER_FUTURE] = "future",
    [RESPONDER_NO_NEXT] = "no-next",
    [RESPONDER_OLD_NO_NEXT] = "old-no-next",
    [RESPONDER_NO_NONCE] = "no-nonce",
    [RESPONDER_OTHER_NONCE] = "other-nonce",
    [RESPONDER_FOREIGN] = "foreign",
    [RESPONDER_DELEGATED] = "delegated",
    [RESPONDER_UNDELEGATED] = "undelegated",
    [RESPONDER_OTHER] = "other",
    [RESPONDER_TRY_LATER] = "try-later",
    [RESPONDER_SPOILT] = "spoilt",
    [RESPONDER_TRAILING] = "trailing",
    [RESPONDER_GARBAGE] = "garbage",
    [RESPONDER_HUGE] = "huge",
    [RESPONDER_SILENT] = "silent",
    [RESPONDER_CLOSES] = "closes",
    [RESPONDER_500] = "500",
    [RESPONDER_REDIRECTS] = "redirects",
    [RESPONDER_OTHER_TYPE] = "other-type",
    [RESPONDER_NOT_HTTP] = "not-http",
};

struct responder {
	const struct unit_certificate *issuer;
	struct unit_certificate foreign, delegate, undelegated;
	unsigned int port;
	int listener;
	pthread_t thread;
	pthread_mutex_t lock;
	bool ending;
	int session; /* descriptor, or -1 */
	int asked;
	enum responder_mode mode;
};

int
responder_mode_by_name(const char *name)
{
	for (int i = 0; i < RESPONDER_MODES; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

/* ---- responses ---- */

static void
add_status(OCSP_BASICRESP *basic, OCSP_CERTID *id, enum responder_mode mode)
{
	const long this_update = mode == RESPONDER_FUTURE ? HOUR
	    : mode == RESPONDER_EXPIRED                   ? -2 * DAY
	    : mode == RESPONDER_OLD_NO_NEXT               ? -DAY
	                                                  : -1;
	const long next_update = mode == RESPONDER_EXPIRED ? -DAY : 12 * HOUR;
	const bool has_next = mode != RESPONDER_NO_NEXT &&
	    mode != RESPONDER_OLD_NO_NEXT;
	const bool revoked = mode == RESPONDER_REVOKED;
	ASN1_TIME *from = X509_gmtime_adj(NULL, this_update);
	ASN1_TIME *until = X509_gmtime_adj(NULL, next_update);

	assert_non_null(OCSP_basic_add1_status(basic, id,
	    revoked                            ? V_OCSP_CERTSTATUS_REVOKED
	        : mode == RESPONDER_UNKNOWN ? V_OCSP_CERTSTATUS_UNKNOWN
	                                    : V_OCSP_CERTSTATUS_GOOD,
	    OCSP_REVOKED_STATUS_KEYCOMPROMISE, revoked ? from : NULL, from,
	    has_next ? until : NULL));
	ASN1_TIME_free(from);
	ASN1_TIME_free(until);
}

static void
add_nonce(OCSP_BASICRESP *basic, OCSP_REQUEST *request,
    enum responder_mode mode)
{
	unsigned char other[16] = "another's nonce";

	if (mode == RESPONDER_OTHER_NONCE)
		assert_int_equal(OCSP_basic_add1_nonce(basic, other,
		                     sizeof(other)), 1);
	else if (mode != RESPONDER_NO_NONCE && request != NULL)
		OCSP_copy_nonce(basic, request);
}

static void
write_response(OCSP_RESPONSE *response, enum responder_mode mode,
    struct buffer *out)
{
	uint8_t *space = buffer_extend(out,
	    (size_t)i2d_OCSP_RESPONSE(response, NULL));

	assert_non_null(space);
	i2d_OCSP_RESPONSE(response, &space);
	if (mode == RESPONDER_TRAILING)
		buffer_u8(out, 0);
	OCSP_RESPONSE_free(response);
}

static void
make_response(struct responder *responder, OCSP_CERTID *id,
    OCSP_REQUEST *request, enum responder_mode mode, struct buffer *out)
{
	const struct unit_certificate *signer =
	    mode == RESPONDER_FOREIGN       ? &responder->foreign
	    : mode == RESPONDER_DELEGATED   ? &responder->delegate
	    : mode == RESPONDER_UNDELEGATED ? &responder->undelegated
	                                    : responder->issuer;
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID *about = OCSP_CERTID_dup(id);
	ASN1_INTEGER *serial;

	if (mode == RESPONDER_TRY_LATER) {
		OCSP_BASICRESP_free(basic);
		OCSP_CERTID_free(about);
		write_response(OCSP_response_create(
		    OCSP_RESPONSE_STATUS_TRYLATER, NULL), mode, out);
		return;
	}
	if (mode == RESPONDER_OTHER) {
		OCSP_id_get0_info(NULL, NULL, NULL, &serial, about);
		ASN1_INTEGER_set(serial, 123456789);
	}
	add_status(basic, about, mode);
	add_nonce(basic, request, mode);
	assert_int_equal(OCSP_basic_sign(basic, signer->certificate,
	    signer->key, EVP_sha256(), NULL, 0), 1);
	if (mode == RESPONDER_SPOILT)
		((ASN1_OCTET_STRING *)(uintptr_t)OCSP_resp_get0_signature(
		    basic))->data[9] ^= 1;
	write_response(OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL,
	    basic), mode, out);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(about);
}

void
responder_make(struct responder *responder, enum responder_mode mode,
    const struct unit_certificate *certificate, struct buffer *out)
{
	OCSP_CERTID *id = OCSP_cert_to_id(NULL, certificate->certificate,
	    responder->issuer->certificate);

	make_response(responder, id, NULL, mode, out);
	OCSP_CERTID_free(id);
}

/* ---- HTTP, as far as a test needs it ---- */

/* The body of the request; false when the client has gone. */
static bool
read_request(int fd, struct buffer *out)
{
	uint8_t octets[4096];
	const char *text, *end, *length;
	size_t wanted;
	ssize_t got;

	while ((got = read(fd, octets, sizeof(octets))) > 0) {
		buffer_append(out, octets, (size_t)got);
		text = buffer_string(out);
		end = text == NULL ? NULL : strstr(text, "\r\n\r\n");
		length = text == NULL ? NULL
		                      : strcasestr(text, "content-length:");
		if (end == NULL || length == NULL || length > end)
			continue;
		assert_non_null(strstr(text,
		    "Content-Type: application/ocsp-request\r\n"));
		wanted = strtoul(length + 15, NULL, 10);
		if (out->length >= (size_t)(end + 4 - text) + wanted) {
			buffer_consume(out, (size_t)(end + 4 - text));
			return true;
		}
	}
	return false;
}

static void
answer_request(struct responder *responder, struct span request,
    enum responder_mode mode, struct buffer *out)
{
	const unsigned char *at = request.data;
	OCSP_REQUEST *parsed = d2i_OCSP_REQUEST(NULL, &at,
	    (long)request.length);
	struct buffer body = buffer_make(1 << 20);
	const char *type = mode == RESPONDER_OTHER_TYPE
	    ? "text/html"
	    : "application/ocsp-response";

	assert_non_null(parsed);
	if (mode == RESPONDER_GARBAGE)
		buffer_append_string(&body, "no response");
	else if (mode == RESPONDER_HUGE)
		memset(buffer_extend(&body, HUGE), 'x', HUGE);
	else
		make_response(responder, OCSP_onereq_get0_id(
		    OCSP_request_onereq_get0(parsed, 0)), parsed, mode, &body);
	if (mode == RESPONDER_REDIRECTS)
		buffer_printf(out, "HTTP/1.1 307 there\r\nLocation: "
		    "http://ocsp.test:%u/there\r\n", responder->port);
	else
		buffer_printf(out, "%s\r\n",
		    mode == RESPONDER_NOT_HTTP  ? "220 ocsp.test ESMTP"
		        : mode == RESPONDER_500 ? "HTTP/1.1 500 Broken"
		                                : "HTTP/1.1 200 OK");
	buffer_printf(out, "Content-Type: %s\r\nContent-Length: %zu\r\n"
	    "Connection: close\r\n\r\n", type, body.length);
	buffer_append_span(out, buffer_span(&body));
	buffer_free(&body);
	OCSP_REQUEST_free(parsed);
}

static void
serve_one(struct responder *responder, int fd, enum responder_mode mode)
{
	struct buffer request = buffer_make(1 << 20);
	struct buffer answer = buffer_make(1 << 20);
	uint8_t octet;
	size_t done = 0;
	ssize_t put = 1;

	if (mode != RESPONDER_CLOSES && read_request(fd, &request)) {
		/* Until the client has had enough of it. */
		if (mode == RESPONDER_SILENT)
			while (read(fd, &octet, 1) > 0)
				;
		else
			answer_request(responder, buffer_span(&request), mode,
			    &answer);
	}
	for (; done < answer.length && put > 0; done += (size_t)put) {
		put = send(fd, answer.data + done, answer.length - done,
		    MSG_NOSIGNAL);
		if (put < 0)
			break;
	}
	buffer_free(&request);
	buffer_free(&answer);
}

static void *
serve(void *argument)
{
	struct responder *responder = argument;
	enum responder_mode mode;
	bool ending = false;

	while (!ending) {
		const int fd = accept(responder->listener, NULL, NULL);

		pthread_mutex_lock(&responder->lock);
		ending = responder->ending;
		mode = responder->mode;
		responder->session = ending ? -1 : fd;
		responder->asked += fd >= 0;
		pthread_mutex_unlock(&responder->lock);
		if (fd >= 0 && !ending)
			serve_one(responder, fd, mode);
		pthread_mutex_lock(&responder->lock);
		responder->session = -1;
		pthread_mutex_unlock(&responder->lock);
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

/* ---- start and end ---- */

static void
make_signers(struct responder *responder, const char *directory)
{
	struct unit_certificate_wish wish = {.name = "ocsp-foreign",
	    .key = responder->issuer->key, .days = 10, .authority = true};

	unit_certificate_make(directory, &wish, &responder->foreign);
	wish = (struct unit_certificate_wish){.name = "ocsp-delegate",
	    .key = responder->issuer->key, .days = 10, .signs_ocsp = true,
	    .issuer = responder->issuer};
	unit_certificate_make(directory, &wish, &responder->delegate);
	wish.name = "ocsp-undelegated";
	wish.signs_ocsp = false;
	unit_certificate_make(directory, &wish, &responder->undelegated);
}

struct responder *
responder_start(const char *address, unsigned int *port,
    const struct unit_certificate *issuer, const char *directory)
{
	struct sockaddr_in place = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)*port)};
	struct sockaddr *at = (struct sockaddr *)&place;
	socklen_t length = sizeof(place);
	struct responder *responder = calloc(1, sizeof(*responder));
	const int yes = 1;

	assert_non_null(responder);
	responder->issuer = issuer;
	responder->session = -1;
	make_signers(responder, directory);
	pthread_mutex_init(&responder->lock, NULL);
	assert_int_equal(inet_pton(AF_INET, address, &place.sin_addr), 1);
	responder->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(responder->listener, SOL_SOCKET, SO_REUSEADDR, &yes,
	    sizeof(yes));
	assert_int_equal(bind(responder->listener, at, length), 0);
	assert_int_equal(getsockname(responder->listener, at, &length), 0);
	assert_int_equal(listen(responder->listener, 20), 0);
	responder->port = *port = ntohs(place.sin_port);
	assert_int_equal(pthread_create(&responder->thread, NULL, serve,
	                     responder), 0);
	return responder;
}

void
responder_end(struct responder *responder)
{
	if (responder == NULL)
		return;
	pthread_mutex_lock(&responder->lock);
	responder->ending = true;
	if (responder->session >= 0)
		shutdown(responder->session, SHUT_RDWR);
	pthread_mutex_unlock(&responder->lock);
	shutdown(responder->listener, SHUT_RDWR);
	pthread_join(responder->thread, NULL);
	close(responder->listener);
	unit_certificate_free(&responder->foreign);
	unit_certificate_free(&responder->delegate);
	unit_certificate_free(&responder->undelegated);
	pthread_mutex_destroy(&responder->lock);
	free(responder);
}

void
responder_set(struct responder *responder, enum responder_mode mode)
{
	pthread_mutex_lock(&responder->lock);
	responder->mode = mode;
	pthread_mutex_unlock(&responder->lock);
}

int
responder_asked(struct responder *responder)
{
	int asked;

	pthread_mutex_lock(&responder->lock);
	asked = responder->asked;
	responder->asked = 0;
	pthread_mutex_unlock(&responder->lock);
	return asked;
}
