// Domains in a ring: link k joins domain k with the next one. One clock, which nothing in the
// protocol looks at.
#pragma once
#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "medium.h"
#include "job.h"
#include "node.h"
#include "store.h"
#include "verilated.h"
#include "watch.h"

namespace oae {

class Ring {
 public:
  explicit Ring(const Job& job) : watch(job.domains()), job_(job), cuts_(job.domains()) {
    for (size_t at = 0; at < job.domains(); ++at) {
      domains_.emplace_back(context_, job, at);
      for (int link = 0; link < Node::kLinks; ++link) {
        const uint64_t seed = uint64_t{job.seed} << 16 | at << 8 | static_cast<uint64_t>(link);
        media_.emplace_back(job.rates, seed);
      }
      Voae_epoch_node& top = domains_.back().node.top();
      top.cfg_value = job.values[at];
      top.cfg_chatter = job.chatters;
      draw_sessions(at);
    }
  }

  Watch watch;
  uint64_t cycle = 0;
  std::vector<uint64_t> snapshots;  // after each change of what recovery can find

  void take(const Decision& decision) {
    for (const Promise& promise : decision.promises) {
      Voae_epoch_node& top = domains_[promise.domain].node.top();
      top.promise_valid = 1;
      top.promise_incarnation = static_cast<uint16_t>(promise.incarnation);
    }
    restores_.insert(restores_.end(), decision.restores.begin(), decision.restores.end());
  }

  bool has_reached(const Numbers& goals) {
    for (size_t at = 0; at < goals.size(); ++at)
      if (domains_[at].node.top().prepared < goals[at]) return false;
    return true;
  }

  void step() {
    play_faults();
    play_restores();
    const size_t ports = media_.size();
    std::vector<Beat> offered(ports);
    for (size_t at = 0; at < domains_.size(); ++at) {
      Domain& domain = domains_[at];
      Voae_epoch_node& top = domain.node.top();
      top.rst = cycle < kReset;
      top.crash = domain.is_down && !domain.is_losing;
      top.amnesia = domain.is_down && domain.is_losing;
      top.part_durable = !domain.is_down && !top.rst && top.part_valid &&
                         domain.store.write(cycle, top.part_number, top.part_value);
      for (int link = 0; link < Node::kLinks; ++link) {
        const bool is_lost = domain.is_down || cuts_[link_at(at, link)];
        Beat& beat = offered[place(at, link)];
        beat = media_[place(next(at, link), 1 - link)].offer(cycle, is_lost);
        domain.node.receive(link, beat);
      }
      domain.node.settle();
      for (int link = 0; link < Node::kLinks; ++link) {
        if (offered[place(at, link)].is_valid && domain.node.is_ready(link))
          media_[place(next(at, link), 1 - link)].taken();
        const Beat beat = domain.node.sent(link);
        if (beat.is_valid) sent_.push_back({place(at, link), link_at(at, link), beat});
      }
    }
    for (const Sent& sent : sent_) media_[sent.place].take(sent.beat, cycle, cuts_[sent.link]);
    sent_.clear();
    for (Domain& domain : domains_) {
      domain.node.edge();
      domain.node.top().promise_valid = 0;
      domain.node.top().restore_valid = 0;
      domain.store.step(cycle);
    }
    observe();
    ++cycle;
  }

  // What the software of recovery finds: cycle; for each domain {up, crashed since it was restored,
  // holds, promised, prepared, parts, {number, value} of each}; for each link whether it is cut.
  std::vector<uint64_t> state() {
    std::vector<uint64_t> found{cycle};
    for (Domain& domain : domains_) {
      const Voae_epoch_node& top = domain.node.top();
      const auto& parts = domain.store.parts();
      found.insert(found.end(), {!domain.is_down, domain.has_crashed, top.holds, top.promised,
                                 top.prepared, parts.size()});
      for (const auto& [number, value] : parts) found.insert(found.end(), {number, value});
    }
    found.insert(found.end(), cuts_.begin(), cuts_.end());
    return found;
  }

 private:
  struct Domain {
    Domain(VerilatedContext& context, const Job& job, size_t at) : node(context), store(job, at) {}
    Node node;
    Store store;
    bool is_down = false, is_losing = false, has_crashed = false;
    uint32_t life = 0;
    uint32_t members = 3;    // links that are not given up, a bit each
    uint64_t changes = 0;  // of the store, as last seen
  };
  struct Sent {
    size_t place, link;
    Beat beat;
  };
  static constexpr uint64_t kReset = 4;

  static size_t place(size_t at, int link) { return at * Node::kLinks + static_cast<size_t>(link); }
  size_t next(size_t at, int link) const {
    return (at + (link ? 1 : domains_.size() - 1)) % domains_.size();
  }
  size_t link_at(size_t at, int link) const { return link ? at : next(at, 0); }

  // The host draws a session for each life of an end.
  void draw_sessions(size_t at) {
    Domain& domain = domains_[at];
    Chance chance(uint64_t{job_.seed} << 32 | at << 16 | domain.life);
    for (int link = 0; link < Node::kLinks; ++link) {
      const uint64_t high = chance.below(UINT32_MAX);
      domain.node.session(link, high << 32 | chance.below(UINT32_MAX) | 1);
    }
  }

  void play_faults() {
    for (const Kill& kill : job_.kills) {
      Domain& domain = domains_[kill.domain];
      if (kill.cycle == cycle) {
        domain.is_down = domain.has_crashed = is_changed_ = true;
        domain.is_losing = kill.is_loss;
        domain.store.crash();
        if (kill.is_loss) {
          domain.store.lose();
          ++domain.life;
          draw_sessions(kill.domain);
        }
      } else if (kill.up == cycle) {
        domain.is_down = false;
        is_changed_ = true;
      }
    }
    for (const Cut& cut : job_.cuts)
      if (cut.cycle == cycle || cut.up == cycle) {
        cuts_[cut.link] = cut.cycle == cycle;
        is_changed_ = true;
      }
  }

  // A domain that has promised more, or is down, does not follow the decision.
  void play_restores() {
    for (const Restore& restore : restores_) {
      if (restore.cycle != cycle) continue;
      Domain& domain = domains_[restore.domain];
      Voae_epoch_node& top = domain.node.top();
      const bool hears = !domain.is_down && top.promised == restore.number >> 16;
      if (!hears || !domain.store.restore(restore)) continue;
      domain.has_crashed = false;
      top.restore_valid = 1;
      top.restore_number = restore.number;
      top.restore_value = domain.store.parts().at(restore.found);
      top.restore_members = static_cast<uint8_t>(restore.members);
      domain.members = restore.members;
    }
  }

  void observe() {
    uint32_t least = UINT32_MAX;
    for (size_t at = 0; at < domains_.size(); ++at) {
      Domain& here = domains_[at];
      Domain& there = domains_[next(at, 1)];
      watch.lane(cycle, at, 1, next(at, 1), 0, here.node, there.node);
      watch.lane(cycle, next(at, 1), 0, at, 1, there.node, here.node);
      const uint32_t converged = here.node.converged(1), other = there.node.converged(0);
      watch.converged_on(cycle, at, std::max(converged, other), here.store, there.store);
      if (here.members & 2 && there.members & 1) watch.apart(cycle, at, here.node, there.node);
      least = std::min({least, converged, other});
      is_changed_ |= here.changes != here.store.changes();
      here.changes = here.store.changes();
    }
    watch.least(cycle, least);
    if (!is_changed_) return;
    is_changed_ = false;
    const std::vector<uint64_t> found = state();
    snapshots.insert(snapshots.end(), found.begin(), found.end());
  }

  const Job& job_;
  VerilatedContext context_;
  std::deque<Domain> domains_;
  std::vector<Medium> media_;  // away from each end
  std::vector<char> cuts_;
  std::vector<Restore> restores_;
  std::vector<Sent> sent_;
  bool is_changed_ = true;
};

}  // namespace oae
