// How a graph can be run, and that it gives what plain double loops do.
#pragma once

#include <atomic>
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "backends/cpu/kernel_ops.h"
#include "check.h"
#include "enc/error.h"
#include "ggml-cpu.h"
#include "graph/graph_runner.h"
#include "graph/portable_ops.h"
#include "model/gguf_file.h"
#include "reference_model.h"

namespace enc::test {

/// How a graph can be run: stock ggml operations, or kernels with or without helping threads.
struct Engine {
  const kernels::KernelTable* table;
  int helpers;
  AttentionPadding padding = AttentionPadding::kNone;
};

/// All of them; under ThreadSanitizer, which takes minutes for each, those with more than one thread.
inline const std::vector<Engine>& engines() {
  [[maybe_unused]] static const kernels::KernelTable scalar = kernels::kernel_table(CpuFeatures{});
  static const std::vector<Engine> all = {
#ifndef __SANITIZE_THREAD__
      {nullptr, 0},
      {nullptr, 0, AttentionPadding::kSimilarLengths},
      {&scalar, 0},
      {&kernels::kernel_table(), 0},
#endif
      {&kernels::kernel_table(), 2}};
  return all;
}

struct Loaded {
  Loaded(RandomModel& m, const Engine& engine)
      : file(m.builder().build()),
        gguf(file.path()),
        hparams(read_hparams(gguf)),
        weights(load_weights(declare_weights(gguf, hparams, ggml_backend_cpu_buffer_type(), engine.table),
                             gguf, hparams, ggml_backend_cpu_buffer_type(), engine.table,
                             [] { return false; })),
        ops(engine.table == nullptr ? std::unique_ptr<Ops>(new PortableOps)
                                    : std::make_unique<KernelOps>(*engine.table, false)),
        team(engine.helpers),
        lease(team, taken, always),
        backend(ggml_backend_cpu_init()),
        runner(backend, hparams, weights, *ops, engine.helpers > 0 ? &lease : nullptr, engine.padding) {
    ggml_backend_cpu_set_n_threads(backend, 1);
  }
  std::vector<float> run(const PackedBatch& batch) {
    std::vector<float> logits;
    runner.run(batch, logits);
    return logits;
  }

  TemporaryFile file;
  GgufFile gguf;
  Hparams hparams;
  Weights weights;
  std::unique_ptr<Ops> ops;
  Team team;
  std::atomic_flag taken;
  std::function<bool()> always = [] { return true; };
  TeamLease lease;
  ggml_backend_t backend;
  GraphRunner runner;
};

/// What loading it is refused with; `aborted` where it is not.
inline ErrorCode code_of(RandomModel& model) {
  try {
    Loaded loaded(model, engines()[0]);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::aborted;
}

/// The same of a model of `shape` after `change`.
template <typename Change>
ErrorCode code_with(Shape shape, const Change& change) {
  change(shape);
  RandomModel model(shape, 1);
  return code_of(model);
}

inline void check_against_reference(const Shape& shape, const std::vector<int>& lengths) {
  RandomModel model(shape, 7);
  const PackedBatch batch = random_batch(shape, lengths, 11);
  Matrix expected;
  for (size_t b = 0; b < lengths.size(); b++) {
    const Matrix row = reference(model, batch, size_t(batch.cu_seqlens[b]), size_t(batch.cu_seqlens[b + 1]));
    expected.insert(expected.end(), row.begin(), row.end());
  }
  for (const Engine& engine : engines()) {
    Loaded loaded(model, engine);
    const std::vector<float> logits = loaded.run(batch);
    CHECK(logits.size() == expected.size());
    for (size_t i = 0; i < logits.size(); i++) CHECK(std::abs(logits[i] - expected[i]) < 2e-5);
  }
}

/// Bit for bit, on every engine that computes with no padding.
inline void check_batch_equals_single(const Shape& shape, const std::vector<int>& lengths) {
  RandomModel model(shape, 3);
  const PackedBatch batch = random_batch(shape, lengths, 5);
  for (const Engine& engine : engines()) {
    if (engine.padding != AttentionPadding::kNone) continue;
    Loaded loaded(model, engine);
    const std::vector<float> together = loaded.run(batch);
    for (size_t b = 0; b < lengths.size(); b++) {
      PackedBatch single;
      const auto begin = batch.cu_seqlens[b], end = batch.cu_seqlens[b + 1];
      single.ids.assign(batch.ids.begin() + begin, batch.ids.begin() + end);
      single.type_ids.assign(batch.type_ids.begin() + begin, batch.type_ids.begin() + end);
      single.positions.assign(batch.positions.begin() + begin, batch.positions.begin() + end);
      single.cu_seqlens = {0, end - begin};
      const std::vector<float> alone = loaded.run(single);
      CHECK(std::memcmp(alone.data(), together.data() + b * shape.labels, shape.labels * sizeof(float)) == 0);
    }
  }
}

/// The texts of `batch`, of which all but the first begin with the same `prefix` tokens: these in a sequence
/// of their own.
inline PackedBatch share_prefix(const PackedBatch& batch, int32_t prefix) {
  PackedBatch shared;
  shared.cu_seqlens.push_back(0);
  const auto add = [&](int32_t begin, int32_t end, int32_t after) {
    shared.ids.insert(shared.ids.end(), batch.ids.begin() + begin, batch.ids.begin() + end);
    shared.type_ids.insert(shared.type_ids.end(), batch.type_ids.begin() + begin,
                           batch.type_ids.begin() + end);
    shared.positions.insert(shared.positions.end(), batch.positions.begin() + begin,
                            batch.positions.begin() + end);
    shared.cu_seqlens.push_back(int32_t(shared.ids.size()));
    shared.prefixes.push_back(after);
  };
  add(0, batch.cu_seqlens[1], -1);
  add(batch.cu_seqlens[1], batch.cu_seqlens[1] + prefix, -1);
  for (size_t b = 1; b + 1 < batch.cu_seqlens.size(); b++)
    add(batch.cu_seqlens[b] + prefix, batch.cu_seqlens[b + 1], 1);
  return shared;
}

/// Bit for bit, on every engine that shares beginnings, for each length of what is shared.
inline void check_shared_equals_whole(Shape shape, const std::vector<int32_t>& prefixes) {
  for (const Engine& engine : engines()) {
    if (engine.table == nullptr) continue;
    shape.inner = engine.helpers > 0 ? 600 : 20;  // large enough that helpers take part
    RandomModel model(shape, 3);
    Loaded loaded(model, engine);
    CHECK(loaded.hparams.shares_prefixes());
    for (const int32_t prefix : prefixes) {
      PackedBatch batch = random_batch(shape, {90, 200, 71, 72, 71, 135}, 5);
      for (size_t b = 2; b + 1 < batch.cu_seqlens.size(); b++)
        std::copy_n(batch.ids.begin() + batch.cu_seqlens[1], prefix, batch.ids.begin() + batch.cu_seqlens[b]);
      const std::vector<float> whole = loaded.run(batch);
      const std::vector<float> shared = loaded.run(share_prefix(batch, prefix));
      // The prefix has a row of its own.
      CHECK(shared.size() == whole.size() + shape.labels);
      const size_t row = shape.labels * sizeof(float);
      CHECK(std::memcmp(shared.data(), whole.data(), row) == 0);
      CHECK(std::memcmp(shared.data() + 2 * shape.labels, whole.data() + shape.labels,
                        (batch.cu_seqlens.size() - 2) * row) == 0);
    }
  }
}

}  // namespace enc::test
