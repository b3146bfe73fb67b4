/* SPDX-License-Identifier: BSD-2-Clause */
#include "dimectl/policyd.h"
#include "dimectl/verbs.h"

/* The counters come as lines `name number`. */
static json_t *
read_counters(struct span text)
{
	json_t *object = json_object();
	struct span line;
	char name[64];

	while (object != NULL && span_next_line(&text, &line)) {
		const uint8_t *space = memchr(line.data, ' ', line.length);
		const size_t length =
		    space == NULL ? 0 : (size_t)(space - line.data);
		uint64_t number;

		if (!span_copy_string(span_slice(line, 0, length), name,
		        sizeof(name)) || length == 0 ||
		    !span_number(span_slice(line, length + 1, line.length),
		        INT64_MAX, &number))
			continue;
		if (json_object_set_new(object, name,
		        json_integer((json_int_t)number)) != 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

int
verb_status(struct dimectl *ctl, int count, char **words)
{
	static const struct option_row options[] = {{.kind = OPTION_END}};
	struct facts_request request = {.verb = FACTS_STATUS, .from = "",
	    .to = "", .fingerprint = "", .wait = 1000};
	struct facts_answer answer;
	int err;

	err = option_read(ctl, count, words, options, NULL, 0, 0);
	if (err != 0)
		return err;
	err = policyd_ask(ctl, &request, &answer);
	if (err == 0)
		err = policyd_print(ctl,
		    read_counters(buffer_span(&answer.text)));
	facts_answer_free(&answer);
	return err;
}
