#!/usr/bin/env bash
# Makes what binaries for musl are linked against beside Debian's musl: GCC's C++ library, compiled by this system's GCC with
# musl's headers. scripts/make-musl-root.sh <folder>. Needs Debian's g++, make, musl-tools and gcc-12-source; takes minutes.
set -euo pipefail
root=$(realpath -m "${1:?usage: make-musl-root.sh <folder>}")
machine=$(uname -m)-linux-musl
gcc=$(gcc -dumpversion)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
tar xf "/usr/src/gcc-$gcc/gcc-$gcc".*-dfsg.tar.xz --strip-components=1 --exclude='*/testsuite/*/*' \
  --wildcards '*/libstdc++-v3/*' '*/libgcc/*' '*/libiberty/*' '*/libbacktrace/*' '*/include/*' '*/gcc/BASE-VER' '*/gcc/DATESTAMP' '*/gcc/DEV-PHASE' \
  '*/config*' '*/install-sh' '*/libtool*' '*/lt*.m4' '*/ltmain.sh' '*/missing' '*/mkinstalldirs' '*/multilib.am'
# GCC's own build lays this link when it configures libgcc.
ln -s gthr-posix.h libgcc/gthr-default.h
mkdir build
cd build
headers="-nostdinc -isystem /usr/include/$machine -isystem $(gcc -print-file-name=include)"
# Weak references tell on glibc whether there are threads; musl always has them.
flags='-O2 -fPIC -ffunction-sections -fdata-sections -DGTHREAD_USE_WEAK=0'
CC="gcc $headers" CXX="g++ $headers -nostdinc++" CFLAGS=$flags CXXFLAGS=$flags LDFLAGS="-specs=/usr/lib/$machine/musl-gcc.specs" \
  ../libstdc++-v3/configure --host="$machine" --prefix="$root" --with-gxx-include-dir="$root/include/c++" --with-target-subdir=. \
  --disable-shared --disable-nls --disable-multilib --disable-libstdcxx-pch --enable-clocale=generic
make -j"$(nproc)"
make install
