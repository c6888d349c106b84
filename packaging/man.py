#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Write the manual pages of the policy protocol and of the sysfs files.

usage: man.py netlink YAML | sysfs ABI

Each page has one source: the protocol's YAML specification, and the sysfs ABI
document. The page goes to standard output, in man(7)'s macros. The pages of
the commands are what help2man makes of their --help.
"""
import re
import sys

import yaml


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def paragraph(text):
    return escape(" ".join(text.split()))


def tagged(tag, text, bold=True):
    font = ".B" if bold else ".I"
    return f".TP\n{font} {escape(tag)}\n{paragraph(text) or chr(92) + '&'}"


def header(name, section, title, what):
    return "\n".join([
        f'.TH {name.upper()} {section} "" "onsram" "{title}"',
        ".SH NAME", f"{escape(name)} \\- {escape(what)}"])


def list_of(names):
    return ", ".join(names) if names else "none"


def netlink(path):
    with open(path, encoding="utf-8") as f:
        spec = yaml.safe_load(f)
    out = [header("onsram-netlink", 7, "onsram's interfaces",
                  "generic netlink protocol of onsram's policies"),
           ".SH DESCRIPTION", paragraph(spec["doc"]),
           ".PP", f"The family is \\(lq{escape(spec['name'])}\\(rq, its numbers are those of",
           f".BR {escape('<' + spec['uapi-header'] + '>')} .", ".SH OPERATIONS"]
    for op in spec["operations"]["list"]:
        text = op.get("doc", "")
        if "event" in op:
            text += f" Event of the group {op['mcgrp']}: {list_of(op['event'].get('attributes'))}."
        for kind in ("do", "dump"):
            if kind not in op:
                continue
            text += f" {kind.capitalize()}"
            for way in ("request", "reply"):
                if way in op[kind]:
                    text += f", {way}: {list_of(op[kind][way].get('attributes'))}"
            text += "."
        if "admin-perm" in op.get("flags", []):
            text += " Needs CAP_NET_ADMIN."
        out.append(tagged(op["name"], text))
    for attrs in spec["attribute-sets"]:
        title = "ATTRIBUTES" if attrs["name"] == spec["name"] else f"ATTRIBUTES OF {attrs['name'].upper()}"
        out.append(f'.SH "{title}"')
        for attr in attrs["attributes"]:
            if attr["type"] == "pad":
                continue
            kind = attr["type"]
            if kind == "nest":
                kind = f"nest of {attr['nested-attributes']}"
            if attr.get("multi-attr"):
                kind += ", repeated"
            out.append(tagged(attr["name"], f"({kind}) {attr.get('doc', '')}"))
    for d in spec.get("definitions", []):
        out.append(f'.SH "{d["name"].upper()}"')
        out.append(paragraph(d.get("doc", "")))
        for entry in d.get("entries", []):
            out.append(tagged(entry["name"], entry.get("doc", "")))
    out += [".SH SEE ALSO", ".BR onsramd (8),", ".BR onsram (1)"]
    return out


def sysfs(path):
    with open(path, encoding="utf-8") as f:
        blocks = f.read().split("\n\n")
    out = [header("onsram-sysfs", 5, "onsram's interfaces",
                  "sysfs files of an onsram accelerator"),
           ".SH DESCRIPTION",
           "An onsram accelerator has these files. Its PCI function is also",
           f".IR {escape('/sys/class/accel/accelN/device')} .", ".SH FILES"]
    for block in blocks:
        files = re.findall(r"^What:\s*(\S+)", block, flags=re.M)
        text = re.search(r"^Description:\s*(.*)", block, flags=re.M | re.S)
        if not files:
            if text is None and block.startswith("\t"):
                out += [".sp", paragraph(block)]
            continue
        if text is None:
            sys.exit(f"{path}: {files[0]} has no description")
        for name in files[:-1]:
            out += [".TP", f".I {escape(name)}", ".TQ"] if name == files[0] else [f".I {escape(name)}", ".TQ"]
        if len(files) == 1:
            out.append(".TP")
        out += [f".I {escape(files[-1])}", paragraph(text.group(1))]
    out += [".SH SEE ALSO", ".BR onsram (1),", ".BR onsramd (8)"]
    return out


def main():
    makers = {"netlink": netlink, "sysfs": sysfs}
    if len(sys.argv) == 2 and sys.argv[1] == "--help":
        print(__doc__.strip())
        return
    if len(sys.argv) != 3 or sys.argv[1] not in makers:
        print(__doc__.strip(), file=sys.stderr)
        sys.exit(2)
    print("\n".join(makers[sys.argv[1]](sys.argv[2])))


main()
