// What is wrong unless evidence is missing: it waits for the next evidence, whose number tells.
#pragma once
#include "findings.h"

namespace oae {

class Awaiting {
 public:
  explicit Awaiting(Findings& findings) : findings_(findings) {
    found_.reserve(kMost);
    errors_.reserve(kMost);
  }

  void add(const Finding& finding) {
    if (found_.size() < kMost) found_.push_back(finding);
  }

  __attribute__((format(printf, 3, 4))) void bench_error(Place place, const char* form, ...) {
    if (errors_.size() == kMost) return;
    va_list arguments;
    va_start(arguments, form);
    errors_.push_back(Findings::bench_error(place, form, arguments));
    va_end(arguments);
  }

  // The next evidence has come, or none will.
  void settle(bool nothing_lost) {
    if (nothing_lost) {
      for (const Finding& finding : found_) findings_.add(finding, true);
      for (const BenchError& error : errors_) findings_.add(error);
    }
    found_.clear();
    errors_.clear();
  }

 private:
  static constexpr size_t kMost = Findings::kBenchKept;

  Findings& findings_;
  std::vector<Finding> found_;
  std::vector<BenchError> errors_;
};

}  // namespace oae
