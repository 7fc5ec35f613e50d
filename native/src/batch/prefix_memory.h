// What texts of different calls begin with: a prompt is computed once, and then remembered.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "enc/key_values.h"

namespace enc {

/// Used by all threads of a model.
class PrefixMemory {
 public:
  struct Options {
    size_t layers;
    size_t columns;  ///< of a layer's keys of a token
    size_t max_tokens;
    size_t max_bytes;                       ///< of all that is remembered
    std::function<uint64_t()> memory_left;  ///< bytes that may still be taken
  };

  explicit PrefixMemory(Options options) : options_(std::move(options)) {}

  /// What is remembered of the first tokens of `ids`: as many as there are, none where they are too few to
  /// help.
  Remembered find(std::span<const int32_t> ids);

  /// Room for the first tokens of `ids`, where an earlier text began with them too and they are many more
  /// than what is remembered of them; else null. Says nothing of texts whose tokens are the same by chance:
  /// those that begin alike once will do so again.
  std::shared_ptr<KeyValues> note(std::span<const int32_t> ids);

  /// What note() gave room for, filled. What was of use longest ago is forgotten.
  void remember(std::shared_ptr<const KeyValues> states);

 private:
  size_t bytes(size_t tokens) const {
    return 2 * options_.layers * options_.columns * tokens * sizeof(float);
  }
  Remembered find_locked(std::span<const int32_t> ids) const;

  const Options options_;
  std::mutex mutex_;
  std::deque<std::vector<int32_t>> seen_;                ///< beginnings of texts, the newest first
  std::deque<std::shared_ptr<const KeyValues>> states_;  ///< the one of use last first
};

}  // namespace enc
