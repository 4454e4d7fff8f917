// What happens in a run, as oae_trace.sv tells it call by call: counted, given to the feed as frames and
// evidence, and put into the trace if there is to be one.
//
// The feed is the program's own: here it is the checker, at a live end (hdl/live) medium and capture.
// It also says which cycle comes next, and which end it is that the Verilog counts as 0.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include <feed.h>

#include "schedule.h"
#include "trace_text.h"

namespace oae {

class Observed {
 public:
  static constexpr int kEnds = 2;
  static constexpr uint32_t kNoRule = 255;  // in Verilog; in a capture all ones

  Feed feed;
  std::optional<TraceText> text;
  uint64_t cycle = ~0ull, before = 0;    // now, and the one before
  std::string stop;                      // why the run ended
  uint64_t stopped_at = 0;               // cycle of the stop
  std::array<uint64_t, 16> faults{};     // frames that each fault struck, by bit
  std::array<uint64_t, 64> rules{};      // how often each fired
  std::vector<uint32_t> fired;           // these rules, the one that fired last at the end
  std::vector<size_t> left;              // places of fates whose frames have not come
  std::array<uint64_t, kEnds> cuts{};    // of the direction away from each end
  std::string upsets;                    // what each flipped bit was before
  std::array<std::array<uint32_t, 256>, kEnds> registers{};  // by address, after the run

  void next_cycle() {
    before = cycle;
    cycle = feed.next(cycle);
  }

  void parameter(const std::string& name, int end, uint64_t value, int digits) {
    std::string full = name;
    if (end >= 0) full += {'.', static_cast<char>('a' + feed.number(end))};
    std::string number;
    for (int at = digits - 1; at >= 0; --at) number += "0123456789abcdef"[value >> 4 * at & 15];
    if (!digits) number = std::to_string(value);
    if (text) text->parameter(full, number);
    parameter_packet(full + '=' + number);
    if (name == "rules") parameter_packet("cycle_ns=" + std::to_string(Feed::kCycleNs));
  }

  // The fates of the schedule, in its order: names of frames.
  void wait_for(std::vector<uint64_t> fates) {
    fates_ = std::move(fates);
    left.resize(fates_.size());
    std::iota(left.begin(), left.end(), size_t{0});
  }

  void event(int end, int channel, uint64_t word) {
    // Taken by the edge before.
    if (text) text->line(before, end, "event").decimal(channel).hex(word, 16).end();
    auto packet = feed.evidence(Evidence::STEP, end, before, static_cast<uint8_t>(channel));
    feed.take(packet.number<8>(word), before);
  }

  void config(int end, bool enable, bool beats, bool accept, uint64_t session, uint32_t epoch,
              uint32_t prepared) {
    if (text) {
      text->line(cycle, end, "config").decimal(enable).decimal(beats).decimal(accept);
      text->hex(session, 16).decimal(epoch).decimal(prepared).end();
    }
    auto packet = feed.evidence(Evidence::CONFIG, end, cycle);
    packet.number<1>(enable).number<1>(beats).number<1>(accept).number<8>(session);
    feed.take(packet.number<4>(epoch).number<4>(prepared), cycle);
  }

  void status(int end, int link_state, bool incoming, bool outgoing, bool changing, uint32_t epoch,
              uint32_t converged, int initiator_balance, int responder_balance) {
    if (text) {
      text->line(cycle, end, "status").decimal(link_state).decimal(incoming).decimal(outgoing);
      text->decimal(changing).decimal(epoch).decimal(converged);
      text->decimal(initiator_balance).decimal(responder_balance).end();
    }
    auto packet = feed.evidence(Evidence::STATUS, end, cycle);
    packet.number<1>(link_state).number<1>(incoming).number<1>(outgoing).number<1>(changing);
    packet.number<4>(epoch).number<4>(converged);
    feed.take(packet.number<1>(initiator_balance).number<1>(responder_balance), cycle);
  }

  void cut(int end, bool is_cut) {
    cuts[end] += is_cut;
    if (text) text->line(cycle, end, "cut").decimal(is_cut).end();
    feed.take(feed.evidence(Evidence::CUT, end, cycle).number<1>(is_cut), cycle);
  }

  void power(int end, bool is_crash, bool is_amnesia) {
    if (text) text->line(cycle, end, "power").decimal(is_crash).decimal(is_amnesia).end();
    auto packet = feed.evidence(Evidence::POWER, end, cycle);
    feed.take(packet.number<1>(is_crash).number<1>(is_amnesia), cycle);
  }

  void rule(uint32_t number) {
    ++rules[number % rules.size()];
    std::erase(fired, number);
    fired.push_back(number);
    if (text) text->line(cycle, -1, "rule").decimal(number).end();
    feed.take(feed.evidence(Evidence::RULE, -1, cycle).number<4>(number), cycle);
  }

  void stopped(uint32_t reason) {
    constexpr const char* kReasons[] = {"resolved", "cycles", "stalled", "requested"};
    stop = kReasons[reason & 3];
    stopped_at = cycle;
    if (text) text->line(cycle, -1, "stop").word(stop).end();
    feed.take(feed.evidence(Evidence::STOP, -1, cycle).tail(stop.data(), stop.size()), cycle);
  }

  void read(int end, uint8_t address, uint32_t value) {
    registers[end][address] = value;
    if (text) text->line(cycle, end, "register").hex(address, 2).hex(value, 8).end();
    auto packet = feed.evidence(Evidence::REGISTER, end, cycle);
    feed.take(packet.number<1>(address).number<4>(value), cycle);
  }

  void restart(int end) {
    for (int at = 0; at < kStreams; ++at) streams_[kStreams * end + at].broken = true;
  }

  void beat(int stream, uint64_t data) {
    Open& open = streams_[stream];
    if (!open.words) {
      open.first = cycle;
      open.broken = false;
    }
    open.last = data;
    // As many words as the trace keeps of a packet, and its last one.
    if (open.words < kWords) std::memcpy(open.bytes + 8 * open.words++, &data, 8);
  }

  void packet(int stream, uint32_t keep, bool user, uint32_t argument) {
    Open& open = streams_[stream];
    const int end = stream / kStreams;
    size_t size = 8 * (open.words - 1);
    for (int at = 0; at < 8; ++at)
      if (keep >> at & 1) open.bytes[size++] = static_cast<uint8_t>(open.last >> 8 * at);
    switch (stream % kStreams) {
      case kSubmit:
        submitted(end, open, size, user, static_cast<uint16_t>(argument >> 16),
                  static_cast<uint8_t>(argument));
        break;
      case kDeliver:
        delivered(end, open, size, user, argument);
        break;
      default: {
        const bool is_received = stream % kStreams == kReceive;
        const uint32_t number = is_received ? argument : transmitted_[end]++;
        if (text) {
          text->line(cycle, end, is_received ? "receive" : "transmit").decimal(number);
          text->decimal(open.first).decimal(user).decimal(open.broken).bytes(open.bytes, size).end();
        }
        feed.frame(end, is_received, number, user, open.bytes, static_cast<uint32_t>(size), cycle);
      }
    }
    open.words = 0;
  }

  void complete(int end, uint16_t tag, uint32_t id, uint8_t kind, uint8_t outcome, uint8_t reason) {
    if (text) {
      text->line(cycle, end, "complete").decimal(tag).decimal(id).decimal(kind);
      text->decimal(outcome).decimal(reason).end();
    }
    auto packet = feed.evidence(Evidence::COMPLETE, end, cycle);
    packet.number<4>(id).number<2>(tag).number<1>(kind).number<1>(outcome).number<1>(reason);
    feed.take(packet, cycle);
  }

  void doubt(int end, uint32_t id, uint32_t digest) {
    if (text) text->line(cycle, end, "doubt").decimal(id).hex(digest, 8).end();
    feed.take(feed.evidence(Evidence::DOUBT, end, cycle).number<4>(id).number<4>(digest), cycle);
  }

  void cancel(int end, uint16_t tag) {
    if (text) text->line(cycle, end, "cancel").decimal(tag).end();
    feed.take(feed.evidence(Evidence::CANCEL, end, cycle).number<2>(tag), cycle);
  }

  void fate(int end, uint32_t number, uint8_t operation, uint32_t id, uint16_t copy, uint16_t struck,
            uint32_t rule) {
    if (text) {
      text->line(cycle, end, "fate").decimal(number).decimal(operation).decimal(id).decimal(copy);
      text->hex(struck, 4).word(rule == kNoRule ? "-" : std::to_string(rule)).end();
    }
    if (!fates_.empty()) came(Schedule::frame(end, operation, copy, id));
    if (!struck) return;
    for (size_t bit = 0; bit < faults.size(); ++bit) faults[bit] += struck >> bit & 1;
    auto packet = feed.evidence(Evidence::FATE, end, cycle);
    packet.number<4>(number).number<1>(operation).number<4>(id).number<4>(copy).number<2>(struck);
    feed.take(packet.number<2>(rule == kNoRule ? 0xffff : rule), cycle);
  }

  void ended() {
    if (text) text->line(cycle, -1, "end").end();
    feed.take(feed.evidence(Evidence::END, -1, cycle), cycle);
  }

 private:
  enum Stream { kSubmit, kDeliver, kReceive, kTransmit, kStreams };
  static constexpr size_t kWords = 256;

  // A packet that has not come to its end.
  struct Open {
    uint8_t bytes[8 * kWords + 8];
    uint64_t last;
    size_t words = 0;
    uint64_t first = 0;
    bool broken = false;
  };

  // They stand in rising order.
  void came(uint64_t frame) {
    const auto found = std::lower_bound(fates_.begin(), fates_.end(), frame);
    if (found == fates_.end() || *found != frame) return;
    const auto place = static_cast<size_t>(found - fates_.begin());
    const auto waiting = std::lower_bound(left.begin(), left.end(), place);
    if (waiting != left.end() && *waiting == place) left.erase(waiting);
  }

  void parameter_packet(const std::string& named) {
    feed.take(feed.evidence(Evidence::PARAMETER, -1, 0).tail(named.data(), named.size()), 0);
  }

  void submitted(int end, const Open& open, size_t size, bool user, uint16_t tag, uint8_t kind) {
    if (text) {
      text->line(cycle, end, "submit").decimal(open.first).decimal(user).decimal(open.broken);
      text->decimal(tag).decimal(kind).bytes(open.bytes, size).end();
    }
    auto packet = feed.evidence(Evidence::SUBMIT, end, cycle);
    packet.number<8>(open.first).number<2>(tag).number<1>(kind).number<1>(flags(user, open.broken));
    feed.take(packet.tail(open.bytes, size), cycle);
  }

  void delivered(int end, const Open& open, size_t size, bool user, uint32_t id) {
    if (text) {
      text->line(cycle, end, "deliver").decimal(open.first).decimal(user).decimal(open.broken);
      text->decimal(id).bytes(open.bytes, size).end();
    }
    auto packet = feed.evidence(Evidence::DELIVER, end, cycle);
    packet.number<8>(open.first).number<4>(id).number<1>(flags(user, open.broken));
    feed.take(packet.tail(open.bytes, size), cycle);
  }

  static uint8_t flags(bool user, bool broken) { return static_cast<uint8_t>(user | broken << 1); }

  std::vector<uint64_t> fates_;
  Open streams_[kEnds * kStreams];
  uint32_t transmitted_[kEnds] = {};
};

}  // namespace oae
