// Compares the frames that reached an end with those that were sent: a medium may alter a frame only
// where it says so, and carries none that was not sent before.
#pragma once
#include "book.h"
#include "packet.h"

namespace oae {

class Medium {
 public:
  explicit Medium(Book& book) : book_(book) {}

  void restart() {
    for (int end = 0; end < 2; ++end) {
      for (Sent& sent : sent_[end]) sent.is = false;
      next_[end] = 0, is_whole_[end] = true;
      earliest_[end].is = false;
    }
  }

  // `complete`: all its bytes were captured.
  void sent(int end, const Packet& packet, const uint8_t* bytes, uint32_t size, bool complete) {
    if (!(packet.flags & NUMBERED)) return;
    const uint32_t number = static_cast<uint32_t>(packet.number);
    Early& early = earliest_[end];
    const bool was_early = early.is && static_cast<int32_t>(early.number - number) >= 0;
    if (was_early && early.place.time < packet.time) {
      book_.findings.bench_error(early.place, "frame %u of end %c was received before it was sent",
                                 early.number, name(end));
      early.is = false;
    }
    if (number != next_[end]) is_whole_[end] = false;
    next_[end] = number + 1;
    sent_[end][number % kMemory] = {complete ? content_hash(bytes, size) : 0, packet.time, number,
                                    true, !complete};
  }

  void altered(int end, uint32_t number) {
    Sent& sent = sent_[end][number % kMemory];
    if (sent.is && sent.number == number) sent.altered = true;
  }

  // A frame of `end` that reached its peer. What is wrong waits until it is known that no evidence was
  // lost before it, which might have said that the frame was altered.
  void received(int end, const Packet& packet, const uint8_t* bytes, uint32_t size, bool complete,
                Place place) {
    if (!(packet.flags & NUMBERED)) return;
    const uint32_t number = static_cast<uint32_t>(packet.number);
    const Sent& sent = sent_[end][number % kMemory];
    if (sent.is && sent.number == number) {
      if (place.time < sent.time && book_.has_evidence)
        book_.findings.bench_error(place, "frame %u of end %c was received before it was sent", number,
                                   name(end));
      if (complete && !sent.altered && sent.hash != content_hash(bytes, size))
        book_.awaiting.bench_error(place, "frame %u of end %c was received other than it was sent",
                                   number, name(end));
    } else if (sent.is && is_whole_[end] && static_cast<int32_t>(number - sent.number) < 0) {
      book_.awaiting.bench_error(place, "frame %u of end %c is not among the %u that were sent last",
                                 number, name(end), kMemory);
    } else if (book_.has_evidence && static_cast<int32_t>(number - next_[end]) >= 0) {
      Early& early = earliest_[end];
      if (!early.is || static_cast<int32_t>(number - early.number) > 0) early = {place, number, true};
    }
  }

  // All frames of an end are known, and so many they are.
  void finish(int end, uint32_t frames) {
    const Early& early = earliest_[end];
    if (early.is && static_cast<int32_t>(early.number - frames) >= 0)
      book_.findings.bench_error(early.place, "frame %u of end %c was received and never sent",
                                 early.number, name(end));
  }

 private:
  static constexpr uint32_t kMemory = 512;

  struct Sent {
    uint64_t hash, time;
    uint32_t number;
    bool is, altered;
  };
  // A frame that was received and not yet sent, the one of the highest number.
  struct Early {
    Place place;
    uint32_t number;
    bool is;
  };

  static char name(int end) { return end ? 'b' : 'a'; }

  Book& book_;
  Sent sent_[2][kMemory] = {};
  Early earliest_[2] = {};
  uint32_t next_[2] = {};
  bool is_whole_[2] = {true, true};
};

}  // namespace oae
