#!/bin/sh
# Fetches the package lists and English descriptions of three Debian releases, the raw material of models/default.
# Needs apt-get and Debian's archive keyring, no root: apt works on state folders of its own under OUT.
# Usage: scripts/fetch-debian-descriptions.sh OUT
# DEBIAN_MIRROR is the archive to read, by default the one this machine's apt uses.
set -eu

out=${1:?usage: fetch-debian-descriptions.sh OUT}
releases="trixie bookworm bullseye"
mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' | grep -v security | head -n 1)}
keyring=${DEBIAN_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}

mkdir -p "$out/apt/state/lists/partial" "$out/apt/cache/archives/partial"
out=$(cd "$out" && pwd)

: > "$out/apt/sources.list"
for release in $releases; do
  echo "deb [arch=amd64 signed-by=$keyring] $mirror $release main" >> "$out/apt/sources.list"
done

# The machine's own sources and package status stay out of it, so that the lists are the same everywhere.
apt-get -q \
  -o APT::Architecture=amd64 \
  -o APT::Sandbox::User= \
  -o Acquire::Languages=en \
  -o Dir::Etc::SourceList="$out/apt/sources.list" \
  -o Dir::Etc::SourceParts=- \
  -o Dir::State="$out/apt/state" \
  -o Dir::State::Lists="$out/apt/state/lists" \
  -o Dir::State::status=/dev/null \
  -o Dir::Cache="$out/apt/cache" \
  update

# apt may keep a list compressed; cat-file unpacks whatever it chose.
for release in $releases; do
  for list in "$out"/apt/state/lists/*_dists_"${release}"_main_binary-amd64_Packages*; do
    /usr/lib/apt/apt-helper cat-file "$list" > "$out/$release.packages"
  done
  for list in "$out"/apt/state/lists/*_dists_"${release}"_main_i18n_Translation-en*; do
    /usr/lib/apt/apt-helper cat-file "$list" > "$out/$release.translation-en"
  done
  grep -h -m 3 -E '^(Version|Codename|Date):' "$out"/apt/state/lists/*_dists_"${release}"_InRelease \
    > "$out/$release.release"
done

(cd "$out" && sha256sum ./*.packages ./*.translation-en)
