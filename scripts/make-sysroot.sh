#!/usr/bin/env bash
# Makes the Debian 11 (glibc 2.31) root that release binaries are linked against: scripts/make-sysroot.sh <folder> [<architecture>]
# Needs root and Debian's debootstrap; for another architecture (arm64) qemu-user-static too, registered with the kernel.
# The package's tests run in the same root: PACKAGE_TEST_ROOT=<folder>.
set -euo pipefail
root=${1:?usage: make-sysroot.sh <folder> [<architecture>]}
architecture=${2:-$(dpkg --print-architecture)}
debootstrap --variant=minbase --arch="$architecture" --include=libc6-dev,libgcc-10-dev,libstdc++6 bullseye "$root"
cd "$root"
# Absolute links would lead out of the root.
find . -type l -lname '/*' | while read -r link; do
  target=.$(readlink "$link")
  if [ -e "$target" ]; then ln -sfn "$(realpath --relative-to="$(dirname "$link")" "$target")" "$link"; fi
done
