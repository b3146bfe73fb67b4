/* SPDX-License-Identifier: BSD-2-Clause */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/span.h"
#include "net/http.h"

int
http_start(void)
{
	return curl_global_init(CURL_GLOBAL_NOTHING) == CURLE_OK ? 0
	                                                         : ERR_SYSTEM;
}

void
http_end(void)
{
	curl_global_cleanup();
}

/* ---- URLs ---- */

static bool
part_is(CURLU *parsed, CURLUPart part, const char *wanted)
{
	char *text = NULL;
	bool is = curl_url_get(parsed, part, &text, 0) == CURLUE_OK
	    ? wanted != NULL && strcasecmp(text, wanted) == 0
	    : wanted == NULL;

	curl_free(text);
	return is;
}

static bool
read_host(CURLU *parsed, struct http_place *out)
{
	char *text = NULL;
	bool good = curl_url_get(parsed, CURLUPART_HOST, &text, 0) ==
	        CURLUE_OK &&
	    domain_is_normal(span_string(text)) &&
	    span_copy_string(span_string(text), out->host, sizeof(out->host));

	curl_free(text);
	return good;
}

static bool
read_port(CURLU *parsed, struct http_place *out)
{
	char *text = NULL;
	uint64_t number;
	bool good = curl_url_get(parsed, CURLUPART_PORT, &text,
	        CURLU_DEFAULT_PORT) == CURLUE_OK &&
	    span_number(span_string(text), 65535, &number) && number > 0;

	if (good)
		out->port = (unsigned int)number;
	curl_free(text);
	return good;
}

int
http_read_url(const char *url, struct http_place *out, struct fault *fault)
{
	CURLU *parsed = curl_url();
	bool good;

	if (parsed == NULL)
		return fault_set(fault, ERR_MEMORY, "%s", "");
	good = curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    part_is(parsed, CURLUPART_SCHEME, "http") &&
	    part_is(parsed, CURLUPART_USER, NULL) && read_host(parsed, out) &&
	    read_port(parsed, out);
	curl_url_cleanup(parsed);
	return good ? 0
	            : fault_set(fault, ERR_FORMAT,
	                  "%s: not a URL of http and a host's name", url);
}

/* ---- the exchange ---- */

struct exchange {
	const struct http_post *post;
	struct buffer *out;
};

static size_t
take(char *data, size_t size, size_t count, void *context)
{
	struct exchange *exchange = context;

	buffer_append_span(exchange->out, span_of(data, size * count));
	return exchange->out->error == 0 ? size * count : 0;
}

/* Whatever libcurl makes of the host's name, it gets no further than here. */
static curl_socket_t
open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	const struct http_post *post = ((struct exchange *)context)->post;
	char text[NI_MAXHOST];

	if (getnameinfo(&address->addr, (socklen_t)address->addrlen, text,
	        sizeof(text), NULL, 0, NI_NUMERICHOST) != 0)
		return CURL_SOCKET_BAD;
	for (size_t i = 0; i < post->address_count; i++)
		if (strcmp(post->addresses + i * post->address_size, text) ==
		    0)
			return socket(address->family,
			    address->socktype | SOCK_CLOEXEC,
			    address->protocol);
	return CURL_SOCKET_BAD;
}

/* `host:port:address,address`, in place of asking DNS. */
static struct curl_slist *
make_resolution(const struct http_post *post, const struct http_place *place)
{
	struct buffer text = buffer_make(4096);
	struct curl_slist *list = NULL;

	buffer_printf(&text, "%s:%u:", place->host, place->port);
	for (size_t i = 0; i < post->address_count; i++) {
		const char *address = post->addresses + i * post->address_size;
		const bool is_v6 = strchr(address, ':') != NULL;

		buffer_printf(&text, "%s%s%s%s", i == 0 ? "" : ",",
		    is_v6 ? "[" : "", address, is_v6 ? "]" : "");
	}
	if (text.error == 0)
		list = curl_slist_append(NULL, buffer_string(&text));
	buffer_free(&text);
	return list;
}

static struct curl_slist *
make_headers(const struct http_post *post)
{
	char type[128], accept[128];
	struct curl_slist *list, *longer;

	snprintf(type, sizeof(type), "Content-Type: %s", post->request_type);
	snprintf(accept, sizeof(accept), "Accept: %s", post->answer_type);
	list = curl_slist_append(NULL, type);
	longer = list == NULL ? NULL : curl_slist_append(list, accept);
	if (longer == NULL)
		curl_slist_free_all(list);
	return longer;
}

static bool
set_options(CURL *curl, struct exchange *exchange, struct curl_slist *headers,
    struct curl_slist *resolution, struct deadline deadline)
{
	const struct http_post *post = exchange->post;

	return curl_easy_setopt(curl, CURLOPT_URL, post->url) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http") ==
	        CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
	        (long)deadline_left(deadline)) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_RESOLVE, resolution) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket) ==
	        CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, exchange) ==
	        CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
	        (curl_off_t)post->body.length) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, post->body.data) ==
	        CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange) == CURLE_OK;
}

static int
judge(CURL *curl, const struct exchange *exchange, CURLcode code,
    struct fault *fault)
{
	const char *url = exchange->post->url, *type = NULL;
	long status = 0;

	if (exchange->out->error != 0)
		return fault_set(fault, exchange->out->error,
		    "%s: the answer is too large", url);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return fault_set(fault, ERR_TIMEOUT, "%s: timed out", url);
	if (code != CURLE_OK)
		return fault_set(fault, ERR_UNREACHABLE, "%s: %s", url,
		    curl_easy_strerror(code));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
	if (status != 200 || type == NULL ||
	    strncasecmp(type, exchange->post->answer_type,
	        strlen(exchange->post->answer_type)) != 0)
		return fault_set(fault, ERR_PROTOCOL,
		    "%s: answer %ld of type %s", url, status,
		    type == NULL ? "(none)" : type);
	return 0;
}

int
http_send(const struct http_post *post, struct deadline deadline,
    struct buffer *out, struct fault *fault)
{
	struct exchange exchange = {post, out};
	struct curl_slist *headers, *resolution;
	struct http_place place;
	CURL *curl;
	int err;

	if ((err = http_read_url(post->url, &place, fault)) != 0)
		return err;
	if (deadline_left(deadline) == 0)
		return fault_set(fault, ERR_TIMEOUT, "%s: timed out",
		    post->url);
	curl = curl_easy_init();
	headers = make_headers(post);
	resolution = make_resolution(post, &place);
	if (curl == NULL || headers == NULL || resolution == NULL ||
	    !set_options(curl, &exchange, headers, resolution, deadline))
		err = fault_set(fault, ERR_MEMORY, "%s", "");
	else
		err = judge(curl, &exchange, curl_easy_perform(curl), fault);
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	curl_slist_free_all(resolution);
	return err;
}
