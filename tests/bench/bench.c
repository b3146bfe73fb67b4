/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "dime/armor.h"
#include "tests/bench/floor.h"
#include "tests/bench/letter.h"
#include "tests/bench/primitive.h"
#include "tests/unit/message_world.h"

/*
 * How fast messages are sealed and opened, beside the floor, and the memory that
 * it takes. tests/bench/README.md says how to read what this prints.
 *
 * usage: bench
 *        bench --peak seal|open FILE    (what it runs itself with)
 */

enum {
	KIB = 1024,
	MIB = 1024 * KIB,
	ROUNDS_LEAST = 15,
	ROUNDS_MOST = 2000,
	LIBRARIES_MOST = 256 * KIB,
	MEMORY_FACTOR = 3, /* of the mail, and so many MiB: what is allowed */
	MEMORY_CONSTANT = 16,
};

static const double seconds_each = 2;

struct bench_case {
	enum letter_kind kind;
	size_t length;
};

static const struct bench_case cases[] = {
    {LETTER_TEXT, 2 * KIB},
    {LETTER_RANDOM, 2 * KIB},
    {LETTER_TEXT, 64 * KIB},
    {LETTER_ATTACHMENT, 64 * KIB},
    {LETTER_TEXT, 5 * MIB},
    {LETTER_ATTACHMENT, 5 * MIB},
    {LETTER_RANDOM, 5 * MIB},
};

static const struct bench_case peaks[] = {
    {LETTER_TEXT, 32 * MIB},
    {LETTER_ATTACHMENT, 32 * MIB},
    {LETTER_RANDOM, 32 * MIB},
};

static struct signer author_signer, origin_signer;

/* ---- what is measured ---- */

static void
check(int err, const struct fault *fault)
{
	if (err == 0)
		return;
	fprintf(stderr, "bench: %s\n", fault->text);
	exit(1);
}

static void
seal(struct span mime, struct buffer *out)
{
	struct fault fault = {0};
	struct random_source random;
	struct message_seal job = {
	    .parties = world_parties(),
	    .author_signer = author_signer,
	    .origin_signer = origin_signer,
	    .random = &random,
	};

	random_start(&random);
	check(message_seal(&job, mime, out, &fault), &fault);
	random_end(&random);
}

static struct message *
unlock(struct span binary)
{
	struct fault fault = {0};
	struct message *message;

	check(message_parse(binary, &message, &fault), &fault);
	check(message_unlock(message, MESSAGE_RECIPIENT,
	    agreer_of_scalar(world.keys[WORLD_BOB]), &fault), &fault);
	return message;
}

static void
open_message(const struct message *message, struct buffer *mime)
{
	const struct message_parties parties = world_parties();
	char sender[ADDRESS_SIZE];
	struct fault fault = {0};

	check(message_open(message, &parties, WORLD_LIMIT, mime, sender,
	    &fault), &fault);
}

static void
seal_once(struct span mime)
{
	struct buffer out = buffer_make(WORLD_LIMIT);

	seal(mime, &out);
	buffer_free(&out);
}

static void
open_once(struct span binary)
{
	struct buffer mime = buffer_make(WORLD_LIMIT);
	struct message *message = unlock(binary);

	open_message(message, &mime);
	buffer_free(&mime);
	message_free(message);
}

static void
armor_once(struct span binary)
{
	struct buffer text = buffer_make(WORLD_LIMIT);

	armor_write(ARMOR_MESSAGE, binary, &text);
	buffer_free(&text);
}

static void
unarmor_once(struct span text)
{
	struct buffer binary = buffer_make(WORLD_LIMIT);
	struct fault fault = {0};
	enum armor_kind kind;

	check(armor_read(text, &kind, &binary, &fault), &fault);
	buffer_free(&binary);
}

/* ---- measuring ---- */

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), by_size);
	return values[count / 2];
}

/* Runs the two in turn; floor may be NULL. Prints one row. */
static void
compare(const char *kind, size_t length, const char *what,
    void (*once)(struct span), struct span input, struct floor *floor)
{
	static double ours[ROUNDS_MOST], floors[ROUNDS_MOST];
	static double ratios[ROUNDS_MOST];
	double begun = primitive_now(), start, middle, ours_us, floor_us;
	size_t count = 0;

	while (count < ROUNDS_MOST && (count < ROUNDS_LEAST ||
	    primitive_now() - begun < seconds_each)) {
		start = primitive_now();
		once(input);
		middle = primitive_now();
		ours[count] = (middle - start) * 1e6;
		if (floor != NULL)
			floor_run(floor);
		floors[count] = (primitive_now() - middle) * 1e6;
		ratios[count] = ours[count] / floors[count];
		count++;
	}
	ours_us = median(ours, count);
	floor_us = median(floors, count);
	printf("%-10s %5zu KiB  %-7s %9.1f %11.1f", kind, length / KIB, what,
	    1e6 / ours_us, ours_us);
	if (floor != NULL)
		printf(" %11.1f %7.2f", floor_us, median(ratios, count));
	else
		printf(" %11s %7s", "-", "-");
	printf("\n");
	fflush(stdout);
}

static void
run_case(const struct bench_case *row)
{
	struct buffer mime = buffer_make(WORLD_LIMIT);
	struct buffer sealed = buffer_make(WORLD_LIMIT);
	struct buffer armored = buffer_make(WORLD_LIMIT);
	const char *kind = letter_name(row->kind);
	struct floor *seal_floor, *open_floor;
	struct message *message;

	letter_write(row->kind, row->length, &mime);
	seal(buffer_span(&mime), &sealed);
	armor_write(ARMOR_MESSAGE, buffer_span(&sealed), &armored);
	message = unlock(buffer_span(&sealed));
	seal_floor = floor_of_seal(message, buffer_span(&mime));
	compare(kind, row->length, "seal", seal_once, buffer_span(&mime),
	    seal_floor);
	floor_free(seal_floor);
	open_floor = floor_of_open(message);
	compare(kind, row->length, "open", open_once, buffer_span(&sealed),
	    open_floor);
	floor_free(open_floor);
	compare(kind, row->length, "armor", armor_once, buffer_span(&sealed),
	    NULL);
	compare(kind, row->length, "unarmor", unarmor_once,
	    buffer_span(&armored), NULL);
	message_free(message);
	buffer_free(&mime);
	buffer_free(&sealed);
	buffer_free(&armored);
}

/* ---- Ed25519 by length ---- */

static void
our_sign(struct span data, uint8_t signature[static CRYPTO_SIGNATURE])
{
	author_signer.sign(&author_signer, data, signature);
}

static void
our_verify(struct span data, const uint8_t signature[static CRYPTO_SIGNATURE])
{
	if (!crypto_ed25519_verify(world.alice->signing, data, signature))
		exit(1);
}

static const struct contender {
	const char *name;
	primitive_sign *sign;
	primitive_verify *verify;
} contenders[] = {
    {"libsodium", primitive_sign_sodium, primitive_verify_sodium},
    {"OpenSSL", primitive_sign_openssl, primitive_verify_openssl},
    {"ours", our_sign, our_verify},
};

/* The best times of both, in microseconds. */
static void
time_contender(const struct contender *contender, struct span data,
    double *sign, double *verify)
{
	uint8_t signature[CRYPTO_SIGNATURE];

	*sign = *verify = 1e9;
	for (int i = 0; i < ROUNDS_LEAST; i++) {
		double start = primitive_now(), middle, end;

		contender->sign(data, signature);
		middle = primitive_now();
		contender->verify(data, signature);
		end = primitive_now();
		if ((middle - start) * 1e6 < *sign)
			*sign = (middle - start) * 1e6;
		if ((end - middle) * 1e6 < *verify)
			*verify = (end - middle) * 1e6;
	}
}

static void
print_libraries(void)
{
	uint8_t *octets = calloc(1, LIBRARIES_MOST);
	double sign[COUNT(contenders)], verify[COUNT(contenders)];

	printf("\nEd25519, us:  ");
	for (size_t i = 0; i < COUNT(contenders); i++)
		printf(" sign %-9s", contenders[i].name);
	for (size_t i = 0; i < COUNT(contenders); i++)
		printf(" verify %-9s", contenders[i].name);
	printf("\n");
	for (size_t n = KIB; octets != NULL && n <= LIBRARIES_MOST; n *= 2) {
		printf("%10zu KiB", n / KIB);
		for (size_t i = 0; i < COUNT(contenders); i++)
			time_contender(&contenders[i], span_of(octets, n),
			    &sign[i], &verify[i]);
		for (size_t i = 0; i < COUNT(contenders); i++)
			printf(" %14.1f", sign[i]);
		for (size_t i = 0; i < COUNT(contenders); i++)
			printf(" %16.1f", verify[i]);
		printf("\n");
	}
	free(octets);
}

/* ---- memory ---- */

/* The most memory, in KiB, that this process has had in use. */
static long
peak_kib(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[256];
	long kib = -1;

	while (status != NULL && fgets(line, sizeof(line), status) != NULL)
		if (sscanf(line, "VmHWM: %ld", &kib) == 1)
			break;
	if (status != NULL)
		fclose(status);
	return kib;
}

/* One seal or opening of a file, in a process that does nothing else. */
static void
do_peak(const char *what, const char *path)
{
	struct buffer input = buffer_make(WORLD_LIMIT);
	struct buffer output = buffer_make(WORLD_LIMIT);
	struct message *message = NULL;
	struct fault fault = {0};

	check(file_read(path, &input, &fault), &fault);
	if (strcmp(what, "seal") == 0) {
		seal(buffer_span(&input), &output);
	} else {
		message = unlock(buffer_span(&input));
		buffer_free(&input);
		open_message(message, &output);
	}
	printf("%ld\n", peak_kib());
	message_free(message);
	buffer_free(&input);
	buffer_free(&output);
}

static void
print_peak(const char *self, const char *kind, size_t length, const char *what,
    const char *path)
{
	char command[512];
	long kib = -1;
	FILE *child;

	snprintf(command, sizeof(command), "'%s' --peak %s %s", self, what,
	    path);
	child = popen(command, "r");
	if (child == NULL || fscanf(child, "%ld", &kib) != 1 ||
	    pclose(child) != 0) {
		fprintf(stderr, "bench: %s failed\n", command);
		exit(1);
	}
	printf("%-10s %5zu KiB  %-7s %9.1f %11zu\n", kind, length / KIB, what,
	    (double)kib / KIB,
	    MEMORY_FACTOR * length / MIB + MEMORY_CONSTANT);
}

static void
run_peak(const char *self, const struct bench_case *row, const char *directory)
{
	struct buffer mime = buffer_make(WORLD_LIMIT);
	struct buffer sealed = buffer_make(WORLD_LIMIT);
	struct fault fault = {0};
	char path[128];

	snprintf(path, sizeof(path), "%s/input", directory);
	letter_write(row->kind, row->length, &mime);
	seal(buffer_span(&mime), &sealed);
	check(file_write(path, buffer_span(&mime), 0600, true, &fault), &fault);
	buffer_free(&mime);
	print_peak(self, letter_name(row->kind), row->length, "seal", path);
	check(file_write(path, buffer_span(&sealed), 0600, true, &fault),
	    &fault);
	buffer_free(&sealed);
	print_peak(self, letter_name(row->kind), row->length, "open", path);
	unlink(path);
}

static void
run_all(const char *self)
{
	char directory[] = "/tmp/dimegate-bench-XXXXXX";

	printf("%-10s %9s  %-7s %9s %11s %11s %7s\n", "mail", "size", "",
	    "messages/s", "us", "floor us", "ratio");
	for (size_t i = 0; i < COUNT(cases); i++)
		run_case(&cases[i]);
	print_libraries();
	printf("\n%-10s %9s  %-7s %9s %11s\n", "mail", "size", "", "peak MiB",
	    "allowed MiB");
	if (mkdtemp(directory) == NULL) {
		perror("bench: /tmp");
		exit(1);
	}
	for (size_t i = 0; i < COUNT(peaks); i++)
		run_peak(self, &peaks[i], directory);
	rmdir(directory);
}

int
main(int count, char **arguments)
{
	bool is_child = count == 4 && strcmp(arguments[1], "--peak") == 0;

	if (count != 1 && !is_child) {
		fprintf(stderr, "usage: bench\n");
		return 64;
	}
	if (world_start(NULL) != 0)
		return 1;
	primitive_start();
	author_signer = signer_of_seed(world.keys[WORLD_ALICE]);
	origin_signer = signer_of_seed(world.keys[WORLD_ALPHA]);
	if (is_child)
		do_peak(arguments[2], arguments[3]);
	else
		run_all(arguments[0]);
	primitive_end();
	world_end(NULL);
	return 0;
}
