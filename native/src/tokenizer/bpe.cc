// Follows models/bpe of Hugging Face's `tokenizers`, with its order of merges: the lowest rank first, the
// leftmost of equal ones. Time is n log n in the length of a word.
#include "tokenizer/bpe.h"

#include <algorithm>

#include "support/thread_scratch.h"
#include "tokenizer/utf8.h"

namespace enc {
namespace {

constexpr uint32_t kNoSymbol = UINT32_MAX;
constexpr size_t kMaxAffixBytes = 64;
constexpr size_t kKeptSymbols = size_t{1} << 16;

std::string optional_string(JsonValue block, const char* key) {
  const auto value = block.find(key);
  if (!value || value->is_null()) return {};
  if (value->as_string().size() > kMaxAffixBytes) value->fail("is too long");
  return std::string(value->as_string());
}

bool optional_bool(JsonValue block, const char* key) {
  const auto value = block.find(key);
  return value && !value->is_null() && value->as_bool();
}

}  // namespace

/// The symbols of one word as a linked list, and the merges that wait.
class Bpe::Word {
 public:
  void clear() {
    symbols_.clear();
    queue_.clear();
  }

  void add(int32_t id) {
    const auto index = static_cast<uint32_t>(symbols_.size());
    if (index > 0) symbols_[index - 1].next = index;
    symbols_.push_back({id, index == 0 ? kNoSymbol : index - 1, kNoSymbol});
  }

  void merge(const MergeTable& merges, bool allow_control, const Bpe& model) {
    const auto find = [&](uint32_t left, uint32_t right) -> const MergeTable::Merge* {
      const auto* merge = merges.find(symbols_[left].id, symbols_[right].id);
      return merge && model.is_allowed(merge->id, allow_control) ? merge : nullptr;
    };
    for (uint32_t i = 0; i + 1 < symbols_.size(); i++)
      if (const auto* merge = find(i, i + 1)) queue_.push_back({merge->rank, i, merge->id});
    std::make_heap(queue_.begin(), queue_.end());
    while (!queue_.empty()) {
      const Waiting top = queue_.front();
      std::pop_heap(queue_.begin(), queue_.end());
      queue_.pop_back();
      Symbol& left = symbols_[top.position];
      if (left.id == kMerged || left.next == kNoSymbol) continue;
      // A pair that has changed since counts only while it makes the same token.
      const auto* merge = find(top.position, left.next);
      if (!merge || merge->id != top.id) continue;
      Symbol& right = symbols_[left.next];
      left.id = top.id;
      left.next = right.next;
      right.id = kMerged;
      if (left.next != kNoSymbol) symbols_[left.next].previous = top.position;
      if (left.previous != kNoSymbol)
        if (const auto* before = find(left.previous, top.position))
          push({before->rank, left.previous, before->id});
      if (left.next != kNoSymbol)
        if (const auto* after = find(top.position, left.next)) push({after->rank, top.position, after->id});
    }
  }

  void append_ids(const Bpe& model, std::vector<int32_t>& ids) const {
    for (uint32_t i = symbols_.empty() ? kNoSymbol : 0; i != kNoSymbol; i = symbols_[i].next) {
      const int32_t id = model.token_of(symbols_[i].id);
      ids.push_back(id == kNoToken ? *model.unk_id_ : id);
    }
  }

  /// Gives back what an unusually long word took.
  void trim() {
    if (symbols_.capacity() <= kKeptSymbols && queue_.capacity() <= kKeptSymbols) return;
    symbols_ = {};
    queue_ = {};
  }

 private:
  static constexpr int32_t kMerged = -1;  // joined to the symbol before it

  struct Symbol {
    int32_t id;
    uint32_t previous, next;
  };
  struct Waiting {
    uint32_t rank, position;
    int32_t id;
    bool operator<(const Waiting& other) const {
      return rank != other.rank ? rank > other.rank : position > other.position;
    }
  };

  void push(Waiting waiting) {
    queue_.push_back(waiting);
    std::push_heap(queue_.begin(), queue_.end());
  }

  std::vector<Symbol> symbols_;
  std::vector<Waiting> queue_;  // a heap, the next merge on top
};

Bpe::Bpe(JsonValue block)
    : prefix_(optional_string(block, "continuing_subword_prefix")),
      suffix_(optional_string(block, "end_of_word_suffix")),
      fuse_unk_(optional_bool(block, "fuse_unk")),
      ignore_merges_(optional_bool(block, "ignore_merges")) {
  if (const auto dropout = block.find("dropout"); dropout && !dropout->is_null() && dropout->as_number() != 0)
    fail_unsupported("model BPE with a dropout of", std::to_string(dropout->as_number()), "null");
  const JsonValue vocabulary = block.at("vocab");
  vocabulary_.reserve(vocabulary.size());
  vocabulary.for_each_member([&](std::string_view token, JsonValue value) {
    const auto id = static_cast<int32_t>(value.as_integer(0, kMaxTokenId));
    if (!vocabulary_.insert(token, id)) value.fail("occurs twice in the vocabulary");
    max_id_ = std::max(max_id_, id);
  });
  if (const auto unk = block.find("unk_token"); unk && !unk->is_null()) {
    const int32_t id = vocabulary_.find(unk->as_string());
    if (id < 0) unk->fail("names a token that the vocabulary lacks");
    unk_id_ = id;
  }
  if (const std::string suffix = optional_string(block, "continuing_subword_suffix"); !suffix.empty()) {
    if (!unk_id_ || suffix_.empty()) block.fail("lacks the unk_token or the end_of_word_suffix");
    read_symbols(vocabulary, suffix);
  }
  if (optional_bool(block, "byte_fallback"))
    bytes_.emplace([this](std::string_view token) { return vocabulary_.find(token); });
  read_merges(block.at("merges"));
}

/// Every token may end a word; one with the suffix may also stand before the end, without it.
void Bpe::read_symbols(JsonValue vocabulary, std::string_view continuing_suffix) {
  add_symbol({}, kNoToken);  // stands for all characters that nothing knows
  vocabulary.for_each_member([&](std::string_view token, JsonValue) {
    const int32_t id = vocabulary_.find(token);
    add_symbol(std::string(token).append(suffix_), id);
    const size_t size = token.size() - std::min(token.size(), continuing_suffix.size());
    if (size > 0 && token.substr(size) == continuing_suffix) add_symbol(token.substr(0, size), id);
  });
}

int32_t Bpe::add_symbol(std::string_view text, int32_t token) {
  const auto symbol = static_cast<int32_t>(tokens_of_.size());
  if (!symbols_.insert(text, symbol)) return symbols_.find(text);
  tokens_of_.push_back(token);
  return symbol;
}

/// Each merge is ["a", "b"], or "a b" in older files.
void Bpe::read_merges(JsonValue merges) {
  merges_.reserve(merges.size());
  uint32_t rank = 0;
  merges.for_each_item([&](JsonValue entry) {
    if (entry.kind() == JsonKind::kString) {
      const std::string_view pair = entry.as_string();
      if (pair.substr(0, 8) == "#version") return;
      const size_t space = pair.find(' ');
      if (space == std::string_view::npos || pair.find(' ', space + 1) != std::string_view::npos)
        entry.fail("must be two tokens with a space between them");
      add_merge(entry, pair.substr(0, space), pair.substr(space + 1), rank++);
      return;
    }
    std::string_view parts[2];
    size_t count = 0;
    entry.for_each_item([&](JsonValue part) {
      if (count < 2) parts[count] = part.as_string();
      count++;
    });
    if (count != 2) entry.fail("must be two tokens");
    add_merge(entry, parts[0], parts[1], rank++);
  });
}

void Bpe::add_merge(JsonValue entry, std::string_view left, std::string_view right, uint32_t rank) {
  if (right.size() < prefix_.size()) entry.fail("lacks the continuing_subword_prefix");
  const int32_t left_id = find_or_add_symbol(left);
  const int32_t right_id = find_or_add_symbol(right);
  const int32_t id = find_or_add_symbol(std::string(left).append(right.substr(prefix_.size())));
  if (left_id < 0 || right_id < 0 || id < 0) entry.fail("names or makes a token that the vocabulary lacks");
  merges_.insert(left_id, right_id, {rank, id});
}

int32_t Bpe::find_symbol(std::string_view text) const {
  return tokens_of_.empty() ? vocabulary_.find(text) : symbols_.find(text);
}

int32_t Bpe::find_or_add_symbol(std::string_view text) {
  return tokens_of_.empty() ? vocabulary_.find(text) : add_symbol(text, kNoToken);
}

void Bpe::set_control_ids(const std::vector<int32_t>& ids) {
  control_ids_ = ids;
  std::sort(control_ids_.begin(), control_ids_.end());
}

bool Bpe::is_allowed(int32_t symbol, bool allow_control) const {
  return allow_control || !std::binary_search(control_ids_.begin(), control_ids_.end(), token_of(symbol));
}

void Bpe::split_characters(std::string_view text, bool allow_control, Word& word) const {
  int32_t unknown = -1;  // not yet added, for the next one may be fused with it
  std::string with_affix;
  for (size_t begin = 0; begin < text.size();) {
    const char* next = text.data() + begin;
    utf8::decode(next);
    const auto end = static_cast<size_t>(next - text.data());
    std::string_view character = text.substr(begin, end - begin);
    if ((begin > 0 && !prefix_.empty()) || (end == text.size() && !suffix_.empty())) {
      with_affix = begin > 0 ? prefix_ : std::string();
      with_affix += character;
      if (end == text.size()) with_affix += suffix_;
      character = with_affix;
    }
    begin = end;
    const int32_t id = find_symbol(character);
    if (id >= 0 && is_allowed(id, allow_control)) {
      if (unknown >= 0) word.add(unknown);
      unknown = -1;
      word.add(id);
      continue;
    }
    // An unknown character that waits comes after the bytes; the library does so too.
    if (bytes_ && bytes_->spell(character, [&](int32_t byte_id) { word.add(byte_id); })) continue;
    if (!unk_id_) continue;
    if (unknown >= 0 && !fuse_unk_) word.add(unknown);
    unknown = tokens_of_.empty() ? *unk_id_ : kUnknownSymbol;
  }
  if (unknown >= 0) word.add(unknown);
}

void Bpe::tokenize(std::string_view text, bool allow_control, std::vector<int32_t>& ids) const {
  if (ignore_merges_) {
    const int32_t id = vocabulary_.find(text);
    if (id >= 0 && is_allowed(id, allow_control)) {
      ids.push_back(id);
      return;
    }
  }
  Word& word = thread_scratch<Word>();
  word.clear();
  split_characters(text, allow_control, word);
  word.merge(merges_, allow_control, *this);
  word.append_ids(*this, ids);
  word.trim();
}

}  // namespace enc
