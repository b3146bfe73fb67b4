# SPDX-License-Identifier: BSD-2-Clause
# What tests that drive the real dimectl share. They run in the build directory;
# work happens in a directory of their own.
set -u
dimectl=$PWD/dimectl/dimectl
work=$(mktemp -d "${TMPDIR:-/tmp}/dimectl-test.XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
failures=0

complain() {
	echo "FAIL: $*"
	sed 's/^/	stderr: /' errors
	failures=$((failures + 1))
}

# expect STATUS PATTERN WORDS...: runs dimectl; the output stays in the file
# `output`. Good runs keep standard error empty, others say one line there that
# matches PATTERN and nothing on standard output. Two variables may be set:
# `input`, a file that dimectl reads, and `partial`, for refusals that list what
# could be read.
input=/dev/null
partial=
expect() {
	wanted=$1 pattern=$2
	shift 2
	"$dimectl" "$@" >output 2>errors <"$input"
	status=$?
	if [ "$status" -ne "$wanted" ]; then
		complain "dimectl $*: exit status $status, not $wanted"
	elif [ "$wanted" -eq 0 ]; then
		[ -s errors ] && complain "dimectl $*: talks although all is well"
	elif [ "$(wc -l <errors)" -ne 1 ]; then
		complain "dimectl $*: not one line on standard error"
	elif [ -s output ] && [ -z "$partial" ]; then
		complain "dimectl $*: refuses and prints all the same"
	elif ! grep -q -e "$pattern" errors; then
		complain "dimectl $*: no \"$pattern\" in the complaint"
	fi
}

# shows LINE: the last output has that line.
shows() {
	grep -qxF -e "$1" output || complain "no line \"$1\" in: $(cat output)"
}

# holds TEXT: the last output has that text somewhere.
holds() {
	grep -qF -e "$1" output || complain "no \"$1\" in: $(cat output)"
}

# covers FILE: the last output explains every octet of FILE, in order, once; and
# likewise each plaintext, whose offsets begin with a plus.
covers() {
	awk -v size="$(wc -c <"$1")" '
	function leave() { if (within != 0 && within != last) exit bad = 1 }
	NR == 1 { next }
	/^ *\+/ {
		if (substr($1, 2) + 0 != within) exit bad = 1
		within += $2
		next
	}
	{
		leave()
		if ($1 != at) exit bad = 1
		at += $2
		last = $2
		within = 0
	}
	END {
		leave()
		exit bad || at != size
	}' output || complain "$1 is not covered by: $(cat output)"
}

finish() {
	[ "$failures" -eq 0 ] || echo "$failures failed"
	[ "$failures" -eq 0 ]
	exit
}
