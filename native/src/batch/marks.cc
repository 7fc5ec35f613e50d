#include "batch/marks.h"

#include <algorithm>

#include "enc/error.h"

namespace enc {

std::vector<TokenSpan> find_marks(const Encoding& encoding, const MarkRule& rule, size_t count) {
  if (rule.tokens == LabelTokens::kHeld) return encoding.spans;
  const std::vector<int32_t>& ids = encoding.ids;
  const auto length = int32_t(ids.size());
  const auto separator = std::find(ids.begin(), ids.end(), rule.separator_id);
  const bool ends_early = rule.ends_at_separator || rule.marks_separator;
  const int32_t last = ends_early ? int32_t(separator - ids.begin()) : length;
  std::vector<TokenSpan> marks;
  for (int32_t i = 0; i < length; i++) {
    if (ids[size_t(i)] != rule.token_id) continue;
    if (!marks.empty()) marks.back().end = std::min(i, marks.back().end);
    marks.push_back({i, std::max(i + 1, last)});
  }
  if (rule.marks_separator) {
    const bool is_last = separator != ids.end() && !marks.empty() && marks.back().begin < last;
    if (count == 0 || marks.size() != count || !is_last)
      throw Error(ErrorCode::input_invalid, count == 0 ? "a query stands alone; the model ranks documents"
                                                       : "a text changes the tokens of the list around it");
    marks.push_back({last, last + 1});
  }
  if (marks.size() < count)
    throw Error(ErrorCode::input_invalid, "a label changes the token before it, so that its place is lost");
  if (rule.labels_first)
    marks.resize(count + (rule.marks_separator ? 1 : 0));
  else
    marks.erase(marks.begin(), marks.end() - ptrdiff_t(count));
  for (auto& [begin, end] : marks) {
    if (rule.tokens == LabelTokens::kNext) begin = std::min(begin + 1, length - 1);
    if (rule.tokens == LabelTokens::kRest) begin++;
    if (rule.tokens == LabelTokens::kMark || rule.tokens == LabelTokens::kNext) end = begin + 1;
  }
  return marks;
}

}  // namespace enc
