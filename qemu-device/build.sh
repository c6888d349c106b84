#!/bin/bash
# SPDX-License-Identifier: MIT
# Build QEMU with the onsram device, and the device's qtest, in the cache.
#
# The tree is keyed by what forces a full build (QEMU's source, options, device
# list); the binaries are keyed by that and the content of the overlay, which is
# copied over the tree, changed files only: an edit of the device rebuilds the
# device, and an overlay built before, from whatever checkout, is not rebuilt.
set -euo pipefail
. "$(dirname "$0")/../scripts/common.sh"

if [ "${1:-}" = --help ]; then
	echo "usage: build.sh"
	echo "Builds QEMU with the onsram device in $CACHE/qemu and prints the folder of"
	echo "qemu-system-x86_64 and onsram-test."
	exit 0
fi

HERE=$TOP/qemu-device
JOBS=${ONSRAM_JOBS:-$(nproc)}
QEMU_OPTIONS=(
	--target-list=x86_64-softmmu
	--without-default-features --enable-tcg --enable-kvm
	--enable-fdt=system --enable-virtfs --enable-attr
	--disable-install-blobs --disable-docs --disable-tools
	--disable-werror --disable-debug-info
	--without-default-devices --with-devices-x86_64=onsram
)

hash_of()
{
	sha256sum | cut -c 1-16
}

# The overlay's files, as "path in this checkout<tab>path in QEMU's tree".
overlay()
{
	(cd "$HERE" && find hw include tests docs -type f ! -name ".*" ! -name "*~" 2>/dev/null || true) |
		sort | sed "s|.*|$HERE/&\t&|"
	(cd "$TOP/lib/perf" && find . -type f -name '*.[ch]' -printf '%P\n') | sort |
		sed "s|.*|$TOP/lib/perf/&\thw/misc/onsram/&|"
	printf '%s\t%s\n' "$TOP/uapi/drm/onsram_op.h" \
		include/standard-headers/drm/onsram_op.h
}

# QEMU's copies of kernel headers use its own name for linux/types.h, and the
# C standard's types, also in the header that driver and device share.
translated()
{
	case $2 in
	include/standard-headers/*|include/hw/misc/onsram_hw.h)
		sed -E -e 's|<linux/types.h>|"standard-headers/linux/types.h"|' \
			-e 's/\b__u(8|16|32|64)\b/uint\1_t/g' \
			-e 's/\b__s(8|16|32|64)\b/int\1_t/g' "$1" ;;
	*)
		cat "$1" ;;
	esac
}

overlay_hash()
{
	overlay | while IFS=$'\t' read -r from to; do
		echo "$to"
		sha256sum <"$from"
	done | hash_of
}

prepare_tree()
{
	rm -rf "$TREE.new"
	mkdir -p "$TREE.new"
	tar -C "$TREE.new" --strip-components=1 -xf "$SOURCE"
	cat "$HERE"/*.patch | patch -d "$TREE.new" -p1
	# Debian's source lacks files which an unpatched build would look for.
	tar -C "$TREE.new" -xf "$DEBIAN"
	for p in disable-pycotap skip-unpack-edk2-blobs; do
		patch -d "$TREE.new" -p1 <"$TREE.new/debian/patches/$p.patch"
	done
	cp "$HERE/devices.mak" "$TREE.new/configs/devices/x86_64-softmmu/onsram.mak"
	rm -rf "$TREE"
	mv "$TREE.new" "$TREE"
}

# Make the tree's overlay equal to the checkout's; an equal file keeps its time.
sync_overlay()
{
	local list=$TREE/.overlay
	overlay | cut -f 2 | sort >"$list.new"
	if [ -e "$list" ]; then
		comm -23 "$list" "$list.new" | while read -r gone; do
			rm -f "$TREE/$gone"
		done
	fi
	overlay | while IFS=$'\t' read -r from to; do
		mkdir -p "$(dirname "$TREE/$to")"
		translated "$from" "$to" >"$list.file"
		cmp -s "$list.file" "$TREE/$to" || cp "$list.file" "$TREE/$to"
	done
	mv "$list.new" "$list"
}

configure_tree()
{
	mkdir -p "$TREE/build"
	cd "$TREE/build"
	../configure --python="$PYTHON" "${QEMU_OPTIONS[@]}"
}

build_tree()
{
	local targets=(qemu-system-x86_64)
	[ ! -e "$TREE/tests/qtest/onsram-test.c" ] || targets+=(tests/qtest/onsram-test)
	ninja -C "$TREE/build" -j "$JOBS" "${targets[@]}"
}

"$TOP/scripts/fetch-trixie"
SOURCE=$(echo "$CACHE"/trixie/dl/qemu_*.orig.tar.*)
DEBIAN=$(echo "$CACHE"/trixie/dl/qemu_*.debian.tar.*)
base=$( (basename "$SOURCE"; debian_release; printf '%s\n' "${QEMU_OPTIONS[@]}"
	cat "$HERE"/*.patch "$HERE/devices.mak") | hash_of)
TREE=$CACHE/qemu/tree-$base
OUT=$CACHE/qemu/$base-$(overlay_hash)

if [ ! -e "$OUT/complete" ]; then
	locked qemu
	if [ ! -e "$OUT/complete" ]; then
		# meson of Debian 13, for whatever Debian this is.
		export PYTHONPATH=$CACHE/trixie/meson/usr/lib/python3/dist-packages
		export PATH=$CACHE/trixie/meson/usr/bin:$PATH
		[ -d "$TREE" ] || logged qemu-unpack "unpacking QEMU" prepare_tree
		sync_overlay
		[ -e "$TREE/build/build.ninja" ] ||
			logged qemu-configure "configuring QEMU (under a minute)" configure_tree
		logged qemu-build "building QEMU with the device (5 minutes on 2 cores the first time, seconds after an edit)" \
			build_tree
		mkdir -p "$OUT"
		cp "$TREE/build/qemu-system-x86_64" "$TREE/build/tests/qtest/onsram-test" "$OUT/"
		# Debian's firmware, where a QEMU that is not installed looks for it
		mkdir -p "$OUT/qemu-bundle/usr/local/share/qemu"
		ln -sf /usr/share/qemu/*.bin /usr/share/qemu/qboot.rom \
			/usr/share/seabios/*.bin "$OUT/qemu-bundle/usr/local/share/qemu/"
		touch "$OUT/complete"
	fi
fi
echo "$OUT"
