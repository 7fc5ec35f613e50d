// Every variant in kernels.inc over the shapes of real models, against the machine's own peak.
// enc_kernel_bench --help lists its options.
// All variants of a shape are timed in turns, round after round, so that a busy neighbour slows all alike.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "kernels/kernel_declarations.h"
#include "peaks.h"

namespace enc::bench {
namespace {

using namespace kernels;

struct Options {
  std::string filter, shape, json;
  int threads = 1;
  double seconds = 0.15;
  bool cpu_time = false;
};

struct FreeAligned {
  void operator()(void* p) const { std::free(p); }
};
using Memory = std::unique_ptr<void, FreeAligned>;
Memory allocate(size_t bytes) {
  return Memory(std::aligned_alloc(64, (bytes + 127) / 64 * 64));
}

std::vector<float> random_floats(size_t count, float deviation) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, deviation);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

/// One thing to time: `run(thread)` does its share of `operations`.
struct Case {
  std::string name, shape;
  double operations = 0, peak = 0;
  std::function<void(int)> run;
  std::vector<double> seconds;
};

/// Threads that wait for work by spinning: starting one costs more than a small product.
class Team {
 public:
  explicit Team(int threads) {
    for (int t = 1; t < threads; t++) {
      members_.emplace_back([this, t] {
        for (int seen = 0;;) {
          while (round_.load(std::memory_order_acquire) == seen) std::this_thread::yield();
          seen++;
          if (!work_) return;
          (*work_)(t);
          pending_.fetch_sub(1, std::memory_order_release);
        }
      });
    }
  }
  ~Team() {
    start(nullptr);
    for (std::thread& member : members_) member.join();
  }

  void run(const std::function<void(int)>& work) {
    start(&work);
    work(0);
    while (pending_.load(std::memory_order_acquire) != 0) std::this_thread::yield();
  }

 private:
  void start(const std::function<void(int)>* work) {
    work_ = work;
    pending_.store(static_cast<int>(members_.size()), std::memory_order_relaxed);
    round_.fetch_add(1, std::memory_order_release);
  }

  std::vector<std::thread> members_;
  const std::function<void(int)>* work_ = nullptr;
  std::atomic<int> round_{0}, pending_{0};
};

class Bench {
 public:
  explicit Bench(const Options& options) : options_(options), team_(options.threads) {}

  bool wants(const char* name) const {
    return options_.filter.empty() || std::strstr(name, options_.filter.c_str());
  }
  const Options& options() const { return options_; }

  /// Times `cases` in turns and prints a line each.
  void run(std::vector<Case>& cases) {
    if (cases.empty() || cases[0].shape.find(options_.shape) == std::string::npos) return;
    for (Case& c : cases) time_once(c);  // warm up
    const auto begin = std::chrono::steady_clock::now();
    const double budget = options_.seconds * static_cast<double>(cases.size());
    size_t rounds = 0;
    while (rounds < 7 || (elapsed(begin) < budget && rounds < 5000)) {
      for (Case& c : cases) c.seconds.push_back(time_once(c));
      rounds++;
    }
    for (Case& c : cases) report(c);
  }

  bool write_json() const {
    if (options_.json.empty()) return true;
    std::FILE* file = std::fopen(options_.json.c_str(), "w");
    if (!file) return false;
    std::fprintf(file, "[\n");
    for (size_t i = 0; i < rows_.size(); i++)
      std::fprintf(file, "%s%s\n", rows_[i].c_str(), i + 1 < rows_.size() ? "," : "");
    std::fprintf(file, "]\n");
    return std::fclose(file) == 0;
  }

 private:
  static double elapsed(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }

  double time_once(const Case& c) {
    const double begin = now();
    team_.run(c.run);
    return now() - begin;
  }

  /// Seconds on the wall, or of this thread's own CPU time, which other processes cannot lengthen by taking
  /// turns.
  double now() const {
    std::timespec time;
    clock_gettime(options_.cpu_time ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
  }

  void report(Case& c) {
    std::sort(c.seconds.begin(), c.seconds.end());
    const double best = c.seconds.front(), median = c.seconds[c.seconds.size() / 2];
    const double gflops = c.operations / best / 1e9, middle = c.operations / median / 1e9;
    const double peak = c.peak * options_.threads / 1e9;
    std::printf("%-28s %-20s %9.1f us min %9.1f us median %8.1f GFLOP/s best %8.1f median", c.name.c_str(),
                c.shape.c_str(), best * 1e6, median * 1e6, gflops, middle);
    if (peak > 0) std::printf("  %3.0f %% of peak %.0f", 100 * gflops / peak, peak);
    std::printf("\n");
    char row[512];
    std::snprintf(
        row, sizeof row,
        "  {\"kernel\": \"%s\", \"shape\": \"%s\", \"threads\": %d, \"unit\": \"GFLOP/s\", \"median\": %.3f, "
        "\"max\": %.3f, \"peak\": %.3f, \"runs\": %zu}",
        c.name.c_str(), c.shape.c_str(), options_.threads, middle, gflops, peak, c.seconds.size());
    rows_.push_back(row);
  }

  Options options_;
  Team team_;
  std::vector<std::string> rows_;
};

template <class Kernel, class Other>
void collect(std::vector<std::pair<const Kernel*, KernelIsa>>& list, const Other& kernel, KernelIsa isa) {
  if constexpr (std::is_same_v<Kernel, Other>) list.push_back({&kernel, isa});
}

/// The variants of an op, scalar ones left out: they are oracles.
template <class Kernel>
std::vector<std::pair<const Kernel*, KernelIsa>> variants(const Bench& bench) {
  const CpuFeatures features = detect_cpu_features();
  std::vector<std::pair<const Kernel*, KernelIsa>> list, wanted;
#define KERNEL(op, isa)                                                         \
  if (can_run(KernelIsa::isa, features) && KernelIsa::isa != KernelIsa::scalar) \
    collect(list, op##_##isa, KernelIsa::isa);
#include "kernels/kernels.inc"
#undef KERNEL
  for (const auto& variant : list) {
    if (bench.wants(variant.first->name)) wanted.push_back(variant);
  }
  return wanted;
}

void bench_gemm(Bench& bench, size_t m, size_t n, size_t k) {
  const auto x = random_floats(m * k, 1), w = random_floats(n * k, 0.05f), bias = random_floats(n, 1);
  std::vector<Memory> keep;
  std::vector<Case> cases;
  const int threads = bench.options().threads;
  for (const auto& [kernel, isa] : variants<GemmKernel>(bench)) {
    std::vector<unsigned char> rows(n * weight_row_bytes(kernel->type, k), 0x3c);
    if (kernel->type == WeightType::kF32) std::memcpy(rows.data(), w.data(), rows.size());
    Memory packed = allocate(kernel->packed_bytes(n, k)), y = allocate(m * n * sizeof(float));
    kernel->pack(rows.data(), 0, n, n, k, packed.get());
    Case c;
    c.name = kernel->name;
    c.shape = std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k);
    c.operations = 2.0 * static_cast<double>(m * n * k);
    c.peak = measured_peak(isa);
    std::vector<GemmArgs> shares;
    for (int t = 0; t < threads; t++) {
      // Threads split rows while there are enough of them, as the encoder does; a single row splits by
      // panels.
      const size_t begin = m * static_cast<size_t>(t) / static_cast<size_t>(threads);
      const size_t end = m * static_cast<size_t>(t + 1) / static_cast<size_t>(threads);
      GemmArgs a;
      a.n = n, a.k = k, a.x_stride = k, a.y_stride = n, a.bias = bias.data(), a.packed = packed.get();
      a.m = end - begin, a.x = x.data() + begin * k, a.y = static_cast<float*>(y.get()) + begin * n;
      if (m == 1) {
        a.m = 1, a.x = x.data(), a.y = static_cast<float*>(y.get());
        a.panel_begin = kernel->panel_count(n) * static_cast<size_t>(t) / static_cast<size_t>(threads);
        a.panel_end = kernel->panel_count(n) * static_cast<size_t>(t + 1) / static_cast<size_t>(threads);
      }
      keep.push_back(allocate(kernel->scratch_bytes(a.m, k)));
      a.scratch = keep.back().get();
      shares.push_back(a);
    }
    c.run = [run = kernel->run, shares](int t) { run(shares[static_cast<size_t>(t)]); };
    keep.push_back(std::move(packed));
    keep.push_back(std::move(y));
    cases.push_back(std::move(c));
  }
  bench.run(cases);
}

/// One pass over the linear layers of `blocks` blocks, each with weights of its own, so that these come from
/// memory as they do when a model reads one short text.
void bench_blocks(Bench& bench, size_t m, size_t blocks, size_t hidden, size_t inner) {
  const size_t layers[][2] = {{3 * hidden, hidden}, {hidden, hidden}, {inner, hidden}, {hidden, inner}};
  const auto x = random_floats(m * inner, 1);
  std::vector<Memory> keep;
  std::vector<Case> cases;
  for (const auto& [kernel, isa] : variants<GemmKernel>(bench)) {
    Case c;
    c.name = kernel->name;
    c.shape = std::to_string(m) + " rows, " + std::to_string(blocks) + " blocks";
    c.peak = measured_peak(isa);
    std::vector<GemmArgs> calls;
    for (size_t i = 0; i < blocks * std::size(layers); i++) {
      const auto [n, k] = layers[i % std::size(layers)];
      const std::vector<unsigned char> rows(n * weight_row_bytes(kernel->type, k), 0x3c);
      keep.push_back(allocate(kernel->packed_bytes(n, k)));
      kernel->pack(rows.data(), 0, n, n, k, keep.back().get());
      GemmArgs a;
      a.m = m, a.n = n, a.k = k, a.x = x.data(), a.x_stride = inner, a.packed = keep.back().get();
      a.y_stride = std::max(3 * hidden, inner);
      calls.push_back(a);
      c.operations += 2.0 * static_cast<double>(m * n * k);
    }
    keep.push_back(allocate(m * calls[0].y_stride * sizeof(float)));
    for (GemmArgs& a : calls) a.y = static_cast<float*>(keep.back().get());
    keep.push_back(allocate(kernel->scratch_bytes(m, inner)));
    for (GemmArgs& a : calls) a.scratch = keep.back().get();
    c.run = [run = kernel->run, calls](int t) {
      if (t > 0) return;
      for (const GemmArgs& a : calls) run(a);
    };
    cases.push_back(std::move(c));
  }
  bench.run(cases);
}

void bench_attention(Bench& bench, size_t sequences, size_t length, size_t heads, size_t head_size) {
  const size_t hidden = heads * head_size, tokens = sequences * length;
  const auto qkv = random_floats(tokens * 3 * hidden, 1);
  std::vector<float> out(tokens * hidden);
  std::vector<int32_t> cu_seqlens;
  for (size_t s = 0; s <= sequences; s++) cu_seqlens.push_back(static_cast<int32_t>(s * length));
  std::vector<Memory> keep;
  std::vector<Case> cases;
  const int threads = bench.options().threads;
  for (const auto& [kernel, isa] : variants<AttentionVarlenKernel>(bench)) {
    Case c;
    c.name = kernel->name;
    c.shape = std::to_string(sequences) + "x" + std::to_string(length) + " h" + std::to_string(heads) + "x" +
              std::to_string(head_size);
    c.operations = 4.0 * static_cast<double>(sequences * length * length * hidden);
    c.peak = measured_peak(isa);
    std::vector<AttentionVarlenArgs> shares;
    for (int t = 0; t < threads; t++) {
      AttentionVarlenArgs a;
      a.q = qkv.data(), a.k = qkv.data() + hidden, a.v = qkv.data() + 2 * hidden;
      a.q_stride = a.k_stride = a.v_stride = 3 * hidden;
      a.cu_seqlens = cu_seqlens.data(), a.sequence_end = sequences, a.head_size = head_size;
      a.head_begin = heads * static_cast<size_t>(t) / static_cast<size_t>(threads);
      a.head_end = heads * static_cast<size_t>(t + 1) / static_cast<size_t>(threads);
      a.scale = 0.125f, a.out = out.data(), a.out_stride = hidden;
      keep.push_back(allocate(kernel->scratch_bytes(length, head_size)));
      a.scratch = keep.back().get();
      shares.push_back(a);
    }
    c.run = [run = kernel->run, shares](int t) { run(shares[static_cast<size_t>(t)]); };
    cases.push_back(std::move(c));
  }
  bench.run(cases);
}

void bench_layer_norm(Bench& bench, size_t rows, size_t columns) {
  const auto x = random_floats(rows * columns, 1), residual = random_floats(rows * columns, 1),
             gamma = random_floats(columns, 1);
  std::vector<float> y(rows * columns);
  std::vector<Case> cases;
  for (const auto& [kernel, isa] : variants<AddLayerNormKernel>(bench)) {
    Case c;
    c.name = kernel->name;
    c.shape = std::to_string(rows) + "x" + std::to_string(columns);
    c.operations = 8.0 * static_cast<double>(rows * columns);
    AddLayerNormArgs a;
    a.rows = rows, a.columns = columns, a.x = x.data(), a.residual = residual.data(), a.y = y.data();
    a.x_stride = a.residual_stride = a.y_stride = columns, a.gamma = a.beta = gamma.data();
    c.run = [run = kernel->run, a](int t) {
      if (t == 0) run(a);
    };
    cases.push_back(std::move(c));
  }
  bench.run(cases);
}

/// One sequence; its operations are those on the state: a decay, what it gives for the key, a correction and
/// what it gives for the query.
void bench_delta_net(Bench& bench, size_t length, size_t key_heads, size_t value_heads, size_t head_size) {
  constexpr size_t kTaps = 4;
  const size_t columns = (2 * key_heads + value_heads) * head_size, values = value_heads * head_size;
  const auto x = random_floats(length * columns, 1), conv = random_floats(columns * kTaps, 0.5f),
             gates = random_floats(length * 2 * value_heads, 1), shift = random_floats(value_heads, 1);
  const std::vector<float> rate(value_heads, -0.2f);
  std::vector<float> out(length * values);
  std::vector<Memory> keep;
  std::vector<Case> cases;
  const auto threads = static_cast<size_t>(bench.options().threads);
  for (const auto& [kernel, isa] : variants<GatedDeltaNetKernel>(bench)) {
    Case c;
    c.name = kernel->name;
    c.shape = std::to_string(length) + " h" + std::to_string(value_heads) + "x" + std::to_string(head_size);
    c.operations = 7.0 * static_cast<double>(length * values * head_size);
    c.peak = measured_peak(isa);
    std::vector<GatedDeltaNetArgs> shares;
    for (size_t t = 0; t < threads; t++) {
      GatedDeltaNetArgs a;
      a.tokens = length, a.head = value_heads * t / threads;
      a.key_heads = key_heads, a.value_heads = value_heads, a.head_size = head_size, a.width = kTaps;
      a.x = x.data(), a.x_stride = columns, a.conv = conv.data();
      a.gates = gates.data(), a.gates_stride = 2 * value_heads;
      a.rate = rate.data(), a.shift = shift.data(), a.out = out.data(), a.out_stride = values;
      keep.push_back(allocate(kernel->state_bytes(head_size)));
      a.state = keep.back().get();
      keep.push_back(allocate(kernel->scratch_bytes(head_size, kTaps)));
      a.scratch = keep.back().get();
      shares.push_back(a);
    }
    c.run = [run = kernel->run, shares, value_heads, threads](int t) {
      GatedDeltaNetArgs a = shares[static_cast<size_t>(t)];
      for (const size_t end = value_heads * static_cast<size_t>(t + 1) / threads; a.head < end; a.head++)
        run(a);
    };
    cases.push_back(std::move(c));
  }
  bench.run(cases);
}

int run(const Options& options) {
  Bench bench(options);
  const size_t layers[][2] = {{2304, 768}, {768, 768},  {3072, 768}, {768, 3072}, {936, 312},  {312, 312},
                              {1200, 312}, {312, 1200}, {1152, 384}, {384, 384},  {1536, 384}, {384, 1536},
                              {384, 128},  {128, 128},  {512, 128},  {128, 512}};
  for (const auto& layer : layers) {
    for (size_t m : {1, 16, 128, 512}) bench_gemm(bench, m, layer[0], layer[1]);
  }
  for (size_t m : {12, 24, 48, 128}) bench_blocks(bench, m, 6, 768, 3072);
  const size_t attention[][4] = {{32, 10, 12, 64}, {16, 32, 12, 64}, {8, 60, 12, 64},  {1, 512, 12, 64},
                                 {16, 32, 12, 26}, {16, 32, 12, 32}, {1, 512, 6, 128}, {1, 4096, 2, 64}};
  for (const auto& a : attention) bench_attention(bench, a[0], a[1], a[2], a[3]);
  for (size_t columns : {312, 768}) bench_layer_norm(bench, 128, columns);
  for (size_t length : {32, 128, 512}) bench_delta_net(bench, length, 16, 16, 128);
  bench_delta_net(bench, 512, 16, 32, 128);
  if (bench.write_json()) return 0;
  std::fprintf(stderr, "cannot write %s\n", options.json.c_str());
  return 1;
}

constexpr char kUsage[] =
    "usage: enc_kernel_bench [options]\n"
    "  --filter <text>     only kernels with this in their names, such as gemm_f32 or _avx2\n"
    "  --shape <text>      only shapes with this in them, such as 768x768 or blocks\n"
    "  --threads <n>       1 if absent\n"
    "  --seconds <time>    for each kernel and shape, 0.15 if absent\n"
    "  --json <file>       rows for docs and scripts\n"
    "  --clock <wall|cpu>  cpu is the first thread's own time\n";

/// A number that is all of `text`.
bool read_number(const char* text, double* value) {
  char* end = nullptr;
  *value = std::strtod(text, &end);
  return end != text && *end == '\0';
}

/// False for an option that there is not, or a value that it does not take.
bool read_option(const std::string& name, const char* value, Options* options) {
  const std::string word = value;
  if (name == "--filter") return options->filter = word, true;
  if (name == "--shape") return options->shape = word, true;
  if (name == "--json") return options->json = word, true;
  if (name == "--seconds") return read_number(value, &options->seconds) && options->seconds >= 0;
  if (name == "--threads") {
    double count = 0;
    if (!read_number(value, &count) || !(count >= 1 && count <= 1024)) return false;
    options->threads = static_cast<int>(count);
    return options->threads == count;
  }
  if (name == "--clock") return options->cpu_time = word == "cpu", word == "cpu" || word == "wall";
  return false;
}

}  // namespace
}  // namespace enc::bench

int main(int argc, char** argv) {
  enc::bench::Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--help" || name == "-h") return std::fputs(enc::bench::kUsage, stdout), 0;
    if (i + 1 < argc && enc::bench::read_option(name, argv[i + 1], &options)) continue;
    std::fprintf(stderr, "not an option: %s%s%s\n%s", argv[i], i + 1 < argc ? " " : "",
                 i + 1 < argc ? argv[i + 1] : "", enc::bench::kUsage);
    return 2;
  }
  return enc::bench::run(options);
}
