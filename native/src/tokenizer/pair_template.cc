#include "tokenizer/pair_template.h"

#include <algorithm>

#include "enc/error.h"
#include "tokenizer/utf8.h"

namespace enc {

void render_pair(const PairTemplate::Layout& layout, std::string_view first, std::string_view second,
                 std::string_view prompt, size_t max_bytes, RenderedText& out) {
  out.text.clear();
  out.callers.clear();
  out.ends.clear();
  std::string buffers[3];
  const std::string_view texts[4] = {utf8::sanitize(first, buffers[0]),
                                     utf8::sanitize(second, buffers[1]),
                                     utf8::sanitize(prompt, buffers[2]),
                                     {}};
  const auto text_of = [&](PairTemplate::Slot slot) { return texts[static_cast<size_t>(slot)]; };
  uint64_t size = 0;
  for (const std::string& piece : layout.pieces) size += piece.size();
  for (const PairTemplate::Slot slot : layout.slots) size += text_of(slot).size();
  if (size > max_bytes)
    throw Error(ErrorCode::limit_exceeded, "a pair has " + std::to_string(size) +
                                               " bytes in the model's template, more than " +
                                               std::to_string(max_bytes) + "; split it");
  out.text.reserve(size);
  out.text += layout.pieces.front();
  for (size_t i = 0; i < layout.slots.size(); i++) {
    const std::string_view text = text_of(layout.slots[i]);
    const auto begin = static_cast<uint32_t>(out.text.size());
    if (layout.slots[i] == PairTemplate::Slot::kBreak) out.ends.push_back(begin);
    if (!text.empty()) out.callers.push_back({begin, begin + static_cast<uint32_t>(text.size())});
    out.text += text;
    out.text += layout.pieces[i + 1];
  }
  out.ends.push_back(static_cast<uint32_t>(out.text.size()));
}

bool overlaps(const std::vector<Span>& callers, size_t begin, size_t end) {
  const auto next = std::upper_bound(callers.begin(), callers.end(), begin,
                                     [](size_t position, const Span& span) { return position < span.end; });
  return next != callers.end() && next->begin < end;
}

size_t common_end(const std::vector<int32_t>& a, const std::vector<int32_t>& b) {
  const size_t most = std::min(a.size(), b.size());
  size_t count = 0;
  while (count < most && a[a.size() - 1 - count] == b[b.size() - 1 - count]) count++;
  return count < most ? count : 0;
}

}  // namespace enc
