// Takes the packets of a capture one by one, each to whom it concerns. Linear time, bounded memory.
#pragma once
#include "evidence.h"
#include "fit.h"
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
  uint64_t open;        // transactions that the wire shows to begin and not to end
  uint64_t oae_frames;  // of the link's EtherType
};

class Checker {
 public:
  Checker(size_t keep, uint16_t ethertype) : book_(keep, ethertype) {
    speakers_.reserve(kSpeakers);
  }

  // `resolution`: of its time stamps, in nanoseconds.
  void role(uint32_t interface, Role role, uint32_t fcs_bytes, uint32_t resolution = 1) {
    if (interface >= interfaces_.size()) interfaces_.resize(interface + 1);
    interfaces_[interface].role = role;
    interfaces_[interface].fcs_bytes = fcs_bytes;
    interfaces_[interface].resolution = resolution;
    if (role == Role::EVIDENCE) book_.has_evidence = true;
  }

  void feed(const uint8_t* chunk, const Packet* packets, size_t count) {
    for (size_t at = 0; at < count; ++at)
      if (packets[at].interface < interfaces_.size()) take(chunk, packets[at]);
  }

  void finish() {
    end_run();
    evidence_.finish();
    open_ = wire_.count_open(last_time_);
    book_.lanes.finish();
  }

  Summary summary() const {
    Summary summary{};
    for (int end = 0; end < 2; ++end) {
      summary.ends[end] = evidence_.counts(end);
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
    summary.evidence_ended = evidence_.ended, summary.stop_packet = evidence_.stop_packet();
    summary.transactions = book_.rows.count, summary.interval = book_.intervals.length;
    summary.open = open_, summary.oae_frames = oae_frames_;
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
    uint32_t fcs_bytes = 0, resolution = 1;
    uint64_t time = 0;  // latest
  };

  void take(const uint8_t* chunk, const Packet& taken) {
    Interface& interface = interfaces_[taken.interface];
    if (interface.role == Role::IGNORED) return;
    Packet packet = taken;
    // Only a number that names the end that must have sent the frame is one of ours.
    const bool from_b = interface.role == Role::B_TRANSMIT || interface.role == Role::A_RECEIVE;
    if (interface.role == Role::TAP || packet.number >> 32 != from_b) packet.flags &= ~NUMBERED;
    const Place place{packet.index, packet.time};
    const uint8_t* bytes = chunk + packet.offset;
    if (begins_anew(interface, packet, bytes)) restart(interface.role == Role::EVIDENCE);
    clock(interface, packet, bytes, place);
    const Extent extent(packet, interface.fcs_bytes);
    switch (interface.role) {
      case Role::A_TRANSMIT:
      case Role::B_TRANSMIT:
        return transmitted(from_b, packet, bytes, extent, place);
      case Role::A_RECEIVE:
      case Role::B_RECEIVE:
        return received(from_b, packet, bytes, extent, place);
      case Role::EVIDENCE:
        evidence_.take(bytes, packet.captured, packet.original, place,
                       packet.flags & TIMED ? interface.resolution : 0,
                       [&](int end, uint32_t number) { medium_.altered(end, number); });
        book_.is_whole_run = evidence_.whole();
        return book_.awaiting.settle(book_.is_whole_run);
      default:
        return tapped(packet, bytes, extent, place);
    }
  }

  void transmitted(uint8_t end, const Packet& packet, const uint8_t* bytes, Extent extent,
                   Place place) {
    medium_.sent(end, packet, bytes, extent.captured, extent.captured == extent.original);
    has_transmitted_[end] = true;
    Frame frame;
    decode(bytes, extent.captured, extent.original, packet.flags & BAD, book_.ethertype, epochs_[end],
           frame);
    if (evidence_.packets) fit_.transmitted(end, packet, frame, place);
    heard(end, packet, bytes, extent, frame, place);
  }

  // A frame of `end` reached its peer.
  void received(uint8_t end, const Packet& packet, const uint8_t* bytes, Extent extent, Place place) {
    ++book_.directions[end].received;
    // A frame of which there is no better witness.
    if (!has_transmitted_[end] && !evidence_.packets)
      return on_the_way(end, packet, bytes, extent, place);
    oae_frames_ += extent.captured >= 14 && big16(bytes + 12) == book_.ethertype;
    medium_.received(end, packet, bytes, extent.captured, extent.captured == extent.original, place);
    if (!evidence_.packets) return;
    Frame frame;
    decode(bytes, extent.captured, extent.original, packet.flags & BAD, book_.ethertype,
           arrived_epochs_[end], frame);
    if (static_cast<FrameVerdict>(frame.verdict) == FrameVerdict::RECEIVED)
      fit_.received(1 - end, frame, place);
  }

  // The first packet of another run: its evidence counts from 0 again, or its frames do and the time
  // went back.
  bool begins_anew(const Interface& interface, const Packet& packet, const uint8_t* bytes) const {
    if (interface.role == Role::EVIDENCE) return evidence_.begins_anew(bytes, packet.captured);
    const bool is_transmit = interface.role == Role::A_TRANSMIT || interface.role == Role::B_TRANSMIT;
    return is_transmit && !book_.has_evidence && packet.flags & NUMBERED &&
           static_cast<uint32_t>(packet.number) == 0 && packet.flags & TIMED &&
           packet.time + kStepBack < latest_;
  }

  // Everything starts anew; what was found and counted stays.
  void restart(bool by_evidence) {
    end_run();
    if (by_evidence) evidence_.restart();
    wire_.restart(by_evidence);
    medium_.restart();
    fit_.restart();
    book_.lanes.forget();
    for (int end = 0; end < 2; ++end) {
      book_.outgoing[end] = book_.incoming[end] = nullptr;
      epochs_[end] = arrived_epochs_[end] = EpochHigh{};
      has_transmitted_[end] = false;
    }
    for (Interface& interface : interfaces_) interface.time = 0;
    latest_ = 0;
    was_out_of_order_ = false;
  }

  // What waits for something else does so no longer.
  void end_run() {
    const bool is_whole = evidence_.whole() && evidence_.ended;
    bool complete[2] = {};
    if (is_whole) {
      fit_.finish();
      for (int end = 0; end < 2; ++end) {
        complete[end] = fit_.is_complete(end);
        if (fit_.knows_number(end)) medium_.finish(end, fit_.number(end));
      }
    }
    book_.awaiting.settle(is_whole);
    wire_.finish(complete[0], complete[1]);
  }

  void clock(Interface& interface, const Packet& packet, const uint8_t* bytes, Place place) {
    ++packets_;
    // The parameters of a bench stand at time 0, long before it.
    const bool is_parameter = interface.role == Role::EVIDENCE &&
                              EvidenceJudge::is_parameter(bytes, packet.captured);
    if (!has_begun_) first_time_ = packet.time;
    has_begun_ |= !is_parameter;
    if (!(packet.flags & TIMED)) return;
    if (packet.time + kStepBack < interface.time)
      book_.findings.bench_error(place, "the clock of the interface runs backwards by %llu ns",
                                 static_cast<unsigned long long>(interface.time - packet.time));
    else if (packet.time + kStepBack < latest_)
      out_of_order(place);
    interface.time = packet.time;
    latest_ = std::max(latest_, packet.time);
    last_time_ = std::max(last_time_, packet.time);
  }

  // What is not there may follow; the interfaces of a run have one clock.
  void out_of_order(Place place) {
    book_.awaiting.settle(false);
    for (const int end : {0, 1}) wire_.lost(end);
    if (book_.has_evidence && !was_out_of_order_)
      book_.findings.bench_error(place, "the packets of the run do not stand in the order of time");
    was_out_of_order_ = true;
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
    heard(end, packet, bytes, extent, frame, place);
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
    heard(static_cast<uint8_t>(end), packet, bytes, extent, frame, place);
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

  void heard(uint8_t end, const Packet& packet, const uint8_t* bytes, Extent extent,
             const Frame& frame, Place place) {
    Direction& direction = book_.directions[end];
    ++direction.frames;
    ++book_.intervals.at(place.time).frames[end];
    wire_.number(end, packet);
    // Beside the evidence of a run, what the medium made of a frame is no claim of its end.
    const Role role = interfaces_[packet.interface].role;
    const bool is_claim =
        role == Role::A_TRANSMIT || role == Role::B_TRANSMIT || !evidence_.packets;
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
        if (extent.captured < frame.body + HEADER_BYTES) return wire_.lost(end);
        ++direction.operations[frame.operation];
        return wire_.frame(end, frame, bytes + frame.body + HEADER_BYTES, false, place);
      case FrameVerdict::RECEIVED:
        ++oae_frames_;
        ++direction.operations[frame.operation];
        wire_.frame(end, frame, bytes + frame.body + HEADER_BYTES, is_claim, place);
    }
  }

  Book book_;
  Wire wire_{book_};
  Fit fit_{book_};
  EvidenceJudge evidence_{book_, wire_, fit_};
  Medium medium_{book_};
  EpochHigh epochs_[2], arrived_epochs_[2];
  std::vector<Interface> interfaces_;
  bool has_transmitted_[2] = {};  // its TRANSMIT interface was heard
  std::vector<Speaker> speakers_;
  uint64_t packets_ = 0, first_time_ = 0, last_time_ = 0, oae_frames_ = 0, open_ = 0;
  bool has_begun_ = false;  // with what is no parameter
  uint64_t latest_ = 0;  // time of the run until now
  bool was_out_of_order_ = false;
};

}  // namespace oae
