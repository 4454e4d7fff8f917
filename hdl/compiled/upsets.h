// Bit flips in state elements of the ends (docs/soft-errors.md), in builds that can reach these by
// name; in all others nothing. A flip of cycle C is made between the edges of C - 1 and C, at the
// falling edge of the clock: the edge of cycle C is the first that sees it.
//
// The list: "CYCLE,END,ELEMENT,WORD,BIT" for each, apart by semicolons, in order of cycle.
#pragma once
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#if OAE_UPSETS
#include "verilated.h"
#include "verilated_vpi.h"
#endif

namespace oae {

#if OAE_UPSETS
class Upsets {
 public:
  Upsets(VerilatedContext& context, const std::string& list) {
    Verilated::threadContextp(&context);
    std::istringstream flips(list);
    for (std::string flip; std::getline(flips, flip, ';');) flips_.push_back(read(flip));
    if (!flips_.empty()) cycle_ = named(kTop + "cycle");
  }

  ~Upsets() {
    for (const Flip& flip : flips_) vpi_release_handle(flip.word);
    if (cycle_) vpi_release_handle(cycle_);
  }
  Upsets(const Upsets&) = delete;
  Upsets& operator=(const Upsets&) = delete;

  // Before the model is evaluated at a falling edge.
  void strike() {
    if (found_.size() == flips_.size()) return;
    const uint64_t cycle = static_cast<uint32_t>(value(cycle_)[0].aval);
    while (found_.size() < flips_.size() && flips_[found_.size()].cycle == cycle)
      found_ += strike(flips_[found_.size()]);
  }

  // What each flipped bit was before, 0 or 1, as far as the run has come.
  const std::string& found() const { return found_; }

 private:
  struct Flip {
    uint64_t cycle;
    vpiHandle word;
    size_t bit;
  };
  static inline const std::string kTop = "TOP.oae_link_pair_top.";

  static Flip read(const std::string& flip) {
    char end, element[256];
    unsigned long long cycle;
    unsigned word, bit;
    if (std::sscanf(flip.c_str(), "%llu,%c,%255[^,],%u,%u", &cycle, &end, element, &word, &bit) != 5)
      fail("not CYCLE,END,ELEMENT,WORD,BIT: " + flip);
    const std::string number = std::to_string(end - 'a');
    const vpiHandle whole = named(kTop + "pair.g_end[" + number + "].bench.link_end." + element);
    const bool is_memory = vpi_get(vpiType, whole) == vpiRegArray;
    const vpiHandle handle = is_memory ? vpi_handle_by_index(whole, static_cast<int>(word)) : whole;
    if (is_memory) vpi_release_handle(whole);
    if (!handle || bit >= static_cast<unsigned>(vpi_get(vpiSize, handle))) fail("no such bit: " + flip);
    return {cycle, handle, bit};
  }

  static vpiHandle named(const std::string& name) {
    const vpiHandle found = vpi_handle_by_name(const_cast<char*>(name.c_str()), nullptr);
    if (!found) fail("no such element: " + name);
    return found;
  }

  static s_vpi_vecval* value(vpiHandle handle) {
    s_vpi_value value{};
    value.format = vpiVectorVal;
    vpi_get_value(handle, &value);
    return value.value.vector;
  }

  static char strike(const Flip& flip) {
    const size_t size = (static_cast<size_t>(vpi_get(vpiSize, flip.word)) + 31) / 32;
    const s_vpi_vecval* before = value(flip.word);
    std::vector<s_vpi_vecval> bits(before, before + size);
    const auto mask = static_cast<PLI_INT32>(1u << flip.bit % 32);
    const bool was = bits[flip.bit / 32].aval & mask;
    bits[flip.bit / 32].aval ^= mask;
    s_vpi_value value{};
    value.format = vpiVectorVal;
    value.value.vector = bits.data();
    vpi_put_value(flip.word, &value, nullptr, vpiNoDelay);
    return was ? '1' : '0';
  }

  [[noreturn]] static void fail(const std::string& what) {
    std::fprintf(stderr, "BENCH_ERROR %s\n", what.c_str());
    std::exit(EXIT_FAILURE);
  }

  std::vector<Flip> flips_;
  vpiHandle cycle_ = nullptr;
  std::string found_;
};
#else
class Upsets {
 public:
  template <class Context>
  Upsets(Context&, const std::string&) {}
  void strike() {}
  std::string found() const { return ""; }
};
#endif

}  // namespace oae
