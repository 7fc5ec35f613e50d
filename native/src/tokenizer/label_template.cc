#include "tokenizer/label_template.h"

#include <algorithm>

#include "tokenizer/utf8.h"

namespace enc {

LabelPlaces render_labels(const LabelTemplate& layout, const std::vector<std::string>& labels,
                          std::string_view text, size_t max_bytes, RenderedText& out) {
  TextWriter writer(out, max_bytes, "labels and text", "split the text");
  std::string buffer;
  const auto callers = [&](std::string_view part) { writer.callers(utf8::sanitize(part, buffer)); };
  const auto place = [&] { return static_cast<uint32_t>(out.text.size()); };
  LabelPlaces places;
  if (!layout.labels_first) callers(text);
  writer.own(layout.opening);
  for (const std::string& label : labels) {
    writer.own(layout.mark);
    const uint32_t begin = place();
    callers(label);
    places.labels.push_back({begin, place()});
    writer.own(layout.label_end);
  }
  writer.own(layout.separator);
  places.text = layout.labels_first ? place() : 0;
  if (layout.labels_first) callers(text);
  writer.finish();
  return places;
}

std::vector<TokenSpan> find_spans(const LabelPlaces& places, const std::vector<uint32_t>& ends) {
  const auto count = static_cast<int32_t>(ends.size());
  // Tokens that end there or before.
  const auto ended = [&](uint32_t place) {
    return static_cast<int32_t>(std::upper_bound(ends.begin(), ends.end(), place) - ends.begin());
  };
  // Tokens that begin before it.
  const auto begun = [&](uint32_t place) {
    const auto before = std::lower_bound(ends.begin(), ends.end(), place) - ends.begin();
    return place == 0 ? 0 : std::min(count, static_cast<int32_t>(before) + 1);
  };
  const auto span = [](int32_t begin, int32_t end) {
    return begin < end ? TokenSpan{begin, end} : TokenSpan{0, 0};
  };
  std::vector<TokenSpan> spans;
  for (const Span& label : places.labels) spans.push_back(span(ended(label.begin), begun(label.end)));
  spans.push_back(span(ended(places.text), count));
  return spans;
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
