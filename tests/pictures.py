# SPDX-License-Identifier: MIT
"""What must hold of pictures and traces, whoever made them. Each check gives a list of what is wrong."""
import json
import re
import xml.etree.ElementTree as ET

SVG = "{http://www.w3.org/2000/svg}"
KINDS = ("activation", "weight", "input", "output", "other")
# Of the Trace Event Format: what an event of each phase has, beside "ph" and "name"
PHASES = {"X": {"ts", "dur", "pid", "tid"}, "i": {"ts", "pid", "tid", "s"}, "C": {"ts", "pid", "args"},
          "M": {"pid", "args"}}
METADATA = {"process_name": "name", "thread_name": "name", "process_sort_index": "sort_index",
            "thread_sort_index": "sort_index"}


def number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def nanoseconds(us):
    return round(us * 1000)


def trace_events(path):
    """The events, and what of the published format they do not keep to."""
    with open(path, encoding="utf-8") as f:
        trace = json.load(f)
    wrong = [] if trace.get("displayTimeUnit") in ("ms", "ns") else ["displayTimeUnit"]
    events = trace["traceEvents"]
    for e in events:
        needed = PHASES.get(e.get("ph"))
        if needed is None or not isinstance(e.get("name"), str) or not needed <= set(e):
            wrong.append(f"not an event: {e}")
        elif any(k in e and (not number(e[k]) or e[k] < 0) for k in ("ts", "dur")) or \
                any(k in e and not isinstance(e[k], int) for k in ("pid", "tid")) or \
                not isinstance(e.get("args", {}), dict):
            wrong.append(f"type of a field: {e}")
        elif e["ph"] == "i" and e["s"] not in ("g", "p", "t"):
            wrong.append(f"scope: {e}")
        elif e["ph"] == "C" and not (e["args"] and all(number(v) for v in e["args"].values())):
            wrong.append(f"counter: {e}")
        elif e["ph"] == "M" and METADATA.get(e["name"]) not in e["args"]:
            wrong.append(f"metadata: {e}")
    return events, wrong


def overlaps(events):
    """Slices of a track that are not one behind the other."""
    wrong, tracks = [], {}
    for e in events:
        if e["ph"] == "X":
            tracks.setdefault((e["pid"], e["tid"]), []).append(
                (nanoseconds(e["ts"]), nanoseconds(e["ts"]) + nanoseconds(e["dur"]), e["name"]))
    for track, slices in tracks.items():
        slices.sort()
        for a, b in zip(slices, slices[1:]):
            if b[0] < a[1]:
                wrong.append(f"track {track}: {a} and {b}")
    return wrong


def unnamed(events):
    """Tracks without a name."""
    named = {(e["pid"], e["tid"]) for e in events if e["ph"] == "M" and e["name"] == "thread_name"}
    return [str(e) for e in events if e["ph"] in "Xi" and (e["pid"], e["tid"]) not in named]


def rectangle(e):
    return tuple(float(e.get(k)) for k in ("x", "y", "width", "height"))


def svg_elements(path):
    """The root and all elements of a picture, and what makes it more than a picture."""
    root = ET.parse(path).getroot()
    everything = list(root.iter())
    wrong = [] if root.tag == SVG + "svg" else ["no picture"]
    for e in everything:
        if e.tag in (SVG + "script", SVG + "image", SVG + "foreignObject", SVG + "use"):
            wrong.append(e.tag)
        wrong += [f"{k}={v}" for k, v in e.attrib.items() if k.endswith("href") or k.startswith("on")]
    wrong += [e.text for e in everything if e.tag == SVG + "style" and re.search(r"url\(|@import", e.text)]
    return root, everything, wrong


def outside(root, everything):
    """Shapes and texts that do not begin inside the picture."""
    _, _, width, height = map(float, root.get("viewBox").split())
    wrong = []
    for e in everything:
        if e.tag == SVG + "rect":
            x, y, w, h = rectangle(e)
            if x < 0 or y < 0 or x + w > width + 0.02 or y + h > height + 0.02 or w < 0 or h < 0:
                wrong.append(str(e.attrib))
        elif e.tag == SVG + "text":
            if not (0 <= float(e.get("x")) <= width and 0 <= float(e.get("y")) <= height):
                wrong.append(str(e.attrib))
    return wrong


def stays(everything):
    """The map's rectangles: class, place, first line of what they tell."""
    found = []
    for e in everything:
        title = e.find(SVG + "title")
        if e.tag == SVG + "rect" and title is not None and e.get("class").split()[0] in KINDS:
            found.append((e.get("class"), rectangle(e), title.text))
    return found
