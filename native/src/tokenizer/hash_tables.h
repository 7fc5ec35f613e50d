// Read-only tables that are filled once: tokens to ids, and pairs of ids to what they merge to. Open
// addressing with a multiplier that differs from run to run, so that no file can be written whose keys all
// collide.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace enc {

/// An odd number that another process would not have.
uint64_t random_multiplier();

class TokenTable {
 public:
  static constexpr int32_t kNone = -1;

  TokenTable();

  /// Makes room for `count` tokens.
  void reserve(size_t count);
  /// Gives `token` the id `id` >= 0; false, and no change, when it has one.
  bool insert(std::string_view token, int32_t id);
  /// Id of `token`, or kNone.
  int32_t find(std::string_view token) const {
    const Slot& slot = slots_[slot_of(token)];
    return slot.id;
  }
  size_t size() const { return size_; }

 private:
  struct Slot {
    uint32_t start = 0, size = 0;  // bytes in strings_
    int32_t id = kNone;            // kNone: free
  };

  uint64_t hash(std::string_view token) const;
  /// Where `token` stands, or the free place where it belongs.
  size_t slot_of(std::string_view token) const;
  void grow();

  std::vector<Slot> slots_;  // a power of two, at most half full
  std::string strings_;
  size_t size_ = 0;
  uint64_t multiplier_;
};

class MergeTable {
 public:
  struct Merge {
    uint32_t rank;  // the lower the earlier
    int32_t id;     // of the token that the two become
  };

  MergeTable();

  void reserve(size_t count);
  /// A pair that is there already takes the new merge, as in Hugging Face's library.
  void insert(int32_t left, int32_t right, Merge merge);
  /// Null when the two do not merge.
  const Merge* find(int32_t left, int32_t right) const {
    const uint64_t key = key_of(left, right);
    for (size_t i = slot_of(key);; i = (i + 1) & (slots_.size() - 1)) {
      if (slots_[i].key == key) return &slots_[i].merge;
      if (slots_[i].key == kFree) return nullptr;
    }
  }

 private:
  static constexpr uint64_t kFree = UINT64_MAX;
  struct Slot {
    uint64_t key = kFree;
    Merge merge{0, 0};
  };

  static uint64_t key_of(int32_t left, int32_t right) {
    return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
  }
  size_t slot_of(uint64_t key) const {
    const uint64_t mixed = (key ^ key >> 29) * multiplier_;
    return static_cast<size_t>((mixed ^ mixed >> 32) * multiplier_ >> shift_);
  }
  void put(uint64_t key, Merge merge);
  void grow();

  std::vector<Slot> slots_;
  size_t size_ = 0;
  uint64_t multiplier_;
  int shift_;
};

}  // namespace enc
