// From a GGUF file to a model that answers: file -> hyperparameters -> weights -> one graph runner a thread.
#include "enc/model.h"

#include <algorithm>
#include <atomic>
#include <mutex>

#include "backends/dynamic/gpu_backends.h"
#include "batch/scheduler.h"
#include "enc/cpu_features.h"
#include "enc/error.h"
#include "ggml-backend.h"
#include "model/cpu_runner.h"
#include "model/device_runner.h"
#include "model/model_plan.h"
#include "model/text_layout.h"
#include "support/ggml_guard.h"
#include "support/memory_budget.h"

namespace enc {
namespace {

/// What is remembered of a model's texts may take an eighth of what its weights take, within these bounds.
constexpr uint64_t kMinRememberedBytes = uint64_t(4) << 20, kMaxRememberedBytes = uint64_t(256) << 20;

std::vector<std::string> read_labels(const GgufFile& file, uint32_t num_labels,
                                     std::vector<std::string>& warnings) {
  const std::string key = file.string("general.architecture") + ".classifier.output_labels";
  std::vector<std::string> labels;
  if (file.has(key)) labels = file.strings(key);
  if (labels.size() != num_labels) {
    labels.clear();
    for (uint32_t i = 0; i < num_labels; i++) labels.push_back("LABEL_" + std::to_string(i));
    warnings.push_back("labels_missing");
  }
  return labels;
}

/// None where the key is absent.
std::vector<std::string> strings_or_none(const GgufFile& file, const char* key) {
  return file.has(key) ? file.strings(key) : std::vector<std::string>();
}

void read_prompts(const GgufFile& file, ModelInfo& info) {
  info.prompt_names = strings_or_none(file, "ggml_encoder.prompt_names");
  info.prompt_texts = strings_or_none(file, "ggml_encoder.prompt_texts");
  info.default_prompt = file.string("ggml_encoder.default_prompt", "");
  const auto& names = info.prompt_names;
  if (names.size() != info.prompt_texts.size())
    file.malformed("prompt_names and prompt_texts differ in length");
  if (!info.default_prompt.empty() &&
      std::find(names.begin(), names.end(), info.default_prompt) == names.end())
    file.malformed("default_prompt names no prompt of the file");
}

void read_chat(const GgufFile& file, const Hparams& hparams, ModelInfo& info) {
  info.chat_source = file.string("tokenizer.chat_template", "");
  info.chat_variables = strings_or_none(file, "ggml_encoder.chat.variables");
  info.chat_values = strings_or_none(file, "ggml_encoder.chat.values");
  if (info.chat_variables.size() != info.chat_values.size())
    file.malformed("chat.variables and chat.values differ in length");
  if (file.has("ggml_encoder.chat.answer")) info.chat_answer = file.string("ggml_encoder.chat.answer");
  info.chat_generation_prompt = file.boolean("ggml_encoder.chat.generation_prompt", false);
  if (info.chat_source.empty() && (info.chat_answer || info.chat_generation_prompt))
    file.malformed("it has an answer to chats and no template for them");
  // Such a head needs a token that nothing adds to a chat.
  if (!info.chat_source.empty() && hparams.pooling == Pooling::kEos)
    file.malformed("its head reads the token that ends a text, which its chats do not have");
}

class LoadedModel final : public Model {
 public:
  LoadedModel(ModelPlan plan, int threads)
      : file_(std::move(plan.file)),
        hparams_(plan.hparams),
        gpu_(plan.gpu),
        table_(plan.table),
        ops_(std::move(plan.ops)),
        limits_(plan.options.limits),
        max_batch_tokens_(plan.max_batch_tokens()),
        threads_(threads) {
    const TextLayout layout = read_text_layout(*file_, hparams_);
    tokenizer_ = read_tokenizer(*file_, hparams_, layout);
    const std::optional<MarkRule> marks = find_marks(*file_, hparams_, layout, *tokenizer_);
    weights_ = load_weights(std::move(plan.declared), *file_, hparams_, weight_buffer_type(gpu_), table_,
                            plan.options.should_stop);
    describe(layout);
    file_.reset();
    team_ = std::make_unique<Team>(table_ == nullptr ? 0 : threads_ - 1);
    // States are remembered as keys and values alone.
    if (plan.shares_prefixes() && !hparams_.keeps_states()) prefix_memory_ = make_prefix_memory();
    scheduler_ = std::make_unique<Scheduler>(
        Scheduler::Options{threads_,
                           hparams_.max_length,
                           {{max_batch_tokens_, plan.shares_prefixes(), hparams_.prefix_step()},
                            hparams_.pad_token_id,
                            hparams_.num_labels,
                            hparams_.has_one_segment(),
                            hparams_.short_length,
                            marks,
                            layout.interaction,
                            hparams_.uncounted_token_id,
                            int32_t(hparams_.max_positions),
                            prefix_memory_.get()}},
        *tokenizer_, [this]() -> std::unique_ptr<BatchRunner> {
          if (gpu_ != nullptr)
            return std::make_unique<DeviceRunner>(gpu_, hparams_, weights_, *ops_, health_);
          return std::make_unique<CpuRunner>(
              hparams_, weights_, *ops_, TeamLease(*team_, team_taken_, helpful_), health_, max_batch_tokens_,
              [this] { return memory_left(limits_, weights_.size_bytes); });
        });
  }

  const ModelInfo& info() const override { return info_; }

  std::shared_ptr<Job> run(std::vector<Input> inputs, const EncodeOptions& options,
                           RunCallback done) override {
    return submit(
        std::make_shared<Call>(std::move(inputs), limited(options), row_size(options), std::move(done)));
  }

  std::shared_ptr<Job> tokenize(std::vector<Input> inputs, const EncodeOptions& options,
                                TokenizeCallback done) override {
    return submit(std::make_shared<Call>(std::move(inputs), limited(options), std::move(done)));
  }

  void close(bool cancel_running) override {
    scheduler_->close(cancel_running);
    // The threads that used them are gone; this object itself may live until its JavaScript wrapper is
    // collected.
    const std::lock_guard lock(free_mutex_);
    team_.reset();
    prefix_memory_.reset();
    tokenizer_.reset();
    weights_ = Weights();
    return_freed_memory();
  }

 private:
  std::shared_ptr<Job> submit(std::shared_ptr<Call> call) {
    health_.require();
    scheduler_->submit(call);
    return call;
  }

  std::unique_ptr<PrefixMemory> make_prefix_memory() const {
    return std::make_unique<PrefixMemory>(PrefixMemory::Options{
        hparams_.num_layers, size_t(hparams_.num_kv_heads) * hparams_.head_size, max_batch_tokens_,
        size_t(std::clamp(weights_.size_bytes / 8, kMinRememberedBytes, kMaxRememberedBytes)),
        [this] { return memory_left(limits_, weights_.size_bytes); }});
  }

  /// Floats of one input.
  size_t row_size(const EncodeOptions& options) const {
    if (hparams_.label_head.exists()) return options.labels.size();
    if (hparams_.pooling == Pooling::kTokens) return 1;
    if (!hparams_.reads_marks()) return hparams_.num_labels;
    return (std::max<size_t>(1, options.labels.size()) + 1) * hparams_.num_labels;
  }

  EncodeOptions limited(EncodeOptions options) const {
    options.max_length = std::min<size_t>(options.max_length, hparams_.max_length);
    return options;
  }

  void describe(const TextLayout& layout) {
    info_.architecture = file_->string("general.architecture");
    info_.source_class = file_->string("ggml_encoder.source_class", "");
    info_.name = file_->string("general.name", "");
    info_.labels = read_labels(*file_, hparams_.makes_vectors() ? 1 : hparams_.num_labels, info_.warnings);
    info_.reads_labels = hparams_.label_head.exists();
    info_.problem_type = file_->string("ggml_encoder.problem_type", "");
    info_.activation_fn = file_->string("ggml_encoder.activation_fn", "");
    info_.truncation_side = file_->string("ggml_encoder.truncation_side", "right");
    if (info_.truncation_side != "right" && info_.truncation_side != "left")
      file_->malformed("truncation_side is neither right nor left");
    read_prompts(*file_, info_);
    read_chat(*file_, hparams_, info_);
    describe_text_layout(*file_, layout, info_);
    info_.max_length = hparams_.max_length;
    info_.hidden_size = hparams_.hidden_size;
    info_.num_layers = hparams_.num_layers;
    info_.num_heads = hparams_.num_heads;
    info_.intermediate_size = hparams_.intermediate_size;
    info_.vocab_size = hparams_.vocab_size;
    info_.num_parameters = weights_.num_parameters;
    info_.weight_type = weights_.linear_type;
    info_.compute_type = weights_.compute_type;
    info_.device = gpu_ == nullptr ? "cpu" : gpu_id(gpu_);
    info_.kernels = table_ == nullptr ? "portable" : isa_name(cpu_features());
    info_.threads = threads_;
    info_.weight_bytes = weights_.size_bytes;
    // A file that says so has a head of one layer; one that says nothing lost the other to its converter.
    if (!hparams_.has_pooler && !file_->has("ggml_encoder.head.activation"))
      info_.warnings.push_back("pooler_missing");
    // What the converter had to assume.
    if (file_->has("ggml_encoder.assumptions")) {
      const std::vector<std::string>& codes = file_->strings("ggml_encoder.assumptions");
      info_.warnings.insert(info_.warnings.end(), codes.begin(), codes.end());
    }
  }

  std::unique_ptr<GgufFile> file_;
  const Hparams hparams_;
  std::unique_ptr<const Tokenizer> tokenizer_;
  const ggml_backend_dev_t gpu_;             // null: the CPU
  const kernels::KernelTable* const table_;  // null: the portable graph
  std::unique_ptr<const Ops> ops_;
  const FileLimits limits_;
  const size_t max_batch_tokens_;
  const int threads_;
  Weights weights_;
  ModelInfo info_;
  Health health_;
  std::mutex free_mutex_;
  std::unique_ptr<Team> team_;  // without helpers for the portable graph
  std::atomic_flag team_taken_;
  const std::function<bool()> helpful_ = [this] { return scheduler_->has_idle_thread(); };
  std::unique_ptr<PrefixMemory> prefix_memory_;  // null where texts share nothing
  std::unique_ptr<Scheduler> scheduler_;         // last: its threads use all of the above
};

}  // namespace

std::shared_ptr<Model> Model::load(const std::string& path, const LoadOptions& options) {
  require_cpu();
  const GgmlGuard guard;
  ModelPlan plan(path, options);
  const int threads = plan.admit();
  try {
    return std::make_shared<LoadedModel>(std::move(plan), threads);
  } catch (...) {
    return_freed_memory();
    throw;
  }
}

MemoryEstimate Model::estimate(const std::string& path, const LoadOptions& options, size_t max_length) {
  require_cpu();
  const GgmlGuard guard;
  ModelPlan plan(path, options);
  const size_t length = std::min<size_t>(max_length, plan.hparams.max_length);
  return plan.estimate(plan.wanted_threads(), std::max<size_t>(1, length));
}

}  // namespace enc
