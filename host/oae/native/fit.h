// Do evidence and frames fit? Every frame that left an end has the step SENT that tells of it, every
// frame that reached one has its verdict, and the other way round. Where they do not, one of the two
// was changed since. With any evidence missing nothing is said (Awaiting).
#pragma once
#include "book.h"
#include "frame.h"
#include "packet.h"

namespace oae {

class Fit {
 public:
  explicit Fit(Book& book) : book_(book) {}

  void restart() {
    for (End& end : ends_) end = End{};
  }

  // The end restarts: what waits to be sent, or for a verdict, is lost; a frame that is on its way out
  // or in may still be told by one side alone.
  void restarted(int at) {
    End& end = ends_[at];
    end.cut = end.is_known && end.count ? end.front() : Coordinates{kAny, 0};
    end.forget();
    end.is_known = true;
    end.has_restarted = end.is_excused = true;
  }

  void forged(int receiver) { ends_[receiver].is_forged = true; }

  // ------------------------------------------------------------------ frames that leave

  void step_sent(int at, uint8_t operation, uint32_t value) {
    End& end = ends_[at];
    if (!end.is_known) return;
    if (end.count == kOwed) return lose_track(end);
    const bool is_beat = operation == static_cast<uint8_t>(Operation::NOP);
    end.owed[(end.first + end.count++) % kOwed] = {operation, is_beat ? value & kBeat : value};
  }

  void transmitted(int at, const Packet& packet, const Frame& frame, Place place) {
    End& end = ends_[at];
    if (!(packet.flags & NUMBERED)) return lose_track(end);
    const uint32_t number = static_cast<uint32_t>(packet.number);
    const int32_t ahead = static_cast<int32_t>(number - end.next);
    if (ahead < 0) return;  // heard again
    end.next = number + 1;
    end.is_whole &= ahead == 0;
    end.has_transmitted = true;
    if (ahead > 0) {
      if (end.has_restarted || static_cast<uint32_t>(ahead) > end.count)
        lose_track(end);  // it is not known how many of the steps the missing frames take
      else
        end.drop(static_cast<uint32_t>(ahead));
    }
    // The frame that was missing is not the one before this.
    if (end.unsent.is && end.is_whole)
      book_.awaiting.bench_error(end.unsent.place, "evidence and frames do not fit: end %c tells of a "
                                 "frame that was never sent", name(1 - at));
    end.unsent.is = false;
    const bool has_restarted = end.has_restarted;
    end.has_restarted = false;
    if (packet.flags & BAD) return;  // closed by a restart
    const Coordinates seen = coordinates(frame);
    const bool is_readable = static_cast<FrameVerdict>(frame.verdict) == FrameVerdict::RECEIVED;
    end.is_whole &= is_readable;
    end.sent[number % kSent] = seen;
    if (!end.is_known) return;
    const bool is_short = static_cast<FrameVerdict>(frame.verdict) == FrameVerdict::INCOMPLETE;
    if (end.count && (is_short || (is_readable && end.front().is(seen)))) return end.drop(1);
    if (has_restarted && (is_short || (is_readable && end.cut.is(seen)))) return;
    book_.awaiting.bench_error(place, "evidence and frames do not fit: end %c sent frame %u, and no "
                               "step tells of it", name(at), number);
    lose_track(end);
  }

  // ------------------------------------------------------------------ frames that arrive

  // A well-formed frame reached an end.
  void received(int at, const Frame& frame, Place place) {
    End& end = ends_[at];
    unheard(at);
    end.waiting = {coordinates(frame), place, true};
  }

  // The end told what it made of the frame that reached it last.
  void verdict(int at, EventCode code, uint8_t operation, uint32_t value, Place place) {
    End& end = ends_[at];
    const bool is_beat = operation == static_cast<uint8_t>(Operation::NOP);
    const Coordinates told{operation, is_beat ? value >> 16 & kBeat : value};
    const bool is_received = code == EventCode::RECEIVED;
    if (end.waiting.is) {
      end.is_excused = false;
      if (is_received && !end.waiting.seen.is(told))
        book_.awaiting.bench_error(place, "evidence and frames do not fit: end %c received another "
                                   "frame than its step tells", name(at));
    } else if (is_received && !end.is_forged && !was_sent(1 - at, told)) {
      ends_[1 - at].unsent = {told, place, true};
    }
    end.waiting.is = false;
  }

  // ------------------------------------------------------------------ the end

  // The evidence is whole to the end of the run: nothing more can tell of a frame.
  void finish() {
    for (int at = 0; at < 2; ++at) unheard(at);
  }
  // Every frame of the end was seen.
  bool is_complete(int at) const {
    const End& end = ends_[at];
    return end.has_transmitted && end.is_whole && end.is_known && !end.count;
  }
  // How many frames the end has sent, if that is known.
  bool knows_number(int at) const { return ends_[at].has_transmitted && ends_[at].is_known; }
  uint32_t number(int at) const { return ends_[at].next + ends_[at].count; }

 private:
  static constexpr uint32_t kOwed = 64, kSent = 512;
  static constexpr uint32_t kBeat = 0x7FFF;  // what a frame holds of the number of a beat
  static constexpr uint8_t kAny = 255;

  // A frame as its steps tell of it.
  struct Coordinates {
    uint8_t operation;
    uint32_t value;
    bool is(const Coordinates& other) const {
      return operation == kAny || (operation == other.operation && value == other.value);
    }
  };
  struct Waiting {
    Coordinates seen;
    Place place;
    bool is;
  };
  struct End {
    Coordinates owed[kOwed];  // told SENT and not seen, a ring
    uint32_t first = 0, count = 0;
    Coordinates cut{};  // what a restart may have left on its way out
    Coordinates sent[kSent]{};
    uint32_t next = 0;             // number of the frame
    bool is_known = true;          // what is owed
    bool is_whole = true;          // the frames from the first on
    bool has_transmitted = false;  // a frame of it was seen
    bool has_restarted = false;    // since its last frame
    bool is_excused = false;       // a frame may have no verdict
    bool is_forged = false;        // frames may reach it that nobody sent
    Waiting waiting{};  // for its verdict
    Waiting unsent{};   // its peer tells of it

    Coordinates& front() { return owed[first]; }
    void drop(uint32_t number) { first = (first + number) % kOwed, count -= number; }
    void forget() {
      count = 0;
      waiting.is = false;
    }
  };

  static char name(int end) { return end ? 'b' : 'a'; }

  static void lose_track(End& end) { end.is_known = false, end.count = 0; }

  // As SENT and RECEIVED tell of them: a beat by its number, a challenge by its counter. Of a beat that
  // was received the whole word is told; its number is enough.
  static Coordinates coordinates(const Frame& frame) {
    switch (static_cast<Operation>(frame.operation)) {
      case Operation::NOP:
        return {frame.operation, frame.operand >> 16 & kBeat};
      case Operation::SYNC:
      case Operation::SYNC_ACK:
        return {frame.operation, frame.counter};
      default:
        return {frame.operation, frame.id};
    }
  }

  // The frame that waited for its verdict will have none.
  void unheard(int at) {
    End& end = ends_[at];
    if (end.waiting.is && !end.is_excused)
      book_.awaiting.bench_error(end.waiting.place, "evidence and frames do not fit: end %c received a "
                                 "frame, and no step tells of it", name(at));
    end.waiting.is = false;
  }

  bool was_sent(int at, const Coordinates& told) const {
    const End& end = ends_[at];
    if (!end.is_whole || !end.has_transmitted) return true;  // for all that is known
    for (const Coordinates& sent : std::span(end.sent, std::min(end.next, kSent)))
      if (sent.is(told)) return true;
    return false;
  }

  Book& book_;
  End ends_[2];
};

}  // namespace oae
