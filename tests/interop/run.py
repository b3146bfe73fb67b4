# SPDX-License-Identifier: BSD-2-Clause
"""Runs the batteries; see the script `run`."""
import os
import sys
import tempfile

import cases_chains
import cases_example
import cases_libdime
import cases_messages
import cases_records
import cases_refused
import cases_signets
from harness import Battery

BATTERIES = {"signets": cases_signets, "chains": cases_chains,
             "messages": cases_messages, "refused": cases_refused,
             "records": cases_records, "example": cases_example,
             "libdime": cases_libdime}


def main():
    with tempfile.TemporaryDirectory(prefix="dimegate-interop.") as directory:
        battery = Battery(os.environ["DIMECTL"], directory)
        for name in sys.argv[1:] or BATTERIES:
            BATTERIES[name].run(battery)
    print(f"{battery.passed} passed, {battery.failed} failed")
    return battery.failed > 0


if __name__ == "__main__":
    sys.exit(main())
