#include "model_wrap.h"

#include "environment.h"
#include "errors.h"
#include "values.h"

namespace enc::node {
namespace {

/// { promise, cancel } of a call in flight. `cancel` does not own the call: a function waits long for its
/// collection, and the call holds its texts.
Napi::Object to_js_job(Napi::Env env, Napi::Promise promise, const std::shared_ptr<Job>& job) {
  auto object = Napi::Object::New(env);
  object.Set("promise", promise);
  object.Set("cancel", Napi::Function::New(env, [weak = std::weak_ptr<Job>(job)](const Napi::CallbackInfo&) {
               if (const std::shared_ptr<Job> running = weak.lock()) running->cancel();
             }));
  return object;
}

/// A callback for an inference thread: it moves the outcome to the JavaScript thread and settles the promise
/// there.
template <typename Result>
std::function<void(std::exception_ptr, Result)> settle_later(Environment& environment, uint64_t id) {
  return [owner = environment.shared_from_this(), id](std::exception_ptr error, Result result) {
    auto shared = std::make_shared<Result>(std::move(result));
    owner->post([owner, id, error, shared](Napi::Env env) {
      owner->settle(env, id, error, [&](Napi::Env) { return to_js(env, *shared); });
    });
  };
}

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
    Environment& environment = Environment::of(env);
    const std::string path = info[0].As<Napi::String>();
    LoadOptions options = to_load_options(info[1].As<Napi::Object>());
    const auto opened = environment.open_promise(env, Napi::Object());
    auto owner = environment.shared_from_this();
    options.should_stop = [owner] { return owner->is_closing(); };
    environment.run_in_background(env, opened.id, [owner, id = opened.id, path, options] {
      std::exception_ptr error;
      std::shared_ptr<Model> model;
      try {
        model = Model::load(path, options);
      } catch (...) {
        error = std::current_exception();
      }
      owner->post([owner, id, error, model](Napi::Env env) {
        owner->settle(env, id, error, [&](Napi::Env) -> Napi::Value {
          owner->track(model);
          return owner->model_constructor.New({Napi::External<std::shared_ptr<Model>>::New(
              env, const_cast<std::shared_ptr<Model>*>(&model))});
        });
      });
    });
    return Napi::Value(opened.promise);
  });
}

Napi::Value ModelWrap::estimate(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&] {
    Environment& environment = Environment::of(env);
    const std::string path = info[0].As<Napi::String>();
    const LoadOptions options = to_load_options(info[1].As<Napi::Object>());
    const auto max_length = size_t(info[2].As<Napi::Number>().Int64Value());
    const auto opened = environment.open_promise(env, Napi::Object());
    environment.run_in_background(
        env, opened.id,
        [settle = settle_later<MemoryEstimate>(environment, opened.id), path, options, max_length] {
          MemoryEstimate estimate;
          std::exception_ptr error;
          try {
            estimate = Model::estimate(path, options, max_length);
          } catch (...) {
            error = std::current_exception();
          }
          settle(error, estimate);
        });
    return Napi::Value(opened.promise);
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

Napi::Value ModelWrap::get_info(const Napi::CallbackInfo& info) {
  return to_js(info.Env(), model_->info());
}

/// `submit(inputs, options, callback)` starts the call that the arguments (texts, pairs, options) describe.
template <typename Result, typename Submit>
Napi::Value ModelWrap::start(const Napi::CallbackInfo& info, const Submit& submit) {
  const Napi::Env env = info.Env();
  return guarded(env, [&] {
    Environment& environment = Environment::of(env);
    std::vector<Input> inputs = to_inputs(info[0], info[1]);
    const EncodeOptions options = to_encode_options(info[2].As<Napi::Object>());
    const auto opened = environment.open_promise(env, info.This().As<Napi::Object>());
    try {
      const auto job = submit(std::move(inputs), options, settle_later<Result>(environment, opened.id));
      return Napi::Value(to_js_job(env, opened.promise, job));
    } catch (...) {
      environment.settle_unseen(env, opened.id);
      throw;
    }
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
    Environment& environment = Environment::of(env);
    const auto opened = environment.open_promise(env, info.This().As<Napi::Object>());
    auto owner = environment.shared_from_this();
    environment.run_in_background(env, opened.id, [owner, id = opened.id, model = model_] {
      model->close(false);
      owner->post([owner, id](Napi::Env env) {
        owner->settle(env, id, nullptr, [](Napi::Env e) { return e.Undefined(); });
      });
    });
    release_memory(env);
    return Napi::Value(opened.promise);
  });
}

void ModelWrap::release_memory(Napi::Env env) {
  Napi::MemoryManagement::AdjustExternalMemory(env, -accounted_bytes_);
  accounted_bytes_ = 0;
}

}  // namespace enc::node
