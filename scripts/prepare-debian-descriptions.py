#!/usr/bin/env python3
"""Turns fetched Debian package lists into train, held-out and other JSON lines for scripts/train-default-model.py.
Standard library only (Python 3.9 or later) and deterministic: the same lists give the same bytes.
Usage: scripts/prepare-debian-descriptions.py RAW OUT   (RAW is what fetch-debian-descriptions.sh wrote)
"""
import argparse
import collections
import hashlib
import json
import pathlib
import re

# Newest first: where releases differ about a package, the newest one's text and section count.
RELEASES = ("trixie", "bookworm", "bullseye")

# How these 20 were chosen is in models/default.md.
LABELS = (
    "admin", "database", "devel", "editors", "electronics", "fonts", "games", "graphics", "hamradio", "java",
    "javascript", "mail", "math", "net", "python", "science", "sound", "text", "video", "web",
)

# One section must not become the default answer; python alone has twice this.
MAX_PER_LABEL = 2000
# A source with many packages in one section (language packs, plugin sets) repeats itself: this many are kept.
MAX_PER_SOURCE_AND_LABEL = 4

# A paragraph that more sources than this share describes their common platform, not each of them.
MAX_SOURCES_PER_PARAGRAPH = 10
# A larger family (cross compilers) is no ten independent questions: it always goes to training.
MAX_HELD_OUT_GROUP = 50

# Packages that carry another package's parts and, mostly, its description.
PART_OF_ANOTHER = re.compile(r"-(dbg|dbgsym|dev|doc|docs|data|common|examples|tests?|udeb)$")
NOT_A_SUBJECT = re.compile(
    r"transitional|dummy|meta-?\s?package|\bdebug(ging)? symbols\b|^(empty|virtual) package", re.I)
# Says how the files were split over packages, not what the software is for.
PACKAGING_PARAGRAPH = re.compile(
    r"^(this|the) (binary |dummy |meta-?)?package (contains|provides|includes|installs|ships|holds|is)\b", re.I)


def stanzas(path):
    """Yields each paragraph of a Debian control file as {field: value}, continuation lines kept with their newline."""
    fields, key = {}, None
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            line = line.rstrip("\n")
            if not line:
                if fields:
                    yield fields
                fields, key = {}, None
            elif line[0] in " \t":
                if key is not None:
                    fields[key] += "\n" + line
            elif ":" in line:
                key, value = line.split(":", 1)
                fields[key] = value.strip()
    if fields:
        yield fields


def normalised(text):
    return " ".join(re.sub(r"[^a-z0-9]+", " ", text.lower()).split())


def split_description(description):
    """Returns (short line, [paragraph]) of a Description field, bullets and line breaks folded into running text."""
    short, _, rest = description.partition("\n")
    paragraphs, lines = [], []
    for line in rest.split("\n") + [" ."]:
        line = line.strip()
        if line == ".":
            if lines:
                paragraphs.append(" ".join(" ".join(lines).split()))
            lines = []
        elif line:
            lines.append(re.sub(r"^[*+o-] +", "", line))
    return " ".join(short.split()), paragraphs


def read_packages(raw):
    """Returns one entry per package name, the newest release's: name, source, section, short, paragraphs, tags."""
    seen, tags, packages = set(), {}, []
    for release in RELEASES:
        texts = {s["Description-md5"]: s.get("Description-en", "") for s in stanzas(raw / f"{release}.translation-en")}
        for s in stanzas(raw / f"{release}.packages"):
            # Debtags thinned out over the years, so an older release's are better than none.
            if s["Package"] not in tags and "Tag" in s:
                tags[s["Package"]] = sorted(s["Tag"].replace(",", " ").split())
            text = texts.get(s.get("Description-md5"))
            if text is None or s["Package"] in seen:
                continue
            seen.add(s["Package"])
            short, paragraphs = split_description(text)
            packages.append({
                "package": s["Package"], "source": s.get("Source", s["Package"]).split()[0],
                "section": s.get("Section", ""), "short": short, "paragraphs": paragraphs,
            })
    for p in packages:
        p["tags"] = tags.get(p["package"], [])
    return packages


def clean(packages):
    """Drops packages without a subject of their own, packaging and platform paragraphs, then exact duplicates."""
    sources = collections.defaultdict(set)
    for p in packages:
        for paragraph in p["paragraphs"]:
            sources[paragraph].add(p["source"])
    seen, kept = set(), []
    for p in packages:
        if PART_OF_ANOTHER.search(p["package"]) or NOT_A_SUBJECT.search(p["short"]):
            continue
        paragraphs = [t for t in p["paragraphs"] if not PACKAGING_PARAGRAPH.search(t)
                      and len(sources[t]) <= MAX_SOURCES_PER_PARAGRAPH]
        entry = {**p, "paragraphs": paragraphs, "long": " ".join(paragraphs)}
        key = normalised(entry["short"] + " " + entry["long"])
        if len(key) < 10 or key in seen:
            continue
        seen.add(key)
        kept.append({**entry, "hash": hashlib.sha256(key.encode()).hexdigest()})
    return kept


def group(packages):
    """Gives each package a group: packages that share a source, a short line or a paragraph end up in one group."""
    parent = list(range(len(packages)))

    def root(i):
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first = {}
    for i, p in enumerate(packages):
        keys = [("source", p["source"]), ("short", normalised(p["short"]))]
        keys += [("paragraph", n) for n in map(normalised, p["paragraphs"]) if len(n.split()) >= 8]
        for key in keys:
            a, b = root(i), root(first.setdefault(key, i))
            if a != b:
                parent[max(a, b)] = min(a, b)
    members = collections.defaultdict(list)
    for i, p in enumerate(packages):
        members[root(i)].append(p)
    for group_members in members.values():
        smallest = min(p["hash"] for p in group_members)
        for p in group_members:
            p["group"] = smallest
            p["held_out"] = len(group_members) <= MAX_HELD_OUT_GROUP and is_in_tenth(smallest)


def is_in_tenth(key):
    """The fixed tenth of the groups, by smallest description hash, hashed again because a minimum is not uniform."""
    return int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) < 2**32 // 10


def select(packages):
    """Returns the labelled packages within the limits per source and per label, in hash order."""
    per_source, per_label, chosen = collections.Counter(), collections.Counter(), []
    for p in sorted(packages, key=lambda p: p["hash"]):
        label = p["section"]
        if label not in LABELS:
            continue
        if per_source[p["source"], label] >= MAX_PER_SOURCE_AND_LABEL or per_label[label] >= MAX_PER_LABEL:
            continue
        per_source[p["source"], label] += 1
        per_label[label] += 1
        chosen.append(p)
    return chosen


def write_lines(path, rows):
    with open(path, "w", encoding="utf-8") as out:
        for row in rows:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    print(f"{path.name}: {len(rows)} lines, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("raw", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)

    listed = read_packages(args.raw)
    packages = clean(listed)
    group(packages)
    sizes = collections.Counter(p["group"] for p in packages)
    print(f"{len(listed)} packages listed, {len(packages)} distinct descriptions in {len(sizes)} groups, "
          f"largest groups {[n for _, n in sizes.most_common(5)]}")
    chosen = select(packages)
    train = [p for p in chosen if not p["held_out"]]
    held_out = [p for p in chosen if p["held_out"]]
    # For the vocabulary and the pre-training: any section's text, but nothing from a held-out group.
    used = {p["hash"] for p in chosen}
    other = sorted((p for p in packages if p["hash"] not in used and not p["held_out"]), key=lambda p: p["hash"])
    fields = ("short", "long", "section", "tags", "package", "source", "group")
    for name, rows in (("train", train), ("heldout", held_out), ("other", other)):
        write_lines(args.out / f"{name}.jsonl", [{f: p[f] for f in fields} for p in rows])
    counts = collections.Counter(p["section"] for p in train), collections.Counter(p["section"] for p in held_out)
    for label in LABELS:
        print(f"{label:14s} train {counts[0][label]:5d}  held out {counts[1][label]:4d}")


if __name__ == "__main__":
    main()
