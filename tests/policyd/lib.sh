# SPDX-License-Identifier: BSD-2-Clause
#
# For the tests beside this file, which read it: real zones on an NSD, a Redis,
# and a dime-policyd that asks them. The test sets `zones` to the names of its
# zones, each in $dir/ZONE.zone, and has a function `configuration` that prints
# dimegate.conf.

srcdir=${srcdir:-.}
builddir=$(pwd)
policyd=$builddir/policy/dime-policyd
dimectl=$builddir/dimectl/dimectl
client=$builddir/tests/policyd/socketmap_client

for tool in nsd ldns-keygen ldns-signzone ldns-key2ds; do
	command -v "$tool" >/dev/null || {
		echo "skipped: $tool is not installed"
		exit 77
	}
done

# A public key of RFC 8032, so that records hold something valid.
pok=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo
dir=$(mktemp -d) || exit 99
nsd_pid= policyd_pid= redis_pid= failed=0

finish() {
	[ -z "$policyd_pid" ] || kill "$policyd_pid" 2>/dev/null
	[ -z "$nsd_pid" ] || kill "$nsd_pid" 2>/dev/null
	[ -z "$redis_pid" ] || kill "$redis_pid" 2>/dev/null
	wait
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 99' INT TERM HUP

fail() {
	echo "FAILED: $*"
	failed=1
}

soa() {
	echo "\$ORIGIN $1."
	echo "\$TTL 300"
	echo "@ SOA ns.$1. root.$1. 1 3600 600 86400 60"
	echo "@ NS ns.$1."
	echo "ns A 127.0.0.1"
}

sign() {
	(cd "$dir" && ldns-signzone -f "$1.zone" "$1.plain" "$2") || exit 99
}

nsd_configuration() {
	cat <<-END
	server:
		ip-address: 127.0.0.1@$port
		username: ""
		chroot: ""
		zonesdir: "$dir"
		pidfile: "$dir/nsd.pid"
		xfrdfile: "$dir/xfrd.state"
		zonelistfile: "$dir/zone.list"
		logfile: "$dir/nsd.log"
		database: ""
		server-count: 1
	remote-control:
		control-enable: no
	END
	for zone in $zones; do
		printf 'zone:\n\tname: %s\n\tzonefile: %s.zone\n' $zone $zone
	done
}

# On a port that nobody has; another test may be running.
start_nsd() {
	for attempt in 1 2 3 4 5 6 7 8; do
		port=$((20000 + ($$ * 7 + attempt * 1009) % 20000))
		nsd_configuration >"$dir/nsd.conf"
		nsd -d -c "$dir/nsd.conf" >"$dir/nsd.out" 2>&1 &
		nsd_pid=$!
		for wait in 1 2 3 4 5 6 7 8 9 10; do
			if grep -q 'nsd started' "$dir/nsd.log" 2>/dev/null; then
				return 0
			fi
			kill -0 "$nsd_pid" 2>/dev/null || break
			sleep 0.2
		done
		kill "$nsd_pid" 2>/dev/null
		wait "$nsd_pid"
		rm -f "$dir/nsd.log"
	done
	cat "$dir/nsd.out"
	exit 99
}

# Without Redis everything works as well, and less is tested.
start_redis() {
	command -v redis-server >/dev/null && command -v redis-cli >/dev/null ||
		return 0
	(umask 077 && head -c 32 /dev/urandom | base64 >"$dir/cache.key")
	redis-server --port 0 --unixsocket "$dir/redis" --save '' \
		--dir "$dir" >"$dir/redis.out" 2>&1 &
	redis_pid=$!
	for wait in 1 2 3 4 5 6 7 8 9 10; do
		redis-cli -s "$dir/redis" ping >/dev/null 2>&1 && return 0
		sleep 0.2
	done
	cat "$dir/redis.out"
	exit 99
}

wait_for() {
	for wait in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		grep -q "$1" "$dir/log" 2>/dev/null && return 0
		sleep 0.2
	done
	fail "no line '$1' in the log"
	cat "$dir/log" "$dir/policyd.out"
	exit 1
}

start_policyd() {
	rm -f "$dir/log"
	configuration >"$dir/conf"
	"$policyd" -n -c "$dir/conf" || fail "-n refuses a good configuration"
	"$policyd" -c "$dir/conf" >"$dir/policyd.out" 2>&1 &
	policyd_pid=$!
	wait_for event=ready
}

value_of() {
	sed -n "s/^$1  *//p" "$dir/out"
}

# name, answer, policy ("" where there is no record)
expect() {
	"$dimectl" -c "$dir/conf" resolve "$1" >"$dir/out" 2>&1 ||
		fail "resolve $1: status $?: $(cat "$dir/out")"
	[ "$(value_of dns)" = "$2" ] ||
		fail "resolve $1: $(cat "$dir/out"), not $2"
	[ "$(value_of policy)" = "$3" ] ||
		fail "resolve $1: policy $(value_of policy), not $3"
}

# map, key, reply
expect_map() {
	reply=$("$client" "$dir/map" "$1" "$2") || fail "map $1 $2: no reply"
	[ "$reply" = "$3" ] || fail "map $1 $2: $reply, not $3"
}

encrypt='OK dimeenc:[127.0.0.1]:10029'
naked='NOTFOUND '

