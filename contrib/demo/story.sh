# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
#
# The demo's story: one message to three people, and what happened to it. Every
# figure is read from queues, mailboxes and logs; every claim is a check().

STORY_SECONDS=30

if [ -t 1 ]; then
	BOLD=$(printf '\033[1m') GREEN=$(printf '\033[32m')
	RED=$(printf '\033[31m') PLAIN=$(printf '\033[0m')
else
	BOLD='' GREEN='' RED='' PLAIN=''
fi

chapter() {
	printf '\n%s%s%s\n\n' "$BOLD" "$*" "$PLAIN"
}

say() {
	printf '%s\n' "$@" | sed 's/^/   /'
}

quote() {
	sed 's/\r$//; s/^/   | /'
}

# check WHAT COMMAND...: says whether it holds.
check() {
	local what
	what=$1
	shift
	if "$@"; then
		printf '   %sok%s      %s\n' "$GREEN" "$PLAIN" "$what"
	else
		printf '   %sFAILED%s  %s\n' "$RED" "$PLAIN" "$what"
		story_failed=yes
	fi
}

story() {
	story_failed=no
	letter=$WORLD/letter
	sed -e "s/@DATE@/$(date -R)/" -e "s/@ID@/$(date +%s%N)/" \
		"$TOP/contrib/demo/letter" >"$letter"
	story_send
	story_sealed
	story_arrived
	story_naked
	story_hops
	story_verdict
	[ "$story_failed" = no ]
}

# ---- the log of a Postfix ----

# sent DOMAIN ADDRESS [QUEUE-ID]: the log lines of deliveries that succeeded.
sent() {
	grep "${3:-[A-Za-z0-9]*}: to=<$2>,.* status=sent" \
		"$WORLD/$1/log/mail.log"
}

# Seconds that the last of the deliveries on standard input took: connecting and
# transmitting, without the time spent in queues.
seconds() {
	sed -n 's|.* delays=[^/]*/[^/]*/\([^/]*\)/\([^,]*\),.*|\1 \2|p' |
		awk '{t = $1 + $2} END {printf "%.2f s", t}'
}

# ---- the chapters ----

story_send() {
	chapter "1  Alice writes to Bob, Carol and Dave"
	say "Her mail program hands this to mx.alpha.test, port 587:" ""
	quote <"$letter"
	reply=$(submit alice@alpha.test "$letter" bob@beta.test \
		carol@beta.test dave@gamma.test) ||
		die "alpha.test did not take Alice's message."
	queue_id=${reply##*queued as }
	say "" "Postfix answered: $reply"
	wait_for_mail_of_queue || die "The sealed copies did not get to" \
		"alpha.test's queue within $STORY_SECONDS seconds."
}

# queued_as ADDRESS QUEUE-ID: the queue id that the next hop of it gave.
queued_as() {
	sent alpha.test "$1" "$2" | sed -n 's/.*queued as \(.*\))$/\1/p'
}

# The sealed copy's queue id: the one after DIME-OUT's own.
sealed_id() {
	local id
	id=$(queued_as "$1" "$queue_id")
	[ -z "$id" ] || queued_as "$1" "$id"
}

sealed_copies_wait() {
	local user id
	for user in bob carol; do
		id=$(sealed_id "$user@beta.test")
		[ -n "$id" ] && grep -q "$id: .*status=deferred" \
			"$WORLD/alpha.test/log/mail.log" || return 1
	done
}

wait_for_mail_of_queue() {
	wait_until 5 sealed_copies_wait || {
		postfix_run alpha.test postqueue -f
		wait_until $STORY_SECONDS sealed_copies_wait
	}
}

story_sealed() {
	local id shown
	id=$(sealed_id bob@beta.test)
	queued_message alpha.test "$id" >"$WORLD/sealed"
	sed '/^$/q' "$WORLD/sealed" >"$WORLD/sealed.header"
	sed '1,/^$/d' "$WORLD/sealed" >"$WORLD/sealed.armor"
	chapter "2  What crosses port 26 to beta.test"
	say "One copy a person, each sealed for that person alone. Bob's, as it" \
		"lies in alpha.test's queue ($id) before dmtpd takes it" \
		"(but for Postfix's own Received fields, which are not sent):" ""
	{ head -n 7 "$WORLD/sealed"; echo ...; tail -n 2 "$WORLD/sealed"; } |
		quote
	say "" "Its chunks, and who holds a key to which:" ""
	shown=0
	dimectl alpha.test message show <"$WORLD/sealed.armor" \
		>"$WORLD/sealed.shown" || shown=$?
	chunk_table <"$WORLD/sealed.shown"
	say "" "alpha.test and beta.test stand for the two dmtpd on port 26, which" \
		"hold their domain's key; only the milters hold Alice's and Bob's." ""
	armor_decode <"$WORLD/sealed.armor" >"$WORLD/sealed.binary"
	check "its frame is in order" [ "$shown" -eq 0 ]
	check "no word of the letter, no subject and no mailbox name is in it" \
		holds_no_word "$WORLD/sealed.header" "$WORLD/sealed.binary"
	# From here on alpha.test's dmtpd is there to take the copies.
	program_start alpha.test dmtpd
	postfix_run alpha.test postqueue -f
}

# What dimectl message show says, a line a chunk, as a table of who can read what.
chunk_table() {
	awk '
	BEGIN {
		split("author origin destination recipient", actor)
		says[2] = "one-time public key"
		says[4] = "written by Alice, for beta.test"
		says[5] = "from alpha.test, for Bob"
		says[33] = "date, to, from, subject"
		says[34] = "the rest of the header"
		says[65] = says[66] = "frame of the text"
		says[67] = "text"
		says[129] = says[130] = "frame of the attachments"
		says[131] = "attachment"
		says[225] = says[226] = "signature of Alice"
		says[248] = says[249] = "signature of alpha.test, for bounces"
		says[255] = "signature of alpha.test"
		row = "   %5s  %-33s %6s  %-6s %-10s %-9s %s\n"
		printf row, "chunk", "holds", "octets", "Alice", "alpha.test",
			"beta.test", "Bob"
	}
	{
		for (i = 1; i <= 4; i++) {
			reads[i] = "-"
			if ($4 == "clear" || $0 ~ " " actor[i])
				reads[i] = "reads"
		}
		printf row, $1, says[$1], $3, reads[1], reads[2], reads[3],
			reads[4]
	}'
}

# holds_no_word FILE...: none of the letter's words of five letters or more, but
# for what the frame of any message says.
holds_no_word() {
	tr -cs '[:alpha:]' '\n' <"$letter" | grep -E '.{5}' |
		grep -vixE 'message|content|version|received' |
		sort -u >"$WORLD/words"
	[ "$(wc -l <"$WORLD/words")" -gt 20 ] && [ -s "$2" ] &&
		! cat "$@" | grep -qaiF -f "$WORLD/words" &&
		! cat "$@" | grep -qaiE '(alice|bob|carol|dave)@'
}

# The mailbox's only message.
mail_of() {
	set -- "$WORLD/${1##*@}/mail/${1%@*}/new"/*
	[ $# -eq 1 ] && [ -e "$1" ] && echo "$1"
}

everybody_has_mail() {
	local person
	for person in bob@beta.test carol@beta.test dave@gamma.test; do
		mail_of "$person" >/dev/null || return 1
	done
}

wait_for_delivery() {
	wait_until 8 everybody_has_mail || {
		postfix_run alpha.test postqueue -f
		wait_until $STORY_SECONDS everybody_has_mail
	}
}

was_written_by_alice() {
	results_of "$1" | grep -q 'dime=pass .*policy.author=alice@alpha.test'
}

is_same() {
	without_delivery_fields "$1" | cmp -s - "$letter"
}

digest_of() {
	sha256sum | cut -c1-16
}

story_arrived() {
	local mail
	chapter "3  What arrives at beta.test"
	wait_for_delivery || {
		check "everybody got the letter" false
		return
	}
	mail=$(mail_of bob@beta.test)
	say "Bob's mailbox, from the top; an ordinary letter:" ""
	sed '/^$/q' "$mail" | quote
	{ sed '1,/^$/d' "$mail" | head -n 6; echo ...; } | quote
	say "" "Above \"From:\" stands what the servers on the way have added. The rest:" \
		"   as Alice sent it   $(digest_of <"$letter")... (SHA-256)" \
		"   as Bob has it      $(without_delivery_fields "$mail" |
			digest_of)..." ""
	check "Bob has the same octets that Alice sent" is_same "$mail"
	check "Carol has them too" is_same "$(mail_of carol@beta.test)"
	check "beta.test has checked that alice@alpha.test wrote it" \
		was_written_by_alice "$mail"
}

story_naked() {
	local mail
	chapter "4  And Dave?"
	mail=$(mail_of dave@gamma.test) || {
		check "Dave got the letter" false
		return
	}
	say "gamma.test is an old domain; it got the letter over SMTP, readable:" ""
	sed -n '/^Received:/,/^[^[:space:]R]/p' "$mail" | sed '$d' | quote
	say "" "Why that was allowed (dimectl explain alice@alpha.test" \
		"dave@gamma.test):" ""
	dimectl alpha.test explain alice@alpha.test dave@gamma.test | quote
	say ""
	check "Dave has the same octets that Alice sent" is_same "$mail"
	check "Bob's and Carol's copies never took that way" went_dark
}

went_dark() {
	! grep -h 'to=<\(bob\|carol\)@beta.test>' \
		"$WORLD/alpha.test/log/mail.log" | grep -q 'relay=127.0.20.1' &&
		! grep -q "message-id=<[0-9]*@alpha.test>" \
			"$WORLD/beta.test/log/mail.log"
}

hop() {
	printf '   %-62s %s\n' "$1" "$2"
}

story_hops() {
	local id
	chapter "5  How long each hop took (connecting and transmitting)"
	id=$(sealed_id bob@beta.test)
	hop "Alice's program -> alpha.test (TLS, login, letter)" \
		"$(awk '{printf "%.2f s", $1}' "$WORLD/submit.seconds")"
	hop "alpha.test: keys fetched, signed, sealed for Bob" \
		"$(sent alpha.test bob@beta.test "$queue_id" | seconds)"
	hop "alpha.test -> beta.test: DMTP; checked, opened, queued there" \
		"$(sent alpha.test bob@beta.test "$id" | seconds)"
	hop "beta.test: into Bob's mailbox" \
		"$(sent beta.test bob@beta.test | seconds)"
	hop "alpha.test -> gamma.test: SMTP, naked" \
		"$(sent alpha.test dave@gamma.test | seconds)"
}

story_verdict() {
	printf '\n'
	if [ "$story_failed" = no ]; then
		say "${GREEN}Everything was as it should be.${PLAIN}"
	else
		say "${RED}Something was not as it should be.${PLAIN}"
	fi
}

story_how_to_go_on() {
	cat <<-END

	   The three domains stay up. To write:
	      contrib/demo/send dave@gamma.test bob@beta.test FILE --dir $WORLD
	   Mailboxes are $WORLD/DOMAIN/mail/USER, logs $WORLD/DOMAIN/log.
	   To end it: contrib/demo/stop --dir $WORLD
	END
}
