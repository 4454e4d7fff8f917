// Fault rules that fired and whose effect is not seen: such a rule may hold up a host.
#pragma once
#include <cstddef>
#include <cstdint>

namespace oae {

class HiddenRules {
 public:
  bool any() const { return count_ != 0; }

  void fired(uint64_t cycle, uint32_t number) {
    const bool is_seen = has_effect_ && cycle - effect_cycle_ <= kNear;
    if (!is_seen && count_ < kMost) rules_[count_++] = {cycle, number};
  }

  // Something happened that a rule near here does.
  void effect(uint64_t cycle) {
    has_effect_ = true;
    effect_cycle_ = cycle;
    drop([&](const Rule& rule) { return cycle - rule.cycle <= kNear; });
  }

  // The rule did something to a frame.
  void struck(uint32_t number) {
    drop([&](const Rule& rule) { return rule.number == number; });
  }

 private:
  static constexpr uint64_t kNear = 16;  // cycles between a rule that is told and its effect
  static constexpr size_t kMost = 256;

  struct Rule {
    uint64_t cycle;
    uint32_t number;
  };

  template <class Is>
  void drop(Is is) {
    size_t left = 0;
    for (size_t at = 0; at < count_; ++at)
      if (!is(rules_[at])) rules_[left++] = rules_[at];
    count_ = left;
  }

  Rule rules_[kMost];
  size_t count_ = 0;
  bool has_effect_ = false;
  uint64_t effect_cycle_ = 0;
};

}  // namespace oae
