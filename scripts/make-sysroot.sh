#!/usr/bin/env bash
# Makes the Debian 11 (glibc 2.31) root that release binaries are linked against: scripts/make-sysroot.sh <folder>
# Needs root and Debian's debootstrap. The package's tests run in the same root: PACKAGE_TEST_ROOT=<folder>.
set -euo pipefail
root=${1:?usage: make-sysroot.sh <folder>}
debootstrap --variant=minbase --include=libc6-dev,libgcc-10-dev,libstdc++6 bullseye "$root"
cd "$root"
# Absolute links would lead out of the root.
find . -type l -lname '/*' | while read -r link; do
  target=.$(readlink "$link")
  if [ -e "$target" ]; then ln -sfn "$(realpath --relative-to="$(dirname "$link")" "$target")" "$link"; fi
done
