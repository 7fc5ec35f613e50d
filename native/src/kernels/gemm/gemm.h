// y[m, n] = activation(x[m, k] . w[n, k]^T + bias[n]) with w packed once. All linear layers of the encoder.
// A weight kernel owns its packed layout: what one kernel packed, only that kernel reads.
#pragma once

#include <cstddef>
#include <cstdint>

namespace enc::kernels {

/// How the model file stores a weight matrix, row after row. q8_0 is ggml's: blocks of 32 along k, each an
/// f16 scale and 32 int8, 34 bytes; a last block that k does not fill is stored whole.
enum class WeightType : uint8_t { kF32, kF16, kBf16, kQ8_0 };

enum class Activation : uint8_t {
  kNone,
  kGeluErf,   ///< x * Phi(x), max abs error 5e-7 on [-10, 10]
  kGeluTanh,  ///< the tanh approximation of GELU
  kRelu,
  kTanh,
  kSilu,       ///< x / (1 + e^-x)
  kGeluQuick,  ///< x / (1 + e^-1.702x)
  kGeluTen,    ///< kGeluErf, at most 10
  kMish,       ///< x * tanh(ln(1 + e^x))
  kRelu6,      ///< kRelu, at most 6
  kReluSquared,
  kSigmoid,  ///< 1 / (1 + e^-x)
};

/// Bytes of one row of k weights in the file's type.
constexpr size_t weight_row_bytes(WeightType type, size_t k) {
  switch (type) {
    case WeightType::kF32:
      return k * 4;
    case WeightType::kF16:
    case WeightType::kBf16:
      return k * 2;
    case WeightType::kQ8_0:
      return (k + 31) / 32 * 34;
  }
  return 0;
}

constexpr size_t kPreparedRows = 16;

/// One call: rows [0, m) of x against the weight panels [panel_begin, panel_end). Strides count elements. The
/// caller splits over threads by panels, by rows (advance x and y), or both; the bits of a row of y do not
/// depend on the split, on m, or on the row's place in x. Outputs must not overlap inputs. Any alignment of
/// x, bias and y.
struct GemmArgs {
  size_t m = 0;
  size_t n = 0;  ///< rows of w: all of them, also when a range of panels is asked for
  size_t k = 0;
  const float* x = nullptr;  ///< f32[m, k]
  size_t x_stride = 0;       ///< >= k
  const void* prepared =
      nullptr;                   ///< the same rows as `prepare` wrote them, or null: then `run` prepares them
  const void* packed = nullptr;  ///< what `pack` wrote, 64-byte aligned
  const float* bias = nullptr;   ///< f32[n], or null
  float* y = nullptr;            ///< f32[m, n]; only the columns of the asked panels are written
  size_t y_stride = 0;           ///< >= n
  size_t panel_begin = 0;
  size_t panel_end = SIZE_MAX;  ///< capped at panel_count(n)
  Activation activation = Activation::kNone;
  void* scratch = nullptr;  ///< scratch_bytes(m, k) bytes, 64-byte aligned, private to the call; null if 0
};

/// One variant. All functions are pure, reentrant and without allocation.
struct GemmKernel {
  const char* name;      ///< "gemm_<type>_<isa>"
  WeightType type;       ///< of the rows that `pack` takes
  size_t panel_columns;  ///< columns of y in a panel; the last panel may hold fewer

  /// Size of the packed matrix, a multiple of 64.
  size_t (*packed_bytes)(size_t n, size_t k) noexcept;

  /// Packs rows [row_begin, row_begin + row_count) of w[n, k] from `rows`, which starts at row `row_begin`,
  /// into `packed`. Every row must be packed once, in any order; the call with the last row also fills the
  /// padding. Calls for different rows may run at once if no two of them share a panel.
  void (*pack)(const void* rows, size_t row_begin, size_t row_count, size_t n, size_t k,
               void* packed) noexcept;

  /// Scratch that one call of `run` needs; a multiple of 64, often 0.
  size_t (*scratch_bytes)(size_t m, size_t k) noexcept;

  /// Bytes of m rows of x as the inner loops read them; null where they read x itself. Row r, a multiple of
  /// kPreparedRows, lies at prepared_bytes(r, k).
  size_t (*prepared_bytes)(size_t m, size_t k) noexcept;

  /// Rounds x[m, k] to `to`, 64-byte aligned, for several calls of `run` which would each do it again. Calls
  /// for different rows, each from a multiple of kPreparedRows on, may run at once.
  void (*prepare)(const float* x, size_t x_stride, size_t m, size_t k, void* to) noexcept;

  void (*run)(const GemmArgs& args) noexcept;

  constexpr size_t panel_count(size_t n) const { return (n + panel_columns - 1) / panel_columns; }
};

}  // namespace enc::kernels
