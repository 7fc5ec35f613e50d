#include "tokenizer/label_template.h"

#include <algorithm>

#include "enc/error.h"
#include "tokenizer/utf8.h"

namespace enc {

void render_labels(const LabelTemplate& layout, const std::vector<std::string>& labels, std::string_view text,
                   size_t max_bytes, RenderedText& out) {
  out.text.clear();
  out.callers.clear();
  out.ends.clear();
  std::string buffer;
  const auto append = [&](std::string_view part, bool is_callers) {
    if (is_callers) part = utf8::sanitize(part, buffer);
    const size_t begin = out.text.size(), end = begin + part.size();
    if (end > max_bytes)
      throw Error(ErrorCode::limit_exceeded, "labels and text have more than " + std::to_string(max_bytes) +
                                                 " bytes together; split the text");
    if (is_callers && !part.empty())
      out.callers.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end)});
    out.text += part;
  };
  if (!layout.labels_first) append(text, true);
  for (const std::string& label : labels) {
    append(layout.mark, false);
    append(label, true);
  }
  append(layout.separator, false);
  if (layout.labels_first) append(text, true);
  out.ends.push_back(static_cast<uint32_t>(out.text.size()));
}

bool take_labels(const std::vector<int32_t>& labels, bool are_first, std::vector<int32_t>& ids) {
  if (ids.size() < labels.size()) return false;
  const auto count = static_cast<std::ptrdiff_t>(labels.size());
  const auto begin = are_first ? ids.begin() : ids.end() - count;
  if (!std::equal(labels.begin(), labels.end(), begin)) return false;
  ids.erase(begin, begin + count);
  return true;
}

}  // namespace enc
