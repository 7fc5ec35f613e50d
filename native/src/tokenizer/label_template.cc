#include "tokenizer/label_template.h"

#include <algorithm>

#include "tokenizer/utf8.h"

namespace enc {

void render_labels(const LabelTemplate& layout, const std::vector<std::string>& labels, std::string_view text,
                   size_t max_bytes, RenderedText& out) {
  TextWriter writer(out, max_bytes, "labels and text", "split the text");
  std::string buffer;
  const auto callers = [&](std::string_view part) { writer.callers(utf8::sanitize(part, buffer)); };
  if (!layout.labels_first) callers(text);
  for (const std::string& label : labels) {
    writer.own(layout.mark);
    callers(label);
  }
  writer.own(layout.separator);
  if (layout.labels_first) callers(text);
  writer.finish();
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
