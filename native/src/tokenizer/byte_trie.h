// Strings to numbers, followed byte by byte: the vocabularies of WordPiece and Unigram, and the contents of
// added tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace enc {

/// One or several tries that share their nodes' storage. Immutable use from many threads is safe.
class ByteTrie {
 public:
  using Node = uint32_t;
  static constexpr Node kNone = 0;
  static constexpr int32_t kNoValue = -1;

  ByteTrie();

  Node add_root();

  /// Gives `key` the `value` (>= 0) under `root`; false, and no change, when it has one already.
  /// Throws Error(limit_exceeded) beyond 2^22 nodes and for keys of more than 65,536 bytes.
  bool insert(Node root, std::string_view key, int32_t value);

  /// The same, but a later value replaces an earlier one.
  void assign(Node root, std::string_view key, int32_t value);

  Node child(Node node, unsigned char byte) const {
    const uint32_t key = node << 8 | byte;
    for (size_t i = slot_of(key);; i = (i + 1) & (slots_.size() - 1)) {
      if (slots_[i].key == key) return slots_[i].child;
      if (slots_[i].key == 0) return kNone;
    }
  }

  int32_t value(Node node) const { return values_[node]; }

  /// Value of the whole `key` under `root`, or kNoValue.
  int32_t find(Node root, std::string_view key) const;

 private:
  struct Slot {
    uint32_t key = 0;  // parent << 8 | byte; 0 is free, for no node has the number 0
    Node child = kNone;
  };

  size_t slot_of(uint32_t key) const { return static_cast<size_t>(key * multiplier_ >> shift_); }
  Node add_node();
  Node add_path(Node root, std::string_view key);
  void put(uint32_t key, Node child);
  void grow();

  std::vector<Slot> slots_;  // open addressing, a power of two, at most half full
  std::vector<int32_t> values_;
  size_t num_edges_ = 0;
  uint64_t multiplier_;
  int shift_;
};

}  // namespace enc
