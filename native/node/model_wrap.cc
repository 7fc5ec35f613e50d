#include "model_wrap.h"

#include <atomic>
#include <variant>

#include "environment.h"
#include "errors.h"
#include "values.h"

namespace enc::node {
namespace {

/// { promise, id, cancel } of what settles the promise.
Napi::Value to_js_job(Napi::Env env, Environment& environment, const Environment::OpenPromise& opened,
                      const std::shared_ptr<Job>& job) {
  environment.set_job(opened.id, job);
  auto object = Napi::Object::New(env);
  object.Set("promise", opened.promise);
  object.Set("id", double(opened.id));
  object.Set("cancel", environment.cancel_job.Value());
  return object;
}

/// A callback for another thread: it moves the outcome to the JavaScript thread and settles the promise
/// there, with what `to_value(env, result)` makes of the result. All memory that it needs is taken here:
/// where it is called there is nobody to tell that there is none.
template <typename Result, typename ToValue>
std::function<void(std::exception_ptr, Result)> settle_later(Environment& environment, uint64_t id,
                                                             const ToValue& to_value) {
  struct Outcome {
    std::exception_ptr error;
    Result result;
  };
  auto owner = environment.shared_from_this();
  auto outcome = std::make_shared<Outcome>();
  auto settle = [owner, id, outcome, to_value](Napi::Env env) {
    owner->settle(env, id, outcome->error, [&](Napi::Env) { return to_value(env, outcome->result); });
  };
  auto task = std::make_shared<std::unique_ptr<Environment::Task>>(
      std::make_unique<Environment::Task>(std::move(settle)));
  return [owner, outcome, task](std::exception_ptr error, Result result) {
    outcome->error = std::move(error);
    outcome->result = std::move(result);
    owner->post(std::move(*task));
  };
}

constexpr auto kToJs = [](Napi::Env env, auto& result) -> Napi::Value { return to_js(env, result); };

/// Runs `body` on a thread of its own and settles the promise `id` with what it returns.
template <typename Result, typename ToValue>
void settle_in_background(Environment& environment, uint64_t id, const ToValue& to_value,
                          std::function<Result()> body) {
  environment.run_in_background(
      [settle = settle_later<Result>(environment, id, to_value), body = std::move(body)] {
        Result result{};
        std::exception_ptr error;
        try {
          result = body();
        } catch (...) {
          error = std::current_exception();
        }
        settle(std::move(error), std::move(result));
      });
}

/// The promise of what `body` returns, on a thread of its own.
template <typename Result, typename ToValue>
Napi::Value in_background(Napi::Env env, Napi::Object keep_alive, const ToValue& to_value,
                          std::function<Result()> body) {
  Environment& environment = Environment::of(env);
  return environment.promise(env, keep_alive, [&](const Environment::OpenPromise& opened) {
    settle_in_background<Result>(environment, opened.id, to_value, std::move(body));
    return Napi::Value(opened.promise);
  });
}

/// A load in flight: it is asked between two pieces of the file.
struct Loading final : Job {
  void cancel() noexcept override { is_cancelled = true; }
  std::atomic<bool> is_cancelled{false};
};

}  // namespace

Napi::Function ModelWrap::define(Napi::Env env) {
  return DefineClass(
      env, "NativeModel",
      {InstanceAccessor<&ModelWrap::get_info>("info"), InstanceMethod<&ModelWrap::run>("run"),
       InstanceMethod<&ModelWrap::tokenize>("tokenize"), InstanceMethod<&ModelWrap::dispose>("dispose")});
}

Napi::Value ModelWrap::load(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&] {
    const std::string path = info[0].As<Napi::String>();
    LoadOptions options = to_load_options(info[1].As<Napi::Object>());
    auto owner = Environment::of(env).shared_from_this();
    const auto loading = std::make_shared<Loading>();
    options.should_stop = [owner, loading] { return owner->is_closing() || loading->is_cancelled; };
    const auto to_value = [owner](Napi::Env e, std::shared_ptr<Model>& model) -> Napi::Value {
      owner->track(model);
      return owner->model_constructor.New({Napi::External<std::shared_ptr<Model>>::New(e, &model)});
    };
    return owner->promise(env, Napi::Object(), [&](const Environment::OpenPromise& opened) {
      settle_in_background<std::shared_ptr<Model>>(*owner, opened.id, to_value,
                                                   [path, options] { return Model::load(path, options); });
      return to_js_job(env, *owner, opened, loading);
    });
  });
}

Napi::Value ModelWrap::estimate(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&] {
    const std::string path = info[0].As<Napi::String>();
    const LoadOptions options = to_load_options(info[1].As<Napi::Object>());
    const auto max_length = size_t(info[2].As<Napi::Number>().Int64Value());
    return in_background<MemoryEstimate>(env, Napi::Object(), kToJs, [path, options, max_length] {
      return Model::estimate(path, options, max_length);
    });
  });
}

ModelWrap::ModelWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ModelWrap>(info) {
  if (!info[0].IsExternal()) throw Napi::TypeError::New(info.Env(), "models are made by loadModel");
  model_ = *info[0].As<Napi::External<std::shared_ptr<Model>>>().Data();
  accounted_bytes_ = int64_t(model_->info().weight_bytes);
  Napi::MemoryManagement::AdjustExternalMemory(info.Env(), accounted_bytes_);
}

// Collected without dispose(): nothing is in flight, since an open promise keeps this object alive.
ModelWrap::~ModelWrap() {
  if (model_) model_->close(true);
}

void ModelWrap::Finalize(Napi::BasicEnv env) {
  release_memory(env);
}

Napi::Value ModelWrap::get_info(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return to_js(info.Env(), model_->info()); });
}

/// `submit(inputs, options, callback)` starts the call that the arguments (texts, pairs, options) describe.
template <typename Result, typename Submit>
Napi::Value ModelWrap::start(const Napi::CallbackInfo& info, const Submit& submit) {
  const Napi::Env env = info.Env();
  return guarded(env, [&] {
    Environment& environment = Environment::of(env);
    std::vector<Input> inputs = to_inputs(info[0], info[1]);
    const EncodeOptions options = to_encode_options(info[2].As<Napi::Object>());
    const auto keep_alive = info.This().As<Napi::Object>();
    return environment.promise(env, keep_alive, [&](const Environment::OpenPromise& opened) {
      const auto job =
          submit(std::move(inputs), options, settle_later<Result>(environment, opened.id, kToJs));
      return to_js_job(env, environment, opened, job);
    });
  });
}

Napi::Value ModelWrap::run(const Napi::CallbackInfo& info) {
  return start<RunResult>(info, [this](auto inputs, const EncodeOptions& options, RunCallback done) {
    return model_->run(std::move(inputs), options, std::move(done));
  });
}

Napi::Value ModelWrap::tokenize(const Napi::CallbackInfo& info) {
  return start<TokenizeResult>(info,
                               [this](auto inputs, const EncodeOptions& options, TokenizeCallback done) {
                                 return model_->tokenize(std::move(inputs), options, std::move(done));
                               });
}

Napi::Value ModelWrap::dispose(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&] {
    const auto to_value = [](Napi::Env e, std::monostate) { return e.Undefined(); };
    const Napi::Value promise =
        in_background<std::monostate>(env, info.This().As<Napi::Object>(), to_value, [model = model_] {
          model->close(false);
          return std::monostate{};
        });
    release_memory(env);
    return promise;
  });
}

void ModelWrap::release_memory(Napi::BasicEnv env) {
  Napi::MemoryManagement::AdjustExternalMemory(env, -accounted_bytes_);
  accounted_bytes_ = 0;
}

}  // namespace enc::node
