// UAX 15: decompose, order marks by class, compose. Text is taken in segments that begin with a character to
// which nothing before it can be joined; a segment in which nothing can change is copied.
#include "tokenizer/normal_forms.h"

#include <algorithm>

#include "tokenizer/unicode_tables.h"
#include "tokenizer/utf8.h"

namespace enc {
namespace {

struct Part {
  char32_t c;
  uint8_t combining_class;
};

/// A trailing Hangul letter, which composes with what stands before it.
bool is_trailing_jamo(char32_t c) {
  return (c >= 0x1161 && c < 0x1161 + 21) || (c > 0x11A7 && c < 0x11A7 + 28);
}

bool is_hangul_syllable(char32_t c) {
  return c >= 0xAC00 && c <= 0xD7A3;
}

bool joins(char32_t c, const unicode::Properties& properties) {
  return properties.combining_class != 0 || properties.flags & unicode::kComposes || is_trailing_jamo(c);
}

/// Whether nothing before the character can be joined to it, or to the first of those that it decomposes to.
bool begins_segment(char32_t c, const unicode::Properties& properties, bool decomposes) {
  if (joins(c, properties)) return false;
  if (!decomposes || is_hangul_syllable(c)) return true;
  char32_t parts[unicode::kMaxCompatibilityMapping];
  unicode::decompose_compatibly(c, parts);
  return !joins(parts[0], unicode::properties(parts[0]));
}

class SegmentWriter {
 public:
  SegmentWriter(bool compatible, bool composed, std::string& out)
      : compatible_(compatible), composed_(composed), out_(out) {}

  void add(char32_t c) {
    if (compatible_) {
      char32_t parts[unicode::kMaxCompatibilityMapping];
      add_parts(parts, unicode::decompose_compatibly(c, parts));
    } else {
      char32_t parts[unicode::kMaxDecomposition];
      add_parts(parts, unicode::decompose(c, parts));
    }
  }

  /// Writes what was added, and is empty again.
  void flush() {
    order();
    if (composed_) compose();
    for (const Part& part : parts_) utf8::append(out_, part.c);
    parts_.clear();
  }

 private:
  void add_parts(const char32_t* parts, int count) {
    for (int i = 0; i < count; i++)
      parts_.push_back({parts[i], unicode::properties(parts[i]).combining_class});
  }

  /// Sorts each run of marks.
  void order() {
    for (auto run = parts_.begin(); run != parts_.end();) {
      if (run->combining_class == 0) {
        ++run;
        continue;
      }
      const auto run_end =
          std::find_if(run, parts_.end(), [](const Part& part) { return part.combining_class == 0; });
      std::stable_sort(run, run_end,
                       [](const Part& a, const Part& b) { return a.combining_class < b.combining_class; });
      run = run_end;
    }
  }

  void compose() {
    size_t size = 0;
    size_t starter = SIZE_MAX;
    int last_class = -1;  // of the marks kept since the starter; -1: none
    for (const Part& part : parts_) {
      if (starter != SIZE_MAX && last_class < static_cast<int>(part.combining_class)) {
        if (const char32_t composed = unicode::compose(parts_[starter].c, part.c)) {
          parts_[starter].c = composed;
          continue;
        }
      }
      if (part.combining_class == 0) {
        starter = size;
        last_class = -1;
      } else {
        last_class = part.combining_class;
      }
      parts_[size++] = part;
    }
    parts_.resize(size);
  }

  bool compatible_;
  bool composed_;
  std::string& out_;
  std::vector<Part> parts_;
};

}  // namespace

bool NormalForm::normalize(std::string_view text, std::string& out) const {
  SegmentWriter writer(compatible_, composed_, out);
  const uint32_t changing =
      unicode::kHasDecomposition | (compatible_ ? uint32_t{unicode::kHasCompatibilityMapping} : 0u);
  const char* const end = text.data() + text.size();
  const char* copied = text.data();  // what is before has been written
  const char* segment = copied;
  bool changes = false;  // the segment may not come out as it is
  const auto finish = [&](const char* to) {
    if (!changes) return;
    out.append(copied, segment);
    for (const char* p = segment; p < to;) writer.add(utf8::decode(p));
    writer.flush();
    copied = to;
  };
  for (const char* p = segment; p < end;) {
    const char* const at = p;
    const char32_t c = utf8::decode(p);
    if (c < 0x80) {
      finish(at);
      segment = at;
      changes = false;
      continue;
    }
    const unicode::Properties properties = unicode::properties(c);
    const bool decomposes = properties.flags & changing;
    if (begins_segment(c, properties, decomposes)) {
      finish(at);
      segment = at;
      changes = decomposes && !(composed_ && is_hangul_syllable(c));
    } else {
      changes = true;
    }
  }
  finish(end);
  out.append(copied, end);
  return true;
}

}  // namespace enc
