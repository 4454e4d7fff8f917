// Makes one capture of those that the ends of a link and the relay between them wrote (docs/live.md).
// Packets come in the order of time. Received frames get the number of the transmitted one that they
// stem from: equal bytes in order are the same frame. Media lose frames, and seldom swap them.
#pragma once
#include <array>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "frame.h"
#include "join_blocks.h"
#include "join_source.h"
#include "oae_defs.h"

namespace oae {

// What joining comes to; host/oae/capture/join.py has the same.
struct Joined {
  uint64_t received[5];   // packets of each interface
  uint64_t time;          // of the last one
  uint64_t to_relay[2];   // frames of each end lost before the relay; without one, on their way
  uint64_t to_peer[2];    // the same after it
  uint64_t unmatched[2];  // frames that reached an end and that nothing sent
  uint64_t own[2];        // frames that each end recorded
  uint64_t shift[4];      // nanoseconds that a packet was set forward at most, so that causes come first
};

class Join {
 public:
  enum Source { A, B, RELAY, BENCH, SOURCES };

  // `names`: of the faults in a comment, by bit, each ended by a line feed.
  Join(const char* names, bool is_relayed) : is_relayed_(is_relayed) {
    for (std::string_view left(names); !left.empty();) {
      const size_t end = left.find('\n');
      names_.emplace_back(left.substr(0, end));
      left.remove_prefix(end + 1);
    }
  }

  // More of a source; nothing follows what is `last`.
  void feed(int source, const uint8_t* bytes, size_t size, bool last) {
    Stream& stream = streams_[source];
    stream.forget();
    stream.bytes.insert(stream.bytes.end(), bytes, bytes + size);
    stream.is_last = last;
    if (!stream.has_begun) {
      if (stream.bytes.size() < kHead && !last) return;
      stream.has_begun = stream.walk.begin(stream.bytes.data(), stream.bytes.size());
      if (!stream.has_begun) stream.is_last = true;
    }
    if (stream.has_begun) stream.find();
  }

  // The source without which nothing more can be joined, or -1.
  int wants() const {
    if (wanted_ >= 0) return wanted_;
    for (int source = 0; source < SOURCES; ++source)
      if (!streams_[source].has_head() && !streams_[source].is_last) return source;
    return -1;
  }

  // Joins as far as it can; what comes out is in `out`.
  void run() {
    wanted_ = -1;
    while (wants() < 0) {
      const int source = first();
      // What an end did after its capture was cut off is missing.
      for (const int end : {A, B})
        if (is_cut_off(end) && !std::exchange(streams_[end].is_told_cut_off, true)) ++sequence_;
      if (source < 0) return;  // nothing is left, or more must be seen before it is known what is next
      Stream& stream = streams_[source];
      // A source that had to wait for what it tells of stood before its cause.
      if (stream.key() < joined.time && stream.packets[stream.next].time) stream.earliest = joined.time;
      joined.shift[source] = std::max(joined.shift[source], stream.shift());
      take(source, stream);
      ++stream.next;
    }
  }

  const char* damage(int source) const {
    const Stream& stream = streams_[source];
    return stream.has_begun ? stream.walk.damage : "";
  }

  Joined joined{};
  Blocks out;

 private:
  static constexpr uint64_t kCycle = Stream::kCycle;
  static constexpr uint64_t kAhead = 1'000'000'000;  // nanoseconds by which a frame may seem too early
  static constexpr uint64_t kHopeless = 100;         // frames that nothing sent: no more are looked for
  static constexpr uint32_t kSwapped = 64;           // frames after which one that was overtaken is lost
  static constexpr size_t kHead = 12, kQueue = 1 << 16, kNumbers = 1 << 16;
  static constexpr uint32_t kRemembered = 512;       // frames that the checker keeps of an end
  static constexpr uint32_t kIds = 4096, kOperations = 32, kNoOperation = 31, kShortest = 57;
  static constexpr uint32_t kEvidenceHead = 16;
  static constexpr uint16_t kDropped = 2, kNoRule = 0xFFFF;
  static constexpr uint8_t kVersion = 1, kOfBench = 255;
  static constexpr uint64_t kUnknown = Blocks::kNoNumber;

  // A frame on its way.
  struct Flying {
    uint64_t hash, number;
    uint64_t overtaken;  // by the how manieth frame that landed
  };
  // Frames between two places, in their order.
  struct Path {
    std::deque<Flying> ahead, late;
    uint64_t landed = 0;

    static size_t find(const std::deque<Flying>& queue, uint64_t hash) {
      size_t at = 0;
      while (at < queue.size() && queue[at].hash != hash) ++at;
      return at;
    }
    bool has(uint64_t hash) const {
      return find(ahead, hash) < ahead.size() || find(late, hash) < late.size();
    }
  };
  struct Name {
    uint32_t number, id, copy;
    uint8_t operation;
  };
  struct Seen {
    uint32_t id = 0, times = 0;
  };
  // Frames that one end transmits.
  struct Lane {
    Path near, far;  // to the relay, and from it; without one only `near`
    std::vector<uint64_t> origin = std::vector<uint64_t>(kNumbers, kUnknown);  // by the relay's number
    std::vector<Name> names = std::vector<Name>(kNumbers);                     // by the end's number
    std::vector<Seen> seen = std::vector<Seen>(kOperations * kIds);
    uint32_t next = 0;
  };

  // ------------------------------------------------------------------------------ order

  // The source of the packet that comes next, or -1. Where a clock is behind, or a process was away
  // between a look at its clock and one at its medium, a frame seems to come before it was sent: then
  // its source waits.
  int first() {
    bool is_waiting[SOURCES] = {};
    for (;;) {
      int earliest = -1;
      for (int source = 0; source < SOURCES; ++source)
        if (streams_[source].has_head() && !is_waiting[source] &&
            (earliest < 0 || streams_[source].key() < streams_[earliest].key()))
          earliest = source;
      if (earliest < 0 || !is_early(earliest)) return wanted_ < 0 ? earliest : -1;
      is_waiting[earliest] = true;
    }
  }

  // Whether the packet that comes next is a frame that is sent only later.
  bool is_early(int source) {
    const Stream& stream = streams_[source];
    const Packet& packet = stream.packets[stream.next];
    const Point kind = stream.kinds[packet.interface];
    if (source == RELAY ? kind != A_TRANSMIT && kind != B_TRANSMIT : kind != own(source, true)) return false;
    const int sender = source == RELAY ? kind == B_TRANSMIT : 1 - source;
    const uint64_t awaited = stream.hash();
    if (path(source, sender).has(awaited) || joined.unmatched[0] + joined.unmatched[1] > kHopeless) return false;
    const bool by_relay = source != RELAY && is_relayed_;
    const int from = by_relay ? RELAY : sender;
    const Stream& ahead = streams_[from];
    const Point sent = by_relay ? own(source, true) : own(sender, false);
    const uint64_t limit = stream.key() + kAhead;
    for (size_t at = ahead.next; at < ahead.packets.size(); ++at) {
      if (ahead.packets[at].time > limit) return false;
      if (ahead.kinds[ahead.packets[at].interface] == sent && ahead.hash(at) == awaited) return true;
    }
    if (!ahead.is_last) wanted_ = from;
    return false;
  }

  Path& path(int source, int sender) {
    Lane& lane = lanes_[sender];
    return source == RELAY || !is_relayed_ ? lane.near : lane.far;
  }

  static Point own(int end, bool receives) { return static_cast<Point>(2 * end + receives); }

  // ------------------------------------------------------------------------------ packets

  void take(int source, Stream& stream) {
    const Packet& packet = stream.packets[stream.next];
    const Point kind = stream.kinds[packet.interface];
    if (kind == NONE) return;
    if (kind == EVIDENCE) return evidence(source, stream);
    if (source == RELAY) {
      return kind == A_TRANSMIT || kind == B_TRANSMIT ? relayed(kind == B_TRANSMIT, stream)
                                                      : sent_on(kind == A_RECEIVE, stream);
    }
    const bool receives = kind == own(source, true);
    if (!receives && kind != own(source, false)) return;
    ++joined.own[source];
    receives ? received(source, stream) : transmitted(source, stream);
  }

  void transmitted(int end, const Stream& stream) {
    const Packet& packet = stream.packets[stream.next];
    Lane& lane = lanes_[end];
    const uint32_t number = packet.flags & NUMBERED ? static_cast<uint32_t>(packet.number) : lane.next;
    lane.next = number + 1;
    lane.names[number % kNumbers] = name(lane, number, stream.data(), packet.captured);
    if (!(packet.flags & BAD)) fly(lane.near, {stream.hash(), number, 0});
    frame(own(end, false), stream, full(end, number));
  }

  void received(int end, const Stream& stream) {
    const int sender = 1 - end;
    Lane& lane = lanes_[sender];
    uint64_t number = land(path(end, sender), stream.hash(), sender, is_relayed_ ? joined.to_peer : joined.to_relay);
    if (number == kUnknown && !is_cut_off(is_relayed_ ? RELAY : sender)) {
      ++joined.unmatched[end];
      number = lane.next;  // that it was not sent yet is what the checker will say
    }
    // What is older than the checker's memory is not compared.
    if (number != kUnknown && lane.next - static_cast<uint32_t>(number) > kRemembered) number = kUnknown;
    frame(own(end, true), stream, number == kUnknown ? kUnknown : full(sender, number));
  }

  // Whether the source ended in the middle: what it sent then is not known.
  bool is_cut_off(int source) const {
    const Stream& stream = streams_[source];
    return stream.is_last && !stream.has_head() && !stream.has_told_end;
  }

  // A frame has come to the relay, which says what becomes of it.
  void relayed(int end, const Stream& stream) {
    const Packet& packet = stream.packets[stream.next];
    Lane& lane = lanes_[end];
    const uint64_t number = land(lane.near, stream.hash(), end, joined.to_relay);
    lane.origin[static_cast<uint32_t>(packet.number) % kNumbers] = number;
    if (number == kUnknown || !(packet.flags & COMMENTED)) return;
    const std::string_view text(reinterpret_cast<const char*>(stream.bytes.data() + packet.comment),
                                packet.comment_bytes);
    uint16_t faults = 0, rule = kNoRule;
    for (size_t bit = 0; bit < names_.size(); ++bit)
      if (says(text, names_[bit])) faults |= static_cast<uint16_t>(1 << bit);
    static constexpr std::string_view kRule = ", rule ";
    if (const size_t at = text.find(kRule); at != std::string_view::npos)
      rule = static_cast<uint16_t>(std::strtoul(std::string(text.substr(at + kRule.size())).c_str(), nullptr, 10));
    fate(end, static_cast<uint32_t>(number), faults, rule, stream.key(), text);
  }

  // Whether a list of faults, "fault: a, b", has this name.
  static bool says(std::string_view text, const std::string& name) {
    for (size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
      const size_t end = at + name.size();
      if (at >= 2 && text[at - 1] == ' ' && (text[at - 2] == ':' || text[at - 2] == ',') &&
          (end == text.size() || text[end] == ',' || text[end] == ';'))
        return true;
    }
    return false;
  }

  // The relay has sent a frame of this end on.
  void sent_on(int end, const Stream& stream) {
    Lane& lane = lanes_[end];
    const uint32_t number = static_cast<uint32_t>(stream.packets[stream.next].number);
    fly(lane.far, {stream.hash(), lane.origin[number % kNumbers], 0});
  }

  static void fly(Path& path, Flying flying) {
    path.ahead.push_back(flying);
    if (path.ahead.size() > kQueue) path.ahead.pop_front();
  }

  // The number of the frame that has come. Those that many have overtaken are lost.
  uint64_t land(Path& path, uint64_t hash, int sender, uint64_t (&lost)[2]) {
    uint64_t number = kUnknown;
    if (const size_t at = Path::find(path.ahead, hash); at < path.ahead.size()) {
      number = path.ahead[at].number;
      ++path.landed;
      const auto landed = path.ahead.begin() + ptrdiff_t(at);
      for (auto passed = path.ahead.begin(); passed != landed; ++passed) {
        passed->overtaken = path.landed;
        path.late.push_back(*passed);
      }
      path.ahead.erase(path.ahead.begin(), landed + 1);
    } else if (const size_t late = Path::find(path.late, hash); late < path.late.size()) {
      number = path.late[late].number;
      path.late.erase(path.late.begin() + ptrdiff_t(late));
    }
    for (; !path.late.empty() && path.landed - path.late.front().overtaken >= kSwapped; path.late.pop_front()) {
      ++lost[sender];
      const char* where = &lost == &joined.to_peer ? "fault: dropped, behind the relay"
                          : is_relayed_            ? "fault: dropped, before the relay"
                                                   : "fault: dropped, by the medium";
      if (const uint64_t gone = path.late.front().number; gone != kUnknown)
        fate(sender, static_cast<uint32_t>(gone), kDropped, kNoRule, joined.time, where);
    }
    return number;
  }

  // ------------------------------------------------------------------------------ evidence

  void evidence(int source, Stream& stream) {
    const Packet& packet = stream.packets[stream.next];
    if (packet.captured < kEvidenceHead || has_ended_) return;
    std::vector<uint8_t>& now = evidence_;
    now.assign(stream.data(), stream.data() + packet.captured);
    const uint32_t sequence = big32(&now[4]);
    if (sequence != stream.sequence) ++sequence_;  // what its source lost is missing here as well
    stream.sequence = sequence + 1;
    const auto type = static_cast<Evidence>(now[1]);
    uint64_t time = stream.key();
    switch (type) {
      case Evidence::PARAMETER:
        if (!parameter(now)) return;
        time = packet.time;
        break;
      case Evidence::STOP:
        if (!stop(now)) return;
        break;
      case Evidence::END:
        stream.has_told_end = true;
        if (++ends_ < 2) return;
        has_ended_ = true;
        break;
      case Evidence::SUBMIT:
      case Evidence::DELIVER:
        if (packet.captured >= kEvidenceHead + 8) not_before(&now[kEvidenceHead], stream.earliest);
        break;
      default:
        break;
    }
    if (type != Evidence::PARAMETER) not_before(&now[8], stream.earliest);
    write(now, time, source == BENCH ? "" : comment(stream));
  }

  // Each parameter once; both ends are there.
  bool parameter(std::vector<uint8_t>& now) {
    static constexpr std::string_view kEnds = "ends=1";
    std::string text(now.begin() + kEvidenceHead, now.end());
    if (text == kEnds) now.back() = '2';
    for (const std::string& known : parameters_)
      if (known == text) return false;
    parameters_.push_back(std::move(text));
    return true;
  }

  // Both ends stop; the run does with the second, and is resolved if both are.
  bool stop(std::vector<uint8_t>& now) {
    static constexpr std::string_view kResolved = "resolved";
    const std::string reason(now.begin() + kEvidenceHead, now.end());
    if (stop_.empty() || stop_ == kResolved) stop_ = reason;
    if (++stops_ < 2) return false;
    now.resize(kEvidenceHead);
    now.insert(now.end(), stop_.begin(), stop_.end());
    return true;
  }

  void fate(int end, uint32_t number, uint16_t faults, uint16_t rule, uint64_t time,
            std::string_view text) {
    if (has_ended_) return;
    const Name& named = lanes_[end].names[number % kNumbers];
    evidence_.assign(kEvidenceHead + 17, 0);
    uint8_t* to = evidence_.data();
    to[0] = kVersion, to[1] = static_cast<uint8_t>(Evidence::FATE), to[2] = static_cast<uint8_t>(end);
    put(to + 8, time / kCycle, 8);
    put(to + 16, number, 4);
    put(to + 20, named.operation, 1);
    put(to + 21, named.id, 4);
    put(to + 25, named.copy, 4);
    put(to + 29, faults, 2);
    put(to + 31, rule, 2);
    write(evidence_, time, text);
  }

  void write(std::vector<uint8_t>& now, uint64_t time, std::string_view text) {
    put(&now[4], sequence_++, 4);
    const uint32_t size = static_cast<uint32_t>(now.size());
    out.packet(EVIDENCE, time, now.data(), size, size, 0, kUnknown, 0, text);
    count(EVIDENCE, time);
  }

  static void not_before(uint8_t* cycle, uint64_t time) { put(cycle, std::max(big64(cycle), time / kCycle), 8); }

  // The coordinates of a frame, as oae.faults.decide.Copies names it.
  static Name name(Lane& lane, uint32_t number, const uint8_t* bytes, uint32_t size) {
    Name found{number, 0, 0, kNoOperation};
    if (size >= kShortest) {
      found.operation = bytes[14] & 0x1F;
      switch (static_cast<Operation>(found.operation)) {
        case Operation::NOP:
          found.id = (uint32_t(bytes[32]) << 8 | bytes[33]) & 0x7FFF;
          break;
        case Operation::SYNC:
        case Operation::SYNC_ACK:
          found.id = size >= 60 ? big32(bytes + 56) : 0;
          break;
        default:
          found.id = uint32_t(bytes[24]) << 24 | uint32_t(bytes[25]) << 16 | uint32_t(bytes[15]) << 8 | bytes[16];
      }
    }
    Seen& seen = lane.seen[found.operation * kIds + found.id % kIds];
    found.copy = seen.id == found.id ? seen.times : 0;
    seen = {found.id, std::min(found.copy + 1, 0xFFFFu)};
    return found;
  }

  // ------------------------------------------------------------------------------ what comes out

  static uint64_t full(int end, uint64_t number) { return static_cast<uint64_t>(end) << 32 | number; }

  static std::string_view comment(const Stream& stream) {
    const Packet& packet = stream.packets[stream.next];
    return {reinterpret_cast<const char*>(stream.bytes.data() + packet.comment), packet.comment_bytes};
  }

  void frame(Point kind, const Stream& stream, uint64_t number) {
    const Packet& packet = stream.packets[stream.next];
    const bool receives = kind == A_RECEIVE || kind == B_RECEIVE;
    const uint32_t flags = (receives ? 1 : 2) | (packet.flags & BAD ? 1u << 24 : 0);
    out.packet(kind, stream.key(), stream.data(), packet.captured, packet.original, flags, number, packet.dropped,
               comment(stream));
    count(kind, stream.key());
  }

  void count(Point kind, uint64_t time) {
    ++joined.received[kind];
    joined.time = std::max(joined.time, time);
  }

  static void put(uint8_t* to, uint64_t value, int size) {
    for (int at = 0; at < size; ++at) to[at] = static_cast<uint8_t>(value >> 8 * (size - 1 - at));
  }

  const bool is_relayed_;
  std::vector<std::string> names_, parameters_;
  std::array<Stream, SOURCES> streams_;
  Lane lanes_[2];
  std::vector<uint8_t> evidence_;
  std::string stop_;
  uint32_t sequence_ = 0;
  int stops_ = 0, ends_ = 0, wanted_ = -1;
  bool has_ended_ = false;
};

}  // namespace oae
