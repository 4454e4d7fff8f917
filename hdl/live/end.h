// The model of one end with its board: its inputs, its cycles, and what it shows.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "Voae_live_top.h"
#include "calls.h"
#include "clock.h"
#include "feed.h"
#include "register_reader.h"
#include "schedule.h"
#include "verilated.h"

namespace oae {

class End {
 public:
  // How many ticks its timers have a second (0: the clock stands still), how many they should have,
  // and how many of the outside world's ticks one is.
  struct Timing {
    uint32_t hz, nominal_hz, prescale;
  };

  // Bytes on the serial line.
  std::deque<uint8_t> to_board;
  std::string from_board;

  End(const Schedule& schedule, int number, Timing timing, uint64_t entropy, Observed& observed)
      : observed_(observed),
        ticks_(timing.hz),
        prescale_(timing.prescale),
        reader_(static_cast<uint32_t>(entropy)) {
    oae::observed = &observed;
    oae::schedule = &schedule;
    const size_t block = Schedule::kFirstBlock + Schedule::kBlock * static_cast<size_t>(number);
    const uint64_t flags = schedule.word(block + kFlags), epochs = schedule.word(block + kEpochs);
    top_.next_disabled = !(flags & 1);
    top_.next_mute = !(flags & 2);
    top_.next_epoch = static_cast<uint32_t>(epochs);
    top_.next_prepared = static_cast<uint32_t>(epochs >> 32);
    top_.next_clock_hz = timing.nominal_hz;
    top_.next_entropy = entropy & ~1ull;
    top_.next_run = 1;
    top_.next_rst = 1;
    for (int at = 0; at < kResetCycles; ++at) edge();
    top_.next_rst = 0;
    edge();
    wake();
  }

  // Look at the clock; true if it was away for long.
  bool look() { return ticks_.look(); }
  bool due() const { return ticks_.due(); }
  // So many of the outside world's.
  uint64_t ticks() const { return ticks_.taken() * prescale_; }

  // Whether it is down, in crash or amnesia: it takes no frames, and ticks end that.
  bool is_down() const { return top_.next_crash || top_.next_amnesia; }

  // Whether nothing happens in it but that time goes by.
  bool quiet() const { return !patience_left_ && to_board.empty(); }

  // One cycle; without `ticking` no timer moves.
  void cycle(bool ticking) {
    Medium& medium = *observed_.feed.medium;
    offer(medium);
    top_.next_byte_valid = !to_board.empty();
    if (top_.next_byte_valid) top_.next_byte = to_board.front();
    top_.next_tick = ticking && ticks_.take();
    if (top_.moves) patience_left_ = std::max(patience_left_, kPatience);
    else if (patience_left_) --patience_left_;
    if (top_.next_byte_valid) patience_left_ = kBridgePatience;
    if (top_.answer_valid) from_board += static_cast<char>(top_.answer_byte);
    const bool is_word_taken = top_.next_word_valid && top_.next_word_ready;
    if (top_.next_byte_valid && top_.next_byte_ready) to_board.pop_front();
    edge();
    ++cycles_;
    top_.next_cancel = 0;
    if (top_.next_tick) rise();
    if (is_word_taken) taken(medium);
  }

  // --- what is demanded

  void load() {
    top_.next_load = 1;
    wake();
  }
  // For so many ticks.
  void restart(bool is_amnesia, uint32_t ticks) {
    (is_amnesia ? top_.next_amnesia : top_.next_crash) = 1;
    (is_amnesia ? amnesia_left_ : crash_left_) = (ticks - 1) / prescale_ + 1;
    wake();
  }
  // False if there is no switch of this name.
  bool demand(const std::string& name, bool value) {
    CData* input = name == "disable"            ? &top_.next_disabled
                   : name == "mute"             ? &top_.next_mute
                   : name == "refuse"           ? &top_.next_refuse
                   : name == "stall deliver"    ? &top_.next_stall_deliver
                   : name == "stall completion" ? &top_.next_stall_completion
                   : name == "stall doubt"      ? &top_.next_stall_doubt
                                                : nullptr;
    if (!input) return false;
    *input = value;
    wake();
    return true;
  }
  void cancel(uint16_t tag) {
    top_.next_cancel = 1;
    top_.next_cancel_tag = tag;
    wake();
  }
  void epochs(uint32_t epoch, uint32_t prepared) {
    top_.next_epoch = epoch;
    top_.next_prepared = prepared;
    wake();
  }

  // --- what it shows

  bool loaded() const { return top_.next_load; }
  // Whether every record of a load that has begun has its outcome.
  bool resolved() const { return top_.next_load && top_.done; }
  LinkState link() const { return static_cast<LinkState>(top_.link_state); }
  uint32_t submitted() const { return top_.submitted; }
  uint64_t cycles() const { return cycles_; }

  // The link goes down; frames that come are no longer taken.
  void stop() {
    Observed& observed = observed_;
    observed.stopped(resolved() ? kResolved : kRequested);
    top_.next_crash = top_.next_amnesia = 0;
    top_.next_run = 0;
    wake();
    while (word_) cycle(false);  // the frame that it is taking
    is_stopping_ = true;
    for (int at = 0; at < kStopCycles && !(quiet() && link() == LinkState::DOWN); ++at) cycle(false);
    read(0, kPlainRegisters);
    for (uint16_t at = 0; at < std::size(kCounters); at += RegisterReader::kMost)
      read(kFirstCounter + at, std::min<size_t>(std::size(kCounters) - at, RegisterReader::kMost));
    observed.ended();
    top_.final();
  }

 private:
  static constexpr size_t kFlags = 13, kEpochs = 14;  // EndSetting of oae.scenario.layout
  static constexpr int kResetCycles = 4, kStopCycles = 10'000;
  static constexpr uint16_t kPlainRegisters = 10, kFirstCounter = 0x40;
  static constexpr uint32_t kResolved = 0, kRequested = 3;  // StopReason of oae.scenario.layout
  // Cycles in which nothing moves and yet something is done: in the end, in its register bridge.
  static constexpr uint32_t kPatience = 24, kBridgePatience = 1024;

  void wake() { patience_left_ = kPatience; }

  // Registers into the evidence.
  void read(uint16_t address, size_t count) {
    for (const char byte : reader_.request(address, static_cast<uint8_t>(count)))
      to_board.push_back(static_cast<uint8_t>(byte));
    from_board.clear();
    std::optional<std::vector<uint32_t>> values;
    for (int at = 0; at < kStopCycles && !(values = reader_.answer(from_board)); ++at) cycle(false);
    if (!values) return;
    for (const uint32_t value : *values) observed_.read(0, static_cast<uint8_t>(address++), value);
  }

  void edge() {
    top_.clk = 1;
    top_.eval();
    top_.clk = 0;
    top_.eval();
  }

  // The next word of the frame that waits.
  void offer(const Medium& medium) {
    top_.next_word_valid = medium.waits() && !is_stopping_;
    if (!top_.next_word_valid) return;
    const Medium::Received frame = medium.first();
    const uint32_t left = frame.size - 8 * word_;
    uint64_t data = 0;
    std::memcpy(&data, frame.bytes + 8 * word_, std::min(left, 8u));
    top_.next_word = data;
    top_.next_last = left <= 8;
    top_.next_keep = left >= 8 ? 0xff : 0xff >> (8 - left);
  }
  void taken(Medium& medium) {
    ++word_;
    if (!top_.next_last) return;
    const Medium::Received frame = medium.first();
    observed_.feed.latency.received(frame.bytes, frame.size, frame.time);
    medium.taken();
    word_ = 0;
  }

  // A restart lasts so many ticks.
  void rise() {
    if (top_.next_crash && --crash_left_ == 0) top_.next_crash = 0;
    if (top_.next_amnesia && --amnesia_left_ == 0) top_.next_amnesia = 0;
  }

  VerilatedContext context_;
  Voae_live_top top_{&context_};
  Observed& observed_;
  Ticks ticks_;
  const uint32_t prescale_;
  RegisterReader reader_;
  uint32_t crash_left_ = 0, amnesia_left_ = 0;
  uint32_t word_ = 0;  // of the frame that is being taken
  uint32_t patience_left_ = 0;  // until it is quiet
  uint64_t cycles_ = 0;
  bool is_stopping_ = false;
};

}  // namespace oae
