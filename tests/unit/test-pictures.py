#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""Pictures and traces of plans: as the plan says, readable, whole or not there. Prints TAP."""
import json
import os
import subprocess
import sys
import tempfile

from onnx import TensorProto, helper, save

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
ONSRAM = os.path.join(TOP, os.environ.get("ONSRAM_BIN", "build/host/onsram"))
sys.path.insert(0, os.path.join(TOP, "tests"))

import pictures
import tap
from tap import result


def onsram(*args, **more):
    return subprocess.run([ONSRAM, *args], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
                          errors="replace", **more)


def chain(path, n, size, branch=7):
    """A network of N operations, some of which use what was made long before."""
    nodes, made = [], ["x"]
    for i in range(n):
        out = "y" if i == n - 1 else f"tensor_{i} <&> é"
        other = made[-branch] if i % branch == branch - 1 and len(made) > branch else made[-1]
        nodes.append(helper.make_node(("Add", "Mul", "Sub")[i % 3], [made[-1], other], [out], name=f"operation_{i}"))
        made.append(out)
    info = [helper.make_tensor_value_info(t, TensorProto.FLOAT, [size]) for t in ("x", "y")]
    save(helper.make_model(helper.make_graph(nodes, 'a "chain"', info[:1], info[1:]), ir_version=8,
                           opset_imports=[helper.make_opsetid("", 17)]), path)


def near(a, b):
    return abs(a - b) < 0.02


def check_map(text, path, plan):
    """Every stay of the plan is where it should be, and nothing else is there."""
    root, everything, wrong = pictures.svg_elements(path)
    result(not wrong, f"{text}: a picture without scripts and links", wrong)
    result(not pictures.outside(root, everything), f"{text}: all of it inside", pictures.outside(root, everything))
    found = pictures.stays(everything)
    ops, size = plan["operations"], plan["spm_size_bytes"]
    frame = next(pictures.rectangle(e) for e in everything if e.get("class") == "frame")
    missing, expected = [], 0
    for t in plan["tensors"]:
        for iv in t["intervals"]:
            for first, end, moving in ((iv["reserve_op"], iv["first_op"], True), (iv["first_op"], iv["last_op"] + 1, False),
                                       (iv["last_op"] + 1, iv["release_op"], True)):
                if first >= end:
                    continue
                expected += 1
                x, w = frame[0] + frame[2] * first / ops, frame[2] * (end - first) / ops
                h = frame[3] * iv["bytes"] / size
                y = frame[1] + frame[3] * (1 - (iv["offset"] + iv["bytes"]) / size)
                if not any(all(map(near, r, (x, y, w, h))) and title.startswith(t["name"] + " (") and
                           ("moving" in cls) == moving for cls, r, title in found):
                    missing.append(f"{t['name']} {iv}")
    result(not missing and expected == len(found), f"{text}: {expected} stays at their places",
           f"{len(found)} drawn\n" + "\n".join(missing[:5]))
    result(frame[2] / ops >= 4, f"{text}: an operation is at least 4 pixels wide", frame)
    tasks = [e for e in everything if e.get("class") == "operation" and len(e)]
    result(len(tasks) == ops, f"{text}: every operation is on the time line", len(tasks))
    cramped = [e.text for e in everything if e.get("class") == "label" and e.get("pointer-events") and
               not any(r[0] <= float(e.get("x")) and r[1] <= float(e.get("y")) <= r[1] + r[3] and
                       float(e.get("x")) + 5 * len(e.text) <= r[0] + r[2] + 6
                       for r in (pictures.rectangle(s) for s in everything if s.tag == pictures.SVG + "rect"))]
    result(not cramped, f"{text}: no name is longer than its rectangle", cramped[:5])


def check_trace(text, path, plan):
    events, wrong = pictures.trace_events(path)
    result(not wrong, f"{text}: as the Trace Event Format has it", "\n".join(wrong[:5]))
    result(not pictures.overlaps(events), f"{text}: no two events of a track overlap",
           "\n".join(pictures.overlaps(events)[:5]))
    result(not pictures.unnamed(events), f"{text}: every track has a name", pictures.unnamed(events)[:5])
    operations = [e for e in events if e.get("cat") == "operation"]
    result(len(operations) == plan["operations"], f"{text}: every operation", len(operations))
    ends = [e["args"]["end_ps"] for e in events if e["ph"] == "X" and "end_ps" in e["args"]]
    result(max(ends) == plan["time_ps"], f"{text}: it ends when the plan says", f"{max(ends)} {plan['time_ps']}")
    stays = sum(len(t["intervals"]) for t in plan["tensors"])
    for name in ("placed", "released"):
        seen = [e for e in events if e["ph"] == "i" and (e["name"] == name or name == "released" and e["name"] == "at the end")]
        result(len(seen) == stays, f"{text}: {name}", f"{len(seen)} of {stays}")
    levels = [e["args"]["bytes"] for e in events if e["ph"] == "C" and e["name"] == "SPM occupancy"]
    result(max(levels, default=0) <= plan["spm_size_bytes"] and levels[-1:] in ([], [0]), f"{text}: SPM occupancy", levels[:20])


def refuses(text, status, words, *args, **more):
    done = onsram(*args, **more)
    result(done.returncode == status and words in done.stderr, text, f"{done.returncode} {done.stderr}")


def main():
    os.chdir(tempfile.mkdtemp())
    for n, size in ((50, 60000), (1000, 20000), (1, 100)):
        text = f"{n} operations"
        chain(f"{n}.onnx", n, size)
        done = onsram("plan", f"{n}.onnx", "--svg", f"{n}.svg", "--trace", f"{n}.json", "--json")
        result(done.returncode == 0 and done.stderr == "", f"{text}: plan --svg --trace", done.stderr)
        plan = json.loads(done.stdout)
        check_map(text, f"{n}.svg", plan)
        check_trace(text, f"{n}.json", plan)
    with open("50.svg", "rb") as f:
        good = f.read()
    again = onsram("plan", "50.onnx", "--svg", "again.svg", env={"LC_ALL": "C", "COLUMNS": "40", "TERM": "dumb"})
    with open("again.svg", "rb") as f:
        result(again.returncode == 0 and f.read() == good, "the same picture every time, whatever the locale")

    refuses("a full disk is told", 1, "No space left", "plan", "50.onnx", "--svg", "/dev/full")
    refuses("of a trace, too", 1, "No space left", "plan", "50.onnx", "--trace", "/dev/full")
    refuses("a folder that is not there", 1, "nowhere/x.svg: No such file", "plan", "50.onnx", "--svg", "nowhere/x.svg")
    refuses("a folder in a picture's place", 1, "Is a directory", "plan", "50.onnx", "--svg", ".")
    refuses("an SPM without an end has no map", 2, "--svg and --trace show places", "plan", "50.onnx", "--policy", "ideal", "--svg",
            "x.svg")
    refuses("an option without its file", 2, "needs an argument", "plan", "50.onnx", "--svg")
    refuses("files of no model", 2, "go with a model", "plan", "--csv", "p", "--capacity", "1", "--output", "o", "--svg", "x.svg")
    before = sorted(os.listdir("."))
    refuses("a file that may not grow", 1, "50.svg: File too large", "plan", "50.onnx", "--svg", "50.svg",
            preexec_fn=limit_size)
    with open("50.svg", "rb") as f:
        result(f.read() == good and sorted(os.listdir(".")) == before, "leaves the one before as it was, and nothing beside it")
    with subprocess.Popen([ONSRAM, "plan", "1000.onnx", "--svg", "/dev/stdout"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as p:
        p.stdout.close()
        words = p.stderr.read().decode()
        result(p.wait() == 1 and "/dev/stdout: Broken pipe" in words, "a closed pipe is told", f"{p.returncode} {words}")
    with subprocess.Popen([ONSRAM, "plan", "1000.onnx", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
        p.stdout.close()
        words = p.stderr.read().decode()
        result(p.wait() == 1 and "standard output cannot be written" in words, "also of a report", f"{p.returncode} {words}")
    print(f"1..{tap.number}")
    sys.exit(tap.failed > 0)


def limit_size():
    import resource
    import signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))


if __name__ == "__main__":
    main()
