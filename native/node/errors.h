// The border between C++ exceptions and JavaScript errors.
#pragma once

#include <napi.h>

#include <exception>

namespace enc::node {

/// A JavaScript Error whose `code` is the library's. Anything but enc::Error becomes code 'internal',
/// bad_alloc 'out_of_memory'. `option` names the option that is the reason, where one is.
Napi::Error to_js_error(Napi::Env env, std::exception_ptr error);

/// Runs `body` and turns what it throws into a pending JavaScript exception.
template <typename Body>
auto guarded(Napi::Env env, Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw to_js_error(env, std::current_exception());
  }
}

}  // namespace enc::node
