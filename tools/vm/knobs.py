# SPDX-License-Identifier: MIT
"""The device's fault knobs, worked from inside the guest.

A test in the guest writes lines to /dev/virtio-ports/onsram.knobs and reads one line back for each:

    set PROPERTY VALUE    set a property of the device (VALUE is JSON)
    get PROPERTY          "ok VALUE"
    unplug                ask the guest to give the device back
    plug                  put the device back after an unplug

The answer is "ok", or "error: " and QEMU's words.  Nothing else of QEMU's
monitor can be reached.
"""
import json
import socket

DEVICE = "/machine/peripheral/onsram0"


def pair():
    """A connected pair: our socket, and the descriptor to hand to QEMU."""
    ours, theirs = socket.socketpair()
    return ours, theirs.detach()


class Knobs:
    def __init__(self, monitor, port, device_args=None):
        self.monitor = monitor.makefile("rw", encoding="utf-8", newline="\n")
        self.port = port.makefile("rwb")
        self.device_args = device_args or {}

    def ask(self, execute, **arguments):
        """Run one monitor command; events that come between are passed over."""
        self.monitor.write(json.dumps({"execute": execute, "arguments": arguments}) + "\n")
        self.monitor.flush()
        for line in self.monitor:
            answer = json.loads(line)
            if "error" in answer:
                raise RuntimeError(answer["error"]["desc"])
            if "return" in answer:
                return answer["return"]
        raise EOFError

    def answer(self, words):
        if words[:1] == ["set"] and len(words) == 3:
            self.ask("qom-set", path=DEVICE, property=words[1], value=json.loads(words[2]))
            return "ok"
        if words[:1] == ["get"] and len(words) == 2:
            value = self.ask("qom-get", path=DEVICE, property=words[1])
            return "ok " + json.dumps(value)
        if words == ["unplug"]:
            self.ask("device_del", id="onsram0")
            return "ok"
        if words == ["plug"]:
            self.ask("device_add", driver="onsram", id="onsram0", bus="slot0",
                     **self.device_args)
            return "ok"
        raise ValueError("not one of: set PROPERTY VALUE, get PROPERTY, unplug, plug")

    def serve(self):
        try:
            self.monitor.readline()
            self.ask("qmp_capabilities")
            for line in self.port:
                try:
                    reply = self.answer(line.decode(errors="replace").split(None, 2))
                except (RuntimeError, ValueError) as error:
                    reply = "error: " + str(error).replace("\n", " ")
                self.port.write(reply.encode() + b"\n")
                self.port.flush()
        except (OSError, EOFError, ValueError):
            pass  # QEMU is gone, and the guest with it
