#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""Pictures and traces of plans: as the plan says, readable, whole or not there. Prints TAP."""
import base64
from html.parser import HTMLParser
import json
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
ONSRAM = os.path.join(TOP, os.environ.get("ONSRAM_BIN", "build/host/onsram"))
sys.path.insert(0, os.path.join(TOP, "tests"))

from networks_of import chain
import pictures
import tap
from tap import result


def onsram(*args, **more):
    return subprocess.run([ONSRAM, *args], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
                          errors="replace", **more)


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


class Page(HTMLParser):
    """Tags of a page, what it would load from elsewhere, and its text."""
    def __init__(self, path):
        super().__init__()
        self.tags, self.elsewhere, self.words, self.open = [], [], "", []
        with open(path, encoding="utf-8") as f:
            self.feed(f.read())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in ("meta", "br", "rect", "line", "path"):
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "data", "action") and not value.startswith("data:") or name.startswith("on"):
                self.elsewhere.append(f"{tag} {name}={value[:80]}")

    def handle_endtag(self, tag):
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data):
        self.words += data


def bench_report():
    """Two networks, one of them published about, and one that failed."""
    def policy(ps):
        return {"last": {"time_ps": ps, "energy_pj": 7 * ps, "dram_bytes": ps // 3}, "spm_peak_bytes": 12345}
    policies = {"none": policy(4000000), "lru": policy(3000000), "static-paper": policy(2000000), "static": policy(1000000),
                "eager": policy(1600000), "ideal": policy(900000)}
    return {"dtype": "fp16", "fuse": True, "model": "default", "config_hash": "0123456789abcdef", "networks": [
        {"name": "SqueezeNet", "policies": policies, "bound_ps": 800000}, {"name": "Broken", "error": "no model"},
        {"name": "<Own> & é", "policies": {"none": policy(10), "static": policy(5)}, "bound_ps": 5}]}


def check_bars(page):
    _, everything, wrong = pictures.svg_elements("bars.svg")
    tips = {e.find(pictures.SVG + "title").text for e in everything if e.find(pictures.SVG + "title") is not None}
    with open(os.path.join(TOP, "docs", "published.json"), encoding="utf-8") as f:
        published = json.load(f)["networks"]["SqueezeNet"]
    wanted = {f"SqueezeNet, {n}: {x:.2f}" for n, x in (("lru", 4 / 3), ("static-paper", 2), ("static", 4), ("eager", 2.5),
                                                       ("ideal", 4 / 0.9), ("bound", 5))}
    wanted |= {f"SqueezeNet, static-paper: {published['static']:.2f} as published",
               f"SqueezeNet, ideal: {published['infinite']:.2f} as published", "<Own> & é, static: 2.00", "<Own> & é, bound: 2.00"}
    result(not wrong and wanted == tips - {None} - {"How many times faster than none, which manages nothing"},
           "a bench's bars, and what was published", f"{wrong} {tips ^ wanted}")
    bars = {e.find(pictures.SVG + "title").text: pictures.rectangle(e)[3] for e in everything
            if e.tag == pictures.SVG + "rect" and e.find(pictures.SVG + "title") is not None}
    result(near(bars["SqueezeNet, static: 4.00"], 2 * bars["SqueezeNet, static-paper: 2.00"]), "a bar is as high as its figure")
    result("bench.json" in page.words and "28.00 uJ" in page.words, "figures stand beside them", page.words[:400])


def check_report():
    os.mkdir("dir")
    for name in ("50.svg", "50.json"):
        os.link(name, f"dir/{name}")
    with open("dir/plan.json", "w", encoding="utf-8") as f:
        f.write(onsram("plan", "50.onnx", "--json").stdout)
    with open("dir/bench.json", "w", encoding="utf-8") as f:
        json.dump(bench_report(), f)
    done = onsram("report", "dir")
    result(done.returncode == 0 and done.stdout == "dir/report.html\n" and done.stderr == "", "report", done.stdout + done.stderr)
    page = Page("dir/report.html")
    result(not page.elsewhere and "script" not in page.tags and page.tags.count("svg") == 2, "a page of its own, without scripts",
           page.elsewhere)
    result(not page.open, "whose elements are all closed", page.open)
    with open("dir/report.html", encoding="utf-8") as f:
        html = f.read()
    trace = re.search(r'href="data:application/json;base64,([^"]*)"', html).group(1)
    with open("50.json", "rb") as f:
        result(base64.b64decode(trace) == f.read(), "the trace can be taken from it")
    result("tensor_1 <&> é" in page.words and "larger than the SPM" not in page.words, "the plan's tensors", page.words[:400])
    with open("bars.svg", "w", encoding="utf-8") as f:
        f.write(re.search(r"<svg.*?</svg>", html, re.S).group(0))
    check_bars(page)
    for text, change in (("a script", ("</svg>", "<script>1</script></svg>")), ("a handler", ("<rect ", '<rect onload="x()" ')),
                         ("a link", ("</svg>", '<a href="http://x">x</a></svg>'))):
        with open("50.svg", encoding="utf-8") as f:
            svg = f.read().replace(*change)
        with open("dir/foreign.svg", "w", encoding="utf-8") as f:
            f.write(svg)
        done = onsram("report", "dir")
        result(done.returncode == 0 and "foreign.svg: no picture that onsram made" in done.stderr and
               Page("dir/report.html").tags.count("svg") == 2, f"a picture with {text} is left out", done.stderr)
    os.remove("dir/foreign.svg")
    with open("dir/other.json", "w", encoding="utf-8") as f:
        f.write('{"some": "thing"}')
    done = onsram("report", "dir")
    result(done.returncode == 0 and "other.json: neither a run" in done.stderr, "another file is left out", done.stderr)
    with open("dir/half.json", "w", encoding="utf-8") as f:
        f.write('{"networks": [')
    os.remove("dir/report.html")
    refuses("a file that is no JSON", 1, "dir/half.json: no JSON", "report", "dir")
    result(not os.path.exists("dir/report.html"), "makes no page")
    os.remove("dir/half.json")
    os.mkdir("empty")
    refuses("a folder without reports", 1, "empty: nothing to report", "report", "empty")
    refuses("a folder that is not there", 1, "nowhere: No such file", "report", "nowhere")
    refuses("no folder", 2, "which folder?", "report")
    refuses("two folders", 2, "one folder at a time", "report", "a", "b")
    refuses("an option that report does not have", 2, "unknown option", "report", "dir", "--html")
    refuses("a page on a full disk", 1, "No space left", "report", "dir", "--output", "/dev/full")
    refuses("a page in no folder", 1, "nowhere/r.html: No such file", "report", "dir", "--output", "nowhere/r.html")


def check_explained():
    """Every tensor has its paragraph, and what its stays save; two plans side by side."""
    plans = {}
    for size in ("192K", "512K"):
        args = ("plan", "50.onnx", "--spm-size", size, "--explain")
        plans[size] = json.loads(onsram(*args, "--json").stdout)
        with open(f"{size}.json", "w", encoding="utf-8") as f:
            json.dump(plans[size], f)
        tensors, words = plans[size]["tensors"], onsram(*args).stdout
        result(all(f"\n\n{t['name']}: " in words for t in tensors), f"{size}: a paragraph for every tensor")
        held = [t for t in tensors if t["intervals"]]
        result(words.count("\n  held: ") == len(held) > 0 and words.count("\n  not held: ") == len(tensors) - len(held),
               f"{size}: held, or not held", f"{len(held)} of {len(tensors)}")
        whole = plans[size]["baseline_ps"] - plans[size]["time_ps"]
        result(0 < max(t["saves_ps"] for t in tensors) <= whole, f"{size}: no tensor saves more than all of them")
    full = [t for t in plans["192K"]["tensors"] if t["missing_bytes"] and t["would_save_ps"] > 0]
    words = onsram("plan", "50.onnx", "--spm-size", "192K", "--explain").stdout
    result(full and words.count(" are missing") == len(full) and "it would displace tensor_" in words, "what would be displaced",
           len(full))
    done = onsram("diff", "192K.json", "512K.json")
    moved = [line[:-1].split(": ")[0] for line in done.stdout.splitlines() if line.startswith(("x: ", "y: ", "tensor_"))]
    changed = {a["name"]: abs(b["saves_ps"] - a["saves_ps"]) for a, b in zip(plans["192K"]["tensors"], plans["512K"]["tensors"])
               if a["intervals"] != b["intervals"]}
    result(done.returncode == 0 and done.stderr == "" and moved and
           [changed[m] for m in moved] == sorted((changed[m] for m in moved), reverse=True),
           "diff: the largest difference first", done.stdout[:2000])
    same = json.loads(onsram("diff", "192K.json", "192K.json", "--json").stdout)
    result(same["tensors"] == [] and same["figures"]["time_ps"] == 2 * [plans["192K"]["time_ps"]], "diff: of a plan and itself", same)
    for name, text, words in (("run.json", '{"passes": [{"time_ps": 1}]}', "no tensors in it"), ("list.json", "[{}, {}]", "more than one policy"),
                              ("half.json", '{"tensors": [', "no JSON")):
        with open(name, "w", encoding="utf-8") as f:
            f.write(text)
        refuses(f"diff: {words}", 1, f"{name}: {words}" if words != "more than one policy" else "of more than one policy", "diff",
                "192K.json", name)


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
    check_report()
    check_explained()
    print(f"1..{tap.number}")
    sys.exit(tap.failed > 0)


def limit_size():
    import resource
    import signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))


if __name__ == "__main__":
    main()
