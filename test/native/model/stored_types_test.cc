// Every tensor type that files hold: its values against ggml's own reading of it, and a whole model of it
// against the same values as f32.
#include "model/stored_types.h"

#include <cmath>
#include <cstring>
#include <random>

#include "backends/cpu/kernel_ops.h"
#include "check.h"
#include "enc/error.h"
#include "ggml-cpu.h"
#include "graph/graph_runner.h"
#include "graph/portable_ops.h"
#include "model/gguf_file.h"
#include "tiny_model.h"

namespace enc::test {
namespace {

const std::vector<ggml_type>& quantized_types() {
  static const std::vector<ggml_type> types = {GGML_TYPE_Q8_0, GGML_TYPE_Q4_0, GGML_TYPE_Q4_1, GGML_TYPE_Q5_0,
                                               GGML_TYPE_Q5_1, GGML_TYPE_Q2_K, GGML_TYPE_Q3_K, GGML_TYPE_Q4_K,
                                               GGML_TYPE_Q5_K, GGML_TYPE_Q6_K};
  return types;
}

std::string quantized(ggml_type type, const std::vector<float>& values, int64_t columns) {
  std::string bytes(values.size() / size_t(ggml_blck_size(type)) * ggml_type_size(type), '\0');
  ggml_quantize_chunk(type, values.data(), bytes.data(), 0, int64_t(values.size()) / columns, columns,
                      nullptr);
  return bytes;
}

std::vector<float> values_of(ggml_type type, const std::string& bytes) {
  std::vector<float> values(bytes.size() / ggml_type_size(type) * size_t(ggml_blck_size(type)));
  if (type == GGML_TYPE_F32) {
    std::memcpy(values.data(), bytes.data(), bytes.size());
  } else {
    ggml_get_type_traits(type)->to_float(bytes.data(), values.data(), int64_t(values.size()));
  }
  return values;
}

/// The tiny model with its token table and layers' matrices stored as `type`.
GgufBuilder model_of(ggml_type type, uint32_t hidden = 256) {
  GgufBuilder file = tiny_model(hidden, 2);
  file.rewrite([&](GgufBuilder::Tensor& tensor) {
    const bool is_matrix =
        tensor.name == "token_embd.weight" || (tensor.name.starts_with("blk.") && tensor.shape.size() == 2);
    if (!is_matrix) return;
    std::vector<float> values(tensor.data.size() / sizeof(float));
    std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
    tensor.type = type;
    tensor.data = quantized(type, values, int64_t(tensor.shape[0]));
  });
  return file;
}

/// What rows of `type` are packed from, in the file's words.
ggml_type wide_type(ggml_type type) {
  return packed_type(type) == kernels::WeightType::kQ8_0 ? GGML_TYPE_Q8_0 : GGML_TYPE_F16;
}

std::string widened_rows(ggml_type type, const std::string& rows, size_t count, size_t columns) {
  std::string bytes(count * kernels::weight_row_bytes(packed_type(type), columns), '\0');
  CHECK(convert_rows(type, packed_type(type), rows.data(), count, columns, bytes.data()));
  return bytes;
}

/// f16 rows rounded to q8_0 and back.
std::vector<float> rounded_values(const std::string& rows, size_t count, size_t columns) {
  constexpr auto kPacked = kernels::WeightType::kQ8_0;
  const size_t row_bytes = kernels::weight_row_bytes(kPacked, columns);
  std::string blocks(count * row_bytes, '\x55');
  CHECK(convert_rows(GGML_TYPE_F16, kPacked, rows.data(), count, columns, blocks.data()));
  std::vector<float> values;
  for (size_t r = 0; r < count; r++) {
    const std::vector<float> row = values_of(GGML_TYPE_Q8_0, blocks.substr(r * row_bytes, row_bytes));
    for (size_t i = columns; i < row.size(); i++) CHECK(row[i] == 0);
    values.insert(values.end(), row.begin(), row.begin() + ptrdiff_t(columns));
  }
  return values;
}

/// The same model with its layers' f16 matrices as f32, rounded to q8_0 on the way.
GgufBuilder rounded(GgufBuilder file) {
  file.rewrite([](GgufBuilder::Tensor& tensor) {
    if (tensor.type != GGML_TYPE_F16 || !tensor.name.starts_with("blk.")) return;
    const std::vector<float> values = rounded_values(tensor.data, tensor.shape[1], tensor.shape[0]);
    tensor.type = GGML_TYPE_F32;
    tensor.data = GgufBuilder::bytes(values.data(), values.size() * sizeof(float));
  });
  return file;
}

/// The same model with every matrix as the type that it is packed from, or as f32.
GgufBuilder widened(GgufBuilder file, bool to_f32) {
  file.rewrite([&](GgufBuilder::Tensor& tensor) {
    const auto type = ggml_type(tensor.type);
    if (kernel_type(type) && !to_f32) return;
    if (!to_f32) {
      tensor.data = widened_rows(type, tensor.data, tensor.shape[1], tensor.shape[0]);
      tensor.type = wide_type(type);
    } else if (type != GGML_TYPE_F32) {
      const std::vector<float> values = values_of(type, tensor.data);
      tensor.type = GGML_TYPE_F32;
      tensor.data = GgufBuilder::bytes(values.data(), values.size() * sizeof(float));
    }
  });
  return file;
}

struct Answer {
  std::vector<float> logits;
  std::string type, compute_type;
  uint64_t size_bytes;
};

Answer answer(const GgufBuilder& builder, const kernels::KernelTable* table) {
  const TemporaryFile bytes(builder.build());
  const GgufFile file(bytes.path());
  const Hparams hparams = read_hparams(file);
  const auto buffers = ggml_backend_cpu_buffer_type();
  DeclaredWeights declared = declare_weights(file, hparams, buffers, table);
  const uint64_t declared_bytes = declared.weights.size_bytes;
  const Weights weights =
      load_weights(std::move(declared), file, hparams, buffers, table, [] { return false; });
  CHECK(weights.size_bytes == declared_bytes);
  std::unique_ptr<Ops> ops;
  if (table == nullptr) {
    ops = std::make_unique<PortableOps>();
  } else {
    ops = std::make_unique<KernelOps>(*table, false);
  }
  ggml_backend_t backend = ggml_backend_cpu_init();
  ggml_backend_cpu_set_n_threads(backend, 1);
  GraphRunner runner(backend, hparams, weights, *ops, nullptr);
  PackedBatch batch;
  batch.cu_seqlens.push_back(0);
  for (const int32_t length : {7, 16, 3}) {
    for (int32_t p = 0; p < length; p++) {
      batch.ids.push_back((p * 7 + length) % 10);
      batch.type_ids.push_back(p % 2);
      batch.positions.push_back(p);
    }
    batch.cu_seqlens.push_back(int32_t(batch.ids.size()));
  }
  Answer result{{}, weights.linear_type, weights.compute_type, weights.size_bytes};
  runner.run(batch, result.logits);
  return result;
}

}  // namespace

TEST(stored_types_hold_their_values_in_the_type_they_are_packed_from) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0, 1);
  constexpr size_t kRows = 3, kColumns = 512;
  std::vector<float> values(kRows * kColumns);
  // The middle ones are small for f16, the last ones too small for a type's own factors.
  for (const float scale : {0.1f, 1e-4f, 1e-6f}) {
    for (float& value : values) value = scale * normal(random);
    for (const ggml_type type : quantized_types()) {
      if (kernel_type(type)) continue;
      const std::string stored = quantized(type, values, kColumns);
      const std::vector<float> expected = values_of(type, stored);
      const std::vector<float> wide = values_of(wide_type(type), widened_rows(type, stored, kRows, kColumns));
      CHECK((wide_type(type) == GGML_TYPE_Q8_0) == (type == GGML_TYPE_Q4_0 || type == GGML_TYPE_Q5_0));
      const float rounding = wide_type(type) == GGML_TYPE_Q8_0 ? 0 : std::ldexp(1.0f, -11);
      for (size_t i = 0; i < expected.size(); i++)
        CHECK(std::fabs(wide[i] - expected[i]) <= rounding * std::fabs(expected[i]));
    }
  }
}

TEST(stored_types_beyond_f16_are_refused) {
  for (const ggml_type type : quantized_types()) {
    if (kernel_type(type) || wide_type(type) == GGML_TYPE_Q8_0) continue;
    GgufBuilder file = model_of(type);
    file.rewrite([&](GgufBuilder::Tensor& tensor) {
      if (tensor.name != "blk.1.ffn_down.weight") return;
      std::vector<float> values = values_of(type, tensor.data);
      values.back() = -7e4f;
      tensor.data = quantized(type, values, int64_t(tensor.shape[0]));
    });
    CHECK_THROWS_CODE(answer(file, &kernels::kernel_table()), ErrorCode::dtype_unsupported);
    CHECK(!answer(file, nullptr).logits.empty());
  }
}

TEST(stored_types_answer_on_kernels_as_the_type_they_are_packed_from) {
  const kernels::KernelTable scalar = kernels::kernel_table(CpuFeatures{});
  for (const ggml_type type : quantized_types()) {
    const GgufBuilder file = model_of(type);
    for (const kernels::KernelTable* table : {&scalar, &kernels::kernel_table()}) {
      const Answer stored = answer(file, table), wide = answer(widened(file, false), table);
      CHECK(stored.logits == wide.logits);
      CHECK(stored.type == type_name(type));
      CHECK(stored.compute_type == wide.compute_type);
      // The token table stays as it is stored.
      CHECK(stored.size_bytes <= wide.size_bytes);
    }
  }
}

TEST(stored_types_answer_on_both_graphs_near_their_values) {
  for (const ggml_type type : quantized_types()) {
    const GgufBuilder file = model_of(type);
    const std::vector<float> expected = answer(widened(file, true), &kernels::kernel_table()).logits;
    for (const kernels::KernelTable* table :
         {static_cast<const kernels::KernelTable*>(nullptr), &kernels::kernel_table()}) {
      const std::vector<float> logits = answer(file, table).logits;
      CHECK(logits.size() == expected.size());
      double largest = 0;
      for (size_t i = 0; i < logits.size(); i++)
        largest = std::max(largest, double(std::abs(logits[i] - expected[i])));
      // What remains is the rounding of activations to 8 bits.
      if (!(largest < 0.05)) std::fprintf(stderr, "%s: %g\n", type_name(type).c_str(), largest);
      CHECK(largest < 0.05);
    }
  }
}

TEST(f16_rows_are_rounded_to_blocks_as_ggml_rounds_them) {
  std::mt19937 random(6);
  std::normal_distribution<float> normal(0, 0.05f);
  for (const size_t columns : {1, 31, 33, 72, 312, 1200}) {
    constexpr size_t kRows = 3;
    std::vector<float> values(kRows * columns);
    for (float& value : values) value = normal(random);
    const std::string stored = quantized(GGML_TYPE_F16, values, int64_t(columns));
    const std::vector<float> exact = values_of(GGML_TYPE_F16, stored);
    const std::vector<float> rounded = rounded_values(stored, kRows, columns);
    const size_t padded = (columns + 31) / 32 * 32;
    for (size_t r = 0; r < kRows; r++) {
      std::vector<float> row(padded);
      std::copy_n(&exact[r * columns], columns, row.begin());
      const std::vector<float> expected =
          values_of(GGML_TYPE_Q8_0, quantized(GGML_TYPE_Q8_0, row, int64_t(padded)));
      for (size_t i = 0; i < columns; i++) CHECK(rounded[r * columns + i] == expected[i]);
    }
  }
}

TEST(f16_blocks_with_a_value_that_is_no_number_are_nan) {
  constexpr size_t kColumns = 72;
  for (const float odd : {INFINITY, -INFINITY, NAN}) {
    std::vector<float> values(kColumns, 0.25f);
    values[70] = odd;
    const std::vector<float> rounded = [&] {
      std::string blocks(kernels::weight_row_bytes(kernels::WeightType::kQ8_0, kColumns), '\0');
      const std::string stored = quantized(GGML_TYPE_F16, values, kColumns);
      CHECK(
          convert_rows(GGML_TYPE_F16, kernels::WeightType::kQ8_0, stored.data(), 1, kColumns, blocks.data()));
      return values_of(GGML_TYPE_Q8_0, blocks);
    }();
    for (size_t i = 0; i < kColumns; i++) CHECK(std::isnan(rounded[i]) == (i >= 64));
  }
}

TEST(f16_that_stands_for_blocks_is_computed_as_q8_0_on_kernels) {
  const kernels::KernelTable scalar = kernels::kernel_table(CpuFeatures{});
  const GgufBuilder plain = model_of(GGML_TYPE_F16, 40);
  for (const char* type : {"q8_0", "q5_0", "q4_0"}) {
    GgufBuilder file = plain;
    file.str("ggml_encoder.requested_type", type);
    const Answer exact = answer(plain, &scalar), stands = answer(file, &scalar);
    // In plain C++ both are sums in f32 of the same numbers.
    CHECK(stands.logits == answer(rounded(plain), &scalar).logits);
    CHECK(stands.logits != exact.logits);
    CHECK(stands.type == "f16" && stands.compute_type == "q8_0");
    CHECK(exact.type == "f16" && exact.compute_type == "f32");
    CHECK(stands.size_bytes < exact.size_bytes);

    const Answer quick = answer(file, &kernels::kernel_table());
    CHECK(quick.compute_type == "q8_0");
    for (size_t i = 0; i < quick.logits.size(); i++)
      CHECK(std::fabs(quick.logits[i] - stands.logits[i]) < 0.05);

    const Answer portable = answer(file, nullptr);
    CHECK(portable.compute_type == "f32");
    CHECK(portable.logits == answer(plain, nullptr).logits);
  }
  // Rows of whole blocks are f16 for a reason of their own.
  GgufBuilder whole = model_of(GGML_TYPE_F16, 64);
  const std::vector<float> expected = answer(whole, &scalar).logits;
  whole.str("ggml_encoder.requested_type", "q8_0");
  CHECK(answer(whole, &scalar).logits == expected);
  CHECK(answer(whole, &scalar).compute_type == "f32");
}

TEST(a_requested_type_that_is_unknown_is_refused) {
  GgufBuilder file = model_of(GGML_TYPE_F16, 40);
  file.str("ggml_encoder.requested_type", "q9_9");
  CHECK_THROWS_CODE(answer(file, nullptr), ErrorCode::architecture_unsupported);
}

TEST(stored_types_that_are_not_read_have_a_code) {
  for (const uint32_t type : {9u, 15u, 16u, 20u, 24u, 39u, 4u, 999u}) {
    GgufBuilder file = tiny_model();
    file.rewrite([&](GgufBuilder::Tensor& tensor) {
      if (tensor.name == "blk.0.ffn_up.weight") tensor.type = type;
    });
    const TemporaryFile bytes(file.build());
    CHECK_THROWS_CODE(GgufFile(bytes.path()), ErrorCode::dtype_unsupported);
  }
}

}  // namespace enc::test
