// Who keeps the key of a LUKS2 container, by the tokens in its header.
#include "probe/luks_tokens.hpp"

#include <catch2/catch.hpp>

#include "hrvm/block/devices.hpp"
#include "support/run_program.hpp"
#include "support/temporary_directory.hpp"

using namespace hrvm;
using namespace hrvm::probe;
using Words = std::vector<std::string>;

namespace {

std::string metadata(const std::string& tokens, const std::string& slots = R"("0":{},"1":{})") {
  return R"({"keyslots":{)" + slots + R"(},"tokens":{)" + tokens + "}}";
}

Words ids(const LuksTokens& tokens) {
  Words found;
  for (const auto& finding : token_findings(tokens, "p3")) found.push_back(finding.id);
  return found;
}

}  // namespace

TEST_CASE("tokens of systemd and clevis say which hardware or server keeps the key") {
  const auto tokens = parse_luks_tokens(
      metadata(R"("0":{"type":"systemd-tpm2","keyslots":["0"]},"1":{"type":"systemd-fido2","keyslots":["0"]},)"
               R"("2":{"type":"clevis","keyslots":["1"],"jwe":{"protected":"eyJjbGV2aXMiOnsicGluIjoidHBtMiJ9fQ"}},)"
               R"("3":{"type":"clevis","keyslots":["1"],"jwe":{"protected":"eyJjbGV2aXMiOnsicGluIjoidGFuZyJ9fQ"}})"));
  CHECK(tokens.hardware == Words{"TPM (systemd)", "FIDO2", "TPM (clevis)"});
  CHECK(tokens.network == Words{"tang (clevis)"});
  CHECK_FALSE(tokens.has_other_key);
  CHECK(ids(tokens) == Words{"key-in-hardware", "key-on-network"});
}

TEST_CASE("secrets that clevis shares among several are told with each of them") {
  // {"clevis":{"pin":"sss","sss":{"jwe":["TPM2.x","TANG.x"]}}}, with the two headers of above.
  const auto tokens = parse_luks_tokens(metadata(
      R"("0":{"type":"clevis","keyslots":["1"],"jwe":{"protected":"eyJjbGV2aXMiOnsicGluIjoic3NzIiwic3NzIjp7Imp3ZSI6WyJl)"
      R"(eUpqYkdWMmFYTWlPbnNpY0dsdUlqb2lkSEJ0TWlKOWZRLngiLCJleUpqYkdWMmFYTWlPbnNpY0dsdUlqb2lkR0Z1WnlKOWZRLngiXX19fQ"}})"));
  CHECK(tokens.hardware == Words{"TPM (clevis)"});
  CHECK(tokens.network == Words{"tang (clevis)"});
  CHECK(tokens.has_other_key);
}

TEST_CASE("a passphrase, a recovery key and a keyring are nothing that a machine lacks") {
  CHECK(ids(parse_luks_tokens(metadata(""))).empty());
  CHECK(ids(parse_luks_tokens(metadata(
                R"("0":{"type":"systemd-recovery","keyslots":["1"]},"1":{"type":"luks2-keyring","keyslots":["0"]})")))
            .empty());
}

TEST_CASE("metadata that make no sense say nothing") {
  for (const std::string text : {"", "{", "[]", R"({"tokens":7})", R"({"tokens":{"0":{"type":"clevis","jwe":7}}})",
                                 R"({"tokens":{"0":{"type":"clevis","jwe":{"protected":"!!"}}}})"}) {
    CAPTURE(text);
    CHECK(ids(parse_luks_tokens(text)).empty());
  }
}

TEST_CASE("tokens are read from a header, and a size of it that cannot be reads nothing") {
  std::string header = std::string("LUKS\xba\xbe", 6) + std::string("\0\2\0\0\0\0\0\0\x40\0", 10);
  header.resize(4096, '\0');
  header += metadata(R"("0":{"type":"systemd-tpm2","keyslots":["0"]})");
  header.resize(64 << 10, '\0');
  const test::TemporaryDirectory folder;
  folder.write("luks", header);
  CHECK(read_luks_tokens(*block::open_device(folder / "luks")).hardware == Words{"TPM (systemd)"});
  header.replace(8, 8, 8, '\xff');
  folder.write("luks", header);
  CHECK(read_luks_tokens(*block::open_device(folder / "luks")).hardware.empty());
}
