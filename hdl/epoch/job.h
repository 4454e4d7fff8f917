// A run of a ring, and what recovery decides in the middle of it: lines of words `key=number,number...`
// that oae.epoch.hardware writes.
#pragma once
#include <cstdint>
#include <functional>
#include <istream>
#include <sstream>
#include <string>
#include <vector>

namespace oae {

using Numbers = std::vector<uint32_t>;

struct Kill {
  uint32_t cycle, domain, is_loss, up;  // `up` 0: for good
};
struct Cut {
  uint32_t cycle, link, up;
};
struct Flush {
  uint32_t least, most;  // cycles
};
// What a medium does to frames: chances in thousandths; what is late waits up to `hold` cycles more.
struct Rates {
  uint32_t drop = 0, duplicate = 0, corrupt = 0, late = 0, hold = 1, latency = 1;
};

// Calls take(key, numbers) for every word of a line; what it does not want is returned, empty if nothing.
inline std::string read_words(const std::string& line,
                              const std::function<bool(const std::string&, const Numbers&)>& take) {
  std::istringstream words(line);
  for (std::string word; words >> word;) {
    const size_t equals = std::min(word.find('='), word.size());
    Numbers numbers;
    std::istringstream text(word.substr(std::min(equals + 1, word.size())));
    for (std::string number; std::getline(text, number, ',');)
      numbers.push_back(static_cast<uint32_t>(std::strtoul(number.c_str(), nullptr, 10)));
    if (!take(word.substr(0, equals), numbers)) return "not understood: " + word;
  }
  return "";
}

struct Job {
  uint32_t seed = 0, retain = 0, limit = 0;
  bool lies = false;  // the stores: they say "durable" before it is so
  bool chatters = false;
  Rates rates;
  Numbers values;  // part 0 of each domain; their number is that of the domains
  Numbers pauses;  // cycles at which the software of recovery looks
  std::vector<Flush> flushes;
  std::vector<Kill> kills;
  std::vector<Cut> cuts;

  size_t domains() const { return values.size(); }

  // What is wrong with the line, empty if nothing.
  std::string read(const std::string& line) {
    const std::string error = read_words(line, [&](const std::string& key, const Numbers& n) {
      if (key == "run" && n.size() == 5)
        seed = n[0], retain = n[1], limit = n[2], lies = n[3], chatters = n[4];
      else if (key == "rates" && n.size() == 6) rates = {n[0], n[1], n[2], n[3], n[4], n[5]};
      else if (key == "values" && n.size() > 2) values = n;
      else if (key == "pauses") pauses = n;
      else if (key == "flush" && n.size() == 2 && n[0] <= n[1]) flushes.push_back({n[0], n[1]});
      else if (key == "kill" && n.size() == 4 && n[1] < domains())
        kills.push_back({n[0], n[1], n[2], n[3]});
      else if (key == "cut" && n.size() == 3 && n[1] < domains()) cuts.push_back({n[0], n[1], n[2]});
      else return false;
      return true;
    });
    return error.empty() && flushes.size() != domains() ? "not one flush for each domain" : error;
  }
};

struct Promise {
  uint32_t domain, incarnation;
};
struct Part {
  uint32_t number, value;
};
// The part `found` is to become that of `number`. A domain that lost its disk gets parts from elsewhere.
struct Restore {
  uint32_t cycle, domain, found, number, members;
  std::vector<Part> given;
};

struct Decision {
  std::vector<Promise> promises;
  std::vector<Restore> restores;
  Numbers goals;  // of each domain: the run may end once its links have converged on it; 0: no matter

  std::string read(const std::string& line, size_t domains) {
    const std::string error = read_words(line, [&](const std::string& key, const Numbers& n) {
      if (key == "promise" && n.size() == 2 && n[0] < domains) promises.push_back({n[0], n[1]});
      else if (key == "restore" && n.size() == 5 && n[1] < domains)
        restores.push_back({n[0], n[1], n[2], n[3], n[4], {}});
      else if (key == "given" && n.size() == 2 && !restores.empty())
        restores.back().given.push_back({n[0], n[1]});  // of the restore before
      else if (key == "goals") goals = n;
      else return false;
      return true;
    });
    return error.empty() && goals.size() != domains ? "not one goal for each domain" : error;
  }
};

}  // namespace oae
