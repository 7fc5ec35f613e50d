#include "batch/prefix_memory.h"

#include <algorithm>
#include <new>

namespace enc {
namespace {

/// Fewer tokens are not worth a search, nor being remembered.
constexpr size_t kMinTokens = 32;
/// Beginnings that are compared with the next text's.
constexpr size_t kMaxSeen = 8;

size_t common(std::span<const int32_t> a, std::span<const int32_t> b) {
  return size_t(std::ranges::mismatch(a, b).in1 - a.begin());
}

}  // namespace

Remembered PrefixMemory::find_locked(std::span<const int32_t> ids) const {
  Remembered found;
  for (const auto& states : states_) {
    const size_t tokens = common(ids, states->ids());
    if (tokens >= kMinTokens && tokens > found.tokens) found = {states, tokens};
  }
  return found;
}

Remembered PrefixMemory::find(std::span<const int32_t> ids) {
  if (ids.size() < kMinTokens) return {};
  const std::lock_guard lock(mutex_);
  Remembered found = find_locked(ids);
  if (found.states) {
    const auto place = std::ranges::find(states_, found.states);
    std::rotate(states_.begin(), place, place + 1);
  }
  return found;
}

std::shared_ptr<KeyValues> PrefixMemory::note(std::span<const int32_t> ids) {
  ids = ids.first(std::min(ids.size(), options_.max_tokens));
  if (ids.size() < kMinTokens) return nullptr;
  const std::lock_guard lock(mutex_);
  size_t tokens = 0;
  for (const auto& seen : seen_) tokens = std::max(tokens, common(ids, seen));
  if (seen_.size() == kMaxSeen) seen_.pop_back();
  seen_.emplace_front(ids.begin(), ids.end());
  if (tokens < find_locked(ids).tokens + kMinTokens) return nullptr;
  const size_t needed = bytes(tokens);
  if (needed > options_.max_bytes || needed > options_.memory_left() / 4) return nullptr;
  try {
    return std::make_shared<KeyValues>(std::vector(ids.begin(), ids.begin() + ptrdiff_t(tokens)),
                                       options_.layers, options_.columns);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void PrefixMemory::remember(std::shared_ptr<const KeyValues> states) {
  const std::lock_guard lock(mutex_);
  // Of two threads that were given room for the same, one is enough; what a longer one begins with is not
  // needed.
  std::erase_if(states_, [&](const auto& other) {
    return common(other->ids(), states->ids()) == std::min(other->ids().size(), states->ids().size());
  });
  states_.push_front(std::move(states));
  size_t held = 0;
  for (size_t i = 0; i < states_.size(); i++) {
    held += bytes(states_[i]->ids().size());
    if (held > options_.max_bytes) states_.resize(i);
  }
}

}  // namespace enc
