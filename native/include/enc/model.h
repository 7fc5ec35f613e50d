// A loaded model with its inference threads: texts in, logits out. Start reading here.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "enc/tokenizer.h"

namespace enc {

enum class KernelChoice {
  kAuto,      ///< our kernels where this CPU has them
  kPortable,  ///< stock ggml operations, the graph that GPUs run
};

/// The most that a file may ask for; src/support/limits.ts has the same numbers and says what they mean.
struct FileLimits {
  uint64_t gguf_entries = 4096;
  uint64_t gguf_tensors = 65536;
  uint64_t gguf_string_bytes = uint64_t(128) << 20;
  uint64_t gguf_array_elements = uint64_t(1) << 24;  ///< of one array; twice as many in all
  uint64_t gguf_header_bytes = uint64_t(512) << 20;
  uint64_t memory_bytes = 0;  ///< weights and working memory; 0: what the machine and its container have left
};

struct LoadOptions {
  std::string device = "auto";
  int threads = 0;  ///< 1 to 64; 0 means default_threads()
  KernelChoice kernels = KernelChoice::kAuto;
  FileLimits limits;
  /// Polled while the weights are read, on the loading thread; true ends the load with Error(aborted).
  std::function<bool()> should_stop = [] { return false; };
};

/// Facts from the file, with what was chosen for this machine. Field for field NativeModelInfo in
/// src/native/bindings.ts.
struct ModelInfo {
  std::string architecture;
  std::string source_class;
  std::string name;
  std::vector<std::string> labels;
  std::string problem_type;
  std::string activation_fn;
  std::string truncation_side;  ///< "right" or "left": the checkpoint's, for calls that name none
  std::vector<std::string> prompt_names;
  std::vector<std::string> prompt_texts;  ///< as many as prompt_names
  std::string default_prompt;             ///< one of prompt_names, or empty
  std::string chat_source;  ///< the template in Jinja that makes a chat a text; empty: there is none
  std::vector<std::string> chat_variables;  ///< names of its variables beside the messages
  std::vector<std::string> chat_values;     ///< as many as chat_variables
  /// What the answer to a chat begins with, before the token that the labels are; absent: chats get none.
  std::optional<std::string> chat_answer;
  bool chat_generation_prompt = false;  ///< the template is told to begin an answer
  bool reads_labels = false;            ///< of each call; `labels` then has one entry that names none
  /// "pairs" or "prompted": pairs, or pairs with a prompt, go into one; "list": a query and documents do;
  /// "apart": the texts of a pair are read each by itself.
  std::string chat_template = "none";
  uint32_t list_documents = 0;  ///< most documents of a list; 0: the model ranks no lists
  uint32_t list_query_tokens = 0;
  uint32_t list_document_tokens = 0;
  uint32_t max_length = 0;
  uint32_t hidden_size = 0;
  uint32_t num_layers = 0;
  uint32_t num_heads = 0;
  uint32_t intermediate_size = 0;
  uint32_t vocab_size = 0;
  uint64_t num_parameters = 0;
  std::string weight_type;
  std::string compute_type;
  std::string device;
  std::string kernels;
  int threads = 0;
  uint64_t weight_bytes = 0;
  std::vector<std::string> warnings;
};

/// Bytes that a model takes once it runs. The tokenizer, small beside the weights, is not counted.
struct MemoryEstimate {
  uint64_t weight_bytes = 0;  ///< with the tables that are made of them
  uint64_t thread_bytes = 0;  ///< working memory of one inference thread
  int threads = 0;
  uint64_t total_bytes = 0;      ///< weight_bytes + threads * thread_bytes
  uint64_t available_bytes = 0;  ///< what may be taken; UINT64_MAX when that is not known
};

struct Input {
  std::string text;                 ///< UTF-8
  std::optional<std::string> pair;  ///< the second text of a pair
  std::optional<WrittenOut> parts;  ///< of a text that has its control tokens written out, and no pair
};

/// Results of one run() over n inputs, in their order.
struct RunResult {
  /// [n, num_labels], or [n, labels of the call], or [n, documents + 1, size]: vectors of a list's documents
  /// and of its query.
  std::vector<float> logits;
  std::vector<int32_t> tokens;     ///< [n], special tokens included
  std::vector<uint8_t> truncated;  ///< [n], 1 where tokens of the text were dropped
  /// Empty unless the call asked for windows. Then input i owns windows [window_offsets[i], window_offsets[i
  /// + 1]), logits has one row per window, and tokens counts those of all its windows together.
  std::vector<int32_t> window_offsets;  ///< [n + 1]
  std::vector<int32_t> window_begins;   ///< [windows], first token of the text in the window
  std::vector<int32_t> window_ends;     ///< [windows], one after the last
};

struct TokenizeResult {
  std::vector<Encoding> encodings;  ///< [n]
};

/// A call in flight. cancel() makes it end with Error(aborted) when the running micro-batch is through.
class Job {
 public:
  virtual ~Job() = default;
  virtual void cancel() noexcept = 0;
};

/// Called once per call, on an inference thread: `error` is null exactly when `result` is valid. Must not
/// throw.
using RunCallback = std::function<void(std::exception_ptr error, RunResult result)>;
using TokenizeCallback = std::function<void(std::exception_ptr error, TokenizeResult result)>;

class Model {
 public:
  /// Opens and checks the file, loads the weights and starts the threads. Throws Error.
  static std::shared_ptr<Model> load(const std::string& path, const LoadOptions& options);

  /// What loading the file and running it for inputs of up to `max_length` tokens will take, cut to the
  /// model's own limit. Reads the file's header alone. Throws Error as load() does.
  static MemoryEstimate estimate(const std::string& path, const LoadOptions& options, size_t max_length);

  virtual ~Model() = default;
  virtual const ModelInfo& info() const = 0;

  /// Queues the inputs; concurrent calls share micro-batches. A score depends on its own input alone, to the
  /// bit. options.max_length is cut to the model's own limit. Thread-safe.
  virtual std::shared_ptr<Job> run(std::vector<Input> inputs, const EncodeOptions& options,
                                   RunCallback done) = 0;
  virtual std::shared_ptr<Job> tokenize(std::vector<Input> inputs, const EncodeOptions& options,
                                        TokenizeCallback done) = 0;

  /// Calls not yet begun end with Error(model_disposed), running ones finish (or, with `cancel_running`, end
  /// with Error(aborted)); then the threads are joined and the weights freed. Blocks. Idempotent and
  /// thread-safe.
  virtual void close(bool cancel_running) = 0;
};

}  // namespace enc
