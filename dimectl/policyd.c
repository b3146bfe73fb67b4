/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <time.h>

#include "base/config.h"
#include "dime/record.h"
#include "dimectl/output.h"
#include "dimectl/policyd.h"

int
policyd_ask(struct dimectl *ctl, struct facts_request *request,
    struct facts_answer *answer)
{
	struct facts_client *client;
	struct config *config;
	int err;

	facts_answer_init(answer);
	err = config_load(ctl->config_path, CONFIG_DIMECTL, &config,
	    &ctl->fault);
	if (err != 0)
		return err;
	if (request->wait == POLICYD_WAIT)
		request->wait = config->fetch_timeout * 1000;
	err = facts_client_new(config->facts_socket, 0, &clock_system, &client);
	config_free(config);
	if (err != 0)
		return fault_set(&ctl->fault, err, "out of memory");
	err = facts_ask(client, request, answer, &ctl->fault);
	facts_client_free(client);
	return err;
}

static void
print_scalar(struct buffer *out, json_t *value)
{
	if (json_is_integer(value))
		buffer_printf(out, "%lld",
		    (long long)json_integer_value(value));
	else if (json_is_boolean(value))
		buffer_printf(out, "%s", json_is_true(value) ? "yes" : "no");
	else
		buffer_printf(out, "%s", json_string_value(value));
}

/* Lists in one line. */
static void
print_line(struct buffer *out, const char *key, json_t *value)
{
	json_t *item;
	size_t i;

	if (json_is_null(value) ||
	    (json_is_array(value) && json_array_size(value) == 0))
		return;
	buffer_printf(out, "%-18s", key);
	if (!json_is_array(value)) {
		buffer_append_string(out, " ");
		print_scalar(out, value);
	}
	json_array_foreach(value, i, item) {
		buffer_append_string(out, " ");
		print_scalar(out, item);
	}
	buffer_append_string(out, "\n");
}

/* What is inside an object stands behind its name and a dot. */
static void
print_object(struct buffer *out, const char *prefix, json_t *object)
{
	const char *key;
	json_t *value;
	char name[80];

	json_object_foreach(object, key, value) {
		snprintf(name, sizeof(name), "%s%s", prefix, key);
		if (json_is_object(value)) {
			strcat(name, ".");
			print_object(out, name, value);
		} else {
			print_line(out, name, value);
		}
	}
}

int
policyd_print(struct dimectl *ctl, json_t *object)
{
	if (ctl->json)
		return output_json(ctl, object);
	if (object == NULL)
		return fault_set(&ctl->fault, ERR_MEMORY, "out of memory");
	print_object(&ctl->output, "", object);
	json_decref(object);
	return 0;
}

static json_t *
time_or_null(int64_t seconds)
{
	const time_t time = (time_t)seconds;
	struct tm parts;
	char text[32];

	if (seconds == 0 || gmtime_r(&time, &parts) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
		return json_null();
	return json_string(text);
}

json_t *
policyd_text(const char *text)
{
	return *text == '\0' ? json_null() : json_string(text);
}

json_t *
policyd_error(const struct facts_answer *answer)
{
	return answer->err == 0 ? json_null()
	                        : json_string(error_row(answer->err)->name);
}

/* ---- what is known of a domain ---- */

static json_t *
record_text(const struct facts_answer *answer)
{
	const struct span record = buffer_span(&answer->record);

	return record.length == 0
	    ? json_null()
	    : json_stringn((const char *)record.data, record.length);
}

/* The fields in force; null when there is no record. */
static json_t *
record_fields(const struct facts_answer *answer)
{
	struct record *record = malloc(sizeof(*record));
	json_t *fields = NULL;

	if (record != NULL && answer->record.length > 0 &&
	    record_parse(buffer_span(&answer->record), record, NULL, NULL,
	        NULL) == 0)
		fields = output_json_record(record);
	free(record);
	return fields == NULL ? json_null() : fields;
}

/* What DNSSEC makes of the answer of DNS. */
static const char *
dnssec_state(enum dns_answer dns)
{
	switch (dns) {
	case DNS_PRESENT_SECURE:
	case DNS_ABSENT_PROVEN:
		return "secure";
	case DNS_PRESENT_INSECURE:
	case DNS_ABSENT_INSECURE:
		return "insecure";
	case DNS_BOGUS:
		return "bogus";
	default:
		return "unknown";
	}
}

static const char *
confirmed_by(const struct facts_answer *answer)
{
	if (!answer->confirmed)
		return "";
	if (answer->facts.dns == DNS_PRESENT_SECURE)
		return "dnssec";
	return answer->facts.dns == DNS_PRESENT_INSECURE ? "certificate"
	                                                 : "pin";
}

static json_t *
age_or_null(const char *source, int64_t age)
{
	return *source == '\0' ? json_null() : json_integer(age);
}

json_t *
policyd_domain(const struct facts_answer *answer)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o}",
	    "dns", dns_answer_name(answer->facts.dns),
	    "dnssec", dnssec_state(answer->facts.dns),
	    "organization", policyd_text(answer->organization),
	    "record", record_text(answer),
	    "fields", record_fields(answer),
	    "source", policyd_text(answer->source),
	    "age", age_or_null(answer->source, answer->age),
	    "expires", time_or_null(answer->expires),
	    "pinned", answer->facts.pinned,
	    "pinned_until", time_or_null(answer->pinned_until));
}

/* ---- and of its signets ---- */

static json_t *
origin_or_null(const struct facts_origin *origin)
{
	if (*origin->source == '\0')
		return json_null();
	return json_pack("{s:s, s:I, s:o}",
	    "source", origin->source,
	    "age", (json_int_t)origin->age,
	    "expires", time_or_null(origin->expires));
}

/* Fingerprints of what came, which policyd has verified. */
static void
read_fingerprints(const struct facts_answer *answer,
    char org[static SIGNET_FINGERPRINT_SIZE],
    char core[static SIGNET_FINGERPRINT_SIZE],
    char full[static SIGNET_FINGERPRINT_SIZE])
{
	struct signet *signet = NULL;

	org[0] = core[0] = full[0] = '\0';
	if (answer->org_signet.length > 0 &&
	    signet_parse(buffer_span(&answer->org_signet), &signet, NULL) == 0)
		signet_org_fingerprint(signet, org);
	signet_free(signet);
	signet = NULL;
	if (answer->user_signet.length > 0 &&
	    signet_parse(buffer_span(&answer->user_signet), &signet, NULL) ==
	        0) {
		signet_core_fingerprint(signet, core);
		signet_full_fingerprint(signet, full);
	}
	signet_free(signet);
}

json_t *
policyd_signets(const struct facts_answer *answer)
{
	char org[SIGNET_FINGERPRINT_SIZE];
	char core[SIGNET_FINGERPRINT_SIZE];
	char full[SIGNET_FINGERPRINT_SIZE];

	read_fingerprints(answer, org, core, full);
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}",
	    "signet", signet_answer_name(answer->facts.signet),
	    "confirmed_by", policyd_text(confirmed_by(answer)),
	    "org", policyd_text(org),
	    "core", policyd_text(core),
	    "full", policyd_text(full),
	    "org_origin", origin_or_null(&answer->org),
	    "user_origin", origin_or_null(&answer->user));
}

json_t *
policyd_join(json_t *first, json_t *second, json_t *third)
{
	if (first == NULL || second == NULL || third == NULL ||
	    json_object_update(first, second) != 0 ||
	    json_object_update(first, third) != 0) {
		json_decref(first);
		first = NULL;
	}
	json_decref(second);
	json_decref(third);
	return first;
}

static json_t *
knowledge(const char *name, const struct facts_answer *answer)
{
	json_t *facts = policyd_domain(answer);
	json_t *object = json_pack("{s:s}", "name", name);
	const bool held = answer->record.length > 0;

	object = policyd_join(object, facts, policyd_signets(answer));
	if (object == NULL)
		return NULL;
	return policyd_join(object,
	    json_pack("{s:o, s:o}",
	        "policy", held ? policyd_text(record_policy_name(
	                             answer->facts.receiver))
	                       : json_null(),
	        "error", policyd_error(answer)),
	    json_pack("{s:o}", "reason", policyd_text(answer->reason)));
}

int
policyd_show(struct dimectl *ctl, const char *name, int64_t wait)
{
	struct facts_request request = {.verb = FACTS_SIGNET, .from = "",
	    .to = name, .fingerprint = "", .wait = wait};
	struct facts_answer answer;
	int err;

	err = policyd_ask(ctl, &request, &answer);
	if (err == 0 && answer.err == ERR_USAGE)
		err = fault_set(&ctl->fault, ERR_USAGE, "%s", answer.reason);
	/* Whatever else is wrong is what was asked for. */
	if (err == 0)
		err = policyd_print(ctl, knowledge(name, &answer));
	facts_answer_free(&answer);
	return err;
}
