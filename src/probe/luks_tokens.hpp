// What a LUKS2 header says of who keeps its keys: the tokens in its metadata (LUKS2 On-Disk Format, 3.5), of systemd
// and of clevis.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hrvm/base/finding.hpp"
#include "hrvm/block/block_device.hpp"

namespace hrvm::probe {

struct LuksTokens {
  std::vector<std::string> hardware;  // "TPM (systemd)", "FIDO2", "PKCS#11", "TPM (clevis)"; each once
  std::vector<std::string> network;   // "tang (clevis)"
  bool has_other_key = false;         // a key slot that none of them names: a passphrase, or a recovery key
};

// Nothing of what is no LUKS2, or is broken. Reads the header's metadata, 4 MiB at most.
LuksTokens read_luks_tokens(block::BlockDevice& device);
// The same from the metadata's text.
LuksTokens parse_luks_tokens(std::string_view json);

// "key-in-hardware" and "key-on-network".
std::vector<base::Finding> token_findings(const LuksTokens& tokens, const std::string& subject);

}  // namespace hrvm::probe
