// The headers of programs, without code: as much of them as says for which processor they are.
#pragma once

#include <cstdint>
#include <string>

namespace hrvm::test {

inline std::string elf(std::uint16_t machine, char width = 2, char byte_order = 1) {
  std::string program = {'\x7f', 'E', 'L', 'F', width, byte_order, 1};
  program.resize(16);
  const char low = char(machine), high = char(machine >> 8);
  program += byte_order == 1 ? std::string{3, 0, low, high} : std::string{0, 3, high, low};
  return program.append(100, '\0');
}

}  // namespace hrvm::test
