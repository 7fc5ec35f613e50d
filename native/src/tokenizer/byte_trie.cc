// The edges of a trie in one hash table, so that a step costs one cache line whatever the fan-out.
#include "tokenizer/byte_trie.h"

#include <string>

#include "enc/error.h"
#include "tokenizer/hash_tables.h"

namespace enc {
namespace {

/// Twice what the largest published vocabularies have; a full trie takes 100 MiB and a second to build.
constexpr uint32_t kMaxNodes = 1u << 22;
static_assert(kMaxNodes <= 1u << 24, "parent and byte share 32 bits");
constexpr size_t kMaxKeyBytes = 65536;
constexpr int kFirstBits = 6;

}  // namespace

// The multiplier differs from run to run so that no file can be written whose edges all collide.
ByteTrie::ByteTrie()
    : slots_(size_t{1} << kFirstBits),
      values_(1, kNoValue),
      multiplier_(random_multiplier()),
      shift_(64 - kFirstBits) {}

ByteTrie::Node ByteTrie::add_node() {
  if (values_.size() >= kMaxNodes)
    throw Error(ErrorCode::limit_exceeded,
                "tokenizer.json: the vocabulary has more than 2^22 distinct prefixes");
  values_.push_back(kNoValue);
  return static_cast<Node>(values_.size() - 1);
}

ByteTrie::Node ByteTrie::add_root() {
  return add_node();
}

void ByteTrie::put(uint32_t key, Node child) {
  size_t i = slot_of(key);
  while (slots_[i].key != 0) i = (i + 1) & (slots_.size() - 1);
  slots_[i] = {key, child};
}

void ByteTrie::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  shift_--;
  for (const Slot& slot : old)
    if (slot.key != 0) put(slot.key, slot.child);
}

ByteTrie::Node ByteTrie::add_path(Node root, std::string_view key) {
  if (key.size() > kMaxKeyBytes) {
    throw Error(ErrorCode::limit_exceeded, "tokenizer.json: a token has " + std::to_string(key.size()) +
                                               " bytes; the limit is " + std::to_string(kMaxKeyBytes));
  }
  Node node = root;
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    Node next = child(node, byte);
    if (next == kNone) {
      next = add_node();
      if (++num_edges_ * 2 > slots_.size()) grow();
      put(node << 8 | byte, next);
    }
    node = next;
  }
  return node;
}

bool ByteTrie::insert(Node root, std::string_view key, int32_t value) {
  const Node node = add_path(root, key);
  if (values_[node] != kNoValue) return false;
  values_[node] = value;
  return true;
}

void ByteTrie::assign(Node root, std::string_view key, int32_t value) {
  values_[add_path(root, key)] = value;
}

int32_t ByteTrie::find(Node root, std::string_view key) const {
  Node node = root;
  for (const char c : key) {
    node = child(node, static_cast<unsigned char>(c));
    if (node == kNone) return kNoValue;
  }
  return values_[node];
}

}  // namespace enc
