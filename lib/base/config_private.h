/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_BASE_CONFIG_PRIVATE_H
#define DIME_BASE_CONFIG_PRIVATE_H

#include <confuse.h>

#include "base/config.h"

/* What config.c and config_rule.c share. */

/* Puts blanks in place of comments: libConfuse 3.3 counts a line with one as
 * several, so that the lines it names would not be the file's. */
void config_blank_comments(struct buffer *text);

/* Which of the words between '|' the text is, from 0 on; -1: none. */
int config_word_index(const char *words, const char *text);

/* Complains unless `value` is one of the words; for libConfuse's validation. */
int config_check_word(cfg_t *parsed, const char *key, const char *words,
    const char *value);

/* Describes the section `rule` to libConfuse, which copies it all. */
void config_rule_describe(cfg_opt_t *option);

/* Has libConfuse check each key, and each rule as a whole. */
void config_rule_validate(cfg_t *parsed);

/* Forgets where the rule begins that an earlier file left unfinished. */
void config_rule_start(void);

/* The list of rules; names point into `parsed`. Freed in any case by
 * config_rule_free(). */
int config_rule_collect(cfg_t *parsed, struct rules *rules,
    struct fault *fault);
void config_rule_free(struct rules *rules);

#endif
