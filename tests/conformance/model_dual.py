# SPDX-License-Identifier: BSD-2-Clause
"""The model's second port, in dual-protocol mode."""
import re
import socket
import threading

from model import Conversation

CRLF = b"\r\n"


class Dual:
    def __init__(self, model):
        self.model, self.breaks = model, model.breaks
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(plain,),
                             daemon=True).start()

    def serve(self, plain):
        try:
            Clear(self, plain).run()
        except (OSError, ValueError):
            pass
        finally:
            plain.close()


class Clear:
    def __init__(self, dual, plain):
        self.dual, self.breaks, self.socket = dual, dual.breaks, plain
        self.waiting = b""

    def say(self, text):
        self.socket.sendall(text.encode() + CRLF)

    def read_line(self):
        while b"\n" not in self.waiting:
            octets = self.socket.recv(65536)
            if not octets:
                raise OSError
            self.waiting += octets
        line, self.waiting = self.waiting.split(b"\n", 1)
        return line.decode().strip()

    def run(self):
        self.say("220 <model.test> ESMTP" + (
            "" if self.breaks("plain banner") else " DMTP"))
        while True:
            line = self.read_line()
            wish = re.fullmatch(r"STARTTLS <(.*)> MODE=(DMTP|SMTP)", line)
            if wish:
                return self.start_tls(*wish.groups())
            if line[:4] == "HIST" and self.breaks("signets in clear"):
                self.say("576 SIGNET UNAVAILABLE")
            else:
                self.answer(line)

    def answer(self, line):
        """What SMTP has to say, in TLS or not."""
        verb = line[:4]
        if verb == "EHLO":
            if not self.breaks("no keyword"):
                self.say("250-DMTP")
            self.say("250 STARTTLS")
        elif verb in ("NOOP", "RSET", "HELO") and not (
                self.breaks("few commands")):
            self.say("250 ok")
        elif verb == "QUIT":
            self.say("221 bye")
        elif verb == "MODE":
            self.say("500 unknown" if self.breaks("no MODE") else
                     "250 OK ESMTP")
        elif verb in ("SGNT", "HIST", "VRFY", "MAIL"):
            self.say("576 SIGNET UNAVAILABLE" if self.breaks("DMTP in SMTP")
                     else "501 syntax")
        else:
            self.say("502 not here")

    def start_tls(self, name, mode):
        model, behind = self.dual.model, self.waiting
        if behind and not self.breaks("takes clear"):
            return
        self.say("220 go ahead")
        if self.breaks("only known names") and name not in model.contexts:
            return
        context = model.contexts[""]
        if name in model.contexts and not self.breaks("one name"):
            context = model.contexts[name]
        with context.wrap_socket(self.socket, server_side=True) as tls:
            self.socket, self.waiting = tls, b""
            if mode == "DMTP":
                conversation = Conversation(model, tls)
                conversation.waiting = behind
                if self.breaks("remembers"):
                    conversation.state = "helo"
                conversation.run("220 <model.test> DMTP" if
                                 self.breaks("banner in TLS") else
                                 "250 OK DMTP")
                return
            self.say("250 OK ESMTP")
            while True:
                self.answer(self.read_line())
