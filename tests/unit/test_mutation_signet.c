/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "tests/unit/refusal.h"
#include "tests/unit/signet_world.h"

/*
 * Signets that were cut, bent, mixed up or signed by the wrong people, and what
 * is said of each. A model of the layout (doc/signets.md, section 2) knows
 * where each field and its parts lie.
 */
enum { HEADER = 5, FIELDS = 24, SEQUENCE = FIELDS + 1, TYPES = 256 };

struct field {
	uint8_t type;
	const char *label;
	size_t start, value, end; /* offsets */
	size_t length_at;         /* of the length parameter */
	int octets;               /* that it has */
};

struct model {
	const char *name;
	const struct buffer *binary;
	bool is_org, is_request;
	struct field fields[FIELDS];
	size_t count;
};

static struct model models[] = {
    {.name = "organization", .binary = &world.org},
    {.name = "request", .binary = &world.ssr},
    {.name = "request with custody", .binary = &world.next_ssr},
    {.name = "user", .binary = &world.alice},
    {.name = "user with custody", .binary = &world.alice_next},
    {.name = "user by a SOK", .binary = &world.bob},
};

static const char *
label_of(const struct model *model, uint8_t type)
{
	return signet_field_row(LAYOUT_STANDARD, model->is_org ? SIGNET_ORG
	                                                       : SIGNET_USER,
	    type)->label;
}

static size_t
fixed_length(bool is_org, uint8_t type)
{
	if (type == 1)
		return 32;
	if (type == 2 || (is_org && type == 3))
		return 33;
	return type < 16 || type == 253 || type == 255 ? 64 : 0;
}

static int
length_octets(uint8_t type)
{
	return type < 160 ? 1 : type == 252 ? 3 : 2;
}

/* Fills in where the field at `start` has its parts. */
static void
read_field(const struct model *model, struct field *field, size_t start)
{
	const uint8_t *octets = model->binary->data;
	size_t length, at = start + 1;

	field->type = octets[start];
	field->label = label_of(model, field->type);
	field->start = start;
	length = fixed_length(model->is_org, field->type);
	if (length == 0) {
		field->octets = length_octets(field->type);
		if (field->type == 251)
			at += 1 + (size_t)octets[at];
		field->length_at = at;
		for (int i = 0; i < field->octets; i++)
			length = length << 8 | octets[at++];
	}
	field->value = at;
	field->end = at + length;
}

static void
make_model(struct model *model)
{
	size_t at = HEADER;
	const uint8_t *octets = model->binary->data;

	model->is_org = octets[1] == 0xf0;
	model->is_request = octets[1] == 0xbf;
	while (at < model->binary->length) {
		assert_true(model->count < FIELDS);
		read_field(model, &model->fields[model->count], at);
		at = model->fields[model->count++].end;
	}
	assert_int_equal(at, model->binary->length);
}

static void
set_length(struct buffer *binary)
{
	size_t length = binary->length - HEADER;

	for (int i = 0; i < 3; i++)
		binary->data[2 + i] = (uint8_t)(length >> (16 - 8 * i));
}

static struct buffer
copy_of(const struct model *model)
{
	struct buffer copy = buffer_make(100000);

	buffer_append_span(&copy, buffer_span(model->binary));
	return copy;
}

/* The whole way that a signet goes: 0, or why not. */
static int
check(struct span binary, struct fault *fault)
{
	struct org_signet *org = NULL;
	struct user_signet *user = NULL;
	struct signet *signet;
	int err;

	*fault = (struct fault){0};
	err = signet_parse(binary, &signet, fault);
	if (err != 0)
		return err;
	if (signet->magic == SIGNET_ORG)
		err = signet_verify_org(signet, world_only(POK)->keys, 1,
		    "alpha.test", &org, fault);
	else if (signet->magic == SIGNET_USER)
		err = signet_verify_user(signet, world.verified, NULL, &user,
		    fault);
	else
		err = signet_verify_own(signet, fault);
	if (org == NULL && user == NULL)
		signet_free(signet);
	org_signet_free(org);
	user_signet_free(user);
	return err;
}

/* Which signature is the first, in the order of checks, that covers the
 * type. */
static uint8_t
signature_over(const struct model *model, uint8_t type)
{
	if (!model->is_org && type <= 5)
		return 5;
	if (!model->is_org && type == 6)
		return 6;
	return type <= 253 ? 253 : 255;
}

/* The signature of that type, wherever it stands in the changed signet. */
static void
expect_bad_signature(const struct model *model, uint8_t type, int err,
    const struct fault *fault)
{
	char words[80];

	refusal_expect(err, fault, ERR_SIGNATURE,
	    "signet: field %u (%s) at offset ", type, label_of(model, type));
	snprintf(words, sizeof(words), ": not a signature by %s",
	    model->is_org     ? "its POK"
	        : type == 5 ? "its own signing key"
	                    : "the organization's POK or a SOK that may sign "
	                      "users");
	refusal_expect(err, fault, ERR_SIGNATURE, "%s", words);
}

/* ---- cuts ---- */

static bool
is_among(const struct model *model, const size_t *sequence, size_t count,
    uint8_t type)
{
	for (size_t i = 0; i < count; i++)
		if (model->fields[sequence[i]].type == type)
			return true;
	return false;
}

/* Which field is missing among these, which are in order, or 0. */
static uint8_t
missing_among(const struct model *model, const size_t *sequence, size_t count)
{
	static const uint8_t of_org[] = {1, 3}, of_user[] = {1, 2, 5, 6};
	const uint8_t *needed = model->is_org ? of_org : of_user;
	size_t need_count = model->is_org ? 2 : model->is_request ? 3 : 4;
	uint8_t last = count == 0 ? 0
	                          : model->fields[sequence[count - 1]].type;

	for (size_t i = 0; i < need_count; i++)
		if (!is_among(model, sequence, count, needed[i]))
			return needed[i];
	if (last >= 16 && !is_among(model, sequence, count, 253))
		return 253;
	if (last > 253 && !is_among(model, sequence, count, 254))
		return 254;
	return last == 254 ? 255 : 0;
}

/* Cut behind the first `count` fields, with a length that fits. */
static void
expect_border(const struct model *model, size_t count, int err,
    const struct fault *fault)
{
	size_t sequence[FIELDS];
	uint8_t missing;

	for (size_t i = 0; i < count; i++)
		sequence[i] = i;
	missing = missing_among(model, sequence, count);
	if (missing != 0)
		refusal_expect(err, fault, ERR_FORMAT,
		    "signet: field %u (%s) is missing", missing,
		    label_of(model, missing));
	else if (model->is_org && model->fields[count - 1].type < 253)
		refusal_expect(err, fault, ERR_SIGNATURE,
		    "signet: carries no signature (field 253)");
	else if (model->is_org && model->fields[count - 1].type == 253)
		refusal_expect(err, fault, ERR_MISMATCH,
		    "signet: field 254 (Signet-Identifier) is \"\", not "
		    "alpha.test");
	else /* It may be split there. */
		assert_int_equal(err, 0);
}

static void
expect_cut(const struct model *model, size_t length)
{
	const struct field *field = model->fields;
	struct buffer cut = copy_of(model);
	struct fault fault;
	int err;

	cut.length = length;
	set_length(&cut);
	err = check(buffer_span(&cut), &fault);
	while (length >= field->end)
		field++;
	if (length == field->start)
		expect_border(model, (size_t)(field - model->fields), err,
		    &fault);
	else
		refusal_expect(err, &fault, ERR_FORMAT,
		    "signet: field %u (%s) at offset %zu: runs past the end of "
		    "the signet", field->type, field->label, field->start);
	buffer_free(&cut);
}

static void
every_cut_is_named(void **state)
{
	for (size_t i = 0; i < COUNT(models); i++) {
		struct span whole = buffer_span(models[i].binary);
		struct fault fault;
		int err;

		unit_case(models[i].name);
		for (size_t length = 0; length < whole.length; length++) {
			err = check(span_slice(whole, 0, length), &fault);
			if (length < HEADER) {
				refusal_expect(err, &fault, ERR_FORMAT,
				    "signet: header at offset 0: runs past the "
				    "end, at %zu octets", length);
				continue;
			}
			refusal_expect(err, &fault, ERR_FORMAT, "signet: "
			    "header at offset 2: says %zu octets of fields, "
			    "%zu follow", whole.length - HEADER,
			    length - HEADER);
			expect_cut(&models[i], length);
		}
	}
}

/* ---- lengths and types ---- */

static void
expect_length(const struct model *model, const struct field *field,
    size_t length)
{
	struct buffer changed = copy_of(model);
	struct fault fault;
	int err;

	for (int i = 0; i < field->octets; i++)
		changed.data[field->length_at + (size_t)i] =
		    (uint8_t)(length >> (8 * (field->octets - 1 - i)));
	err = check(buffer_span(&changed), &fault);
	if (length > model->binary->length - field->value)
		refusal_expect(err, &fault, ERR_FORMAT,
		    "signet: field %u (%s) at offset %zu: runs past the end of "
		    "the signet", field->type, field->label, field->start);
	else /* What follows is read from the wrong place. */
		refusal_expect(err, &fault, err == ERR_SIGNATURE ? err
		                                                 : ERR_FORMAT,
		    "signet: field ");
	buffer_free(&changed);
}

static void
every_length_is_checked(void **state)
{
	for (size_t i = 0; i < COUNT(models); i++)
		for (size_t j = 0; j < models[i].count; j++) {
			const struct field *field = &models[i].fields[j];
			size_t good = field->end - field->value;
			size_t left = models[i].binary->length - field->value;
			const size_t most = ((size_t)1 << 8 * field->octets) -
			    1;
			const size_t lengths[] = {0, 1, good - 1, good + 1,
			    good + 2, left, left + 1, most / 2, most};

			for (size_t k = 0; k < COUNT(lengths) &&
			     field->octets > 0; k++)
				if (lengths[k] != good && lengths[k] <= most)
					expect_length(&models[i], field,
					    lengths[k]);
		}
}

static bool
is_reserved(bool is_org, unsigned int type)
{
	return type == 0 || (type > (is_org ? 3 : 6) && type < 16);
}

static void
every_type_is_checked(void **state)
{
	for (size_t i = 0; i < COUNT(models); i++)
		for (size_t j = 0; j < models[i].count * TYPES; j++) {
			const struct field *field =
			    &models[i].fields[j / TYPES];
			unsigned int type = j % TYPES;
			struct buffer changed = copy_of(&models[i]);
			struct fault fault;
			int err;

			changed.data[field->start] = (uint8_t)type;
			err = type == field->type
			    ? ERR_FORMAT
			    : check(buffer_span(&changed), &fault);
			if (type != field->type &&
			    is_reserved(models[i].is_org, type))
				refusal_expect(err, &fault, ERR_FORMAT,
				    "signet: field %u at offset %zu: the type "
				    "is reserved", type, field->start);
			else if (type != field->type)
				refusal_expect(err, &fault,
				    err == ERR_SIGNATURE ? err : ERR_FORMAT,
				    "signet: field ");
			buffer_free(&changed);
		}
}

/* ---- another sequence ---- */

static bool
may_repeat(const struct model *model, uint8_t type)
{
	return type == 21 || type == 251 ||
	    type == (model->is_org ? 2 : 202);
}

/* The fields of the model in this sequence must be refused for what the rules
 * say of it. */
static void
expect_sequence(const struct model *model, const size_t *sequence,
    size_t count)
{
	struct buffer binary = buffer_make(100000);
	const char *rule = NULL;
	size_t bad = 0, offset = 0;
	uint8_t missing, touched = 0;
	struct fault fault;
	int err;

	buffer_append(&binary, model->binary->data, HEADER);
	for (size_t i = 0; i < count; i++) {
		const struct field *field = &model->fields[sequence[i]];
		int last = i == 0 ? 0 : model->fields[sequence[i - 1]].type;

		if (rule == NULL && (field->type < last ||
		    (field->type == last && !may_repeat(model, last)))) {
			rule = field->type < last
			    ? "stands behind a field with a higher type"
			    : "stands more than once";
			bad = sequence[i];
			offset = binary.length;
		}
		if (touched == 0 && sequence[i] != i)
			touched = model->fields[sequence[i] < i ? sequence[i]
			                                        : i].type;
		buffer_append(&binary, model->binary->data + field->start,
		    field->end - field->start);
	}
	set_length(&binary);
	err = check(buffer_span(&binary), &fault);
	missing = missing_among(model, sequence, count);
	if (rule != NULL)
		refusal_expect(err, &fault, ERR_FORMAT,
		    "signet: field %u (%s) at offset %zu: %s",
		    model->fields[bad].type, model->fields[bad].label, offset,
		    rule);
	else if (missing != 0)
		refusal_expect(err, &fault, ERR_FORMAT,
		    "signet: field %u (%s) is missing", missing,
		    label_of(model, missing));
	else if (touched != 0)
		expect_bad_signature(model, signature_over(model, touched),
		    err, &fault);
	buffer_free(&binary);
}

static void
other_sequences_are_refused(void **state)
{
	for (size_t i = 0; i < COUNT(models); i++) {
		const struct model *model = &models[i];

		unit_case(model->name);
		for (size_t j = 0; j + 1 < model->count; j++) {
			size_t without[SEQUENCE], twice[SEQUENCE];
			size_t swapped[SEQUENCE], count = 0;

			for (size_t k = 0; k < model->count; k++) {
				swapped[k] = k == j ? k + 1
				    : k == j + 1    ? j
				                    : k;
				twice[k] = k <= j ? k : k - 1;
				if (k != j)
					without[count++] = k;
			}
			twice[model->count] = model->count - 1;
			expect_sequence(model, without, count);
			expect_sequence(model, twice, model->count + 1);
			expect_sequence(model, swapped, model->count);
		}
	}
}

/* ---- bits ---- */

/* The field's value is flipped, so that the signature over it is bad, or it
 * cannot be at all. */
static void
expect_value_flipped(const struct model *model, const struct field *field,
    int err,
    const struct fault *fault)
{
	if (err == ERR_FORMAT)
		refusal_expect(err, fault, ERR_FORMAT,
		    "signet: field %u (%s) at offset %zu: not a %s",
		    field->type, field->label, field->start,
		    field->type == 1 ? "valid Ed25519 key"
		        : field->type == 254
		        ? model->is_org ? "lower-case domain name"
		                        : "lower-case mail address"
		        : "compressed point of secp256k1");
	else if (model->is_org && field->type == 1)
		refusal_expect(err, fault, ERR_MISMATCH, "signet: field 1 "
		    "(Primary-Organizational-Key) at offset 5: none of the "
		    "domain's keys");
	else
		expect_bad_signature(model, signature_over(model, field->type),
		    err, fault);
}

static void
every_flip_is_refused(void **state)
{
	for (size_t i = 0; i < COUNT(models); i++) {
		const struct model *model = &models[i];
		struct buffer changed = copy_of(model);
		const struct field *field = model->fields;

		unit_case(model->name);
		for (size_t bit = 0; bit < changed.length * 8; bit++) {
			struct fault fault;
			int err;

			changed.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
			err = check(buffer_span(&changed), &fault);
			while (bit / 8 >= field->end)
				field++;
			if (bit / 8 < HEADER)
				refusal_expect(err, &fault, ERR_FORMAT,
				    "signet: header at offset %d: %s",
				    bit / 8 < 2 ? 0 : 2,
				    bit / 8 < 2 ? "magic number " : "says ");
			else if (bit / 8 >= field->value)
				expect_value_flipped(model, field, err, &fault);
			else
				refusal_expect(err, &fault,
				    err == ERR_SIGNATURE ? err : ERR_FORMAT,
				    "signet: field ");
			changed.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
		}
		buffer_free(&changed);
	}
}

static int
start(void **state)
{
	int err = world_start(state);
	struct fault fault;

	for (size_t i = 0; err == 0 && i < COUNT(models); i++) {
		make_model(&models[i]);
		assert_int_equal(check(buffer_span(models[i].binary), &fault),
		    0);
	}
	return err;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_cut_is_named),
	    cmocka_unit_test(every_length_is_checked),
	    cmocka_unit_test(every_type_is_checked),
	    cmocka_unit_test(other_sequences_are_refused),
	    cmocka_unit_test(every_flip_is_refused),
	};

	return cmocka_run_group_tests(tests, start, world_end);
}
