#include "tokenizer/hash_tables.h"

#include <chrono>
#include <cstring>

namespace enc {
namespace {

constexpr int kFirstBits = 6;

}  // namespace

uint64_t random_multiplier() {
  const auto now = static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  return (0x9E3779B97F4A7C15u ^ now << 20) | 1;
}

TokenTable::TokenTable() : slots_(size_t{1} << kFirstBits), multiplier_(random_multiplier()) {}

uint64_t TokenTable::hash(std::string_view token) const {
  uint64_t state = multiplier_ ^ token.size();
  const char* p = token.data();
  size_t left = token.size();
  const auto mix = [&](uint64_t word) {
    state = (state ^ word) * multiplier_;
    state ^= state >> 29;
  };
  for (; left >= 8; p += 8, left -= 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    mix(word);
  }
  uint64_t word = 0;
  if (left > 0) std::memcpy(&word, p, left);
  mix(word);
  state *= multiplier_;
  return state ^ state >> 32;
}

size_t TokenTable::slot_of(std::string_view token) const {
  for (size_t i = hash(token) & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
    const Slot& slot = slots_[i];
    if (slot.id == kNone) return i;
    if (slot.size == token.size() && std::memcmp(strings_.data() + slot.start, token.data(), slot.size) == 0)
      return i;
  }
}

void TokenTable::reserve(size_t count) {
  while (slots_.size() < 2 * count) grow();
}

void TokenTable::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  for (const Slot& slot : old)
    if (slot.id != kNone) slots_[slot_of(std::string_view(strings_).substr(slot.start, slot.size))] = slot;
}

bool TokenTable::insert(std::string_view token, int32_t id) {
  if (2 * (size_ + 1) > slots_.size()) grow();
  Slot& slot = slots_[slot_of(token)];
  if (slot.id != kNone) return false;
  slot = {static_cast<uint32_t>(strings_.size()), static_cast<uint32_t>(token.size()), id};
  strings_ += token;
  size_++;
  return true;
}

MergeTable::MergeTable()
    : slots_(size_t{1} << kFirstBits), multiplier_(random_multiplier()), shift_(64 - kFirstBits) {}

void MergeTable::reserve(size_t count) {
  while (slots_.size() < 2 * count) grow();
}

void MergeTable::put(uint64_t key, Merge merge) {
  size_t i = slot_of(key);
  while (slots_[i].key != kFree && slots_[i].key != key) i = (i + 1) & (slots_.size() - 1);
  if (slots_[i].key == kFree) size_++;
  slots_[i] = {key, merge};
}

void MergeTable::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  shift_--;
  size_ = 0;
  for (const Slot& slot : old)
    if (slot.key != kFree) put(slot.key, slot.merge);
}

void MergeTable::insert(int32_t left, int32_t right, Merge merge) {
  if (2 * (size_ + 1) > slots_.size()) grow();
  put(key_of(left, right), merge);
}

}  // namespace enc
