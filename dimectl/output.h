/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIMECTL_OUTPUT_H
#define DIME_DIMECTL_OUTPUT_H

#include "base/span.h"
#include "dime/record.h"
#include "dimectl/dimectl.h"

/* Appends `value`, indented, in ASCII, with a line end, to ctl->output and
 * gives it back. NULL, which is what jansson answers without memory, is
 * ERR_MEMORY. */
int output_json(struct dimectl *ctl, json_t *value);

/* Base64 without padding, appended or as a JSON string. */
void output_base64(struct buffer *out, struct span octets);
json_t *output_json_base64(struct span octets);

/* The fields of a record: version pok tls policy subdomain expiry deliver
 * syndicates. */
json_t *output_json_record(const struct record *record);

/* Whether octets from outside are text: valid UTF-8 whose only control
 * characters are tabs and line ends. Others are shown in base64. */
bool output_is_text(struct span octets);

/* Appends octets from outside so that they can do nothing: printable ASCII as
 * it is, `\\`, `\"`, `\r`, `\n` and `\t`, and `\xHH` for any other octet. */
void output_escaped(struct buffer *out, struct span octets);

/*
 * Appends text from outside as it may go to a terminal, all on one line: what
 * is invisible, ends lines or changes the direction of writing becomes
 * <U+202E>, an octet that is no UTF-8 <FF>.
 */
void output_text(struct buffer *out, struct span text);

#endif
