// What host/oae/live passes to the program: words KEY=VALUE. Files are open already, by number.
#pragma once
#include <cstdlib>
#include <map>
#include <string>

namespace oae {

class Options {
 public:
  Options(int count, char** words) {
    for (int at = 1; at < count; ++at) {
      const std::string word = words[at];
      const size_t equals = word.find('=');
      values_[word.substr(0, equals)] = equals == std::string::npos ? "" : word.substr(equals + 1);
    }
  }

  bool has(const std::string& key) const { return values_.contains(key); }
  std::string text(const std::string& key) const { return has(key) ? values_.at(key) : ""; }
  unsigned long number(const std::string& key) const {
    return std::strtoul(text(key).c_str(), nullptr, 10);
  }
  // Bytes that are written in hex.
  std::string bytes(const std::string& key) const {
    const std::string digits = text(key);
    std::string found;
    for (size_t at = 0; at + 1 < digits.size(); at += 2)
      found += static_cast<char>(std::stoi(digits.substr(at, 2), nullptr, 16));
    return found;
  }

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace oae
