# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
#
# The demo's world: who lives in it, and its processes. Sourced by run, send,
# stop and the scenarios, which set:
#
#	TOP	the source tree
#	WORLD	the directory that holds all there is of the world
#	BUILD	the build tree whose programs run in it

. "$TOP/contrib/demo/dns.sh"
. "$TOP/contrib/demo/postfix.sh"
. "$TOP/contrib/demo/dimegate.sh"

DIME_DOMAINS="alpha.test beta.test"
ALL_DOMAINS="$DIME_DOMAINS gamma.test"

# Numeric, so that nothing has to be added to the machine's user database.
GID_DIME=61000
UID_MILTER=61001
UID_POLICYD=61002
UID_DMTPD=61003
UID_REDIS=61004
UID_NSD=61005
UID_MAIL=61006

die() {
	printf '%s\n' "$*" >&2
	exit 1
}

address_of() {
	case $1 in
	alpha.test) echo 127.0.10.1 ;;
	beta.test) echo 127.0.20.1 ;;
	gamma.test) echo 127.0.30.1 ;;
	esac
}

users_of() {
	case $1 in
	alpha.test) echo alice ;;
	beta.test) echo bob carol ;;
	gamma.test) echo dave ;;
	esac
}

# Addresses that are forwarded, as USER=ADDRESS: a team, a loop, and one that is
# accepted although it leads nowhere.
forwards_of() {
	case $1 in
	alpha.test) echo team=bob@beta.test loop=loop@beta.test ;;
	beta.test) echo loop=loop@alpha.test gone=nobody@beta.test ;;
	esac
}

is_dime() {
	case " $DIME_DOMAINS " in
	*" $1 "*) return 0 ;;
	esac
	return 1
}

# wait_until SECONDS COMMAND...: polls; fails when the time is over.
wait_until() {
	local wait_end
	wait_end=$(($(date +%s) + $1))
	shift
	until "$@"; do
		[ "$(date +%s)" -lt "$wait_end" ] || return 1
		sleep 0.05
	done
}

# ---- ports ----

# port_holder ADDRESS PORT PROTOCOL: who listens there already, if anybody.
port_holder() {
	local port_sockets
	case $3 in
	udp) port_sockets=$(ss -Hlunp "sport = :$2") ;;
	*) port_sockets=$(ss -Hltnp "sport = :$2") ;;
	esac
	printf '%s\n' "$port_sockets" | awk -v address="$1" -v port="$2" '
	{
		held = $4
		sub("%[^:]*", "", held)
		if (held != address ":" port && held != "0.0.0.0:" port &&
		    held != "*:" port)
			next
		who = "a process that is hidden from here"
		if (match($0, /\("[^"]*",pid=[0-9]+/)) {
			split(substr($0, RSTART, RLENGTH), part, /"|=/)
			who = part[2] " (process " part[4] ")"
		}
		print who " listens on " held
		exit
	}'
}

port_is_open() {
	[ -n "$(port_holder "$1" "$2" tcp)" ]
}

# Dies with one sentence if a port of the world is taken.
world_check_ports() {
	local address port protocol holder
	world_ports | while read -r address port protocol; do
		holder=$(port_holder "$address" "$port" "$protocol")
		[ -n "$holder" ] || continue
		printf '%s\n' "The demo needs port $port ($protocol) of $address, \
but $holder; stop that first."
		exit 1
	done >&2 || exit 1
}

world_ports() {
	local domain ports port
	echo "$DNS_ADDRESS $DNS_PORT udp"
	echo "$DNS_ADDRESS $DNS_PORT tcp"
	for domain in $ALL_DOMAINS; do
		ports=25
		is_dime "$domain" && ports="25 26 587 10029 10030"
		for port in $ports; do
			echo "$(address_of "$domain") $port tcp"
		done
	done
}

# ---- processes ----

# A process is known by its number and its time of birth, so that a number that
# was given to another process meanwhile is left alone.
process_birth() {
	sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20
}

# process_start NAME UID GROUPS COMMAND...: runs it in the background without
# privileges; its standard output and error go to the world's log.
process_start() {
	local name uid groups caps
	name=$1
	uid=$2
	groups=$3
	shift 3
	caps=-all
	[ "${name##*/}" != dmtpd ] || caps=-all,+net_bind_service
	setsid setpriv --reuid "$uid" --regid "$GID_DIME" --groups "$groups" \
		--inh-caps "$caps" --ambient-caps "$caps" --bounding-set "$caps" \
		--no-new-privs "$@" \
		</dev/null >>"$WORLD/${name%/*}/log/${name##*/}.log" 2>&1 &
	echo "$! $(process_birth $!)" >"$WORLD/${name%/*}/run/${name##*/}.pid"
}

# Prints the process's number if it is alive.
process_id() {
	local id birth
	read -r id birth 2>/dev/null <"$WORLD/${1%/*}/run/${1##*/}.pid" ||
		return 1
	[ "$birth" = "$(process_birth "$id")" ] || return 1
	# A dead child that nobody has waited for yet is not alive.
	! grep -q '^State:[[:space:]]*Z' "/proc/$id/status" 2>/dev/null ||
		return 1
	echo "$id"
}

process_is_gone() { ! process_id "$1" >/dev/null; }

process_signal() {
	local id
	id=$(process_id "$2") && kill "-$1" "$id" 2>/dev/null
}

# process_threads NAME: what each of its threads is in, for somebody who wants to
# know why it does not end.
process_threads() {
	local id thread
	id=$(process_id "$1") || return 0
	for thread in "/proc/$id/task/"*; do
		echo "thread ${thread##*/}: $(cat "$thread/comm" \
			"$thread/wchan" "$thread/syscall" 2>&1 | tr '\n' ' ')"
		cat "$thread/stack" 2>&1 || :
	done
}

# process_stop NAME...: asks all of them politely, and after fifteen seconds no more.
process_stop() {
	local name
	for name; do
		# In this order: a CONT that comes while a leak checker stops the
		# threads of a program that ends lets it wait for ever.
		process_signal CONT "$name" && process_signal TERM "$name" || :
	done
	for name; do
		wait_until 15 process_is_gone "$name" || {
			{
				echo "$name did not end on SIGTERM"
				process_threads "$name"
			} >>"$WORLD/unclean"
			process_signal KILL "$name" || :
			wait_until 5 process_is_gone "$name" || :
		}
		rm -f "$WORLD/${name%/*}/run/${name##*/}.pid"
	done
}

# process_ready SECONDS NAME COMMAND...: waits until COMMAND holds; dies with
# what the process had to say if it does not.
process_ready() {
	local ready_end name
	ready_end=$(($(date +%s) + $1))
	name=$2
	shift 2
	until "$@"; do
		if process_is_gone "$name" ||
		    [ "$(date +%s)" -ge "$ready_end" ]; then
			tail -n 5 "$WORLD/${name%/*}/log/${name##*/}.log" >&2
			die "$name did not start."
		fi
		sleep 0.05
	done
}

# ---- the world as a whole ----

MARKER=.dimegate-demo

# Takes the directory, from an earlier world that is dead if need be. Nothing is
# changed if a port is taken.
world_claim() {
	# A unix socket's path has room for 107 octets.
	[ ${#WORLD} -le 60 ] || die "--dir $WORLD: longer than 60 characters."
	if [ -e "$WORLD" ]; then
		[ -e "$WORLD/$MARKER" ] ||
			die "$WORLD exists and is not a demo's directory."
		! world_is_up || die "A demo is already running in $WORLD;" \
			"contrib/demo/stop --dir $WORLD ends it."
	fi
	world_check_ports
	rm -rf "$WORLD"
	mkdir -p -m 755 "$WORLD"
	: >"$WORLD/$MARKER"
	setpriv --reuid $UID_DMTPD --regid $GID_DIME --clear-groups \
		test -r "$WORLD/$MARKER" || {
		rm -rf "$WORLD"
		die "--dir $WORLD: programs without privileges cannot go there."
	}
}

world_processes() {
	local domain name
	echo dns/nsd
	for domain in $DIME_DOMAINS; do
		for name in redis dime-policyd dime-milter dmtpd; do
			echo "$domain/$name"
		done
	done
}

world_is_up() {
	local process domain
	for process in $(world_processes); do
		! process_id "$process" >/dev/null || return 0
	done
	for domain in $ALL_DOMAINS; do
		! postfix_is_up "$domain" || return 0
	done
	return 1
}

# Writes all files of the world.
world_make() {
	local domain directory
	for directory in dns $ALL_DOMAINS; do
		directory=$WORLD/$directory
		mkdir -p "$directory/log" "$directory/run"
		chgrp $GID_DIME "$directory/log" "$directory/run"
		chmod 775 "$directory/log" "$directory/run"
	done
	openssl rand -hex 12 >"$WORLD/password"
	chmod 600 "$WORLD/password"
	for domain in $ALL_DOMAINS; do
		(
			! is_dime "$domain" || dimegate_make "$domain"
			postfix_make "$domain"
			: >"$WORLD/$domain/made"
		) &
	done
	wait
	for domain in $ALL_DOMAINS; do
		[ -e "$WORLD/$domain/made" ] || die "$domain could not be made."
	done
	dns_make
}

# Starts everything; WORLD_WITHOUT names programs that stay down for now.
world_start() {
	local domain
	for domain in $ALL_DOMAINS; do
		postfix_start "$domain" &
	done
	dns_start
	for domain in $DIME_DOMAINS; do
		dimegate_start "$domain"
	done
	wait_until 20 world_answers || die "The demo's Postfix did not start;" \
		"see $WORLD/*/log/mail.log."
}

world_answers() {
	local domain
	for domain in $ALL_DOMAINS; do
		port_is_open "$(address_of "$domain")" 25 || return 1
	done
}

world_down() {
	local domain
	for domain in $ALL_DOMAINS; do
		postfix_stop "$domain" &
	done
	# shellcheck disable=SC2046 # a list of names
	process_stop $(world_processes)
	for domain in $ALL_DOMAINS; do
		wait_until 10 postfix_is_down "$domain" || :
	done
}

world_remove() {
	[ ! -e "$WORLD/$MARKER" ] || rm -rf "$WORLD"
}
