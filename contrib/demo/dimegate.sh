# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
#
# Dimegate in the demo's world: for each DIME domain its keys, its configuration
# and its programs, as on a host of its own.

# dimectl DOMAIN ARGUMENT...: dimectl with that domain's configuration.
dimectl() {
	local dimectl_domain
	dimectl_domain=$1
	shift
	"$BUILD/dimectl/dimectl" -c "$WORLD/$dimectl_domain/etc/dimegate.conf" \
		"$@"
}

dimegate_make() {
	local home user
	home=$WORLD/$1
	mkdir "$home/etc" "$home/lib"
	chown "root:$GID_DIME" "$home/lib"
	chmod 2770 "$home/lib"
	openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj "/CN=mx.$1" \
		-addext "subjectAltName=DNS:mx.$1,DNS:$1" \
		-keyout "$home/etc/mx.key" -out "$home/etc/mx.crt" 2>/dev/null
	openssl rand -base64 32 >"$home/etc/seal.key"
	openssl rand -base64 32 >"$home/etc/cache.key"
	dimegate_configuration "$1" >"$home/etc/dimegate.conf"
	dimectl "$1" org create "$1" >"$home/log/dimectl.log"
	for user in $(users_of "$1") postmaster $(forwards_of "$1"); do
		dimectl "$1" user create "${user%%=*}@$1" \
			>>"$home/log/dimectl.log"
	done
	# Each program reads its own secrets and no other's.
	chmod 400 "$home"/etc/*.key
	chown "$UID_MILTER" "$home/etc/master.key" "$home/etc/seal.key"
	chown "$UID_POLICYD" "$home/etc/cache.key"
	chown "$UID_DMTPD" "$home/etc/transport.key" "$home/etc/mx.key"
	chown "$UID_MILTER:$GID_DIME" "$home"/lib/*
	chmod 660 "$home"/lib/*
}

dimegate_configuration() {
	local home address
	home=$WORLD/$1
	address=$(address_of "$1")
	cat <<-END
	hostname = "mx.$1"
	domains = {"$1"}
	log_target = "stderr"

	facts_socket = "$home/run/facts"
	map_socket = "$home/run/map"
	milter_socket = "$home/run/milter"
	lmtp_socket = "$home/run/lmtp"
	inject_socket = "$home/spool/public/dimein"
	reseal_socket = "$home/spool/public/dimereseal"
	smtp_fallback_socket = "$home/spool/public/dimesmtp"
	seal_transport = "dimeenc:[$address]:10029"
	socket_group = "postfix"

	keys_db = "$home/lib/keys.db"
	state_db = "$home/lib/state.db"
	master_key_file = "$home/etc/master.key"
	transport_key_file = "$home/etc/transport.key"
	seal_key_file = "$home/etc/seal.key"
	cache_key_file = "$home/etc/cache.key"

	# Only this world's DNS is asked, and only its key is trusted.
	trust_anchor_file = "$WORLD/dns/$DNS_ANCHOR"
	dns_stub = {$(dimegate_stubs)}
	redis_socket = "$home/run/redis"

	# The whole world is on loopback.
	allow_private_addresses = true
	bind_address = "$address"
	listen = {"$address"}
	tls_certificate = "$home/etc/mx.crt"
	tls_key = "$home/etc/mx.key"
	END
}

dimegate_stubs() {
	local zone separator
	separator=
	for zone in test $ALL_DOMAINS; do
		printf '%s"%s.=%s@%s"' "$separator" "$zone" "$DNS_ADDRESS" \
			"$DNS_PORT"
		separator=", "
	done
}

# The zone-file line of the domain's management record.
dimegate_record() {
	dimectl "$1" record make --zone --org "$1" \
		--tls-cert "$WORLD/$1/etc/mx.crt" --dx "mx.$1"
}

# Puts Dimegate into the domain's Postfix; further arguments come last.
dimegate_postfix() {
	local domain address
	domain=$1
	address=$(address_of "$1")
	shift
	"$TOP/contrib/postfix/install-fragments" -c "$WORLD/$domain/postfix" \
		"DOMAINS=$domain" "MX=$address:25" "SUBMISSION=$address:587" \
		"SEAL=$address:10029" \
		"MILTER_SOCKET=$WORLD/$domain/run/milter" \
		"MAP_SOCKET=$WORLD/$domain/run/map" \
		"LMTP_SOCKET=$WORLD/$domain/run/lmtp" "$@"
}

gid_of() {
	getent group "$1" | cut -d: -f3
}

# program_start DOMAIN PROGRAM: and waits until it answers.
program_start() {
	local home gids
	home=$WORLD/$1
	gids=$GID_DIME,$(gid_of postfix)
	case $2 in
	redis)
		process_start "$1/redis" $UID_REDIS $GID_DIME redis-server \
			--port 0 --unixsocket "$home/run/redis" \
			--unixsocketperm 770 --save '' --appendonly no \
			--dir "$home/run"
		process_ready 10 "$1/redis" test -S "$home/run/redis"
		;;
	dime-policyd)
		process_start "$1/$2" $UID_POLICYD "$gids" \
			"$BUILD/policy/dime-policyd" -c "$home/etc/dimegate.conf"
		process_ready 20 "$1/$2" test -S "$home/run/map"
		process_ready 20 "$1/$2" test -S "$home/run/facts"
		;;
	dime-milter)
		process_start "$1/$2" $UID_MILTER "$gids" \
			"$BUILD/milter/dime-milter" -c "$home/etc/dimegate.conf"
		process_ready 20 "$1/$2" test -S "$home/run/milter"
		;;
	dmtpd)
		process_start "$1/$2" $UID_DMTPD "$gids,$(gid_of postdrop)" \
			"$BUILD/dmtpd/dmtpd" -c "$home/etc/dimegate.conf"
		process_ready 20 "$1/$2" test -S "$home/run/lmtp"
		process_ready 20 "$1/$2" port_is_open "$(address_of "$1")" 26
		;;
	esac
}

program_stop() {
	process_stop "$1/$2"
	case $2 in
	redis) rm -f "$WORLD/$1/run/redis" ;;
	dime-policyd) rm -f "$WORLD/$1/run/map" "$WORLD/$1/run/facts" ;;
	dime-milter) rm -f "$WORLD/$1/run/milter" ;;
	dmtpd) rm -f "$WORLD/$1/run/lmtp" ;;
	esac
}

dimegate_start() {
	local program
	for program in redis dime-policyd dime-milter dmtpd; do
		case " ${WORLD_WITHOUT:-} " in
		*" $1/$program "*) continue ;;
		esac
		program_start "$1" "$program"
	done
}
