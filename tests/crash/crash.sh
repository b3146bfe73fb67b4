# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
#
# Killing one of the world's programs at a marked point of a delivery: what
# tests/crash/run and the scenario 27-killed share. Sourced with world.sh; the
# programs must have been started with DIME_MARKS in their environment.

CRASH=$TOP/tests/crash
export DIME_MARKS="$WORLD/marks"

crash_points() { sed -n 's/^\([a-z].*\)/\1/p' "$CRASH/points" | cut -d' ' -f1; }

# The domain whose program stands at the point.
crash_domain() {
	awk -v point="$1" '$1 == point {print $2}' "$CRASH/points"
}

# Any of the programs may come to a mark and say so.
marks_make() {
	mkdir -p "$DIME_MARKS"
	chmod 777 "$DIME_MARKS"
}

mark_set() {
	rm -f "$DIME_MARKS"/*
	: >"$DIME_MARKS/$1"
}

# Lets go whoever waits at a point.
marks_clear() { rm -f "$DIME_MARKS"/*; }

# How many threads wait at the point.
marks_count() {
	set -- "$DIME_MARKS/$1".reached.*
	[ -e "$1" ] || set --
	echo $#
}
# marks_reached POINT COUNT
marks_reached() { [ "$(marks_count "$1")" -ge "$2" ]; }

# All processes of a domain's Postfix.
postfix_ids() {
	local master
	read -r master <"$WORLD/$1/spool/pid/master.pid" || return 0
	echo "$master" $(pgrep -P "$master" || :)
}

ids_are_gone() {
	local id
	for id; do
		[ ! -e "/proc/$id" ] ||
			grep -q '^State:[[:space:]]*Z' "/proc/$id/status" \
				2>/dev/null || return 1
	done
}

# crash_kill DOMAIN PROGRAM: at once, all of its processes.
crash_kill() {
	local ids
	if [ "$2" = postfix ]; then
		ids=$(postfix_ids "$1")
	else
		ids=$(process_id "$1/$2")
	fi
	# shellcheck disable=SC2086 # a list of numbers
	kill -KILL $ids 2>/dev/null || :
	# shellcheck disable=SC2086
	wait_until 10 ids_are_gone $ids
}

# crash_start DOMAIN PROGRAM: as whoever watches over them would. Prints a line for
# each file that a killed Postfix had not finished.
crash_start() {
	if [ "$2" != postfix ]; then
		program_stop "$1" "$2"
		program_start "$1" "$2"
		return
	fi
	"$TOP/contrib/postfix/purge-unfinished" -c "$WORLD/$1/postfix"
	postfix_start "$1"
	wait_until 20 port_is_open "$(address_of "$1")" 25
}
