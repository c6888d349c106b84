#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""Making networks into the cache: what is half written, damaged or old is written again. Prints TAP."""
import contextlib
import importlib.machinery
import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
MODELS = os.path.join(TOP, "tools", "models")
sys.path[:0] = [MODELS, os.path.join(TOP, "tests")]

import suites
import tap
from tap import result
import write

loader = importlib.machinery.SourceFileLoader("make_networks", os.path.join(MODELS, "make-networks"))
make_networks = importlib.util.module_from_spec(importlib.util.spec_from_loader("make_networks", loader))
loader.exec_module(make_networks)

# Small ones, one made from each of two files
NAMES = ("mobilenet", "mha")
suites.NETWORKS = {n: suites.NETWORKS[n] for n in NAMES}
suites.SUITES = {"both": list(NAMES), "one": ["mha"]}


def folder():
    """The folder of networks, and what was said."""
    with contextlib.redirect_stderr(io.StringIO()) as said:
        path = make_networks.folder()
    return path, said.getvalue()


def content(path):
    """All files' contents but the manifest's, which has times."""
    found = {}
    for at, _, files in os.walk(path):
        for file in files:
            with open(os.path.join(at, file), "rb") as f:
                found[os.path.relpath(os.path.join(at, file), path)] = f.read()
    found.pop(make_networks.MANIFEST, None)
    return found


def damage(text, path, change, name):
    """After CHANGE of the file NAME, it is told, and everything is as it was."""
    before = content(path)
    change(os.path.join(path, name))
    again, said = folder()
    result(again == path and "written again" in said, f"{text}: told", said)
    result(content(path) == before, f"{text}: written again")


def truncate(file):
    os.truncate(file, os.path.getsize(file) // 2)


def flip(file):
    with open(file, "r+b") as f:
        f.seek(os.path.getsize(file) // 2)
        byte = f.read(1)[0]
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([byte ^ 1]))


def overwrite(file):
    with open(file, "w", encoding="ascii") as f:
        f.write("{}")


def test_damage(path):
    damage("a model that was not written to its end", path, truncate, "networks/mha/model.onnx")
    damage("a model with a wrong bit", path, flip, "networks/mobilenet/model.onnx")
    damage("a model that is missing", path, os.unlink, "networks/mha/model.onnx")
    damage("an input that is empty", path, lambda f: os.truncate(f, 0), "networks/mha/test_data_set_0/input_0.pb")
    damage("a suite with other networks", path, overwrite, "suites/one")
    damage("a manifest of something else", path, overwrite, make_networks.MANIFEST)
    damage("a manifest that is no JSON", path, truncate, make_networks.MANIFEST)
    damage("a folder with nothing in it", path, lambda f: [shutil.rmtree(f), os.mkdir(f)], "networks")


def test_kept(path):
    model = os.path.join(path, "networks/mha/model.onnx")
    before = os.stat(model)
    _, said = folder()
    result(said == "" and os.stat(model).st_ino == before.st_ino, "what is there is not made again", said)
    os.utime(model)
    _, said = folder()
    result(said == "" and os.stat(model).st_ino == before.st_ino, "a new time alone is no damage", said)


def test_interrupted(path):
    """A run that ends early leaves nothing under the folder's name."""
    shutil.rmtree(path)
    good = write.write

    def interrupted(name, to):
        good(name, to)
        if name == NAMES[1]:
            truncate(os.path.join(to, "model.onnx"))
            raise KeyboardInterrupt

    write.write = interrupted
    try:
        folder()
        result(False, "an interrupted run ends")
    except KeyboardInterrupt:
        result(not os.path.exists(path), "an interrupted run leaves no folder")
    write.write = good
    result(folder()[0] == path, "and the next one makes it")
    names = {n for n in os.listdir(os.path.dirname(path)) if n.endswith(".new")}
    result(not names, "without leaving anything behind", names)


def test_changed(path):
    """Another way to make one network: another folder, the other network linked."""
    module, *rest = suites.NETWORKS["mha"]
    suites.NETWORKS["mha"] = (f"{module} again", *rest)
    again, _ = folder()
    result(again != path, "what suites tell has a folder of its own when it changes")
    same = [os.path.samefile(os.path.join(p, "networks", n, "model.onnx"), os.path.join(again, "networks", n, "model.onnx"))
            for n in NAMES for p in (path,)]
    result(all(same), "networks that did not change are linked")
    os.utime(path, (0, 0))
    suites.NETWORKS["mha"] = (f"{module} once more", *rest)
    folder()
    result(not os.path.exists(path), "a folder that nobody asked for is removed")
    result(os.path.exists(again), "one in use is not")


def test_usage():
    run = subprocess.run([os.path.join(MODELS, "make-networks"), "onsram13"], capture_output=True, text=True, check=False)
    result(run.returncode == 2 and "onsram12, onsram16" in run.stderr and not run.stdout,
           "an unknown suite: status 2, and those that exist", run.stderr)
    run = subprocess.run([os.path.join(MODELS, "make-networks"), "--list"], capture_output=True, text=True, check=False)
    lists = dict(line.split(": ") for line in run.stdout.splitlines())
    result(len(lists["onsram12"].split()) == 12 and len(lists["onsram16"].split()) == 16, "suites of 12 and 16", lists)


def main():
    with tempfile.TemporaryDirectory() as cache:
        os.environ["ONSRAM_CACHE"] = cache
        path, said = folder()
        result("making the networks" in said, "networks are made where there are none", said)
        with open(os.path.join(path, "suites", "both"), encoding="utf-8") as f:
            lines = [line.rstrip("\n").split("\t") for line in f]
        result([t for _, t in lines] == ["MobileNet", "MHA"] and
               all(os.path.isfile(os.path.join(path, "suites", p)) for p, _ in lines), "a suite lists files and titles", lines)
        with open(os.path.join(path, make_networks.MANIFEST), encoding="utf-8") as f:
            result(sorted(json.load(f)) == sorted(NAMES), "the manifest lists the networks")
        test_kept(path)
        test_damage(path)
        test_interrupted(path)
        test_changed(path)
    test_usage()
    print(f"1..{tap.number}")
    sys.exit(tap.failed > 0)


if __name__ == "__main__":
    main()
