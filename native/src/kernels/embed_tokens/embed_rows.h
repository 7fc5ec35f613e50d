// embed_tokens for every vector type S: rows widened to f32 in registers, summed in the output row,
// normalized there.
#pragma once

#include <cstring>

#include "kernels/add_layer_norm/normalize_row.h"
#include "kernels/embed_tokens/embed_tokens.h"

namespace enc::kernels {
namespace {

template <class S>
ENC_INLINE typename S::F load_half(WeightType type, const uint16_t* p) {
  return type == WeightType::kF16 ? S::load_f16(p) : S::load_bf16(p);
}

/// Columns [i, i + count) of a stored row, count <= width; i is a multiple of the width, which divides a q8_0
/// block.
template <class S>
ENC_INLINE typename S::F load_columns(WeightType type, const unsigned char* row, size_t i, size_t count) {
  switch (type) {
    case WeightType::kF32: {
      const float* p = reinterpret_cast<const float*>(row) + i;
      return count == S::kWidth ? S::load(p) : S::load(p, count);
    }
    case WeightType::kF16:
    case WeightType::kBf16: {
      const uint16_t* p = reinterpret_cast<const uint16_t*>(row) + i;
      if (count == S::kWidth) return load_half<S>(type, p);
      uint16_t tail[S::kWidth] = {};
      std::memcpy(tail, p, count * sizeof(uint16_t));
      return load_half<S>(type, tail);
    }
    case WeightType::kQ8_0: {
      const unsigned char* block = row + i / 32 * 34;
      uint16_t scale[S::kWidth] = {};
      std::memcpy(scale, block, sizeof(uint16_t));
      const typename S::F quants = S::load_i8(reinterpret_cast<const int8_t*>(block) + 2 + i % 32);
      return S::mul(quants, S::set(S::first_lane(S::load_f16(scale))));
    }
  }
  return S::zero();
}

template <class S>
void add_stored_row(const EmbeddingTable& table, size_t index, size_t columns, float* y) {
  const unsigned char* row =
      static_cast<const unsigned char*>(table.rows) + index * weight_row_bytes(table.type, columns);
  for (size_t i = 0; i < columns; i += S::kWidth) {
    const size_t count = min_size(S::kWidth, columns - i);
    S::store(y + i, S::add(S::load(y + i, count), load_columns<S>(table.type, row, i, count)), count);
  }
}

template <class S>
void scale_stored_row(const EmbeddingTable& table, size_t index, size_t columns, float by, float* y) {
  const unsigned char* row =
      static_cast<const unsigned char*>(table.rows) + index * weight_row_bytes(table.type, columns);
  for (size_t i = 0; i < columns; i += S::kWidth) {
    const size_t count = min_size(S::kWidth, columns - i);
    S::store(y + i, S::mul(load_columns<S>(table.type, row, i, count), S::set(by)), count);
  }
}

template <class S>
void embed_tokens(const EmbedTokensArgs& a) noexcept {
  for (size_t t = 0; t < a.tokens; t++) {
    float* y = a.y + t * a.y_stride;
    scale_stored_row<S>(a.words, static_cast<size_t>(a.word_ids[t]), a.columns,
                        a.word_scales ? a.word_scales[t] : a.word_scale, y);
    if (a.types.rows) {
      add_stored_row<S>(a.types, a.type_ids ? static_cast<size_t>(a.type_ids[t]) : 0, a.columns, y);
    }
    if (a.positions.rows) {
      add_stored_row<S>(a.positions, static_cast<size_t>(a.position_ids[t]), a.columns, y);
    }
    if (a.normalize) normalize_row<S>(a.kind, a.gamma, a.beta, a.eps, y, a.columns);
  }
}

}  // namespace
}  // namespace enc::kernels
