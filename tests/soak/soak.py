#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The load of tests/soak/run: honest mail at a steady rate, abuse beside it,
and a look at the programs every ten seconds. Prints figures, and a line that
begins with FAIL for each thing that is not as it should be.

	soak.py WORLD MINUTES ORIGIN-FINGERPRINT DESTINATION-FINGERPRINT MESSAGE

Every ten seconds a line goes to WORLD/samples.
"""
import collections
import os
import random
import signal
import smtplib
import ssl
import statistics
import subprocess
import sys
import threading
import time
import traceback

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "conformance"))

import abuse  # noqa: E402
import objects  # noqa: E402
from session import Failed  # noqa: E402

ADDRESSES = {"alpha.test": "127.0.10.1", "beta.test": "127.0.20.1",
             "gamma.test": "127.0.30.1", "delta.test": "127.0.40.1"}
DIME = ("alpha.test", "beta.test", "delta.test")
PROGRAMS = ("dmtpd", "dime-milter", "dime-policyd")
# (sender, recipient, how often): both ways between DIME sites, from and to one
# without, and to one whose host hangs most of the time.
WAYS = (("alice@alpha.test", "bob@beta.test", 6),
        ("alice@alpha.test", "carol@beta.test", 4),
        ("bob@beta.test", "alice@alpha.test", 6),
        ("alice@alpha.test", "dave@gamma.test", 2),
        ("dave@gamma.test", "bob@beta.test", 2),
        ("alice@alpha.test", "erin@delta.test", 1),
        ("erin@delta.test", "bob@beta.test", 1))
SIZES = ((1500, 80), (60000, 12), (700000, 6), (4000000, 2))
PACE = 1.0        # seconds between two letters
SAMPLE = 10       # seconds between two looks at the programs
WARM_UP = 0.2     # of the time
DRAIN = 600       # seconds for all letters to arrive in the end
QUIET = 75        # seconds for connections to end after that
# Sockets that a program may have more than in the beginning: to Redis, and of Postfix's
# processes that ask dime-policyd, all of which are kept for later.
KEPT = 8
# What a program may grow by between the second and the last quarter: kilobytes,
# and as a part of what it had.
GROWTH, GROWTH_PART = 12288, 0.2

world = sys.argv[1]
stopping = threading.Event()
failures = []
lock = threading.Lock()


def fail(text):
    with lock:
        failures.append(text)
    print(f"FAIL {text}", flush=True)


def choose(pairs):
    *values, weights = zip(*pairs)
    index = random.choices(range(len(weights)), weights)[0]
    return tuple(value[index] for value in values)


# ---- the programs ----

def process_id(domain, program):
    try:
        with open(f"{world}/{domain}/run/{program}.pid",
                  encoding="ascii") as file:
            return int(file.read().split()[0])
    except OSError:
        return 0


def look(number):
    """Kilobytes resident, descriptors, sockets, threads; None when it is gone."""
    try:
        with open(f"/proc/{number}/status", encoding="ascii") as file:
            status = dict(line.rstrip().split(":\t", 1) for line in file
                          if ":\t" in line)
        directory = f"/proc/{number}/fd"
        names = []
        for each in os.listdir(directory):
            try:
                names.append(os.readlink(f"{directory}/{each}"))
            except OSError:
                pass
        return (int(status["VmRSS"].split()[0]), len(names),
                sum(name.startswith("socket:") for name in names),
                int(status["Threads"]))
    except (OSError, KeyError):
        return None


class Programs:
    def __init__(self):
        self.ids = {(domain, program): process_id(domain, program)
                    for domain in DIME for program in PROGRAMS}
        self.samples = {key: [] for key in self.ids}

    def look(self):
        return {key: look(number) for key, number in self.ids.items()}

    def watch(self, started):
        with open(f"{world}/samples", "w", encoding="ascii") as file:
            while not stopping.wait(SAMPLE):
                for key, seen in self.look().items():
                    if seen is None:
                        fail(f"{'/'.join(key)} is gone")
                        stopping.set()
                        continue
                    self.samples[key].append(seen)
                    print(round(time.monotonic() - started), *key, *seen,
                          file=file, flush=True)

    def hang_up(self):
        """Lets one of beta's read its configuration again."""
        while not stopping.wait(30):
            for program in PROGRAMS:
                os.kill(self.ids["beta.test", program], signal.SIGHUP)

    def freeze(self):
        """delta's dmtpd: it takes connections and never answers."""
        number = self.ids["delta.test", "dmtpd"]
        while not stopping.wait(60):
            os.kill(number, signal.SIGSTOP)
            stopping.wait(240)
            os.kill(number, signal.SIGCONT)

    def judge(self, before, after):
        print(f"{'kilobytes resident':28} {'first':>8} {'median':>8} "
              f"{'last':>8} {'most':>8}   descriptors before, most, after "
              "(sockets)")
        for key, samples in self.samples.items():
            warm = samples[int(len(samples) * WARM_UP):]
            if len(warm) < 4:
                fail(f"{'/'.join(key)}: too few samples")
                continue
            sizes = [each[0] for each in warm]
            print(f"{'/'.join(key):28} {sizes[0]:8} "
                  f"{round(statistics.median(sizes)):8} {sizes[-1]:8} "
                  f"{max(sizes):8}   {before[key][1]} ({before[key][2]}), "
                  f"{max(each[1] for each in samples)} "
                  f"({max(each[2] for each in samples)}), "
                  f"{after[key][1]} ({after[key][2]})")
            self.judge_growth(key, sizes)
            if after[key][2] > before[key][2] + KEPT:
                fail(f"{'/'.join(key)}: {before[key][2]} sockets before, "
                     f"{after[key][2]} after")

    @staticmethod
    def judge_growth(key, sizes):
        quarter = len(sizes) // 4
        early = statistics.median(sizes[quarter:2 * quarter])
        late = statistics.median(sizes[-quarter:])
        if late > early + max(GROWTH, early * GROWTH_PART):
            fail(f"{'/'.join(key)} grows: {early} kB in the second quarter, "
                 f"{late} kB in the last")


# ---- honest mail ----

def postfix(domain, *command):
    return subprocess.run(
        [command[0], "-c", f"{world}/{domain}/postfix", *command[1:]],
        capture_output=True, text=True, check=False).stdout


class Honest:
    def __init__(self):
        with open(f"{world}/password", encoding="ascii") as file:
            self.password = file.read().strip()
        self.letters = {}  # word -> recipient
        self.refused = 0
        self.slow = 0.0

    def connect(self, sender):
        domain = sender.split("@")[1]
        if domain not in DIME:
            return smtplib.SMTP(ADDRESSES[domain], 25, "mail.test", 60,
                                (ADDRESSES[domain], 0))
        server = smtplib.SMTP(ADDRESSES[domain], 587, "mail.test", 60)
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        server.starttls(context=context)
        server.login(sender, self.password)
        return server

    def send(self, sender, recipient, size):
        word = f"soak{len(self.letters)}x{os.urandom(6).hex()}"
        line = (word + "y" * 70)[:70] + "\r\n"
        text = (f"From: <{sender}>\r\nTo: <{recipient}>\r\n"
                f"Subject: {word}\r\nMessage-ID: <{word}@soak.test>\r\n\r\n"
                + line * (size // len(line) + 1))
        begun = time.monotonic()
        try:
            with self.connect(sender) as server:
                server.sendmail(sender, [recipient], text)
            self.letters[word] = recipient
        except (OSError, smtplib.SMTPException):
            self.refused += 1  # its sender knows
        self.slow = max(self.slow, time.monotonic() - begun)

    def run(self):
        while not stopping.wait(PACE):
            sender, recipient = choose(WAYS)
            self.send(sender, recipient, choose(SIZES)[0])

    @staticmethod
    def flush():
        """Whoever runs a site has its queue tried."""
        for domain in ADDRESSES:
            postfix(domain, "postqueue", "-f")

    def keep_flushing(self):
        while not stopping.wait(60):
            self.flush()

    def arrived(self):
        """How often each letter is in its mailbox."""
        found = collections.Counter()
        for recipient in {recipient for _, recipient, _ in WAYS}:
            user, domain = recipient.split("@")
            directory = f"{world}/{domain}/mail/{user}/new"
            for name in os.listdir(directory) if os.path.isdir(
                    directory) else ():
                with open(f"{directory}/{name}", "rb") as file:
                    head = file.read(8192)
                start = head.find(b"\nSubject: soak")
                word = head[start + 10:].split(b"\n")[0].strip().decode()
                found[word, recipient] += 1
        return found

    def drain(self):
        end = time.monotonic() + DRAIN
        while time.monotonic() < end:
            self.flush()
            time.sleep(5)
            if not any(postfix(domain, "postqueue", "-j")
                       for domain in ADDRESSES):
                break
        else:
            fail("mail is left in a queue")
        found = self.arrived()
        lost = [word for word, to in self.letters.items()
                if not found[word, to]]
        twice = [word for word, to in self.letters.items()
                 if found[word, to] > 1]
        print(f"honest letters accepted: {len(self.letters)}, delivered: "
              f"{len(self.letters) - len(lost)}, twice: {len(twice)}, "
              f"not accepted: {self.refused}, "
              f"slowest submission: {self.slow:.1f} s")
        if lost:
            fail(f"{len(lost)} letters are lost: {' '.join(lost[:5])}")
        if twice:
            fail(f"{len(twice)} letters came twice: {' '.join(twice[:5])}")
        if len(self.letters) < 10:
            fail("hardly any letter was accepted")


# ---- abuse ----

class Counts:
    def __init__(self):
        self.done = collections.Counter()
        self.notes = collections.Counter()
        self.broken = collections.Counter()

    def note(self, kind):
        def add(what):
            with lock:
                self.notes[kind, str(what)] += 1
        return add

    def run(self, kind, target):
        each = kind(target, self.note(kind.__name__))
        while not stopping.wait(random.uniform(0.5, 1.5) * kind.pause):
            try:
                each.once(stopping)
                with lock:
                    self.done[kind.__name__] += 1
            except Failed as failed:
                # Over a limit connections are closed, which is right.
                if "was answered" in str(failed) and \
                        " 450 " not in str(failed):
                    fail(f"{kind.__name__}: {failed}")
                with lock:
                    self.broken[kind.__name__] += 1
            except OSError:
                with lock:
                    self.broken[kind.__name__] += 1

    def show(self):
        for kind in abuse.ALL:
            name = kind.__name__
            notes = ", ".join(f"{what}: {count}" for (whose, what), count
                              in sorted(self.notes.items()) if whose == name)
            print(f"{name:16} {self.done[name]:6} times, turned away "
                  f"{self.broken[name]:4}   {notes}")
            if not self.done[name]:
                fail(f"{name} was never done")


def start(work, *arguments):
    def run():
        try:
            work(*arguments)
        except Exception:  # pylint: disable=broad-except
            fail(f"the test itself: {traceback.format_exc()}")
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def settle(programs, before):
    """After the last letter the programs give back what they had."""
    end = time.monotonic() + QUIET
    while True:
        after = programs.look()
        if time.monotonic() > end or all(
                after[key] and after[key][2] <= before[key][2]
                for key in before):
            return after
        time.sleep(2)


def main():
    minutes = float(sys.argv[2])
    with open(sys.argv[5], encoding="ascii") as file:
        message = objects.dearmor(objects.MESSAGE, file.read())
    target = abuse.Target(ADDRESSES["beta.test"], 26, "alpha.test",
                          sys.argv[3], "beta.test", "bob@beta.test", message)
    target.destination_fingerprint = sys.argv[4]
    programs, honest, counts = Programs(), Honest(), Counts()
    before = programs.look()
    started = time.monotonic()
    threads = [start(programs.watch, started), start(programs.hang_up),
               start(programs.freeze), start(honest.run),
               start(honest.keep_flushing)]
    threads += [start(counts.run, kind, target) for kind in abuse.ALL]
    stopping.wait(minutes * 60)
    stopping.set()
    for thread in threads:
        thread.join(120)
    counts.show()
    honest.drain()
    programs.judge(before, settle(programs, before))
    print(f"{len(failures)} complaints in {minutes:g} minutes")
    return 1 if failures else 0


sys.exit(main())
