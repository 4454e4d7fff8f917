// What must hold in every cycle of a run, and what is counted.
#pragma once
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "node.h"
#include "oae_defs.h"
#include "store.h"

namespace oae {

class Watch {
 public:
  explicit Watch(size_t domains) : lanes_(domains * Node::kLinks) {}

  uint64_t opened = 0;              // records with data
  uint64_t delivered = 0;           // of them
  uint64_t crossed = 0;             // delivered under another epoch than the one they were opened under
  uint64_t refused = 0;             // by the end, because of the epoch
  uint64_t not_prepared = 0;        // advances refused because the part is not durable
  std::vector<uint64_t> converged;  // {cycle, number}: all ends have converged on it
  std::vector<std::string> findings;

  // The end that `lane` of domain `at` leads to is link `peer_link` of domain `peer`.
  void lane(uint64_t cycle, size_t at, int link, size_t peer, int peer_link, const Node& here,
            const Node& there) {
    if (const uint64_t word = here.initiator(link)) {
      if (code(word) == EventCode::OPENED) {
        lanes_[place(at, link)][id(word)] = here.epoch(link);
        if (info(word) == static_cast<uint8_t>(Kind::DATA)) ++opened;
      }
    }
    if (const uint64_t word = there.responder(peer_link)) {
      if (code(word) == EventCode::DELIVERED) {
        if (info(word) == static_cast<uint8_t>(Kind::DATA)) ++delivered;
        const auto sent = lanes_[place(at, link)].find(id(word));
        if (sent == lanes_[place(at, link)].end() || sent->second != there.epoch(peer_link)) {
          ++crossed;
          find(cycle, peer, "delivers a record of another epoch");
        }
      } else if (code(word) == EventCode::REFUSED) {
        refused += info(word) == static_cast<uint8_t>(AbortReason::EPOCH);
        not_prepared += info(word) == static_cast<uint8_t>(AbortReason::NOT_PREPARED);
      }
    }
  }

  // An end of the link from domain `at` to the next has converged on this number.
  void converged_on(uint64_t cycle, size_t at, uint32_t number, const Store& a, const Store& b) {
    if (number > std::min(a.newest(), b.newest()))
      find(cycle, at, "has a link that converged before both parts were durable");
  }

  // Domain `at` and the next are neighbours.
  void apart(uint64_t cycle, size_t at, Node& a, Node& b) {
    const uint32_t one = a.top().prepared, other = b.top().prepared;
    const bool are_of_one_incarnation = one >> 16 == other >> 16;
    if (a.top().holds && b.top().holds && are_of_one_incarnation && (one + 1 < other || other + 1 < one))
      find(cycle, at, "is more than one epoch apart from the next");
  }

  // The least number that any end has converged on.
  void least(uint64_t cycle, uint32_t number) {
    if (number <= least_) return;
    least_ = number;
    converged.push_back(cycle);
    converged.push_back(number);
  }

 private:
  static constexpr size_t kMost = 20;

  static EventCode code(uint64_t word) { return static_cast<EventCode>(word >> 56); }
  static uint8_t info(uint64_t word) { return static_cast<uint8_t>(word >> 32); }
  static uint32_t id(uint64_t word) { return static_cast<uint32_t>(word); }
  static size_t place(size_t at, int link) { return at * Node::kLinks + static_cast<size_t>(link); }

  void find(uint64_t cycle, size_t domain, const char* what) {
    if (findings.size() < kMost)
      findings.push_back("cycle " + std::to_string(cycle) + ": domain " + std::to_string(domain) +
                         " " + what);
  }

  std::vector<std::unordered_map<uint32_t, uint32_t>> lanes_;  // epoch of each record opened, by id
  uint32_t least_ = 0;
};

}  // namespace oae
