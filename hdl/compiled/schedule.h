// The schedule of a run in memory (docs/scenario.md). The records that chance makes need not stand in
// it: they are made here, as oae.scenario.compile makes them.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace oae {

// The hash of oae.faults.hash.
constexpr uint32_t mix(uint32_t value) {
  value ^= value >> 16;
  value *= 0x85ebca6b;
  value ^= value >> 13;
  value *= 0xc2b2ae35;
  return value ^ value >> 16;
}
constexpr uint32_t chain(uint32_t hash, uint32_t word) { return mix((hash + 0x9e3779b9) ^ word); }

class Schedule {
 public:
  static constexpr int kEnds = 2;
  static constexpr uint64_t kMagic = 0x4f41455343480001;
  // Places of oae.scenario.layout.
  static constexpr size_t kHead = 80, kMagicAt = 0, kSeedAt = 1, kRulesAt = 5, kRulesPlaceAt = 6,
                          kProgressAt = 7, kWordsAt = 9, kFatesAt = 11, kRuleWords = 8, kFateBits = 10;
  static constexpr size_t kFirstBlock = 16, kBlock = 16, kRecords = 0, kRecordsPlace = 1;

  // How many records chance makes for an end, and of what sizes.
  struct Made {
    uint32_t count = 0, least = 0, most = 0;
  };

  uint64_t word(size_t address) const { return address < words_.size() ? words_[address] : 0; }

  // A frame as the fates name it.
  static uint64_t frame(int end, uint8_t operation, uint16_t copy, uint32_t id) {
    const uint64_t kind = static_cast<uint64_t>(end) << 5 | operation;
    return kind << 48 | static_cast<uint64_t>(copy) << 32 | id;
  }

  // The frames that have a fate, in their order.
  std::vector<uint64_t> fates() const {
    const size_t place = word(kRulesPlaceAt) + kRuleWords * word(kRulesAt);
    std::vector<uint64_t> found(word(kFatesAt));
    for (size_t at = 0; at < found.size(); ++at) found[at] = word(place + at) >> kFateBits;
    return found;
  }

  // What is wrong with the words, empty if nothing.
  std::string take(std::vector<uint64_t> words, const Made (&made)[kEnds]) {
    words_ = std::move(words);
    if (words_.size() < kHead || words_[kMagicAt] != kMagic || words_[kWordsAt] != words_.size())
      return "the schedule has " + std::to_string(words_.size()) + " words and does not fit";
    for (int end = 0; end < kEnds; ++end)
      if (made[end].count) {
        if (!made[end].least || made[end].most < made[end].least) return "no sizes of records";
        append(end, made[end]);
      }
    words_[kWordsAt] = words_.size();
    words_[kProgressAt] = 0;  // nobody waits for the text of progress
    return "";
  }

 private:
  static constexpr uint32_t kSizeDraw = 1000, kBytesDraw = 2000;

  // A new table at the end of the schedule: the records that the end has, and then those made.
  void append(int end, const Made& made) {
    const size_t block = kFirstBlock + kBlock * static_cast<size_t>(end);
    const size_t old_place = words_[block + kRecordsPlace], had = words_[block + kRecords];
    const size_t place = words_.size(), number = had + made.count;
    words_.resize(place + number);
    for (size_t at = 0; at < had; ++at) words_[place + at] = word(old_place + at);
    const uint32_t seed = chain(mix(static_cast<uint32_t>(words_[kSeedAt])), static_cast<uint32_t>(end));
    for (size_t at = had; at < number; ++at) {
      const uint32_t hash = chain(seed, static_cast<uint32_t>(at));
      const uint64_t size = made.least + chain(hash, kSizeDraw) % (made.most - made.least + 1);
      words_[place + at] = size << 32 | words_.size();
      const uint64_t drawn = (size + 3) / 4;
      for (uint64_t first = 0; first < size; first += 8) {
        const auto half = [&](uint64_t which) -> uint64_t {
          return which < drawn ? chain(hash, kBytesDraw + static_cast<uint32_t>(which)) : 0;
        };
        uint64_t word = half(first / 4) | half(first / 4 + 1) << 32;
        if (const uint64_t left = size - first; left < 8) word &= ~0ull >> 8 * (8 - left);
        words_.push_back(word);
      }
    }
    words_[block + kRecords] = number;
    words_[block + kRecordsPlace] = place;
  }

  std::vector<uint64_t> words_;
};

}  // namespace oae
