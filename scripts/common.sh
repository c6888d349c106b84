# SPDX-License-Identifier: MIT
# Shared by the set-up scripts; sourced, never run.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${ONSRAM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/onsram}
LOGS=${ONSRAM_LOGS:-$TOP/build/logs}
# Debian's own interpreter: what its packages (meson) are installed for,
# whatever another python3 comes first in PATH.
PYTHON=/usr/bin/python3
# Where Debian has depmod, which users other than root do not search.
export PATH=$PATH:/usr/sbin:/sbin

say()
{
	printf 'onsram: %s\n' "$*" >&2
}

die()
{
	printf 'onsram: error: %s\n' "$*" >&2
	exit 1
}

# logged NAME TEXT COMMAND...: announce TEXT, run COMMAND with its output in the
# log NAME; on failure show the end of the log.
logged()
{
	local log=$LOGS/$1.log start=$SECONDS
	mkdir -p "$LOGS"
	say "$2"
	shift 2
	if ! "$@" >"$log" 2>&1 </dev/null; then
		tail -n 25 "$log" >&2
		die "'$1' failed; the whole log is $log"
	fi
	say "  done in $((SECONDS - start)) s"
}

# locked NAME: hold the cache's lock NAME until this script ends, so that
# concurrent builds, from whatever checkout, take turns.
locked()
{
	mkdir -p "$CACHE/locks"
	exec 9>"$CACHE/locks/$1"
	if ! flock -n 9; then
		say "waiting for another build of $1"
		flock 9
	fi
}

# Debian's major release, which names some packages.
debian_release()
{
	local id version
	id=$(. /etc/os-release && echo "$ID")
	version=$(. /etc/os-release && echo "${VERSION_ID:-}")
	case $id-$version in
	debian-12|debian-13) echo "$version" ;;
	*) die "this is $id ${version:-(no version)}; Debian 12 or 13 is needed" ;;
	esac
}

# The meta packages which bring Linux 6.12 here: headers and image move together.
kernel_meta()
{
	if [ "$(debian_release)" = 12 ]; then
		echo "linux-$1-6.12-amd64"
	else
		echo "linux-$1-amd64"
	fi
}

# The release (as `uname -r` prints it) of the installed kernel headers.
kernel_release()
{
	dpkg-query -W -f '${Depends}' "$(kernel_meta headers)" |
		sed -n 's/.*linux-headers-\([^ ,]*\).*/\1/p'
}

# The archive's root as the machine reaches it: the one that serves the Debian
# release proper, whose address every suite shares. Where no package list
# has been read yet, apt knows no origins, but the releases of its sources.
debian_mirror()
{
	local uri
	uri=$(apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' |
		sed -n 's/^Debian|Debian|//p' | sort | uniq -c | sort -rn |
		awk 'NR == 1 { print $2 }')
	[ -n "$uri" ] || uri=$(
		. /etc/os-release
		apt-get indextargets --format '$(RELEASE)|$(REPO_URI)' |
			sed -n "s/^$VERSION_CODENAME|//p" | head -n 1)
	echo "$uri"
}
