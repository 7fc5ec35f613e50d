// scores[i, j] = scale * (by_query[i, row(i - j)] + by_key[j, row(i - j)]): what disentangled attention adds
// to the scores of content, taken from the products of each query and each key with the relative positions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace enc::kernels {

/// One sequence and head, queries [query_begin, query_end). Strides count elements; any alignment.
struct PositionScoresArgs {
  size_t length = 0;  ///< of the sequence
  size_t query_begin = 0;
  size_t query_end = 0;
  /// The row of the positions for query - key, ascending; points at the one of distance 0.
  const int32_t* rows = nullptr;
  size_t linear = 0;  ///< rows[d] = rows[0] + d for |d| <= linear
  /// f32, a line for each of the queries asked for. The columns are in the reverse order of the positions'
  /// rows, so that neighbouring keys are neighbours, and this points at the column of row 0 in the first
  /// line: query_begin + i finds the row r at by_query[i * by_query_stride - r]. Null: nothing is added.
  const float* by_query = nullptr;
  size_t by_query_stride = 0;
  /// f32[length, positions' rows]. Null: nothing is added.
  const float* by_key = nullptr;
  size_t by_key_stride = 0;
  float scale = 1;
  float* scores = nullptr;  ///< f32[length, length]; only the lines of the queries are written
  size_t scores_stride = 0;
};

struct PositionScoresKernel {
  const char* name;
  void (*run)(const PositionScoresArgs& args) noexcept;
};

}  // namespace enc::kernels
