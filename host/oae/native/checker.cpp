// The checker's kernel behind a C interface: packets go in, findings and figures come out. What it
// judges and how is in wire.h (frames), evidence.h (evidence of a run) and medium.h.
#include "checker.h"

using oae::Checker;

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT Checker* oae_checker_new(uint64_t keep, uint16_t ethertype) {
  return new Checker(keep, ethertype);
}

EXPORT void oae_checker_free(Checker* checker) { delete checker; }

EXPORT void oae_checker_role(Checker* checker, uint32_t interface, uint32_t role, uint32_t fcs_bytes,
                             uint32_t resolution) {
  checker->role(interface, static_cast<oae::Role>(role), fcs_bytes, resolution);
}

EXPORT void oae_checker_feed(Checker* checker, const uint8_t* chunk, const oae::Packet* packets,
                             size_t count) {
  checker->feed(chunk, packets, count);
}

EXPORT void oae_checker_finish(Checker* checker) { checker->finish(); }

EXPORT void oae_checker_summary(const Checker* checker, oae::Summary* summary) {
  *summary = checker->summary();
}

// The rows of a table, in place; `count` is how many.
EXPORT const void* oae_checker_table(const Checker* checker, uint32_t table, size_t* count) {
  const auto rows = [&](const auto& vector) -> const void* {
    *count = vector.size();
    return vector.data();
  };
  switch (static_cast<oae::Table>(table)) {
    case oae::Table::FINDINGS:
      return rows(checker->book().findings.kept);
    case oae::Table::UNKNOWNS:
      return rows(checker->book().findings.unknown);
    case oae::Table::BENCH_ERRORS:
      return rows(checker->book().findings.bench);
    case oae::Table::TRANSACTIONS:
      return rows(checker->book().rows.rows);
    case oae::Table::STATES:
      return rows(checker->evidence().states());
    case oae::Table::SPANS:
      return rows(checker->book().spans.spans);
    case oae::Table::FRAME_FAULTS:
      return rows(checker->evidence().frame_faults());
    case oae::Table::INTERVALS:
      return rows(checker->book().intervals.intervals);
    case oae::Table::SPEAKERS:
      return rows(checker->speakers());
  }
  *count = 0;
  return nullptr;
}

EXPORT const oae::Histogram* oae_checker_latency(const Checker* checker, uint32_t direction,
                                                 uint32_t latency) {
  return &checker->book().latency[direction][latency];
}

// Parameter `at`, "name=value", or an empty text.
EXPORT const char* oae_checker_parameter(const Checker* checker, size_t at) {
  const auto& parameters = checker->evidence().parameters;
  return at < parameters.size() ? parameters[at].c_str() : "";
}

EXPORT const char* oae_checker_stop(const Checker* checker) {
  return checker->evidence().stop().c_str();
}

// The verdict on each packet by itself; the packets are of one direction.
EXPORT void oae_decode(const uint8_t* chunk, const oae::Packet* packets, size_t count,
                       uint16_t ethertype, uint32_t fcs_bytes, oae::Frame* frames) {
  oae::EpochHigh epoch;
  for (size_t at = 0; at < count; ++at) {
    const oae::Extent extent(packets[at], fcs_bytes);
    oae::decode(chunk + packets[at].offset, extent.captured, extent.original,
                packets[at].flags & oae::BAD, ethertype, epoch, frames[at]);
  }
}

EXPORT uint32_t oae_crc32c(const uint8_t* bytes, size_t size, bool by_tables) {
  return ~(by_tables ? oae::crc32c_tables(~0u, bytes, size) : oae::crc32c_step(~0u, bytes, size));
}

// The size of each structure that Python has as well.
EXPORT size_t oae_checker_size(uint32_t structure) {
  constexpr size_t kSizes[] = {
      sizeof(oae::Finding),    sizeof(oae::Finding),  sizeof(oae::BenchError),
      sizeof(oae::Row),        sizeof(oae::EndState),    sizeof(oae::Span),
      sizeof(oae::FrameFault), sizeof(oae::Interval), sizeof(oae::Speaker),
      sizeof(oae::Frame),      sizeof(oae::Packet),   sizeof(oae::Summary),
      sizeof(oae::Histogram),
  };
  return structure < sizeof kSizes / sizeof kSizes[0] ? kSizes[structure] : 0;
}
