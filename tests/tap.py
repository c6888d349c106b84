# SPDX-License-Identifier: MIT
"""Results of tests as TAP, and what tests read."""
import json

number = 0
failed = 0


def result(good, what, why=""):
    global number, failed
    number += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {number} {what}")
    if not good and why:
        print("\n".join("# " + line for line in str(why).splitlines()))


def text(path):
    try:
        with open(path, encoding="utf-8") as f:
            return f.read()
    except OSError as error:
        return f"({error})"


def load(folder, name):
    """The reports of one `onsram run`, as a list, and what it said."""
    try:
        report = json.loads(text(f"{folder}/{name}.json"))
    except ValueError as error:
        return [], f"no report: {error}\n" + text(f"{folder}/{name}.err")
    return report if isinstance(report, list) else [report], text(f"{folder}/{name}.err")


def checksums(reports):
    return {p["outputs_sha256"] for r in reports for p in r["passes"]}
