#!/bin/sh
# SPDX-License-Identifier: MIT
# The YAML specification of the netlink family and its uapi header name the same
# attributes and commands, in the same order. TAP.
set -eu
cd "$(dirname "$0")/../.."

# Enumerators that the specification asks for, "enum-name enumerator" a line
spec=$(awk '
	/^operations:/ { ops = 1 }
	/^mcast-groups:/ { ops = 0 }
	/name-prefix:/ { prefix = $2 }
	/enum-name:/ { enum = $2; entries = 0 }
	ops && /name-prefix:/ { sub(/^.*: /, ""); prefix = $0 }
	/^      -$/ { entry = 1; next }
	/^    -$/ && ops { entry = 1; next }
	entry && /name:/ && enum { line = enum " " prefix $2; gsub("-", "_", line); print toupper(line) }
	{ entry = 0 }
' uapi/netlink/onsram.yaml)

header=$(awk '
	/^enum / { enum = $2 }
	/^}/ { enum = "" }
	enum && /^\tONSRAM_[A-Z_]*,/ { sub(/,.*/, "", $1); if ($1 !~ /UNSPEC$/) print toupper(enum) " " $1 }
' uapi/linux/onsram_netlink.h)

echo 1..2
n=$(printf '%s\n' "$spec" | wc -l)
if [ "$n" -gt 60 ]; then
	echo "ok 1 - the specification names $n entries"
else
	echo "not ok 1 - only $n entries found in the specification"
fi
if [ "$(printf '%s\n' "$spec" | sort -s -k1,1)" = "$(printf '%s\n' "$header" | sort -s -k1,1)" ]; then
	echo "ok 2 - specification and header agree"
else
	echo "not ok 2 - specification and header differ"
	printf '%s\n' "$spec" | sort -s -k1,1 >"${TMPDIR:-/tmp}/onsram-spec.$$"
	printf '%s\n' "$header" | sort -s -k1,1 |
		diff -u "${TMPDIR:-/tmp}/onsram-spec.$$" - | sed 's/^/# /'
	rm -f "${TMPDIR:-/tmp}/onsram-spec.$$"
	exit 1
fi
[ "$n" -gt 60 ]
