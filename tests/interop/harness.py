# SPDX-License-Identifier: BSD-2-Clause
"""Runs dimectl and the Python readers on the same octets and says where they,
or what was expected, differ."""
import os
import subprocess

import dime


class Battery:
    def __init__(self, dimectl, directory):
        self.program, self.directory = dimectl, directory
        self.passed = self.failed = 0
        os.umask(0o077)

    def path(self, name, data=None):
        """A file of this run; written when there is data."""
        path = os.path.join(self.directory, name)
        if data is not None:
            with open(path, "wb") as file:
                file.write(data)
        return path

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def run(self, words, stdin=b""):
        """(exit status, standard output, standard error); a signal counts as a
        negative status."""
        done = subprocess.run(
            [self.program, *words], input=stdin, capture_output=True,
            cwd=self.directory, timeout=300, check=False)
        return done.returncode, done.stdout, done.stderr

    def make(self, *words, stdin=b""):
        """dimectl as a maker: it must succeed. Returns its output."""
        status, output, errors = self.run(words, stdin)
        if status != 0 or errors:
            raise SystemExit(f"dimectl {' '.join(words)}: exit status "
                             f"{status}: {errors.decode()}")
        return output

    def verdict(self, name, complaint):
        if complaint:
            self.failed += 1
            print(f"FAIL: {name}: {complaint}", flush=True)
        else:
            self.passed += 1
            print(f"PASS: {name}", flush=True)

    def case(self, name, accept, words, stdin=b"", output=None, mine=None,
             says=b"", decode=bytes):
        """One input for dimectl and for `mine`, a function that returns what
        it reads or raises Refused. Both must accept it, and agree with
        `output` where that is given, dimectl after its output went through
        `decode`; or both must refuse, dimectl with status 65 and one line that
        has `says` in it."""
        complaint = self.judge(accept, words, stdin, output, says, decode)
        if mine and not complaint:
            try:
                value = mine()
                if not accept:
                    complaint = "Python accepts it"
                elif output is not None and value != output:
                    complaint = "Python reads other octets"
            except dime.Refused as refused:
                if accept:
                    complaint = f"Python refuses it: {refused}"
        self.verdict(name, complaint)

    def judge(self, accept, words, stdin, output, says, decode):
        status, found, errors = self.run(words, stdin)
        line = errors.decode("utf-8", "backslashreplace").strip()[:300]
        if accept and status != 0:
            return f"dimectl refuses it ({status}): {line}"
        if accept and errors and not line.startswith("dimectl: warning: "):
            return f"dimectl talks although all is well: {line}"
        if accept and output is not None and decode(found) != output:
            return f"dimectl reads other octets: {found[:300]}"
        if accept:
            return None
        if status != 65:
            return f"dimectl exits with {status}, not 65: {line}"
        if errors.count(b"\n") != 1 or not errors.endswith(b"\n"):
            return f"not one line on standard error: {line}"
        if found:
            return f"refuses and prints all the same: {found[:100]}"
        return None if says in errors else f"complains of other things: {line}"
