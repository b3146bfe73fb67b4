# SPDX-License-Identifier: BSD-2-Clause
"""Where GMime finds other parts than we mean to find: the reason, and for each
message the content chunks that we make of it."""

DIFFERS = {
    "GMime passes over a line that is no header field and reads on; for a mail "
    "server, and for us, the header ends there": {
        "fields-line-without-a-colon": "67",
        "fields-line-of-white-space-in-a-name": "67",
        "fields-8-bit-in-a-name": "67",
        "fields-nul-in-a-name": "67",
        "fields-nothing-before-the-colon": "67",
        "fields-mbox-line-first": "67",
        "fields-mbox-line-within": "67",
        "fields-quoted-mbox-line": "67",
        "fields-begins-with-a-mark": "67",
        "delimiters-header-ended-by-text": "67",
        "delimiters-header-that-starts-with-a-fold": "67",
        "delimiters-mbox-line-in-a-part": "67 67",
    },
    "GMime takes a CR by itself for white space, or for a line end": {
        "fields-cr-alone": "67",
        "delimiters-cr-cr-lf": "67",
    },
    "GMime finds no header around a field name longer than its buffer": {
        "fields-long-name": "67",
    },
    "GMime takes the last of two fields, we the first": {
        "boundaries-type-twice-multipart-first": "65 67 67 131",
        "boundaries-type-twice-text-first": "67",
        "boundaries-part-twice": "67 67 67",
        "boundaries-disposition-twice": "67 67 67",
    },
    "GMime does not read a comment there": {
        "boundaries-comment-behind": "65 67 67 131",
        "boundaries-disposition-comment": "67 131 131",
    },
    "GMime keeps a space at the end of a boundary, where RFC 2046 has none": {
        "boundaries-trailing-space-in-quotes": "65 67 67 131",
    },
    "GMime decodes an encoded word, which RFC 2047 forbids in a parameter": {
        "boundaries-encoded-word": "67 67",
    },
    "RFC 2046 ends boundaries at 70 octets, GMime does not": {
        "boundaries-71-octets": "67",
        "boundaries-1000-octets": "67",
    },
    "GMime makes octets of a type that cannot be read, RFC 2045 text": {
        "boundaries-part-empty": "67 67 67",
        "boundaries-part-no-slash": "67 67 67",
        "boundaries-part-no-subtype": "67 67 67",
        "boundaries-part-no-type": "67 67 67",
    },
    "GMime has no part where not even an empty line follows the delimiter": {
        "delimiters-cut-in-the-delimiter": "67 67",
        "delimiters-cut-behind-the-delimiter": "67 67",
        "delimiters-doubled": "67 67 67",
        "delimiters-empty-parts": "67 67 67",
    },
    "GMime finds no part in a multipart whose header its delimiter ends": {
        "delimiters-inner-header-ended-by-its-delimiter": "65 67",
    },
    "a line that fits two multiparts is the inner one's for GMime, the outer "
    "one's for us": {
        "delimiters-inner-a---is-longer": "131",
        "delimiters-same-boundary": "131 131 131",
        "multiparts-letter-same-boundary": "67 131 131 131",
    },
}
