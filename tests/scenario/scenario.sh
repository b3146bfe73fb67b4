# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
#
# What the scenarios share. A scenario is a script that tests/scenario/run runs in
# a demo's world; it says why it fails and exits 1. Nothing sleeps: whatever is
# expected is waited for with a deadline.

set -eu
# Whoever ends a scenario lets it put back what it has changed.
trap 'exit 1' HUP INT TERM
: "${TOP:?run by tests/scenario/run}" "${WORLD:?}" "${BUILD:?}"
. "$TOP/contrib/demo/world.sh"

SCRATCH=$WORLD/scratch/$(basename "$0")
rm -rf "$SCRATCH"
mkdir -p "$SCRATCH"
LETTER=$SCRATCH/letter
PATIENCE=45

# The scenario's own word: in the Message-ID, the subject and the text.
WORD=$(basename "$0" | tr -cd '[:alpha:]')$(openssl rand -hex 6)

fail() {
	printf '%s\n' "$*" | tee "$SCRATCH/reason"
	exit 1
}

# letter [FROM-LINE]: writes a message to $LETTER. The text has what a careless
# gateway would change.
letter() {
	cat >"$LETTER" <<-END
	From: ${1:-Alice <alice@alpha.test>}
	To: somebody:;
	Subject: subject of $WORD
	Date: $(date -R)
	Message-ID: <$WORD@alpha.test>
	X-Odd:  two blanks,
	 	and a folded	line with trailing blanks  
	MIME-Version: 1.0
	Content-Type: text/plain; charset=utf-8
	Content-Transfer-Encoding: 8bit

	Text of $WORD. Grüße.
	.
	..dots, trailing blanks  
	From the beginning of a line

	$(head -c 3000 /dev/zero | tr '\0' x)
	END
}

log_of() {
	echo "$WORLD/$1/log/mail.log"
}

# Lines that a log has got since mark(), by default since the scenario began.
mark() {
	wc -c <"$1" >"$SCRATCH/mark.$(echo "$1" | tr / _)"
}
since_mark() {
	tail -c "+$(($(cat "$SCRATCH/mark.$(echo "$1" | tr / _)") + 1))" "$1"
}

for domain in $ALL_DOMAINS; do
	mark "$(log_of "$domain")"
done

# ---- mailboxes ----

# mails_of ADDRESS [WORD]: files of the mailbox that have the word.
mails_of() {
	grep -rlaF -- "${2:-$WORD}" "$WORLD/${1##*@}/mail/${1%@*}/new" \
		2>/dev/null || :
}

mail_count() {
	mails_of "$@" | wc -l
}

has_mail() {
	[ "$(mail_count "$1")" -ge 1 ]
}

flush() {
	local domain
	for domain in $ALL_DOMAINS; do
		postfix_run "$domain" postqueue -f
	done
}

# Messages in the queues of all domains.
queued() {
	local domain
	for domain in $ALL_DOMAINS; do
		postfix_run "$domain" postqueue -j
	done
}

queues_are_empty() { [ -z "$(queued)" ]; }

# eventually COMMAND...: waits for it, and has the queues tried again meanwhile.
eventually() {
	local end
	end=$(($(date +%s) + PATIENCE))
	until wait_until 3 "$@"; do
		[ "$(date +%s)" -lt "$end" ] || return 1
		flush
	done
}

# Waits until each of the addresses has the letter once, octet for octet, and
# nothing is left in any queue.
delivered_once() {
	local address
	for address; do
		eventually has_mail "$address" ||
			fail "$address did not get the letter"
	done
	eventually queues_are_empty || fail "mail is left in a queue"
	for address; do
		[ "$(mail_count "$address")" -eq 1 ] ||
			fail "$address has the letter $(mail_count "$address") times"
		is_letter "$(mails_of "$address")" ||
			fail "$address has other octets than were sent"
	done
}

is_letter() {
	without_delivery_fields "$1" | cmp -s - "$LETTER"
}

# came_dark ADDRESS [VERDICT]: it came over DIME; by default from its author.
came_dark() {
	local results
	results=$(results_of "$(mails_of "$1")")
	echo "$results" | grep -q "dime=${2:-pass} " ||
		fail "$1's mail has not dime=${2:-pass} but: $results"
}

# nothing_naked DOMAIN...: since the scenario began neither DIME domain has tried to
# send plain SMTP to beta.test or alpha.test, and the letter did not come in to
# DOMAIN in clear. (A Postfix logs the Message-ID of what comes in to it: the
# letter's when it is naked, none when it is sealed.)
nothing_naked() {
	local domain
	for domain in $DIME_DOMAINS; do
		! since_mark "$(log_of "$domain")" |
			grep -E 'postfix/smtp\[.* to=<[^>]*@(alpha|beta)\.test>' ||
			fail "$domain tried to send naked"
	done
	for domain; do
		! grep -qF "message-id=<$WORD@" "$(log_of "$domain")" ||
			fail "the letter came naked to $domain"
	done
}

# ---- the queue ----

# deferred_for DOMAIN ADDRESS: ids of messages that a delivery to ADDRESS was tried
# for, and that wait for the next.
deferred_for() {
	postfix_run "$1" postqueue -j | grep '"queue_name": "deferred"' |
		grep -F "\"address\": \"$2\"" |
		sed -n 's/.*"queue_id": "\([^"]*\)".*/\1/p'
}

is_deferred() {
	[ -n "$(deferred_for "$@")" ]
}

# ---- what policyd knows ----

# Lets a domain's policyd forget all that it knows of others: memory, resolver,
# Redis.
policyd_forgets() {
	local name
	for name in $DIME_DOMAINS; do
		dimectl "$1" cache forget "$name" >/dev/null
	done
	program_stop "$1" dime-policyd
	redis-cli -s "$WORLD/$1/run/redis" flushall >/dev/null
	program_start "$1" dime-policyd
}

# ---- the site's rules ----

# rule_set DOMAIN LINES: adds to the domain's configuration what a scenario wants,
# until rule_reset() or the scenario's end.
rule_set() {
	local conf
	conf=$WORLD/$1/etc/dimegate.conf
	trap rule_clean EXIT
	[ -e "$conf.before" ] || cp -p "$conf" "$conf.before"
	{
		cat "$conf.before"
		printf '%s\n' "$2"
	} >"$conf"
}

# policyd_said DOMAIN PATTERN: since the last mark of its log.
policyd_said() {
	since_mark "$WORLD/$1/log/dime-policyd.log" | grep -q "$2"
}

# How often the domain's policyd and milter have read their configuration again.
reloads() {
	cat "$WORLD/$1"/log/dime-policyd.log "$WORLD/$1"/log/dime-milter.log |
		grep -cE 'event=(reload .*done|reloaded)' || :
}
has_reloads() {
	[ "$(reloads "$1")" -ge "$2" ]
}

# Has them read it.
rule_reload() {
	local wanted
	wanted=$(($(reloads "$1") + 2))
	process_signal HUP "$1/dime-policyd"
	process_signal HUP "$1/dime-milter"
	wait_until 10 has_reloads "$1" "$wanted" ||
		fail "$1 did not read its configuration again"
}

# Puts back what was.
rule_reset() {
	mv "$WORLD/$1/etc/dimegate.conf.before" "$WORLD/$1/etc/dimegate.conf"
	rule_reload "$1"
}
rule_clean() {
	local domain
	for domain in $DIME_DOMAINS; do
		[ ! -e "$WORLD/$domain/etc/dimegate.conf.before" ] ||
			rule_reset "$domain"
	done
}
