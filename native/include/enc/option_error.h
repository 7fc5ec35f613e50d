// An error that one of the caller's own options is the reason of.
#pragma once

#include <string>

#include "enc/error.h"

namespace enc {

class OptionError : public Error {
 public:
  /// `option`: its name in JavaScript, a literal.
  OptionError(ErrorCode code, const char* option, const std::string& message)
      : Error(code, message), option_(option) {}
  const char* option() const noexcept { return option_; }

 private:
  const char* option_;
};

}  // namespace enc
