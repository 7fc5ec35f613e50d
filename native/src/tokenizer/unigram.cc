// Viterbi from left to right, as in models/unigram of Hugging Face's `tokenizers`; of two equally good ways
// the one found first stays. Time is linear in the word, for no token may be longer than kMaxTokenBytes.
#include "tokenizer/unigram.h"

#include <algorithm>
#include <limits>

#include "enc/error.h"
#include "support/thread_scratch.h"
#include "tokenizer/utf8.h"

namespace enc {
namespace {

constexpr double kUnknownPenalty = 10;
// Each position may be compared with so many bytes. SentencePiece allows 16 characters unless told otherwise.
constexpr size_t kMaxTokenBytes = 512;
constexpr size_t kKeptNodes = size_t{1} << 16;

/// The best way to part the text up to some place.
struct Node {
  double score;
  int32_t id;
  uint32_t begin;  // of its last token; kUnreached when no way ends here
};
constexpr uint32_t kUnreached = UINT32_MAX;

}  // namespace

Unigram::Unigram(JsonValue block) : root_(trie_.add_root()) {
  double min_score = std::numeric_limits<double>::infinity();
  block.at("vocab").for_each_item([&](JsonValue entry) {
    const auto id = static_cast<int32_t>(scores_.size());
    size_t position = 0;
    std::string_view token;
    double score = 0;
    entry.for_each_item([&](JsonValue part) {
      if (position == 0) token = part.as_string();
      if (position == 1) score = part.as_number();
      position++;
    });
    if (position != 2) entry.fail("must be a token and its score");
    if (token.size() > kMaxTokenBytes)
      entry.fail("has more than " + std::to_string(kMaxTokenBytes) + " bytes");
    if (id >= kMaxTokenId) entry.fail("is one token too many");
    // Of two equal tokens the later one counts, with its own score.
    if (trie_.find(root_, token) == ByteTrie::kNoValue) num_distinct_++;
    trie_.assign(root_, token, id);
    scores_.push_back(score);
    min_score = std::min(min_score, score);
  });
  if (scores_.empty()) block.fail("has an empty vocabulary");
  unk_score_ = min_score - kUnknownPenalty;
  if (const auto unk = block.find("unk_id"); unk && !unk->is_null())
    unk_id_ = static_cast<int32_t>(unk->as_integer(0, static_cast<int64_t>(scores_.size()) - 1));
  if (const auto fallback = block.find("byte_fallback"); fallback && fallback->as_bool())
    bytes_.emplace([this](std::string_view token) { return trie_.find(root_, token); });
  is_control_.assign(scores_.size(), false);
}

void Unigram::set_control_ids(const std::vector<int32_t>& ids) {
  for (const int32_t id : ids)
    if (static_cast<size_t>(id) < is_control_.size()) is_control_[static_cast<size_t>(id)] = true;
}

void Unigram::tokenize(std::string_view word, bool allow_control, std::vector<int32_t>& ids) const {
  if (word.empty()) return;
  std::vector<Node>& nodes = thread_scratch<std::vector<Node>>();
  nodes.assign(word.size() + 1, {0, 0, kUnreached});
  const auto reach = [&](size_t begin, size_t end, int32_t id, double score) {
    Node& node = nodes[end];
    if (node.begin == kUnreached || score > node.score) node = {score, id, static_cast<uint32_t>(begin)};
  };
  for (size_t begin = 0; begin < word.size();) {
    const double score_here = nodes[begin].score;
    const char* next = word.data() + begin;
    utf8::decode(next);
    const auto character_end = static_cast<size_t>(next - word.data());
    bool covers_character = false;
    ByteTrie::Node node = root_;
    for (size_t i = begin; i < word.size(); i++) {
      node = trie_.child(node, static_cast<unsigned char>(word[i]));
      if (node == ByteTrie::kNone) break;
      const int32_t id = trie_.value(node);
      if (id == ByteTrie::kNoValue) continue;
      const auto index = static_cast<size_t>(id);
      if (!allow_control && is_control_[index]) continue;
      reach(begin, i + 1, id, scores_[index] + score_here);
      covers_character |= i + 1 == character_end;
    }
    if (!covers_character) {
      if (!unk_id_)
        throw Error(ErrorCode::tokenizer_unsupported,
                    "tokenizer.json: model has no unk_id, and the text holds a character of no token");
      reach(begin, character_end, *unk_id_, unk_score_ + score_here);
    }
    begin = character_end;
  }

  // From the end, with neighbouring unknown characters as one piece; then in order.
  const size_t first = ids.size();
  size_t unknown_end = 0;  // of the pieces that wait to be fused; 0: none
  const auto append_reversed = [&](size_t begin, size_t end) {
    const size_t before = ids.size();
    append(word.substr(begin, end - begin), allow_control, ids);
    std::reverse(ids.begin() + static_cast<ptrdiff_t>(before), ids.end());
  };
  for (size_t end = word.size(); end > 0;) {
    const Node& node = nodes[end];
    const size_t begin = node.begin;
    if (unk_id_ && node.id == *unk_id_) {
      if (unknown_end == 0) unknown_end = end;
    } else {
      if (unknown_end > 0) append_reversed(end, unknown_end);
      unknown_end = 0;
      ids.push_back(node.id);
    }
    end = begin;
  }
  if (unknown_end > 0) append_reversed(0, unknown_end);
  std::reverse(ids.begin() + static_cast<ptrdiff_t>(first), ids.end());
  if (nodes.capacity() > kKeptNodes) {
    nodes.clear();
    nodes.shrink_to_fit();
  }
}

/// A piece that may be unknown: its token when it is one after all, else its bytes, else the unknown token.
void Unigram::append(std::string_view piece, bool allow_control, std::vector<int32_t>& ids) const {
  const int32_t id = trie_.find(root_, piece);
  if (id != ByteTrie::kNoValue && (allow_control || !is_control_[static_cast<size_t>(id)])) {
    ids.push_back(id);
    return;
  }
  if (bytes_ && bytes_->spell(piece, [&](int32_t byte_id) { ids.push_back(byte_id); })) return;
  ids.push_back(*unk_id_);
}

}  // namespace enc
