// The durable store of a domain's parts: a write takes some time, and a crash before its end leaves
// nothing of it.
#pragma once
#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include "medium.h"
#include "job.h"

namespace oae {

class Store {
 public:
  // It keeps the newest `retain` parts. A store that lies says "durable" at once.
  Store(const Job& job, size_t domain)
      : flush_(job.flushes[domain]), retain_(job.retain), lies_(job.lies),
        chance_(uint64_t{job.seed} << 16 | domain << 8 | 0xff), parts_{{0, job.values[domain]}} {}

  // The domain wants this part durable: whether it is told so in this cycle.
  bool write(uint64_t cycle, uint32_t number, uint32_t value) {
    if (asked_ != number) {
      asked_ = number;
      const uint64_t due = cycle + flush_.least + chance_.below(flush_.most - flush_.least + 1);
      writes_.push_back({number, value, due});
    }
    return lies_ || parts_.contains(number);
  }

  // Once a cycle, after write(): what becomes durable is told in the next one, and a crash may come
  // in between.
  void step(uint64_t cycle) {
    for (auto write = writes_.begin(); write != writes_.end();) {
      if (write->due > cycle) {
        ++write;
        continue;
      }
      ++changes_;
      parts_[write->number] = write->value;
      newest_ = std::max(newest_, write->number);
      write = writes_.erase(write);
      while (parts_.size() > retain_) parts_.erase(parts_.begin());
    }
  }

  void crash() {
    writes_.clear();
    asked_ = 0;
  }
  void lose() {
    parts_.clear();
    ++changes_;
  }
  // The part keeps the number under which it was made; newer ones are discarded. False, and nothing
  // changes, if it is neither here nor given.
  bool restore(const Restore& restore) {
    std::map<uint32_t, uint32_t> parts = parts_;
    for (const Part& part : restore.given) parts[part.number] = part.value;
    if (!parts.contains(restore.found)) return false;
    crash();
    ++changes_;
    parts.erase(parts.upper_bound(restore.found), parts.end());
    parts_ = std::move(parts);
    newest_ = std::max(newest_, restore.number);
    return true;
  }

  const std::map<uint32_t, uint32_t>& parts() const { return parts_; }
  uint32_t newest() const { return newest_; }
  uint64_t changes() const { return changes_; }

 private:
  struct Write {
    uint32_t number, value;
    uint64_t due;
  };
  const Flush flush_;
  const size_t retain_;
  const bool lies_;
  Chance chance_;
  std::map<uint32_t, uint32_t> parts_;  // by number
  std::vector<Write> writes_;           // under way
  uint32_t asked_ = 0;                  // number of the last write begun since the last crash
  uint64_t changes_ = 0;                // of the parts
  uint32_t newest_ = 0;                 // the highest number that has ever been durable
};

}  // namespace oae
