// Takes the packets of a capture one by one, each to whom it concerns. Linear time, bounded memory.
#pragma once
#include "evidence.h"
#include "medium.h"
#include "wire.h"

namespace oae {

// What stands on an interface; oae.check.kernel.Role has the same.
enum class Role : uint32_t {
  IGNORED,
  A_TRANSMIT,
  A_RECEIVE,
  B_TRANSMIT,
  B_RECEIVE,
  EVIDENCE,
  TAP,  // which end sent a frame follows from its source address
};

enum class Table : uint32_t {
  FINDINGS,
  UNKNOWNS,
  BENCH_ERRORS,
  TRANSACTIONS,
  STATES,
  SPANS,
  FRAME_FAULTS,
  INTERVALS,
  SPEAKERS,
};

// Bytes of a packet without its FCS.
struct Extent {
  uint32_t captured, original;
  Extent(const Packet& packet, uint32_t fcs_bytes) {
    original = packet.original > fcs_bytes ? packet.original - fcs_bytes : 0;
    captured = std::min(packet.captured, original);
  }
};

struct Speaker {
  uint64_t address, frames;
};

struct Summary {
  EndCounts ends[2];
  Direction directions[2];
  uint64_t broken[kPromises], doubtful[kPromises];
  uint64_t findings, unknowns, bench_errors;
  uint64_t packets, first_time, last_time;
  uint64_t evidence, evidence_gaps, evidence_ended, stop_packet;
  uint64_t transactions, interval;
  uint64_t oae_frames;  // of the link's EtherType
};

class Checker {
 public:
  Checker(size_t keep, uint16_t ethertype) : book_(keep, ethertype) {
    speakers_.reserve(kSpeakers);
  }

  void role(uint32_t interface, Role role, uint32_t fcs_bytes) {
    if (interface >= interfaces_.size()) interfaces_.resize(interface + 1);
    interfaces_[interface].role = role;
    interfaces_[interface].fcs_bytes = fcs_bytes;
    if (role == Role::EVIDENCE) book_.has_evidence = true;
  }

  void feed(const uint8_t* chunk, const Packet* packets, size_t count) {
    for (size_t at = 0; at < count; ++at)
      if (packets[at].interface < interfaces_.size()) take(chunk, packets[at]);
  }

  void finish() {
    medium_.settle(evidence_.whole() && evidence_.ended);
    wire_.finish();
    evidence_.finish();
    book_.lanes.finish();
  }

  Summary summary() const {
    Summary summary{};
    for (int end = 0; end < 2; ++end) {
      summary.ends[end] = evidence_.counts[end];
      summary.directions[end] = book_.directions[end];
    }
    const Findings& findings = book_.findings;
    std::copy_n(findings.broken, kPromises, summary.broken);
    std::copy_n(findings.doubtful, kPromises, summary.doubtful);
    summary.findings = findings.count;
    summary.unknowns = findings.unknown_count;
    summary.bench_errors = findings.bench_count;
    summary.packets = packets_, summary.first_time = first_time_, summary.last_time = last_time_;
    summary.evidence = evidence_.packets, summary.evidence_gaps = evidence_.gaps;
    summary.evidence_ended = evidence_.ended, summary.stop_packet = evidence_.stop_packet;
    summary.transactions = book_.rows.count, summary.interval = book_.intervals.length;
    summary.oae_frames = oae_frames_;
    return summary;
  }

  const Book& book() const { return book_; }
  const EvidenceJudge& evidence() const { return evidence_; }
  const std::vector<Speaker>& speakers() const { return speakers_; }

 private:
  // Time stamps of one interface may step back by so much: two clocks of one capturing device.
  static constexpr uint64_t kStepBack = 1000;
  static constexpr size_t kSpeakers = 16;

  struct Interface {
    Role role = Role::IGNORED;
    uint32_t fcs_bytes = 0;
    uint64_t time = 0;  // latest
  };

  void take(const uint8_t* chunk, const Packet& packet) {
    Interface& interface = interfaces_[packet.interface];
    if (interface.role == Role::IGNORED) return;
    const Place place{packet.index, packet.time};
    clock(interface, packet, place);
    const uint8_t* bytes = chunk + packet.offset;
    switch (interface.role) {
      case Role::A_TRANSMIT:
      case Role::B_TRANSMIT: {
        const uint8_t end = interface.role == Role::B_TRANSMIT;
        const Extent extent(packet, interface.fcs_bytes);
        if (extent.captured == extent.original) medium_.sent(end, packet, bytes, extent.captured);
        has_transmitted_[end] = true;
        Frame frame;
        decode(bytes, extent.captured, extent.original, packet.flags & BAD, book_.ethertype,
               epochs_[end], frame);
        return heard(end, packet, bytes, frame, place);
      }
      case Role::A_RECEIVE:
      case Role::B_RECEIVE: {
        const uint8_t end = interface.role == Role::A_RECEIVE;  // that sent it
        const Extent extent(packet, interface.fcs_bytes);
        ++book_.directions[end].received;
        // A frame of which there is no better witness.
        if (!has_transmitted_[end] && !evidence_.packets)
          return on_the_way(end, packet, bytes, extent, place);
        oae_frames_ += extent.captured >= 14 && big16(bytes + 12) == book_.ethertype;
        if (extent.captured == extent.original)
          medium_.received(end, packet, bytes, extent.captured, place);
        return;
      }
      case Role::EVIDENCE: {
        const uint64_t gaps = evidence_.gaps;
        evidence_.take(bytes, packet.captured, packet.original, place,
                       [&](int end, uint32_t number) { medium_.altered(end, number); });
        medium_.settle(evidence_.gaps == 0 && gaps == 0);
        return;
      }
      default:
        return tapped(packet, bytes, Extent(packet, interface.fcs_bytes), place);
    }
  }

  void clock(Interface& interface, const Packet& packet, Place place) {
    if (!packets_++) first_time_ = packet.time;
    if (!(packet.flags & TIMED)) return;
    if (packet.time + kStepBack < interface.time)
      book_.findings.bench_error(place, "the clock of the interface runs backwards by %llu ns",
                                 static_cast<unsigned long long>(interface.time - packet.time));
    interface.time = packet.time;
    last_time_ = std::max(last_time_, packet.time);
  }

  // A frame that this end sent, and that the medium may have damaged since: then what it said is not
  // known.
  void on_the_way(uint8_t end, const Packet& packet, const uint8_t* bytes, Extent extent,
                  Place place) {
    Frame frame;
    decode(bytes, extent.captured, extent.original, packet.flags & BAD, book_.ethertype, epochs_[end],
           frame);
    const auto verdict = static_cast<FrameVerdict>(frame.verdict);
    if (verdict == FrameVerdict::MALFORMED || verdict == FrameVerdict::INCOMPLETE) wire_.lost(end);
    heard(end, packet, bytes, frame, place);
  }

  // Which end sent it is told by its source address, if nothing is wrong with it or the address is
  // known.
  void tapped(const Packet& packet, const uint8_t* bytes, Extent extent, Place place) {
    if (extent.captured < 12) return;
    const uint64_t address = static_cast<uint64_t>(big32(bytes + 6)) << 16 | big16(bytes + 10);
    for (uint8_t end = 0; end < 2 && end < speakers_.size(); ++end)
      if (speakers_[end].address == address) {
        ++speakers_[end].frames;
        return on_the_way(end, packet, bytes, extent, place);
      }
    Frame frame;
    EpochHigh epoch;
    decode(bytes, extent.captured, extent.original, packet.flags & BAD, book_.ethertype, epoch, frame);
    const auto verdict = static_cast<FrameVerdict>(frame.verdict);
    const bool has_header = extent.captured >= frame.body + HEADER_BYTES;
    if (verdict != FrameVerdict::RECEIVED && !(verdict == FrameVerdict::INCOMPLETE && has_header))
      return;
    const size_t end = speaker(address);
    if (end >= 2) return;
    epochs_[end] = epoch;
    heard(static_cast<uint8_t>(end), packet, bytes, frame, place);
  }

  // A speaker that is no end of the link is only counted.
  size_t speaker(uint64_t address) {
    for (size_t at = 2; at < speakers_.size(); ++at)
      if (speakers_[at].address == address) {
        ++speakers_[at].frames;
        return at;
      }
    if (speakers_.size() < kSpeakers) speakers_.push_back({address, 1});
    return speakers_.size() - 1;
  }

  void heard(uint8_t end, const Packet& packet, const uint8_t* bytes, const Frame& frame, Place place) {
    Direction& direction = book_.directions[end];
    ++direction.frames;
    ++book_.intervals.at(place.time).frames[end];
    wire_.number(end, packet);
    switch (static_cast<FrameVerdict>(frame.verdict)) {
      case FrameVerdict::MALFORMED:
        ++direction.malformed[frame.reason];
        oae_frames_ += frame.ethertype == book_.ethertype;
        return;
      case FrameVerdict::FOREIGN:
        ++direction.foreign;
        return;
      case FrameVerdict::UNSUPPORTED:
        ++direction.unsupported;
        ++oae_frames_;
        return;
      case FrameVerdict::INCOMPLETE:
        ++direction.incomplete;
        oae_frames_ += frame.ethertype == book_.ethertype;
        // Without its whole header a frame says nothing.
        if (packet.captured < frame.body + HEADER_BYTES) return;
        ++direction.operations[frame.operation];
        return wire_.frame(end, frame, bytes + frame.body + HEADER_BYTES, false, place);
      case FrameVerdict::RECEIVED:
        ++oae_frames_;
        ++direction.operations[frame.operation];
        wire_.frame(end, frame, bytes + frame.body + HEADER_BYTES, true, place);
    }
  }

  Book book_;
  Wire wire_{book_};
  EvidenceJudge evidence_{book_, wire_};
  Medium medium_{book_.findings};
  EpochHigh epochs_[2];
  std::vector<Interface> interfaces_;
  bool has_transmitted_[2] = {};  // its TRANSMIT interface was heard
  std::vector<Speaker> speakers_;
  uint64_t packets_ = 0, first_time_ = 0, last_time_ = 0, oae_frames_ = 0;
};

}  // namespace oae
