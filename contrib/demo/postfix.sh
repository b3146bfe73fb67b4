# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
#
# One Postfix a domain, each with its own configuration, queue and log. The site's
# own part is here; what Dimegate adds to a site comes from contrib/postfix.

postfix_run() {
	local postfix_domain postfix_command
	postfix_domain=$1
	postfix_command=$2
	shift 2
	"$postfix_command" -c "$WORLD/$postfix_domain/postfix" "$@"
}

postfix_make() {
	local home user domain forward
	home=$WORLD/$1
	mkdir -p "$home/postfix" "$home/spool/pid" "$home/data" "$home/mail"
	chown postfix "$home/data"
	chown "$UID_MAIL:$GID_DIME" "$home/mail"
	postfix_main "$1" >"$home/postfix/main.cf"
	postfix_master "$1" >"$home/postfix/master.cf"
	for user in $(users_of "$1") postmaster; do
		echo "$user@$1 $user/"
	done >"$home/postfix/mailboxes"
	# Mail to the domain's own users, relay@ and mailer-daemon@, is for whoever
	# runs it.
	for forward in relay=postmaster@$1 mailer-daemon=postmaster@$1 \
		$(forwards_of "$1"); do
		echo "${forward%%=*}@$1 ${forward#*=}"
	done >"$home/postfix/aliases"
	# Every other domain can also be reached the old way. Only policyd's word keeps
	# mail off it.
	for domain in $ALL_DOMAINS; do
		[ "$domain" != "$1" ] || continue
		echo "/@$(echo "$domain" | sed 's/\./\\./')\$/" \
			"smtp:[$(address_of "$domain")]:25"
	done >"$home/postfix/naked"
	if is_dime "$1"; then
		postfix_logins "$1"
		dimegate_postfix "$1"
	fi
}

postfix_main() {
	local home
	home=$WORLD/$1
	cat <<-END
	compatibility_level = 3.6
	myhostname = mx.$1
	myorigin = $1
	mydestination =
	mynetworks = $(is_dime "$1" || address_of "$1")
	alias_maps =
	alias_database =
	local_recipient_maps =
	inet_protocols = ipv4
	inet_interfaces = loopback-only
	smtp_bind_address = $(address_of "$1")
	queue_directory = $home/spool
	data_directory = $home/data
	maillog_file = $home/log/mail.log
	maillog_file_prefixes = $home/log
	smtpd_peername_lookup = no
	smtp_dns_support_level = disabled
	smtp_tls_security_level = none
	# Naked mail keeps its octets, too: Postfix would cut long lines.
	smtp_line_length_limit = 0
	message_size_limit = 52428800
	virtual_mailbox_domains = $1
	virtual_mailbox_base = $home/mail
	virtual_mailbox_maps = texthash:$home/postfix/mailboxes
	virtual_mailbox_limit = 0
	recipient_delimiter = +
	virtual_alias_maps = texthash:$home/postfix/aliases
	virtual_uid_maps = static:$UID_MAIL
	virtual_gid_maps = static:$GID_DIME
	transport_maps = regexp:$home/postfix/naked
	END
}

# The services that every Postfix has, and the listeners of this site.
postfix_master() {
	cat <<-END
	$(address_of "$1"):25 inet n - n - - smtpd
	pickup unix n - n 60 1 pickup
	cleanup unix n - n - 0 cleanup
	qmgr unix n - n 300 1 qmgr
	rewrite unix - - n - - trivial-rewrite
	bounce unix - - n - 0 bounce
	defer unix - - n - 0 bounce
	trace unix - - n - 0 bounce
	verify unix - - n - 1 verify
	flush unix n - n 1000? 0 flush
	proxymap unix - - n - - proxymap
	proxywrite unix - - n - 1 proxymap
	smtp unix - - n - - smtp
	showq unix n - n - - showq
	error unix - - n - - error
	retry unix - - n - - error
	discard unix - - n - - discard
	virtual unix - n n - - virtual
	anvil unix - - n - 1 anvil
	scache unix - - n - 1 scache
	tlsmgr unix - - n 1000? 1 tlsmgr
	postlog unix-dgram n - n - 1 postlogd
	END
	is_dime "$1" || return 0
	cat <<-END
	$(address_of "$1"):587 inet n - n - - smtpd
	  -o syslog_name=postfix/submission
	  -o smtpd_tls_security_level=encrypt
	  -o smtpd_tls_cert_file=$WORLD/$1/etc/mx.crt
	  -o smtpd_tls_key_file=$WORLD/$1/etc/mx.key
	  -o smtpd_sasl_auth_enable=yes
	  -o smtpd_sasl_local_domain=$1
	  -o cyrus_sasl_config_path=$WORLD/$1/postfix/sasl
	  -o smtpd_sender_login_maps=texthash:$WORLD/$1/postfix/logins
	  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
	  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
	END
}

# Passwords and who may write as whom.
postfix_logins() {
	local home user
	home=$WORLD/$1
	mkdir "$home/postfix/sasl"
	cat >"$home/postfix/sasl/smtpd.conf" <<-END
	pwcheck_method: auxprop
	auxprop_plugin: sasldb
	sasldb_path: $home/etc/sasldb
	mech_list: PLAIN
	END
	for user in $(users_of "$1"); do
		saslpasswd2 -p -c -f "$home/etc/sasldb" -u "$1" "$user" \
			<"$WORLD/password"
		echo "$user@$1 $user@$1"
	done >"$home/postfix/logins"
	chown postfix "$home/etc/sasldb"
}

postfix_start() {
	postfix_run "$1" postfix start >>"$WORLD/$1/log/postfix.out" 2>&1
}

postfix_is_up() {
	[ -e "$WORLD/$1/spool/pid/master.pid" ] &&
		postfix_run "$1" postfix status >/dev/null 2>&1
}

postfix_is_down() { ! postfix_is_up "$1"; }

postfix_stop() {
	postfix_is_down "$1" ||
		postfix_run "$1" postfix stop >>"$WORLD/$1/log/postfix.out" 2>&1
}

# submit_unknown ADDRESS FROM FILE TO: as a stranger would, to port 25 there.
submit_unknown() {
	sed 's/\r*$/\r/' "$3" | curl -sS --max-time 60 --interface 127.0.99.1 \
		--url "smtp://$1:25/stranger.example" --mail-from "$2" \
		--mail-rcpt "$4" --upload-file -
}

# submit FROM FILE TO...: as the mail program of FROM would, and prints the
# server's last word. Only the line ends of FILE are changed. What was said goes to
# SUBMIT_NOTES.log, by default the world's.
submit() {
	local from file domain server notes
	notes=${SUBMIT_NOTES:-$WORLD/submit}
	from=$1
	file=$2
	shift 2
	domain=${from##*@}
	server=mx.$domain:25
	set -- $(printf -- '--mail-rcpt %s ' "$@")
	if is_dime "$domain"; then
		server=mx.$domain:587
		set -- "$@" --ssl-reqd --cacert "$WORLD/$domain/etc/mx.crt" \
			--login-options AUTH=PLAIN \
			--user "$from:$(cat "$WORLD/password")"
	else
		set -- "$@" --interface "$(address_of "$domain")"
	fi
	sed 's/\r*$/\r/' "$file" | curl -sS --verbose --max-time 120 \
		--resolve "$server:$(address_of "$domain")" \
		--url "smtp://$server/mail.$domain" --mail-from "$from" "$@" \
		--write-out '%{time_total}' --upload-file - \
		>"$notes.seconds" 2>"$notes.log" || {
		sed -n 's/^< //p; s/^curl: //p' "$notes.log" | tail -2 >&2
		return 1
	}
	sed -n 's/\r$//; s/^< \(250 .*queued as .*\)/\1/p' "$notes.log"
}

# ---- mail in a mailbox ----

# queued_message DOMAIN QUEUE-ID: header and body as they lie in the queue, but for
# the Received fields, which are Postfix's own.
queued_message() {
	postfix_run "$1" postcat -qbh "$2" | awk '
	/^[^ \t]/ {received = !body && /^Received:/}
	/^$/ {body = 1}
	!received'
}

# The octets of an armored message; what is not armor is left out.
armor_decode() {
	sed -n '/^-----BEGIN/,/^-----END/{/^-----/d; s/\r$//; p}' | tr -d '\n' |
		sed 's/.*/&===/; s/\(\(....\)*\).*/\1/' | base64 -d
}

# Takes off what deliveries put on top of a mail that begins with From.
without_delivery_fields() {
	sed -n '/^From: /,$p' "$1"
}

# The Authentication-Results fields of a mail, each on one line.
results_of() {
	awk '
	/^$/ {exit}
	/^[^ \t]/ {
		if (line != "")
			print line
		line = ""
		on = tolower($0) ~ /^authentication-results:/
	}
	on {line = line $0}
	END {
		if (line != "")
			print line
	}' "$1" | tr -s '[:blank:]' ' '
}
