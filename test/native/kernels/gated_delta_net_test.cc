// gated_delta_net: every variant against the recurrence in double, written over whole matrices.
#include "kernels/gated_delta_net/gated_delta_net.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "check.h"
#include "guarded.h"
#include "runnable.h"

namespace enc::test {
namespace {

using namespace kernels;

/// Absolute, where outputs are of magnitude up to 3: each token adds a few roundings to a state that forgets.
constexpr double kDeltaNet = 4e-6;

struct Shape {
  size_t key_heads, value_heads, head_size, width;
};

/// Buffers of one call; strides are larger than rows, and what lies between must stay poisoned.
struct Call {
  Call(const Shape& s, const std::vector<int32_t>& starts)
      : shape(s),
        cu_seqlens(starts),
        tokens(static_cast<size_t>(starts.back())),
        columns((2 * s.key_heads + s.value_heads) * s.head_size),
        out_columns(s.value_heads * s.head_size),
        x((tokens - 1) * (columns + 3) + columns),
        conv(columns * s.width),
        gates((tokens - 1) * (2 * s.value_heads + 1) + 2 * s.value_heads),
        rate(s.value_heads),
        shift(s.value_heads),
        out((tokens - 1) * (out_columns + 5) + out_columns) {
    fill_normal(x, 1, 1.5f);
    fill_normal(conv, 2);
    fill_normal(gates, 3, 2);
    fill_normal(rate, 4);
    fill_normal(shift, 5);
    // From heads that forget nearly all to such that keep nearly all; and gates beyond where ln(1 + e^x) is
    // x.
    for (size_t head = 0; head < s.value_heads; head++) rate[head] = -std::exp(2 * rate[head]);
    gates[s.value_heads] = 25;
    fill_poison(out);
    args.value_heads = s.value_heads, args.key_heads = s.key_heads;
    args.head_size = s.head_size, args.width = s.width;
    args.x_stride = columns + 3, args.conv = conv.data();
    args.gates_stride = 2 * s.value_heads + 1;
    args.rate = rate.data(), args.shift = shift.data();
    args.out_stride = out_columns + 5;
  }

  /// Tokens [begin, end) of a sequence that starts at `start`, of one head; the state goes on from `begin`.
  void run(const GatedDeltaNetKernel& kernel, size_t head, size_t start, size_t begin, size_t end,
           void* state) {
    Aligned scratch(kernel.scratch_bytes(shape.head_size, shape.width));
    GatedDeltaNetArgs part = args;
    part.scratch = scratch.data(), part.state = state;
    part.head = head, part.tokens = end - begin, part.continues = begin > start;
    part.tokens_before = std::min(begin - start, shape.width - 1);
    part.before = x.data() + (begin - part.tokens_before) * args.x_stride;
    part.x = x.data() + begin * args.x_stride;
    part.gates = gates.data() + begin * args.gates_stride;
    part.out = out.data() + begin * args.out_stride;
    kernel.run(part);
    CHECK(scratch.intact() && out.intact());
  }

  void run(const GatedDeltaNetKernel& kernel) {
    for (size_t b = 0; b + 1 < cu_seqlens.size(); b++) {
      for (size_t head = 0; head < shape.value_heads; head++) {
        Aligned state(kernel.state_bytes(shape.head_size));
        const auto begin = static_cast<size_t>(cu_seqlens[b]), end = static_cast<size_t>(cu_seqlens[b + 1]);
        run(kernel, head, begin, begin, end, state.data());
        CHECK(state.intact());
      }
    }
  }

  /// A column of x after convolution and SiLU.
  double mixed(size_t begin, size_t token, size_t column) const {
    double sum = 0;
    for (size_t back = 0; back < shape.width && back <= token; back++)
      sum += double{x[(begin + token - back) * args.x_stride + column]} *
             conv[column * shape.width + shape.width - 1 - back];
    return sum / (1 + std::exp(-sum));
  }

  std::vector<double> unit(size_t begin, size_t token, size_t column) const {
    std::vector<double> head(shape.head_size);
    double squares = 1e-6;
    for (size_t i = 0; i < head.size(); i++) {
      head[i] = mixed(begin, token, column + i);
      squares += head[i] * head[i];
    }
    for (double& value : head) value /= std::sqrt(squares);
    return head;
  }

  const Shape shape;
  const std::vector<int32_t> cu_seqlens;
  const size_t tokens, columns, out_columns;
  Guarded<float> x, conv, gates, rate, shift, out;
  GatedDeltaNetArgs args;
};

void check_variant(const GatedDeltaNetKernel& kernel, const Shape& s, const std::vector<int32_t>& starts,
                   float rate = 0) {
  Call call(s, starts);
  for (size_t head = 0; rate != 0 && head < s.value_heads; head++) call.rate[head] = rate;
  call.run(kernel);
  const size_t d = s.head_size;
  for (size_t b = 0; b + 1 < starts.size(); b++) {
    const size_t begin = static_cast<size_t>(starts[b]), length = static_cast<size_t>(starts[b + 1]) - begin;
    for (size_t head = 0; head < s.value_heads; head++) {
      const size_t key_head = head * s.key_heads / s.value_heads;
      std::vector<double> state(d * d);
      for (size_t t = 0; t < length; t++) {
        const std::vector<double> q = call.unit(begin, t, key_head * d);
        const std::vector<double> k = call.unit(begin, t, (s.key_heads + key_head) * d);
        const size_t at = (begin + t) * call.args.gates_stride + head;
        const double beta = 1 / (1 + std::exp(-double{call.gates[at]}));
        const double step = std::log1p(std::exp(double{call.gates[at + s.value_heads]} + call.shift[head]));
        for (double& value : state) value *= std::exp(call.rate[head] * step);
        for (size_t j = 0; j < d; j++) {
          double known = 0, sum = 0;
          for (size_t i = 0; i < d; i++) known += k[i] * state[i * d + j];
          const double delta = (call.mixed(begin, t, (2 * s.key_heads + head) * d + j) - known) * beta;
          for (size_t i = 0; i < d; i++) {
            state[i * d + j] += k[i] * delta;
            sum += q[i] * state[i * d + j];
          }
          const double expected = sum / std::sqrt(static_cast<double>(d));
          const double found = call.out[(begin + t) * call.args.out_stride + head * d + j];
          CHECK(std::fabs(found - expected) <= kDeltaNet);
        }
      }
    }
    for (size_t t = begin; t < begin + length; t++) {
      if (t + 1 < call.tokens) CHECK(is_poison(call.out[t * call.args.out_stride + call.out_columns]));
    }
  }
}

TEST(gated_delta_net_matches_double) {
  for (const GatedDeltaNetKernel* kernel : runnable<GatedDeltaNetKernel>()) {
    for (const Shape& s :
         {Shape{1, 1, 1, 1}, Shape{1, 2, 7, 2}, Shape{2, 2, 16, 4}, Shape{1, 3, 24, 4}, Shape{2, 4, 33, 3},
          Shape{1, 1, 64, 4}, Shape{1, 2, 100, 9}, Shape{1, 1, 128, 4}, Shape{1, 1, 48, 16}}) {
      // Texts of one token, shorter than the convolution, and longer than what passes over a panel at once.
      check_variant(*kernel, s, {0, 1, 4, 37, 39, 40});
      check_variant(*kernel, s, {0, 101});
    }
  }
}

TEST(gated_delta_net_gives_a_sequence_the_same_bits_in_parts) {
  for (const GatedDeltaNetKernel* kernel : runnable<GatedDeltaNetKernel>()) {
    for (const size_t width : {1, 4, 16}) {
      const Shape shape{2, 4, 40, width};
      const std::vector<int32_t> starts = {0, 103};
      Call whole(shape, starts);
      whole.run(*kernel);
      for (const size_t first : {2, 6, 32, 50, 102}) {
        Call parts(shape, starts);
        for (size_t head = 0; head < shape.value_heads; head++) {
          const size_t bytes = kernel->state_bytes(shape.head_size);
          Aligned state(bytes), copy(bytes);
          parts.run(*kernel, head, 0, 0, first, state.data());
          std::memcpy(copy.data(), state.data(), bytes);
          parts.run(*kernel, head, 0, first, 103, copy.data());
          CHECK(state.intact() && copy.intact());
        }
        CHECK(std::memcmp(parts.out.data(), whole.out.data(), whole.out.size() * sizeof(float)) == 0);
      }
    }
  }
}

TEST(gated_delta_net_keeps_what_decays_slowly_and_forgets_at_once) {
  for (const GatedDeltaNetKernel* kernel : runnable<GatedDeltaNetKernel>()) {
    // Decays of 0.99999, of 0.3, of 1e-15, and such as are zero.
    for (const float rate : {-1e-5f, -1.2f, -35.0f, -1e4f, -1e30f}) {
      const Shape shape{1, 1, 32, 4};
      check_variant(*kernel, shape, {0, 300}, rate);
    }
  }
}

TEST(gated_delta_net_keeps_nan_in_its_sequence_and_head) {
  for (const GatedDeltaNetKernel* kernel : runnable<GatedDeltaNetKernel>()) {
    const Shape shape{2, 2, 12, 4};
    Call call(shape, {0, 4, 9, 13});
    const size_t value = (2 * shape.key_heads + 1) * shape.head_size + 3;  // of the second head
    call.x[6 * call.args.x_stride + value] = std::nanf("");
    call.run(*kernel);
    for (size_t t = 0; t < call.tokens; t++) {
      for (size_t c = 0; c < call.out_columns; c++) {
        const bool is_hit = t >= 6 && t < 9 && c == shape.head_size + 3;
        CHECK(std::isnan(call.out[t * call.args.out_stride + c]) == is_hit);
      }
    }
  }
}

}  // namespace
}  // namespace enc::test
