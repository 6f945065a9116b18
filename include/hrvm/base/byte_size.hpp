// Sizes for people: "238.5 GiB" out, "512M", "4GiB", "1.5T" in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hrvm::base {

inline constexpr std::uint64_t KiB = 1024, MiB = 1024 * KiB, GiB = 1024 * MiB, TiB = 1024 * GiB;

// Binary units, at most one decimal, none for bytes: "0 B", "512 B", "1.5 KiB", "238.5 GiB".
std::string format_bytes(std::uint64_t bytes);

// A decimal number, then nothing (bytes) or one of B K M G T P with optional "iB" or "B": all are powers of 1024, as
// in QEMU and LVM. nullopt for anything else, for a negative value, and beyond 2^63.
std::optional<std::uint64_t> parse_bytes(std::string_view text);

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t to) { return (value + to - 1) / to * to; }
constexpr std::uint64_t round_down(std::uint64_t value, std::uint64_t to) { return value / to * to; }

}  // namespace hrvm::base
