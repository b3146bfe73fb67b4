/* SPDX-License-Identifier: BSD-2-Clause */
#include <time.h>

#include "base/config.h"
#include "dimectl/output.h"
#include "dimectl/policyd.h"

int
policyd_ask(struct dimectl *ctl, struct facts_request *request,
    struct facts_answer *answer)
{
	struct config *config;
	int err;

	facts_answer_init(answer);
	err = config_load(ctl->config_path, CONFIG_DIMECTL, &config,
	    &ctl->fault);
	if (err != 0)
		return err;
	if (request->wait == POLICYD_WAIT)
		request->wait = config->fetch_timeout * 1000;
	err = facts_ask(config->facts_socket, request, answer, &ctl->fault);
	config_free(config);
	return err;
}

static void
print_line(struct buffer *out, const char *key, json_t *value)
{
	if (json_is_null(value))
		return;
	buffer_printf(out, "%-18s ", key);
	if (json_is_integer(value))
		buffer_printf(out, "%lld\n",
		    (long long)json_integer_value(value));
	else if (json_is_boolean(value))
		buffer_printf(out, "%s\n", json_is_true(value) ? "yes" : "no");
	else
		buffer_printf(out, "%s\n", json_string_value(value));
}

int
policyd_print(struct dimectl *ctl, json_t *object)
{
	const char *key;
	json_t *value;

	if (ctl->json)
		return output_json(ctl, object);
	if (object == NULL)
		return fault_set(&ctl->fault, ERR_MEMORY, "out of memory");
	json_object_foreach(object, key, value)
		print_line(&ctl->output, key, value);
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

/* ---- what is known of a name ---- */

static json_t *
record_text(const struct facts_answer *answer)
{
	const struct span record = buffer_span(&answer->record);

	return record.length == 0
	    ? json_null()
	    : json_stringn((const char *)record.data, record.length);
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

/* Fingerprints of what came, which policyd has verified. */
static int
add_fingerprints(json_t *object, const struct facts_answer *answer)
{
	char org[SIGNET_FINGERPRINT_SIZE] = "";
	char core[SIGNET_FINGERPRINT_SIZE] = "";
	char full[SIGNET_FINGERPRINT_SIZE] = "";
	struct signet *signet = NULL;

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
	return json_object_set_new(object, "org", policyd_text(org)) |
	    json_object_set_new(object, "core", policyd_text(core)) |
	    json_object_set_new(object, "full", policyd_text(full));
}

static json_t *
knowledge(const char *name, const struct facts_answer *answer)
{
	const bool held = answer->record.length > 0;
	json_t *object;

	object = json_pack("{s:s, s:s, s:o, s:o, s:o, s:s}",
	    "name", name,
	    "dns", dns_answer_name(answer->facts.dns),
	    "organization", policyd_text(answer->organization),
	    "record", record_text(answer),
	    "policy", held ? policyd_text(record_policy_name(
	                         answer->facts.receiver))
	                   : json_null(),
	    "signet", signet_answer_name(answer->facts.signet));
	if (object == NULL)
		return NULL;
	if (add_fingerprints(object, answer) != 0 ||
	    json_object_set_new(object, "confirmed_by",
	        policyd_text(confirmed_by(answer))) != 0 ||
	    json_object_set_new(object, "source",
	        policyd_text(answer->source)) != 0 ||
	    json_object_set_new(object, "expires",
	        time_or_null(answer->expires)) != 0 ||
	    json_object_set_new(object, "pinned_until",
	        time_or_null(answer->pinned_until)) != 0 ||
	    json_object_set_new(object, "error",
	        answer->err == 0 ? json_null()
	                         : json_string(error_row(answer->err)->name)) !=
	        0 ||
	    json_object_set_new(object, "reason",
	        policyd_text(answer->reason)) != 0) {
		json_decref(object);
		return NULL;
	}
	return object;
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
