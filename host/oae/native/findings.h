// Broken promises and what else is wrong, with the packets that explain it. host/oae/check/kernel.py
// has Finding and BenchError as numpy types.
#pragma once
#include <algorithm>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "pages.h"

namespace oae {

// In the order of oae.check.findings.REQUIREMENT.
enum class Promise : uint8_t {
  AGREEMENT,
  EXACTLY_ONCE,
  UNALTERED,
  NO_FALSE_COMPLETION,
  CONSERVATION,
  FINAL,
  PROGRESS,
  NOT_BEFORE_COMMITTED,
  NEVER_ALONE,
  NO_VIOLATION,
  COUNTERS,
  PORTS,
};
constexpr size_t kPromises = 12;

constexpr size_t kTextBytes = 200;
constexpr size_t kExplaining = 10;

struct Finding {
  uint64_t packet, time;
  uint64_t explained_by[kExplaining];  // 0: none
  uint32_t id;
  uint32_t own, peer, link_session;
  uint8_t promise, certain, absence;
  int8_t end;  // of the lane, -1: none
  uint8_t naming;
  char text[kTextBytes];
};

struct BenchError {
  uint64_t packet, time;
  char text[kTextBytes];
};

struct Place {
  uint64_t packet, time;
};

class Findings {
 public:
  static constexpr size_t kKept = 1000, kUnknownKept = 100, kBenchKept = 100;

  std::vector<Finding> kept, unknown;
  std::vector<BenchError> bench;
  uint64_t count = 0, unknown_count = 0, bench_count = 0;
  uint64_t broken[kPromises] = {}, doubtful[kPromises] = {};

  Findings() { kept.reserve(kKept), unknown.reserve(kUnknownKept), bench.reserve(kBenchKept); }

  // A finding that is not about a transaction has neither lane nor page.
  __attribute__((format(printf, 8, 9))) void add(Promise promise, bool certain, bool absence,
                                                 Place place, const Lane* lane, Page* page,
                                                 const char* form, ...) {
    if (page && certain) page->flags |= FOUND;
    if (!room(promise, certain)) return;
    Finding finding = begin(promise, absence, place, lane, page);
    va_list arguments;
    va_start(arguments, form);
    size_t named = 0;
    if (page) named = name(*lane, page->id, finding.text);
    std::vsnprintf(finding.text + named, kTextBytes - named, form, arguments);
    va_end(arguments);
    keep(finding, certain);
  }

  // The same, put together before and only now known to be so or not.
  void add(Finding finding, bool certain) {
    if (room(static_cast<Promise>(finding.promise), certain)) keep(finding, certain);
  }

  __attribute__((format(printf, 3, 4))) void bench_error(Place place, const char* form, ...) {
    va_list arguments;
    va_start(arguments, form);
    add(bench_error(place, form, arguments));
    va_end(arguments);
  }

  void add(const BenchError& error) {
    if (bench_count++ < kBenchKept) bench.push_back(error);
  }

  static BenchError bench_error(Place place, const char* form, va_list arguments) {
    BenchError error{place.packet, place.time, {}};
    std::vsnprintf(error.text, kTextBytes, form, arguments);
    return error;
  }

  static Finding begin(Promise promise, bool absence, Place place, const Lane* lane,
                       const Page* page) {
    Finding finding{};
    finding.packet = place.packet;
    finding.time = place.time;
    finding.promise = static_cast<uint8_t>(promise);
    finding.absence = absence;
    finding.end = lane ? static_cast<int8_t>(lane->end) : -1;
    if (lane) {
      finding.own = lane->own, finding.peer = lane->peer;
      finding.link_session = lane->link_session;
      finding.naming = static_cast<uint8_t>(lane->naming);
    }
    if (page) {
      finding.id = page->id;
      explain(*page, place.packet, finding.explained_by);
    }
    return finding;
  }

  // "a:own/peer:id", and how long that is.
  static size_t name(const Lane& lane, uint32_t id, char* text) {
    const char end = lane.end ? 'b' : 'a';
    int length;
    if (lane.naming == Naming::PAIR)
      length = std::snprintf(text, kTextBytes, "%c:%08x/%08x:%u", end, lane.own, lane.peer, id);
    else if (lane.naming != Naming::NONE)
      length = std::snprintf(text, kTextBytes, "%c:%08x:%u", end, lane.link_session, id);
    else
      length = std::snprintf(text, kTextBytes, "%c:?:%u", end, id);
    return static_cast<size_t>(length);
  }

 private:
  bool room(Promise promise, bool certain) {
    const auto at = static_cast<size_t>(promise);
    if (certain) {
      ++broken[at];
      return ++count <= kKept;
    }
    ++doubtful[at];
    return ++unknown_count <= kUnknownKept;
  }

  void keep(Finding& finding, bool certain) {
    finding.certain = certain;
    (certain ? kept : unknown).push_back(finding);
  }

  // What was seen of the transaction before, the latest ten, and the packet itself.
  static void explain(const Page& page, uint64_t packet, uint64_t* explained) {
    uint64_t found[kMarks + 1];
    size_t number = 0;
    found[number++] = packet;
    for (const uint64_t seen : page.packet)
      if (seen) found[number++] = seen;
    std::sort(found, found + number);
    number = static_cast<size_t>(std::unique(found, found + number) - found);
    const size_t skipped = number > kExplaining ? number - kExplaining : 0;
    for (size_t at = skipped; at < number; ++at) explained[at - skipped] = found[at];
  }
};

}  // namespace oae
