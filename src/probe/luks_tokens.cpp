#include "probe/luks_tokens.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/core.h>

#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/json.hpp"
#include "hrvm/base/text.hpp"
#include "probe/hazards/key_hardware.hpp"

namespace hrvm::probe {
namespace {

using base::Json;

struct Luks2Header {
  std::array<char, 6> magic;
  base::be16 version;
  base::be64 header_bytes;  // this structure, which takes 4096, and the metadata behind it
};
static_assert(sizeof(Luks2Header) == 16);
constexpr std::string_view magic{"LUKS\xba\xbe", 6};
constexpr std::uint64_t structure_bytes = 4096, largest_header = 4 << 20;
constexpr std::size_t most_tokens = 32;  // as cryptsetup
constexpr unsigned deepest = 4;          // clevis' shared secrets within shared secrets

void add(std::vector<std::string>& names, std::string_view name) {
  if (std::ranges::find(names, name) == names.end()) names.emplace_back(name);
}

// base64url without padding, as JSON Web Encryption has it (RFC 7515).
std::string decode_base64url(std::string_view text) {
  std::string bytes;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const auto value = alphabet.find(c);
    if (value == std::string_view::npos) return {};
    bits = bits << 6 | std::uint32_t(value);
    if ((count += 6) >= 8) bytes += char(bits >> (count -= 8) & 0xff);
  }
  return bytes;
}

void take_pin(std::string_view protected_header, LuksTokens& tokens, unsigned depth) {
  if (depth == deepest) return;
  const Json header = base::parse_json(decode_base64url(protected_header), "a JWE header");
  const Json& clevis = header["clevis"];
  const auto pin = clevis["pin"].text().value_or("");
  if (pin == "tpm2") add(tokens.hardware, "TPM (clevis)");
  if (pin == "pkcs11") add(tokens.hardware, "PKCS#11 (clevis)");
  if (pin == "fido2" || pin == "yubikey") add(tokens.hardware, fmt::format("{} (clevis)", pin));
  if (pin == "tang") add(tokens.network, "tang (clevis)");
  std::size_t shares = 0;
  for (const Json& share : clevis["sss"]["jwe"].items())
    if (const auto text = share.text(); text && ++shares <= most_tokens)
      take_pin(std::string_view(*text).substr(0, text->find('.')), tokens, depth + 1);
}

struct Kind {
  std::string_view type, name;
};
constexpr Kind hardware_kinds[] = {
    {"systemd-tpm2", "TPM (systemd)"}, {"systemd-fido2", "FIDO2"}, {"systemd-pkcs11", "PKCS#11"}};

bool take(const Json& token, LuksTokens& tokens) {
  const auto type = token["type"].text().value_or("");
  for (const Kind& kind : hardware_kinds)
    if (type == kind.type) return add(tokens.hardware, kind.name), true;
  if (type != "clevis") return false;
  const Json& jwe = token["jwe"];
  const auto compact = jwe.text();
  take_pin(compact ? compact->substr(0, compact->find('.')) : jwe["protected"].text().value_or(""), tokens, 0);
  return true;
}

std::string_view other_key_text(const LuksTokens& tokens) {
  return tokens.has_other_key
             ? "have the passphrase or the recovery key of its other key slot at hand: the machine will ask for it"
             : "there is no other key slot: run systemd-cryptenroll --recovery-key on the computer itself, in its own "
               "system, before the machine is needed";
}

}  // namespace

LuksTokens parse_luks_tokens(std::string_view text) try {
  LuksTokens tokens;
  const Json metadata = base::parse_json(std::string(text), "the metadata of a LUKS header");
  std::set<std::string> kept;  // key slots that a machine cannot open
  std::size_t count = 0;
  for (const auto& [number, token] : metadata["tokens"].members()) {
    if (++count > most_tokens) break;
    if (!take(token, tokens)) continue;
    for (const Json& slot : token["keyslots"].items()) kept.insert(slot.text().value_or(""));
  }
  for (const auto& [number, slot] : metadata["keyslots"].members())
    tokens.has_other_key = tokens.has_other_key || !kept.contains(std::string(number));
  return tokens;
} catch (const base::Error&) {
  return {};
}

LuksTokens read_luks_tokens(block::BlockDevice& device) try {
  if (device.size() < structure_bytes) return {};
  const auto header = base::load<Luks2Header>(device.read(0, sizeof(Luks2Header)));
  if (std::string_view(header.magic.data(), header.magic.size()) != magic || header.version != 2) return {};
  const std::uint64_t bytes = header.header_bytes;
  if (bytes <= structure_bytes || bytes > largest_header || bytes > device.size()) return {};
  const auto metadata = device.read(structure_bytes, std::size_t(bytes - structure_bytes));
  const std::string_view text(reinterpret_cast<const char*>(metadata.data()), metadata.size());
  return parse_luks_tokens(text.substr(0, text.find('\0')));
} catch (const base::Error&) {
  return {};
}

std::vector<base::Finding> token_findings(const LuksTokens& tokens, const std::string& subject) {
  std::vector<base::Finding> findings;
  const std::string remedy(other_key_text(tokens));
  if (!tokens.hardware.empty())
    findings.push_back({key_in_hardware, base::Severity::warning, subject,
                        key_in_hardware_message(base::join(tokens.hardware, ", ")), remedy});
  if (!tokens.network.empty())
    findings.push_back({key_on_network, base::Severity::warning, subject,
                        fmt::format("its key is fetched from a server, which a machine that is isolated does not "
                                    "reach: {}",
                                    base::join(tokens.network, ", ")),
                        "--net nat or a bridge may lead there; else " + remedy});
  return findings;
}

}  // namespace hrvm::probe
