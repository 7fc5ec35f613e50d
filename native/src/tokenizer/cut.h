// Which ids of a text are kept where it is too long, and the windows that it is read in.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "enc/error.h"
#include "enc/option_error.h"
#include "tokenizer/template.h"
#include "tokenizer/truncation.h"

namespace enc {

/// Whether what is cut off need not be tokenized.
inline bool stops_early(const EncodeOptions& options, size_t budget) {
  return options.side == TruncationSide::kRight && options.special_tokens != SpecialTokens::kError &&
         budget < SIZE_MAX / 4;
}

/// The last `count` of `source` in the place of as many of `ids`, which are as many as may be.
inline void overwrite_end(const std::vector<int32_t>& source, size_t count, std::vector<int32_t>& ids) {
  if (count >= ids.size())
    throw OptionError(ErrorCode::input_invalid, "maxLength",
                      "maxLength " + std::to_string(ids.size()) + " leaves no room for text before the " +
                          std::to_string(count) + " last tokens of the model's template");
  const auto end = static_cast<std::ptrdiff_t>(count);
  std::copy(source.end() - end, source.end(), ids.end() - end);
}

/// Ids that have to be there: one beyond `budget` tells that the text is longer.
inline size_t id_limit(const EncodeOptions& options, size_t budget) {
  return stops_early(options, budget) ? budget + 1 : SIZE_MAX;
}

/// `count` ids of `ids`, the others dropped at the given side.
inline Template::Ids keep(const std::vector<int32_t>& ids, size_t count, TruncationSide side) {
  const int32_t* begin = ids.data();
  if (side == TruncationSide::kLeft) begin += ids.size() - count;
  return {begin, begin + count};
}

/// Windows over the first `length` of `ids`, each made a sequence by `apply`. `is_cut`: of what stands beside
/// them, something was dropped.
template <typename Apply>
void cut_windows(const std::vector<int32_t>& ids, size_t length, const WindowPlan& plan, size_t max_windows,
                 bool is_cut, std::vector<Window>& out, const Apply& apply) {
  out.clear();
  size_t end = 0;
  do {
    const size_t begin = out.size() * plan.step;
    end = std::min(begin + plan.room, length);
    Window& window = out.emplace_back();
    window.begin = begin;
    window.end = end;
    apply(Template::Ids{ids.data() + begin, ids.data() + end}, window.encoding);
  } while (end < length && out.size() < max_windows);
  for (Window& window : out) window.encoding.truncated = is_cut || end < ids.size();
}

}  // namespace enc
