#include "errors.h"

#include <new>

#include "enc/error.h"
#include "enc/option_error.h"

namespace enc::node {
namespace {

Napi::Error with_code(Napi::Env env, ErrorCode code, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Value().Set("code", error_code_name(code));
  return error;
}

}  // namespace

Napi::Error to_js_error(Napi::Env env, std::exception_ptr error) {
  try {
    std::rethrow_exception(error);
  } catch (const OptionError& known) {
    Napi::Error js_error = with_code(env, known.code(), known.what());
    js_error.Value().Set("option", known.option());
    return js_error;
  } catch (const Error& known) {
    return with_code(env, known.code(), known.what());
  } catch (const std::bad_alloc&) {
    return with_code(env, ErrorCode::out_of_memory, "not enough memory");
  } catch (const std::exception& other) {
    return with_code(env, ErrorCode::internal, other.what());
  } catch (...) {
    return with_code(env, ErrorCode::internal, "unknown failure");
  }
}

}  // namespace enc::node
