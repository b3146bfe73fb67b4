/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz.h"

#include "dmtpd/tally.h"

enum { NOW = 1700000000 };

static int64_t
now(const struct clock *clock)
{
	return NOW;
}

/* Whatever it is, its node is heard and its mark kept, or neither; and what
 * others have counted is not told on. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct clock clock = {now, now};
	static const struct tally_limits limits = {{1, 60, 10000000}};
	static struct rates *rates; /* one for all inputs */
	const struct span text = span_of(data, size);
	struct buffer out = buffer_make(TALLY_SIZE);
	struct tally tally;

	if (rates == NULL)
		FUZZ_CHECK((rates = rates_new(&clock)) != NULL);
	tally_start(&tally, &clock);
	for (uint64_t heard = 1; heard <= 2; heard++) {
		tally_read(&tally, text, &limits, rates);
		FUZZ_CHECK(tally.mark_length ==
		    (size < TALLY_HEAD ? 0 : TALLY_MARK));
		FUZZ_CHECK(span_equal(span_of(tally.mark, tally.mark_length),
		    span_slice(text, 0, tally.mark_length)));
		FUZZ_CHECK(tally.heard == (size < TALLY_HEAD ? 0 : heard));
	}
	FUZZ_CHECK(tally_write(&tally, rates, &out) == 0 && out.length == 0);
	buffer_free(&out);
	return 0;
}
