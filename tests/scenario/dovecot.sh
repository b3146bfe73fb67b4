# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
#
# Dovecot as a domain's mailboxes: LMTP, quota, Sieve. It runs in the world's
# directory, until the scenario ends.

# dovecot_begin DOMAIN USER=ROOM...: Dovecot takes the place of virtual(8) there,
# with so many octets of room for each of its users.
dovecot_begin() {
	local file user
	dovecot_domain=$1
	dovecot_home=$WORLD/$1/dovecot
	shift
	rm -rf "$dovecot_home"
	mkdir -p "$dovecot_home/run" "$dovecot_home/sieve"
	for user; do
		mkdir -p "$dovecot_home/home/${user%=*}"
		echo "${user%=*}:::::$dovecot_home/home/${user%=*}::" \
			"userdb_quota_rule=*:bytes=${user#*=}"
	done >"$dovecot_home/users"
	chown -R "$UID_MAIL:$GID_DIME" "$dovecot_home/sieve" "$dovecot_home/home"
	set -- "$dovecot_domain"
	dovecot_configuration "$1" >"$dovecot_home/dovecot.conf"
	for file in main.cf master.cf; do
		cp -p "$WORLD/$1/postfix/$file" "$WORLD/$1/postfix/$file.before"
	done
	trap dovecot_end EXIT
	dovecot -c "$dovecot_home/dovecot.conf" || fail "Dovecot did not start"
	wait_until "$PATIENCE" test -S "$dovecot_home/run/lmtp" ||
		fail "Dovecot does not listen: $(tail -3 "$dovecot_home/log")"
	postfix_run "$1" postconf \
		-e "virtual_transport = lmtp:unix:$dovecot_home/run/lmtp"
	# The second is where Dovecot's own mail goes in.
	cat >>"$WORLD/$1/postfix/master.cf" <<-END
	lmtp unix - - n - - lmtp
	  -o lmtp_line_length_limit=0
	$(address_of "$1"):2525 inet n - n - - smtpd
	  -o mynetworks=127.0.0.0/8
	END
	postfix_run "$1" postfix reload
	wait_until "$PATIENCE" port_is_open "$(address_of "$1")" 2525 ||
		fail "Postfix did not read its configuration again"
}

dovecot_end() {
	local file
	for file in main.cf master.cf; do
		mv "$WORLD/$dovecot_domain/postfix/$file.before" \
			"$WORLD/$dovecot_domain/postfix/$file"
	done
	postfix_run "$dovecot_domain" postfix reload
	doveadm -c "$dovecot_home/dovecot.conf" stop || :
}

dovecot_configuration() {
	cat <<-END
	base_dir = $dovecot_home/run
	state_dir = $dovecot_home/run
	log_path = $dovecot_home/log
	protocols = lmtp
	ssl = no
	hostname = mx.$1
	postmaster_address = postmaster@$1
	submission_host = $(address_of "$1"):2525
	mail_location = maildir:$WORLD/$1/mail/%n
	mail_uid = $UID_MAIL
	mail_gid = $GID_DIME
	first_valid_uid = $UID_MAIL
	auth_username_format = %n
	userdb {
	  driver = passwd-file
	  args = $dovecot_home/users
	}
	passdb {
	  driver = static
	  args = nopassword=y
	}
	service lmtp {
	  unix_listener lmtp {
	    mode = 0666
	  }
	}
	mail_plugins = quota
	protocol lmtp {
	  mail_plugins = quota sieve
	}
	plugin {
	  quota = maildir:mailbox
	  sieve = file:$dovecot_home/sieve/%n.sieve
	}
	END
}

# dovecot_sieve NAME SCRIPT
dovecot_sieve() {
	printf '%s\n' "$2" >"$dovecot_home/sieve/$1.sieve"
	# What was compiled within the same second would be taken for newer.
	rm -f "$dovecot_home/sieve/$1.svbin"
}
