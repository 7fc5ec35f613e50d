// A text that a model's template makes of the caller's texts, and where in it these stand.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "enc/tokenizer.h"
#include "tokenizer/stages.h"

namespace enc {

struct RenderedText {
  std::string text;           ///< valid UTF-8
  std::vector<Span> callers;  ///< in order, none empty
  /// Of the parts that are tokenized by themselves; the last is the text's.
  std::vector<uint32_t> ends;
};

/// Puts a text together, part by part.
class TextWriter {
 public:
  /// The messages say `what` is too long and what to do about it.
  TextWriter(RenderedText& out, size_t max_bytes, const char* what, const char* advice);

  /// A part of the template's own. Throws Error(limit_exceeded) where the text has more than `max_bytes` with
  /// it.
  void own(std::string_view part) { append(part, false); }
  /// A part of the caller's, valid UTF-8. Throws likewise.
  void callers(std::string_view part) { append(part, true); }
  void finish() { out_.ends.push_back(static_cast<uint32_t>(out_.text.size())); }

 private:
  void append(std::string_view part, bool is_callers);

  RenderedText& out_;
  const size_t max_bytes_;
  const char* const what_;
  const char* const advice_;
};

/// `text` behind `prefix`. Throws Error(limit_exceeded) when the result would have more than `max_bytes`.
void render_prefixed(std::string_view prefix, std::string_view text, size_t max_bytes, RenderedText& out);

/// `text`, which is valid UTF-8, with its parts. Throws Error(input_invalid) for parts that it does not have.
void take_written_out(std::string_view text, const WrittenOut& parts, RenderedText& out);

}  // namespace enc
