// What a causal model's layers made of a text's first tokens, for texts of other batches that begin with
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace enc {

/// Keys, turned by their positions, and values of P tokens in every layer. Filled by one batch, then
/// constant.
class KeyValues {
 public:
  /// Rows of `columns` floats. Throws std::bad_alloc.
  KeyValues(std::vector<int32_t> ids, size_t layers, size_t columns)
      : ids_(std::move(ids)), columns_(columns), rows_(new float[2 * layers * ids_.size() * columns]) {}

  const std::vector<int32_t>& ids() const { return ids_; }
  size_t columns() const { return columns_; }
  /// [P, columns]
  float* keys(size_t layer) const { return rows_.get() + 2 * layer * ids_.size() * columns_; }
  float* values(size_t layer) const { return keys(layer) + ids_.size() * columns_; }

 private:
  const std::vector<int32_t> ids_;
  const size_t columns_;
  const std::unique_ptr<float[]> rows_;
};

/// The first `tokens` of them.
struct Remembered {
  std::shared_ptr<const KeyValues> states;  ///< null: none
  size_t tokens = 0;
};

}  // namespace enc
