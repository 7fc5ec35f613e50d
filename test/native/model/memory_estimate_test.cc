// What a model will take is told before any of it is taken, to the byte, and what does not fit is refused.
#include <cstdio>

#include "backends/cpu/kernel_ops.h"
#include "check.h"
#include "enc/error.h"
#include "ggml-cpu.h"
#include "graph/graph_runner.h"
#include "graph/portable_ops.h"
#include "model/model_plan.h"
#include "reference_model.h"
#include "tiny_model.h"

namespace enc::test {
namespace {

constexpr size_t kAnyLength = size_t(1) << 31;

LoadOptions options_for(KernelChoice kernels, int threads, uint64_t memory_bytes = 0) {
  LoadOptions options;
  options.kernels = kernels;
  options.threads = threads;
  options.limits.memory_bytes = memory_bytes;
  return options;
}

/// Loads the weights that were planned and runs the largest batch on one thread; `fed` bytes are held only
/// while that runs.
void check_what_is_held(ModelPlan& plan, const MemoryEstimate& estimate, size_t fed) {
  const Weights weights = load_weights(std::move(plan.declared), *plan.file, plan.hparams,
                                       ggml_backend_cpu_buffer_type(), plan.table, [] { return false; });
  CHECK(weights.size_bytes == estimate.weight_bytes);
  GraphRunner runner(ggml_backend_cpu_init(), plan.hparams, weights, *plan.ops, nullptr);
  PackedBatch batch;
  batch.cu_seqlens.push_back(0);
  for (size_t b = 0; b < plan.max_batch_tokens() / 16; b++) {
    for (int p = 0; p < 16; p++) {
      batch.ids.push_back(5);
      batch.type_ids.push_back(0);
      batch.positions.push_back(p);
    }
    batch.cu_seqlens.push_back(int32_t(batch.ids.size()));
  }
  std::vector<float> logits;
  runner.run(batch, logits);
  CHECK(runner.held_bytes() + fed == estimate.thread_bytes);
  if (runner.held_bytes() + fed != estimate.thread_bytes)
    std::fprintf(stderr, "%zu held, %zu expected\n", size_t(runner.held_bytes()),
                 size_t(estimate.thread_bytes));
}

}  // namespace

TEST(the_estimate_is_what_loading_and_running_hold) {
  const TemporaryFile file(tiny_model(64, 3).build());
  for (const KernelChoice kernels : {KernelChoice::kAuto, KernelChoice::kPortable}) {
    const LoadOptions options = options_for(kernels, 1);
    ModelPlan plan(file.path(), options);
    const MemoryEstimate estimate = plan.estimate(1, 16);
    CHECK(estimate.threads == 1);
    CHECK(estimate.total_bytes == estimate.weight_bytes + estimate.thread_bytes);
    CHECK(Model::estimate(file.path(), options, kAnyLength).total_bytes == estimate.total_bytes);
    CHECK(Model::load(file.path(), options)->info().weight_bytes == estimate.weight_bytes);
    check_what_is_held(plan, estimate, 0);
  }
}

TEST(the_estimate_counts_the_convolution_and_the_bias) {
  Shape shape;
  shape.conv = 3;
  shape.slopes = {0.5f, 0.25f, 0.125f};
  const TemporaryFile file(RandomModel(shape, 1).builder().build());
  for (const KernelChoice kernels : {KernelChoice::kAuto, KernelChoice::kPortable}) {
    ModelPlan plan(file.path(), options_for(kernels, 1));
    // The portable graph is fed each head's bias, of all 16 tokens and of those that are read, and the places
    // of 3 neighbours of all 512 tokens with what they count.
    const size_t masks = sizeof(float) * 3 * 16 * (16 + 32), places = 2 * sizeof(float) * 3 * 512;
    check_what_is_held(plan, plan.estimate(1, 16), kernels == KernelChoice::kPortable ? masks + places : 0);
  }
}

TEST(the_estimate_counts_narrow_layers) {
  Shape shape;
  shape.narrow = 6;
  shape.embedding_width = 3;
  const TemporaryFile file(RandomModel(shape, 1).builder().build());
  for (const KernelChoice kernels : {KernelChoice::kAuto, KernelChoice::kPortable}) {
    ModelPlan plan(file.path(), options_for(kernels, 1));
    const size_t places = 2 * sizeof(float) * 3 * 512;
    check_what_is_held(plan, plan.estimate(1, 16), kernels == KernelChoice::kPortable ? places : 0);
  }
}

TEST(the_estimate_counts_the_states_of_short_texts) {
  Shape shape;
  shape.causal = true;
  shape.pooler = "none";
  shape.types = 0;
  shape.linear = {0};
  shape.key_heads = shape.value_heads = 2;
  shape.linear_size = 64;
  const TemporaryFile file(RandomModel(shape, 1).builder().build());
  ModelPlan portable(file.path(), options_for(KernelChoice::kPortable, 1));
  // Before and after the layer, each of 512 texts at once: 16 MiB.
  CHECK(portable.estimate(1, 16).thread_bytes > size_t(32) << 20);
  ModelPlan own(file.path(), options_for(KernelChoice::kAuto, 1));
  const MemoryEstimate estimate = own.estimate(1, 16);
  CHECK(estimate.thread_bytes < size_t(4) << 20);
  check_what_is_held(own, estimate, 0);
}

TEST(the_estimate_counts_the_decoder) {
  Shape shape;
  shape.decoder_layers = 2;
  const TemporaryFile file(RandomModel(shape, 1).builder().build());
  for (const KernelChoice kernels : {KernelChoice::kAuto, KernelChoice::kPortable}) {
    ModelPlan plan(file.path(), options_for(kernels, 1));
    // The portable graph is fed what a token sees of its own sequence: all 16 of them, and the 32 that are
    // read.
    const size_t masks = kernels == KernelChoice::kPortable ? sizeof(float) * 16 * (16 + 32) : 0;
    check_what_is_held(plan, plan.estimate(1, 16), masks);
  }
}

TEST(a_model_that_does_not_fit_is_refused_with_numbers) {
  const TemporaryFile file(tiny_model(64, 3).build());
  for (const KernelChoice kernels : {KernelChoice::kAuto, KernelChoice::kPortable}) {
    const MemoryEstimate two = Model::estimate(file.path(), options_for(kernels, 2), kAnyLength);
    CHECK(Model::load(file.path(), options_for(kernels, 2, two.total_bytes))->info().threads == 2);
    CHECK_THROWS_CODE(Model::load(file.path(), options_for(kernels, 2, two.total_bytes - 1)),
                      ErrorCode::out_of_memory);
    // Threads that nobody asked for give way.
    const MemoryEstimate one = Model::estimate(file.path(), options_for(kernels, 1), kAnyLength);
    CHECK(Model::load(file.path(), options_for(kernels, 0, one.total_bytes))->info().threads == 1);
    CHECK_THROWS_CODE(Model::load(file.path(), options_for(kernels, 0, one.weight_bytes)),
                      ErrorCode::out_of_memory);
  }
}

TEST(an_estimate_grows_with_the_input_and_takes_no_memory) {
  const TemporaryFile file(tiny_model(64, 3).build());
  const LoadOptions options = options_for(KernelChoice::kPortable, 1, uint64_t(1) << 30);
  const MemoryEstimate longest = Model::estimate(file.path(), options, kAnyLength);
  CHECK(Model::estimate(file.path(), options, 16).thread_bytes == longest.thread_bytes);
  CHECK(Model::estimate(file.path(), options, 4).thread_bytes != longest.thread_bytes);
  CHECK(longest.available_bytes == uint64_t(1) << 30);
  CHECK_THROWS_CODE(Model::estimate("/no/such/file", options, 1), ErrorCode::model_not_found);
}

TEST(an_estimate_does_not_grow_by_the_square_of_a_long_text) {
  Shape shape;
  shape.positions = 8192;
  const TemporaryFile file(RandomModel(shape, 1).builder().build());
  for (const KernelChoice kernels : {KernelChoice::kAuto, KernelChoice::kPortable}) {
    ModelPlan plan(file.path(), options_for(kernels, 1));
    // All scores would be 768 MiB.
    CHECK(plan.estimate(1, 8192).thread_bytes < size_t(384) << 20);
  }
}

}  // namespace enc::test
