#include "model/stored_types.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>
#include <limits>

#include "ggml-cpu.h"

namespace enc {
namespace {

constexpr size_t kBlock = 32, kHalf = kBlock / 2;
constexpr size_t kScaleBytes = 2, kHighBytes = 4;
constexpr size_t kQ8Bytes = kScaleBytes + kBlock;

/// Blocks of 4 bits, or 5 with `has_high`, to blocks of q8_0 with the same scales. The low nibbles of the 16
/// bytes are the first 16 values, the high ones the others; a fifth bit stands apart, one word for all 32.
void widen_blocks(const unsigned char* from, size_t count, bool has_high, unsigned char* to) {
  for (size_t block = 0; block < count; block++, to += kQ8Bytes) {
    std::memcpy(to, from, kScaleBytes);
    uint32_t high = 0;
    if (has_high) std::memcpy(&high, from + kScaleBytes, kHighBytes);
    const unsigned char* nibbles = from + kScaleBytes + (has_high ? kHighBytes : 0);
    for (size_t i = 0; i < kBlock; i++) {
      const int low = i < kHalf ? nibbles[i] & 15 : nibbles[i - kHalf] >> 4;
      const int value = has_high ? int(low | (high >> i & 1) << 4) - 16 : low - 8;
      to[kScaleBytes + i] = static_cast<unsigned char>(static_cast<int8_t>(value));
    }
    from = nibbles + kHalf;
  }
}

constexpr float kLargestF16 = 65504;
/// Elements between file and f16 at a time: a block of every type, or several.
constexpr size_t kPiece = 256;

bool widen_to_f16(ggml_type type, const unsigned char* from, size_t elements, ggml_fp16_t* to) {
  const auto to_float = ggml_get_type_traits(type)->to_float;
  float values[kPiece];
  float largest = 0;
  for (size_t done = 0; done < elements; done += kPiece) {
    const size_t count = std::min(kPiece, elements - done);
    to_float(from, values, int64_t(count));
    for (size_t i = 0; i < count; i++) largest = std::max(largest, std::fabs(values[i]));
    ggml_fp32_to_fp16_row(values, to + done, int64_t(count));
    from += ggml_row_size(type, int64_t(count));
  }
  return largest <= kLargestF16;
}

/// One block; `values` are as many as it holds.
void round_to_q8_0(const float* values, unsigned char* to) {
  const bool finite = std::all_of(values, values + kBlock, [](float value) { return std::isfinite(value); });
  if (finite) return ggml_get_type_traits(GGML_TYPE_Q8_0)->from_float_ref(values, to, kBlock);
  // Integers cannot say it, so the scale does.
  const ggml_fp16_t scale = ggml_fp32_to_fp16(std::numeric_limits<float>::quiet_NaN());
  std::memcpy(to, &scale, kScaleBytes);
  std::memset(to + kScaleBytes, 0, kBlock);
}

void round_rows_to_q8_0(const ggml_fp16_t* from, size_t count, size_t k, unsigned char* to) {
  for (size_t row = 0; row < count; row++) {
    for (size_t done = 0; done < k; done += kBlock, to += kQ8Bytes) {
      float values[kBlock] = {};
      ggml_fp16_to_fp32_row(from + row * k + done, values, int64_t(std::min(kBlock, k - done)));
      round_to_q8_0(values, to);
    }
  }
}

}  // namespace

bool is_readable_type(uint32_t type) {
  switch (type) {
    case GGML_TYPE_F32:
    case GGML_TYPE_F16:
    case GGML_TYPE_BF16:
    case GGML_TYPE_Q4_0:
    case GGML_TYPE_Q4_1:
    case GGML_TYPE_Q5_0:
    case GGML_TYPE_Q5_1:
    case GGML_TYPE_Q8_0:
    case GGML_TYPE_Q2_K:
    case GGML_TYPE_Q3_K:
    case GGML_TYPE_Q4_K:
    case GGML_TYPE_Q5_K:
    case GGML_TYPE_Q6_K:
      return true;
    default:
      return false;
  }
}

std::string type_name(ggml_type type) {
  std::string name = ggml_type_name(type);
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return name;
}

std::optional<kernels::WeightType> kernel_type(ggml_type type) {
  switch (type) {
    case GGML_TYPE_F32:
      return kernels::WeightType::kF32;
    case GGML_TYPE_F16:
      return kernels::WeightType::kF16;
    case GGML_TYPE_BF16:
      return kernels::WeightType::kBf16;
    case GGML_TYPE_Q8_0:
      return kernels::WeightType::kQ8_0;
    default:
      return std::nullopt;
  }
}

kernels::WeightType packed_type(ggml_type type) {
  if (type == GGML_TYPE_Q4_0 || type == GGML_TYPE_Q5_0) return kernels::WeightType::kQ8_0;
  return kernel_type(type).value_or(kernels::WeightType::kF16);
}

bool convert_rows(ggml_type type, kernels::WeightType packed, const void* rows, size_t count, size_t k,
                  void* out) {
  const auto* from = static_cast<const unsigned char*>(rows);
  auto* blocks = static_cast<unsigned char*>(out);
  if (packed == kernels::WeightType::kF16)
    return widen_to_f16(type, from, count * k, static_cast<ggml_fp16_t*>(out));
  if (type == GGML_TYPE_F16) {
    round_rows_to_q8_0(static_cast<const ggml_fp16_t*>(rows), count, k, blocks);
  } else {
    widen_blocks(from, count * (k / kBlock), type == GGML_TYPE_Q5_0, blocks);
  }
  return true;
}

std::string portable_compute_type(ggml_type type) {
  // F16 weights are widened at load.
  return type == GGML_TYPE_F16 ? "f32" : type_name(ggml_get_type_traits_cpu(type)->vec_dot_type);
}

}  // namespace enc
