// Compares the frames that reached an end with those that were sent: a medium may alter a frame only
// where it says so.
#pragma once
#include "book.h"
#include "packet.h"

namespace oae {

class Medium {
 public:
  explicit Medium(Findings& findings) : findings_(findings) {}

  void sent(int end, const Packet& packet, const uint8_t* bytes, uint32_t size) {
    if (!(packet.flags & NUMBERED)) return;
    const uint32_t number = static_cast<uint32_t>(packet.number);
    if (number != next_[end]) is_whole_[end] = false;
    next_[end] = number + 1;
    sent_[end][number % kMemory] = {content_hash(bytes, size), number, true, false};
  }

  void altered(int end, uint32_t number) {
    Sent& sent = sent_[end][number % kMemory];
    if (sent.is && sent.number == number) sent.altered = true;
  }

  // A frame of `end` that reached its peer. What is wrong is held back until it is known that no
  // evidence was lost before it, which might have said that the frame was altered.
  void received(int end, const Packet& packet, const uint8_t* bytes, uint32_t size, Place place) {
    if (!(packet.flags & NUMBERED)) return;
    const uint32_t number = static_cast<uint32_t>(packet.number);
    const Sent& sent = sent_[end][number % kMemory];
    if (sent.is && sent.number == number) {
      if (!sent.altered && sent.hash != content_hash(bytes, size))
        suspect(end, number, place, false);
    } else if (sent.is && is_whole_[end] && static_cast<int32_t>(number - sent.number) < 0) {
      suspect(end, number, place, true);
    }
  }

  // The next evidence has come, or none will.
  void settle(bool nothing_lost) {
    if (suspects_.empty()) return;
    if (nothing_lost)
      for (const Suspect& suspect : suspects_) {
        const char end = suspect.end ? 'b' : 'a';
        if (suspect.old)
          findings_.bench_error(suspect.place,
                                "frame %u of end %c is not among the %u that were sent last",
                                suspect.number, end, kMemory);
        else
          findings_.bench_error(suspect.place,
                                "frame %u of end %c was received other than it was sent",
                                suspect.number, end);
      }
    suspects_.clear();
  }

 private:
  static constexpr uint32_t kMemory = 512;
  static constexpr size_t kSuspects = Findings::kBenchKept;

  struct Sent {
    uint64_t hash;
    uint32_t number;
    bool is, altered;
  };
  struct Suspect {
    Place place;
    uint32_t number;
    int end;
    bool old;
  };

  void suspect(int end, uint32_t number, Place place, bool old) {
    if (suspects_.size() < kSuspects) suspects_.push_back({place, number, end, old});
  }

  Findings& findings_;
  Sent sent_[2][kMemory] = {};
  uint32_t next_[2] = {};
  bool is_whole_[2] = {true, true};
  std::vector<Suspect> suspects_;
};

}  // namespace oae
